"""Work beside the supervisor's loop, so that a slow part never holds up another."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(threading.Thread, Generic[T]):
    """Runs ``work`` at once; a daemon, so that nobody waits for it at the end."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._result: list[T] = []
        self.problem: Exception | None = None
        self.start()

    def run(self) -> None:
        """Keep what comes out of it, or why nothing does."""
        try:
            self._result.append(self._work())
        except Exception as problem:  # noqa: BLE001 -- kept for who asks
            self.problem = problem

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self.is_alive()

    @property
    def result(self) -> T:
        """What came out of it; only when it is done and there was no problem."""
        return self._result[0]
