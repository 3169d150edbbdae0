"""Logs of programs that speak EEBUS: messages among lines of the program, a clock without a zone."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import HOUR_US, MINUTE_US, format_time, parse_time
from schemas.wire.contract import Conversation, Frame, Malformed
from schemas.wire.eebus import FORMAT
from schemas.wire.eebus.datagram import Address, Command, Datagram, encode_datagram

NOON_US = parse_time("2026-03-29T12:00:00Z")
SKI = "0123456789abcdef0123456789ABCDEF01234567"
BOX, HEMS = Address("d:_i:1_Box", (1, 1), 3), Address("d:_i:1_Hems", (1,), 5)


def message(function="measurementListData", data=None, source=BOX, to=HEMS):
    said = {"measurementData": [{"measurementId": 4, "value": {"number": 6}}]} if data is None else data
    return encode_datagram(Datagram(source, to, 1, None, "notify", None, [Command(function, said, [])]), ship=True)


def heartbeat(time_us):
    return message("deviceDiagnosisHeartbeatData", {"timestamp": format_time(time_us), "heartbeatCounter": 7})


def cut(*lines):
    log = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    assert FORMAT.recognise(log[:65536], "manager.log")
    return list(FORMAT.split(io.BytesIO(log)))


@pytest.mark.parametrize(
    ("before", "direction", "source", "logged"),
    [
        (f"[eebus ] TRACE 2026/03/29 14:00:00 Recv: {SKI} ", "received", SKI, "2026-03-29T14:00:00"),
        (f"Mär 29 14:00:01 HOST x[1]: [eebus ] TRACE 2026/03/29 14:00:00 Send: {SKI} ", "sent", SKI, None),
        (f"2026-03-29 14:00:00 TRACE {SKI} Send: {SKI} ", "sent", SKI, "2026-03-29T14:00:00"),
        (f"2026-03-29 14:00:00    [Recv] {SKI}", "received", SKI, "2026-03-29T14:00:00"),
        ("7 2026/03/29 14:00:00.315139 12.07 252 ECU1 : [Session 8] Send: ", "sent", "", "2026-03-29T14:00:00.315139"),
        ("[20260329 14:00:00.816] - INFO - Received message from 'box': ", "received", "", "2026-03-29T14:00:00.816"),
        ("3 [14:00:00.315] RECV from box MSG: ", "received", "", ""),
    ],
)
def test_a_line_says_when_by_its_own_clock_with_whom_and_which_way(before, direction, source, logged):
    raw = message()
    (frame,) = cut(before.encode() + raw)
    assert (frame.raw, frame.offset, frame.source) == (raw, len(before.encode()), source)
    assert (frame.time_us, frame.context["direction"]) == (None, direction)
    assert frame.context.get("logged", "") == ("2026-03-29T14:00:00" if logged is None else logged)
    assert FORMAT.decode(frame, Conversation("3")).type == "eebus.measurementListData"


def test_a_time_with_a_zone_needs_no_guess():
    (frame,) = cut(f"2026-03-29T14:00:00.5+02:00 manager | 2026/03/29 09:00:00 Recv: {SKI} ".encode() + message())
    assert frame.time_us == NOON_US + 500_000


def test_the_program_s_heartbeat_tells_the_zone_of_its_clock_also_for_the_lines_before():
    lines = [
        f"[eebus ] TRACE 2026/03/29 13:59:30 Recv: {SKI} ".encode() + message(),
        f"[eebus ] TRACE 2026/03/29 14:00:00 Send: {SKI} ".encode() + heartbeat(NOON_US - 300_000),
        f"[eebus ] TRACE 2026/03/29 14:01:00 Recv: {SKI} ".encode() + message(),
    ]
    assert [frame.time_us for frame in cut(*lines)] == [
        NOON_US - MINUTE_US // 2,
        NOON_US,
        NOON_US + MINUTE_US,
    ]


def test_when_the_house_changes_its_clock_the_next_heartbeat_tells():
    change_us = parse_time("2026-10-25T01:00:00Z")
    lines = [
        f"[eebus ] TRACE 2026/10/25 02:59:00 Send: {SKI} ".encode() + heartbeat(change_us - MINUTE_US),
        f"[eebus ] TRACE 2026/10/25 02:00:00 Send: {SKI} ".encode() + heartbeat(change_us),
        f"[eebus ] TRACE 2026/10/25 02:00:10 Recv: {SKI} ".encode() + message(),
    ]
    assert [frame.time_us for frame in cut(*lines)] == [change_us - MINUTE_US, change_us, change_us + MINUTE_US // 6]


@pytest.mark.parametrize(
    ("direction", "beat_us"),
    [("Recv", NOON_US), ("Send", NOON_US - 5 * MINUTE_US), ("Send", NOON_US - 20 * HOUR_US)],
    ids=["of the other end", "off by minutes", "off by a day"],
)
def test_a_heartbeat_that_does_not_fit_tells_nothing(direction, beat_us):
    lines = [
        f"[eebus ] TRACE 2026/03/29 14:00:00 {direction}: {SKI} ".encode() + heartbeat(beat_us),
        f"[eebus ] TRACE 2026/03/29 14:00:01 Recv: {SKI} ".encode() + message(),
    ]
    assert [frame.time_us for frame in cut(*lines)] == [None, None]


def test_what_the_program_says_of_itself_is_left_out_and_what_nobody_can_read_is_kept():
    found = cut(
        "[main  ] INFO 2026/03/29 14:00:00 started",
        "[eebus ] DEBUG 2026/03/29 14:00:00 Recv: d:_i:1_Box:Measurement to Measurement notify 838 MeasurementListData",
        "2026-03-29 14:00:00 DEBUG  Send: d:_i:1_Box read 18 LoadControlLimitListData",
        f"[eebus ] TRACE 2026/03/29 14:00:00 Recv: {SKI} ".encode() + message(),
        "",
        "something else",
        f"[eebus ] TRACE 2026/13/29 14:00:00+00:00 Recv: {SKI} ".encode() + message(),
    )
    assert [type(item) for item in found] == [Frame, Malformed, Malformed]
    assert found[1].raw == b"something else"
    assert "time and a level" in found[1].error.detail
    assert "is no time stamp" in found[2].error.detail


def test_a_message_that_its_log_cut_short_is_kept_with_its_reason():
    raw = f"[eebus ] TRACE 2026/03/29 14:00:00 Recv: {SKI} ".encode() + message()[:150] + b">"
    (frame,) = cut(raw)
    with pytest.raises(Exception, match="JSON"):
        FORMAT.decode(frame, Conversation("3"))


def test_a_log_that_begins_with_talk_of_its_program_is_recognised():
    (frame,) = cut("[main  ] INFO 2026/03/29 14:00:00 started", f"[eebus ] TRACE Recv: {SKI} ".encode() + message())
    assert "logged" not in frame.context


@pytest.mark.parametrize("begin", [b"[\n  ", b"[ "])
def test_an_object_that_says_which_way_its_message_went_is_no_line_of_a_program(begin):
    raw = message()
    record = b'{"time": "2026-03-29T12:00:00Z", "direction": "sent", "frame": ' + raw + b"}"
    found = cut(begin + record + b",\n  " + record + b"\n]")
    assert [(frame.raw, frame.time_us, frame.context) for frame in found] == [(raw, NOON_US, {"direction": "sent"})] * 2


def test_elements_without_a_value_are_not_there():
    said = {"timestamp": None, "heartbeatCounter": 3, "heartbeatTimeout": "PT4S"}
    for wire in (True, False):
        beat = Datagram(BOX, HEMS, 1, None, "notify", NOON_US, [Command("deviceDiagnosisHeartbeatData", said, [])])
        frame = Frame(encode_datagram(beat, wire=wire), 0)
        (command,) = FORMAT.decode(frame, Conversation("3")).payload["commands"]
        assert command["data"] == {"heartbeatCounter": 3, "heartbeatTimeout": "PT4S"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=60), st.just(message()), st.just(heartbeat(NOON_US)))))
def test_arbitrary_lines_are_cut_without_an_exception(lines):
    first = f"[eebus ] TRACE 2026/03/29 14:00:00 Recv: {SKI} ".encode() + message()
    for item in FORMAT.split(io.BytesIO(b"\n".join([first, *lines]))):
        assert isinstance(item, (Frame, Malformed))
