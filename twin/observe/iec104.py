"""What IEC 60870-5-104 messages say: points of the list as attributes of their actors, set points, delays.

| attribute | unit | said by |
|---|---|---|
| the point list's | the point list's | measured values and states |
| ``<attribute>.quality`` | text | the same, where a quality bit is set; ``good`` otherwise |
| ``<attribute>.confirmation_delay`` | s | a confirmed set point: from call to confirmation |
| ``<attribute>.response_delay`` | s | a measurement that answers a set point and has reached it |
"""

from decimal import Decimal
from typing import Any

from schemas.event import Event
from schemas.facts import Facts, Observation, Reject
from schemas.points import ZONE
from schemas.time import MINUTE_US, SECOND_US, parse_time
from schemas.wire.iec104.asdu import ACTIVATION, COMMANDS, MEASURED

_UNBELIEVABLE = frozenset({"invalid", "not topical"})


def observe(event: Event, facts: Facts) -> None:
    """Append what the objects say. An object without a point, a test and a refused command say nothing.

    Where a time tag is ahead of when it was heard, the value is not believed; a delay then was measured by the log.
    """
    payload = event.payload
    if payload["frame"] != "i" or payload["test"] or payload["negative"]:
        return
    kind = payload["type"]
    for entry in payload["objects"]:
        point = entry.get("point")
        time_us = parse_time(entry["time"]) if entry.get("time") else event.time_us
        if point is None or time_us is None:
            continue
        if "ahead_us" in entry:
            facts.rejects.append(Reject("clock-ahead", _ahead(entry, point)))
            time_us = event.log_time_us or time_us
        elif kind in MEASURED:
            _measured(entry, point, time_us, facts)
        elif kind in COMMANDS and payload["cause"] == ACTIVATION and not entry["select"]:
            _say(facts, point, time_us, _scaled(entry["value"], point))
        _delay(entry.get("confirms"), point, "confirmation_delay", time_us, facts)
        _delay(entry.get("reaches"), point, "response_delay", time_us, facts)


def _ahead(entry: dict[str, Any], point: dict[str, Any]) -> str:
    minutes = entry["ahead_us"] // MINUTE_US
    words = f"its time tag {entry['time']} is {minutes} minutes ahead of when it was heard"
    return f"{point['actor']} {point['attribute']}: {words}; whose clock it is, column {ZONE} of the point list can say"


def _measured(entry: dict[str, Any], point: dict[str, Any], time_us: int, facts: Facts) -> None:
    quality = entry["quality"]
    if entry["value"] is None and not quality:
        facts.rejects.append(Reject("implausible", f"{point['actor']} {point['attribute']}: the value is no number"))
        return
    if entry["value"] is not None and not _UNBELIEVABLE.intersection(quality):
        _say(facts, point, time_us, _scaled(entry["value"], point))
    facts.observations.append(
        Observation(point["actor"], f"{point['attribute']}.quality", ", ".join(quality) or "good", "", time_us)
    )


def _say(facts: Facts, point: dict[str, Any], time_us: int, value: Any) -> None:
    if value is not None:
        facts.observations.append(Observation(point["actor"], point["attribute"], value, point["unit"], time_us))


def _scaled(value: Any, point: dict[str, Any]) -> Any:
    """The value times the point's factor; states have none. Payloads from the log hold decimals as text."""
    if value is None or isinstance(value, bool):
        return value
    number = Decimal(value) * Decimal(point["factor"])
    return int(number) if number == number.to_integral_value() else number.normalize()


def _delay(measured: dict[str, Any] | None, point: dict[str, Any], name: str, time_us: int, facts: Facts) -> None:
    if measured is not None:
        seconds = Decimal(measured["delay_us"]) / SECOND_US
        facts.observations.append(
            Observation(point["actor"], f"{point['attribute']}.{name}", seconds.normalize(), "s", time_us)
        )
