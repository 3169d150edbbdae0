"""IEC 60870-5-104: APDUs from captures, streams and hex; what their objects mean; how long an answer took."""

import io
import struct
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event
from schemas.facts import Facts
from schemas.points import BadPointList, Point, read_points
from schemas.time import SECOND_US, parse_time
from schemas.wire.contract import Conversation, Frame, Malformed, WireError
from schemas.wire.iec104 import FORMAT, encode_command, encode_measurement, encode_setup
from schemas.wire.iec104.asdu import COMMANDS, MEASURED, SHAPES, STEPS
from streams.reader import Rejected, read, read_again
from twin.observe import observe

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "iec104"
NOON_US = parse_time("2026-03-29T12:00:00.250000Z")
POINTS = {
    (7, 1001): Point("uenb-control-centre:NORD", "frequency", "Hz"),
    (7, 2001): Point("technical-aggregator:AGG", "activation.setpoint", "W", Decimal(1000)),
    (7, 2002): Point("technical-aggregator:AGG", "activation.delivered", "W", Decimal(1000), answers=2001),
    (7, 3001): Point("low-voltage-grid:ONS-1", "switch", ""),
}


def decoded(raw, conversation=None, time_us=NOON_US):
    conversation = Conversation("25", {"points": POINTS}) if conversation is None else conversation
    return FORMAT.decode(Frame(raw, 0, time_us, "a-b", event_id="e1"), conversation)


def said(raw, conversation=None, time_us=NOON_US):
    found, facts = decoded(raw, conversation, time_us), Facts()
    observe(event_of(found, time_us), facts)
    return {(seen.actor, seen.attribute): (seen.value, seen.unit, seen.time_us) for seen in facts.observations}


def event_of(found, time_us=NOON_US):
    return Event("0" * 32, "25", "a-b", found.type, found.actor, found.time_us, time_us, found.payload, b"", {})


def split(content):
    return list(FORMAT.split(io.BytesIO(content)))


@pytest.mark.parametrize("kind", sorted(MEASURED | COMMANDS | STEPS))
def test_every_type_comes_back_as_it_was_written(kind):
    value = {"P": True, "C": True, "T": -9, "O": 0xA5000001}.get(SHAPES[kind].name[3], Decimal("0.5"))
    if SHAPES[kind].name[6] in "BE" and SHAPES[kind].name[2:4] in {"ME", "SE"}:
        value = -300
    write = encode_measurement if kind < 45 else encode_command
    arguments = ([(1001, value)],) if kind < 45 else (1001, value)
    payload = decoded(write(kind, 7, *arguments, time_us=NOON_US)).payload
    (entry,) = payload["objects"]
    assert (payload["station"], payload["name"]) == (7, SHAPES[kind].name)
    assert (entry["address"], entry["value"]) == (1001, value)
    assert entry.get("time") == ("2026-03-29T12:00:00.250000Z" if SHAPES[kind].timed else None)


def test_a_sequence_writes_only_its_first_address():
    raw = encode_measurement(11, 7, [(50, 1), (51, 2), (52, -3)], sequence=True)
    assert [(entry["address"], entry["value"]) for entry in decoded(raw).payload["objects"]] == [
        (50, 1),
        (51, 2),
        (52, -3),
    ]


def test_the_other_objects_that_are_read():
    interrogation = decoded(bytes.fromhex("680e0000000064010600070000000014"))
    assert interrogation.payload["objects"] == [{"address": 0, "qualifier": 20}]
    clock = decoded(bytes.fromhex("681400000000670106000700000000fa000000 9d 03 1a"))
    assert clock.payload["objects"][0]["time"] == "2026-03-29T00:00:00.250000Z"


