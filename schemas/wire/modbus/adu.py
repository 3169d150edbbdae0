"""The ADU of Modbus/TCP: seven octets of header, then function and data.

Sources: Modbus Messaging on TCP/IP Implementation Guide 1.0b, 3.1.3; Modbus Application Protocol 1.1b3, 6 and 7.
"""

import re
import struct
from typing import Final, NamedTuple

from schemas.wire.capture import Speech
from schemas.wire.contract import BadSyntax, SchemaViolation, Truncated, Unsupported
from schemas.wire.octets import Piece

READ_HOLDING: Final = 3
READ_INPUT: Final = 4
WRITE_ONE: Final = 6
WRITE_MANY: Final = 16
READS: Final = frozenset({READ_HOLDING, READ_INPUT})
FUNCTIONS: Final = frozenset({READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY})
EXCEPTION: Final = 0x80
"""This bit in the function says that it failed."""

REGISTERS: Final = 1 << 16
READ_LIMIT: Final = 125
WRITE_LIMIT: Final = 123

EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}
"""Exception codes (clause 7)."""

_HEADER: Final = struct.Struct(">HHHB")
_SHORTEST, _LONGEST = 3, 254
"""What the length field may say: unit, function and at least one octet of data; at most a PDU of 253 octets."""


class Adu(NamedTuple):
    """An ADU taken apart: who is spoken to, what for. ``data`` is what stands behind the function."""

    transaction: int
    unit: int
    function: int
    data: bytes


class Said(NamedTuple):
    """What a PDU says.

    ``kind`` is ``request``, ``response`` or ``exception``; ``either`` where only the connection can tell. ``address``
    is None in responses to reads, which do not say it; ``many`` is how many registers it is about, ``registers`` what
    was read or written.
    """

    kind: str
    address: int | None = None
    many: int = 0
    registers: tuple[int, ...] = ()
    code: int = 0


def next_piece(held: bytes, at: int, is_end: bool) -> Piece | None:
    """The next ADU of a stream; octets that are none reach up to the next that can be one."""
    start = at
    while start < len(held):
        fits = _fits(held, start)
        if fits is False:
            start += 1
            continue
        if start > at:
            return Piece(start - at, BadSyntax("these bytes stand between ADUs"))
        if fits:
            return Piece(6 + int.from_bytes(held[at + 4 : at + 6]))
        if not is_end:
            return None
        return Piece(len(held) - at, Truncated("the ADU is shorter than its header says", len(held) - at))
    return Piece(len(held) - at, BadSyntax("these bytes are no ADU: protocol 0 and a length of 3 to 254 never follow"))


def _fits(held: bytes, start: int) -> bool | None:
    """Whether an ADU stands there; None: more octets are needed to tell."""
    known = held[start + 2 : start + 8]
    if known[:3] != bytes(len(known[:3])):
        return False
    if len(known) >= 4 and not _SHORTEST <= known[3] <= _LONGEST:
        return False
    if len(known) == 6 and not 0 < known[5] & ~EXCEPTION < 0x80:
        return False
    return True if len(known) == 6 and start + 6 + known[3] <= len(held) else None


def parse(raw: bytes) -> Adu:
    """Take an ADU apart.

    Raises:
        Truncated: shorter than its header says.
        BadSyntax: another protocol, or longer than its header says.
    """
    if len(raw) < _HEADER.size + 1:
        raise Truncated("an ADU has a header of seven octets and a function", len(raw))
    transaction, protocol, length, unit = _HEADER.unpack_from(raw)
    if protocol:
        raise BadSyntax(f"protocol {protocol} in the header; Modbus is protocol 0", 2)
    if length != len(raw) - 6:
        problem = Truncated if length > len(raw) - 6 else BadSyntax
        raise problem(f"the length field says {length}, and {len(raw) - 6} octets follow it", 4)
    return Adu(transaction, unit, raw[7], raw[8:])


def understand(adu: Adu) -> Said:
    """What the PDU says; its offsets count from the start of the ADU.

    Raises:
        Unsupported: a function other than 3, 4, 6 and 16; for 1, 2, 5 and 15 see :mod:`~schemas.wire.modbus.bits`.
        Truncated: it ends too early.
        SchemaViolation: counts that do not fit each other, or registers beyond the last.
    """
    if adu.function & EXCEPTION:
        if len(adu.data) != 1:
            raise SchemaViolation(f"an exception has one octet of code, here are {len(adu.data)}", 8)
        return Said("exception", code=adu.data[0])
    if adu.function not in FUNCTIONS:
        raise Unsupported(f"function {adu.function}; read are 1 to 6, 15 and 16", 7)
    if len(adu.data) < 2:
        raise Truncated(f"function {adu.function} without its fields", 8 + len(adu.data))
    if adu.function in READS:
        return _read(adu.data)
    return _write_one(adu.data) if adu.function == WRITE_ONE else _write_many(adu.data)


def _read(data: bytes) -> Said:
    if len(data) == 4:  # a response has an even number of octets behind its count
        return _range(data, READ_LIMIT)
    if data[0] != len(data) - 1 or data[0] % 2 or not data[0]:
        raise SchemaViolation(f"{data[0]} octets of registers are announced, and {len(data) - 1} follow", 8)
    return Said("response", None, data[0] // 2, words(data[1:]))


def _write_one(data: bytes) -> Said:
    if len(data) != 4:
        raise SchemaViolation(f"function 6 has an address and a value, here are {len(data)} octets", 8)
    address, value = words(data)
    return Said("either", address, 1, (value,))


def _write_many(data: bytes) -> Said:
    if len(data) == 4:
        return _range(data, WRITE_LIMIT)._replace(kind="response")
    if len(data) < 5:
        raise Truncated("function 16 without its count of octets", 8 + len(data))
    asked = _range(data[:4], WRITE_LIMIT)
    if data[4] != len(data) - 5 or data[4] != 2 * asked.many:
        raise SchemaViolation(f"{asked.many} registers, {data[4]} octets announced, {len(data) - 5} there", 12)
    return asked._replace(registers=words(data[5:]))


def _range(data: bytes, limit: int) -> Said:
    address, count = words(data[:4])
    if not 1 <= count <= limit:
        raise SchemaViolation(f"{count} registers at once; 1 to {limit} can be asked for", 10)
    if address + count > REGISTERS:
        raise SchemaViolation(f"{count} registers from {address} on reach beyond the last, {REGISTERS - 1}", 8)
    return Said("request", address, count)


def words(octets: bytes) -> tuple[int, ...]:
    """Registers of their octets, the high one first."""
    return struct.unpack(f">{len(octets) // 2}H", octets)


def frame(transaction: int, unit: int, function: int, data: bytes) -> bytes:
    """An ADU."""
    return _HEADER.pack(transaction, 0, len(data) + 2, unit) + bytes((function,)) + data


SPEECH: Final = Speech(
    "Modbus/TCP",
    next_piece,
    re.compile(rb"..\x00\x00\x00[\x03-\xfe].[\x01-\x06\x0f\x10\x81-\x86\x8f\x90]", re.DOTALL),
    ports=frozenset({502, 802, 1502}),
)
"""1502 is where devices listen that may not take a port below 1024. 802 is Modbus over TLS, and named as that."""
