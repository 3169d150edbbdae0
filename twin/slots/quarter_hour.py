"""Quarter hours: the best that is known of what went through a point in a slot and a direction."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from schemas.facts import INDICATIVE, MISSING, PRELIMINARY, QUALITIES, Direction, Observation, SlotValue
from schemas.rows import Edge
from twin.slots.device import Part, devices_of, energy_of, successions_of
from twin.slots.register import RegisterReading
from twin.slots.rules import CONFLICT, REFUSALS, RULES, Rules, merged, worst

DIRECTION_OF_SERIES: Final[dict[str, Direction]] = {"energy.import": "import", "energy.export": "export"}
"""The series of billing energy a market message can give for a slot, in mWh."""


class QuarterHour(NamedTuple):
    """Energy through a point in a slot, in one direction.

    Attributes:
        point: Metering point, market location, meter or ``STATION/EVSE``.
        direction: Import (grid to customer) or export.
        slot_us: Start of the slot.
        value_mwh: Energy, never negative; None when not known, which is never the same as 0.
        quality: See :data:`schemas.facts.QUALITIES`; ``missing`` without a value.
        start: Readings the state at the slot's start rests on: one on the edge, or the two around it, of each register.
        end: Likewise at its end.
        flags: Reasons and remarks, see :mod:`twin.slots.rules`.
        version: Version of the market value; empty for what own registers say.
        rules: The rule set that made it.
    """

    point: str
    direction: Direction
    slot_us: int
    value_mwh: int | None
    quality: str
    start: tuple[RegisterReading, ...] = ()
    end: tuple[RegisterReading, ...] = ()
    flags: tuple[str, ...] = ()
    version: str = ""
    rules: str = RULES.version

    @property
    def readings(self) -> tuple[RegisterReading, ...]:
        """The readings behind it, each once."""
        return tuple(dict.fromkeys(self.start + self.end))

    @property
    def positions(self) -> tuple[int, ...]:
        """Positions of the events the readings came in (see :mod:`schemas.rows`), each once."""
        return tuple(dict.fromkeys(reading.position for reading in self.readings))


def quarter_hours(
    edges: Iterable[Edge], slots: range, *, rules: Rules = RULES, cancelled: Collection[str] = frozenset()
) -> list[QuarterHour]:
    """Register readings to quarter hours: for every point and direction that was ever read, each of the slots.

    Registers are of three families, never differenced with each other, because they need not show the same digits:
    those of market documents, own ones of billing quality (one counter whatever the status of a single
    reading), own indicative ones. In a slot the best quality with a value counts; of equals the market's.

    Args:
        edges: First and last readings per register and slot, in any order; also those before and behind the slots,
            as far as interpolation should reach.
        slots: Slot starts, for example of :func:`schemas.calendar.day_slots`.
        rules: The rule set.
        cancelled: Documents to leave out, as in :class:`schemas.facts.Reading` or as ``<sender>|<number>``.
    """
    families: dict[tuple[str, Direction], dict[tuple[bool, bool], list[Edge]]] = defaultdict(lambda: defaultdict(list))
    for edge in edges:
        register = edge.register
        if not is_cancelled(register.document, cancelled):
            family = (not register.document, register.quality == INDICATIVE)
            families[register.point, register.direction][family].append(edge)
    found = []
    for (point, direction), by_family in sorted(
        families.items(), key=lambda item: (item[0][0], item[0][1] != "import")
    ):
        sources = [successions_of(devices_of(rows, rules)) for _, rows in sorted(by_family.items())]
        for slot_us in slots:
            part = _best([energy_of(places, slot_us, rules) for places in sources])
            found.append(QuarterHour(point, direction, slot_us, *part, rules=rules.version))
    return found


def best_of(
    register_slots: Iterable[QuarterHour],
    slot_values: Iterable[SlotValue],
    *,
    slots: Iterable[int] = (),
    cancelled: Collection[str] = frozenset(),
) -> list[QuarterHour]:
    """Quarter hours of own registers and of market messages: the better quality counts, of equals the market's.

    The market's value is what is billed and what all parties share; an own register that differs is for comparing.

    Args:
        register_slots: From :func:`quarter_hours`.
        slot_values: All versions of values of ``energy.import`` and ``energy.export``; other series are passed over.
        slots: Slots to list as missing where neither says anything of a point and direction that is spoken of.
        cancelled: Documents to leave out, see :func:`quarter_hours`.
    """
    best = {(quarter.point, quarter.direction, quarter.slot_us): quarter for quarter in register_slots}
    for key, quarter in _market_quarters(slot_values, cancelled).items():
        own = best.get(key)
        if own is None or QUALITIES.index(quarter.quality) <= QUALITIES.index(own.quality):
            refused = () if own is None or own.value_mwh is not None else tuple(REFUSALS.intersection(own.flags))
            best[key] = quarter._replace(flags=merged(quarter.flags, refused))
    for point, direction in {(point, direction) for point, direction, _ in best}:
        for slot_us in slots:
            best.setdefault((point, direction, slot_us), QuarterHour(point, direction, slot_us, None, MISSING))
    return [best[key] for key in sorted(best, key=lambda key: (*_import_first(key[:2]), key[2]))]


def total(quarters: Iterable[QuarterHour]) -> tuple[int, int, int]:
    """Sum in mWh, how many quarter hours have a value, and of how many.

    >>> total([QuarterHour("m", "import", 0, 5, "measured"), QuarterHour("m", "import", 900_000_000, None, "missing")])
    (5, 1, 2)
    """
    values = [quarter.value_mwh for quarter in quarters]
    present = [value for value in values if value is not None]
    return sum(present), len(present), len(values)


def _import_first(series: tuple[str, Direction]) -> tuple[str, bool]:
    return series[0], series[1] != "import"


def _best(parts: list[Part]) -> Part:
    """The part with the best quality; refusals of those that have no value stay visible."""
    best = min(parts, key=lambda part: QUALITIES.index(part.quality))
    others = [part.flags for part in parts if part.value_mwh is None and part is not best]
    if best.value_mwh is None:
        return best._replace(flags=merged(best.flags, *others))
    return best._replace(flags=merged(best.flags, *(tuple(REFUSALS.intersection(flags)) for flags in others)))


def _market_quarters(
    slot_values: Iterable[SlotValue], cancelled: Collection[str]
) -> dict[tuple[str, Direction, int], QuarterHour]:
    """Of every slot the value of the highest version; one version with different values is a conflict."""
    claims: dict[tuple[str, Direction, int], list[SlotValue]] = defaultdict(list)
    for value in slot_values:
        direction = DIRECTION_OF_SERIES.get(value.series)
        if direction and value.unit == "mWh" and not is_cancelled(value.version, cancelled):
            claims[value.object, direction, value.slot_us].append(value)
    return {key: _market_quarter(key, values) for key, values in claims.items()}


def _market_quarter(key: tuple[str, Direction, int], values: list[SlotValue]) -> QuarterHour:
    """The latest document's value; documents of one time that differ are a conflict: the smallest, preliminary."""
    latest = max(_document_time(value.version) for value in values)
    valid = [value for value in values if _document_time(value.version) == latest]
    version = max(value.version for value in valid)
    known = [value for value in valid if value.quality != MISSING]
    if not known:
        return QuarterHour(*key, None, MISSING, version=version)
    lowest = min(int(value.value) for value in known)
    quality = worst(*(value.quality for value in known))
    if len(known) < len(valid) or any(value.value != lowest for value in known):
        return QuarterHour(*key, lowest, worst(quality, PRELIMINARY), flags=(CONFLICT,), version=version)
    return QuarterHour(*key, lowest, quality, version=version)


def _document_time(version: str) -> str:
    return version.partition("|")[0]


def cancelled_in(observations: Iterable[Observation]) -> set[str]:
    """The documents that observations say are cancelled, as ``<sender>|<number>``; see :mod:`twin.observe.mscons`."""
    return {cancelled_by(seen.actor, seen.attribute) for seen in observations} - {""}


def cancelled_by(actor: str, attribute: str) -> str:
    """The document that an attribute of its sender says is cancelled, as ``<sender>|<number>``; "" where it is another.

    >>> cancelled_by("msb:9900987654329", "document/B"), cancelled_by("msb:9900987654329", "last_document")
    ('9900987654329|B', '')
    """
    name, _, number = attribute.partition("/")
    return f"{actor.partition(':')[2]}|{number}" if name == "document" and number else ""


def is_cancelled(document: str, cancelled: Collection[str]) -> bool:
    """Whether a document is among the cancelled, named in full or by sender and number."""
    return bool(document) and (document in cancelled or document.partition("|")[2] in cancelled)
