"""What programs log: octets at the ends of lines, messages as JSON, among lines in which they talk of themselves."""

import io
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.calendar import zone_named
from schemas.time import parse_time
from schemas.wire import iec104, iso15118, modbus
from schemas.wire.contract import Conversation, Frame, Malformed, WireError
from schemas.wire.iso15118.codec import DIN, ISO_2, ISO_20_AC
from schemas.wire.modbus import encode_read, encode_registers, encode_response
from schemas.wire.program_lines import Beginning, beginning
from streams.reader import read, read_again

NOON_US = parse_time("2026-03-29T12:00:00Z")
READ = encode_read(7, 1, 40000, 4)
TALK = ["[main  ] INFO 2026/03/29 14:00:00 started", "reading configuration", "    powers: 1270 W"]


def cut(wire_format, *lines):
    log = "\n".join(lines).encode()
    assert wire_format.recognise(log[:65536], "manager.log")
    return list(wire_format.split(io.BytesIO(log)))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (b"[x ] TRACE 2026/03/29 14:00:00 y: send ", Beginning("sent", "2026-03-29T14:00:00", False)),
        (b"20260329 14:00:00,123456789 RX ", Beginning("received", "2026-03-29T14:00:00.123456", False)),
        (b"2026-03-29T14:00:00+02:00 2026-03-29 12:00:00 ", Beginning("", "2026-03-29T14:00:00+02:00", True)),
        (b"2026-03-29 14:00:00.5 +0200 CEST tx ", Beginning("sent", "2026-03-29T14:00:00.5+0200", True)),
        (b"2026-03-29 14:00:00-12345 tx ", Beginning("sent", "2026-03-29T14:00:00", False)),
        (b"sender of 12:00:00: ", Beginning("", "", False)),
    ],
)
def test_what_stands_before_a_message(before, expected):
    assert beginning(before) == expected


@pytest.mark.parametrize("written", [READ.hex(" "), READ.hex(), READ.hex(" ").upper()])
@pytest.mark.parametrize(
    ("before", "source", "direction"),
    [
        ("[sunspec] TRACE 2026/03/29 14:00:00 modbus: send ", "sunspec", "sent"),
        ("Mar 29 14:00:00 host python[31]: [193ms] [PV 1 ] received (12bytes) = ", "PV 1", "received"),
        ("2026-03-29 14:00:00 TX: ", "", "sent"),
    ],
)
def test_octets_at_the_end_of_a_line_are_a_message(before, source, direction, written):
    (frame,) = cut(modbus.FORMAT, *TALK, before + written)
    assert (frame.raw, frame.source, frame.context["direction"]) == (READ, source, direction)
    assert frame.offset == len("\n".join([*TALK, before]).encode())
    assert frame.time_us is None


def test_a_time_with_a_zone_is_the_log_s_and_one_without_is_kept_as_it_stands():
    zoned, other = cut(
        modbus.FORMAT, f"2026-03-29T14:00:00+02:00 send {READ.hex()}", f"2026-03-29 14:00:00 recv {READ.hex()}"
    )
    assert (zoned.time_us, "logged" in zoned.context) == (NOON_US, False)
    assert (other.time_us, other.context["logged"]) == (None, "2026-03-29T14:00:00")


@pytest.mark.parametrize(
    ("logged", "zone", "expected"),
    [
        ("2026/03/29 14:00:00", "Europe/Berlin", "2026-03-29T12:00:00Z"),
        ("2026/03/29 14:00:00", "UTC", "2026-03-29T14:00:00Z"),
        ("2026-01-29 14:00:00.25", "Europe/Berlin", "2026-01-29T13:00:00.250000Z"),
        ("2026-10-25 02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"),
        ("2026-13-29 14:00:00", "Europe/Berlin", None),
        ("2026-03-29T14:00:00+02:00", "UTC", "2026-03-29T12:00:00Z"),
        ("2026-03-29 14:00:00 +0200", "UTC", "2026-03-29T12:00:00Z"),
    ],
)
def test_who_knows_the_zone_of_a_log_s_clock_says_it(logged, zone, expected):
    log = f"[pv] TRACE {logged} send {READ.hex(' ')}".encode()
    (event,) = read(log, "8", zone=zone_named(zone))
    assert event.time_us == (None if expected is None else parse_time(expected))
    (again,) = read_again(event)
    assert again == event


def test_in_the_hour_that_clocks_show_twice_a_log_whose_times_begin_anew_is_in_the_second():
    shown = ("02:10:00", "02:50:00", "02:49:59", "02:10:01", "02:20:00", "03:00:00")
    lines = [f"[pv] TRACE 2026-10-25 {clock} send {READ.hex(' ')}".encode() for clock in shown]
    times = [event.time_us for event in read(b"\n".join(lines), "8", zone=zone_named("Europe/Berlin"))]
    utc = ("00:10:00", "00:50:00", "00:49:59", "01:10:01", "01:20:00", "02:00:00")
    assert times == [parse_time(f"2026-10-25T{clock}Z") for clock in utc]


