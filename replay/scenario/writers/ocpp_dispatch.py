"""Interface 14: the technical aggregator tells the charge point operator what each car shall do, in quarter hours.

Spoken as OCPP, the operator's backend in the station's place: a car and its needs are reported when it is there,
the aggregator answers with its schedule of the day, the car says what it makes of it; then every quarter hour that
turns out otherwise is ordered by itself.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from replay.scenario.aggregator import intended
from replay.scenario.message import Message
from replay.scenario.names import names_of
from replay.scenario.plan import NO_TRIP, DayPlan
from replay.scenario.street import MWS_PER_WH, Street
from replay.scenario.world import Quarter, plugged_in
from replay.scenario.writers.ocpp_dialect import Call, JsonObject
from replay.scenario.writers.ocpp_frames import Line
from schemas.time import MINUTE_US, SECOND_US, SLOT_US, format_time

INTERFACE: Final = "14"

_EVSE: Final = 1
_LEAD_US: Final = 40 * SECOND_US
_NEEDS_AFTER_US: Final = 90 * SECOND_US
_VOLT: Final = 400
_LEAST_AMPERE: Final = 6
_TARGET_PERCENT: Final = 70
_LEVEL_OF_DAY, _LEVEL_OF_ORDER = 1, 2


class Dispatch:
    """The aggregator and the operator through one day."""

    def __init__(self, street: Street, plan: DayPlan) -> None:
        self._plan = plan
        meant = [intended(street, plan, number).tolist() for number in range(len(plan.slots))]
        self._cars = [
            _Car(street, plan, site, [slot[site] for slot in meant])
            for site in range(street.sites)
            if street.household(site).ocpp and street.household(site).aggregated
        ]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said in a quarter hour, an order shortly before it."""
        there = plugged_in(self._plan, quarter.number * (SLOT_US // MINUTE_US)).tolist()
        setpoints_mw, soc_mws = quarter.setpoint_mw.tolist(), quarter.soc_mws.tolist()
        for car in self._cars:
            yield from car.messages(quarter, setpoints_mw[car.site], soc_mws[car.site], is_there=bool(there[car.site]))


class _Car:
    """A car at its EVSE; ``meant_mw`` is what the aggregator means to do with it in each quarter hour of the day."""

    def __init__(self, street: Street, plan: DayPlan, site: int, meant_mw: list[int]) -> None:
        household = street.household(site)
        self.site, self._plan, self._meant_mw = site, plan, meant_mw
        self._is_2_1 = household.ocpp == "2.1"
        self._line = Line(INTERFACE, names_of(street, site).station, site, "ocpp2.1" if self._is_2_1 else "ocpp2.0.1")
        self._battery_mws, self._charge_mw = int(street.battery_mws[site]), int(street.wallbox_mw[site])
        self._discharge_mw = int(street.discharge_mw[site])
        leaves, returns = int(plan.away_from[site]), int(plan.away_until[site])
        self._leaves_us = plan.end_us if leaves == NO_TRIP else plan.minute_us(leaves)
        self._returns_us = None if leaves == NO_TRIP else plan.minute_us(returns)

    def messages(self, quarter: Quarter, setpoint_mw: int, soc_mws: list[int], *, is_there: bool) -> Iterator[Message]:
        """What is said of this car in a quarter hour."""
        start_us, number = quarter.start_us, quarter.number
        came_us = self._came_us(start_us, number)
        if came_us is not None:
            yield from self._comes(came_us, soc_mws[(came_us - start_us) // MINUTE_US])
        if (is_there or came_us is not None) and setpoint_mw != self._meant_mw[number]:
            told_us = start_us - _LEAD_US if came_us is None else came_us + _NEEDS_AFTER_US + _LEAD_US
            yield from self._orders(told_us, start_us, setpoint_mw)

    def _came_us(self, start_us: int, number: int) -> int | None:
        """When in this quarter hour the aggregator hears of the car: as the day begins, and when it returns."""
        came_us = start_us if number == 0 else self._returns_us
        return came_us if came_us is not None and start_us <= came_us < start_us + SLOT_US else None

    def _comes(self, came_us: int, soc_mws: int) -> Iterator[Message]:
        """The car is reported; the aggregator's schedule up to its departure, and what the car makes of it."""
        until_us = self._leaves_us if came_us < self._leaves_us else self._plan.end_us
        time_us = came_us + _NEEDS_AFTER_US
        yield from self._line.calls(time_us, self._needs(soc_mws, until_us))
        first = (came_us - self._plan.start_us) // SLOT_US
        last = -(-(until_us - self._plan.start_us) // SLOT_US)
        schedule = self._schedule(first, last)
        told = Call("SetChargingProfile", self._profile(schedule, _LEVEL_OF_DAY), {"status": "Accepted"})
        yield from self._line.calls(time_us + 2 * SECOND_US, told, from_backend=True)
        said = {"timeBase": schedule["startSchedule"], "evseId": _EVSE, "chargingSchedule": schedule}
        yield from self._line.calls(
            time_us + 4 * SECOND_US, Call("NotifyEVChargingSchedule", said, {"status": "Accepted"})
        )

    def _orders(self, time_us: int, start_us: int, setpoint_mw: int) -> Iterator[Message]:
        """One quarter hour otherwise than the schedule has it."""
        schedule = self._in_watts(start_us, [(0, setpoint_mw)], SLOT_US // SECOND_US)
        order = Call("SetChargingProfile", self._profile(schedule, _LEVEL_OF_ORDER), {"status": "Accepted"})
        yield from self._line.calls(time_us, order, from_backend=True)

    def _needs(self, soc_mws: int, until_us: int) -> Call:
        wanted_mws = max(self._battery_mws * _TARGET_PERCENT // 100 - soc_mws, 0)
        needs: JsonObject = {
            "requestedEnergyTransfer": "AC_BPT" if self._is_2_1 else "AC_three_phase",
            "departureTime": format_time(until_us),
            "acChargingParameters": {
                "energyAmount": wanted_mws // MWS_PER_WH,
                "evMinCurrent": _LEAST_AMPERE,
                "evMaxCurrent": self._charge_mw // 1000 // (3 * 230),
                "evMaxVoltage": _VOLT,
            },
        }
        if self._is_2_1:
            needs["v2xChargingParameters"] = {
                "maxChargePower": self._charge_mw // 1000,
                "maxDischargePower": self._discharge_mw // 1000,
                "targetSoC": _TARGET_PERCENT,
            }
        payload = {"evseId": _EVSE, "chargingNeeds": needs, "maxScheduleTuples": 96}
        return Call("NotifyEVChargingNeeds", payload, {"status": "Accepted"})

    def _schedule(self, first: int, last: int) -> JsonObject:
        """The quarter hours ``first .. last-1`` as the aggregator means them, equal neighbours as one period."""
        slots = range(first, last)
        periods = [next(group) for _, group in groupby(slots, key=lambda slot: self._meant_mw[slot])]
        steps = [((slot - first) * SLOT_US // SECOND_US, self._meant_mw[slot]) for slot in periods]
        return self._in_watts(self._plan.slots[first], steps, len(slots) * SLOT_US // SECOND_US)

    def _in_watts(self, start_us: int, steps: list[tuple[int, int]], seconds: int) -> JsonObject:
        return {
            "id": start_us // SECOND_US,
            "startSchedule": format_time(start_us),
            "duration": seconds,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [self._period(after_s, power_mw // 1000) for after_s, power_mw in steps],
        }

    def _period(self, after_s: int, power_w: int) -> JsonObject:
        """A set point below zero is a ``setpoint`` in 2.1; in 2.0.1 a negative ``limit`` stands for it."""
        if self._is_2_1:
            return {"startPeriod": after_s, "setpoint": power_w, "operationMode": "CentralSetpoint"}
        return {"startPeriod": after_s, "limit": power_w}

    def _profile(self, schedule: JsonObject, level: int) -> dict[str, Any]:
        profile = {
            "id": schedule["id"],
            "stackLevel": level,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": [schedule],
        }
        return {"evseId": _EVSE, "chargingProfile": profile}
