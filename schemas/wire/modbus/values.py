"""Values of SunSpec's points: what registers say, and how they say that they say nothing.

Source: SunSpec Device Information Model Specification 1.2, clause 4.2 (types and their values for "not implemented").
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from schemas.wire.modbus.models import Point
from schemas.wire.singles import shortest_decimal

SCALES: Final = range(-10, 11)
"""What a scale factor may be."""

_TYPE: Final = re.compile(r"([a-z]+?)(16|32|64)?")
_NOTHING: Final[dict[str, Callable[[int, int], bool]]] = {
    "int": lambda value, bits: value == 1 << bits - 1,
    "sunssf": lambda value, bits: value == 1 << bits - 1,
    "uint": lambda value, bits: value == (1 << bits) - 1,
    "enum": lambda value, bits: value == (1 << bits) - 1,
    "count": lambda value, bits: value == (1 << bits) - 1,
    "bitfield": lambda value, bits: bool(value >> bits - 1),
    "acc": lambda value, _bits: value == 0,
    "ipaddr": lambda value, _bits: value == 0,
    "ipv6addr": lambda value, _bits: value == 0,
    "eui48": lambda value, bits: value == (1 << bits) - 1,
}
"""By type: whether that is no value. In a bitfield the highest bit says so, an accumulator never stands at 0."""

_SIGNED: Final = frozenset({"int", "sunssf"})
_INTEGER_END: Final = 1 << 63
_PLAIN: Final = frozenset({"int", "uint", "acc", "count", "sunssf"})


def value_of(point: Point, octets: bytes) -> Any:
    """The unscaled value of a point; None where it is not implemented.

    Enumerations come as the name of their value (the number where it has none), bitfields as the names of set bits.
    """
    if point.type == "string":
        return text_of(octets) or None
    if point.type == "float32":
        return shortest_decimal(octets[::-1])
    kind = kind_of(point)
    bits = 8 * len(octets)
    value = int.from_bytes(octets)
    nothing = _NOTHING.get(kind)
    if nothing is None or nothing(value, bits):
        return None
    if kind in _PLAIN:
        return value - (1 << bits) if kind in _SIGNED and value >> bits - 1 else value
    if kind == "enum":
        return point.symbols.get(value, str(value))
    if kind == "bitfield":
        return [point.symbols.get(bit, f"bit {bit}") for bit in range(bits) if value >> bit & 1]
    return octets.hex()


def kind_of(point: Point) -> str:
    """The type without its width.

    >>> kind_of(Point("W", "int16", 2, 1, "W_SF", {}))
    'int'
    """
    found = _TYPE.fullmatch(point.type)
    return found[1] if found else point.type


def text_of(octets: bytes) -> str:
    """A string: UTF-8 up to the first NUL, without the blanks around it; what is no UTF-8 is shown as such."""
    return octets.partition(b"\0")[0].decode("utf-8", "replace").strip()


def nothing_of(point: Point) -> bytes:
    """The octets with which a point says that it is not implemented."""
    kind, size = kind_of(point), 2 * point.size
    if point.type == "float32":
        return bytes.fromhex("7fc00000")
    if kind in _SIGNED or point.type == "pad":
        return b"\x80" + bytes(size - 1)
    if kind in {"uint", "enum", "bitfield", "count", "eui48"}:
        return b"\xff" * size
    return bytes(size)


def scaled(value: int | Decimal, exponent: int) -> int | Decimal:
    """The value times ten to the exponent, exactly; a Decimal too where it is an integer beyond 64 bits.

    >>> scaled(4998, -2), scaled(-15, 2), scaled(5000, -2), scaled(10**18, 1)
    (Decimal('49.98'), -1500, 50, Decimal('10000000000000000000'))
    """
    if not exponent:
        return value
    number = Decimal(value).scaleb(exponent)
    is_integer = number == number.to_integral_value() and abs(number) < _INTEGER_END
    return int(number) if is_integer else Decimal(format(number, "f"))
