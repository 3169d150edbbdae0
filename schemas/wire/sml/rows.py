"""Rows: what the entries of SML lists say, and when.

A row is ``[obis, value, unit, scaler, status, time]``, followed by ``{"signature": hex}`` where the value is signed.

- ``obis`` in the form ``1-0:1.8.0``, with ``*F`` where F is not 255 (a stored, not the current value);
- ``value`` an integer, a boolean, or the hex digits of an octet string; of value times ``10 ** scaler`` is the amount;
- ``unit`` and ``scaler`` as sent (DLMS units: 30 Wh, 27 W ...), ``status`` the meter's status word, an integer;
- ``time`` is ``["index", seconds]`` since the meter started to count, ``["utc", seconds]`` since 1970, or
  ``["local", seconds, offset, season]`` with the minutes by which the local clock is ahead.

What is not sent is None.
"""

import re
from functools import lru_cache
from typing import Any, Final

from schemas.time import SECOND_US
from schemas.wire.contract import SchemaViolation
from schemas.wire.sml.elements import STRINGS, Element, element

Row = list[Any]
Time = list[Any] | None

CLOCK_SET_S: Final = 1_000_000_000
"""A clock that says an earlier time (2001) was never set, and counts seconds like an index [M]."""

TIMES: Final = r"(?:\x01|\x65.{4}|\x72\x62[\x01\x02]\x65.{4})"
"""Pattern of a time as nearly all meters send it: none, a bare number, a second index, a time stamp."""

_TIME_NAMES: Final = {1: "index", 2: "utc"}
_CHOICE: Final = 0x72
_BYTE: Final = range(256)
_ABSENT: Final = b"\x01"


def instant_of(time: Time) -> int | None:
    """Microseconds since 1970 of a time; None where it is none that a clock shows.

    The seconds of a local time are UTC too; the offsets only say what a local clock showed.

    >>> instant_of(["utc", 1774746000]), instant_of(["index", 88546346]), instant_of(None)
    (1774746000000000, None, None)
    """
    if time is None or time[0] == "index" or time[1] < CLOCK_SET_S:
        return None
    return int(time[1]) * SECOND_US


def rows_of(content: bytes, at: int, count: int) -> tuple[list[Row], int]:
    """The entries of a value list (SML_ListEntry), and where they end.

    Raises:
        WireError: an entry that is none.
    """
    rows: list[Row] = []
    match = _USUAL.match
    for _ in range(count):
        found = match(content, at)
        if found is None:
            entry, at = element(content, at)
            rows.append(_row(entry, at))
            continue
        obis, status, time, unit, scaler, value = found.groups()
        rows.append(
            [
                _obis(obis),
                int.from_bytes(value[1:], signed=value[0] < 0x60) if value[0] >= 0x50 else _hex(value[1:]),
                _UNITS[unit],
                _SCALERS[scaler],
                None if status == _ABSENT else int.from_bytes(status[1:]),
                None if time == _ABSENT else usual_time(time),
            ]
        )
        at = found.end()
    return rows, at


def row_of(entry: Element, time: Time, status: int | None, at: int) -> Row:
    """The row of an entry of a profile list (SML_PeriodEntry): register, unit, scaler, value, signature."""
    if not isinstance(entry, list) or len(entry) != 5:
        raise SchemaViolation("an entry of a period holds a register, unit, scaler, value and signature", at)
    obis, unit, scaler, value, signature = entry
    return _row([obis, status, None, unit, scaler, value, signature], at)[:5] + _ending(time, signature, at)


def usual_time(octets: bytes) -> Time:
    """The time in octets that fit the pattern :data:`TIMES`."""
    if octets == _ABSENT:
        return None
    return [_TIME_NAMES[octets[2]] if octets[0] == _CHOICE else "index", int.from_bytes(octets[-4:])]


def time_of(value: Element, at: int) -> Time:
    """A time (SML_Time); a bare number is an index, as some meters send it [M].

    Raises:
        SchemaViolation: no time.
    """
    match value:
        case None:
            return None
        case bool():
            pass
        case int() if value >= 0:
            return ["index", value]
        case [int(kind), int(seconds)] if kind in _TIME_NAMES and seconds >= 0:
            return [_TIME_NAMES[kind], seconds]
        case [3, [int(seconds), int(offset), int(season)]] if seconds >= 0:
            return ["local", seconds, offset, season]
    raise SchemaViolation("a time is a second index, a time stamp or a local time stamp", at)


def hex_of(value: Element, what: str, at: int) -> str | None:
    """Hex digits of an octet string; None where it is not there.

    Raises:
        SchemaViolation: another kind of value.
    """
    if value is None or isinstance(value, bytes):
        return None if value is None else _hex(value)
    raise SchemaViolation(f"{what} is an octet string", at)


def number_of(value: Element, what: str, at: int) -> int | None:
    """A number; None where it is not there.

    Raises:
        SchemaViolation: another kind of value.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise SchemaViolation(f"{what} is a number", at)


def _row(entry: Element, at: int) -> Row:
    if not isinstance(entry, list) or len(entry) != 7:
        raise SchemaViolation("an entry of a list holds seven values, from objName to valueSignature", at)
    name, status, time, unit, scaler, value, signature = entry
    if not isinstance(name, bytes) or len(name) != 6:
        raise SchemaViolation("the name of a register has the six octets of an OBIS code", at)
    return [
        _obis(name),
        _json(value),
        number_of(unit, "the unit", at),
        number_of(scaler, "the scaler", at),
        number_of(status, "the status", at),
        *_ending(time_of(time, at), signature, at),
    ]


def _ending(time: Time, signature: Element, at: int) -> Row:
    signed = hex_of(signature, "a signature", at)
    return [time] if signed is None else [time, {"signature": signed}]


def _json(value: Element) -> Any:
    if isinstance(value, bytes):
        return _hex(value)
    return [_json(part) for part in value] if isinstance(value, list) else value


@lru_cache(maxsize=10_000)
def _hex(octets: bytes) -> str:
    return octets.hex().upper()


@lru_cache(maxsize=10_000)
def _obis(octets: bytes) -> str:
    a, b, c, d, e, f = octets
    return f"{a}-{b}:{c}.{d}.{e}" + ("" if f == 0xFF else f"*{f}")


# What nearly every entry looks like, read at once: octet string, number or nothing of the usual sizes, no signature.
# Whatever else the encoding allows is read value by value.
_NUMBERS: Final = "|".join(rf"[\x{0x50 | size + 1:02x}\x{0x60 | size + 1:02x}].{{{size}}}" for size in (1, 2, 4, 8, 5))
_USUAL: Final = re.compile(
    rf"""\x77\x07(.{{6}})
    (\x01|\x62.|\x63..|\x64...|\x65.{{4}}|\x69.{{8}})
    ({TIMES})
    (\x01|\x62.)
    (\x01|\x52.)
    ({_NUMBERS}|{STRINGS})
    \x01""".encode(),
    re.DOTALL | re.VERBOSE,
)
_UNITS: Final[dict[bytes, int | None]] = {_ABSENT: None} | {bytes([0x62, byte]): byte for byte in _BYTE}
_SCALERS: Final[dict[bytes, int | None]] = {_ABSENT: None} | {
    bytes([0x52, byte]): byte if byte < 0x80 else byte - 0x100 for byte in _BYTE
}
