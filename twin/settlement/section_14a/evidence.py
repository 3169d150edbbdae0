"""The evidence of an event under section 14a EnWG: what was ordered, what was owed, when it held, what was drawn.

BNetzA BK6-22-300, annex 1, 7: for two years it has to be shown when a limit was received, took effect and was released,
how high it was, and what the limited loads drew from the grid, minute by minute.

What all loads of a house draw together is measured at its connection, with everything else that draws there. So a limit
is shown to be kept where the connection drew no more than the ceiling in any minute; where it drew more, others may
have drawn it, and nothing is shown. A ceiling below what is guaranteed is a breach of who ordered it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

from schemas.facts import SlotValue
from schemas.time import MINUTE_US, SLOT_US, parse_time
from twin.settlement.section_14a.guarantee import RULES, Guarantee
from twin.slots.rules import RULES as SLOT_RULES

KEPT: Final = "kept"
NOT_SHOWN: Final = "not shown"
UNMEASURED: Final = "unmeasured"
"""Not for every minute is it known what was drawn."""

_MINUTES: Final = SLOT_US // MINUTE_US

Sample = tuple[int, int]
"""When, and the power at the connection in mW, import positive."""


class Quarter(NamedTuple):
    """A quarter hour of an event: its ceiling, and what the minutes of it show.

    ``highest_mw`` is the most that was drawn in one of them (None: no sample), ``minutes`` how many were sampled.
    """

    slot_us: int
    ceiling_mw: int
    highest_mw: int | None
    minutes: int
    verdict: str


class Event(NamedTuple):
    """An event, ``[from_us, until_us)`` in whole quarter hours.

    Attributes:
        ceiling_mw: The lowest ceiling that was in force, or else was ordered.
        owed: What was guaranteed then; None where nobody told which loads there are.
        received_us: When it was heard of first.
        effective_us: When the system began to keep it; None where it does not say.
        released_us: When that ended; likewise.
        already_below: Whether in the minute before it no more was drawn than the ceiling; None: not measured.
        origins: Who was told, and under which order.
        quarters: Its quarter hours.
    """

    from_us: int
    until_us: int
    ceiling_mw: int
    owed: Guarantee | None
    received_us: int
    effective_us: int | None
    released_us: int | None
    already_below: bool | None
    origins: tuple[tuple[str, str], ...]
    quarters: tuple[Quarter, ...]
    rules: str = RULES

    @property
    def is_breach(self) -> bool | None:
        """Whether the ceiling is below what is guaranteed; None where that is not known."""
        is_kept = None if self.owed is None else self.owed.is_kept_by(self.ceiling_mw)
        return None if is_kept is None else not is_kept

    @property
    def verdict(self) -> str:
        """What all quarter hours show together."""
        verdicts = {quarter.verdict for quarter in self.quarters}
        return next(verdict for verdict in (NOT_SHOWN, UNMEASURED, KEPT) if verdict in verdicts)


def events_of(
    in_force: Collection[SlotValue],
    ordered: Collection[SlotValue],
    limited: Sequence[tuple[int, int]],
    samples: Iterable[Sample],
    owed_at: Callable[[int], Guarantee | None],
) -> list[Event]:
    """The events of a site, in order of time.

    Args:
        in_force: Quarter-hour ceilings that were confirmed, in mW, of every object of the site, all versions.
        ordered: Those that were asked for.
        limited: From when until when the system said it was limited.
        samples: Power at the connection; of several in one minute the highest counts.
        owed_at: What was guaranteed at a time.
    """
    ceilings = _ceilings(ordered) | _ceilings(in_force)
    values = [*in_force, *ordered]
    minutes = _by_minute(samples)
    found = []
    for slots in _runs(sorted(ceilings)):
        span = range(slots[0], slots[-1] + SLOT_US)
        of_event = [value for value in values if value.slot_us in span]
        kept = [(start, end) for start, end in limited if start < span.stop and end > span.start]
        ceiling_mw = min(ceilings[slot_us] for slot_us in slots)
        before_mw = minutes.get(span.start - MINUTE_US)
        found.append(
            Event(
                span.start,
                span.stop,
                ceiling_mw,
                owed_at(span.start),
                min(parse_time(value.version.partition("|")[0]) for value in of_event),
                kept[0][0] if kept else None,
                kept[-1][1] if kept else None,
                None if before_mw is None else before_mw <= ceiling_mw,
                tuple(sorted({(value.object, value.version.partition("|")[2]) for value in of_event})),
                tuple(_quarter(slot_us, ceilings[slot_us], minutes) for slot_us in slots),
            )
        )
    return found


def _ceilings(values: Iterable[SlotValue]) -> dict[int, int]:
    """By slot the lowest of what holds for each object by its highest version."""
    latest: dict[tuple[str, int], SlotValue] = {}
    for value in values:
        key = value.object, value.slot_us
        if key not in latest or (value.version, -value.value) > (latest[key].version, -latest[key].value):
            latest[key] = value
    lowest: dict[int, int] = {}
    for value in latest.values():
        lowest[value.slot_us] = min(int(value.value), lowest.get(value.slot_us, int(value.value)))
    return lowest


def _runs(slots: Sequence[int]) -> list[list[int]]:
    """Quarter hours that follow each other, together."""
    runs: list[list[int]] = []
    for slot_us in slots:
        if runs and slot_us == runs[-1][-1] + SLOT_US:
            runs[-1].append(slot_us)
        else:
            runs.append([slot_us])
    return runs


def _by_minute(samples: Iterable[Sample]) -> dict[int, int]:
    """The highest sample of each minute; as with readings, one just before its edge counts as on the edge."""
    found: dict[int, int] = {}
    for time_us, power_mw in samples:
        moment_us = time_us + SLOT_RULES.on_edge_tolerance_us
        minute_us = moment_us - moment_us % MINUTE_US
        found[minute_us] = max(power_mw, found.get(minute_us, power_mw))
    return found


def _quarter(slot_us: int, ceiling_mw: int, minutes: dict[int, int]) -> Quarter:
    drawn = [minutes[at_us] for at_us in range(slot_us, slot_us + SLOT_US, MINUTE_US) if at_us in minutes]
    highest_mw = max(drawn, default=None)
    if highest_mw is not None and highest_mw > ceiling_mw:
        verdict = NOT_SHOWN
    else:
        verdict = KEPT if len(drawn) == _MINUTES else UNMEASURED
    return Quarter(slot_us, ceiling_mw, highest_mw, len(drawn), verdict)
