"""What is known of a day before it begins: its quarter hours, prices, weather, trips and the section-14a event."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from replay.scenario.draws import Draws, Ints
from replay.scenario.street import KWH_MWS, Street
from schemas.calendar import day_slots
from schemas.time import MINUTE_US, SLOT_US

SLOT_MINUTES: Final = SLOT_US // MINUTE_US
NO_TRIP: Final = -1
LIMIT_MW: Final = 4_200_000
"""Least power a device under section 14a EnWG keeps (BNetzA BK6-22-300, 4.5.1)."""

_DAY_MINUTES = 24 * 60
_LIMIT_FROM_MINUTE, _LIMIT_MINUTES = 18 * 60, 60
_NEGATIVE_FROM_HOUR, _NEGATIVE_TO_HOUR = 12, 15

_PRICE_BY_HOUR = (82, 78, 75, 74, 76, 84, 98, 118, 112, 78, 42, 12, 0, 0, 0, 24, 58, 96, 138, 164, 148, 121, 104, 92)
"""EUR/MWh by local hour; the three hours of noon are drawn below zero."""


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A legal German day. Minutes count from its start, in UTC; ``local_minute`` is the clock on the wall (0..1439)."""

    day: date
    slots: range
    local_minute: Ints
    prices_cent: Ints
    away_from: Ints
    away_until: Ints
    trip_mws: Ints
    limit_minutes: range

    @property
    def start_us(self) -> int:
        """The day's start."""
        return self.slots[0]

    @property
    def end_us(self) -> int:
        """The day's end, exclusive."""
        return self.slots[-1] + SLOT_US

    @property
    def minutes(self) -> int:
        """1380, 1440 or 1500."""
        return len(self.slots) * SLOT_MINUTES

    def price(self, slot: int) -> Decimal:
        """Day-ahead price of the slot with this number, EUR/MWh."""
        return Decimal(int(self.prices_cent[slot])).scaleb(-2)

    def minute_us(self, minute: int) -> int:
        """When a minute of the day begins."""
        return self.start_us + minute * MINUTE_US

    def limited(self, minute: int) -> bool:
        """Whether the section-14a event holds in this minute."""
        return minute in self.limit_minutes


def plan_day(street: Street, day: date) -> DayPlan:
    """The plan of a day; the same for the same street and day."""
    slots = day_slots(day)
    local_minute = _local_minutes(len(slots) * SLOT_MINUTES)
    first_limited = int(np.flatnonzero(local_minute == _LIMIT_FROM_MINUTE)[0])
    away_from, away_until, trip_mws = _trips(street, day, local_minute)
    return DayPlan(
        day=day,
        slots=slots,
        local_minute=local_minute,
        prices_cent=day_ahead_cents(street.draws, day, local_minute[::SLOT_MINUTES]),
        away_from=away_from,
        away_until=away_until,
        trip_mws=trip_mws,
        limit_minutes=range(first_limited, first_limited + _LIMIT_MINUTES),
    )


def _local_minutes(minutes: int) -> Ints:
    """The clock on the wall; it is set at 02:00 local time, forward on the short day, back an hour later on the long.

    >>> _local_minutes(1380)[[119, 120]].tolist(), _local_minutes(1500)[[179, 180]].tolist()
    ([119, 180], [179, 120])
    """
    passed = np.arange(minutes, dtype=np.int64)
    set_at = 180 if minutes > _DAY_MINUTES else 120
    return passed + np.where(passed >= set_at, _DAY_MINUTES - minutes, 0)


def day_ahead_cents(draws: Draws, day: date, local_minute: Ints) -> Ints:
    """Day-ahead prices in cent per MWh for quarter hours that begin at these local minutes; below zero at noon."""
    hour = local_minute // 60
    quarter = np.arange(len(local_minute), dtype=np.int64)
    ordinal = day.toordinal()
    level = draws.between("price level", 70, 131, ordinal)
    noise = draws.between("price noise", -600, 601, ordinal, quarter)
    cents: Ints = np.array(_PRICE_BY_HOUR, dtype=np.int64)[hour] * level + noise
    negative = (hour >= _NEGATIVE_FROM_HOUR) & (hour < _NEGATIVE_TO_HOUR)
    below = draws.between("price below zero", -4500, -50, ordinal, quarter)
    return np.where(negative, below, cents)


def _trips(street: Street, day: date, local_minute: Ints) -> tuple[Ints, Ints, Ints]:
    """For each site when its car leaves and returns (minutes of the day) and what it uses; NO_TRIP where it stays."""
    ordinal, numbers, draws = day.toordinal(), street.numbers, street.draws
    weekend = day.isoweekday() >= 6
    stays = draws.between("stays at home", 0, 100, numbers, ordinal) < (35 if weekend else 12)
    stays |= street.battery_mws == 0
    leaves_low, leaves_high = (9 * 60, 12 * 60) if weekend else (6 * 60, 8 * 60 + 30)
    leaves = draws.between("leaves", leaves_low, leaves_high, numbers, ordinal)
    returns = draws.between("returns", 15 * 60, 18 * 60 + 20, numbers, ordinal)
    km = draws.between("trip", 12, 110, numbers, ordinal)
    use = draws.between("use", 150, 221, numbers)  # Wh per km
    late = len(local_minute) - _DAY_MINUTES  # after the night, wall clock and minutes of the day differ by this
    away_from = np.where(stays, NO_TRIP, leaves + late)
    away_until = np.where(stays, NO_TRIP, returns + late)
    return away_from, away_until, np.where(stays, 0, km * use * (KWH_MWS // 1000))
