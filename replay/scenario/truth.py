"""What really happened: the registers at every edge of a quarter hour, and what a perfect observer would compute."""

import csv
from collections.abc import Iterator
from dataclasses import astuple
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from replay.scenario.draws import Ints
from replay.scenario.faults import NO_FAULTS, Faults
from replay.scenario.names import Names, names_of
from replay.scenario.plan import SLOT_MINUTES, DayPlan
from replay.scenario.street import MINUTE_S, MWS_PER_MWH, Street
from replay.scenario.world import Quarter
from schemas.facts import Direction
from schemas.time import format_time

METER_STEP_MWH: Final = 100
"""The household meter shows tenths of a watt-hour."""

BILLING_STEP_MWH: Final = 1000
"""Gateway and market communicate whole watt-hours (kWh with three decimals)."""

ON_EDGE_S: Final = 9
"""A reading so close to an edge counts as on it (1 % of a quarter hour)."""

_DIRECTIONS: Final[tuple[Direction, ...]] = ("import", "export")
_CHARGED, _DISCHARGED, _GENERATED, _STORED, _TAKEN, _NOTHING = 2, 3, 4, 5, 6, -1
"""Rows of the registers behind import and export: of the car, the roof, the house's own battery."""
NEW_METER_MWH: Final = (400_000, 100_000)
"""What a new meter's import and export show when it is put up: its maker tried it."""
_STATION_STEP_MWH = {"1.6": 1000, "2.0.1": 100, "2.1": 100}


class Series(NamedTuple):
    """A register under the name by which it is known, as it reads at every edge of the day.

    ``drift_s`` and ``gap`` say how the readings of it are spoiled (see :mod:`replay.scenario.faults`).
    """

    point: str
    direction: Direction
    edges_mwh: list[int]
    drift_s: int = 0
    gap: range = range(0)


class Meter(NamedTuple):
    """A meter under its names, and how one of its registers reads: pairs of time and value in mWh."""

    names: Names
    readings: list[tuple[int, int]]


