"""Captures of what goes over a cable: Ethernet, IPv6, and SDP over UDP, the session over TCP; as pcapng or pcap.

The powerline modems of vehicle and wallbox make the cable an Ethernet link. A vehicle writes head and body of a message
one after the other, so they come in two segments; what is longer than a segment may be comes in more. Who is spoken to
acknowledges it soon, and before it answers. Checksums are right, clocks are those of the log.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, Final, NamedTuple

import dpkt

from replay.scenario.message import Message
from replay.scenario.names import SPEAKING_HOUSES, Names
from schemas.time import SECOND_US
from schemas.wire.iso15118.framing import HEAD_BYTES, SDP_REQUEST, SDP_RESPONSE

CLOSES: Final = "closes"
"""In the context of a message: its connection ends with it."""

_PCAPNG, _PCAP = ".pcapng", ".pcap"
_KINDS: Final = (_PCAPNG, _PCAP, "", "")
"""Of four of the first houses one records its cable in each format; all others' wallboxes log what they hear."""

_ETHERNET: Final = 1
_LONGEST: Final = 65_535
_SEGMENT_BYTES: Final = 1440
"""What an Ethernet frame of 1500 octets leaves behind the heads of IPv6 and TCP."""

_SEGMENT_OPTION: Final = b"\x02\x04" + _SEGMENT_BYTES.to_bytes(2)
_WINDOW: Final = 28_800
_WRAP: Final = 1 << 32
_STEP_US: Final = 200
"""Between two packets that follow each other."""

_ACKNOWLEDGED_US: Final = 40_000
"""After a segment its receiver has waited long enough for something to answer."""

_MULTICAST: Final = b"\x33\x33"
_SYN, _ACK, _PUSH, _FIN = dpkt.tcp.TH_SYN, dpkt.tcp.TH_ACK, dpkt.tcp.TH_PUSH, dpkt.tcp.TH_FIN


def log_of(names: Names) -> str:
    """The log in which a wallbox's cable is recorded, which ends with its file's name; "" where it is not."""
    kind = _KINDS[names.site % len(_KINDS)] if names.site < SPEAKING_HOUSES else ""
    return f"1 {names.station}{kind}" if kind else ""


def file_of(log: str) -> str:
    """The name of a log's file; "" where the log is no capture."""
    return log.partition(" ")[2] if log.endswith((_PCAPNG, _PCAP)) else ""


def station_address(ethernet: bytes) -> bytes:
    """The address that a node gives itself on its link (RFC 4291, appendix A).

    >>> str(IPv6Address(station_address(bytes.fromhex("020000000001"))))
    'fe80::ff:fe00:1'
    """
    return b"\xfe\x80" + bytes(6) + bytes((ethernet[0] ^ 2,)) + ethernet[1:3] + b"\xff\xfe" + ethernet[3:]


class Capture:
    """A capture, written as its messages come; told one, it gives the octets that the file goes on with."""

    def __init__(self, log: str) -> None:
        self._packets = _Link()
        self._begin, self._record = _FORMATS[_PCAPNG if log.endswith(_PCAPNG) else _PCAP]

    def __call__(self, message: Message) -> bytes:
        """The packets of a message."""
        begin, self._begin = self._begin, b""
        return begin + b"".join(self._record(*packet) for packet in self._packets.of(message))


class _Packet(NamedTuple):
    time_us: int
    octets: bytes


@dataclass(slots=True)
class _End:
    """One end of a connection: its address and port, and the number of the octet it says next."""

    address: bytes
    port: int
    next_number: int

    def says(self, octets: int) -> None:
        """It said so many octets."""
        self.next_number = (self.next_number + octets) % _WRAP


