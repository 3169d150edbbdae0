"""What messages change of registers and quarter hours, told one after the other, by the rules of the tables themselves.

A register stood at something before a reading and stands at something else after it. A quarter hour had a value, or
none, before a message and has another one after it: energy by the rules of :mod:`twin.slots`, any other series (limits,
schedules) by its highest version. A quarter hour that goes on has no value yet; only the last reading of a register in
a story tells what it was until then.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from schemas.facts import MISSING, Direction, Facts, Reading, SlotValue
from schemas.rows import Edge, Register
from schemas.time import SLOT_US, slot_of
from twin.slots import QuarterHour, best_of, quarter_hours
from twin.slots.quarter_hour import DIRECTION_OF_SERIES, cancelled_in, is_cancelled
from twin.slots.rules import PARTIAL

REACH_US: Final = 26 * 4 * SLOT_US
"""How far around a quarter hour readings are looked at: what ``twin slots`` looks at around a day."""

_SERIES_OF: Final[Mapping[Direction, str]] = {direction: series for series, direction in DIRECTION_OF_SERIES.items()}
_ENERGY_UNIT: Final = "mWh"

Counter = tuple[str, str, str, str]
"""Point, device, OBIS code, direction."""

Place = tuple[str, Direction]
"""Point and direction: what has quarter hours of energy."""


class RegisterChange(NamedTuple):
    """A register before and after a reading; ``before_mwh`` is None where it was never read."""

    point: str
    device: str
    obis: str
    direction: str
    time_us: int
    before_mwh: int | None
    after_mwh: int
    quality: str
    document: str


class SlotChange(NamedTuple):
    """A quarter hour of a series before and after a message; None: no value."""

    series: str
    object: str
    slot_us: int
    before: int | Decimal | None
    after: int | Decimal | None
    unit: str
    quality: str
    flags: tuple[str, ...]
    version: str


class QuartersTold:
    """Registers and quarter hours of some objects, as messages come.

    Args:
        objects: Points and objects of series; whatever is said of others is passed over.
        edges: Readings known before the first message.
        values: Slot values known before it.
        cancelled: Documents that do not count, see :func:`twin.slots.quarter_hours`.
    """

    def __init__(
        self,
        objects: Collection[str],
        edges: Iterable[Edge] = (),
        values: Iterable[SlotValue] = (),
        cancelled: Collection[str] = frozenset(),
    ) -> None:
        self._objects, self._cancelled = frozenset(objects), set(cancelled)
        self._edges: dict[Place, dict[tuple[Register, int], Edge]] = defaultdict(dict)
        self._read: dict[Counter, list[tuple[int, int]]] = defaultdict(list)
        self._values: dict[tuple[str, str, int], set[SlotValue]] = defaultdict(set)
        self._told: dict[tuple[str, str, int], tuple[int | None, str]] = {}
        self._parts: set[tuple[str, str, int]] = set()
        for edge in edges:
            register = edge.register
            self._edges[register.point, register.direction][register._replace(digits=0), edge.slot_us] = edge
            for row in {(edge.first_us, edge.first_mwh), (edge.last_us, edge.last_mwh)}:
                insort(self._read[register[:4]], row)
        for value in values:
            self._values[value[:3]].add(value)

    def registers(self, facts: Facts) -> list[RegisterChange]:
        """What the readings of a message change of their registers; to be asked before :meth:`slots`."""
        found = []
        for reading in sorted(facts.readings, key=lambda one: one.time_us):
            if reading.point not in self._objects:
                continue
            rows = self._read[reading[:4]]
            place = bisect_left(rows, (reading.time_us + 1,))
            before_mwh = rows[place - 1][1] if place else None
            row = (reading.time_us, reading.value_mwh)
            if place == 0 or rows[place - 1] != row:
                rows.insert(place, row)
            if before_mwh != reading.value_mwh:
                known = (before_mwh, reading.value_mwh, reading.quality, reading.document)
                found.append(RegisterChange(*reading[:5], *known))
        return found

    def slots(self, facts: Facts, position: int, asked: Mapping[Reading, bool]) -> list[SlotChange]:
        """What a message changes of quarter hours; ``asked`` are the readings that tell, see :func:`told_of_slots`.

        One that cancels a document takes back what that said: where nobody else says it, nothing is known any more.
        """
        readings = [one for one in facts.readings if one.point in self._objects]
        values = [one for one in facts.slot_values if one.object in self._objects]
        cancelled = cancelled_in(facts.observations)
        touched: dict[Place, set[int]] = defaultdict(set)
        for place, around in self._touched(readings, values, asked, cancelled):
            touched[place].update(around)
        final = {(reading.point, reading.direction) for reading in readings if asked.get(reading)}
        for place, slots in touched.items():
            self._remember(place, slots)
        self._cancelled |= cancelled
        others = [value for value in values if value.series not in DIRECTION_OF_SERIES]
        held = {value[:3]: self._highest(value[:3]) for value in others}
        for reading in readings:
            self._take(reading, position)
        for value in values:
            self._values[value[:3]].add(value)
        found = [change for key, old in held.items() if (change := _changed(old, self._highest(key)))]
        for place, slots in touched.items():
            found += self._differing(self._quarters(place, slots), with_parts=place in final)
        return sorted(found, key=lambda change: change[:3])

    def _around(self, reading: Reading) -> Iterator[int]:
        """Quarter hours from the reading before to the one after, of the same register."""
        rows = self._read[reading[:4]]
        before = bisect_left(rows, (reading.time_us,))
        after = bisect_left(rows, (reading.time_us + 1,))
        first_us = rows[before - 1][0] if before else reading.time_us
        last_us = rows[after][0] if after < len(rows) else reading.time_us
        first_us, last_us = max(first_us, reading.time_us - REACH_US), min(last_us, reading.time_us + REACH_US)
        yield from range(slot_of(first_us) - SLOT_US, slot_of(last_us) + 2 * SLOT_US, SLOT_US)

    def _touched(
        self,
        readings: Iterable[Reading],
        values: Iterable[SlotValue],
        asked: Collection[Reading],
        cancelled: Collection[str],
    ) -> Iterator[tuple[Place, Iterable[int]]]:
        """Places and quarter hours of which a message may change something."""
        for reading in readings:
            if reading in asked:
                yield (reading.point, reading.direction), self._around(reading)
        for value in values:
            if value.series in DIRECTION_OF_SERIES:
                yield (value.object, DIRECTION_OF_SERIES[value.series]), (value.slot_us,)
        yield from self._resting_on(cancelled)

    def _resting_on(self, documents: Collection[str]) -> Iterator[tuple[Place, range]]:
        """Places and quarter hours of which some documents say something, and those around them."""
        if not documents:
            return
        for (series, thing, slot_us), values in self._values.items():
            direction = DIRECTION_OF_SERIES.get(series)
            if direction and any(is_cancelled(value.version, documents) for value in values):
                yield (thing, direction), range(slot_us, slot_us + SLOT_US, SLOT_US)
        for place, edges in self._edges.items():
            for register, slot_us in edges:
                if is_cancelled(register.document, documents):
                    yield place, range(slot_us - REACH_US, slot_us + REACH_US, SLOT_US)

    def _quarters(self, place: Place, slots: Collection[int]) -> dict[int, QuarterHour]:
        """The best that is known of some quarter hours; missing where nothing is."""
        if not slots:
            return {}
        first_us, last_us = min(slots), max(slots)
        reach = range(first_us - REACH_US, last_us + REACH_US + 1)
        edges = [edge for (_, slot_us), edge in self._edges[place].items() if slot_us in reach]
        series = _SERIES_OF[place[1]]
        values = [value for slot_us in slots for value in self._values.get((series, place[0], slot_us), ())]
        registers = quarter_hours(edges, range(first_us, last_us + SLOT_US, SLOT_US), cancelled=self._cancelled)
        best = best_of(registers, values, cancelled=self._cancelled)
        missing = {slot_us: QuarterHour(*place, slot_us, None, MISSING) for slot_us in slots}
        return missing | {quarter.slot_us: quarter for quarter in best if quarter.slot_us in slots}

    def _remember(self, place: Place, slots: Collection[int]) -> None:
        """What quarter hours were before anything is told of them: as they stand now."""
        key = _SERIES_OF[place[1]], place[0]
        new = [slot_us for slot_us in slots if (*key, slot_us) not in self._told]
        if new and self._may_be_known(place, new):
            held = self._quarters(place, new)
            self._told.update({(*key, slot_us): _whole(held.get(slot_us)) for slot_us in new})

    def _may_be_known(self, place: Place, slots: Collection[int]) -> bool:
        """Whether anything is known behind the start of one of them, without which none has a value."""
        series = _SERIES_OF[place[1]], place[0]
        if any((*series, slot_us) in self._values for slot_us in slots):
            return True
        return any(edge.last_us > min(slots) for edge in self._edges[place].values())

    def _differing(self, held: Mapping[int, QuarterHour], *, with_parts: bool) -> Iterator[SlotChange]:
        """The quarter hours that have another value or quality than was told; ``with_parts``: also unfinished ones."""
        for slot_us, new in held.items():
            key = _SERIES_OF[new.direction], new.point, slot_us
            old_value, old_quality = self._told.get(key, (None, MISSING))
            is_part_told = with_parts or key in self._parts
            value, quality = (new.value_mwh, new.quality) if is_part_told else _whole(new)
            if (old_value, old_quality) != (value, quality):
                self._told[key] = value, quality
                if PARTIAL in new.flags:
                    self._parts.add(key)
                yield SlotChange(*key, old_value, value, _ENERGY_UNIT, quality, new.flags, new.version)

    def _take(self, reading: Reading, position: int) -> None:
        register = Register(*reading[:4], reading.quality, reading.document, 0)
        slot_us = slot_of(reading.time_us)
        rows = self._edges[reading.point, reading.direction]
        rows[register, slot_us] = _merged(rows.get((register, slot_us)), register, reading, position)

    def _highest(self, key: tuple[str, str, int]) -> SlotValue | None:
        """The value of the highest version; of one version with several values the smallest."""
        values = self._values.get(key)
        if not values:
            return None
        highest = max(value.version for value in values)
        return min((value for value in values if value.version == highest), key=lambda value: value.value)


def told_of_slots(messages: Iterable[Facts]) -> dict[Reading, bool]:
    """The readings that tell what they change of quarter hours, each with whether it is the last of its register.

    The first within a quarter hour tells what it ends; one that comes late, after a newer one, tells too.
    """
    first: dict[tuple[Counter, int], Reading] = {}
    last: dict[Counter, Reading] = {}
    late: dict[Reading, bool] = {}
    for facts in messages:
        for reading in facts.readings:
            counter = reading[:4]
            first.setdefault((counter, slot_of(reading.time_us)), reading)
            if counter in last and reading.time_us <= last[counter].time_us:
                late[reading] = False
            else:
                last[counter] = reading
    return {**late, **dict.fromkeys(first.values(), False), **dict.fromkeys(last.values(), True)}


def _merged(edge: Edge | None, register: Register, reading: Reading, position: int) -> Edge:
    """An edge with one reading more."""
    time_us, value = reading.time_us, reading.value_mwh
    wide = register._replace(digits=max(reading.digits, edge.register.digits if edge else 0))
    new = (time_us, value, 0, position)
    if edge is None:
        return Edge(wide, slot_of(time_us), *new, *new)
    first, last = edge[2:6], edge[6:10]
    if time_us <= edge.first_us:
        first = new if time_us < edge.first_us else _claimed(first, value, position)
    if time_us >= edge.last_us:
        last = new if time_us > edge.last_us else _claimed(last, value, position)
    return Edge(wide, edge.slot_us, *first, *last)


def _claimed(side: tuple[int, int, int, int], value: int, position: int) -> tuple[int, int, int, int]:
    """A side of an edge for whose instant another value is claimed."""
    time_us, low, spread, where = side
    high = max(low + spread, value)
    low, where = min((low, where), (value, position))
    return time_us, low, high - low, where


def _whole(quarter: QuarterHour | None) -> tuple[int | None, str]:
    """Value and quality of a quarter hour; none while it goes on."""
    if quarter is None or quarter.value_mwh is None or PARTIAL in quarter.flags:
        return None, MISSING
    return quarter.value_mwh, quarter.quality


def _changed(old: SlotValue | None, new: SlotValue | None) -> SlotChange | None:
    if new is None or (old is not None and (old.value, old.quality) == (new.value, new.quality)):
        return None
    before = None if old is None else old.value
    return SlotChange(*new[:3], before, new.value, new.unit, new.quality, (), new.version)
