"""What processes use: CPU time and memory, by part."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psutil
import psycopg

_LOOK_S = 0.5


class Part:
    """A process, or a database server with all its processes."""

    def __init__(self, process: psutil.Process, *, with_children: bool = False) -> None:
        self._process, self._with_children = process, with_children
        self._peak = 0

    @classmethod
    def database(cls, url: str) -> Self:
        """The server behind a URL, if it runs on this machine."""
        with psycopg.connect(url) as connection:
            row = connection.execute("select pg_backend_pid()").fetchone()
            assert row is not None
            server = psutil.Process(row[0]).parent()
            assert server is not None
            return cls(server, with_children=True)

    def cpu_s(self) -> float:
        """CPU time since it was started; of a server with that of helpers that have ended."""
        times = self._process.cpu_times()
        total = times.user + times.system
        if self._with_children:
            total += times.children_user + times.children_system
            for child in self._process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    spent = child.cpu_times()
                    total += spent.user + spent.system
        return total

    def look(self) -> None:
        """Note its memory now."""
        with suppress(psutil.NoSuchProcess):
            self._peak = max(self._peak, self._memory())

    def peak_mib(self) -> float:
        """The most memory it had."""
        if not self._with_children:
            with suppress(psutil.NoSuchProcess, OSError):
                self._peak = peak_bytes(self._process.pid)
        return round(self._peak / 2**20, 1)

    def _memory(self) -> int:
        if not self._with_children:
            return int(self._process.memory_info().rss)
        own, shared = 0, 0
        for process in (self._process, *self._process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                held = process.memory_info()
                own += held.rss - held.shared
                shared = max(shared, held.shared)
        return own + shared


Parts = dict[str, Part]


def peak_bytes(pid: int) -> int:
    """The most memory a process had since its program began.

    Not ``ru_maxrss``: that starts with what the process that forked it had.

    Raises:
        OSError: there is no such process.
    """
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


@contextmanager
def watched(parts: Parts) -> Iterator[None]:
    """Look at the memory of parts now and then."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_S):
            for part in parts.values():
                part.look()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Clock:
    """CPU time of parts between two moments."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._before = {name: part.cpu_s() for name, part in parts.items()}
        self._started = time.monotonic()

    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._started

    def cpu_us_per(self, events: int) -> dict[str, float]:
        """Microseconds of CPU an event, by part."""
        return {
            name: round((part.cpu_s() - self._before[name]) / max(1, events) * 1e6, 2)
            for name, part in self._parts.items()
        }
