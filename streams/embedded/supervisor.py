"""One process that starts the parts of the stack, starts them again when they die, and stops them in order.

``python -m streams.embedded.supervisor`` is started by :func:`streams.embedded.stack.up` and runs until SIGTERM; at
SIGHUP it looks whether the user wants more or fewer parts. It writes what it knows into ``stack.json`` in the home
folder.
"""

import fcntl
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

import psutil

from streams.embedded.background import Background
from streams.embedded.parts import Plan, plan
from streams.embedded.postgres import PostgresUnavailable
from streams.embedded.processes import birth, end
from streams.embedded.running import STOP_S, Running
from streams.embedded.wish import Wish
from streams.settings import STATE_FILE, SettingsError, home_of, read_state

EXIT_TAKEN = 3
"""Another supervisor has this folder."""

_LOCK_FILE = "supervisor.lock"
_TICK_S = 0.05


class Supervisor:
    """Tends the parts stage by stage until it is told to stop."""

    def __init__(self, home: Path, wish: Wish, wanted: Plan) -> None:
        self._home, self._wish, self._plan = home, wish, wanted
        self._parts = [Running(part, home) for part in wanted.parts]
        self._leaving: list[Running] = []
        self._afterwards: list[Background[None]] | None = None
        self._stopping = False
        self._asked = False
        self._written = ""

    def run(self) -> None:
        """Until SIGTERM or SIGINT.

        Raises:
            OSError: the home folder cannot be written.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_stop)
        signal.signal(signal.SIGHUP, self._note_wish)
        self._write()
        while not self._stopping:
            if self._asked:
                self._asked = False
                self._adjust()
            self._tend()
            time.sleep(_TICK_S)
        self._stop()

    def _tend(self) -> None:
        for running in self._parts:
            if self._may_run(running):
                running.tend()
                self._keep()  # a new process is known before the next is started
        for running in self._leaving:
            running.tend()
        self._leaving = [running for running in self._leaving if not running.is_gone]
        if self._afterwards is None and all(running.is_ready for running in self._parts):
            self._afterwards = [Background(part.afterwards) for part in self._plan.parts if part.afterwards]
        self._keep()

    def _may_run(self, running: Running) -> bool:
        """Whether all stages below have been ready once; later a part is kept running whatever the others do."""
        return running.starts > 0 or all(
            other.is_ready for other in self._parts if other.part.stage < running.part.stage
        )

    def _adjust(self) -> None:
        """Start what is wanted now and was not, and stop what no longer is."""
        self._wish = Wish.read(self._home)
        self._plan = plan(self._home, workers=self._wish.workers, only=self._wish.only, chosen=self._plan.ports)
        have = {running.part.name: running for running in self._parts}
        wanted = self._plan.parts
        self._parts = [have.pop(part.name) if part.name in have else Running(part, self._home) for part in wanted]
        for running in have.values():
            running.stop()
            self._leaving.append(running)

    def _stop(self) -> None:
        """Stop stage by stage, so that workers can still write what they have read."""
        everything = self._parts + self._leaving
        for stage in sorted({running.part.stage for running in everything}, reverse=True):
            leaving = [running for running in everything if running.part.stage == stage]
            for running in leaving:
                running.stop()
            while not all(running.is_gone for running in leaving):
                for running in leaving:
                    running.tend()
                self._keep()
                time.sleep(_TICK_S)
        # what was still being prepared, and what is done afterwards
        for helper in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                helper.kill()
        self._keep(stopped=True)

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _note_wish(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _keep(self, *, stopped: bool = False) -> None:
        """Write the state; a full disk ends nothing that runs."""
        with suppress(OSError):
            self._write(stopped=stopped)

    def _write(self, *, stopped: bool = False) -> None:
        state = {
            "supervisor": None if stopped else os.getpid(),
            "supervisor_born": None if stopped else birth(os.getpid()),
            "wanted": self._wish.to_json(),
            "kafka": None if stopped else self._plan.kafka,
            "database_url": None if stopped else self._plan.database_url,
            "http_port": self._plan.http_port,
            "ports": dict(self._plan.ports),
            "parts": {running.part.name: running.as_json() for running in self._parts},
            "leaving": {running.part.name: running.as_json() for running in self._leaving},
        }
        text = json.dumps(state, indent=1)
        if text != self._written:
            write_state(self._home, text)
            self._written = text


def write_state(home: Path, text: str) -> None:
    """Replace ``stack.json``; it holds the database's password, so only its owner reads it.

    Raises:
        OSError: the folder cannot be written.
    """
    fresh = home / f"{STATE_FILE}.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(home / STATE_FILE)


def lock(home: Path) -> IO[str] | None:
    """Take the home folder for this process; None when another has it. Closing the file gives it back.

    Raises:
        OSError: the folder cannot be written.
    """
    file = (home / _LOCK_FILE).open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def end_orphans(state: dict[str, Any]) -> bool:
    """End parts that a supervisor left behind when it was killed, the last stage first; whether there were any."""
    parts = [*state.get("parts", {}).values(), *state.get("leaving", {}).values()]
    left = [part for part in parts if part.get("pid") and birth(part["pid"]) == part["born"]]
    for stage in sorted({part.get("stage", 0) for part in left}, reverse=True):
        end(
            (
                (part["pid"], part["born"], signal.Signals(part["stop_signal"]))
                for part in left
                if part.get("stage", 0) == stage
            ),
            STOP_S,
        )
    return bool(left)


def note_all_stopped(home: Path, state: dict[str, Any]) -> None:
    """Write that nothing of a state runs any more, in place of a supervisor that cannot."""
    stopped = {
        name: part | {"pid": None, "born": None, "ready": False, "state": "stopped"}
        for name, part in state.get("parts", {}).items()
    }
    nobody: dict[str, Any] = {
        "supervisor": None,
        "supervisor_born": None,
        "kafka": None,
        "database_url": None,
        "leaving": {},
    }
    with suppress(OSError):
        write_state(home, json.dumps(state | nobody | {"parts": stopped, "leaving": {}}, indent=1))


def main() -> int:
    """Run the supervisor of the home folder; one at a time."""
    home = home_of()
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(home.stat().st_mode | 0o001)  # PostgreSQL may run under another account
        held = lock(home)
        if held is None:
            return EXIT_TAKEN
        with held:
            end_orphans(read_state(home))
            wish = Wish.read(home)
            Supervisor(home, wish, plan(home, workers=wish.workers, only=wish.only)).run()
    except (SettingsError, PostgresUnavailable) as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        print(
            f"{home} cannot be written ({problem.strerror}); free space or set TWIN_HOME to another folder",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
