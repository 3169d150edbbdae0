"""Data fields of M-Bus records: integers, BCD, reals, dates, texts (EN 13757-3, clause 6.3.3 and annex A).

A field's ``coding`` is one of :data:`CODINGS`, or for a field of variable length ``text``, ``bcd+``, ``bcd-`` or
``binary``. A number is an integer and the power of ten it is multiplied with. A date is ISO 8601 text without a
zone, because a meter's clock shows local time and does not say whose.
"""

from datetime import datetime, time
from typing import Final, NamedTuple

from schemas.wire.contract import BadSyntax, Truncated
from schemas.wire.singles import shortest_decimal

CODINGS: Final = {
    0x0: ("none", 0),
    0x1: ("int8", 1),
    0x2: ("int16", 2),
    0x3: ("int24", 3),
    0x4: ("int32", 4),
    0x5: ("real32", 4),
    0x6: ("int48", 6),
    0x7: ("int64", 8),
    0x8: ("selection", 0),
    0x9: ("bcd2", 1),
    0xA: ("bcd4", 2),
    0xB: ("bcd6", 3),
    0xC: ("bcd8", 4),
    0xE: ("bcd12", 6),
}
"""Name and number of octets by the low four bits of a DIF."""

VARIABLE: Final = 0xD
_TEXT_LIMIT, _BCD, _BCD_NEGATIVE, _BINARY = 0xC0, 0xC0, 0xD0, 0xE0
_BCD_OCTETS: Final = 10
_LONG_BINARIES: Final = {**{0xF0 + more: 16 + 4 * more for more in range(5)}, 0xF5: 48, 0xF6: 64}
_MINUS: Final = "f"


class Value(NamedTuple):
    """A number (``value * 10 ** exponent``) or a text; None where the field holds neither, its hex in ``invalid``."""

    value: int | str | None
    exponent: int = 0
    invalid: str = ""


def variable(data: bytes, at: int, *, is_big: bool) -> tuple[str, Value, int]:
    """Coding and value of a field of variable length, and where it ends.

    Raises:
        Truncated, BadSyntax: there is none.
    """
    if at >= len(data):
        raise Truncated("the record ends before its length", at)
    length = data[at]
    start = at + 1
    if length < _TEXT_LIMIT:
        octets = take(data, start, length, is_big=is_big)
        return "text", Value(octets[::-1].decode("latin-1")), start + length
    if length <= _BCD + _BCD_OCTETS - 1 or _BCD_NEGATIVE <= length <= _BCD_NEGATIVE + _BCD_OCTETS - 1:
        size = length & 0x0F
        found = bcd(take(data, start, size, is_big=is_big))
        is_negative = length >= _BCD_NEGATIVE
        if is_negative and isinstance(found.value, int):
            found = Value(-found.value)
        return "bcd-" if is_negative else "bcd+", found, start + size
    size = length - _BINARY if _BINARY <= length < _BINARY + 0x10 else _LONG_BINARIES.get(length, 0)
    if not size and length != _BINARY:
        raise BadSyntax(f"a field of variable length starts with {length:02x}, which is reserved", at)
    return "binary", Value(take(data, start, size, is_big=is_big).hex()), start + size


def take(data: bytes, at: int, size: int, *, is_big: bool) -> bytes:
    """Octets of a field, the least significant first.

    Raises:
        Truncated: there are not so many.
    """
    octets = data[at : at + size]
    if len(octets) < size:
        raise Truncated(f"a field of {size} bytes, of which {len(octets)} are there", at)
    return octets[::-1] if is_big else octets


def number(coding: str, octets: bytes) -> Value:
    """The number in a field of fixed length; the octets come least significant first."""
    if coding == "real32":
        return real(octets)
    if coding.startswith("bcd"):
        return bcd(octets)
    if not octets:
        return Value(None)
    return Value(int.from_bytes(octets, "little", signed=True))


def bcd(octets: bytes) -> Value:
    """Digits in half octets (type A); F in front is a minus, other letters are no number.

    >>> bcd(bytes.fromhex("341200")), bcd(bytes.fromhex("3412f0")), bcd(bytes.fromhex("34a200"))
    (Value(value=1234, exponent=0, invalid=''), Value(value=-1234, exponent=0, invalid=''), \
Value(value=None, exponent=0, invalid='00a234'))
    """
    digits = octets[::-1].hex()
    sign, digits_only = (-1, digits[1:]) if digits.startswith(_MINUS) else (1, digits)
    if not digits_only.isdecimal():
        return Value(None, 0, digits)
    return Value(sign * int(digits_only))


def real(octets: bytes) -> Value:
    """A real (type H) as the shortest decimal number that is this real and no other; NaN and infinity are none.

    >>> real(bytes.fromhex("9a196643"))
    Value(value=2301, exponent=-1, invalid='')
    """
    found = shortest_decimal(octets)
    if found is None:
        return Value(None, 0, octets[::-1].hex())
    sign, places, exponent = found.normalize().as_tuple()
    assert isinstance(exponent, int)
    value = int("".join(map(str, places)))
    return Value(-value if sign else value, exponent)


def date(octets: bytes) -> Value:
    """A point in time of 2 (type G), 3 (J), 4 (F) or 6 octets (I); None where it is not valid.

    >>> date(bytes.fromhex("7d33")).value, date(bytes.fromhex("0d0a7d33")).value
    ('2027-03-29', '2027-03-29T10:13')
    """
    invalid = Value(None, 0, octets[::-1].hex())
    try:
        match tuple(octets):
            case (low, high):
                return Value(_day(low, high, 0).date().isoformat())
            case (second, minute, hour):
                return Value(time(hour & 0x1F, minute & 0x3F, second & 0x3F).isoformat())
            case (minute, hour, low, high) if not minute & 0x80:
                day = _day(low, high, hour >> 5 & 0x03)
                return Value(day.replace(hour=hour & 0x1F, minute=minute & 0x3F).isoformat(timespec="minutes"))
            case (second, minute, hour, low, high, _) if not minute & 0x80:
                day = _day(low, high, 0)
                return Value(day.replace(hour=hour & 0x1F, minute=minute & 0x3F, second=second & 0x3F).isoformat())
    except ValueError:
        return invalid
    return invalid


def _day(low: int, high: int, hundreds: int) -> datetime:
    """The day in two octets; a year up to 80 without hundreds is after 2000 (EN 13757-3, annex A).

    Raises:
        ValueError: no day of the calendar.
    """
    year = low >> 5 | high >> 1 & 0x78
    if hundreds:
        year += 1900 + 100 * hundreds
    else:
        year += 2000 if year <= 80 else 1900
    return datetime(year, high & 0x0F, low & 0x1F)  # noqa: DTZ001 -- a meter's local time, of no known zone
