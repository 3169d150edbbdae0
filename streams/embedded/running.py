"""A part with its process: started, watched, started again, stopped. Nothing here waits."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from streams.embedded import logs
from streams.embedded.background import Background
from streams.embedded.parts import Part
from streams.embedded.processes import birth

_BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
_STABLE_S = 30.0
STOP_S = 20.0
"""How long a part may take to end by itself."""

State = Literal["waiting", "preparing", "starting", "running", "done", "died", "stopping", "stopped"]
"""``waiting``: for the stages before; ``done``: what works once has done so; ``died``: it will be started again."""


class Running:
    """A part with its process; :meth:`tend` is called again and again."""

    def __init__(self, part: Part, home: Path) -> None:
        self.part = part
        self.state: State = "waiting"
        self.starts = 0
        self.crashes = 0
        """Deaths since it last ran for a while."""
        self._log = home / "log" / f"{part.name}.log"
        self._ready_file = home / "run" / f"{part.name}.ready"
        self._process: subprocess.Popen[bytes] | None = None
        self._born: str | None = None
        self._preparation: Background[list[str]] | None = None
        self._probe: Background[bool] | None = None
        self._doing = ""
        self._since = ""
        self._error = ""
        self._error_at = ""
        self._ended_because = ""
        self._log_start = 0
        self._log_ready = 0
        self._started_s = 0.0
        self._next_start_s = 0.0
        self._kill_at_s = 0.0
        self._leaving = False

    @property
    def is_ready(self) -> bool:
        """Whether it serves, or has done its work."""
        return self.state in {"running", "done"}

    @property
    def is_gone(self) -> bool:
        """Whether it was asked to end and has."""
        return self._leaving and self._process is None

    def tend(self) -> None:
        """Start it when it is due, notice when it became ready, ended or died."""
        now = time.monotonic()
        if self._process is not None:
            self._watch(self._process, now)
        elif self._preparation is not None:
            if self._preparation.is_done:
                self._launch(self._preparation, now)
        elif not self._leaving and self.state != "done" and now >= self._next_start_s:
            self._prepare()

    def stop(self) -> None:
        """Ask it to end; :meth:`tend` ends it when it does not."""
        if self._leaving:
            return
        self._leaving = True
        self._preparation = None
        if self._process is None:
            self.state = "done" if self.state == "done" else "stopped"
        else:
            self._ask_to_end(self._process, time.monotonic())

    def _prepare(self) -> None:
        self.state = "preparing"
        self._doing = ""
        self._preparation = Background(lambda: self.part.command(self._say))

    def _say(self, sentence: str) -> None:
        self._doing = sentence

    def _launch(self, preparation: Background[list[str]], now: float) -> None:
        self._preparation = None
        self._doing = ""
        problem: Exception | None = preparation.problem
        if problem is None:
            try:
                self._start(preparation.result, now)
            except OSError as trouble:
                problem = trouble
        if problem is not None:
            self._fail(str(problem), now)

    def _start(self, command: list[str], now: float) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._ready_file.parent.mkdir(parents=True, exist_ok=True)
        self._ready_file.unlink(missing_ok=True)
        self._log_start = self._log_ready = logs.begin(self._log)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **self.part.environment},
            )
        self._born = birth(self._process.pid)
        self._since = _now()
        self._started_s = now
        self._kill_at_s = 0.0
        self._ended_because = ""
        self.starts += 1
        self.state = "starting"

    def _watch(self, process: subprocess.Popen[bytes], now: float) -> None:
        code = process.poll()
        if code is not None:
            self._ended(code, now)
        elif self._kill_at_s:
            if now >= self._kill_at_s:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        elif self.state == "starting":
            self._look_whether_ready(process, now)
        elif self.crashes and now - self._started_s > _STABLE_S:
            self.crashes = 0

    def _look_whether_ready(self, process: subprocess.Popen[bytes], now: float) -> None:
        if not self.part.once and self._probe is None:
            self._probe = Background(self.part.ready)
        if self._probe is not None and self._probe.is_done:
            probe, self._probe = self._probe, None
            if probe.problem is None and probe.result:
                self.state = "running"
                self._log_ready = logs.size(self._log)
                return
        if now - self._started_s > self.part.patience_s:
            self._ended_because = f"not ready after {self.part.patience_s:g} s"
            self._ask_to_end(process, now)

    def _ask_to_end(self, process: subprocess.Popen[bytes], now: float) -> None:
        self.state = "stopping" if self._leaving else self.state
        self._kill_at_s = now + STOP_S
        process.send_signal(self.part.stop_signal)

    def _ended(self, code: int, now: float) -> None:
        self._process = None
        self._probe = None
        if self._leaving:
            self.state = "stopped"
        elif self.part.once and code == 0:
            self.state = "done"
            self._error = ""
        else:
            reason = self._ended_because or _how_it_ended(code)
            said = logs.last_lines(self._log, self._log_start)
            self._fail(f"{reason}: {said}" if said else reason, now)

    def _fail(self, sentence: str, now: float) -> None:
        self.state = "died"
        self._error, self._error_at = sentence, _now()
        self._next_start_s = now + _BACKOFF_S[min(self.crashes, len(_BACKOFF_S) - 1)]
        self.crashes += 1

    def as_json(self) -> dict[str, Any]:
        """What ``stack.json`` says of it."""
        return {
            "pid": self._process.pid if self._process else None,
            "born": self._born if self._process else None,
            "once": self.part.once,
            "stage": self.part.stage,
            "stop_signal": int(self.part.stop_signal),
            "state": self.state,
            "ready": self.is_ready,
            "doing": self._doing,
            "since": self._since,
            "starts": self.starts,
            "crashes": self.crashes,
            "address": self.part.address,
            "version": self.part.version,
            "error": self._error,
            "error_at": self._error_at,
            "log_start": self._log_start,
            "log_ready": self._log_ready,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
