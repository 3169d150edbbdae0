"""Charging profiles that hold: accepted, or standing alone (OCPP 2.1 part 2, "ChargingProfileType"; 1.6, clause 5.16).

- ``charging_limit``, ``charging_setpoint``, ``discharge_limit`` of the EVSE at the event's time: the values in force
  then, or those the profile begins with. Import positive: set points and discharge limits below zero discharge.
- an ``Absolute`` profile with a start gives ``schedule.limit``, ``schedule.setpoint`` and ``schedule.discharge-limit``
  for every quarter hour at whose *start* a period is in force (a period that begins and ends within one is not
  seen). Watts are kept as mW, amperes as they are. A schedule without an end is told up to the quarter hour in
  which its last period begins: how long that lasts is not known when it is said.
- a profile that is no transaction's own or default has its purpose behind the series' name: limits of different
  purposes hold side by side.

The version of a slot value is ``<time, ISO Z>|<stack level>|<profile id>``: said later wins.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import INDICATIVE, Facts, Observation, Reject, SlotValue
from schemas.time import SECOND_US, SLOT_US, format_time, slot_of
from twin.observe.ocpp.meter_values import POWER_LIMIT_MW
from twin.observe.ocpp.numbers import Number, number, scaled
from twin.observe.ocpp.said import instant

SLOT_LIMIT: Final = 7 * 96
"""Quarter hours told of one schedule: a week."""

_TRANSACTION_PURPOSES: Final = {"TxProfile", "TxDefaultProfile", None}
_SERIES: Final = {
    "limit": ("schedule.limit", "charging_limit"),
    "setpoint": ("schedule.setpoint", "charging_setpoint"),
    "dischargeLimit": ("schedule.discharge-limit", "discharge_limit"),
}
_PHASES: Final = ("", "_L2", "_L3")


class _Schedule(NamedTuple):
    """A schedule with a start: periods begin at ``starts_us`` (ascending) and the last ends at ``end_us``."""

    starts_us: list[int]
    periods: list[dict[str, Any]]
    end_us: int
    unit: str


def lone_profile(event: Event, facts: Facts) -> None:
    """A profile without the message that carried it counts as holding."""
    _profile(event, event.payload, facts)


def _on_set_profile(event: Event, facts: Facts) -> None:
    if event.payload["body"]["status"] == "Accepted":
        request = event.payload["call"]["request"]
        _profile(event, request.get("csChargingProfiles") or request["chargingProfile"], facts)


def _on_dynamic_update(event: Event, facts: Facts) -> None:
    """UpdateDynamicSchedule: new values from now on, of a profile sent before; in watts (2.1, use case K28)."""
    if event.time_us is not None and event.payload["body"]["status"] == "Accepted":
        update = event.payload["call"]["request"]["scheduleUpdate"]
        _in_force(event.actor, update, "W", event.time_us, facts)


def _on_pulled_update(event: Event, facts: Facts) -> None:
    """PullDynamicScheduleUpdate: the same, asked for by the station."""
    body = event.payload["body"]
    if event.time_us is not None and body["status"] == "Accepted" and "scheduleUpdate" in body:
        _in_force(event.actor, body["scheduleUpdate"], "W", event.time_us, facts)


def _profile(event: Event, profile: dict[str, Any], facts: Facts) -> None:
    schedules = profile.get("chargingSchedule") or []
    for raw in schedules if isinstance(schedules, list) else [schedules]:
        periods = raw.get("chargingSchedulePeriod") or []
        if not periods:
            continue
        start_us = instant(raw.get("startSchedule")) if profile.get("chargingProfileKind") == "Absolute" else None
        unit = raw.get("chargingRateUnit", "W")
        if start_us is None:
            now = periods[0]
        else:
            schedule = _schedule(start_us, raw, periods, unit, instant(profile.get("validTo")))
            now = schedule.periods[max(bisect_right(schedule.starts_us, event.time_us or start_us) - 1, 0)]
            _slots(event, profile, schedule, start_us, facts)
        if event.time_us is not None:
            _in_force(event.actor, now, unit, event.time_us, facts)


def _schedule(
    start_us: int, raw: dict[str, Any], periods: list[dict[str, Any]], unit: str, valid_to_us: int | None
) -> _Schedule:
    begun = sorted(((_seconds(period.get("startPeriod")), period) for period in periods), key=lambda pair: pair[0])
    starts_us = [start_us + seconds * SECOND_US for seconds, _ in begun]
    ends_us = [slot_of(starts_us[-1]) + SLOT_US]
    if raw.get("duration") is not None:
        ends_us = [start_us + _seconds(raw["duration"]) * SECOND_US]
    if valid_to_us is not None:
        ends_us.append(valid_to_us)
    return _Schedule(starts_us, [period for _, period in begun], min(ends_us), unit)


def _seconds(value: Any) -> int:
    """Seconds after the schedule's start; beyond a year is as good as a year."""
    return min(max(scaled(number(value) or 0, 1), 0), 366 * 86_400)


