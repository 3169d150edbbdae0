"""Starting, stopping and asking the embedded stack."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from streams.addresses import reachable
from streams.alone import alone
from streams.embedded import logs
from streams.embedded.processes import lives
from streams.embedded.wish import Wish
from streams.settings import masked, read_state

_SERVES = ("running", "done")
_TICK_S = 0.1
_HOPELESS = 3  # deaths in a row
_NEEDED_BYTES = 300 << 20  # empty Kafka and PostgreSQL, and some room


# What a part says when another version of us wrote the file.
_UNKNOWN: dict[str, Any] = {
    "state": "died",
    "error": "",
    "error_at": "",
    "version": "",
    "crashes": 0,
    "log_start": 0,
    "log_ready": 0,
}


class StackFailed(Exception):
    """The stack, or a part of it, did not come up or go down; the sentence says which and what to do."""


class PartStatus(NamedTuple):
    """A part as ``twin status`` shows it.

    ``state`` is waiting, preparing, starting, running, done (what works once), restarting (it died and is not ready
    again), died, stopping or stopped; ``since`` when its process was started; ``error`` what went wrong last, at
    ``error_at`` where that is known.
    """

    name: str
    state: str
    since: str
    pid: int | None
    memory_mib: int
    address: str
    version: str
    starts: int
    error: str
    error_at: str


def up(
    home: Path,
    *,
    workers: int | None = None,
    only: tuple[str, ...] = (),
    on_progress: Callable[[str], None] = lambda _: None,
    patience_s: float = 240.0,
) -> None:
    """Start what is not running, and wait until every part is ready.

    Args:
        home: the folder of all state.
        workers: how many share the work; None: as many as run, or one.
        only: the parts wanted; all, if empty. What runs already goes on.
        on_progress: is told what happens, a line at a time.
        patience_s: how long everything may take.

    Raises:
        StackFailed: a part did not become ready; what did goes on.
        streams.settings.SettingsError: a setting cannot be.
    """
    _check_room(home)
    deadline = time.monotonic() + patience_s
    with _alone(home):
        _wish(home, workers, only)
        starter = _Starter(home)
        while not starter.look() and time.monotonic() < deadline:
            time.sleep(_TICK_S)
    _wait(home, starter, on_progress, deadline)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Wait until nobody else is about to start the stack: who comes second finds it running, and keeps what it has.

    Raises:
        StackFailed: the folder cannot be written.
    """
    with ExitStack() as stack:
        try:
            (home / "log").mkdir(exist_ok=True)
            stack.enter_context(alone(home))
        except OSError as problem:
            raise _unwritable(home, problem) from problem
        yield


def _wish(home: Path, workers: int | None, only: tuple[str, ...]) -> None:
    """Write down what is wanted now: more than before, or the same again."""
    if supervisor_of(home) is None:
        _check_existing_servers()
        wish = Wish(workers or 1, only)
    else:
        _check_same_servers(read_state(home))
        running = Wish.read(home)
        together = (*running.only, *(name for name in only if name not in running.only))
        wish = Wish(workers or running.workers, together if running.only and only else ())
    try:
        wish.write(home)
    except OSError as problem:
        raise _unwritable(home, problem) from problem


def _wait(home: Path, starter: "_Starter", on_progress: Callable[[str], None], deadline: float) -> None:
    """Until all that is wanted serves; a supervisor is started where none is any more."""
    serving = [] if supervisor_of(home) is None else [part.name for part in status(home) if part.state in _SERVES]
    told = dict.fromkeys(serving, "ready")
    while time.monotonic() < deadline:
        supervised = starter.look()
        state = read_state(home) if supervised else {}
        parts = status(home) if supervised else []
        for part in parts:
            line = "ready" if part.state in _SERVES else state["parts"].get(part.name, {}).get("doing", "")
            if line and told.get(part.name) != line:
                told[part.name] = line
                on_progress(f"{part.name:<12} {line}")
        if supervised and state.get("wanted") == Wish.read(home).to_json():
            if parts and all(part.state in _SERVES for part in parts) and not state.get("leaving"):
                return
            _give_up_on_hopeless(state)
        time.sleep(_TICK_S)
    waiting = [part for part in status(home) if part.state not in _SERVES]
    raise StackFailed(
        "; ".join(f"{part.name} is not ready: {part.error or part.state}" for part in waiting)
        or f"the supervisor does not answer; see {home / 'log' / 'supervisor.log'}"
    )


def _give_up_on_hopeless(state: dict[str, Any]) -> None:
    """Do not let the user wait for what dies again and again.

    Raises:
        StackFailed: a part did.
    """
    for name, part in state.get("parts", {}).items():
        if part["crashes"] >= _HOPELESS and not part["ready"] and part["error"]:
            raise StackFailed(
                f"{name} does not start: {part['error']}; it is tried again, "
                "`twin status` says how it goes and `twin down` ends it"
            )


