"""Devices at a metering point: which of their registers count, how they follow each other, what they counted."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from schemas.facts import INTERPOLATED, MEASURED, MISSING
from schemas.rows import Edge
from schemas.time import SLOT_US
from twin.slots.register import Counter, RegisterReading, State, counter_of
from twin.slots.rules import EXCHANGE, GAP, IMPLAUSIBLE, PARTIAL, Rules, merged, worst


class Part(NamedTuple):
    """What was counted in a slot, by one device or by all; ``value_mwh`` None: not known, the flags say why."""

    value_mwh: int | None
    quality: str
    start: tuple[RegisterReading, ...]
    end: tuple[RegisterReading, ...]
    flags: tuple[str, ...]


NOTHING = Part(None, MISSING, (), (), ())


class Device(NamedTuple):
    """A meter: its total register, or its tariff registers that add up to it; read by all of them in this span."""

    name: str
    counters: tuple[Counter, ...]
    first_us: int
    last_us: int


def devices_of(edges: Iterable[Edge], rules: Rules) -> list[Device]:
    """Devices with their registers, in order of their first readings; who was read once only counted nothing yet."""
    rows: dict[str, dict[str, list[Edge]]] = defaultdict(lambda: defaultdict(list))
    for edge in edges:
        rows[edge.register.device][edge.register.obis].append(edge)
    found = []
    for name, registers in rows.items():
        counters = _chosen({obis: counter_of(register, rules) for obis, register in registers.items()})
        first_us = max((counter.first_us for counter in counters), default=0)
        last_us = min((counter.last_us for counter in counters), default=0)
        if first_us < last_us:
            found.append(Device(name, counters, first_us, last_us))
    return sorted(found, key=lambda device: (device.first_us, device.last_us, device.name))


def successions_of(devices: Iterable[Device]) -> list[list[Device]]:
    """Devices in places: in one place one device follows the other, places count side by side.

    A device takes over where another was last read not later than a quarter hour after its own first reading.
    """
    places: list[list[Device]] = []
    for device in devices:
        left = [place for place in places if place[-1].last_us <= device.first_us + SLOT_US]
        if left:
            max(left, key=lambda place: place[-1].last_us).append(device)
        else:
            places.append([device])
    return places


def energy_of(places: list[list[Device]], slot_us: int, rules: Rules) -> Part:
    """What all devices counted in a slot; not known as long as one of them is not."""
    parts = [_in_place(place, slot_us, rules) for place in places]
    total = _sum(parts)
    if total.value_mwh is None and any(part.value_mwh is not None for part in parts):
        return total._replace(flags=merged(total.flags, (GAP,)))
    if total.value_mwh is not None and not rules.is_plausible(total.value_mwh, SLOT_US):
        return total._replace(value_mwh=None, quality=MISSING, flags=merged(total.flags, (IMPLAUSIBLE,)))
    return total


def _chosen(counters: dict[str, Counter]) -> tuple[Counter, ...]:
    """The total register (tariff 0) when it was read twice or more, else the tariff registers beside each other."""
    usable = {obis: counter for obis, counter in counters.items() if counter.first_us < counter.last_us}
    totals = sorted(obis for obis in usable if _tariff(obis) == "0")
    if totals:
        standard = [obis for obis in totals if obis.endswith((":1.8.0", ":2.8.0"))]
        return (usable[(standard or totals)[0]],)
    groups = sorted({obis.rpartition(".")[0] for obis in usable})
    return tuple(counters[obis] for obis in sorted(counters) if obis.rpartition(".")[0] in groups[:1])


def _tariff(obis: str) -> str:
    return obis.rpartition(".")[2]


def _in_place(place: list[Device], slot_us: int, rules: Rules) -> Part:
    """What the devices of a place counted in a slot, one after the other."""
    end_us = slot_us + SLOT_US
    parts = [
        _of_device(device, slot_us, _neighbour_flags(place, number, rules), rules)
        for number, device in enumerate(place)
        if device.first_us < end_us and device.last_us > slot_us
    ]
    parts = [part for part in parts if part != NOTHING]
    if parts:
        return _sum(parts)
    for old, new in pairwise(place):
        if old.last_us <= slot_us + rules.on_edge_tolerance_us and new.first_us >= end_us - rules.on_edge_tolerance_us:
            return _while_away(old, new, rules)
    return NOTHING


def _while_away(old: Device, new: Device, rules: Rules) -> Part:
    """A slot in which no device was there: nothing flows during an exchange, if it is no longer than one."""
    readings = [counter.readings for counter in (old.counters[0], new.counters[0])]
    around = (readings[0][-1],), (readings[1][0],)
    if new.first_us - old.last_us > rules.max_exchange_us:
        return Part(None, MISSING, *around, (GAP,))
    return Part(0, worst(INTERPOLATED, *(reading[0].quality for reading in around)), *around, (EXCHANGE,))


class _Ends(NamedTuple):
    """What it means when a device's readings begin or end inside a slot."""

    begins: str
    begins_quality: str
    ends: str
    ends_quality: str