@pytest.mark.parametrize(
    ("raw", "said_of_it"),
    [
        ("680e00000000460104000700000000 82", {"qualifier": 2, "parameters_changed": True}),
        ("680e00000000650106000700000000 05", {"qualifier": 5}),
        ("680d00000000660105000700e90300", {"address": 1001}),
        ("680e00000000690106000700000000 01", {"qualifier": 1}),
        ("681600000000 6b0106000700000000 3412 fa00000c1d031a", {"counter": 0x1234}),
        ("680f00000000 050103000700e90300 c0 01", {"value": -64, "transient": True, "quality": ["overflow"]}),
        ("681200000000 0f0125000700e90300 ffffffff 63", {"value": -1, "sequence": 3, "quality": ["adjusted", "carry"]}),
        ("680e00000000 2e0106000700e90300 03", {"value": None, "select": False}),
        ("680e00000000 2f0106000700e90300 81", {"value": -1, "select": True}),
    ],
)
def test_objects_of_control_and_counting_and_odd_values(raw, said_of_it):
    (entry,) = decoded(bytes.fromhex(raw)).payload["objects"]
    assert {name: entry[name] for name in said_of_it} == said_of_it


@pytest.mark.parametrize(
    ("shown", "summer", "meant"),
    [
        ("2026-03-29T14:00:00.250000Z", 0x80, "2026-03-29T12:00:00.250000Z"),
        ("2026-03-29T14:00:00.250000Z", 0, "2026-03-29T12:00:00.250000Z"),
        ("2026-10-25T02:30:00Z", 0x80, "2026-10-25T00:30:00Z"),
        ("2026-10-25T02:30:00Z", 0, "2026-10-25T01:30:00Z"),
    ],
)
def test_whose_clock_a_station_s_time_tags_show_the_point_list_says(shown, summer, meant):
    points = read_points(["station,address,actor,attribute,unit,zone", "7,1001,vnb:N,frequency,Hz,Europe/Berlin"])
    raw = bytearray(encode_measurement(36, 7, [(1001, Decimal("50.01"))], time_us=parse_time(shown)))
    raw[-4] |= summer
    found = said(bytes(raw), Conversation("25", {"points": points}), parse_time(meant) + SECOND_US)
    assert found["vnb:N", "frequency"][2] == parse_time(meant)


def test_a_time_tag_that_is_hours_ahead_of_when_it_was_heard_is_not_believed():
    raw = encode_measurement(36, 7, [(1001, Decimal("50.01"))], time_us=NOON_US + 7200 * SECOND_US)
    found, facts = decoded(raw), Facts()
    assert found.time_us == NOON_US
    observe(event_of(found), facts)
    assert facts.observations == []
    assert [reject.reason for reject in facts.rejects] == ["clock-ahead"]
    assert "120 minutes ahead" in facts.rejects[0].detail
    assert said(raw, time_us=None)["uenb-control-centre:NORD", "frequency"][2] == NOON_US + 7200 * SECOND_US


@pytest.mark.parametrize("answer_ahead_us", [7200 * SECOND_US, 0], ids=["both ahead", "only the set point"])
def test_where_clocks_are_hours_ahead_the_delay_is_measured_by_when_it_was_heard(answer_ahead_us):
    conversation = Conversation("25", {"points": POINTS})
    call = encode_command(63, 7, 2001, Decimal(-5), time_us=NOON_US + 7200 * SECOND_US)
    assert said(call, conversation) == {}
    there = encode_measurement(36, 7, [(2002, Decimal("-4.9"))], time_us=NOON_US + 3 * SECOND_US + answer_ahead_us)
    found = said(there, conversation, NOON_US + 3 * SECOND_US)
    delay = found["technical-aggregator:AGG", "activation.delivered.response_delay"]
    assert delay == (3, "s", NOON_US + 3 * SECOND_US)
    assert (("technical-aggregator:AGG", "activation.delivered") in found) is (answer_ahead_us == 0)


def test_a_step_command_says_which_way_and_is_no_value_of_its_point():
    raw = encode_command(47, 7, 3001, 1)
    assert decoded(raw).payload["objects"][0]["point"]["attribute"] == "switch"
    assert said(raw) == {}


def test_a_double_command_sets_its_point_and_one_that_only_selects_does_not():
    assert said(encode_command(46, 7, 3001, True))["low-voltage-grid:ONS-1", "switch"][0] is True
    assert said(encode_command(46, 7, 3001, True, select=True)) == {}


