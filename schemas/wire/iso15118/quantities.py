"""Physical values as exact numbers: value times a power of ten.

ISO 15118-2 (8.5.2.7) and DIN 70121 write ``{"Multiplier": -1, "Unit": "V", "Value": 4000}``, ISO 15118-20 (8.3.5.3.9)
``{"Exponent": 3, "Value": 11}`` with a unit that the element's name implies. Both become ``{"value", "unit"}``.
"""

from decimal import Decimal
from typing import Any, Final

from schemas.wire.contract import SchemaViolation

EXPONENTS: Final = range(-128, 128)
"""What an octet with a sign holds."""

VALUES: Final = range(-(1 << 15), 1 << 15)
"""What two octets with a sign hold (xs:short)."""

_UNITS: Final = (
    ("ReactivePower", "var"),
    ("Power", "W"),
    ("Energy", "Wh"),
    ("Voltage", "V"),
    ("Current", "A"),
    ("Frequency", "Hz"),
    ("PMax", "W"),
)
_SHAPES: Final = (frozenset({"Multiplier", "Value"}), frozenset({"Multiplier", "Unit", "Value"}))
_SHAPE_20: Final = frozenset({"Exponent", "Value"})


def exact(name: str, content: Any) -> Any:
    """A decoded message's content with its physical values as numbers; ``name`` is the element's.

    Raises:
        SchemaViolation: a value or exponent that is no integer, or beyond two octets or one.

    >>> exact("Body", {"EVMaxVoltage": {"Multiplier": -1, "Unit": "V", "Value": 4005}})
    {'EVMaxVoltage': {'value': Decimal('400.5'), 'unit': 'V'}}
    >>> exact("EVMaximumChargePower_L2", {"Exponent": 3, "Value": 11})
    {'value': 11000, 'unit': 'W'}
    """
    if isinstance(content, list):
        return [exact(name, part) for part in content]
    if not isinstance(content, dict):
        return content
    keys = content.keys()
    if keys in _SHAPES:
        return {"value": _number(name, content["Value"], content["Multiplier"]), "unit": content.get("Unit", "")}
    if keys == _SHAPE_20:
        return {"value": _number(name, content["Value"], content["Exponent"]), "unit": unit_of(name)}
    return {key: exact(key, part) for key, part in content.items()}


def unit_of(name: str) -> str:
    """The unit that the name of an element of ISO 15118-20 implies; "" where it implies none."""
    return next((unit for part, unit in _UNITS if part in name), "")


def _number(name: str, value: Any, exponent: Any) -> int | Decimal:
    if type(value) is not int or type(exponent) is not int or value not in VALUES or exponent not in EXPONENTS:
        raise SchemaViolation(f"{name} is no physical value: {value!r} times ten to the {exponent!r}")
    if exponent >= 0:
        return value * 10**exponent if exponent <= _INTEGER_EXPONENT else Decimal(value).scaleb(exponent)
    found = Decimal(value).scaleb(exponent)
    return int(found) if found == found.to_integral_value() else found.normalize()


_INTEGER_EXPONENT: Final = 9
"""Values have at most 16 bits: up to here the product fits into 64."""
