"""Interface 1: what the cars of the street and their wallboxes say to each other over the cable.

Cars that give back speak ISO 15118-20, those at a wallbox that only charges ISO 15118-2, and DIN SPEC 70121 where it
charges with direct current; a wallbox of OCPP 1.6 with alternating current has a control pilot and no more
(:mod:`~replay.scenario.writers.pilot`). A session begins when the car is plugged in, and anew
when the day begins, because the wallboxes start anew then. It goes around the charge loop at its begin and end and at
every edge of a quarter hour; what the meter shows is what it showed at the full minute before.
"""

from collections.abc import Iterator
from typing import Final

from replay.scenario.message import Message
from replay.scenario.names import names_of
from replay.scenario.plan import LIMIT_MW, NO_TRIP, DayPlan
from replay.scenario.stays import Stays, stays_of
from replay.scenario.street import MINUTE_S, MWS_PER_WH, Household, Street
from replay.scenario.world import Quarter
from replay.scenario.writers.exi_2 import Iso2
from replay.scenario.writers.exi_20 import Iso20
from replay.scenario.writers.exi_dialect import Dialect, Look, Pair
from replay.scenario.writers.exi_din import Din
from replay.scenario.writers.exi_frames import INTERFACE, STEP_US, Cable
from schemas.time import HOUR_US, MINUTE_US, SECOND_US, SLOT_US

__all__ = ["INTERFACE", "Cars", "speaking"]

_AFTER_START_US: Final = 3 * SECOND_US
"""Behind the wallboxes' start; see :mod:`replay.scenario.writers.ocpp`."""

_AFTER_PLUG_US: Final = SECOND_US // 2
_LOOP_AFTER_BEGIN_US: Final = 5 * SECOND_US // 2
_LAST_LOOP_BEFORE_US: Final = 2 * SECOND_US
_END_AFTER_LOOP_US: Final = SECOND_US // 2
_AFTER_EDGE_US: Final = 150_000
_NEXT_DEPARTURE_US: Final = 6 * HOUR_US
"""After the day's end: by when the aggregator wants a car ready of which it knows no more."""


def speaking(street: Street, cars: int) -> list[int]:
    """The sites whose cars speak ISO 15118: the first ones that can."""
    households = ((site, street.household(site)) for site in range(street.sites))
    able = [site for site, household in households if household.direct_current or household.ocpp not in {"", "1.6"}]
    return able[:cars]


def _dialect_of(household: Household) -> Dialect:
    if household.direct_current:
        return Din()
    return Iso20() if household.bidirectional else Iso2()


class Cars:
    """The cars that speak, through one day; at most so many."""

    def __init__(self, street: Street, plan: DayPlan, cars: int) -> None:
        stays = stays_of(street, plan) if cars else {}
        self._ends = [_Ends(street, plan, site, stays[site]) for site in speaking(street, cars)]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said in a quarter hour."""
        for ends in self._ends:
            yield from ends.messages(quarter)


class _Ends:
    """A car and its wallbox: both ends of a cable."""

    def __init__(self, street: Street, plan: DayPlan, site: int, stays: Stays) -> None:
        names, household = names_of(street, site), street.household(site)
        self._site, self._plan, self._stays = site, plan, stays
        self._limited = household.limited
        self._battery_mws = int(street.battery_mws[site])
        self._leaves = int(plan.away_from[site]) != NO_TRIP
        self._dialect = _dialect_of(household)
        self._pair = Pair(
            names.car_address,
            names.evse_number if household.direct_current else names.evse,
            names.charge_meter,
            int(street.wallbox_mw[site]) // 1000,
            int(street.discharge_mw[site]) // 1000,
            self._battery_mws // MWS_PER_WH,
        )
        self._cable = Cable(names)
        self._after_us = _AFTER_START_US + (site % 40) * SECOND_US

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What both say in a quarter hour."""
        start_us, stays = quarter.start_us, self._stays
        if quarter.number == 0 and stays.plugged(start_us):
            yield from self._begins(quarter, start_us + self._after_us)
        else:
            yield from self._passes(quarter, start_us)
        if start_us <= stays.unplug_us < start_us + SLOT_US:
            yield from self._ends_at(quarter, stays.unplug_us - _LAST_LOOP_BEFORE_US)
        if start_us <= stays.plug_us < start_us + SLOT_US:
            yield from self._begins(quarter, stays.plug_us + _AFTER_PLUG_US)
        if quarter.number == len(self._plan.slots) - 1:
            yield from self._passes(quarter, self._plan.end_us)

    def _passes(self, quarter: Quarter, edge_us: int) -> Iterator[Message]:
        """An edge of a quarter hour."""
        if self._stays.plugged(edge_us):
            yield from self._loops(quarter, edge_us + _AFTER_EDGE_US)

    def _begins(self, quarter: Quarter, time_us: int) -> Iterator[Message]:
        found = list(self._cable.finds(time_us))
        yield from found
        begin_us = time_us + len(found) * STEP_US
        yield from self._cable.says(begin_us, self._dialect.begins(self._pair, self._look(quarter, begin_us)))
        yield from self._loops(quarter, time_us + _LOOP_AFTER_BEGIN_US)

    def _loops(self, quarter: Quarter, time_us: int) -> Iterator[Message]:
        yield from self._cable.says(time_us, self._dialect.goes_on(self._pair, self._look(quarter, time_us)))

    def _ends_at(self, quarter: Quarter, time_us: int) -> Iterator[Message]:
        yield from self._loops(quarter, time_us)
        time_us += _END_AFTER_LOOP_US
        yield from self._cable.says(time_us, self._dialect.ends(self._pair, self._look(quarter, time_us)))

    def _look(self, quarter: Quarter, time_us: int) -> Look:
        """What is seen at a time of a quarter hour, or right behind its end."""
        site, column = self._site, (time_us - quarter.start_us) // MINUTE_US
        minute = min(column, SLOT_US // MINUTE_US - 1)
        stored_mws = int(quarter.soc_mws[site, minute])
        limit_w = LIMIT_MW // 1000 if self._limited and self._plan.limited(self._minute(time_us)) else None
        leaves_us = self._plan.end_us + _NEXT_DEPARTURE_US
        if self._leaves and time_us < self._stays.unplug_us:
            leaves_us = self._stays.unplug_us
        return Look(
            meter_us=quarter.start_us + column * MINUTE_S * SECOND_US,
            charged_wh=int(quarter.charged_mws[site, column]) // MWS_PER_WH,
            discharged_wh=int(quarter.discharged_mws[site, column]) // MWS_PER_WH,
            power_w=quarter.drawn_mw(site, minute) // 1000,
            target_w=int(quarter.setpoint_mw[site]) // 1000,
            limit_w=self._pair.charge_w if limit_w is None else limit_w,
            soc=stored_mws * 100 // self._battery_mws,
            stored_wh=stored_mws // MWS_PER_WH,
            leaves_in_s=max((leaves_us - time_us) // SECOND_US, 0),
        )

    def _minute(self, time_us: int) -> int:
        return (time_us - self._plan.start_us) // MINUTE_US
