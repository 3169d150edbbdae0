"""APDUs of one's own making, for scenarios and tests."""

import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from schemas.time import from_us
from schemas.wire.iec104.apdu import frame
from schemas.wire.iec104.asdu import SHAPES, time_octets

_SELECT: Final = 0x80
_SETUP: Final = {"STARTDT act": 0x07, "STARTDT con": 0x0B, "TESTFR act": 0x43, "TESTFR con": 0x83}


def encode_setup(function: str) -> bytes:
    """A U-frame, for example ``STARTDT act``."""
    return frame(bytes((_SETUP[function], 0, 0, 0)))


def encode_supervision(receive: int) -> bytes:
    """An S-frame: up to this number frames of the other end have come."""
    return frame(bytes((0x01, 0)) + (receive % (1 << 15) << 1).to_bytes(2, "little"))


def encode_measurement(
    kind: int,
    station: int,
    objects: Sequence[tuple[int, bool | int | Decimal]],
    *,
    cause: int = 3,
    time_us: int | None = None,
    numbers: tuple[int, int] = (0, 0),
    quality: int = 0,
    sequence: bool = False,
) -> bytes:
    """An I-frame with measured values or states: pairs of address and value.

    Args:
        kind: Type identification, one that is read (see :data:`~schemas.wire.iec104.asdu.SHAPES`).
        station: Common address.
        objects: Addresses and values; with ``sequence`` the addresses follow each other.
        cause: Cause of transmission.
        time_us: Time stamp of types with one.
        numbers: Send and receive sequence numbers.
        quality: Quality bits of every object.
        sequence: Whether only the first address is written (SQ bit).
    """
    parts = []
    for number, (address, value) in enumerate(objects):
        where = b"" if sequence and number else address.to_bytes(3, "little")
        parts.append(where + _value(kind, value, quality) + _time(kind, time_us))
    return _i_frame(kind, station, cause, len(parts) | sequence << 7, b"".join(parts), numbers)


def encode_command(
    kind: int,
    station: int,
    address: int,
    value: bool | int | Decimal,
    *,
    cause: int = 6,
    time_us: int | None = None,
    numbers: tuple[int, int] = (0, 0),
    select: bool = False,
) -> bytes:
    """An I-frame with a command or set point, or with its confirmation (cause 7)."""
    body = _value(kind, value, _SELECT if select else 0) + _time(kind, time_us)
    return _i_frame(kind, station, cause, 1, address.to_bytes(3, "little") + body, numbers)


def _i_frame(kind: int, station: int, cause: int, structure: int, body: bytes, numbers: tuple[int, int]) -> bytes:
    control = b"".join((number % (1 << 15) << 1).to_bytes(2, "little") for number in numbers)
    return frame(control, bytes((kind, structure, cause, 0)) + station.to_bytes(2, "little") + body)


def _value(kind: int, value: bool | int | Decimal, last: int) -> bytes:
    """A value as its type holds it; ``last`` is quality or qualifier, where there is one."""
    name = SHAPES[kind].name
    if name[2:4] in {"DP", "DC", "RC"}:
        return bytes(((2 if value > 0 else 1) | last,))
    if name[2:4] in {"SP", "SC"}:
        return bytes((int(value) | last,))
    if name.startswith("M_ST"):
        return bytes((int(value) & 0x7F, last))
    if name[2:4] in {"BO", "IT"}:
        octets = (int(value) & 0xFFFFFFFF).to_bytes(4, "little")
        return octets + bytes((last,)) if name.startswith("M") else octets
    if name[6] in "AD":
        octets = int(Decimal(value) * (1 << 15)).to_bytes(2, "little", signed=True)
        return octets if name == "M_ME_ND_1" else octets + bytes((last,))
    if name[6] in "BE":
        return int(value).to_bytes(2, "little", signed=True) + bytes((last,))
    return struct.pack("<f", Decimal(value)) + bytes((last,))


def _time(kind: int, time_us: int | None) -> bytes:
    if not SHAPES[kind].timed:
        return b""
    return time_octets(from_us(time_us or 0))
