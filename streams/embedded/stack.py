"""Starting, stopping and asking the embedded stack."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from streams.embedded.processes import lives
from streams.embedded.supervisor import last_lines
from streams.settings import read_state

_SERVES = ("running", "done")


class StackFailed(Exception):
    """A part did not come up; the sentence names it and the end of its log."""


class PartStatus(NamedTuple):
    """A part as ``twin status`` shows it; ``state`` is running, starting, done (what works once) or died."""

    name: str
    state: str
    since: str
    pid: int | None
    memory_mib: int
    address: str
    starts: int
    error: str


def up(
    home: Path,
    *,
    workers: int = 1,
    only: tuple[str, ...] = (),
    on_progress: Callable[[str], None] = lambda _: None,
    patience_s: float = 240.0,
) -> None:
    """Start what is not running, and wait until every part is ready.

    Raises:
        StackFailed: a part did not become ready in time.
    """
    home.mkdir(parents=True, exist_ok=True)
    if supervisor_of(home) is None:
        (home / "log").mkdir(exist_ok=True)
        with (home / "log" / "supervisor.log").open("ab") as log:
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "streams.embedded.supervisor",
                    f"--workers={workers}",
                    f"--only={','.join(only)}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "TWIN_HOME": str(home)},
            )
    _wait(home, on_progress, time.monotonic() + patience_s)


def _wait(home: Path, on_progress: Callable[[str], None], deadline: float) -> None:
    told: set[str] = set()
    grace = time.monotonic() + 10
    while time.monotonic() < deadline:
        if supervisor_of(home) is None and time.monotonic() > grace:
            raise StackFailed(f"the supervisor ended: {last_lines(home / 'log' / 'supervisor.log')}")
        parts = status(home)
        for part in parts:
            if part.state in _SERVES and part.name not in told:
                told.add(part.name)
                on_progress(part.name)
        if parts and supervisor_of(home) is not None and all(part.state in _SERVES for part in parts):
            return
        time.sleep(0.1)
    waiting = [part for part in status(home) if part.state not in _SERVES]
    raise StackFailed("; ".join(f"{part.name} is not ready: {part.error or 'see its log'}" for part in waiting))


def down(home: Path, patience_s: float = 90.0) -> bool:
    """Stop every part in order; False when nothing ran. What is stored stays.

    Raises:
        StackFailed: the supervisor does not end.
    """
    process = supervisor_of(home)
    if process is None:
        return False
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience_s)
        except psutil.TimeoutExpired:
            raise StackFailed(f"the supervisor (pid {process.pid}) does not end; see {home / 'log'}") from None
    return True


def supervisor_of(home: Path) -> psutil.Process | None:
    """The supervisor's process, if it runs."""
    state = read_state(home)
    pid = state.get("supervisor")
    if not lives(pid, state.get("supervisor_born")):
        return None
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid)
    return None


def status(home: Path) -> list[PartStatus]:
    """Every part, as the supervisor sees it now."""
    return [_status(name, part, home) for name, part in read_state(home).get("parts", {}).items()]


def _status(name: str, part: dict[str, Any], home: Path) -> PartStatus:
    pid, memory_mib, state = part["pid"], 0, "died"
    if part["once"] and part["ready"]:
        state = "done"
    elif lives(pid, part["born"]):
        state = "running" if part["ready"] else "starting"
        with suppress(psutil.NoSuchProcess):
            memory_mib = psutil.Process(pid).memory_info().rss >> 20
    elif not part["error"] and supervisor_of(home) is not None:
        state = "starting"
    error = part["error"]
    if state == "died" and not error:
        error = last_lines(home / "log" / f"{name}.log") or "stopped"
    return PartStatus(name, state, part["since"], pid, memory_mib, part["address"], part["starts"], error)
