"""One process that starts the parts of the stack, starts them again when they die, and stops them in order.

``python -m streams.embedded.supervisor`` is started by :func:`streams.embedded.stack.up` and runs until SIGTERM.
It writes what it knows into ``stack.json`` in the home folder.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from streams.embedded.parts import Part, Plan, plan
from streams.embedded.processes import birth, end
from streams.settings import STATE_FILE, home_of, read_state

_TICK_S = 0.1
_BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
_STABLE_S = 30.0
_STOP_S = 20.0


class Running:
    """A part with its process."""

    def __init__(self, part: Part, home: Path) -> None:
        self.part = part
        self._log = home / "log" / f"{part.name}.log"
        self._ready_file = home / "run" / f"{part.name}.ready"
        self.process: subprocess.Popen[bytes] | None = None
        self.since = ""
        self.is_ready = False
        self.error = ""
        self.starts = 0
        self._born: str | None = None
        self._started = 0.0
        self._crashes = 0
        self._next_start = 0.0

    def tend(self) -> None:
        """Start it when it is due, notice when it died, ended or became ready."""
        now = time.monotonic()
        if self.process is None:
            if now >= self._next_start and not (self.part.once and self.is_ready):
                self._start(now)
        elif (code := self.process.poll()) is not None:
            self._ended(code, now)
        elif not self.is_ready and self.part.ready():
            self.is_ready = True
            self.error = ""
        elif not self.is_ready and now - self._started > self.part.patience_s:
            self.stop()
            self.error = f"not ready after {self.part.patience_s:g} s: {last_lines(self._log)}"
            self._later(now)
        elif self.is_ready and self._crashes and now - self._started > _STABLE_S:
            self._crashes = 0

    def _start(self, now: float) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._ready_file.parent.mkdir(parents=True, exist_ok=True)
        self._ready_file.unlink(missing_ok=True)
        try:
            command = self.part.command()
        except Exception as problem:  # noqa: BLE001 -- whatever keeps a part from starting is shown, and tried again
            self.error = str(problem)
            self._later(now)
            return
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **self.part.environment},
            )
        self._born = birth(self.process.pid)
        self.since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._started = now
        self.starts += 1

    def _ended(self, code: int, now: float) -> None:
        self.process = None
        self.is_ready = self.part.once and code == 0
        if self.is_ready:
            self.error = ""
            return
        self.error = f"ended with code {code}: {last_lines(self._log)}"
        self._later(now)

    def _later(self, now: float) -> None:
        self._next_start = now + _BACKOFF_S[min(self._crashes, len(_BACKOFF_S) - 1)]
        self._crashes += 1

    def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        if self.process is None:
            return
        self.process.send_signal(self.part.stop_signal)
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def state(self) -> dict[str, Any]:
        """What ``stack.json`` says of it."""
        return {
            "pid": self.process.pid if self.process else None,
            "born": self._born if self.process else None,
            "once": self.part.once,
            "stop_signal": int(self.part.stop_signal),
            "ready": self.is_ready,
            "since": self.since,
            "starts": self.starts,
            "address": self.part.address,
            "error": self.error,
        }


class Supervisor:
    """Tends the parts stage by stage until it is told to stop."""

    def __init__(self, home: Path, wanted: Plan) -> None:
        self._home, self._plan = home, wanted
        self._parts = [Running(part, home) for part in wanted.parts]
        self._stopping = False
        self._written = ""

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        end_orphans(read_state(self._home))
        while not self._stopping:
            for running in self._parts:
                if self._may_run(running):
                    running.tend()
            self._write()
            time.sleep(_TICK_S)
        for stage in sorted({running.part.stage for running in self._parts}, reverse=True):
            for running in self._parts:
                if running.part.stage == stage:
                    running.stop()
        self._write(stopped=True)

    def _may_run(self, running: Running) -> bool:
        """Whether all stages below have been ready once; later a part is kept running whatever the others do."""
        return running.starts > 0 or all(
            other.is_ready for other in self._parts if other.part.stage < running.part.stage
        )

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _write(self, *, stopped: bool = False) -> None:
        state = {
            "supervisor": None if stopped else os.getpid(),
            "supervisor_born": None if stopped else birth(os.getpid()),
            "kafka": None if stopped else self._plan.kafka,
            "database_url": None if stopped else self._plan.database_url,
            "http_port": self._plan.http_port,
            "ports": dict(self._plan.ports),
            "parts": {running.part.name: running.state() for running in self._parts},
        }
        text = json.dumps(state, indent=1)
        if text != self._written:
            fresh = self._home / f"{STATE_FILE}.new"
            fresh.write_text(text)
            fresh.replace(self._home / STATE_FILE)
            self._written = text


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, on one line."""
    try:
        lines = log.read_bytes()[-4096:].decode("utf-8", "replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return " | ".join(lines[-count:])


def end_orphans(state: dict[str, Any]) -> None:
    """End parts that an earlier supervisor left behind when it was killed."""
    parts = state.get("parts", {}).values()
    end(
        ((part["pid"], part["born"], signal.SIGTERM) for part in parts if part.get("pid") and part.get("born")), _STOP_S
    )


def main() -> int:
    """Run the supervisor of the home folder; one at a time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    home = home_of()
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(home.stat().st_mode | 0o001)
    with (home / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        only = tuple(filter(None, arguments.only.split(",")))
        Supervisor(home, plan(home, workers=arguments.workers, only=only)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
