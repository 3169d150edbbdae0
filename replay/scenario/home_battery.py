"""Home batteries: they store what the roof leaves over, and give it back when the house needs it.

A battery charges from its own roof only, with what house and car leave. It gives no more than the house draws beside
its car, so that it feeds nothing into the grid and is not emptied into another battery.
"""

from typing import NamedTuple

import numpy as np

from replay.scenario.draws import Ints
from replay.scenario.street import MINUTE_S, Street

EFFICIENCY_PERMILLE = 950
"""Of battery and inverter together, each way."""

_LEAST_PERMILLE = 50
"""Of its capacity; below it nothing is taken out."""


class Flow(NamedTuple):
    """What home batteries take and give in every minute, and what they hold: at the start of each and at the end."""

    charge_mw: Ints
    discharge_mw: Ints
    stored_mws: Ints


def first_stored(street: Street) -> Ints:
    """What the batteries hold when the story begins, at midnight: some of the evening's sun is left."""
    return street.home_battery_mws // 1000 * street.draws.between("first home battery", 150, 601, street.numbers)


def store(street: Street, stored_mws: Ints, house_mw: Ints, car_mw: Ints, pv_mw: Ints) -> Flow:
    """The minutes of a quarter hour, from what the batteries held before.

    ``house_mw`` is drawn beside the car, ``car_mw`` by it (below zero where it gives back), ``pv_mw`` comes from the
    roof.
    """
    most_mw, full_mws = street.home_battery_mw[:, None], street.home_battery_mws
    left_mw = np.clip(pv_mw - house_mw - car_mw, 0, np.minimum(pv_mw, most_mw))
    missing_mw = np.clip(np.minimum(house_mw - pv_mw, house_mw + car_mw - pv_mw), 0, most_mw)
    charges, discharges, stored = [], [], [stored_mws]
    for minute in range(pv_mw.shape[1]):
        room_mw = (full_mws - stored_mws) * 1000 // (MINUTE_S * EFFICIENCY_PERMILLE)
        charge = np.minimum(left_mw[:, minute], room_mw)
        spare_mws = np.maximum(stored_mws - least_mws(street), 0)
        discharge = np.minimum(missing_mw[:, minute], spare_mws * EFFICIENCY_PERMILLE // (MINUTE_S * 1000))
        stored_mws = stored_mws + charge * MINUTE_S * EFFICIENCY_PERMILLE // 1000
        stored_mws = stored_mws + -discharge * MINUTE_S * 1000 // EFFICIENCY_PERMILLE  # rounds up what it loses
        charges.append(charge)
        discharges.append(discharge)
        stored.append(stored_mws)
    return Flow(np.stack(charges, axis=1), np.stack(discharges, axis=1), np.stack(stored, axis=1))


def least_mws(street: Street) -> Ints:
    """What stays in them."""
    return street.home_battery_mws * _LEAST_PERMILLE // 1000
