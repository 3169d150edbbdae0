"""What the tables say of a day of the street, and how that agrees with what really happened."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from replay.demo.road import Ran
from replay.scenario.names import BIDDING_ZONE
from schemas.calendar import day_slots
from schemas.facts import INTERPOLATED, MISSING, SlotValue
from schemas.time import MINUTE_US, SECOND_US, SLOT_US, parse_time
from streams import lookups
from streams.settings import Settings
from twin.slots import QuarterHour, best_of, quarter_hours, rules, total

_Key = tuple[str, str]
"""Point and direction."""

_FLAGS: Final = {
    rules.CONFLICT: "several values are claimed",
    rules.EXCHANGE: "the meter was exchanged",
    rules.PARTIAL: "read for a part of it",
    rules.GAP: "readings are too far apart",
    rules.UNKNOWN_WIDTH: "it may have rolled over, its width is not known",
    rules.BACKWARDS: "the register fell",
    rules.IMPLAUSIBLE: "more than the connection can carry",
}

_STATION_LIMIT = "schedule.limit.Charg"
"""A ceiling for the whole station: ChargePointMaxProfile in OCPP 1.6, ChargingStationMaxProfile since."""


class Flow(NamedTuple):
    """Energy of many points in one direction; ``present`` of ``of`` quarter hours have a value.

    ``price`` is the day-ahead price in EUR/MWh, weighted with the energy; None where prices or energy are not known.
    """

    title: str
    points: int
    sum_mwh: int
    present: int
    of: int
    price: Decimal | None


class Span(NamedTuple):
    """Neighbouring quarter hours of a point that are missing, interpolated or flagged, and why, as a sentence."""

    point: str
    directions: tuple[str, ...]
    first_us: int
    end_us: int
    quality: str
    reason: str


class Limit(NamedTuple):
    """A ceiling under section 14a: who had it, and the highest power that one of them drew in that time."""

    limit_mw: int
    start_us: int
    end_us: int
    stations: int
    highest_mw: int


class Figures(NamedTuple):
    """A day as the tables have it.

    ``exact``, ``bounded`` and ``wrong`` count quarter hours: equal to what really happened, within the stated bound
    where readings were spoiled, and off. ``wrong`` should be 0. ``giver`` is the EVSE whose car gave back most, as
    ``STATION/EVSE``; empty when there is none.
    """

    flows: list[Flow]
    spans: list[Span]
    limit: Limit | None
    exact: int
    bounded: int
    wrong: int
    giver: str


def figures_of(ran: Ran) -> Figures:
    """Ask the tables for every quarter hour of the day that the truth speaks of.

    Raises:
        psycopg.Error: the database is away.
    """
    truth = _truth(ran.folder)
    slots = day_slots(ran.demo.day)
    found: dict[_Key, list[QuarterHour]] = {}
    for point in sorted({point for point, _ in truth}):
        for quarter in _quarters(ran.config, point, slots):
            found.setdefault((point, quarter.direction), []).append(quarter)
    exact = bounded = wrong = 0
    for key, expected in truth.items():
        for quarter in found.get(key, ()):
            value_mwh, tolerance_mwh = expected[quarter.slot_us]
            if quarter.value_mwh is None:
                continue
            off_mwh = abs(quarter.value_mwh - value_mwh)
            exact += off_mwh == 0
            bounded += 0 < off_mwh <= tolerance_mwh
            wrong += off_mwh > tolerance_mwh
    stations = sorted({point.partition("/")[0] for point, _ in truth if "/" in point})
    return Figures(
        _flows(found, _prices(ran.config, slots)),
        _spans(found),
        _limit(ran, slots, stations),
        exact,
        bounded,
        wrong,
        _giver(found),
    )


def _truth(folder: Path) -> dict[_Key, dict[int, tuple[int, int]]]:
    """Value and tolerance in mWh by slot, for every point and direction."""
    truth: dict[_Key, dict[int, tuple[int, int]]] = defaultdict(dict)
    with (folder / "truth" / "quarter_hours.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            expected = (int(row["value_mwh"]), int(row["tolerance_mwh"]))
            truth[row["point"], row["direction"]][parse_time(row["slot"])] = expected
    return truth


def _quarters(config: Settings, point: str, slots: range) -> list[QuarterHour]:
    asked = (config.database_url, config.schema, point, slots[0], slots[-1] + SLOT_US)
    return best_of(quarter_hours(lookups.edges(*asked), slots), lookups.slot_values(*asked), slots=slots)


def _prices(config: Settings, slots: range) -> dict[int, Decimal]:
    """The latest day-ahead price of each slot, EUR/MWh."""
    asked = lookups.slot_values(config.database_url, config.schema, BIDDING_ZONE, slots[0], slots[-1] + SLOT_US)
    said = sorted((value for value in asked if value.series == "price.day-ahead"), key=lambda value: value.version)
    return {value.slot_us: Decimal(value.value) for value in said}


def _flows(found: dict[_Key, list[QuarterHour]], prices: dict[int, Decimal]) -> list[Flow]:
    """Stations have a ``/`` in their name; the grid connection is known by its MeLo."""
    return [
        _flow("cars charged", _of(found, "import", station=True), prices),
        _flow("cars gave back", _of(found, "export", station=True), prices),
        _flow("drawn from the grid", _of(found, "import", station=False), prices),
        _flow("fed into the grid", _of(found, "export", station=False), prices),
    ]


def _of(found: dict[_Key, list[QuarterHour]], direction: str, *, station: bool) -> Iterator[list[QuarterHour]]:
    for (point, found_direction), quarters in found.items():
        if found_direction == direction and ("/" in point if station else point.startswith("DE")):
            yield quarters


def _flow(title: str, series: Iterable[list[QuarterHour]], prices: dict[int, Decimal]) -> Flow:
    all_of_them = list(series)
    sum_mwh, present, of = total(quarter for quarters in all_of_them for quarter in quarters)
    energies = [(quarter.value_mwh or 0, quarter.slot_us) for quarters in all_of_them for quarter in quarters]
    is_priced = sum_mwh > 0 and all(slot_us in prices for _, slot_us in energies)
    price = None
    if is_priced:
        price = sum((energy_mwh * prices[slot_us] for energy_mwh, slot_us in energies), Decimal(0)) / sum_mwh
    return Flow(title, len(all_of_them), sum_mwh, present, of, price)


def _giver(found: dict[_Key, list[QuarterHour]]) -> str:
    given = {point: total(quarters)[0] for (point, way), quarters in found.items() if "/" in point and way == "export"}
    return max(given, key=lambda point: given[point], default="")


def _spans(found: dict[_Key, list[QuarterHour]]) -> list[Span]:
    """What is missing, had to be interpolated or is flagged; missing ones first, both directions as one."""
    spans: dict[Span, list[str]] = defaultdict(list)
    for (point, direction), quarters in found.items():
        for (quality, flags), group in groupby(quarters, key=lambda quarter: (quarter.quality, quarter.flags)):
            run = list(group)
            if quality in {MISSING, INTERPOLATED} or flags:
                span = Span(point, (), run[0].slot_us, run[-1].slot_us + SLOT_US, quality, _reason(run))
                spans[span].append(direction)
    joined = [span._replace(directions=tuple(directions)) for span, directions in spans.items()]
    return sorted(joined, key=lambda span: (span.quality != MISSING, span.point, span.first_us))


def _reason(run: list[QuarterHour]) -> str:
    """Why quarter hours are not simply measured, from their flags and the readings they rest on."""
    flags = [_FLAGS.get(flag, flag) for flag in run[0].flags]
    pairs = [side for quarter in run for side in (quarter.start, quarter.end) if len(side) == 2]
    if not pairs:
        return ", ".join(flags)
    silent_us = max(abs(after.time_us - before.time_us) for before, after in pairs)
    if silent_us > SLOT_US:
        return ", ".join([*flags, f"nothing was heard for {silent_us // MINUTE_US} minutes"])
    beside_us = min(
        abs((reading.time_us + SLOT_US // 2) % SLOT_US - SLOT_US // 2) for pair in pairs for reading in pair
    )
    return ", ".join([*flags, f"its readings come {beside_us // SECOND_US} s beside the quarter hour"])


def _limit(ran: Ran, slots: range, stations: Iterable[str]) -> Limit | None:
    """The ceiling of the day; it holds for a whole station, a set point of the aggregator for its EVSE."""
    config, start_us, end_us = ran.config, slots[0], slots[-1] + SLOT_US
    limited: dict[str, list[SlotValue]] = {}
    for station in stations:
        values = lookups.slot_values(config.database_url, config.schema, station, start_us, end_us)
        ceilings = [value for value in values if value.series.startswith(_STATION_LIMIT)]
        if ceilings:
            limited[station] = ceilings
    if not limited:
        return None
    ceilings = [value for values in limited.values() for value in values]
    start_us, end_us = min(value.slot_us for value in ceilings), max(value.slot_us for value in ceilings) + SLOT_US
    drawn_w = [
        lookups.highest(config.database_url, config.schema, f"evse:{station}/1", "power", start_us, end_us)
        for station in limited
    ]
    highest_w = max((power_w for power_w in drawn_w if power_w is not None), default=0.0)
    return Limit(int(max(value.value for value in ceilings)), start_us, end_us, len(limited), round(highest_w * 1000))
