"""What a record's value information says: quantity, unit, power of ten (EN 13757-3, tables 10, 12, 14 and 15).

Of the extensions (VIFE) those are applied that move the decimal point or say the direction; whatever else stands
there is passed on as ``extension``, and a value with an extension that is not understood is not the plain quantity.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from schemas.wire.contract import BadSyntax, Truncated

MANUFACTURER: Final = "manufacturer_specific"
POSITIVE, NEGATIVE = 0x3B, 0x3C
"""VIFE: only what flows forwards, or backwards, is counted."""

_MORE: Final = 0x80
_NO_ERROR: Final = 0x00
_VIB_LIMIT: Final = 11
_TABLE_FB, _TEXT, _TABLE_FD, _ANY, _SPECIFIC = 0x7B, 0x7C, 0x7D, 0x7E, 0x7F


class Meaning(NamedTuple):
    """What a value is: ``value * 10 ** exponent`` of ``unit``; ``direction`` "" where it is not said."""

    quantity: str
    unit: str
    exponent: int = 0
    direction: str = ""
    extension: str = ""


class _Row(NamedTuple):
    """Codes from ``first`` on, ``codes`` of them, each with a power of ten more than the one before."""

    first: int
    codes: int
    quantity: str
    unit: str
    exponent: int


_PRIMARY: Final = (
    _Row(0x00, 8, "energy", "Wh", -3),
    _Row(0x08, 8, "energy", "J", 0),
    _Row(0x10, 8, "volume", "m³", -6),
    _Row(0x18, 8, "mass", "kg", -3),
    _Row(0x28, 8, "power", "W", -3),
    _Row(0x30, 8, "power", "J/h", 0),
    _Row(0x38, 8, "volume_flow", "m³/h", -6),
    _Row(0x40, 8, "volume_flow", "m³/min", -7),
    _Row(0x48, 8, "volume_flow", "m³/s", -9),
    _Row(0x50, 8, "mass_flow", "kg/h", -3),
    _Row(0x58, 4, "flow_temperature", "°C", -3),
    _Row(0x5C, 4, "return_temperature", "°C", -3),
    _Row(0x60, 4, "temperature_difference", "K", -3),
    _Row(0x64, 4, "external_temperature", "°C", -3),
    _Row(0x68, 4, "pressure", "bar", -3),
    _Row(0x6C, 1, "date", "", 0),
    _Row(0x6D, 1, "time", "", 0),
    _Row(0x6E, 1, "heat_cost", "", 0),
    _Row(0x78, 1, "fabrication_number", "", 0),
    _Row(0x79, 1, "identification", "", 0),
    _Row(0x7A, 1, "bus_address", "", 0),
    _Row(_ANY, 1, "any", "", 0),
    _Row(_SPECIFIC, 1, MANUFACTURER, "", 0),
)
_DURATIONS: Final = {0x20: "on_time", 0x24: "operating_time", 0x70: "averaging_duration", 0x74: "actuality_duration"}
_DURATION_UNITS: Final = ("s", "min", "h", "d")
_FB: Final = (
    _Row(0x00, 2, "energy", "Wh", 5),
    _Row(0x02, 2, "reactive_energy", "varh", 3),
    _Row(0x04, 2, "apparent_energy", "VAh", 3),
    _Row(0x08, 2, "energy", "J", 8),
    _Row(0x10, 2, "volume", "m³", 2),
    _Row(0x14, 4, "reactive_power", "var", 0),
    _Row(0x18, 2, "mass", "kg", 5),
    _Row(0x28, 2, "power", "W", 5),
    _Row(0x2A, 1, "angle_voltage", "°", -1),
    _Row(0x2B, 1, "angle", "°", -1),
    _Row(0x2C, 4, "frequency", "Hz", -3),
    _Row(0x30, 2, "power", "J/h", 8),
    _Row(0x34, 4, "apparent_power", "VA", 0),
)
_FD: Final = (
    _Row(0x08, 1, "access_number", "", 0),
    _Row(0x09, 1, "medium", "", 0),
    _Row(0x0A, 1, "manufacturer", "", 0),
    _Row(0x0B, 1, "parameter_set", "", 0),
    _Row(0x0C, 1, "model", "", 0),
    _Row(0x0D, 1, "hardware", "", 0),
    _Row(0x0E, 1, "firmware", "", 0),
    _Row(0x0F, 1, "software", "", 0),
    _Row(0x10, 1, "customer_location", "", 0),
    _Row(0x11, 1, "customer", "", 0),
    _Row(0x17, 1, "error_flags", "", 0),
    _Row(0x18, 1, "error_mask", "", 0),
    _Row(0x1A, 1, "digital_output", "", 0),
    _Row(0x1B, 1, "digital_input", "", 0),
    _Row(0x3A, 1, "dimensionless", "", 0),
    _Row(0x40, 16, "voltage", "V", -9),
    _Row(0x50, 16, "current", "A", -12),
    _Row(0x60, 1, "reset_counter", "", 0),
    _Row(0x61, 1, "cumulation_counter", "", 0),
)


def block_end(data: bytes, at: int) -> int:
    """Where the value information that starts at ``at`` ends.

    Raises:
        Truncated: the octets end before.
        BadSyntax: longer than it may be.
    """
    start, is_text = at, False
    while True:
        if at >= len(data):
            raise Truncated("the record ends inside its value information", at)
        code = data[at]
        at += 1
        if at == start + 1 and code & 0x7F == _TEXT:
            at += 1 + (data[at] if at < len(data) else 0)
            is_text = True
        if at > len(data):
            raise Truncated("the record ends inside the text of its unit", start)
        if code < _MORE:
            return at
        if at - start >= _VIB_LIMIT and not is_text:
            raise BadSyntax(f"value information of more than {_VIB_LIMIT} bytes", start)


@lru_cache(maxsize=4096)
def meaning(block: bytes) -> Meaning:
    """What value information says; a code of no table is the quantity ``code_<hex>``."""
    first = block[0] & 0x7F
    rest = block[1:]
    if first == _TEXT:
        length = rest[0]
        text = rest[length:0:-1].decode("latin-1")
        found = Meaning("text_unit", text)
        rest = rest[1 + length :]
    elif first in {_TABLE_FB, _TABLE_FD} and rest:
        table, name = (_FB, "fb") if first == _TABLE_FB else (_FD, "fd")
        found, rest = _in(table, rest[0] & 0x7F, name), rest[1:]
    else:
        found = _duration(first) or _in(_PRIMARY, first, "")
    return _extended(found, rest)


def _in(table: tuple[_Row, ...], code: int, name: str) -> Meaning:
    for row in table:
        if row.first <= code < row.first + row.codes:
            return Meaning(row.quantity, row.unit, row.exponent + code - row.first)
    return Meaning(f"code_{name}{code:02x}", "")


def _duration(code: int) -> Meaning | None:
    quantity = _DURATIONS.get(code & 0x7C)
    return Meaning(quantity, _DURATION_UNITS[code & 3]) if quantity else None


def _extended(found: Meaning, extensions: bytes) -> Meaning:
    """Apply the extensions that are understood; from a manufacturer's on all are his."""
    for number, octet in enumerate(extensions):
        code = octet & 0x7F
        if code & 0x78 == 0x70:
            found = found._replace(exponent=found.exponent + (code & 7) - 6)
        elif code == 0x7D:
            found = found._replace(exponent=found.exponent + 3)
        elif code == _NO_ERROR:
            continue
        elif code in {POSITIVE, NEGATIVE}:
            found = found._replace(direction="export" if code == NEGATIVE else "import")
        elif code == _SPECIFIC:
            return found._replace(extension=found.extension + extensions[number:].hex())
        else:
            found = found._replace(extension=found.extension + f"{code:02x}")
    return found