def test_a_year_counted_from_1900_is_no_time_and_the_log_s_counts():
    raw = bytearray(encode_measurement(36, 7, [(1001, Decimal("50.01"))], time_us=NOON_US))
    raw[-1] = 126
    (entry,) = decoded(bytes(raw)).payload["objects"]
    assert (entry["time"], entry["time_flags"]) == (None, ["year 126"])
    assert said(bytes(raw), time_us=NOON_US + SECOND_US)["uenb-control-centre:NORD", "frequency"][2] == (
        NOON_US + SECOND_US
    )


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (encode_setup("STARTDT act"), "iec104.startdt-act"),
        (encode_setup("TESTFR con"), "iec104.testfr-con"),
        (bytes.fromhex("680401000a00"), "iec104.supervision"),
    ],
)
def test_frames_without_content_are_events_that_say_nothing(raw, kind):
    assert decoded(raw).type == kind
    assert said(raw) == {}


def test_a_measured_value_is_the_point_s_attribute_with_its_unit_and_quality():
    assert said(encode_measurement(36, 7, [(1001, Decimal("49.98"))], time_us=NOON_US)) == {
        ("uenb-control-centre:NORD", "frequency"): (Decimal("49.98"), "Hz", NOON_US),
        ("uenb-control-centre:NORD", "frequency.quality"): ("good", "", NOON_US),
    }


def test_an_invalid_value_is_not_believed_but_its_quality_is_kept():
    found = said(encode_measurement(13, 7, [(1001, Decimal(0))], quality=0x80))
    assert found == {("uenb-control-centre:NORD", "frequency.quality"): ("invalid", "", NOON_US)}


def test_a_double_point_in_between_is_neither_on_nor_off():
    raw = bytearray(encode_measurement(3, 7, [(3001, True)]))
    assert said(bytes(raw))["low-voltage-grid:ONS-1", "switch"][0] is True
    raw[-1] = 0x80
    assert ("low-voltage-grid:ONS-1", "switch") not in said(bytes(raw))


def test_no_number_is_set_aside_with_its_reason():
    raw = encode_measurement(13, 7, [(1001, Decimal(0))])[:-5] + struct.pack("<f", float("nan")) + b"\0"
    facts = Facts()
    observe(event_of(decoded(raw)), facts)
    assert [reject.reason for reject in facts.rejects] == ["implausible"]


def test_an_address_without_a_point_keeps_its_value_and_says_what_is_missing():
    payload = decoded(encode_measurement(11, 7, [(4, 5)])).payload
    assert payload["objects"] == [
        {"address": 4, "value": 5, "quality": [], "missing": "the point list has no such address"}
    ]
    assert said(encode_measurement(11, 7, [(4, 5)])) == {}


def test_without_any_point_list_it_is_said_where_one_belongs():
    payload = FORMAT.decode(Frame(encode_measurement(11, 7, [(4, 5)]), 0), Conversation("43")).payload
    [said] = payload["objects"]
    assert said["missing"] == "no point list, it belongs into points/43.csv of the home folder (.twin)"


