"""Captures: streams are put together again whatever happened to their packets, and what is missing is said."""

import io
import re
import struct

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire import capture
from schemas.wire.contract import Frame, Malformed, Truncated
from schemas.wire.octets import Piece

CLIENT, SERVER = ("10.0.0.1", 50_000), ("10.0.0.2", 7_000)
START_US = 1_774_746_000_000_000


def next_piece(held, at, is_end):
    """A protocol of one-octet lengths behind a '#'."""
    if held[at] != ord("#"):
        end = held.find(b"#", at)
        return Piece((end if end >= 0 else len(held)) - at, Truncated("not a message"))
    if at + 1 >= len(held) or at + 2 + held[at + 1] > len(held):
        return Piece(len(held) - at, Truncated("too short")) if is_end else None
    return Piece(2 + held[at + 1])


SPEECH = capture.Speech("Hash", next_piece, re.compile(rb"#"), datagram_ports=frozenset({9_000}))


def message(text):
    return b"#" + bytes([len(text)]) + text


def packet(sender, receiver, seq, data=b"", flags=dpkt.tcp.TH_ACK):
    tcp = dpkt.tcp.TCP(sport=sender[1], dport=receiver[1], seq=seq % 2**32, flags=flags, data=data)
    return ethernet(sender, receiver, tcp, dpkt.ip.IP_PROTO_TCP)


def datagram(sender, receiver, data):
    udp = dpkt.udp.UDP(sport=sender[1], dport=receiver[1], data=data, ulen=8 + len(data))
    return ethernet(sender, receiver, udp, dpkt.ip.IP_PROTO_UDP)


def ethernet(sender, receiver, inner, protocol):
    address = [bytes(map(int, end[0].split("."))) for end in (sender, receiver)]
    ip = dpkt.ip.IP(src=address[0], dst=address[1], p=protocol, data=inner, len=20 + len(inner))
    return bytes(dpkt.ethernet.Ethernet(data=ip))


def pcap(packets, order="<", magic=0xA1B2C3D4, per_second=1_000_000):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, 1)
    for number, octets in enumerate(packets):
        seconds, rest = divmod(START_US + number * 1_000, 1_000_000)
        head = struct.pack(order + "IIII", seconds, rest * per_second // 1_000_000, len(octets), len(octets))
        out += head + octets
    return out


def pcapng(packets, order="<"):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        length = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + length + body + length

    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack(order + "HHIHHB3x", 1, 0, 65_535, 9, 1, 9))  # nanoseconds
    for number, octets in enumerate(packets):
        ticks = (START_US + number * 1_000) * 1_000
        head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), len(octets))
        out += block(6, head + octets)
    return out


def frames(content, speech=SPEECH):
    return list(capture.split(io.BytesIO(content), speech))


def conversation(pieces, start=1_000):
    packets = [packet(CLIENT, SERVER, start - 1, flags=dpkt.tcp.TH_SYN)]
    packets.append(packet(SERVER, CLIENT, 77, flags=dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK))
    for piece in pieces:
        packets.append(packet(CLIENT, SERVER, start, piece))
        start += len(piece)
    return packets


@pytest.mark.parametrize(
    "content",
    [
        pcap(conversation([message(b"one"), message(b"two")])),
        pcap(conversation([message(b"one"), message(b"two")]), order=">"),
        pcap(conversation([message(b"one"), message(b"two")]), magic=0xA1B23C4D, per_second=1_000_000_000),
        pcapng(conversation([message(b"one"), message(b"two")])),
        pcapng(conversation([message(b"one"), message(b"two")]), order=">"),
    ],
    ids=["pcap", "pcap of the other byte order", "pcap in nanoseconds", "pcapng", "pcapng of the other byte order"],
)
def test_every_format_gives_messages_with_time_and_both_ends(content):
    first, second = frames(content)
    assert (first.raw, second.raw) == (message(b"one"), message(b"two"))
    assert (first.time_us, second.time_us) == (START_US + 2_000, START_US + 3_000)
    assert first.source == "10.0.0.1:50000-10.0.0.2:7000"
    assert first.context == {"from": "10.0.0.1:50000", "to": "10.0.0.2:7000", "opener": True}


def test_a_packet_time_that_no_calendar_counts_is_none():
    content = pcapng(conversation([message(b"one")]))
    content = content.replace(struct.pack("<HHB3x", 9, 1, 9), struct.pack("<HHB3x", 9, 1, 0))  # whole seconds
    assert [frame.time_us for frame in frames(content)] == [None]


