"""The ASDU: types of information objects, causes, qualities, times (IEC 60870-5-101, clause 7; -104, clause 8)."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from schemas.time import format_time, to_us
from schemas.wire.contract import SchemaViolation, Truncated, Unsupported
from schemas.wire.singles import shortest_decimal

CAUSES: Final = {
    1: "periodic",
    2: "background scan",
    3: "spontaneous",
    4: "initialised",
    5: "request",
    6: "activation",
    7: "activation confirmation",
    8: "deactivation",
    9: "deactivation confirmation",
    10: "activation termination",
    11: "return information caused by a remote command",
    12: "return information caused by a local command",
    20: "interrogated by station interrogation",
    44: "unknown type",
    45: "unknown cause",
    46: "unknown station",
    47: "unknown address",
}
"""Causes of transmission (-101, 7.2.3); 21 to 36 are interrogations by group."""

ACTIVATION: Final = 6
CONFIRMATION: Final = 7
_GROUPS: Final = range(21, 37)
_DOUBLE: Final = (None, False, True, None)
"""Double point: indeterminate or intermediate, off, on, indeterminate."""

_QUALITY: Final = ((0x80, "invalid"), (0x40, "not topical"), (0x20, "substituted"), (0x10, "blocked"))
_OVERFLOW: Final = (0x01, "overflow")
_HEADER: Final = 6
_ADDRESS: Final = 3
_NORMAL: Final = Decimal(1 << 15)

TIMES_ARE_UTC: Final = True
"""[M] CP56Time2a has no zone. It is taken as UTC, as -104 recommends for systems that span zones; the summer-time bit
is shown and not applied."""

Fields = dict[str, Any]


class Shape(NamedTuple):
    """How objects of a type lie: name, octets of the value, how it is read, whether a CP56Time2a follows."""

    name: str
    size: int
    read: Callable[[bytes], Fields]
    timed: bool = False


class Asdu(NamedTuple):
    """An ASDU taken apart; every object has ``address`` and what its type says."""

    type: int
    name: str
    cause: int
    negative: bool
    test: bool
    originator: int
    station: int
    sequence: bool
    objects: list[Fields]


def _flags(octet: int) -> list[str]:
    return [name for bit, name in _QUALITY if octet & bit]


def _measured_flags(octet: int) -> list[str]:
    return _flags(octet) + [name for bit, name in (_OVERFLOW,) if octet & bit]


def _single(octets: bytes) -> Fields:
    return {"value": bool(octets[0] & 1), "quality": _flags(octets[0])}


def _double(octets: bytes) -> Fields:
    return {"value": _DOUBLE[octets[0] & 3], "quality": _flags(octets[0])}


def _normalised(octets: bytes) -> Fields:
    value = Decimal(int.from_bytes(octets[:2], "little", signed=True)) / _NORMAL
    return {"value": value, "quality": _measured_flags(octets[2])}


def _scaled(octets: bytes) -> Fields:
    return {"value": int.from_bytes(octets[:2], "little", signed=True), "quality": _measured_flags(octets[2])}


def _floating(octets: bytes) -> Fields:
    return {"value": shortest_decimal(octets[:4]), "quality": _measured_flags(octets[4])}


def _command(octets: bytes) -> Fields:
    octet = octets[0]
    return {"value": bool(octet & 1), "select": bool(octet & 0x80), "qualifier": octet >> 2 & 0x1F}


def _set_point(read: Callable[[bytes], Fields], size: int) -> Callable[[bytes], Fields]:
    """A set point: the value as measured ones have it, then the qualifier with the select bit."""

    def fields(octets: bytes) -> Fields:
        qualifier = octets[size]
        value = read(octets[:size] + b"\0")["value"]
        return {"value": value, "select": bool(qualifier & 0x80), "qualifier": qualifier & 0x7F}

    return fields


def _interrogation(octets: bytes) -> Fields:
    return {"qualifier": octets[0]}


def _nothing(_octets: bytes) -> Fields:
    return {}


SHAPES: Final = {
    1: Shape("M_SP_NA_1", 1, _single),
    3: Shape("M_DP_NA_1", 1, _double),
    9: Shape("M_ME_NA_1", 3, _normalised),
    11: Shape("M_ME_NB_1", 3, _scaled),
    13: Shape("M_ME_NC_1", 5, _floating),
    30: Shape("M_SP_TB_1", 1, _single, timed=True),
    31: Shape("M_DP_TB_1", 1, _double, timed=True),
    34: Shape("M_ME_TD_1", 3, _normalised, timed=True),
    35: Shape("M_ME_TE_1", 3, _scaled, timed=True),
    36: Shape("M_ME_TF_1", 5, _floating, timed=True),
    45: Shape("C_SC_NA_1", 1, _command),
    48: Shape("C_SE_NA_1", 3, _set_point(_normalised, 2)),
    49: Shape("C_SE_NB_1", 3, _set_point(_scaled, 2)),
    50: Shape("C_SE_NC_1", 5, _set_point(_floating, 4)),
    58: Shape("C_SC_TA_1", 1, _command, timed=True),
    61: Shape("C_SE_TA_1", 3, _set_point(_normalised, 2), timed=True),
    62: Shape("C_SE_TB_1", 3, _set_point(_scaled, 2), timed=True),
    63: Shape("C_SE_TC_1", 5, _set_point(_floating, 4), timed=True),
    100: Shape("C_IC_NA_1", 1, _interrogation),
    103: Shape("C_CS_NA_1", 0, _nothing, timed=True),
}
"""Types that are read here, by their number (-101, 7.2.1.1)."""

SET_POINTS: Final = frozenset({48, 49, 50, 61, 62, 63})
COMMANDS: Final = SET_POINTS | {45, 58}
MEASURED: Final = frozenset({1, 3, 9, 11, 13, 30, 31, 34, 35, 36})


def parse(octets: bytes) -> Asdu:
    """Take an ASDU apart; offsets in errors count from its first octet.

    Raises:
        Truncated: it ends within an object.
        Unsupported: a type that is not read here.
        SchemaViolation: no object, octets behind the last, or a time that cannot be.
    """
    if len(octets) < _HEADER:
        raise Truncated("an ASDU has a head of six octets", len(octets))
    kind, structure, reason, originator = octets[:4]
    shape = SHAPES.get(kind)
    if shape is None:
        raise Unsupported(f"an ASDU of type {kind}; read are {', '.join(map(str, SHAPES))}")
    count, sequence = structure & 0x7F, bool(structure & 0x80)
    if not count:
        raise SchemaViolation("an ASDU without an information object", 1)
    station = int.from_bytes(octets[4:6], "little")
    return Asdu(
        kind,
        shape.name,
        reason & 0x3F,
        bool(reason & 0x40),
        bool(reason & 0x80),
        originator,
        station,
        sequence,
        _objects(octets, shape, count, sequence=sequence),
    )


def cause_name(cause: int) -> str:
    """What a cause of transmission is called."""
    if cause in _GROUPS:
        return f"interrogated by group {cause - 20}"
    return CAUSES.get(cause, f"cause {cause}")


def _objects(octets: bytes, shape: Shape, count: int, *, sequence: bool) -> list[Fields]:
    size = shape.size + 7 * shape.timed
    expected = _HEADER + (_ADDRESS + size * count if sequence else (_ADDRESS + size) * count)
    if len(octets) < expected:
        raise Truncated(f"{count} objects of {shape.name} take {expected} octets, here are {len(octets)}", len(octets))
    if len(octets) > expected:
        raise SchemaViolation(f"{len(octets) - expected} octets behind the last of {count} objects", expected)
    found, at, address = [], _HEADER, 0
    for number in range(count):
        if number == 0 or not sequence:
            address = int.from_bytes(octets[at : at + _ADDRESS], "little")
            at += _ADDRESS
        else:
            address += 1
        fields = shape.read(octets[at : at + shape.size])
        if shape.timed:
            fields |= time_of(octets[at + shape.size : at + size], at + shape.size)
        found.append({"address": address, **fields})
        at += size
    return found


def time_of(octets: bytes, offset: int = 0) -> Fields:
    """A CP56Time2a: ``time``, and ``time_flags`` where it is invalid or in summer time (-101, 7.2.6.18).

    Raises:
        SchemaViolation: no such time.
    """
    milliseconds, minute, hour, day, month, year = struct.unpack("<H5B", octets)
    flags = [name for is_set, name in ((minute & 0x80, "invalid"), (hour & 0x80, "summer time")) if is_set]
    parts = (2000 + (year & 0x7F), month & 0x0F, day & 0x1F, hour & 0x1F, minute & 0x3F, milliseconds // 1000)
    if "invalid" in flags:
        return {"time": None, "time_flags": flags}
    try:
        moment = datetime(*parts, milliseconds % 1000 * 1000, tzinfo=UTC)
    except ValueError:
        raise SchemaViolation(f"{octets.hex()} is no time: {parts}", offset) from None
    fields: Fields = {"time": format_time(to_us(moment))}
    return fields | {"time_flags": flags} if flags else fields


def time_octets(moment: datetime) -> bytes:
    """The CP56Time2a of an instant, whole milliseconds.

    >>> time_of(time_octets(datetime(2026, 3, 29, 1, 0, 0, 250_000, tzinfo=UTC)))
    {'time': '2026-03-29T01:00:00.250000Z'}
    """
    utc = moment.astimezone(UTC)
    milliseconds = utc.second * 1000 + utc.microsecond // 1000
    weekday = utc.isoweekday() << 5
    return struct.pack("<H5B", milliseconds, utc.minute, utc.hour, utc.day | weekday, utc.month, utc.year - 2000)
