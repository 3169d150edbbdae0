"""Electrical connections: between which values a device or vehicle can be driven, and what it is built for."""

from typing import Any, Final

from schemas.event import Event
from schemas.facts import Facts
from twin.amounts import Number
from twin.observe.eebus.said import PHASES, exact, in_unit, owner_of, tell, whole, words

_CURRENT, _POWER = "current", "charge_power"
_SCOPES: Final = {"acCurrent": _CURRENT, "acPower": "power", "acPowerTotal": _POWER}


def _on_permitted(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """Smallest and largest current of each phase, smallest and largest power."""
    assert event.time_us is not None
    actor, explained = owner_of(event), event.payload["context"].get("parameters", {})
    prefix = "ev_" if actor.startswith("evse:") else ""
    for item in data.get("electricalConnectionPermittedValueSetData", []):
        description = explained.get(f"{item['electricalConnectionId']}/{item['parameterId']}")
        name = _SCOPES.get(description.get("scopeType", "")) if description is not None else None
        bounds = _bounds(item)
        if name is None or not bounds:
            continue
        usual = "A" if name == _CURRENT else "W"
        bounds = [in_unit(bound, description.get("unit") or usual)[0] for bound in bounds]
        unit = in_unit(0, description.get("unit") or usual)[1]
        if description.get("positiveEnergyDirection") == "produce":
            bounds = [-bound for bound in bounds]
        suffix = "" if name == _POWER else PHASES.get(description.get("acMeasuredPhases", "abc"), "")
        tell(facts, actor, f"{prefix}min_{name}{suffix}", whole(min(bounds)), unit, event.time_us)
        tell(facts, actor, f"{prefix}max_{name}{suffix}", whole(max(bounds)), unit, event.time_us)


def _bounds(item: dict[str, Any]) -> list[Number]:
    """The ends of the permitted ranges; where there are none, the permitted values."""
    sets = item.get("permittedValueSet", [])
    ranges = [part for one in sets for part in _many(one.get("range"))]
    values = [part for one in sets for part in _many(one.get("value"))]
    ends = [exact(one.get(end)) for one in ranges for end in ("min", "max")] or [exact(value) for value in values]
    return [end for end in ends if end is not None]


def _many(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []


def _on_characteristics(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """What a device or connection is built for, or contracted to."""
    assert event.time_us is not None
    actor = owner_of(event)
    for item in data.get("electricalConnectionCharacteristicData", []):
        amount, kind = exact(item.get("value")), item.get("characteristicType")
        if amount is not None and kind:
            value, unit = in_unit(amount, item.get("unit"))
            tell(facts, actor, words(kind), value, unit, event.time_us)


SAID: Final = {
    "electricalConnectionPermittedValueSetListData": _on_permitted,
    "electricalConnectionCharacteristicListData": _on_characteristics,
}
