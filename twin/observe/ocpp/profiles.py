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
from operator import itemgetter
from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import INDICATIVE, Facts, Observation, Reject, Scalar, SlotValue
from schemas.time import SECOND_US, SLOT_US, format_time, slot_of
from twin.amounts import Number, number, scaled
from twin.observe.ocpp.meter_values import POWER_LIMIT_MW
from twin.observe.ocpp.said import instant

SLOT_LIMIT: Final = 7 * 96
"""Quarter hours told of one schedule: a week."""

_LIMIT: Final = POWER_LIMIT_MW // 1000
"""In watts; as amperes it is beyond reason all the more."""

_YEAR_S: Final = 366 * 86_400

_TRANSACTION_PURPOSES: Final = {"TxProfile", "TxDefaultProfile", None}
_SERIES: Final = {
    "limit": ("schedule.limit", "charging_limit"),
    "setpoint": ("schedule.setpoint", "charging_setpoint"),
    "dischargeLimit": ("schedule.discharge-limit", "discharge_limit"),
}
_PHASES: Final = ("", "_L2", "_L3")


_Limits = list[tuple[str, Number]]
"""What a period says: names of its fields with their values, of all phases together."""


class _Schedule(NamedTuple):
    """A schedule with a start: periods begin at ``starts_us`` (ascending) and the last ends at ``end_us``."""

    starts_us: list[int]
    periods: list[_Limits]
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
    """UpdateDynamicSchedule: new values from now on (2.1, use case K28).

    They are in the unit of the profile they change, which the message does not name: the unit stays empty.
    """
    if event.time_us is not None and event.payload["body"]["status"] == "Accepted":
        update = event.payload["call"]["request"]["scheduleUpdate"]
        _in_force(event.actor, _limits(update, "", facts), "", event.time_us, facts)


def _on_pulled_update(event: Event, facts: Facts) -> None:
    """PullDynamicScheduleUpdate: the same, asked for by the station."""
    body = event.payload["body"]
    if event.time_us is not None and body["status"] == "Accepted" and "scheduleUpdate" in body:
        _in_force(event.actor, _limits(body["scheduleUpdate"], "", facts), "", event.time_us, facts)


def _profile(event: Event, profile: dict[str, Any], facts: Facts) -> None:
    schedules = profile.get("chargingSchedule") or []
    start_needed = profile.get("chargingProfileKind") == "Absolute"
    for raw in schedules if isinstance(schedules, list) else [schedules]:
        start_us = instant(raw.get("startSchedule")) if start_needed else None
        schedule = _schedule(raw, start_us or 0, instant(profile.get("validTo")), facts)
        if not schedule.periods:
            continue
        if start_us is not None:
            _slots(event, profile, schedule, facts)
        if event.time_us is not None:
            begun = bisect_right(schedule.starts_us, event.time_us) if start_us is not None else 0
            _in_force(event.actor, schedule.periods[max(begun - 1, 0)], schedule.unit, event.time_us, facts)


def _schedule(raw: dict[str, Any], start_us: int, valid_to_us: int | None, facts: Facts) -> _Schedule:
    unit = raw.get("chargingRateUnit", "W")
    begun = [
        (start_us + _seconds(period.get("startPeriod")) * SECOND_US, _limits(period, unit, facts))
        for period in raw.get("chargingSchedulePeriod") or []
    ]
    begun.sort(key=itemgetter(0))
    starts_us = [begin_us for begin_us, _ in begun]
    if raw.get("duration") is not None:
        end_us = start_us + _seconds(raw["duration"]) * SECOND_US
    else:
        end_us = slot_of(max(starts_us, default=start_us)) + SLOT_US
    if valid_to_us is not None:
        end_us = min(end_us, valid_to_us)
    return _Schedule(starts_us, [limits for _, limits in begun], end_us, unit)


def _seconds(value: Scalar) -> int:
    """Seconds after the schedule's start; beyond a year is as good as a year."""
    return min(max(scaled(number(value) or 0, 1), 0), _YEAR_S)


def _slots(event: Event, profile: dict[str, Any], schedule: _Schedule, facts: Facts) -> None:
    """A value for every quarter hour at whose start a period is in force."""
    start_us = schedule.starts_us[0]
    said_us = start_us if event.time_us is None else event.time_us
    stack_level, identity = profile.get("stackLevel", 0), profile.get("id", profile.get("chargingProfileId", ""))
    version = f"{format_time(said_us)}|{stack_level:0>6}|{identity}"
    purpose = profile.get("chargingProfilePurpose")
    suffix = "" if purpose in _TRANSACTION_PURPOSES else f".{purpose}"
    place = event.actor.removeprefix("evse:")
    in_watts = schedule.unit == "W"
    first_us = -(-start_us // SLOT_US) * SLOT_US
    last_us = min(schedule.end_us, first_us + SLOT_LIMIT * SLOT_US)
    if last_us < schedule.end_us:
        facts.rejects.append(
            Reject("long-schedule", f"only the first {SLOT_LIMIT} quarter hours of {version} are kept")
        )
    for slot_us in range(first_us, last_us, SLOT_US):
        for field, limit in schedule.periods[bisect_right(schedule.starts_us, slot_us) - 1]:
            value, unit = (scaled(limit, 1000), "mW") if in_watts else (limit, schedule.unit)
            series = _SERIES[field][0] + suffix
            facts.slot_values.append(SlotValue(series, place, slot_us, value, unit, INDICATIVE, version))


def _in_force(actor: str, limits: _Limits, unit: str, time_us: int, facts: Facts) -> None:
    facts.observations.extend(Observation(actor, _SERIES[field][1], limit, unit, time_us) for field, limit in limits)


def _limits(period: dict[str, Any], unit: str, facts: Facts) -> _Limits:
    """The limits of a period: watts given per phase add up, amperes of the first phase stand for each."""
    limits: _Limits = []
    for field in _SERIES:
        first, *others = (number(period.get(field + phase)) for phase in _PHASES)
        if first is None:
            continue
        total = first
        for amount in others:
            total = total if amount is None or unit == "A" else total + amount
        if not -_LIMIT <= total <= _LIMIT:
            facts.rejects.append(Reject("implausible-limit", f"{field} of {total} {unit}, beyond 1 MW"))
        else:
            limits.append((field, total))
    return limits


RESULTS: Final[dict[str, Callable[[Event, Facts], None]]] = {
    "SetChargingProfile": _on_set_profile,
    "UpdateDynamicSchedule": _on_dynamic_update,
    "PullDynamicScheduleUpdate": _on_pulled_update,
}
