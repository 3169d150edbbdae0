"""Logs in which a program writes the messages of several protocols: each is read where its interface carries it."""

import io

import pytest

from schemas.calendar import zone_named
from schemas.event import Event
from schemas.time import HOUR_US, MINUTE_US, SECOND_US, format_time, parse_time
from schemas.wire.eebus import FORMAT
from schemas.wire.eebus.datagram import Address, Command, Datagram, encode_datagram
from schemas.wire.modbus import encode_read
from schemas.wire.program_logs import MixedLog
from streams.reader import OTHER_INTERFACE, UNRECOGNISED, read, read_again

NOON_US = parse_time("2026-03-29T12:00:00Z")
SKI = "0123456789abcdef0123456789ABCDEF01234567"
BOX, HEMS = Address("d:_i:1_Box", (1, 1), 3), Address("d:_i:1_Hems", (1,), 5)
TALK = "[main  ] INFO 2026/03/29 14:00:00 started"
SUNSPEC = f"[sunspec] TRACE 2026/03/29 14:00:01 modbus: send {encode_read(7, 1, 40000, 4).hex(' ')}"
OCPP = 'Mar 29 pv evcc[7]: [ocpp  ] TRACE received JSON message from CP1: [2,"7","Heartbeat",{}]'


def eebus(time="2026/03/29 14:00:00", way="Recv", function="measurementListData", data=None):
    said = data or {"measurementData": [{"measurementId": 4, "value": {"number": 6}}]}
    raw = encode_datagram(Datagram(BOX, HEMS, 1, None, "notify", None, [Command(function, said, [])]), ship=True)
    return f"[eebus ] TRACE {time} {way}: {SKI} {raw.decode()}"


def heartbeat(shown, time_us):
    said = {"timestamp": format_time(time_us), "heartbeatCounter": 7}
    return eebus(shown, "Send", "deviceDiagnosisHeartbeatData", said)


def log(*lines):
    return "\n".join(lines).encode()


def kinds(outcomes):
    return [found.type if isinstance(found, Event) else found.reason for found in outcomes]


MEASURED, ASKED = "eebus.measurementListData", "modbus.request"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([TALK, eebus(), SUNSPEC, TALK, eebus()], [MEASURED, ASKED, MEASURED]),
        ([SUNSPEC, eebus(), SUNSPEC], [ASKED, MEASURED, ASKED]),
        ([*[SUNSPEC] * 1000, eebus()], [*[ASKED] * 1000, MEASURED]),
        ([*[TALK] * 2000, SUNSPEC], [ASKED]),
        ([*[OCPP] * 1000, eebus(), SUNSPEC], [MEASURED, ASKED, OTHER_INTERFACE]),
    ],
    ids=["EEBUS first", "Modbus first", "EEBUS behind the head of the file", "much talk", "much of others"],
)
@pytest.mark.parametrize("number", ["8", "9"])
def test_a_log_gives_the_messages_of_every_format_of_its_interface_in_its_order(lines, expected, number):
    if expected == [ASKED]:
        lines = [eebus("2026/03/29 13:59:00"), *lines]
        expected = [MEASURED, ASKED]
    assert kinds(read(log(*lines), number)) == expected


def test_messages_lie_where_they_lay_in_the_log():
    whole = log(TALK, SUNSPEC, eebus())
    asked, measured = read(whole, "9")
    assert asked.raw == encode_read(7, 1, 40000, 4)
    assert whole[whole.index(b'{"data"') :] == measured.raw
    assert (asked.source, measured.source) == ("sunspec", SKI)


@pytest.mark.parametrize(("number", "expected"), [("3", [MEASURED]), ("4", ["ocpp.unknown.Heartbeat"])])
def test_of_messages_that_belong_elsewhere_their_number_is_told_and_the_first_is_kept(number, expected):
    lines = [TALK, eebus(), *[SUNSPEC] * 1200, OCPP]
    found = list(read(log(*lines), number, "street.log"))
    others = [outcome for outcome in found if not isinstance(outcome, Event) and outcome.reason == OTHER_INTERFACE]
    told = {other.format: other for other in others}
    assert set(told) == {"3": {"modbus", "ocpp"}, "4": {"eebus", "modbus"}}[number]
    assert told["modbus"].raw.decode().strip() == SUNSPEC
    assert log(*lines)[told["modbus"].offset :].startswith(SUNSPEC.encode())
    assert "1,200 lines hold messages of Modbus/TCP" in told["modbus"].detail
    assert "--interface, one of 8, 9" in told["modbus"].detail
    assert [outcome.type.split(".")[0] for outcome in found if isinstance(outcome, Event)] == [
        expected[0].split(".")[0]
    ]


