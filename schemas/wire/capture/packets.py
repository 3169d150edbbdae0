"""Packets in a capture file, exactly: integer time stamps, bounded memory, damage named.

pcap: the classic format, in microseconds or nanoseconds, of either byte order.
pcapng: draft-ietf-opsawg-pcapng; section header, interface description, enhanced, simple and obsolete packet blocks.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from schemas.wire.contract import BadSyntax, Malformed, TooLarge, Truncated, WireError
from schemas.wire.instants import countable

PACKET_LIMIT_BYTES: Final = 1024 * 1024
"""The largest packet or block. Jumbo frames have 9 KiB; with segmentation in the network card, 64 KiB are seen."""

_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
_SECTION: Final = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDERS: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6
_IF_TSRESOL, _IF_TSOFFSET = 9, 14
_SECOND_US = 1_000_000


class Packet(NamedTuple):
    """A packet as it was caught: when (None: the file does not say), where in the file, of which link type."""

    time_us: int | None
    offset: int
    link_type: int
    octets: bytes


class _Port(NamedTuple):
    """A network interface a capture was made on: link type, ticks per second, seconds its clock is off."""

    link_type: int
    ticks: int
    offset_s: int


def is_capture(head: bytes) -> bool:
    """Whether a file that starts so is a capture."""
    return head[:4] in _PCAP or (head[:4] == _SECTION and head[8:12] in _BYTE_ORDERS)


def packets_of(stream: BinaryIO) -> Iterator[Packet | Malformed]:
    """Every packet; where the file is damaged, what follows comes out as one :class:`Malformed`.

    Both formats chain lengths, so behind a wrong length nothing can be found again.
    """
    reader = _Reader(stream)
    magic = reader.take(4)
    try:
        if magic in _PCAP:
            yield from _pcap(reader, *_PCAP[magic])
        else:
            yield from _pcapng(reader, magic)
    except WireError as error:
        yield Malformed(reader.last, reader.start, error)


class _Reader:
    """Takes bytes and knows where the piece being read started."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.position = 0
        self.start = 0
        self.last = b""

    def begin(self) -> None:
        """The next piece starts here."""
        self.start, self.last = self.position, b""

    def take(self, size: int, *, whole: bool = True) -> bytes:
        """So many bytes.

        Raises:
            Truncated: the file ends before (nothing at all is an end where ``whole`` is false).
        """
        if size > PACKET_LIMIT_BYTES:
            raise TooLarge(f"a packet of {size} bytes; up to {PACKET_LIMIT_BYTES} are read", 0)
        octets = self._stream.read(size)
        self.position += len(octets)
        self.last += octets
        if len(octets) < size and (whole or octets):
            raise Truncated("the capture ends within a packet; was it copied before the recording was stopped?")
        return octets


def _pcap(reader: _Reader, order: str, ticks: int) -> Iterator[Packet]:
    link_type = struct.unpack(order + "HHiIII", reader.take(20))[5] & 0xFFFF
    record = struct.Struct(order + "IIII")
    while True:
        reader.begin()
        head = reader.take(16, whole=False)
        if not head:
            return
        seconds, fraction, caught, _ = record.unpack(head)
        octets = reader.take(caught)
        yield Packet(seconds * _SECOND_US + fraction * _SECOND_US // ticks, reader.start, link_type, octets)


def _pcapng(reader: _Reader, kind: bytes) -> Iterator[Packet]:
    order, ports = "<", list[_Port]()
    while kind:
        length_octets = reader.take(4)
        if kind == _SECTION:
            magic = reader.take(4)
            if magic not in _BYTE_ORDERS:
                raise BadSyntax("a section of the capture has no valid byte order mark", 8)
            order, ports = _BYTE_ORDERS[magic], []
        length = int.from_bytes(length_octets, "little" if order == "<" else "big")
        body = reader.take(_body_size(length, len(reader.last)))
        _check_end(reader, length_octets)
        number = int.from_bytes(kind, "little" if order == "<" else "big")
        if number == _INTERFACE:
            ports.append(_port(order, body))
        elif number in {_PACKET, _ENHANCED}:
            yield _packet(order, number, body, ports, reader.start)
        elif number == _SIMPLE and ports:
            size = min(int.from_bytes(body[:4], "little" if order == "<" else "big"), len(body) - 4)
            yield Packet(None, reader.start, ports[0].link_type, body[4 : 4 + size])
        reader.begin()
        kind = reader.take(4, whole=False)


def _body_size(length: int, taken: int) -> int:
    if length % 4 or length < taken + 4:
        raise BadSyntax(f"a block of the capture says it has {length} bytes", 4)
    return length - taken - 4


def _check_end(reader: _Reader, length: bytes) -> None:
    if reader.take(4) != length:
        raise BadSyntax("a block of the capture ends with another length than it starts with", len(reader.last) - 4)


def _port(order: str, body: bytes) -> _Port:
    if len(body) < 8:
        raise BadSyntax("an interface description of the capture is too short", 8)
    link_type = struct.unpack_from(order + "H", body)[0]
    ticks, offset_s, at = _SECOND_US, 0, 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if code == _IF_TSRESOL and len(value) == 1:
            ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == _IF_TSOFFSET and len(value) == 8:
            offset_s = struct.unpack(order + "q", value)[0]
        at += 4 + size + -size % 4
    return _Port(link_type, ticks, offset_s)


def _packet(order: str, number: int, body: bytes, ports: list[_Port], offset: int) -> Packet:
    if len(body) < 20:
        raise BadSyntax("a packet block of the capture is too short", 8)
    first, high, low, caught, _ = struct.unpack_from(order + "IIIII", body)
    # The obsolete block has a count of drops in the upper half, in the order of the section.
    place = first if number == _ENHANCED else struct.unpack_from(order + "H", body)[0]
    if place >= len(ports) or caught > len(body) - 20:
        raise BadSyntax("a packet block of the capture names an interface or a length that is not there", 8)
    port = ports[place]
    time_us = (high << 32 | low) * _SECOND_US // port.ticks + port.offset_s * _SECOND_US
    return Packet(countable(time_us), offset, port.link_type, body[20 : 20 + caught])
