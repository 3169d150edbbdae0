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
    13: "file transfer",
    20: "interrogated by station interrogation",
    37: "counters interrogated",
    44: "unknown type",
    45: "unknown cause",
    46: "unknown station",
    47: "unknown address",
}
"""Causes of transmission (-101, 7.2.3); 21 to 36 are interrogations by group, 38 to 41 of counters by group."""

ACTIVATION: Final = 6
CONFIRMATION: Final = 7
_GROUPS: Final = range(21, 37)
_COUNTER_GROUPS: Final = range(38, 42)
_DOUBLE: Final = (None, False, True, None)
"""Double point: indeterminate or intermediate, off, on, indeterminate. Double command: off and on, others mean none."""

_STEP: Final = (None, -1, 1, None)
"""Regulating step command: lower, higher; others mean none."""

_QUALITY: Final = ((0x80, "invalid"), (0x40, "not topical"), (0x20, "substituted"), (0x10, "blocked"))
_OVERFLOW: Final = (0x01, "overflow")
_COUNTER_QUALITY: Final = ((0x80, "invalid"), (0x40, "adjusted"), (0x20, "carry"))
_HEADER: Final = 6
_ADDRESS: Final = 3
_NORMAL: Final = Decimal(1 << 15)

TIMES_ARE_UTC: Final = True
"""[M] CP56Time2a has no zone. It is taken as UTC, as -104 recommends for systems that span zones, unless the point list
says whose clock it shows; the summer-time bit then tells the two hours apart that clocks show twice."""

SUMMER: Final = "summer time"

Fields = dict[str, Any]


_LAST_YEAR: Final = 99
"""Years have two digits (-101, 7.2.6.18); some senders count them from 1900 and write 126 for 2026."""


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


def _bare(octets: bytes) -> Fields:
    """A normalised value without quality."""
    return _normalised(octets + b"\0")


def _step_position(octets: bytes) -> Fields:
    """The position of a transformer's tap, -64 to 63, and whether it is on its way to another."""
    position = (octets[0] & 0x7F) - (octets[0] << 1 & 0x80)
    return {"value": position, "transient": bool(octets[0] & 0x80), "quality": _measured_flags(octets[1])}


def _bits(octets: bytes) -> Fields:
    return {"value": int.from_bytes(octets[:4], "little"), "quality": _measured_flags(octets[4])}


def _counter(octets: bytes) -> Fields:
    """An integrated total with its sequence number (-101, 7.2.6.9)."""
    last = octets[4]
    quality = [name for bit, name in _COUNTER_QUALITY if last & bit]
    return {"value": int.from_bytes(octets[:4], "little", signed=True), "sequence": last & 0x1F, "quality": quality}


def _command(octets: bytes) -> Fields:
    return {"value": bool(octets[0] & 1), **_qualified(octets[0])}


def _double_command(octets: bytes) -> Fields:
    return {"value": _DOUBLE[octets[0] & 3], **_qualified(octets[0])}


def _step_command(octets: bytes) -> Fields:
    return {"value": _STEP[octets[0] & 3], **_qualified(octets[0])}


def _bits_command(octets: bytes) -> Fields:
    """Thirty-two bits to be set; there is nothing to select."""
    return {"value": int.from_bytes(octets, "little"), "select": False}


def _qualified(octet: int) -> Fields:
    return {"select": bool(octet & 0x80), "qualifier": octet >> 2 & 0x1F}


def _set_point(read: Callable[[bytes], Fields], size: int) -> Callable[[bytes], Fields]:
    """A set point: the value as measured ones have it, then the qualifier with the select bit."""

    def fields(octets: bytes) -> Fields:
        qualifier = octets[size]
        value = read(octets[:size] + b"\0")["value"]
        return {"value": value, "select": bool(qualifier & 0x80), "qualifier": qualifier & 0x7F}

    return fields


def _interrogation(octets: bytes) -> Fields:
    return {"qualifier": octets[0]}


def _initialised(octets: bytes) -> Fields:
    """Why a station starts: 0 power on, 1 reset there, 2 reset from afar."""
    return {"qualifier": octets[0] & 0x7F, "parameters_changed": bool(octets[0] & 0x80)}