def test_what_belongs_elsewhere_stays_in_the_quarantine_when_it_is_read_again():
    (measured, other) = read(log(eebus(), SUNSPEC), "3")
    assert measured.type == MEASURED
    assert [again.reason for again in read_again(other)] == [OTHER_INTERFACE]


def test_a_log_of_which_nothing_belongs_here_is_told_of_too():
    assert kinds(read(log(TALK, SUNSPEC, SUNSPEC), "3")) == [OTHER_INTERFACE]
    assert kinds(read(log(TALK, "nothing known"), "3")) == [UNRECOGNISED]


def test_octets_that_were_damaged_are_kept_and_so_is_what_is_no_talk():
    damaged = SUNSPEC.replace(" 00 93", "")[:-6] + " zz"
    found = list(read(log(eebus(), SUNSPEC, damaged, "something else", TALK), "9"))
    assert kinds(found) == [MEASURED, ASKED, "bad-syntax", "bad-syntax"]
    assert [outcome.raw.decode() for outcome in found[2:]] == [damaged, "something else"]
    assert [outcome.format for outcome in found[2:]] == ["modbus", "eebus"]


def test_the_clock_that_a_heartbeat_tells_is_that_of_every_line():
    lines = [SUNSPEC, heartbeat("2026/03/29 14:00:02", NOON_US + 2 * SECOND_US), SUNSPEC.replace("00:01", "00:05")]
    times = [event.time_us for event in read(log(*lines), "9")]
    assert times == [NOON_US + SECOND_US, NOON_US + 2 * SECOND_US, NOON_US + 5 * SECOND_US]


CHANGE_US = parse_time("2026-10-25T01:00:00Z")
BEFORE = heartbeat("2026/10/25 02:59:00", CHANGE_US - MINUTE_US)
MET = eebus("2026/10/25 02:00:05")


def test_when_the_clock_is_set_back_lines_wait_for_the_heartbeat_that_tells():
    lines = [BEFORE, MET, heartbeat("2026/10/25 02:00:10", CHANGE_US + 10 * SECOND_US)]
    times = [event.log_time_us for event in read(log(*lines), "3")]
    assert times == [CHANGE_US - MINUTE_US, CHANGE_US + 5 * SECOND_US, CHANGE_US + 10 * SECOND_US]


def test_when_the_clock_leaps_in_spring_lines_wait_too():
    change_us = parse_time("2026-03-29T01:00:00Z")
    lines = [
        heartbeat("2026/03/29 01:59:30", change_us - MINUTE_US // 2),
        eebus("2026/03/29 03:00:01"),
        heartbeat("2026/03/29 03:00:20", change_us + 20 * SECOND_US),
    ]
    assert [event.log_time_us for event in read(log(*lines), "3")][1] == change_us + SECOND_US


def test_after_a_silence_in_which_the_clock_was_not_set_it_holds_as_before():
    lines = [
        heartbeat("2026/03/29 14:00:00", NOON_US),
        eebus("2026/03/29 16:00:00"),
        eebus("2026/03/29 18:00:00"),
        heartbeat("2026/03/29 18:00:10", NOON_US + 4 * HOUR_US + 10 * SECOND_US),
    ]
    times = [event.log_time_us for event in read(log(*lines), "3")]
    assert times[1:3] == [NOON_US + 2 * HOUR_US, NOON_US + 4 * HOUR_US]


def test_of_two_breaks_before_a_heartbeat_with_another_clock_nobody_knows_which_it_was():
    lines = [
        BEFORE.replace("02:59:00", "00:59:00").replace(format_time(CHANGE_US - MINUTE_US), "2026-10-24T22:59:00Z"),
        eebus("2026/10/25 01:30:00"),
        eebus("2026/10/25 02:30:00"),
        heartbeat("2026/10/25 02:30:10", CHANGE_US + 30 * MINUTE_US + 10 * SECOND_US),
    ]
    times = [event.log_time_us for event in read(log(*lines), "3")]
    assert times == [
        parse_time("2026-10-24T22:59:00Z"),
        None,
        CHANGE_US + 30 * MINUTE_US,
        CHANGE_US + 30 * MINUTE_US + 10 * SECOND_US,
    ]


@pytest.mark.parametrize(("zone", "expected"), [(None, None), ("Europe/Berlin", CHANGE_US + 5 * SECOND_US)])
def test_behind_a_break_that_no_heartbeat_follows_only_the_zone_tells(zone, expected):
    found = list(read(log(BEFORE, MET), "3", zone=None if zone is None else zone_named(zone)))
    assert found[1].log_time_us == expected


def test_what_waits_for_a_heartbeat_that_never_comes_is_bounded():
    line = eebus().encode() + b"\n"
    stream = io.BytesIO(line * 30_000)
    found = MixedLog({"eebus": FORMAT.log_lines}).split(b"", stream)
    assert next(found).item.time_us is None
    assert stream.tell() < 5 * 1024 * 1024 < len(line) * 30_000
