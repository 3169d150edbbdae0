"""How long cars stay at their wallboxes: from plugging in to plugging out, over midnight and over days at home."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from replay.scenario.draws import Ints
from replay.scenario.plan import NO_TRIP, DayPlan, plan_day
from replay.scenario.street import Street
from schemas.time import SECOND_US, SLOT_US

LONGEST_DAYS: Final = 60
"""A stay that seems to be longer began so many days ago."""


class Stay(NamedTuple):
    """From plugging in, on a legal day, to plugging out."""

    begun_us: int
    begun_day: date


class Stays(NamedTuple):
    """The stays of a car on a day: the one that goes on from before, up to ``unplug_us``, and the one from ``plug_us``.

    Where the car stays at home both are beyond the day's end.
    """

    first: Stay
    unplug_us: int
    plug_us: int
    day: date

    def plugged(self, time_us: int) -> bool:
        """Whether the car is plugged in at this time."""
        return time_us < self.unplug_us or time_us > self.plug_us

    def at(self, time_us: int) -> Stay:
        """The stay at this time, the latest one where the car is away."""
        return Stay(self.plug_us, self.day) if time_us >= self.plug_us else self.first


def stays_of(street: Street, plan: DayPlan) -> dict[int, Stays]:
    """By site, for all that have a wallbox."""
    return {site: _stays(street, plan, site, first) for site, first in sorted(_first_stays(street, plan.day).items())}


def trips_before(street: Street, first_day: date | None, day: date) -> Ints:
    """How often each car left home from the first day of the story up to the eve of a day."""
    return _trips_before(street, first_day or day, day)


def _stays(street: Street, plan: DayPlan, site: int, first: Stay) -> Stays:
    away_from, away_until = int(plan.away_from[site]), int(plan.away_until[site])
    if away_from == NO_TRIP:
        return Stays(first, plan.end_us + SLOT_US, plan.end_us + SLOT_US, plan.day)
    lag_us = _cable_us(street, site, plan.day)
    return Stays(first, plan.minute_us(away_from) + lag_us, plan.minute_us(away_until) - lag_us, plan.day)


def _cable_us(street: Street, site: int, day: date) -> int:
    """How long before and after the minutes of its trip the car is plugged in and out."""
    return street.draws.one("cable", 5, 55, site, day.toordinal()) * SECOND_US


@lru_cache(maxsize=4)
def _first_stays(street: Street, day: date) -> dict[int, Stay]:
    """For each site with a wallbox the stay that goes on at the start of the day."""
    missing = {site for site in range(street.sites) if street.household(site).ocpp}
    found: dict[int, Stay] = {}
    for back in range(1, LONGEST_DAYS + 1):
        plan = plan_day(street, day - timedelta(days=back))
        returns: list[int] = plan.away_until.tolist()
        for site in sorted(missing):
            if returns[site] != NO_TRIP or back == LONGEST_DAYS:
                arrived_us = plan.start_us if returns[site] == NO_TRIP else plan.minute_us(returns[site])
                found[site] = Stay(arrived_us - _cable_us(street, site, plan.day), plan.day)
        missing -= found.keys()
        if not missing:
            break
    return found


@lru_cache(maxsize=4)
def _trips_before(street: Street, first_day: date, day: date) -> Ints:
    count: Ints = street.numbers * 0
    while first_day < day:
        count = count + (plan_day(street, first_day).away_from != NO_TRIP)
        first_day += timedelta(days=1)
    return count
