"""How observers of EEBUS say things: who an event is about, exact numbers, names of attributes."""

import re
from decimal import Decimal
from typing import Any, Final

from schemas.event import Event
from schemas.facts import Facts, Observation, Reject, Scalar
from schemas.time import format_time
from schemas.wire.eebus.moments import moment_us
from twin.amounts import Number, number, times

PHASES: Final = {"a": "_l1", "b": "_l2", "c": "_l3", "ab": "_l1_l2", "bc": "_l2_l3", "ac": "_l1_l3", "abc": ""}
"""Suffixes of attributes by ``acMeasuredPhases``."""

UNITS: Final[dict[str, tuple[str, int]]] = {
    "kW": ("W", 1000),
    "kWh": ("Wh", 1000),
    "pct": ("%", 1),
    "degC": ("°C", 1),
    "s": ("s", 1),
}
"""Units of SPINE as they are kept, where they differ."""

VALUE_LIMIT: Final = 10**12
"""A million million of anything is measured nowhere here [M]."""

_PREFIX: Final = re.compile(r"^[a-z-]+:")


def owner_of(event: Event) -> str:
    """The actor whose data a message is about."""
    payload = event.payload
    actor: str = payload[payload["owner"] or "source"]["actor"]
    return actor


def place_of(actor: str) -> str:
    """An actor's name without its kind: the metering point of what it measures.

    >>> place_of("evse:d:_i:1_A/2")
    'd:_i:1_A/2'
    """
    return _PREFIX.sub("", actor, count=1)


def exact(value: Any) -> Number | None:
    """The number a ``ScaledNumber`` stands for; an integer where it is whole. None where it has none.

    >>> exact({"number": 625, "scale": -2}), exact({"number": 42, "scale": 2}), exact({"number": 50, "scale": -1})
    (Decimal('6.25'), 4200, 5)
    """
    if not isinstance(value, dict):
        return None
    digits, scale = number(value.get("number")), number(value.get("scale", 0))
    if digits is None or scale is None:
        return None
    return whole(Decimal(digits).scaleb(int(scale)))


def in_unit(value: Number, unit: str | None) -> tuple[Number, str]:
    """A value in the unit in which its kind is kept.

    >>> in_unit(Decimal("4.2"), "kW"), in_unit(80, "pct"), in_unit(6, "A")
    ((4200, 'W'), (80, '%'), (6, 'A'))
    """
    kept, factor = UNITS.get(unit or "", (unit or "", 1))
    return whole(times(value, factor)), kept


def magnitude(value: Number) -> Number:
    """A number without its sign."""
    return -value if value < 0 else value


def whole(value: Number) -> Number:
    """The same number, as an integer where it is one."""
    return int(value) if value == int(value) else value


def at(event: Event, stamp: str | None) -> int:
    """The time of a part of a message: its own, else that of the message."""
    assert event.time_us is not None
    moment = moment_us(stamp, event.time_us) if stamp else None
    return event.time_us if moment is None else moment


def words(name: str) -> str:
    """Names of SPINE as attributes.

    >>> words("acPowerTotal"), words("isoStandard2")
    ('ac_power_total', 'iso_standard2')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[.-]", "_", name).lower()


def tell(facts: Facts, actor: str, attribute: str, value: Scalar, unit: str, time_us: int) -> None:
    """One observation; a number beyond what can be believed is rejected instead."""
    if isinstance(value, Number) and magnitude(value) > VALUE_LIMIT:
        detail = f"{actor} at {format_time(time_us)}: {attribute} of {value} {unit[:40]}"
        facts.rejects.append(Reject("implausible-value", detail))
        return
    facts.observations.append(Observation(actor, attribute, value, unit, time_us))
