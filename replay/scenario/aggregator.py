"""The aggregator: who charges and who discharges in a quarter hour, by price and by when the car must leave."""

from typing import Final

import numpy as np

from replay.scenario.draws import Ints
from replay.scenario.plan import SLOT_MINUTES, DayPlan
from replay.scenario.street import Street

_EXPENSIVE_SLOTS: Final = 14
_CHEAP_SLOTS: Final = 28
_EVENING_MINUTES: Final = range(16 * 60, 22 * 60)
_NEXT_DEPARTURE_MINUTE: Final = 6 * 60  # of the next day
_TARGET_PERMILLE: Final = 700
_RESERVE_PERMILLE: Final = 350
_EARLY_MINUTES: Final = 30


def decide(street: Street, plan: DayPlan, number: int, soc_mws: Ints) -> Ints:
    """The set point of every car for the quarter hour with this number in mW, charging positive.

    A car that would not reach its target by departure charges. Else it discharges in the dearest quarter hours
    of the evening and charges in the cheapest of the day. Cars outside the aggregator charge whenever they can.
    """
    minute = number * SLOT_MINUTES
    urgent = _minutes_needed(street, soc_mws) + _EARLY_MINUTES >= _minutes_left(plan, minute)
    reserve_mws = street.battery_mws * _RESERVE_PERMILLE // 1000
    wanted = intended(street, plan, number)
    wanted = np.where((wanted < 0) & (soc_mws <= reserve_mws), 0, wanted)
    wanted = np.where(urgent & (soc_mws < _target_mws(street)), street.wallbox_mw, wanted)
    return np.where(street.aggregated == 1, wanted, street.wallbox_mw)


def intended(street: Street, plan: DayPlan, number: int) -> Ints:
    """What the aggregator means to do in a quarter hour, by price alone: its schedule of the day, in mW."""
    rank = int(np.count_nonzero(plan.prices_cent < plan.prices_cent[number]))
    evening = int(plan.local_minute[number * SLOT_MINUTES]) in _EVENING_MINUTES
    if evening and rank >= len(plan.slots) - _EXPENSIVE_SLOTS:
        return -street.discharge_mw
    return street.wallbox_mw if rank < _CHEAP_SLOTS else np.zeros_like(street.wallbox_mw)


def _target_mws(street: Street) -> Ints:
    return street.battery_mws * _TARGET_PERMILLE // 1000


def _minutes_needed(street: Street, soc_mws: Ints) -> Ints:
    """Charging time to the target, at nine tenths of the wallbox's power."""
    missing_mws: Ints = np.maximum(_target_mws(street) - soc_mws, 0)
    minutes: Ints = missing_mws // np.maximum(street.wallbox_mw * 54, 1)
    return minutes


def _minutes_left(plan: DayPlan, minute: int) -> Ints:
    next_day = plan.minutes + _NEXT_DEPARTURE_MINUTE - minute
    return np.where(plan.away_from > minute, plan.away_from - minute, next_day)