def test_from_set_point_to_confirmation_and_to_response():
    conversation = Conversation("25", {"points": POINTS})
    later = NOON_US + 4 * SECOND_US
    call = encode_command(63, 7, 2001, Decimal(-5), time_us=NOON_US)
    assert said(call, conversation)["technical-aggregator:AGG", "activation.setpoint"][:2] == (-5000, "W")
    confirmed = encode_command(63, 7, 2001, Decimal(-5), time_us=NOON_US, cause=7)
    found = said(confirmed, conversation, NOON_US + SECOND_US // 2)
    assert found["technical-aggregator:AGG", "activation.setpoint.confirmation_delay"][:2] == (Decimal("0.5"), "s")
    halfway = encode_measurement(36, 7, [(2002, Decimal("-2.5"))], time_us=NOON_US + SECOND_US)
    assert ("technical-aggregator:AGG", "activation.delivered.response_delay") not in said(halfway, conversation)
    there = encode_measurement(36, 7, [(2002, Decimal("-4.9"))], time_us=later)
    found = said(there, conversation, later)
    assert found["technical-aggregator:AGG", "activation.delivered"][0] == -4900
    assert found["technical-aggregator:AGG", "activation.delivered.response_delay"][:2] == (4, "s")
    assert ("technical-aggregator:AGG", "activation.delivered.response_delay") not in said(there, conversation, later)


@pytest.mark.parametrize(
    ("before", "answer", "is_reached"),
    [(Decimal(-5), "-0.2", True), (Decimal(-5), "-0.3", False), (None, "-0.2", False)],
)
def test_a_set_point_of_zero_is_reached_within_a_share_of_the_step_to_it(before, answer, is_reached):
    conversation, later = Conversation("25", {"points": POINTS}), NOON_US + SECOND_US
    if before is not None:
        said(encode_command(63, 7, 2001, before, time_us=NOON_US), conversation)
    said(encode_command(63, 7, 2001, Decimal(0), time_us=later), conversation, later)
    found = said(
        encode_measurement(36, 7, [(2002, Decimal(answer))], time_us=later + SECOND_US), conversation, later + SECOND_US
    )
    delay = found.get(("technical-aggregator:AGG", "activation.delivered.response_delay"))
    assert (delay is not None) == is_reached


def test_the_delay_of_a_set_point_that_is_said_every_few_seconds_counts_from_when_it_was_said_first():
    conversation = Conversation("25", {"points": POINTS})
    delays = {}
    for second in range(0, 24, 4):
        call_us = NOON_US + second * SECOND_US
        said(encode_command(63, 7, 2001, Decimal(-5), time_us=call_us), conversation, call_us)
        sure_us = call_us + SECOND_US // 2
        found = said(encode_command(63, 7, 2001, Decimal(-5), time_us=sure_us, cause=7), conversation, sure_us)
        assert found["technical-aggregator:AGG", "activation.setpoint.confirmation_delay"][0] == Decimal("0.5")
        delivered = Decimal(-5) if second >= 12 else Decimal(0)
        answer = encode_measurement(36, 7, [(2002, delivered)], time_us=call_us + SECOND_US)
        found = said(answer, conversation, call_us + SECOND_US)
        if delay := found.get(("technical-aggregator:AGG", "activation.delivered.response_delay")):
            delays[second] = delay[0]
    assert delays == {12: 13}


def test_the_confirmation_of_a_selection_confirms_no_set_point():
    conversation, later = Conversation("25", {"points": POINTS}), NOON_US + 10 * SECOND_US
    said(encode_command(50, 7, 2001, Decimal(12)), conversation)
    said(encode_command(50, 7, 2001, Decimal(-43), select=True), conversation, later)
    raw = encode_command(50, 7, 2001, Decimal(-43), cause=7, select=True)
    assert said(raw, conversation, later + 1000) == {}


def test_a_negative_confirmation_and_a_test_say_nothing():
    raw = bytearray(encode_command(50, 7, 2001, Decimal(3), cause=7 | 0x40))
    assert said(bytes(raw)) == {}
    raw = encode_command(50, 7, 2001, Decimal(3), cause=6 | 0x80)
    assert said(raw) == {}


@pytest.mark.parametrize(
    ("raw", "reason", "says"),
    [
        (b"", "truncated", "six octets"),
        (bytes.fromhex("690401000a00"), "bad-syntax", "starts with 68H"),
        (bytes.fromhex("680501000a00"), "truncated", "length octet says 5"),
        (bytes.fromhex("680301000a00"), "bad-syntax", "length octet says 3"),
        (bytes.fromhex("680400000a00"), "truncated", "without an ASDU"),
        (bytes.fromhex("6805010000000a"), "bad-syntax", "only I-frames"),
        (bytes.fromhex("68040f000000"), "bad-syntax", "0FH"),
        (bytes.fromhex("680700000000010203"), "truncated", "head of six octets"),
        (bytes.fromhex("680e00000000ff010600070000000014"), "unsupported", "type 255"),
        (bytes.fromhex("680a00000000640006000700"), "schema-violation", "without an information object"),
        (bytes.fromhex("680e0000000064020600070000000014"), "truncated", "2 objects"),
        (bytes.fromhex("680f000000006401060007000000001400"), "schema-violation", "1 octets behind"),
        (bytes.fromhex("681400000000670106000700000000fa00000000031a"), "schema-violation", "is no time"),
    ],
)
def test_bad_input_is_named(raw, reason, says):
    with pytest.raises(WireError) as problem:
        decoded(raw)
    assert problem.value.reason == reason
    assert says in problem.value.detail


def test_a_stream_is_cut_and_garbage_between_is_kept():
    one, two = encode_setup("TESTFR act"), encode_measurement(11, 7, [(1, 2)])
    found = split(b"\x00\x01" + one + b"\xff" + two + two[:5])
    assert [(type(item).__name__, item.raw) for item in found] == [
        ("Malformed", b"\x00\x01"),
        ("Frame", one),
        ("Malformed", b"\xff"),
        ("Frame", two),
        ("Malformed", two[:5]),
    ]


def test_hex_and_log_lines_are_read_too():
    one = encode_setup("TESTFR act")
    assert [item.raw for item in split(one.hex().encode())] == [one]
    (logged,) = split(b"2026-03-29T12:00:00Z vnb-1 " + one.hex().encode())
    assert (logged.raw, logged.source, logged.time_us) == (one, "vnb-1", parse_time("2026-03-29T12:00:00Z"))


@given(st.binary(max_size=300))
def test_arbitrary_octets_are_cut_without_loss_and_give_only_wire_errors(octets):
    found = split(b"\x00" + octets)
    assert b"".join(item.raw for item in found) == b"\x00" + octets
    for item in found:
        if isinstance(item, Malformed):
            continue
        with suppress(WireError):
            FORMAT.decode(item, Conversation("25", {"points": POINTS}))


@given(st.lists(st.tuples(st.integers(0, 2**24 - 1), st.integers(-(2**15), 2**15 - 1)), min_size=1, max_size=18))
def test_scaled_values_come_back(objects):
    payload = decoded(encode_measurement(35, 7, objects, time_us=NOON_US)).payload
    assert [(entry["address"], entry["value"]) for entry in payload["objects"]] == objects


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floating_values_are_the_shortest_decimal_that_is_theirs(number):
    (entry,) = decoded(encode_measurement(13, 7, [(1, Decimal(number))])).payload["objects"]
    assert struct.pack("<f", float(entry["value"])) == struct.pack("<f", number)


def test_a_point_list_of_the_installation_explains_and_a_replay_fills_in_what_came_later(tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_HOME", str(tmp_path))
    raw = encode_measurement(11, 7, [(5, 42)], time_us=NOON_US)
    (before,) = read(raw, "43", "ons", time_us=NOON_US)
    assert "missing" in before.payload["objects"][0]
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "43.csv").write_text(
        "station,address,actor,attribute,unit,factor\n7,5,low-voltage-grid:ONS-1,voltage,V,5.5\n"
    )
    (after,) = read_again(before)
    facts = Facts()
    observe(after, facts)
    assert facts.observations[0][:4] == ("low-voltage-grid:ONS-1", "voltage", 231, "V")
    assert after.actor == "low-voltage-grid:ONS-1"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("a,b\n1,2", "no column actor"),
        ("station,address,actor,attribute\nx,1,a:b,c", "line 2"),
        ("station,address,actor,attribute\n1,1,,c", "names no actor"),
        ("station,address,actor,attribute\n1,1,a:b,c\n1,1,a:b,d", "line 3"),
        ("station,address,actor,attribute,factor\n1,1,a:b,c,inf", "factor"),
        ("station,address,actor,attribute,zone\n1,1,a:b,c,Nowhere", "line 2 .*no time zone"),
    ],
)
def test_a_bad_point_list_names_the_line(table, says):
    with pytest.raises(BadPointList, match=says):
        read_points(table.splitlines())


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
def test_the_captured_interrogation_of_a_station():
    outcomes = list(read(SAMPLES / "IEC104_SQ.pcapng", "21"))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert {(outcome.type, outcome.payload["cause"], outcome.payload["station"]) for outcome in outcomes} == {
        ("iec104.M_SP_NA_1", 20, 1054)
    }
    objects = [entry for outcome in outcomes for entry in outcome.payload["objects"]]
    assert [entry["address"] for entry in objects] == list(range(64))
    assert [entry["address"] for entry in objects if entry["value"]] == [
        *(14, 15, 17, 21, 22, 24, 28, 29, 31),
        *(35, 36, 38, 42, 43, 45),
    ]


def test_a_long_line_of_hex_is_cut_in_time_that_grows_with_its_length():
    began_s = time.process_time()
    one = encode_setup("TESTFR act")
    found = split(b"  " + (one.hex(" ") + " ").encode() * 20_000)
    assert [item.offset for item in found[:3]] == [2, 20, 38]
    assert len(found) == 20_000
    assert time.process_time() - began_s < 5