def _slots(event: Event, profile: dict[str, Any], schedule: _Schedule, start_us: int, facts: Facts) -> None:
    said_us = start_us if event.time_us is None else event.time_us
    stack_level, identity = profile.get("stackLevel", 0), profile.get("id", profile.get("chargingProfileId", ""))
    version = f"{format_time(said_us)}|{stack_level:>06}|{identity}"
    purpose = profile.get("chargingProfilePurpose")
    suffix = "" if purpose in _TRANSACTION_PURPOSES else f".{purpose}"
    place = event.actor.removeprefix("evse:")
    first_us = -(-schedule.starts_us[0] // SLOT_US) * SLOT_US
    last_us = min(schedule.end_us, first_us + SLOT_LIMIT * SLOT_US)
    if last_us < schedule.end_us:
        facts.rejects.append(
            Reject("long-schedule", f"only the first {SLOT_LIMIT} quarter hours of {version} are kept")
        )
    told: dict[int, list[tuple[str, Number, str]]] = {}
    for slot_us in range(first_us, last_us, SLOT_US):
        index = bisect_right(schedule.starts_us, slot_us) - 1
        if index not in told:
            told[index] = _values(schedule.periods[index], schedule.unit, facts)
        for field, value, unit in told[index]:
            series = _SERIES[field][0] + suffix
            facts.slot_values.append(SlotValue(series, place, slot_us, value, unit, INDICATIVE, version))


def _in_force(actor: str, period: dict[str, Any], unit: str, time_us: int, facts: Facts) -> None:
    for field, (_, attribute) in _SERIES.items():
        value = _total(period, field, unit)
        if value is not None:
            facts.observations.append(Observation(actor, attribute, value, unit, time_us))


def _values(period: dict[str, Any], unit: str, facts: Facts) -> list[tuple[str, Number, str]]:
    """Field, value and unit of a period's limits: W as mW, A as they are."""
    values: list[tuple[str, Number, str]] = []
    for field in _SERIES:
        value = _total(period, field, unit)
        if value is None:
            continue
        if unit == "A":
            values.append((field, value, "A"))
        elif not -POWER_LIMIT_MW <= value * 1000 <= POWER_LIMIT_MW:
            facts.rejects.append(Reject("implausible-power", f"{field} of {value} W, beyond 1 MW"))
        else:
            values.append((field, scaled(value, 1000), "mW"))
    return values


def _total(period: dict[str, Any], field: str, unit: str) -> Number | None:
    """The value of all phases: watts given per phase add up, amperes of the first phase stand for each."""
    amounts = [number(period.get(field + phase)) for phase in (_PHASES if unit == "W" else _PHASES[:1])]
    if amounts[0] is None:
        return None
    total: Number = 0
    for amount in amounts:
        total = total if amount is None else total + amount
    return total


RESULTS: Final[dict[str, Callable[[Event, Facts], None]]] = {
    "SetChargingProfile": _on_set_profile,
    "UpdateDynamicSchedule": _on_dynamic_update,
    "PullDynamicScheduleUpdate": _on_pulled_update,
}
