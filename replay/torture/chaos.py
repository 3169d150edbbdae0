"""What is done to the stack: its processes are killed, stopped and frozen, at moments that a seed decides."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from streams.embedded.processes import lives
from streams.settings import read_state

_FREEZE_S: Final = (4.0, 25.0)
"""Beyond the session timeout of its group a frozen worker has lost its partitions when it wakes up."""

_PAUSE_S: Final = (1.0, 14.0)

_Deeds = list[tuple[int, str, Callable[[], bool]]]
"""Each with its weight and name; it says whether there was anything to do it to."""


class Chaos:
    """Hits one part after the other; call :meth:`act` often, with the seconds since the start."""

    def __init__(self, home: Path, random: Random, workers_count: int) -> None:
        self._home, self._random = home, random
        self._next_s = random.uniform(*_PAUSE_S)
        self._now_s = 0.0
        self._frozen: dict[int, tuple[str, float]] = {}
        workers = [f"worker-{number}" for number in range(1, workers_count + 1)]
        self._deeds: _Deeds = [
            (5, "kill worker", lambda: self._kill(random.choice(workers))),
            (1, "kill all workers", lambda: self._kill(*workers)),
            (2, "freeze worker", lambda: self._freeze(random.choice(workers))),
            (1, "stop worker", lambda: self._signal(random.choice(workers), signal.SIGTERM)),
            (3, "kill broker", lambda: self._kill("kafka")),
            (3, "kill database", lambda: self._kill("postgres")),
            (1, "kill database's first process", lambda: self._signal("postgres", signal.SIGKILL)),
            (1, "kill broker and database", lambda: self._kill("kafka", "postgres")),
            (2, "kill archiver", lambda: self._kill("archiver")),
            (2, "kill gateway", lambda: self._kill("gateway")),
        ]
        self.done: Counter[str] = Counter()

    def act(self, now_s: float) -> str:
        """Do what is due; what it was, or nothing."""
        self._wake(now_s)
        if now_s < self._next_s:
            return ""
        self._now_s = now_s
        self._next_s = now_s + self._random.uniform(*_PAUSE_S)
        _, name, deed = self._random.choices(self._deeds, [weight for weight, _, _ in self._deeds])[0]
        if not deed():
            return ""  # it lies on the ground already
        self.done[name] += 1
        return name

    def end(self) -> None:
        """Leave everything as it is, and wake up what is frozen."""
        self._wake(float("inf"))

    def _process(self, name: str) -> tuple[int, str] | None:
        part = read_state(self._home).get("parts", {}).get(name, {})
        pid, born = part.get("pid"), part.get("born")
        return (pid, born) if lives(pid, born) else None

    def _kill(self, *names: str) -> bool:
        """Kill -9 parts with everything they started, at once; False when none of them ran."""
        found = [process for process in map(self._process, names) if process is not None]
        for pid, _ in found:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        return bool(found)

    def _signal(self, name: str, number: signal.Signals) -> bool:
        found = self._process(name)
        if found is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(found[0], number)
        return True

    def _freeze(self, name: str) -> bool:
        found = self._process(name)
        if found is None or found[0] in self._frozen or not self._signal(name, signal.SIGSTOP):
            return False
        self._frozen[found[0]] = (found[1], self._now_s + self._random.uniform(*_FREEZE_S))
        return True

    def _wake(self, now_s: float) -> None:
        for pid, (born, until_s) in list(self._frozen.items()):
            if now_s >= until_s:
                del self._frozen[pid]
                if lives(pid, born):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
