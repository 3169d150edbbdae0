"""Coordinated charging (CEVC 1.0.1): what a vehicle wants, what it plans, between which limits it may plan.

What a time series means its description says (``timeSeriesType``, SPINE resources 1.3.0, TimeSeries):

=========================================  ====  ====================================================================
type                                       unit  what is told
=========================================  ====  ====================================================================
singleDemand, energyRequest                Wh    ``ev_requested_energy``, ``ev_min_energy``, ``ev_max_energy``;
                                                 ``ev_departure``, where its slot has a duration
plan                                       W     ``ev_schedule_limit``, the power it begins with, ``ev_schedule_start``,
                                                 ``ev_schedule_duration`` in s; series ``schedule.profile``
constraints, consumptionLimitCurve         W     ``cevc_limit``, the power that may be planned first, with
                                                 ``_requested`` where it is written, of both ends; series
                                                 ``schedule.limit`` and ``schedule.limit.requested``
=========================================  ====  ====================================================================

A slot lies where it says, or follows the one before it; between slots nothing is planned, and nothing is told.
Series hold the power at the beginning of every quarter hour, in mW, for a week at most; version ``<time>|<id>``. Other
types, and constraints of time series, stay in the payload.
"""

from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import INDICATIVE, Facts, Reject, SlotValue
from schemas.time import SECOND_US, SLOT_US, format_time
from schemas.wire.eebus.moments import moment_us
from twin.amounts import Number, scaled
from twin.observe.ceilings import REQUESTED, SLOT_LIMIT
from twin.observe.eebus.said import exact, in_unit, owner_of, place_of, tell

POWER_LIMIT_W: Final = 10**6
"""[M] No vehicle plans a megawatt."""

_DEMANDS: Final = frozenset({"singleDemand", "energyRequest"})
_CURVES: Final = frozenset({"constraints", "consumptionLimitCurve"})
_PLAN: Final = "plan"
_AMOUNTS: Final = {"value": "ev_requested_energy", "minValue": "ev_min_energy", "maxValue": "ev_max_energy"}
_PROFILE, _LIMIT, _NAME = "schedule.profile", "schedule.limit", "cevc_limit"


class _Step(NamedTuple):
    """From when until when (None: nobody says) this power holds."""

    start_us: int
    end_us: int | None
    power_w: Number