def _neighbour_flags(place: list[Device], number: int, rules: Rules) -> _Ends:
    before = place[number].first_us - place[number - 1].last_us if number else None
    after = place[number + 1].first_us - place[number].last_us if number + 1 < len(place) else None
    return _Ends(*_meaning(before, rules), *_meaning(after, rules))


def _meaning(away_us: int | None, rules: Rules) -> tuple[str, str]:
    """Flag and best quality of an open end beside which another device was away for so long."""
    if away_us is None:
        return PARTIAL, INTERPOLATED
    if away_us > rules.max_exchange_us:
        return GAP, MISSING
    return EXCHANGE, MEASURED if away_us <= rules.on_edge_tolerance_us else INTERPOLATED


def _of_device(device: Device, slot_us: int, ends: _Ends, rules: Rules) -> Part:
    """What one device counted between the edges of a slot, or its own first and last reading inside it."""
    end_us = slot_us + SLOT_US
    begins = device.first_us > slot_us + rules.on_edge_tolerance_us
    stops = device.last_us < end_us - rules.on_edge_tolerance_us
    starts = [c.state(device.first_us if begins else slot_us, exactly=begins) for c in device.counters]
    finals = [c.state(device.last_us if stops else end_us, exactly=stops) for c in device.counters]
    if [state.readings for state in starts] == [state.readings for state in finals] and not _is_line(starts):
        return NOTHING
    opened = {*[ends.begins] * begins, *[ends.ends] * stops}
    quality = worst(*[ends.begins_quality] * begins, *[ends.ends_quality] * stops, MEASURED)
    parts = [_difference(*states) for states in zip(device.counters, starts, finals, strict=True)]
    total = _sum(parts)
    flags = merged(total.flags, tuple(opened))
    if quality == MISSING or total.value_mwh is None:
        return total._replace(value_mwh=None, quality=MISSING, flags=flags)
    return total._replace(quality=worst(quality, total.quality), flags=flags)


def _is_line(states: list[State]) -> bool:
    """Whether the states lie between readings, so that two of them may rest on the same pair."""
    return any(len(state.readings) > 1 for state in states)


def _difference(counter: Counter, start: State, end: State) -> Part:
    flags = merged(start.flags, end.flags)
    if start.value_mwh is None or end.value_mwh is None:
        return Part(None, MISSING, start.readings, end.readings, flags or (GAP,))
    energy, stepped = counter.step(start.value_mwh, end.value_mwh, SLOT_US)
    quality = MISSING if energy is None else worst(start.quality, end.quality)
    return Part(energy, quality, start.readings, end.readings, merged(flags, stepped))


def _sum(parts: list[Part]) -> Part:
    """Parts added; without value when one of them has none."""
    if len(parts) == 1:
        return parts[0]
    values = [part.value_mwh for part in parts if part.value_mwh is not None]
    complete = bool(parts) and len(values) == len(parts)
    return Part(
        sum(values) if complete else None,
        worst(*(part.quality for part in parts)) if complete else MISSING,
        tuple(reading for part in parts for reading in part.start),
        tuple(reading for part in parts for reading in part.end),
        merged(*(part.flags for part in parts)) if parts else (),
    )
