"""Coils and discrete inputs: what Modbus reads and writes bit by bit (functions 1, 2, 5 and 15).

Source: Modbus Application Protocol 1.1b3, 6.1, 6.2, 6.5 and 6.11. Bits have addresses of their own, so no register's
point list is about them: they are kept, and say nothing.

Payload: ``{"address": 19, "count": 3, "bits": [1, 0, 1]}`` beside what every ADU has; a request says the bits it
wants to write as ``wanted``.
"""

from typing import Final, NamedTuple

from schemas.wire.contract import SchemaViolation, Truncated
from schemas.wire.modbus.adu import REGISTERS, Adu, words

READ_COILS: Final = 1
READ_INPUTS: Final = 2
WRITE_ONE: Final = 5
WRITE_MANY: Final = 15
READS: Final = frozenset({READ_COILS, READ_INPUTS})
FUNCTIONS: Final = frozenset({READ_COILS, READ_INPUTS, WRITE_ONE, WRITE_MANY})

READ_LIMIT: Final = 2000
WRITE_LIMIT: Final = 1968
_ON, _OFF = 0xFF00, 0x0000
_RANGE: Final = 4
"""Octets of an address and a number."""


class Bits(NamedTuple):
    """What a PDU is about: ``address`` and ``many`` (None in an answer to a read, which says neither), and bits."""

    address: int | None
    many: int | None
    bits: tuple[int, ...] = ()


def is_answer(adu: Adu, opener: bool | None, *, is_asked: bool) -> bool:
    """Whether it answers; where neither length nor connection tell, that it was asked before tells.

    Args:
        adu: One about bits.
        opener: Whether who opened the connection says it; None where nobody knows.
        is_asked: Whether a request of its transaction waits for an answer that could be this one.
    """
    if adu.function == WRITE_MANY:
        return len(adu.data) == _RANGE
    if adu.function in READS and len(adu.data) != _RANGE:
        return True
    if opener is not None:
        return not opener
    return is_asked and (adu.function == WRITE_ONE or adu.data[0] == len(adu.data) - 1)


def asked(adu: Adu) -> Bits:
    """What a request asks for, or wants to write.

    Raises:
        Truncated: it ends too early.
        SchemaViolation: counts that do not fit each other, or bits beyond the last.
    """
    if adu.function == WRITE_ONE:
        return _one(adu.data)
    found = _range(adu.data, WRITE_LIMIT if adu.function == WRITE_MANY else READ_LIMIT, adu.function)
    if adu.function in READS:
        return found
    octets = adu.data[_RANGE:]
    if not octets or octets[0] != len(octets) - 1 or octets[0] != -(-(found.many or 0) // 8):
        raise SchemaViolation(f"{found.many} bits, and {max(len(octets) - 1, 0)} octets of them", 12)
    return found._replace(bits=_bits(octets[1:])[: found.many])


def answered(adu: Adu) -> Bits:
    """What an answer says; of a read all bits of its octets, the last of which may be padding.

    Raises:
        Truncated, SchemaViolation: as :func:`asked`.
    """
    if adu.function == WRITE_ONE:
        return _one(adu.data)
    if adu.function == WRITE_MANY:
        return _range(adu.data, WRITE_LIMIT, adu.function)
    if not adu.data or adu.data[0] != len(adu.data) - 1 or not adu.data[0]:
        raise SchemaViolation(f"{adu.data[:1].hex() or 'no'} octets of bits are announced, others follow", 8)
    return Bits(None, None, _bits(adu.data[1:]))


def _one(data: bytes) -> Bits:
    if len(data) != _RANGE:
        raise SchemaViolation(f"function 5 has an address and a value, here are {len(data)} octets", 8)
    address, value = words(data)
    if value not in {_ON, _OFF}:
        raise SchemaViolation(f"function 5 with the value {value:04X}; FF00 is on, 0000 is off", 10)
    return Bits(address, 1, (int(value == _ON),))


def _range(data: bytes, limit: int, function: int) -> Bits:
    if len(data) < _RANGE:
        raise Truncated(f"function {function} without its fields", 8 + len(data))
    address, count = words(data[:_RANGE])
    if not 1 <= count <= limit:
        raise SchemaViolation(f"{count} bits at once; 1 to {limit} can be asked for", 10)
    if address + count > REGISTERS:
        raise SchemaViolation(f"{count} bits from {address} on reach beyond the last, {REGISTERS - 1}", 8)
    return Bits(address, count)


def _bits(octets: bytes) -> tuple[int, ...]:
    """Bits of their octets, the lowest of each octet first."""
    return tuple(octet >> place & 1 for octet in octets for place in range(8))