class _Starter:
    """Sees to it that there is one supervisor, and that it knows of the new wish."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._log = home / "log" / "supervisor.log"
        self._started: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._told: int | None = None

    def look(self) -> bool:
        """Whether a supervisor runs that was told.

        Raises:
            StackFailed: it ended.
        """
        from streams.embedded.supervisor import EXIT_TAKEN  # noqa: PLC0415 -- loads all parts; `twin down` needs none

        found = supervisor_of(self._home)
        if found is not None:
            mine = self._started is not None and found.pid == self._started.pid
            if not mine and self._told != found.pid:
                with suppress(psutil.NoSuchProcess):
                    found.send_signal(signal.SIGHUP)
                self._told = found.pid
            return True
        code = None if self._started is None else self._started.poll()
        if self._started is None or code == EXIT_TAKEN:  # another is just starting or ending
            self._start()
        elif code is not None:
            said = logs.last_lines(self._log, self._log_start, count=1)
            raise StackFailed(said or f"the supervisor ended with code {code}; see {self._log}")
        return False

    def _start(self) -> None:
        try:
            self._log_start = logs.begin(self._log)
            with self._log.open("ab") as log:
                self._started = subprocess.Popen(
                    [sys.executable, "-P", "-m", "streams.embedded.supervisor"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={**os.environ, "TWIN_HOME": str(self._home)},
                )
        except OSError as problem:
            raise _unwritable(self._home, problem) from problem


def down(home: Path, patience_s: float = 90.0) -> bool:
    """Stop every part in order; False when nothing ran. What is stored stays.

    Raises:
        StackFailed: the supervisor does not end.
    """
    if not home.is_dir():
        return False
    deadline = time.monotonic() + patience_s
    stopped = False
    while time.monotonic() < deadline:
        process = supervisor_of(home)
        if process is None:
            ended = _end_without_supervisor(home)
            if ended is not None:
                return stopped or ended
            time.sleep(_TICK_S)  # one is just starting
            continue
        stopped = True
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            process.send_signal(signal.SIGTERM)
            process.wait(max(0.1, deadline - time.monotonic()))
    raise StackFailed(f"the supervisor does not end; see {home / 'log'}")


def _end_without_supervisor(home: Path) -> bool | None:
    """End what a killed supervisor left behind; whether there was anything. None: a supervisor has the folder."""
    from streams.embedded import supervisor  # noqa: PLC0415 -- loads all parts

    try:
        held = supervisor.lock(home)
    except OSError as problem:
        raise _unwritable(home, problem) from problem
    if held is None:
        return None
    with held:
        state = read_state(home)
        ended = supervisor.end_orphans(state)
        if ended:
            supervisor.note_all_stopped(home, state)
        return ended


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
    supervised = supervisor_of(home) is not None
    return [_status(name, part, home, supervised) for name, part in read_state(home).get("parts", {}).items()]


def _status(name: str, part: dict[str, Any], home: Path, supervised: bool) -> PartStatus:
    log = home / "log" / f"{name}.log"
    part = _UNKNOWN | part
    state, error, error_at = part["state"], part["error"], part["error_at"]
    memory_mib = 0
    if lives(part["pid"], part["born"]):
        with suppress(psutil.NoSuchProcess):
            memory_mib = psutil.Process(part["pid"]).memory_info().rss >> 20
        if state == "running" and not error:
            error = logs.last_complaint(log, part["log_ready"])
    elif state not in {"done", "stopped", "died"} and (part["pid"] or not supervised):
        state = "died"
        error = error or logs.last_lines(log, part["log_start"]) or "it ended without a word"
    if supervised and state in {"preparing", "starting"} and error and part["crashes"]:
        state = "restarting"
    return PartStatus(
        name,
        state,
        part["since"],
        part["pid"],
        memory_mib,
        part["address"],
        part["version"],
        part["starts"],
        error,
        error_at,
    )


def _check_room(home: Path) -> None:
    """Make the home folder.

    Raises:
        StackFailed: it cannot be written, or its disk is nearly full.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(home).free
    except OSError as problem:
        raise _unwritable(home, problem) from problem
    if not os.access(home, os.W_OK | os.X_OK):
        raise StackFailed(f"{home} cannot be written; set TWIN_HOME to a folder of yours")
    if free < _NEEDED_BYTES:
        raise StackFailed(
            f"only {free >> 20} MiB are free in {home}, {_NEEDED_BYTES >> 20} are needed; "
            "free space or set TWIN_HOME to another folder"
        )


def _unwritable(home: Path, problem: OSError) -> StackFailed:
    return StackFailed(f"{home} cannot be written ({problem.strerror}); free space or set TWIN_HOME to another folder")


def _check_existing_servers() -> None:
    """See whether servers named in the environment are there.

    Raises:
        StackFailed: one is not.
    """
    kafka, database_url = os.environ.get("TWIN_KAFKA"), os.environ.get("TWIN_DATABASE_URL")
    if kafka and not reachable(kafka):
        raise StackFailed(f"Kafka at {kafka} (TWIN_KAFKA) does not answer; start it, or unset TWIN_KAFKA")
    if database_url:
        import psycopg  # noqa: PLC0415 -- slow to import

        try:
            psycopg.connect(database_url, connect_timeout=5).close()
        except psycopg.Error as problem:
            reason = str(problem).strip().splitlines()[-1:] or [type(problem).__name__]
            raise StackFailed(
                f"the database at {masked(database_url)} (TWIN_DATABASE_URL) does not answer: {reason[0].strip()}"
            ) from problem


def _check_same_servers(state: dict[str, Any]) -> None:
    """See whether the stack that runs uses the servers that the environment names.

    Raises:
        StackFailed: it does not.
    """
    for key, variable in (("kafka", "TWIN_KAFKA"), ("database_url", "TWIN_DATABASE_URL")):
        wanted = os.environ.get(variable)
        if wanted and wanted != state.get(key):
            raise StackFailed(
                f"the stack runs with {masked(state.get(key) or 'none')}, not with {masked(wanted)} ({variable}); "
                "`twin down` first, then `twin up`"
            )