@given(
    st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=8),
    st.integers(1, 7),
    st.randoms(use_true_random=False),
    st.integers(0, 2**32 - 1),
)
def test_shuffled_and_repeated_packets_give_the_same_messages(texts, size, random, start):
    octets = b"".join(map(message, texts))
    cut = [octets[at : at + size] for at in range(0, len(octets), size)]
    opening, rest = conversation(cut, start)[:2], conversation(cut, start)[2:]
    mixed = rest + random.sample(rest, k=len(rest) // 2)
    random.shuffle(mixed)
    assert [frame.raw for frame in frames(pcap(opening + mixed))] == list(map(message, texts))


def test_a_lost_packet_costs_the_message_it_was_in_and_no_other():
    pieces = [message(b"one"), message(b"two")[:3], message(b"two")[3:], message(b"three")]
    packets = conversation(pieces)
    del packets[3]
    found = frames(pcap(packets))
    assert [item.raw for item in found if isinstance(item, Frame)] == [message(b"one"), message(b"three")]
    assert [item.raw for item in found if isinstance(item, Malformed)] == [b"wo"]


def test_the_same_ports_again_are_another_conversation():
    found = frames(pcap(conversation([message(b"old")]) + conversation([message(b"new")], start=500)))
    assert [frame.raw for frame in found] == [message(b"old"), message(b"new")]


def test_a_capture_that_begins_in_the_middle_is_read_from_the_first_message_on():
    packets = [packet(CLIENT, SERVER, 5, message(b"a")), packet(SERVER, CLIENT, 900, message(b"b"))]
    assert [frame.raw for frame in frames(pcap(packets))] == [message(b"a"), message(b"b")]


def test_datagrams_are_read_where_the_protocol_has_some():
    found = frames(pcap([datagram(CLIENT, ("10.0.0.2", 9_000), message(b"u")), datagram(CLIENT, SERVER, b"#\x01x")]))
    assert [frame.raw for frame in found] == [message(b"u")]


def test_a_tls_session_is_named_once_as_unreadable():
    packets = conversation([b"\x16\x03\x01\x00\x05hello", b"\x17\x03\x03\x00\x01x"])
    packets.append(packet(SERVER, CLIENT, 78, b"\x16\x03\x03\x00\x05hello"))
    (only,) = frames(pcap(packets))
    assert only.error.reason == "unsupported"
    assert "TLS" in only.error.detail
    assert "encrypted, not broken" in only.error.detail


def test_a_capture_without_the_protocol_says_what_it_has():
    (only,) = frames(pcap(conversation([b"GET / HTTP/1.1"])))
    assert only.error.detail == "the capture holds no Hash; it has 10.0.0.1:50000-10.0.0.2:7000"


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (pcap(conversation([message(b"one")]))[:-3], "truncated", "ends within a packet"),
        (pcapng(conversation([message(b"one")]))[:-3], "truncated", "ends within a packet"),
        (pcap([]) + struct.pack("<IIII", 0, 0, 2**31, 2**31), "too-large", "2147483648 bytes"),
        (pcapng([]) + struct.pack("<II", 6, 33), "bad-syntax", "says it has 33 bytes"),
        (pcapng([]) + struct.pack("<II", 6, 8), "bad-syntax", "says it has 8 bytes"),
        (pcapng([]) + struct.pack("<IIII", 99, 16, 0, 17), "bad-syntax", "another length"),
        (pcapng([]) + struct.pack("<IIIIIIIII", 6, 32, 5, 0, 0, 0, 0, 32, 0)[:32], "bad-syntax", "that is not there"),
        (pcapng([]) + b"\x0a\x0d\x0d\x0a\x1c\0\0\0abcd", "bad-syntax", "byte order mark"),
    ],
    ids=["cut off", "cut off ng", "huge", "odd length", "short length", "lengths differ", "no interface", "no mark"],
)
def test_damage_is_named_and_what_came_before_is_kept(content, reason, says):
    *_, last = frames(content)[: -1 if "holds no" in str(frames(content)[-1]) else None]
    assert isinstance(last, Malformed)
    assert last.error.reason == reason
    assert says in last.error.detail


@given(st.binary(max_size=200), st.sampled_from([pcap([]), pcapng([]), pcap(conversation([message(b"x")]))]))
def test_arbitrary_octets_behind_a_head_never_break_the_reader(rest, head):
    for item in frames(head + rest):
        assert isinstance(item, (Frame, Malformed))
