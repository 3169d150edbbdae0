"""Keys of the device configuration: failsafe values of LPC and LPP, what a vehicle supports (EVCC)."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import Facts, Reject, Scalar
from schemas.time import HOUR_US, SECOND_US
from schemas.wire.eebus.moments import duration_us
from twin.amounts import Number
from twin.observe.eebus.said import exact, in_unit, magnitude, owner_of, tell, words

FAILSAFE_HOURS: Final = (2, 24)
"""Bounds of the failsafe duration minimum (LPC 1.0.0, scenario 2)."""

_NAMES: Final = {
    "failsafeConsumptionActivePowerLimit": "lpc_failsafe_limit",
    "failsafeProductionActivePowerLimit": "lpp_failsafe_limit",
    "failsafeDurationMinimum": "failsafe_duration",
    "communicationsStandard": "ev_communication_standard",
    "asymmetricChargingSupported": "ev_asymmetric_charging",
}


class Setting(NamedTuple):
    """One key and its value, as an attribute."""

    attribute: str
    value: Scalar
    unit: str


def settings_in(data: dict[str, Any], context: dict[str, Any], actor: str, facts: Facts) -> Iterator[Setting]:
    """The explained keys of ``deviceConfigurationKeyValueListData`` that have a value that can be believed."""
    explained = context.get("keys", {})
    for item in data.get("deviceConfigurationKeyValueData", []):
        description = explained.get(f"{item['keyId']}")
        name = description.get("keyName") if description is not None else None
        if not name:
            continue
        attribute = _NAMES.get(name, f"configuration_{words(name)}")
        value, unit = _value(item.get("value") or {}, description)
        problem = _problem(attribute, value)
        if problem:
            facts.rejects.append(Reject("implausible-failsafe", f"{actor}: {attribute} of {value} {unit}: {problem}"))
        elif value is not None:
            if attribute == "lpp_failsafe_limit" and isinstance(value, Number):
                value = magnitude(value)
            yield Setting(attribute, value, unit)


def _value(value: dict[str, Any], description: dict[str, Any]) -> tuple[Scalar, str]:
    """The value and unit of a key; a duration is in seconds."""
    if "scaledNumber" in value:
        amount = exact(value["scaledNumber"])
        return (None, "") if amount is None else in_unit(amount, description.get("unit"))
    if "duration" in value:
        seconds, rest_us = divmod(duration_us(value["duration"]), SECOND_US)
        return seconds + (rest_us > 0), "s"
    return next((value[kind] for kind in ("boolean", "string", "integer", "dateTime") if kind in value), None), ""


def _problem(attribute: str, value: Scalar) -> str:
    if attribute == "failsafe_duration":
        shortest, longest = (hours * HOUR_US // SECOND_US for hours in FAILSAFE_HOURS)
        if type(value) is not int or not shortest <= value <= longest:
            return f"it is {FAILSAFE_HOURS[0]} to {FAILSAFE_HOURS[1]} hours"
    elif attribute == "lpc_failsafe_limit" and (not isinstance(value, Number) or value < 0):
        return "it is a power that is not negative"
    return ""


def _on_values(event: Event, data: dict[str, Any], facts: Facts) -> None:
    assert event.time_us is not None
    actor = owner_of(event)
    for setting in settings_in(data, event.payload["context"], actor, facts):
        tell(facts, actor, setting.attribute, setting.value, setting.unit, event.time_us)


def _on_write(event: Event, data: dict[str, Any], facts: Facts) -> None:
    assert event.time_us is not None
    actor = owner_of(event)
    for setting in settings_in(data, event.payload["context"], actor, facts):
        tell(facts, actor, f"{setting.attribute}_requested", setting.value, setting.unit, event.time_us)


SAID: Final = {"deviceConfigurationKeyValueListData": _on_values}
WRITTEN: Final = {"deviceConfigurationKeyValueListData": _on_write}