class Truth:
    """Registers of all sites at the edges of a day's quarter hours; fed with quarter hours in order."""

    def __init__(self, street: Street, plan: DayPlan, *, interval_s: int, faults: Faults = NO_FAULTS) -> None:
        self.street, self.plan, self._interval_s = street, plan, interval_s
        shape = (7, street.sites, len(plan.slots) + 1)
        self._edges_mws = np.zeros(shape, dtype=np.int64)
        self._before_edge_mws = np.zeros(shape, dtype=np.int64)
        exchanged = ((site, faults.exchange_of(site, plan)) for site in range(street.sites))
        self._exchanged_at = {site: minute for site, minute in exchanged if minute is not None}
        self._taken_off_mws: dict[int, tuple[int, int]] = {}

    def take(self, quarter: Quarter) -> None:
        """Note the registers at both edges, and what was counted between the last two readings before an edge."""
        back = max(self._interval_s // MINUTE_S, 1)
        registers = (
            quarter.import_mws,
            quarter.export_mws,
            quarter.charged_mws,
            quarter.discharged_mws,
            quarter.generated_mws,
            quarter.home_charged_mws,
            quarter.home_discharged_mws,
        )
        for row, register in enumerate(registers):
            self._edges_mws[row, :, quarter.number] = register[:, 0]
            self._edges_mws[row, :, quarter.number + 1] = register[:, SLOT_MINUTES]
            self._before_edge_mws[row, :, quarter.number + 1] = register[:, -1] - register[:, -1 - back]
        for site, minute in self._exchanged_at.items():
            if minute // SLOT_MINUTES == quarter.number:
                column = minute % SLOT_MINUTES
                stood = (int(quarter.import_mws[site, column]), int(quarter.export_mws[site, column]))
                self._taken_off_mws[site] = stood

    def edges_mwh(self, row: int, site: int, step_mwh: int) -> list[int]:
        """A register at the edges, in steps of ``step_mwh``: import and export, then those that devices count.

        Where the meter was exchanged, what both have counted, on from the old one's register.
        """
        counted = self._edges_mws[row, site]
        if row < len(_DIRECTIONS) and site in self._taken_off_mws:
            stood = np.int64(self._taken_off_mws[site][row])
            shown = _shown(np.minimum(counted, stood), step_mwh) + _shown(np.maximum(counted - stood, 0), step_mwh)
        else:
            shown = _shown(counted, step_mwh)
        edges: list[int] = shown.tolist()
        return edges

    def meters_of(self, row: int, site: int, step_mwh: int) -> list[Meter]:
        """The meter of a site (or the old one and the new one) with its readings at the edges and at the exchange."""
        names, edges = names_of(self.street, site), self.edges_mwh(row, site, step_mwh)
        readings = list(zip([*self.plan.slots, self.plan.end_us], edges, strict=True))
        minute = self._exchanged_at.get(site)
        if minute is None:
            return [Meter(names, readings)]
        at_us, stood = self.plan.minute_us(minute), self._taken_off_mws[site][row]
        last = stood // (MWS_PER_MWH * step_mwh) * step_mwh
        first = NEW_METER_MWH[row]
        old = [*(reading for reading in readings if reading[0] < at_us), (at_us, last)]
        new = [(at_us, first), *((time_us, first + edge - last) for time_us, edge in readings if time_us > at_us)]
        return [Meter(names, old), Meter(names.exchanged(), new)]

    def series_of(self, site: int, faults: Faults) -> Iterator[Series]:
        """Every register of a site under every name by which it is reported."""
        names = names_of(self.street, site)
        drift_s, gap = faults.drift_s(site), faults.gap_of(site, self.plan)
        for row, direction in enumerate(_DIRECTIONS):
            billed = self.edges_mwh(row, site, BILLING_STEP_MWH)
            for meter in self.meters_of(row, site, METER_STEP_MWH):
                yield Series(meter.names.meter, direction, self._at_every_edge(meter), drift_s, gap)
            yield Series(names.melo, direction, billed)
            market_location = (names.malo, names.feed_in_malo)[row]
            if market_location:
                yield Series(market_location, direction, billed)
        household = self.street.household(site)
        if household.ocpp:
            step_mwh = _STATION_STEP_MWH[household.ocpp]
            for row, direction in enumerate(_DIRECTIONS[: 1 + household.bidirectional]):
                yield Series(f"{names.station}/1", direction, self.edges_mwh(row + 2, site, step_mwh))

        for name, rows in (
            (names.submeter, (_CHARGED, _DISCHARGED)),
            (names.storage, (_CHARGED, _DISCHARGED)),
            (names.inverter, (_NOTHING, _GENERATED)),
            (names.home_battery, (_STORED, _TAKEN)),
        ):
            for row, direction in zip(rows, _DIRECTIONS, strict=True):
                if name and row != _NOTHING:
                    yield Series(name, direction, self.edges_mwh(row, site, BILLING_STEP_MWH))

    def _at_every_edge(self, meter: Meter) -> list[int]:
        """What a meter shows at every edge; before it is put up what it begins with, later what it ended with."""
        shown, (first, last) = dict(meter.readings), (meter.readings[0], meter.readings[-1])
        edges_us = [*self.plan.slots, self.plan.end_us]
        return [shown.get(time_us, first[1] if time_us < first[0] else last[1]) for time_us in edges_us]

    def tolerances_mwh(self, series: Series, row: int, site: int) -> list[int]:
        """For every slot how far the best estimate from the readings can be from the truth."""
        values = [after - before for before, after in pairwise(series.edges_mwh)]
        bounds = [0] * len(values)
        if abs(series.drift_s) > ON_EDGE_S:
            reach_s = max(self._interval_s, MINUTE_S)
            wrong = [
                -(-counted * series.drift_s // (reach_s * MWS_PER_MWH)) + METER_STEP_MWH
                for counted in self._before_edge_mws[row, site].tolist()
            ]
            bounds = [before + after for before, after in pairwise(wrong)]
            bounds[0] += values[0]  # the reading before the day began is not in the day's log
        if series.gap:
            first, last = (series.gap.start - 1) // SLOT_MINUTES, (series.gap.stop - 1) // SLOT_MINUTES
            whole = series.edges_mwh[last + 1] - series.edges_mwh[first]
            bounds[first : last + 1] = [whole] * (last + 1 - first)
        return bounds


def _shown(register_mws: Ints, step_mwh: int) -> Ints:
    return register_mws // (MWS_PER_MWH * step_mwh) * step_mwh


def write_truth(truth: Truth, folder: Path, faults: Faults) -> list[Path]:
    """Write ``quarter_hours.csv``, ``registers.csv`` and ``sites.csv``; their paths.

    A quarter hour's ``tolerance_mwh`` is 0 where the readings in the logs give it exactly.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("quarter_hours.csv", "registers.csv", "sites.csv")]
    with paths[0].open("w", newline="") as quarter_hours, paths[1].open("w", newline="") as registers:
        slot_rows, edge_rows = csv.writer(quarter_hours), csv.writer(registers)
        slot_rows.writerow(("point", "direction", "slot", "value_mwh", "tolerance_mwh"))
        edge_rows.writerow(("point", "direction", "time", "value_mwh"))
        times = [format_time(time_us) for time_us in [*truth.plan.slots, truth.plan.end_us]]
        for site in range(truth.street.sites):
            for series in truth.series_of(site, faults):
                row = _DIRECTIONS.index(series.direction)
                bounds = truth.tolerances_mwh(series, row, site)
                key = (series.point, series.direction)
                edge_rows.writerows((*key, *edge) for edge in zip(times, series.edges_mwh, strict=True))
                values = (after - before for before, after in pairwise(series.edges_mwh))
                slot_rows.writerows((*key, *slot) for slot in zip(times[:-1], values, bounds, strict=True))
    with paths[2].open("w", newline="") as sites:
        writer = csv.writer(sites)
        writer.writerow((*Names.__dataclass_fields__, "devices"))
        for site in range(truth.street.sites):
            writer.writerow((*astuple(names_of(truth.street, site)), _devices(truth.street, site)))
    return paths


def _devices(street: Street, site: int) -> str:
    household = street.household(site)
    kind = " bidirectional" * household.bidirectional + " direct current" * household.direct_current
    wallbox = f"OCPP {household.ocpp}{kind}"
    there = (
        (household.pv, "PV"),
        (household.heat_pump, "heat pump"),
        (household.battery, "battery"),
        (household.ocpp, wallbox),
        (household.aggregated, "aggregated"),
        (household.limited, "section 14a"),
    )
    return "; ".join(name for is_there, name in there if is_there)