def _on_series(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """The owner says what it wants, plans and may."""
    for kind, unit, item in _explained(event.payload["context"], data):
        if kind in _DEMANDS:
            _demand(event, item, unit, facts)
        elif kind == _PLAN:
            _plan(event, item, unit, facts)
        elif kind in _CURVES:
            steps = _powers(event, item, unit, facts, event.time_us)
            _curve(event, steps, (owner_of(event),), "", item["timeSeriesId"], facts)


def _on_write(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """The energy manager asks for limits of the plan: said of both ends."""
    ends = tuple(event.payload[end]["actor"] for end in ("destination", "source"))
    for kind, unit, item in _explained(event.payload["context"], data):
        if kind in _CURVES:
            steps = _powers(event, item, unit, facts, event.time_us)
            _curve(event, steps, ends, REQUESTED, item["timeSeriesId"], facts)


def answered(event: Event, call: dict[str, Any], facts: Facts, *, accepted: bool) -> bool:
    """The limits of a plan that were written hold, where their owner accepted them; whether the call had any."""
    curves = [entry for entry in _explained(call["context"], call["data"]) if entry[0] in _CURVES]
    for _, unit, item in curves if accepted else []:
        steps = _powers(event, item, unit, facts, call["time_us"])
        _curve(event, steps, (call["owner"]["actor"],), "", item["timeSeriesId"], facts)
    return bool(curves)


def _explained(context: dict[str, Any], data: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Type and unit of every time series that is described, and itself."""
    known = context.get("series", {})
    found = [(known.get(f"{item['timeSeriesId']}"), item) for item in data.get("timeSeriesData", [])]
    return [(said.get("timeSeriesType", ""), said.get("unit", ""), item) for said, item in found if said is not None]


def _demand(event: Event, item: dict[str, Any], unit: str, facts: Facts) -> None:
    """The energy a vehicle wants: its first slot (CEVC 1.0.1, scenario 1)."""
    assert event.time_us is not None
    slots, actor = item.get("timeSeriesSlot", []), owner_of(event)
    if not slots:
        return
    for field, attribute in _AMOUNTS.items():
        amount = exact(slots[0].get(field))
        if amount is None:
            continue
        energy, kept = in_unit(amount, unit)
        if kept != "Wh" or energy < 0:
            facts.rejects.append(Reject("implausible-demand", f"{actor}: {attribute} of {energy} {kept[:40]}"))
        else:
            tell(facts, actor, attribute, energy, kept, event.time_us)
    if "duration" in slots[0]:
        starts = (_edge_us(said, "startTime", event.time_us) for said in (slots[0], item))
        start_us = next((start for start in starts if start is not None), event.time_us)
        departure_us = moment_us(slots[0]["duration"], start_us)
        if departure_us is not None:
            tell(facts, actor, "ev_departure", format_time(departure_us), "", event.time_us)


def _plan(event: Event, item: dict[str, Any], unit: str, facts: Facts) -> None:
    assert event.time_us is not None
    actor, time_us, steps = owner_of(event), event.time_us, _powers(event, item, unit, facts, event.time_us)
    if not steps:
        return
    tell(facts, actor, "ev_schedule_limit", steps[0].power_w, "W", time_us)
    tell(facts, actor, "ev_schedule_start", format_time(steps[0].start_us), "", time_us)
    if steps[-1].end_us is not None:
        seconds = (steps[-1].end_us - steps[0].start_us) // SECOND_US
        tell(facts, actor, "ev_schedule_duration", seconds, "s", time_us)
    _tell_quarters(steps, (_PROFILE, place_of(actor)), f"{format_time(time_us)}|{item['timeSeriesId']}", facts)


def _curve(event: Event, steps: list[_Step], actors: tuple[str, ...], suffix: str, number: int, facts: Facts) -> None:
    """Limits of a plan, of every one of the actors; quarter hours of the first, which is to keep them."""
    assert event.time_us is not None
    if not steps:
        return
    for actor in dict.fromkeys(actors):
        tell(facts, actor, _NAME + suffix.replace(".", "_"), steps[0].power_w, "W", event.time_us)
    version = f"{format_time(event.time_us)}|{number}"
    _tell_quarters(steps, (_LIMIT + suffix, place_of(actors[0])), version, facts)


def _powers(event: Event, item: dict[str, Any], unit: str, facts: Facts, base_us: int | None) -> list[_Step]:
    """The steps of a time series of powers; durations count from ``base_us``. None where one cannot be believed."""
    slots = item.get("timeSeriesSlot", [])
    steps: list[_Step] = []
    for place, slot in enumerate(slots):
        amount = next((found for field in ("maxValue", "value") if (found := exact(slot.get(field))) is not None), None)
        follows_us = steps[-1].end_us if steps else _edge_us(item, "startTime", base_us) or base_us
        start_us = _edge_us(slot, "startTime", base_us) or follows_us
        if amount is None or start_us is None:
            return []
        power, kept = in_unit(amount, unit)
        end_us = _end_us(item, slots[place : place + 2], start_us, base_us)
        doubt = ""
        if kept != "W" or not 0 <= power <= POWER_LIMIT_W:
            doubt = f"a power of {power} {kept[:40]}"
        elif end_us is not None and end_us < start_us:
            doubt = "a step that ends before it begins"
        elif steps and follows_us is not None and start_us < follows_us:
            doubt = "a step that begins before the one before it ends"
        if doubt:
            detail = f"{owner_of(event)}: time series {item['timeSeriesId']} with {doubt}"
            facts.rejects.append(Reject("implausible-plan", detail))
            return []
        steps.append(_Step(start_us, end_us, power))
    return steps


def _edge_us(said: dict[str, Any], edge: str, base_us: int | None) -> int | None:
    """A border that a time series or a slot says of itself."""
    found = said.get("timePeriod", {}).get(edge)
    return None if found is None else moment_us(found, base_us)


def _end_us(item: dict[str, Any], slots: list[dict[str, Any]], start_us: int, base_us: int | None) -> int | None:
    """When the first of these slots ends: after its duration, else with its own period, else when the next begins.

    Where that says nothing, with the time series.
    """
    if "duration" in slots[0]:
        return moment_us(slots[0]["duration"], start_us)
    ends = [_edge_us(slots[0], "endTime", base_us)]
    ends += [_edge_us(following, "startTime", base_us) for following in slots[1:]]
    return next((end for end in ends if end is not None), _edge_us(item, "endTime", base_us))


def _tell_quarters(steps: list[_Step], where: tuple[str, str], version: str, facts: Facts) -> None:
    """The power at the beginning of every quarter hour that lies in a step which ends."""
    left = SLOT_LIMIT
    for step in steps:
        first_us = -(-step.start_us // SLOT_US) * SLOT_US
        slots = range(first_us, first_us if step.end_us is None else step.end_us, SLOT_US)[:left]
        power_mw = scaled(step.power_w, 1000)
        facts.slot_values += [SlotValue(*where, slot_us, power_mw, "mW", INDICATIVE, version) for slot_us in slots]
        left -= len(slots)


SAID: Final = {"timeSeriesListData": _on_series}
WRITTEN: Final = {"timeSeriesListData": _on_write}
