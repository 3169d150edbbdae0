"""What really happened: the registers at every edge of a quarter hour, and what a perfect observer would compute."""

import csv
from collections.abc import Iterator
from dataclasses import astuple
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from replay.scenario.faults import Faults
from replay.scenario.names import Names, names_of
from replay.scenario.plan import SLOT_MINUTES, DayPlan
from replay.scenario.street import MWS_PER_MWH, Street
from replay.scenario.world import MINUTE_S, Quarter
from schemas.facts import Direction
from schemas.time import format_time

METER_STEP_MWH: Final = 100
"""The household meter shows tenths of a watt-hour."""

BILLING_STEP_MWH: Final = 1000
"""Gateway and market communicate whole watt-hours (kWh with three decimals)."""

ON_EDGE_S: Final = 9
"""A reading so close to an edge counts as on it (1 % of a quarter hour)."""

_DIRECTIONS: Final[tuple[Direction, ...]] = ("import", "export")
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


class Truth:
    """Registers of all sites at the edges of a day's quarter hours; fed with quarter hours in order."""

    def __init__(self, street: Street, plan: DayPlan, *, interval_s: int) -> None:
        self.street, self.plan, self._interval_s = street, plan, interval_s
        shape = (4, street.sites, len(plan.slots) + 1)
        self._edges_mws = np.zeros(shape, dtype=np.int64)
        self._before_edge_mws = np.zeros(shape, dtype=np.int64)

    def take(self, quarter: Quarter) -> None:
        """Note the registers at both edges, and what was counted between the last two readings before an edge."""
        back = max(self._interval_s // MINUTE_S, 1)
        registers = (quarter.import_mws, quarter.export_mws, quarter.charged_mws, quarter.discharged_mws)
        for row, register in enumerate(registers):
            self._edges_mws[row, :, quarter.number] = register[:, 0]
            self._edges_mws[row, :, quarter.number + 1] = register[:, SLOT_MINUTES]
            self._before_edge_mws[row, :, quarter.number + 1] = register[:, -1] - register[:, -1 - back]

    def edges_mwh(self, row: int, site: int, step_mwh: int) -> list[int]:
        """A register (0 import, 1 export, 2 charged, 3 discharged) at the edges, shown in steps of ``step_mwh``."""
        edges: list[int] = (self._edges_mws[row, site] // (MWS_PER_MWH * step_mwh) * step_mwh).tolist()
        return edges

    def series_of(self, site: int, faults: Faults) -> Iterator[Series]:
        """Every register of a site under every name by which it is reported."""
        names = names_of(self.street, site)
        drift_s, gap = faults.drift_s(site), faults.gap_of(site, self.plan)
        for row, direction in enumerate(_DIRECTIONS):
            billed = self.edges_mwh(row, site, BILLING_STEP_MWH)
            yield Series(names.meter, direction, self.edges_mwh(row, site, METER_STEP_MWH), drift_s, gap)
            yield Series(names.melo, direction, billed)
            market_location = (names.malo, names.feed_in_malo)[row]
            if market_location:
                yield Series(market_location, direction, billed)
        household = self.street.household(site)
        if household.ocpp:
            step_mwh = _STATION_STEP_MWH[household.ocpp]
            for row, direction in enumerate(_DIRECTIONS[: 1 + household.bidirectional]):
                yield Series(f"{names.station}/1", direction, self.edges_mwh(row + 2, site, step_mwh))

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
    wallbox = f"OCPP {household.ocpp}" + (" bidirectional" if household.bidirectional else "")
    there = (
        (household.pv, "PV"),
        (household.heat_pump, "heat pump"),
        (household.ocpp, wallbox),
        (household.aggregated, "aggregated"),
        (household.limited, "section 14a"),
    )
    return "; ".join(name for is_there, name in there if is_there)
