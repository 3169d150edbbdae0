"""What was said over connections: TCP streams put together again from packets, UDP datagrams as they are.

Packets may come twice, out of order or not at all. What is missing is said (``lost_bytes``) and never guessed.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

import dpkt

from schemas.wire.capture.packets import Packet
from schemas.wire.contract import Malformed

HELD_LIMIT_BYTES: Final = 256 * 1024
"""How much of a direction may wait for a missing packet before it counts as lost."""

CONNECTIONS_LIMIT: Final = 10_000
"""How many connections are followed at once; the longest silent is given up."""

_LINKS: Final[dict[int, type[Any]]] = {
    0: dpkt.loopback.Loopback,
    1: dpkt.ethernet.Ethernet,
    113: dpkt.sll.SLL,
    276: dpkt.sll2.SLL2,
}
_RAW_IP: Final = frozenset({12, 14, 101, 228, 229})
_WRAP: Final = 1 << 32
_HALF: Final = 1 << 31


class Heard(NamedTuple):
    """Octets that went one way over a connection, in order.

    ``connection`` names both ends, who opened it first; ``opened`` is true for what its opener said. ``lost_bytes``
    were missing right before these (-1: unknown how many). ``is_first`` marks the first of this direction.
    """

    time_us: int | None
    offset: int
    connection: str
    opened: bool
    sender: str
    receiver: str
    octets: bytes
    lost_bytes: int = 0
    is_first: bool = False
    is_datagram: bool = False


class _Segment(NamedTuple):
    time_us: int | None
    offset: int
    octets: bytes


@dataclass(slots=True)
class _Direction:
    """One way of a connection; ``next_number`` is the sequence number that should come (None: nothing came yet)."""

    next_number: int | None = None
    started: bool = False
    waiting: dict[int, _Segment] = field(default_factory=dict)

    def take(self, number: int, segment: _Segment) -> Iterator[tuple[_Segment, int]]:
        """Segments that are in order now, with how many bytes are missing before each."""
        if self.next_number is None:
            self.next_number = number
        ahead = _distance(self.next_number, number)
        if ahead <= 0:
            fresh = segment.octets[-ahead:]
            if fresh:
                self.next_number = (self.next_number + len(fresh)) % _WRAP
                yield segment._replace(octets=fresh), 0
        else:
            known = self.waiting.get(number)
            if known is None or len(known.octets) < len(segment.octets):
                self.waiting[number] = segment
        yield from self._ready()
        if sum(len(held.octets) for held in self.waiting.values()) > HELD_LIMIT_BYTES:
            yield from self.give_up()

    def give_up(self) -> Iterator[tuple[_Segment, int]]:
        """What waits, with the gaps before it."""
        while self.waiting and self.next_number is not None:
            number = min(self.waiting, key=lambda waiting: _distance(self.next_number or 0, waiting))
            segment = self.waiting.pop(number)
            lost = _distance(self.next_number, number)
            fresh = segment.octets[max(0, -lost) :]
            if fresh:
                self.next_number = (number + len(segment.octets)) % _WRAP
                yield segment._replace(octets=fresh), max(0, lost)

    def _ready(self) -> Iterator[tuple[_Segment, int]]:
        while self.waiting and self.next_number is not None:
            reached = [number for number in self.waiting if _distance(self.next_number, number) <= 0]
            if not reached:
                return
            for number in sorted(reached, key=lambda waiting: _distance(self.next_number or 0, waiting)):
                segment = self.waiting.pop(number)
                fresh = segment.octets[-_distance(self.next_number, number) :]
                if fresh:
                    self.next_number = (self.next_number + len(fresh)) % _WRAP
                    yield segment._replace(octets=fresh), 0


class _Connection:
    """Both ways of one connection."""

    def __init__(self, opener: str, other: str) -> None:
        self.opener, self.other = opener, other
        self.name = f"{opener}-{other}"
        self._ways = {opener: _Direction(), other: _Direction()}

    def begin(self, sender: str, number: int) -> None:
        """A SYN: the first octet has the number after it."""
        way = self._ways[sender] = _Direction()
        way.next_number = (number + 1) % _WRAP

    def take(self, sender: str, number: int, segment: _Segment) -> Iterator[Heard]:
        """What can be said in order now."""
        yield from self._heard(sender, self._ways[sender].take(number, segment))

    def close(self) -> Iterator[Heard]:
        """What still waits for packets that never came."""
        for sender, way in self._ways.items():
            yield from self._heard(sender, way.give_up())

    def _heard(self, sender: str, segments: Iterable[tuple[_Segment, int]]) -> Iterator[Heard]:
        receiver = self.other if sender == self.opener else self.opener
        way = self._ways[sender]
        for segment, lost in segments:
            first, way.started = not way.started, True
            yield Heard(
                segment.time_us,
                segment.offset,
                self.name,
                sender == self.opener,
                sender,
                receiver,
                segment.octets,
                lost,
                first,
            )


def heard(packets: Iterable[Packet | Malformed]) -> Iterator[Heard | Malformed]:
    """What was said over every connection, as far as it is in order, as soon as it is."""
    connections: OrderedDict[frozenset[str], _Connection] = OrderedDict()
    for packet in packets:
        if isinstance(packet, Malformed):
            yield packet
            continue
        internet = _internet(packet)
        if internet is None:
            continue
        inner = internet.data
        if isinstance(inner, dpkt.udp.UDP) and inner.data:
            yield _datagram(packet, *_ends(internet, inner), bytes(inner.data))
        elif isinstance(inner, dpkt.tcp.TCP):
            yield from _segment(connections, packet, internet, inner)
    for connection in connections.values():
        yield from connection.close()


def _segment(
    connections: "OrderedDict[frozenset[str], _Connection]", packet: Packet, internet: Any, inner: Any
) -> Iterator[Heard]:
    sender, receiver = _ends(internet, inner)
    key = frozenset((sender, receiver))
    opens = bool(inner.flags & dpkt.tcp.TH_SYN)
    if opens and not inner.flags & dpkt.tcp.TH_ACK and (old := connections.pop(key, None)):
        yield from old.close()  # the same ports again: another conversation
    connection = connections.get(key)
    if connection is None:
        opener, other = _roles(sender, receiver, opens=opens, answers=bool(inner.flags & dpkt.tcp.TH_ACK))
        connection = connections[key] = _Connection(opener, other)
        if len(connections) > CONNECTIONS_LIMIT:
            yield from connections.popitem(last=False)[1].close()
    connections.move_to_end(key)
    if opens:
        connection.begin(sender, inner.seq)
        return
    payload = bytes(inner.data)
    if payload:
        yield from connection.take(sender, inner.seq, _Segment(packet.time_us, packet.offset, payload))


def _roles(sender: str, receiver: str, *, opens: bool, answers: bool) -> tuple[str, str]:
    """Who opened the connection; where its beginning was not caught, who has the higher port."""
    if opens:
        return (receiver, sender) if answers else (sender, receiver)
    by_port = sorted((sender, receiver), key=lambda end: (-int(end.rpartition(":")[2]), end))
    return by_port[0], by_port[1]


def _datagram(packet: Packet, sender: str, receiver: str, octets: bytes) -> Heard:
    return Heard(
        packet.time_us,
        packet.offset,
        f"{sender}-{receiver}",
        opened=True,
        sender=sender,
        receiver=receiver,
        octets=octets,
        is_first=True,
        is_datagram=True,
    )


def _internet(packet: Packet) -> Any | None:
    """The IP packet inside, of version 4 or 6; None where there is none or it is no TCP or UDP."""
    try:
        if packet.link_type in _RAW_IP:
            version = packet.octets[0] >> 4 if packet.octets else 0
            return (dpkt.ip6.IP6 if version == 6 else dpkt.ip.IP)(packet.octets)
        link = _LINKS.get(packet.link_type)
        inner = None if link is None else link(packet.octets).data
    except (dpkt.dpkt.Error, ValueError, IndexError, KeyError, TypeError, AttributeError):
        return None  # a damaged or unusual packet; its TCP stream, if any, shows the gap
    return inner if isinstance(inner, (dpkt.ip.IP, dpkt.ip6.IP6)) else None


def _ends(internet: Any, inner: Any) -> tuple[str, str]:
    sender, receiver = (str(ip_address(bytes(address))) for address in (internet.src, internet.dst))
    if isinstance(internet, dpkt.ip6.IP6):
        sender, receiver = f"[{sender}]", f"[{receiver}]"
    return f"{sender}:{inner.sport}", f"{receiver}:{inner.dport}"


def _distance(start: int, end: int) -> int:
    """From one sequence number to another, across the wrap (RFC 9293, 3.4)."""
    return (end - start + _HALF) % _WRAP - _HALF
