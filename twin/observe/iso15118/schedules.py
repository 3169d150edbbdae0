"""Schedules that a station offers and the profile a vehicle answers with.

- offered: ``SAScheduleList`` of ISO 15118-2 and DIN 70121, ``ScheduleTuple`` of -20. Each has a number; the attribute
  ``offered_schedules`` of the EVSE lists them, and ``schedule_<number>_limit`` and
  ``schedule_<number>_discharge_limit`` (W, 0 or more) tell the power each begins with;
- the profile, ``ChargingProfile`` or ``EVPowerProfile``: ``planned_power`` of the vehicle (W, import positive), the
  power it begins with, and ``selected_schedule``, the number of the offer it follows.

What starts at an absolute time on a quarter hour and changes on quarter hours alone also gives slot values of the EVSE
in mW: ``schedule.limit/offer-<number>``, ``schedule.discharge-limit/offer-<number>``, ``schedule.profile``. Others
cannot be told in quarter hours without guessing. The version is ``<time, ISO Z>|<session>``.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import INDICATIVE, Facts, Observation, SlotValue
from schemas.time import SECOND_US, SLOT_US, format_time
from schemas.wire.iso15118.decoding import instant_of
from twin.amounts import Number, number, scaled, size
from twin.observe.obis import POWER_LIMIT_MW

SLOT_LIMIT: Final = 7 * 96
"""Quarter hours told of one schedule: a week."""

_PHASES: Final = ("Power", "Power_L2", "Power_L3")


class _Step(NamedTuple):
    """From ``start_s`` after the anchor on, for ``duration_s`` (None: until the next), this power."""

    start_s: int
    duration_s: int | None
    power_w: Number


def observe(event: Event, facts: Facts, time_us: int) -> None:
    """Append what the message says of schedules."""
    body = event.payload["body"]
    listed = body.get("SAScheduleList", {}).get("SAScheduleTuple") or _mode(body).get("ScheduleTuple")
    if isinstance(listed, list):
        _offers(listed, event, facts, time_us)
    profile = body.get("EVPowerProfile") or body.get("ChargingProfile")
    if isinstance(profile, dict):
        selected = profile.get("Scheduled_EVPPTControlMode", {}).get("SelectedScheduleTupleID")
        if isinstance(selected, int):
            facts.observations.append(Observation(event.actor, "selected_schedule", selected, "", time_us))
        steps = _profile_steps(profile)
        if steps:
            _say(facts, event.actor, "planned_power", steps[0].power_w, time_us)
            _slots(event, facts, time_us, "schedule.profile", profile.get("TimeAnchor"), steps)


def _mode(body: dict[str, Any]) -> dict[str, Any]:
    mode = body.get("Scheduled_SEResControlMode", {})
    return mode if isinstance(mode, dict) else {}


def _offers(listed: list[dict[str, Any]], event: Event, facts: Facts, time_us: int) -> None:
    numbers = []
    for entry in listed:
        tuple_id = entry.get("SAScheduleTupleID", entry.get("ScheduleTupleID"))
        numbers.append(str(tuple_id))
        for way, anchor, offered in _offered(entry):
            if not offered:
                continue
            # discharging powers are below zero where they come from, and limits of their own here
            steps = [_Step(start_s, duration_s, size(power_w)) for start_s, duration_s, power_w in offered]
            name = f"schedule_{tuple_id}_{way.replace('-', '_')}"
            _say(facts, event.actor, name, steps[0].power_w, time_us)
            _slots(event, facts, time_us, f"schedule.{way}/offer-{tuple_id}", anchor, steps)
    facts.observations.append(Observation(event.actor, "offered_schedules", ", ".join(numbers), "", time_us))


def _offered(entry: dict[str, Any]) -> Iterator[tuple[str, Any, list[_Step]]]:
    """Direction, time anchor and steps of what one entry offers."""
    for holder, way in (("ChargingSchedule", "limit"), ("DischargingSchedule", "discharge-limit")):
        schedule = entry.get(holder, {}).get("PowerSchedule", {})
        steps = _in_turn(schedule.get("PowerScheduleEntries", {}).get("PowerScheduleEntry", []))
        yield way, schedule.get("TimeAnchor"), steps
    yield "limit", None, list(_relative(entry.get("PMaxSchedule", {}).get("PMaxScheduleEntry", [])))


def _relative(entries: list[dict[str, Any]]) -> Iterator[_Step]:
    for entry in entries:
        interval = entry.get("RelativeTimeInterval", {})
        power = _number(entry.get("PMax"))
        if power is not None:
            yield _Step(interval.get("start", 0), interval.get("duration"), power)


def _profile_steps(profile: dict[str, Any]) -> list[_Step]:
    entries = profile.get("EVPowerProfileEntries", {}).get("EVPowerProfileEntry")
    if entries is not None:
        return _in_turn(entries)
    return [
        _Step(entry.get("ChargingProfileEntryStart", 0), None, power)
        for entry in profile.get("ProfileEntry", [])
        if (power := _number(entry.get("ChargingProfileEntryMaxPower"))) is not None
    ]


def _in_turn(entries: list[dict[str, Any]]) -> list[_Step]:
    """Steps that follow each other."""
    steps, start_s = [], 0
    for entry in entries:
        powers = [power for name in _PHASES if (power := _number(entry.get(name))) is not None]
        duration_s = entry["Duration"]
        if powers:
            steps.append(_Step(start_s, duration_s, sum(powers)))
        start_s += duration_s
    return steps


def _slots(event: Event, facts: Facts, time_us: int, series: str, anchor: Any, steps: list[_Step]) -> None:
    place = event.payload["session"].get("evse")
    start_us = instant_of(anchor)
    if place is None or start_us is None or start_us % SLOT_US:
        return
    spans = [(step.start_s * SECOND_US, step.duration_s, step.power_w) for step in steps]
    if any(start % SLOT_US or duration_s is None or duration_s * SECOND_US % SLOT_US for start, duration_s, _ in spans):
        return
    version = f"{format_time(time_us)}|{event.payload['session'].get('id', '')}"
    told = 0
    for start, duration_s, power_w in spans:
        power_mw = scaled(power_w, 1000)
        if abs(power_mw) > POWER_LIMIT_MW:
            continue
        count = min((duration_s or 0) * SECOND_US // SLOT_US, SLOT_LIMIT - told)
        first_us = start_us + start
        facts.slot_values += [
            SlotValue(series, place, first_us + slot * SLOT_US, power_mw, "mW", INDICATIVE, version)
            for slot in range(count)
        ]
        told += count


def _number(content: Any) -> Number | None:
    return number(content["value"]) if isinstance(content, dict) and "value" in content else number(content)


def _say(facts: Facts, actor: str, attribute: str, power_w: Number, time_us: int) -> None:
    if abs(scaled(power_w, 1000)) <= POWER_LIMIT_MW:
        facts.observations.append(Observation(actor, attribute, power_w, "W", time_us))
