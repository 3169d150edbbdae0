"""What the aggregators' series say: what a pool can do, what it shall do, what was traded, and at which price.

===================================  ==============================  ================================================
kind                                 series                          value
===================================  ==============================  ================================================
min_power, max_power                 flexibility.min-power ...       mW, import positive; below zero discharges
min_energy, max_energy               flexibility.min-energy ...      mWh, likewise
schedule_power, schedule_energy      schedule.power, .energy         mW, mWh, likewise
sold, bought                         position.sold, .bought          mWh, never negative
price                                price.flexibility               as sent, in the unit named
===================================  ==============================  ================================================

The object is the pool (or plant) named. Version: ``<created>|<sender>|<document>``.
"""

from decimal import Decimal
from typing import Any, Final

from schemas.event import Event
from schemas.facts import MEASURED, Facts, Observation, Reject, SlotValue
from schemas.time import SLOT_US, format_time

_SERIES: Final = {
    "min_power": "flexibility.min-power",
    "max_power": "flexibility.max-power",
    "min_energy": "flexibility.min-energy",
    "max_energy": "flexibility.max-energy",
    "schedule_power": "schedule.power",
    "schedule_energy": "schedule.energy",
    "sold": "position.sold",
    "bought": "position.bought",
    "price": "price.flexibility",
}
_EXPONENTS: Final = {"W": 3, "kW": 6, "MW": 9, "Wh": 3, "kWh": 6, "MWh": 9}
"""Powers of ten to mW and mWh."""
_ONE_SIDED: Final = frozenset({"sold", "bought"})
_OTHER: Final = {"technical-aggregator": "commercial-aggregator", "commercial-aggregator": "technical-aggregator"}
_NAMED_AT_MOST: Final = 8
"""Rejects of one series; what is beyond them is counted."""


def observe(event: Event, facts: Facts) -> None:
    """Append the quarter hours of every series."""
    said, actor = event.payload, event.actor
    role, _, sender = actor.partition(":")
    times = [slot_us for series in said["series"] for slot_us, _ in series["values"]]
    told_us = min(times) if event.time_us is None else event.time_us
    version = f"{format_time(told_us)}|{sender}|{said['document']}"
    for series in said["series"]:
        _quarter_hours(series, version, facts)
    _crossed(said["series"], facts)
    if event.time_us is not None:
        document = said["document"] or "?"
        until = format_time(max(times) + SLOT_US)
        facts.observations.append(Observation(actor, "last_document", document, "", event.time_us))
        facts.observations.append(Observation(actor, "series_until", until, "", event.time_us))
        if said["receiver"]:
            receiver = f"{_OTHER[role]}:{said['receiver']}"
            facts.observations.append(Observation(receiver, "last_received", document, "", event.time_us))


def _quarter_hours(series: dict[str, Any], version: str, facts: Facts) -> None:
    kind, unit, place = series["kind"], series["unit"], series["object"]
    rejects = []
    for slot_us, amount in series["values"]:
        value, where = Decimal(amount), f"{kind} of {place} at {format_time(slot_us)}"
        if slot_us % SLOT_US:
            rejects.append(Reject("not-a-quarter-hour", f"{where}: no quarter hour begins then"))
        elif kind in _ONE_SIDED and value < 0:
            rejects.append(Reject("negative-energy", f"{where}: {value}; sold and bought are two series"))
        elif kind == "price":
            facts.slot_values.append(SlotValue(_SERIES[kind], place, slot_us, value, unit, MEASURED, version))
        else:
            exact = round(value.scaleb(_EXPONENTS[unit]))
            to = "mWh" if unit.endswith("h") else "mW"
            facts.slot_values.append(SlotValue(_SERIES[kind], place, slot_us, exact, to, MEASURED, version))
    facts.rejects += rejects[:_NAMED_AT_MOST]
    if len(rejects) > _NAMED_AT_MOST:
        more = len(rejects) - _NAMED_AT_MOST
        facts.rejects.append(Reject(rejects[-1].reason, f"{kind} of {place}: {more} more values likewise"))


def _crossed(listed: list[dict[str, Any]], facts: Facts) -> None:
    """Tell where a minimum lies above its maximum; both are kept, nobody knows which is wrong."""
    told = {(series["object"], series["kind"]): series for series in listed}
    for (place, kind), highest in told.items():
        lowest = told.get((place, kind.replace("max_", "min_"))) if kind.startswith("max_") else None
        if lowest is None:
            continue
        most = {slot_us: _scaled(value, highest["unit"]) for slot_us, value in highest["values"]}
        crossed = [
            slot_us
            for slot_us, value in lowest["values"]
            if slot_us in most and _scaled(value, lowest["unit"]) > most[slot_us]
        ]
        if crossed:
            detail = f"{place}: {lowest['kind']} lies above {kind} in {len(crossed)} quarter hours, first at "
            facts.rejects.append(Reject("crossed-limits", detail + format_time(crossed[0])))


def _scaled(value: Any, unit: str) -> Decimal:
    return Decimal(value).scaleb(_EXPONENTS[unit])