class _Link:
    """The cable: whatever connection is open on it."""

    def __init__(self) -> None:
        self._open: dict[str, _End] = {}

    def of(self, message: Message) -> Iterator[_Packet]:
        """The packets that carry a message, those that open its connection first, those that close it last."""
        time_us, said = message.time_us, message.context
        if int.from_bytes(message.raw[2:4]) in {SDP_REQUEST, SDP_RESPONSE}:
            yield _Packet(time_us, _datagram(said["from"], said["to"], message.raw))
            return
        if not self._open.keys() >= {said["from"], said["to"]}:
            yield from self._opens(time_us, said["from"], said["to"])
        sender, receiver = self._open[said["from"]], self._open[said["to"]]
        pieces = _pieces(message.raw, head_alone=said["opener"])
        for place, piece in enumerate(pieces, 1):
            at_us = time_us - (len(pieces) - place) * _STEP_US
            flags = _ACK | _PUSH if place == len(pieces) else _ACK
            yield _Packet(at_us, _segment(sender, receiver, flags, piece))
            sender.says(len(piece))
        yield _Packet(time_us + _ACKNOWLEDGED_US, _segment(receiver, sender, _ACK))
        if said.get(CLOSES):
            yield from self._closes(time_us + _ACKNOWLEDGED_US, receiver, sender)

    def _opens(self, time_us: int, opener: str, other: str) -> Iterator[_Packet]:
        """The three packets before the first segment."""
        first, second = (_end_of(name, time_us) for name in (opener, other))
        self._open = {opener: first, other: second}
        time_us -= 8 * _STEP_US
        yield _Packet(time_us, _segment(first, second, _SYN, options=_SEGMENT_OPTION))
        first.says(1)
        yield _Packet(time_us + _STEP_US, _segment(second, first, _SYN | _ACK, options=_SEGMENT_OPTION))
        second.says(1)
        yield _Packet(time_us + 2 * _STEP_US, _segment(first, second, _ACK))

    def _closes(self, time_us: int, first: _End, second: _End) -> Iterator[_Packet]:
        """Both say that they have nothing more to say."""
        self._open = {}
        for place, (sender, receiver) in enumerate(((first, second), (second, first)), 1):
            yield _Packet(time_us + place * _STEP_US, _segment(sender, receiver, _FIN | _ACK))
            sender.says(1)
        yield _Packet(time_us + 3 * _STEP_US, _segment(first, second, _ACK))


def _pieces(raw: bytes, *, head_alone: bool) -> list[bytes]:
    """A message in segments."""
    begins = [HEAD_BYTES] if head_alone and len(raw) > HEAD_BYTES else [0]
    begins += range(begins[0] + _SEGMENT_BYTES, len(raw), _SEGMENT_BYTES)
    if begins[0]:
        begins = [0, *begins]
    return [raw[begin:end] for begin, end in zip(begins, [*begins[1:], len(raw)], strict=True)]


def _end_of(name: str, time_us: int) -> _End:
    """An end that begins to speak now; its first number grows with time (RFC 9293, 3.4.1)."""
    address, _, port = name.rpartition(":")
    number = (time_us // 4 + int(port) * 1_000_003) % _WRAP
    return _End(IPv6Address(address[1:-1]).packed, int(port), number)


def _segment(sender: _End, receiver: _End, flags: int, data: bytes = b"", *, options: bytes = b"") -> bytes:
    tcp = dpkt.tcp.TCP(
        sport=sender.port,
        dport=receiver.port,
        seq=sender.next_number,
        ack=receiver.next_number if flags & _ACK else 0,
        off=(20 + len(options)) // 4,
        flags=flags,
        win=_WINDOW,
        opts=options,
        data=data,
    )
    return _ethernet(sender.address, receiver.address, dpkt.ip.IP_PROTO_TCP, tcp)


def _datagram(sender: str, receiver: str, data: bytes) -> bytes:
    first, second = (_end_of(name, 0) for name in (sender, receiver))
    udp = dpkt.udp.UDP(sport=first.port, dport=second.port, ulen=8 + len(data), data=data)
    return _ethernet(first.address, second.address, dpkt.ip.IP_PROTO_UDP, udp)


def _ethernet(sender: bytes, receiver: bytes, protocol: int, inner: Any) -> bytes:
    ip = dpkt.ip6.IP6(src=sender, dst=receiver, nxt=protocol, hlim=64, plen=len(inner), data=inner)
    ip.extension_hdrs = {}
    source, destination = _hardware(sender), _hardware(receiver)
    return bytes(dpkt.ethernet.Ethernet(src=source, dst=destination, type=dpkt.ethernet.ETH_TYPE_IP6, data=ip))


def _hardware(address: bytes) -> bytes:
    """The Ethernet address of a node, which its own address holds; of a group (RFC 2464, 7)."""
    if address[0] == 0xFF:
        return _MULTICAST + address[-4:]
    return bytes((address[8] ^ 2,)) + address[9:11] + address[13:]


def _pcap_record(time_us: int, octets: bytes) -> bytes:
    return struct.pack("<IIII", *divmod(time_us, SECOND_US), len(octets), len(octets)) + octets


def _pcapng_record(time_us: int, octets: bytes) -> bytes:
    return _block(6, struct.pack("<IIIII", 0, time_us >> 32, time_us % _WRAP, len(octets), len(octets)) + octets)


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


_SECTION: Final = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
_FORMATS: Final[dict[str, tuple[bytes, Callable[[int, bytes], bytes]]]] = {
    _PCAPNG: (_SECTION + _block(1, struct.pack("<HHI", _ETHERNET, 0, _LONGEST)), _pcapng_record),
    _PCAP: (struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _LONGEST, _ETHERNET), _pcap_record),
}
"""By format, both in microseconds: what a file begins with, and a packet in it."""
