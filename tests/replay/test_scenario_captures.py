"""Interface 1 as packets: a recording of a cable is a whole capture, of which messages are read as they were said."""

import io
import subprocess
from collections import defaultdict
from datetime import date
from itertools import pairwise
from shutil import which

import dpkt
import pytest

from replay.scenario.message import Message, Orderly
from replay.scenario.names import names_of
from replay.scenario.plan import plan_day
from replay.scenario.street import Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers.captures import CLOSES, Capture, file_of, log_of
from replay.scenario.writers.exi import Cars
from schemas.time import MINUTE_US, SECOND_US, SLOT_US
from schemas.wire.iso15118 import FORMAT, frame
from streams.exi import is_available
from streams.reader import read

DAY = date(2026, 7, 7)
CAR, BOX = "[fe80::ff:fe00:0]:50000", "[fe80::47:ff:fe00:0]:60000"
NOON_US = 1_783_425_600 * SECOND_US
LOGS = ["1 GS-00000.pcapng", "1 GS-00001.pcap"]

needs_codec = pytest.mark.skipif(not is_available(), reason="no EXI codec here")


def said(raw, *, by_car, time_us, **more):
    ends = (CAR, BOX) if by_car else (BOX, CAR)
    context = {"from": ends[0], "to": ends[1], "opener": by_car, **more}
    return Message(time_us, "1", f"{CAR}-{BOX}", raw, context, LOGS[0])


def conversation(*sizes):
    """Messages of the car and its wallbox in turn, a tenth of a second apart, the last of which ends it."""
    return [
        said(
            frame(0x8001, bytes(size)),
            by_car=place % 2 == 0,
            time_us=NOON_US + place * SECOND_US // 10,
            **({CLOSES: True} if place == len(sizes) - 1 else {}),
        )
        for place, size in enumerate(sizes)
    ]


def captured(messages, log=LOGS[0]):
    capture = Capture(log)
    return b"".join(capture(message) for message in messages)


def packets(content):
    reader = dpkt.pcap.UniversalReader(io.BytesIO(content))
    return [(round(time * SECOND_US), dpkt.ethernet.Ethernet(octets)) for time, octets in reader]


@pytest.fixture(scope="module")
def recorded():
    """By log of a day: what was said, and the capture of it."""
    street = Street(3, 10)
    plan = plan_day(street, DAY)
    cars, orderly, logs = Cars(street, plan, 9), Orderly(2 * MINUTE_US), defaultdict(list)
    for quarter in walk(street, plan, first_state(street)):
        for message in orderly.take(cars.messages(quarter), quarter.start_us + SLOT_US):
            logs[message.log].append(message)
    for message in orderly.rest():
        logs[message.log].append(message)
    return {log: (messages, captured(messages, log)) for log, messages in logs.items() if file_of(log)}


@pytest.mark.parametrize("log", LOGS)
def test_what_was_said_is_read_from_its_packets(log):
    messages = conversation(30, 12, 4000, 1432, 1433, 2)
    read_again = list(FORMAT.split(io.BytesIO(captured(messages, log))))
    assert [found.raw for found in read_again] == [message.raw for message in messages]
    assert [(found.time_us, found.source) for found in read_again] == [(m.time_us, m.source) for m in messages]


def test_a_connection_opens_is_acknowledged_and_closes_on_both_sides():
    flags = [tcp.flags for _, tcp in tcp_of(captured(conversation(30, 12)))]
    syn, ack, push, fin = dpkt.tcp.TH_SYN, dpkt.tcp.TH_ACK, dpkt.tcp.TH_PUSH, dpkt.tcp.TH_FIN
    opened, closed = [syn, syn | ack, ack], [fin | ack, fin | ack, ack]
    assert flags == [*opened, ack, ack | push, ack, ack | push, ack, *closed]


def tcp_of(content):
    return [(time_us, packet.data.data) for time_us, packet in packets(content)]


def test_every_octet_has_its_number_and_is_acknowledged():
    streams = {}
    for _, tcp in tcp_of(captured(conversation(30, 12, 4000, 9, 30, 2))):
        expected = streams.get(tcp.sport)
        assert expected is None or tcp.seq == expected
        assert not tcp.flags & dpkt.tcp.TH_ACK or tcp.ack == streams[tcp.dport]
        ends = bool(tcp.flags & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_FIN))
        streams[tcp.sport] = (tcp.seq + len(tcp.data) + ends) % 2**32
    assert len(streams) == 2


def test_no_packet_is_longer_than_the_link_carries_and_a_head_may_come_alone():
    sizes = [len(tcp.data) for _, tcp in tcp_of(captured(conversation(4000, 12, 4000))) if tcp.data]
    assert sizes == [8, 1440, 1440, 1120, 20, 8, 1440, 1440, 1120]


@needs_codec
def test_recordings_hold_what_was_said_on_their_cables(recorded):
    assert {log.rpartition(".")[2] for log in recorded} == {"pcapng", "pcap"}
    for messages, capture in recorded.values():
        events = list(read(capture, "1"))
        assert [event.raw for event in events] == [message.raw for message in messages]
        assert [(event.time_us, event.source) for event in events] == [(m.time_us, m.source) for m in messages]


@needs_codec
def test_every_standard_that_the_street_speaks_is_among_the_recordings(recorded):
    kinds = {event.type.split(".")[1] for _, capture in recorded.values() for event in read(capture, "1")}
    assert kinds == {"sdp", "sap", "din", "2", "20"}


@needs_codec
def test_packets_come_in_order_of_time_with_right_checksums(recorded):
    for _, capture in recorded.values():
        found = packets(capture)
        assert all(before[0] <= after[0] for before, after in pairwise(found))
        for _, packet in found:
            ip = packet.data
            inner = bytes(ip.data)
            pseudo = ip.src + ip.dst + len(inner).to_bytes(4) + bytes((0, 0, 0, ip.nxt))
            assert dpkt.dpkt.in_cksum(pseudo + inner) == 0


@needs_codec
def test_two_sessions_of_a_day_are_two_connections(recorded):
    _, capture = recorded[LOGS[0]]
    assert len({event.source for event in read(capture, "1") if event.payload.get("session")}) == 2


@needs_codec
@pytest.mark.skipif(which("tshark") is None, reason="no tshark here")
def test_another_reader_finds_nothing_to_object_to(recorded, tmp_path):
    doubtful = "tcp.checksum.status == 0 || udp.checksum.status == 0 || tcp.analysis.flags || _ws.malformed"
    checked = ("-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")
    for log, (_, capture) in recorded.items():
        path = tmp_path / file_of(log)
        path.write_bytes(capture)
        command = ["tshark", "-r", str(path), *checked, "-Y", doubtful]
        told = subprocess.run(command, capture_output=True, check=True)
        assert told.stdout == b""


def test_only_cables_of_the_first_houses_are_recorded():
    street = Street(1, 40)
    logs = [log_of(names_of(street, site)) for site in range(40)]
    assert [bool(log) for log in logs[:4]] == [True, True, False, False]
    assert not any(logs[24:])
