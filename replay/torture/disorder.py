"""Messages as a hard life brings them: shuffled, twice, hours late, damaged."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Final, TypeVar

from replay.scenario import NO_FAULTS, Setting, messages
from replay.scenario.message import Message

FIRST_DAY: Final = date(2026, 3, 28)
"""The day after it has 92 quarter hours."""

_WINDOW: Final = 2_000
_TWICE: Final = 0.02
_LATE: Final = 0.02
_DAMAGED: Final = 0.001
_LATEST: Final = 60_000
"""How many messages later the latest come."""

Thing = TypeVar("Thing")


def days(seed: int, sites: int) -> Iterator[Message]:
    """Day after day of the street, in order, some messages damaged."""
    random = Random(f"damage {seed}")  # noqa: S311 -- chance, no secret
    setting = Setting(sites, seed, sml_interval_s=15, ocpp_interval_s=15, faults=NO_FAULTS, first_day=FIRST_DAY)
    day = FIRST_DAY
    while True:
        for message in messages(day, setting):
            if random.random() < _DAMAGED:
                yield message._replace(raw=message.raw[: random.randrange(1, len(message.raw))])
            else:
                yield message
        day += timedelta(days=1)


def disordered(things: Iterable[Thing], random: Random) -> Iterator[Thing]:
    """The same things, each once or twice, in another order; at most :data:`_LATEST` things are held back."""
    window: list[Thing] = []
    held: list[tuple[int, int, Thing]] = []
    for count, thing in enumerate(things):
        chance = random.random()
        if chance < _TWICE + _LATE:
            heapq.heappush(held, (count + random.randrange(1, _LATEST), count, thing))
        if chance >= _LATE:
            window.append(thing)
        while held and held[0][0] <= count:
            yield heapq.heappop(held)[2]
        if len(window) > _WINDOW:
            place = random.randrange(len(window))
            window[place], window[-1] = window[-1], window[place]
            yield window.pop()
    random.shuffle(window)
    yield from window
    yield from (thing for _, _, thing in sorted(held, key=lambda entry: entry[:2]))
