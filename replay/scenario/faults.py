"""What goes wrong on the way: clocks that are off, telegrams that never come, come late, or come twice.

The world itself stays as it is; only what is said about it suffers. All of it can be switched off.
"""

import heapq
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from replay.scenario.message import Message
from replay.scenario.plan import DayPlan
from schemas.time import MINUTE_US, SECOND_US

_SPOILED: Final = frozenset({"15", "47"})
_PER_MILLION: Final = 1_000_000
_SILENT_FROM_MINUTE, _SILENT_UNTIL_MINUTE = 11 * 60, 11 * 60 + 6
_GAP_FROM_MINUTE, _GAP_UNTIL_MINUTE = 10 * 60 + 7, 11 * 60 + 38
_EXCHANGED_AT_MINUTE: Final = 9 * 60 + 52


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults there are; the numbers are in messages per million.

    A clock that is off stamps a reading of the full minute some seconds early or late. Within 9 s it still
    counts as on the edge of its quarter hour; of a hundred sites one is 12 s late, and has to be interpolated.
    Of a hundred sites one says nothing for an hour and a half in the morning. Of twelve sites one has a control box
    that sends no heartbeat for six minutes before noon. Of a hundred sites one gets another meter in the morning, in
    the middle of a quarter hour. What befalls single stations is told in :mod:`replay.scenario.writers.ocpp_faults`.
    """

    drift: bool = True
    gap: bool = True
    late_per_million: int = 2_000
    twice_per_million: int = 1_000
    silence: bool = True
    restart: bool = False
    mute: bool = False
    wrong_unit: bool = False
    exchange: bool = False

    def drift_s(self, site: int) -> int:
        """How far the clock of a site's meter is ahead, in seconds.

        >>> [Faults().drift_s(site) for site in (0, 1, 5, 9)], NO_FAULTS.drift_s(9)
        ([0, 3, -4, 12], 0)
        """
        if not self.drift:
            return 0
        if site % 100 == 9:
            return 12
        return {1: 3, 5: -4}.get(site % 12, 0)

    def gap_of(self, site: int, plan: DayPlan) -> range:
        """The minutes of the day in which nothing is heard of a site's meter."""
        if not self.gap or site % 100 != 6:
            return range(0)
        shift = plan.minutes - 24 * 60  # after the night, minutes of the day and wall clock differ by this
        return range(_GAP_FROM_MINUTE + shift, _GAP_UNTIL_MINUTE + shift)

    def exchange_of(self, site: int, plan: DayPlan) -> int | None:
        """The minute of the day in which a site's meter is exchanged; None where it stays."""
        if not self.exchange or site % 100 != 3:
            return None
        return _EXCHANGED_AT_MINUTE + plan.minutes - 24 * 60

    def silent_of(self, site: int, plan: DayPlan) -> range:
        """The minutes of the day in which a site's control box sends no heartbeat."""
        if not self.silence or site % 12 != 5:
            return range(0)
        shift = plan.minutes - 24 * 60
        return range(_SILENT_FROM_MINUTE + shift, _SILENT_UNTIL_MINUTE + shift)


DEFAULT_FAULTS: Final = Faults()
NO_FAULTS: Final = Faults(drift=False, gap=False, late_per_million=0, twice_per_million=0, silence=False)


class Fault(NamedTuple):
    """A fault that can be switched on by itself: what it sets, and a line for people."""

    sets: dict[str, Any]
    meaning: str


FAULTS: Final[dict[str, Fault]] = {
    "drift": Fault({"drift": True}, "clocks of meters are some seconds off, one by more than a reading may be"),
    "gaps": Fault({"gap": True}, "a meter says nothing for an hour and a half in the morning"),
    "late": Fault({"late_per_million": 2_000}, "some telegrams come up to twenty minutes late"),
    "heartbeats": Fault({"silence": True}, "a control box sends no heartbeat for six minutes before noon"),
    "duplicates": Fault({"twice_per_million": 1_000}, "some telegrams come twice"),
    "restart": Fault({"restart": True}, "a station is away for a quarter hour and sends afterwards what it measured"),
    "mute": Fault({"mute": True}, "a station gives no sign of life for two hours"),
    "exchange": Fault({"exchange": True}, "a meter is taken off in the morning, another one takes its place"),
    "unit": Fault({"wrong_unit": True}, "a station calls watt-hours kilowatt-hours, once"),
}


USUAL_FAULTS: Final = "drift,gaps,late,duplicates,heartbeats"
"""What goes wrong on any day, unless something else is asked for."""


def faults_of(names: str) -> Faults:
    """The faults named, parted by commas; ``all`` and ``none`` stand for what they say.

    Raises:
        ValueError: there is no such fault.

    >>> faults_of("gaps,late").drift, faults_of("all").restart, faults_of("none") == NO_FAULTS
    (False, True, True)
    >>> faults_of(USUAL_FAULTS) == DEFAULT_FAULTS
    True
    """
    chosen = [name for name in names.replace(" ", "").split(",") if name and name != "none"]
    chosen = list(FAULTS) if "all" in chosen else chosen
    if unknown := [name for name in chosen if name not in FAULTS]:
        raise ValueError(f"there is no fault {unknown[0]!r}; there are {', '.join(FAULTS)}")
    return replace(NO_FAULTS, **{key: value for name in chosen for key, value in FAULTS[name].sets.items()})


def disturbed(messages: Iterable[Message], faults: Faults, seed: int) -> Iterator[Message]:
    """The same messages, some later in the log than their stamp says, some twice.

    What a message suffers depends on its bytes and the seed alone. Only what meters say suffers: the log of a
    charging backend is written by one process, and an answer means nothing before its call.
    """
    held: list[tuple[int, int, Message]] = []
    for count, message in enumerate(messages):
        while held and held[0][0] <= message.time_us:
            yield heapq.heappop(held)[2]
        if message.interface not in _SPOILED:
            yield message
            continue
        chance = zlib.crc32(message.raw, zlib.crc32(message.source.encode(), seed & 0xFFFFFFFF)) % _PER_MILLION
        wait_us = SECOND_US + chance * 7919 % (20 * MINUTE_US)
        is_late = chance < faults.late_per_million
        is_twice = not is_late and chance < faults.late_per_million + faults.twice_per_million
        if is_late or is_twice:
            heapq.heappush(held, (message.time_us + wait_us, count, message))
        if not is_late:
            yield message
    while held:
        yield heapq.heappop(held)[2]
