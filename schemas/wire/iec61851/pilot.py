"""A sample of the control pilot (IEC 61851-1:2017, annex A)."""

import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

from schemas.wire import strict_json
from schemas.wire.contract import Conversation, Decoded, Frame, SchemaViolation
from schemas.wire.iec61851.table import COLUMNS, NEEDED, fields_of
from schemas.wire.instants import instant

STATES: Final = {
    "A": "no vehicle connected",
    "B": "vehicle connected, not ready",
    "C": "vehicle connected and ready",
    "D": "vehicle connected and ready, ventilation required",
    "E": "pilot lost: no power, or short circuit",
    "F": "charging station not available",
}
"""Table A.4 (A.2 of the edition of 2010)."""

_STATE: Final = re.compile(r"([A-F])([12]?)")
_NUMBER: Final = re.compile(r"-?\d{1,6}(?:\.\d{1,9})?")
_TEXT_LIMIT: Final = 100
_VOLTAGE_LIMIT: Final = 20


class Allowed(NamedTuple):
    """What a duty cycle allows: amperes per phase (None: digital communication tells), in words."""

    current_limit: Decimal | None
    meaning: str


def allowed(duty_cycle: Decimal) -> Allowed:
    """What the vehicle may draw at a duty cycle in per cent (table A.8).

    >>> [allowed(Decimal(duty)).current_limit for duty in (2, 5, "7.5", 9, 50, 85, 90, "96.5", 100)]
    [Decimal('0'), None, Decimal('0'), Decimal('6'), Decimal('30.0'), Decimal('51.0'), Decimal('65.0'), Decimal('80'), \
Decimal('0')]
    """
    if 3 <= duty_cycle <= 7:
        return Allowed(None, "digital communication is required")
    if duty_cycle < 8 or duty_cycle > 97:
        return Allowed(Decimal(0), "no charging")
    if duty_cycle < 10:
        limit = Decimal(6)
    elif duty_cycle <= 85:
        limit = duty_cycle * Decimal("0.6")
    elif duty_cycle <= 96:
        limit = (duty_cycle - 64) * Decimal("2.5")
    else:
        limit = Decimal(80)
    return Allowed(limit, "charging up to the limit")


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """The payload of one sample.

    Raises:
        WireError: no line of a trace, a field missing, or one that cannot be.
    """
    fields = _fields(frame)
    missing = NEEDED - fields.keys()
    if missing:
        raise SchemaViolation(f"the sample has no {', '.join(sorted(missing))}; its fields are {', '.join(COLUMNS)}")
    state = _STATE.fullmatch(_text(fields, "state").upper())
    if state is None:
        raise SchemaViolation(f"{_text(fields, 'state')[:20]!r} is no state of the pilot: they are A to F")
    duty_cycle = _number(fields, "duty_cycle", 100)
    evse = _text(fields, "evse") if "evse" in fields else frame.source
    payload: dict[str, Any] = {"evse": evse, "state": state[1], "state_meaning": STATES[state[1]]}
    if duty_cycle is not None or state[2]:
        payload["pwm"] = state[2] == "2" if duty_cycle is None else 0 < duty_cycle < 100
    if duty_cycle is not None:
        limit, meaning = allowed(duty_cycle)
        payload |= {"duty_cycle": duty_cycle, "current_limit": limit, "meaning": meaning}
    voltage = _number(fields, "voltage", _VOLTAGE_LIMIT, lowest=-_VOLTAGE_LIMIT)
    if voltage is not None:
        payload["voltage"] = voltage
    return Decoded("iec61851.pilot", f"evse:{evse or 'unknown'}", _time_us(fields), payload)


def _fields(frame: Frame) -> dict[str, Any]:
    columns = frame.context.get("columns")
    if columns is not None:
        return fields_of(frame.raw, columns)
    content = strict_json.parse(frame.raw)
    if not isinstance(content, dict):
        raise SchemaViolation("a sample is a JSON object")
    return {name: value for name, value in content.items() if value is not None}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_LIMIT:
        raise SchemaViolation(f"{name} is no text of up to {_TEXT_LIMIT} characters")
    if "\0" in value:
        raise SchemaViolation(f"{name} holds the NUL character, which no database takes")
    return value


def _number(fields: dict[str, Any], name: str, highest: int, lowest: int = 0) -> Decimal | None:
    value = fields.get(name)
    if value is None:
        return None
    words = str(value) if isinstance(value, (str, Decimal)) or type(value) is int else ""
    if not _NUMBER.fullmatch(words) or not lowest <= (found := Decimal(words)) <= highest:
        raise SchemaViolation(f"{name} is {str(value)[:20]!r}, not a number from {lowest} to {highest}")
    return found


def _time_us(fields: dict[str, Any]) -> int:
    stamp = _text(fields, "time")
    try:
        return instant(stamp)
    except (ValueError, OverflowError) as problem:
        raise SchemaViolation(f"time is {stamp[:40]!r}, not a time with zone ({problem})") from problem
