"""Who lives in the street: sites with their devices, and under which identifiers they are known."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

import numpy as np

from replay.scenario.draws import Draws, Ints

MINUTE_S: Final = 60
MWS_PER_MWH: Final = 3600
MWS_PER_WH: Final = 1000 * MWS_PER_MWH
"""Milliwatt-seconds in a milliwatt-hour. Registers run in mWs, so that any second has an exact value."""

MAX_SITES: Final = 10_000
KW_MW: Final = 1_000_000
KWH_MWS: Final = 1000 * MWS_PER_WH

Ocpp = Literal["", "1.6", "2.0.1", "2.1"]
Battery = Literal["", "Modbus", "EEBUS"]


class Household(NamedTuple):
    """What stands behind a meter. ``ocpp`` is the version the wallbox speaks, "" without a wallbox (and car).

    ``aggregated``: the aggregator decides when the car charges; else it charges as soon as it is plugged in.
    ``limited``: under the section-14a event of the day. ``direct_current``: the wallbox rectifies what the car gets.
    ``battery``: what the battery of the house speaks, "" without one.
    """

    pv: bool
    heat_pump: bool
    ocpp: Ocpp
    bidirectional: bool
    aggregated: bool
    limited: bool
    direct_current: bool = False
    battery: Battery = ""


HOUSEHOLDS: Final = (
    Household(pv=True, heat_pump=True, ocpp="2.0.1", bidirectional=True, aggregated=True, limited=False),
    Household(pv=False, heat_pump=False, ocpp="2.0.1", bidirectional=True, aggregated=True, limited=False),
    Household(pv=False, heat_pump=False, ocpp="1.6", bidirectional=False, aggregated=False, limited=True),
    Household(pv=True, heat_pump=False, ocpp="2.1", bidirectional=True, aggregated=True, limited=False),
    Household(pv=False, heat_pump=False, ocpp="", bidirectional=False, aggregated=False, limited=False),
    Household(pv=False, heat_pump=True, ocpp="2.0.1", bidirectional=False, aggregated=False, limited=True),
    Household(
        pv=True,
        heat_pump=True,
        ocpp="",
        bidirectional=False,
        aggregated=False,
        limited=False,
        battery="Modbus",
    ),
    Household(pv=False, heat_pump=True, ocpp="2.0.1", bidirectional=True, aggregated=True, limited=False),
    Household(
        pv=True,
        heat_pump=False,
        ocpp="1.6",
        bidirectional=False,
        aggregated=True,
        limited=False,
        direct_current=True,
        battery="EEBUS",
    ),
    Household(pv=False, heat_pump=False, ocpp="2.0.1", bidirectional=True, aggregated=True, limited=False),
    Household(pv=True, heat_pump=True, ocpp="2.1", bidirectional=True, aggregated=True, limited=True),
    Household(pv=False, heat_pump=False, ocpp="2.0.1", bidirectional=True, aggregated=True, limited=True),
)
"""The street repeats these twelve; sizes and habits differ from house to house."""


@dataclass(frozen=True)
class Street:
    """The sites ``0 .. sites-1`` as columns; power in mW, energy in mWs, one number for each site."""

    seed: int
    sites: int

    def __post_init__(self) -> None:
        if not 1 <= self.sites <= MAX_SITES:
            raise ValueError(f"a street has 1 to {MAX_SITES} sites, not {self.sites}")

    @cached_property
    def draws(self) -> Draws:
        """The chance of this street."""
        return Draws(self.seed)

    @cached_property
    def numbers(self) -> Ints:
        """The sites' numbers."""
        return np.arange(self.sites, dtype=np.int64)

    def household(self, site: int) -> Household:
        """What stands behind the meter of a site."""
        return HOUSEHOLDS[site % len(HOUSEHOLDS)]

    def _drawn(self, purpose: str, low: int, high: int) -> Ints:
        return self.draws.between(purpose, low, high, self.numbers)

    def _where(self, field: str) -> Ints:
        flags = np.array([bool(getattr(household, field)) for household in HOUSEHOLDS], dtype=np.int64)
        return flags[self.numbers % len(HOUSEHOLDS)]

    @cached_property
    def base_load_mw(self) -> Ints:
        """What a household draws when nobody is awake."""
        return self._drawn("base load", 110_000, 320_000)

    @cached_property
    def pv_peak_mw(self) -> Ints:
        """Peak power of the roof, 4 to 12 kW; 0 without one."""
        return self._drawn("pv peak", 4 * KW_MW, 12 * KW_MW) * self._where("pv")

    @cached_property
    def heat_pump_mw(self) -> Ints:
        """Electrical rating of the heat pump, 2 to 6 kW; 0 without one."""
        return self._drawn("heat pump", 2 * KW_MW, 6 * KW_MW) * self._where("heat_pump")

    @cached_property
    def wallbox_mw(self) -> Ints:
        """What the wallbox can charge with: 11 kW; 0 without one."""
        return self._where("ocpp") * 11 * KW_MW

    @cached_property
    def discharge_mw(self) -> Ints:
        """What car and wallbox can give back, 5 to 10 kW; 0 when they cannot."""
        return self._drawn("discharge", 50, 101) * (KW_MW // 10) * self._where("bidirectional")

    @cached_property
    def battery_mws(self) -> Ints:
        """Usable capacity of the car, 52 to 82 kWh; 0 without a car."""
        return self._drawn("battery", 52, 83) * KWH_MWS * self._where("ocpp")

    @cached_property
    def home_battery_mws(self) -> Ints:
        """Usable capacity of the house's own battery, 6 to 13 kWh; 0 without one."""
        return self._drawn("home battery", 6, 14) * KWH_MWS * self._where("battery")

    @cached_property
    def home_battery_mw(self) -> Ints:
        """What the house's battery takes or gives at most: all of it in two hours."""
        return self.home_battery_mws // (2 * 3600)

    @cached_property
    def aggregated(self) -> Ints:
        """1 where the aggregator decides when the car charges."""
        return self._where("aggregated")

    @cached_property
    def limited(self) -> Ints:
        """1 where the section-14a event of the day applies."""
        return self._where("limited")