def _test_counter(octets: bytes) -> Fields:
    return {"counter": int.from_bytes(octets, "little")}


def _nothing(_octets: bytes) -> Fields:
    return {}


SHAPES: Final = {
    1: Shape("M_SP_NA_1", 1, _single),
    3: Shape("M_DP_NA_1", 1, _double),
    5: Shape("M_ST_NA_1", 2, _step_position),
    7: Shape("M_BO_NA_1", 5, _bits),
    9: Shape("M_ME_NA_1", 3, _normalised),
    11: Shape("M_ME_NB_1", 3, _scaled),
    13: Shape("M_ME_NC_1", 5, _floating),
    15: Shape("M_IT_NA_1", 5, _counter),
    21: Shape("M_ME_ND_1", 2, _bare),
    30: Shape("M_SP_TB_1", 1, _single, timed=True),
    31: Shape("M_DP_TB_1", 1, _double, timed=True),
    32: Shape("M_ST_TB_1", 2, _step_position, timed=True),
    33: Shape("M_BO_TB_1", 5, _bits, timed=True),
    34: Shape("M_ME_TD_1", 3, _normalised, timed=True),
    35: Shape("M_ME_TE_1", 3, _scaled, timed=True),
    36: Shape("M_ME_TF_1", 5, _floating, timed=True),
    37: Shape("M_IT_TB_1", 5, _counter, timed=True),
    45: Shape("C_SC_NA_1", 1, _command),
    46: Shape("C_DC_NA_1", 1, _double_command),
    47: Shape("C_RC_NA_1", 1, _step_command),
    48: Shape("C_SE_NA_1", 3, _set_point(_normalised, 2)),
    49: Shape("C_SE_NB_1", 3, _set_point(_scaled, 2)),
    50: Shape("C_SE_NC_1", 5, _set_point(_floating, 4)),
    51: Shape("C_BO_NA_1", 4, _bits_command),
    58: Shape("C_SC_TA_1", 1, _command, timed=True),
    59: Shape("C_DC_TA_1", 1, _double_command, timed=True),
    60: Shape("C_RC_TA_1", 1, _step_command, timed=True),
    61: Shape("C_SE_TA_1", 3, _set_point(_normalised, 2), timed=True),
    62: Shape("C_SE_TB_1", 3, _set_point(_scaled, 2), timed=True),
    63: Shape("C_SE_TC_1", 5, _set_point(_floating, 4), timed=True),
    64: Shape("C_BO_TA_1", 4, _bits_command, timed=True),
    70: Shape("M_EI_NA_1", 1, _initialised),
    100: Shape("C_IC_NA_1", 1, _interrogation),
    101: Shape("C_CI_NA_1", 1, _interrogation),
    102: Shape("C_RD_NA_1", 0, _nothing),
    103: Shape("C_CS_NA_1", 0, _nothing, timed=True),
    105: Shape("C_RP_NA_1", 1, _interrogation),
    107: Shape("C_TS_TA_1", 2, _test_counter, timed=True),
}
"""Types that are read here, by their number (-101, 7.2.1.1)."""

SET_POINTS: Final = frozenset({48, 49, 50, 61, 62, 63})
STEPS: Final = frozenset({47, 60})
"""Commands that say which way, not where to: no value of their point."""

COMMANDS: Final = SET_POINTS | {45, 46, 51, 58, 59, 64}
MEASURED: Final = frozenset({1, 3, 5, 7, 9, 11, 13, 15, 21, *range(30, 38)})


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
    if cause in _COUNTER_GROUPS:
        return f"counters interrogated by group {cause - 37}"
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

    A year of more than two digits is invalid too: none is made of it, so it is the log's time that counts.

    Raises:
        SchemaViolation: no such time.
    """
    milliseconds, minute, hour, day, month, year = struct.unpack("<H5B", octets)
    flags = [name for is_set, name in ((minute & 0x80, "invalid"), (hour & 0x80, SUMMER)) if is_set]
    parts = (2000 + (year & 0x7F), month & 0x0F, day & 0x1F, hour & 0x1F, minute & 0x3F, milliseconds // 1000)
    if year & 0x7F > _LAST_YEAR:
        flags.append(f"year {year & 0x7F}")
    if "invalid" in flags or year & 0x7F > _LAST_YEAR:
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