def test_reads_of_a_log_show_the_models_of_the_device():
    registers = encode_registers([(1, {"Mn": "Maker", "SN": "SN-1"}), (103, {"W": 3450, "W_SF": 0})])
    answer = encode_response(9, 1, registers[:120])
    talk = Conversation("8")
    lines = [f"[pv] send {encode_read(9, 1, 40000, 120).hex(' ')}", f"[pv] recv {answer.hex(' ')}"]
    decoded = [modbus.FORMAT.decode(frame, talk) for frame in cut(modbus.FORMAT, *lines)]
    assert [found.type for found in decoded] == ["modbus.request", "modbus.response"]
    assert decoded[1].payload["models"][1]["points"]["W"] == 3450


def test_several_messages_of_a_line_are_several_and_what_is_none_is_refused_with_its_line():
    two, rest = READ + READ, READ + b"\0\1\2\3\4\5"
    assert [item.raw for item in cut(modbus.FORMAT, f"send {two.hex()}")] == [READ, READ]
    first, *others = cut(modbus.FORMAT, f"send {rest.hex()}")
    assert first.raw == READ
    for other in others:
        with pytest.raises(WireError):
            modbus.FORMAT.decode(other, Conversation("8"))


def test_octets_that_begin_like_no_message_are_kept_and_talk_is_left_out():
    found = cut(modbus.FORMAT, *TALK, f"send {READ.hex(' ')}", "recv ff ff 12 34 56 78 9a bc", "12 34 of 56 done")
    assert [type(item) for item in found] == [Frame, Malformed]
    assert found[1].raw == b"recv ff ff 12 34 56 78 9a bc"


def test_apdus_and_v2gtp_frames_are_read_so_too():
    apdu, v2gtp = iec104.encode_setup("STARTDT act"), iso15118.frame(0x8001, b"\x80\x9a\x02\x00")
    assert [item.raw for item in cut(iec104.FORMAT, *TALK, f"[rtu] rx {apdu.hex(' ')}")] == [apdu]
    assert [item.raw for item in cut(iso15118.FORMAT, *TALK, f"[EVSE] responding = {v2gtp.hex(' ')}")] == [v2gtp]


def test_a_long_line_of_octets_that_ends_otherwise_is_looked_at_once():
    began_s = time.process_time()
    found = cut(modbus.FORMAT, f"send {READ.hex(' ')}", "recv " + "00 " * 300_000 + "zz")
    assert [type(item) for item in found] == [Frame, Malformed]
    assert time.process_time() - began_s < 3


# Decoded JSON of charging stacks


def line(name, body, namespace, message="Decoded message"):
    held = {name: body} if name != "V2G_Message" else {name: {"Header": {"SessionID": "AB"}, "Body": body}}
    return f"2026-03-29 14:00:00.5 [DEBG] car :: {message} (ns={namespace}): {json.dumps(held)}"


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ("Namespace.DIN_MSG_DEF", DIN),
        ("Namespace.ISO_V2_MSG_DEF", ISO_2),
        (DIN, DIN),
        (ISO_2, ISO_2),
    ],
)
def test_a_namespace_is_understood_as_its_stack_calls_it(written, schema):
    body = {"CurrentDemandRes": {"ResponseCode": "OK"}}
    (frame,) = cut(iso15118.FORMAT, *TALK[:1], line("V2G_Message", body, written), "2026-03-29 14:00:01 [INFO] Sent it")
    assert frame.context == {"namespace": schema, "logged": "2026-03-29T14:00:00.5"}
    assert iso15118.FORMAT.decode(frame, Conversation("1")).payload["schema"] == schema


def test_a_message_of_iso_15118_20_is_of_its_part():
    body = {"Header": {"SessionID": "AB", "TimeStamp": 1774785600}, "DisplayParameters": {"PresentSOC": 10}}
    (frame,) = cut(iso15118.FORMAT, line("AC_ChargeLoopReq", body, "Namespace.ISO_V20_AC", "Message to encode"))
    found = iso15118.FORMAT.decode(frame, Conversation("1"))
    assert (found.payload["schema"], found.time_us) == (ISO_20_AC, NOON_US)


def test_of_a_message_that_was_cut_short_the_line_is_kept():
    whole = line("V2G_Message", {"SessionStopReq": {}}, "Namespace.ISO_V2_MSG_DEF")
    found = cut(iso15118.FORMAT, whole, "2026-03-29 14:00:00 [DEBG] car :: Decoded message (ns=x)", "no such line")
    assert [type(item) for item in found] == [Frame, Malformed, Malformed]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=50), st.just(b"send " + READ.hex(" ").encode()))))
def test_arbitrary_lines_are_cut_without_an_exception(lines):
    for wire_format in (modbus.FORMAT, iec104.FORMAT, iso15118.FORMAT):
        for item in wire_format.split(io.BytesIO(b"\n".join([b"send " + READ.hex().encode(), *lines]))):
            assert isinstance(item, (Frame, Malformed))
