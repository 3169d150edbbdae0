"""OCPP-J: frames cut from logs byte for byte, held against their schemas, answers joined with their calls."""

import io
import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event, from_record, to_record
from schemas.time import parse_time
from schemas.wire.contract import (
    BadSyntax,
    Conversation,
    Frame,
    Malformed,
    SchemaViolation,
    TooLarge,
    Truncated,
    Unsupported,
    WireError,
)
from schemas.wire.ocpp import FORMAT
from schemas.wire.ocpp.connection import OPEN_CALLS
from schemas.wire.ocpp.versions import PREFERENCE, actions
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"

NOON = "2026-03-29T12:00:00Z"
HEARTBEAT = b'[2,"19","Heartbeat",{}]'
START = [2, "s1", "StartTransaction", {"connectorId": 2, "idTag": "AB", "meterStart": 10, "timestamp": NOON}]
STARTED = [3, "s1", {"transactionId": 77, "idTagInfo": {"status": "Accepted"}}]
STOP = [2, "s2", "StopTransaction", {"transactionId": 77, "meterStop": 20, "timestamp": NOON}]
PERIOD = {"startPeriod": 0, "setpoint": -3500.5}
PROFILE = {
    "id": 7,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "W", "startSchedule": NOON, "chargingSchedulePeriod": [PERIOD]},
    ],
}
SET_PROFILE = [2, "p1", "SetChargingProfile", {"evseId": 1, "chargingProfile": PROFILE}]
STREAM = {"id": 1, "pending": 0, "basetime": NOON, "data": [{"t": 1.5, "v": "230"}]}


def event_of(kind, seq, **more):
    return {
        "eventType": kind,
        "timestamp": NOON,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": seq,
        "transactionInfo": {"transactionId": "T1"},
        **more,
    }


def cut(log):
    return list(FORMAT.split(io.BytesIO(log)))


def decode(message, conversation=None, *, event_id="e", source="CP1", time_us=None, **context):
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    return FORMAT.decode(Frame(raw, 0, time_us, source, context, event_id), conversation or Conversation())


def talk(*messages, **context):
    """Messages of one conversation without directions, with ids e0, e1 ..."""
    conversation = Conversation()
    return [decode(message, conversation, event_id=f"e{i}", **context) for i, message in enumerate(messages)]


# Logs


def test_a_json_line_gives_the_frame_exactly_as_it_crossed():
    frame = b'[2, "a\\u00e9\xc3\xa9" ,"DataTransfer",{"vendorId":"\xe2\x82\xac","data":"1.50"} ]'
    line = b'{"x":{"frame":[1]},"time":"2026-03-29T12:00:00Z","station":"CP1","frame": %s ,"y":"]"}\n'
    [found] = cut(line % frame)
    assert found.raw == frame
    assert (found.source, found.time_us, found.context) == ("CP1", parse_time(NOON), {})
    assert (line % frame)[found.offset :].startswith(frame)


def test_a_frame_held_as_text_gives_its_bytes():
    text = '[2, "1","Heartbeat",{ }]'
    record = {"station": "Säule", "direction": "to_csms", "subprotocol": "ocpp2.0.1", "frame": text}
    [found] = cut(json.dumps(record).encode())
    assert (found.raw, found.source) == (text.encode(), "Säule")
    assert found.context == {"direction": "to_csms", "subprotocol": "ocpp2.0.1"}


@pytest.mark.parametrize(
    ("line", "context"),
    [
        (b"2026-03-29T12:00:00Z CP1 > %s", {"direction": "to_csms"}),
        (b"2026-03-29T12:00:00Z CP1 < %s\r", {"direction": "to_station"}),
        (b"2026-03-29T14:00:00+02:00\tCP1 ocpp1.6 > %s", {"direction": "to_csms", "subprotocol": "ocpp1.6"}),
    ],
)
def test_a_text_line_says_when_who_and_which_way(line, context):
    [found] = cut(line % HEARTBEAT + b"\n")
    assert found[:2] == (HEARTBEAT, line.index(b"%"))
    assert (found.time_us, found.source, found.context) == (parse_time(NOON), "CP1", context)


@pytest.mark.parametrize(
    ("line", "context"),
    [
        ("2026-03-29 14:00:00.123 INFO (MainThread) [ocpp] CP1: receive message %s", {}),
        ("INFO:ocpp:CP1: send %s", {}),
        ("[ocpp  ] TRACE 2026/03/29 14:00:00 recv CP1: %s", {"direction": "to_csms"}),
        ("[ocpp  ] TRACE 2026/03/29 14:00:00 send CP1: %s", {"direction": "to_station"}),
        ("Mar 29 pv evcc[7]: [ocpp  ] TRACE received JSON message from CP1: %s", {"direction": "to_csms"}),
        ("Mar 29 pv evcc[7]: [ocpp  ] TRACE sent JSON message to CP1: %s", {"direction": "to_station"}),
        ("[INFO] 2026-03-29 14:00:00,123 x - [chargeBoxId=CP1, sessionId=7] Received: %s", {"direction": "to_csms"}),
        ("[INFO] 2026-03-29 14:00:00,123 x - [chargeBoxId=CP1] Sending: %s", {"direction": "to_station"}),
    ],
)
def test_lines_of_programs_that_are_known_say_who_and_which_way(line, context):
    log = (line % HEARTBEAT.decode()).encode()
    assert FORMAT.recognise(log, "x.log")
    before, found = cut(b"starting up\n" + log + b"\n")
    assert isinstance(before, Malformed)
    logged = {} if "14:00:00" not in line else {"logged": found.context.get("logged")}
    assert found.context.get("logged", "2026-03-29T14:00:00").startswith("2026-03-29T14:00:00")
    assert (found.raw, found.source, found.time_us, found.context) == (HEARTBEAT, "CP1", None, context | logged)
    assert found.offset == len(b"starting up\n") + log.index(HEARTBEAT)


def test_a_long_line_that_begins_like_one_of_a_program_is_looked_at_once():
    began_s = time.process_time()
    found = cut(HEARTBEAT + b"\n[chargeBoxId=" + b"A" * 300_000 + b"\n" + b"[chargeBoxId=A," * 20_000)
    assert [item.source for item in found] == ["", "", ""], "brackets alone may be a broken frame, of nobody"
    assert time.process_time() - began_s < 3


def test_a_program_s_own_time_counts_where_it_has_a_zone():
    (found,) = cut(b"2026-03-29T14:00:00.5+02:00 INFO [ocpp] CP1: send " + HEARTBEAT)
    assert (found.time_us, found.context) == (parse_time("2026-03-29T12:00:00.5Z"), {})


def test_bare_frames_stand_one_in_a_line():
    assert [(f.raw, f.offset) for f in cut(b"\xef\xbb\xbf" + HEARTBEAT + b"\n\n  " + HEARTBEAT)] == [
        (HEARTBEAT, 3),
        (HEARTBEAT, len(HEARTBEAT) + 7),
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("document", "frame"),
    [(STOP, STOP), (SET_PROFILE, SET_PROFILE), (PROFILE, PROFILE), ({"station": "A", "frame": STOP}, STOP)],
)
def test_a_single_message_may_spread_over_lines(document, frame, indent):
    text = json.dumps(document, indent=indent).encode()
    [found] = cut(b"\n" + text + b"\n")
    assert json.loads(found.raw) == frame
    assert FORMAT.recognise(text, "x.json")


def test_a_single_message_that_ends_too_early_stays_in_one_piece():
    text = json.dumps(SET_PROFILE, indent=2).encode()[:-20]
    [found] = cut(text)
    with pytest.raises(Truncated):
        decode(found.raw)


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"{broken",
        b'{"station":"A"}',
        b'{"station":5,"frame":[]}',
        b'{"time":"noon","frame":[]}',
        b'{"direction":"up","frame":[]}',
        b'{"frame":7}',
        b"2026-03-29T12:00:00 CP1 > [2]",
        b"2026-03-29T12:00:00Z CP1 [2]",
        b"2026-03-29T12:00:00Z \xff > [2]",
        b"\x00\xff\xfe",
        b'{"frame":' + b"[" * 1010 + b"]" * 1010 + b"}",
    ],
)
def test_a_damaged_line_is_kept_and_cutting_goes_on(line):
    before, found, after = cut(HEARTBEAT + b"\n" + line + b"\n" + HEARTBEAT)
    assert (before.raw, after.raw) == (HEARTBEAT, HEARTBEAT)
    assert isinstance(found, Malformed)
    assert (found.raw, found.offset) == (line, len(HEARTBEAT) + 1)


def test_a_line_without_end_comes_out_in_pieces_and_loses_nothing():
    log = HEARTBEAT + b"\n" + b"x" * (2 * FRAME_LIMIT_BYTES) + b"\n" + HEARTBEAT
    found = cut(log)
    assert [type(one).__name__ for one in found] == ["Frame", "Malformed", "Malformed", "Frame"]
    assert b"".join(one.raw for one in found[1:3]) == log[len(HEARTBEAT) + 1 : -len(HEARTBEAT)]
    assert {one.error.reason for one in found[1:3]} == {"too-large"}


def test_other_formats_are_not_taken_for_ocpp():
    for head in (b"", b"\x1b\x1b\x1b\x1b\x01", b'{"frame":1}', b"<xml/>", b"UNA:+.? '", b"[1,2,3]", b'{"a":[2,"b"]}'):
        assert not FORMAT.recognise(head, "x.json")
    assert FORMAT.recognise(b"damaged line\n" + HEARTBEAT, "x")
    assert FORMAT.recognise(b"2026-03-29T12:00:00Z CP1 ocpp1.6 > " + HEARTBEAT, "x.log")


# Messages


def test_a_call_names_version_action_station_and_evse():
    body = {"evseId": 3, "meterValue": [{"timestamp": NOON, "sampledValue": [{"value": 1234.50}]}]}
    raw = b'[2,"m","MeterValues",' + json.dumps(body).encode().replace(b"1234.5", b"1234.50") + b"]"
    found = decode(raw, subprotocol="ocpp2.0.1", direction="to_csms")
    assert found[:3] == ("ocpp.2.0.1.MeterValues", "evse:CP1/3", parse_time(NOON))
    value = found.payload["body"]["meterValue"][0]["sampledValue"][0]["value"]
    assert isinstance(value, Decimal)
    assert str(value) == "1234.50"
    assert {**found.payload, "body": 0} == {
        "version": "2.0.1",
        "rpc": 2,
        "message_id": "m",
        "action": "MeterValues",
        "direction": "to_csms",
        "station": "CP1",
        "body": 0,
    }


def test_the_latest_meter_value_gives_the_time_else_the_log_does():
    values = [{"timestamp": f"2026-03-29T12:{m}:00Z", "sampledValue": [{"value": "1"}]} for m in ("15", "30", "00")]
    body = {"connectorId": 0, "meterValue": values}
    assert decode([2, "m", "MeterValues", body]).time_us == parse_time("2026-03-29T12:30:00Z")
    assert decode(HEARTBEAT, time_us=5).time_us == 5
    assert decode(HEARTBEAT).time_us is None


def test_connector_zero_is_the_whole_station():
    body = {"connectorId": 0, "errorCode": "NoError", "status": "Available"}
    assert decode([2, "m", "StatusNotification", body]).actor == "evse:CP1"
    assert decode([2, "m", "StatusNotification", body], source="").actor == "evse:unknown"


def test_every_message_survives_the_log_of_gegenstrom():
    found = decode(SET_PROFILE)
    event = Event("0" * 32, "4", "CP1", found.type, found.actor, 1, 1, found.payload, b"raw", {})
    again = from_record(to_record(event)[1]).payload
    assert again["body"]["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"][0]["setpoint"] == "-3500.5"


@pytest.mark.parametrize("version", PREFERENCE)
def test_every_version_knows_its_actions(version):
    assert {"Heartbeat", "MeterValues", "SetChargingProfile"} <= actions(version)
    assert not [action for action in actions(version) if action.endswith((".json", "Request", "Response"))]


# Answers


def test_a_result_carries_its_call():
    boot = {"chargePointModel": "M", "chargePointVendor": "V"}
    accepted = {"currentTime": NOON, "interval": 300, "status": "Accepted"}
    _, found = talk([2, "1", "BootNotification", boot], [3, "1", accepted])
    assert found[:3] == ("ocpp.1.6.BootNotification.result", "evse:CP1", parse_time(NOON))
    assert found.payload["call"] == {"action": "BootNotification", "event": "e0"}


def test_an_accepted_profile_carries_the_profile_and_its_evse():
    _, found = talk(SET_PROFILE, [3, "p1", {"status": "Accepted"}])
    assert found[:2] == ("ocpp.2.1.SetChargingProfile.result", "evse:CP1/1")
    assert found.payload["call"]["request"]["chargingProfile"]["id"] == 7


def test_an_error_carries_its_call():
    _, found = talk(SET_PROFILE, [4, "p1", "InternalError", "no", {}])
    assert found.type == "ocpp.2.1.SetChargingProfile.error"
    assert found.payload["body"] == {"code": "InternalError", "description": "no", "details": {}}


def test_an_answer_without_its_call_is_still_an_event():
    found = decode([3, "9", {"status": "Accepted"}], subprotocol="ocpp2.1", time_us=4)
    assert found[:3] == ("ocpp.2.1.unknown.result", "evse:CP1", 4)
    assert found.payload["context_missing"] == "call"
    assert decode([4, "9", "GenericError", "", {}]).type == "ocpp.2.0.1.unknown.error"


def test_the_same_answer_twice_is_the_same_message():
    _, once, twice = talk(SET_PROFILE, [3, "p1", {"status": "Accepted"}], [3, "p1", {"status": "Accepted"}])
    assert once == twice


def test_a_message_id_may_be_used_again():
    *_, found = talk(
        HEARTBEAT, [3, "19", {"currentTime": NOON}], [2, "19", "ClearCache", {}], [3, "19", {"status": "Accepted"}]
    )
    assert found.payload["call"] == {"action": "ClearCache", "event": "e2"}


def test_both_sides_may_use_the_same_message_id():
    conversation = Conversation()
    decode(HEARTBEAT, conversation, direction="to_csms", event_id="up")
    decode([2, "19", "ClearCache", {}], conversation, direction="to_station", event_id="down")
    up = decode([3, "19", {"currentTime": NOON}], conversation, direction="to_station")
    down = decode([3, "19", {"status": "Accepted"}], conversation, direction="to_csms")
    assert (up.payload["call"]["event"], down.payload["call"]["event"]) == ("up", "down")


def test_stations_in_one_log_are_kept_apart():
    conversation = Conversation()
    decode(HEARTBEAT, conversation, source="A")
    assert "context_missing" in decode([3, "19", {"currentTime": NOON}], conversation, source="B").payload
    assert "call" in decode([3, "19", {"currentTime": NOON}], conversation, source="A").payload


def test_open_calls_are_forgotten_oldest_first():
    conversation = Conversation()
    for number in range(OPEN_CALLS + 1):
        decode([2, str(number), "Heartbeat", {}], conversation)
    assert "context_missing" in decode([3, "0", {"currentTime": NOON}], conversation).payload
    assert "call" in decode([3, "1", {"currentTime": NOON}], conversation).payload


def test_what_only_2_1_has_is_read():
    _, result, refusal, stream = talk(
        SET_PROFILE,
        [3, "p1", {"status": "Accepted"}],
        [5, "p1", "FormatViolation", "", {}],
        [6, "n", "NotifyPeriodicEventStream", STREAM],
    )
    assert (refusal.type, refusal.payload["rpc"]) == ("ocpp.2.1.SetChargingProfile.error", 5)
    assert refusal.payload["call"] == result.payload["call"]
    assert (stream.type, stream.payload["rpc"]) == ("ocpp.2.1.NotifyPeriodicEventStream", 6)


# Versions


@pytest.mark.parametrize(
    ("message", "version"),
    [
        (HEARTBEAT, "2.0.1"),
        (SET_PROFILE, "2.1"),
        (START, "1.6"),
        ([2, "t", "TransactionEvent", event_of("Ended", 1)], "2.0.1"),
    ],
)
def test_without_a_subprotocol_the_first_version_that_fits_is_taken(message, version):
    assert decode(message).payload["version"] == version


def test_a_conversation_remembers_what_was_ruled_out():
    assert [found.payload["version"] for found in talk(HEARTBEAT, START, HEARTBEAT)] == ["2.0.1", "1.6", "1.6"]
    assert [found.payload["version"] for found in talk(SET_PROFILE, HEARTBEAT)] == ["2.1", "2.1"]


def test_a_station_may_come_back_with_another_version():
    assert [found.payload["version"] for found in talk(START, SET_PROFILE, HEARTBEAT)] == ["1.6", "2.1", "2.1"]


def test_a_stated_subprotocol_holds_and_is_remembered():
    conversation = Conversation()
    assert decode(HEARTBEAT, conversation, subprotocol="ocpp2.1").payload["version"] == "2.1"
    assert decode(HEARTBEAT, conversation).payload["version"] == "2.1"
    with pytest.raises(Unsupported):
        decode(START, subprotocol="ocpp2.1")


# Transactions


def test_a_stop_finds_its_connector_through_the_result_of_the_start():
    *_, found = talk(START, STARTED, STOP)
    assert found[:2] == ("ocpp.1.6.StopTransaction", "evse:CP1/2")
    assert found.payload["transaction"] == {"evse": 2, "event": "e0"}


def test_a_transaction_event_finds_its_evse_through_an_earlier_one():
    first = [2, "1", "TransactionEvent", event_of("Started", 0, evse={"id": 4})]
    _, found = talk(first, [2, "2", "TransactionEvent", event_of("Updated", 1)])
    assert (found.actor, found.payload["transaction"]) == ("evse:CP1/4", {"evse": 4, "event": "e0"})


def test_a_transaction_nobody_placed_is_missing_context():
    found = decode(STOP)
    assert (found.actor, found.payload["context_missing"]) == ("evse:CP1", "transaction")


# Profiles alone


def test_a_lone_profile_may_lack_fields():
    bare = {"chargingProfileKind": "Absolute", "chargingSchedule": [{"chargingSchedulePeriod": [PERIOD]}]}
    found = decode(bare, time_us=3)
    assert found[:3] == ("ocpp.2.1.ChargingProfile", "evse:CP1", 3)
    assert found.payload["chargingSchedule"][0]["chargingSchedulePeriod"][0]["setpoint"] == Decimal("-3500.5")


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
def test_the_published_profile_with_discharge_decodes():
    log = (SAMPLES / "ocpp" / "v2x_setpoint_tx_profile.json").read_bytes()
    assert FORMAT.recognise(log, "v2x_setpoint_tx_profile.json")
    [frame] = cut(log)
    assert frame.raw == log.strip()
    found = FORMAT.decode(frame, Conversation())
    [period] = found.payload["chargingSchedule"][0]["chargingSchedulePeriod"]
    assert (found.type, found.actor) == ("ocpp.2.1.ChargingProfile", "evse:unknown")
    assert (period["limit"], period["dischargeLimit"], period["setpoint"]) == (1500, -2000, 1800)


# Bad input

DEEP = b'[2,"1","DataTransfer",{"vendorId":"v","data":' + b"[" * 70 + b"]" * 70 + b"}]"


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", Truncated),
        (b"   ", Truncated),
        (b'[2,"19","Heart', Truncated),
        (b"\x00\x01\xff", BadSyntax),
        (b"hello", BadSyntax),
        (b"\xff[2]", BadSyntax),
        (b"7", BadSyntax),
        (b"[]", BadSyntax),
        (b"{}", BadSyntax),
        (b'{"chargingSchedule":[]}', BadSyntax),
        (b'["2","19","Heartbeat",{}]', BadSyntax),
        (b'[2.0,"19","Heartbeat",{}]', BadSyntax),
        (b'[true,"19","Heartbeat",{}]', BadSyntax),
        (b'[2,"19","Heartbeat"]', BadSyntax),
        (b'[2,"19","Heartbeat",{},1]', BadSyntax),
        (b'[3,"19"]', BadSyntax),
        (b'[4,"19","x","y"]', BadSyntax),
        (b'[2,19,"Heartbeat",{}]', BadSyntax),
        (b'[2,"19",null,{}]', BadSyntax),
        (b'[2,"19","Heartbeat",[]]', BadSyntax),
        (b'[2,"19","DataTransfer",{"vendorId":"v","data":NaN}]', BadSyntax),
        (b'[2,"19","DataTransfer",{"vendorId":"v","data":-Infinity}]', BadSyntax),
        (b'[2,"19","DataTransfer",{"vendorId":"\\ud800"}]', BadSyntax),
        (b'[2,"19","DataTransfer",{"vendorId":"a\\u0000"}]', SchemaViolation),
        (b'[2,"' + b"x" * 37 + b'","Heartbeat",{}]', SchemaViolation),
        (b'[2,"19","Authorize",{"idTag":7,"a":1}]', SchemaViolation),
        (
            b'[2,"19","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"%b","sampledValue":'
            b'[{"value":"7","units":"kWh"}]}]}]' % NOON.encode(),
            SchemaViolation,
        ),
        (b'[2,"19","MeterValues",{}]', SchemaViolation),
        (b'[2,"19","NotifyPeriodicEventStream",{}]', SchemaViolation),
        (b'[6,"19","Heartbeat",{}]', SchemaViolation),
        (b'[2,"19","MeterValues",{"evseId":"1","meterValue":[]}]', SchemaViolation),
        (
            b'[2,"19","StatusNotification",{"timestamp":"soon","connectorStatus":"Occupied","evseId":1,"connectorId":1}]',
            SchemaViolation,
        ),
        (b'[2,"19","SecurityEventNotification",{"type":"x","timestamp":"2026-06-30T23:59:60Z"}]', SchemaViolation),
        (b'[2,"19","SecurityEventNotification",{"type":"x","timestamp":"9999-12-31T23:59:59Z"}]', SchemaViolation),
        (b'[2,"19","SecurityEventNotification",{"type":"x","timestamp":"1969-12-31T23:59:59Z"}]', SchemaViolation),
        (b'{"chargingProfileKind":"Absolute","chargingSchedule":[{"chargingRateUnit":"V"}]}', SchemaViolation),
        (b'[2,"19","Fly",{}]', Unsupported),
        (b'[2,"19","../v16/schemas/Heartbeat",{}]', Unsupported),
        (b'[2,"19","AuthorizeResponse",{}]', Unsupported),
        (b'[1,"19","Heartbeat",{}]', Unsupported),
        (b'[99999999999,"19"]', Unsupported),
        (DEEP, TooLarge),
        (b"[" * 100_000, TooLarge),
        (b'[2,"19","DataTransfer",{"vendorId":"v","data":1e300}]', TooLarge),
        (b'[2,"19","DataTransfer",{"vendorId":"v","data":1e-300}]', TooLarge),
        (b'[2,"19","DataTransfer",{"vendorId":"v","data":' + b"9" * 5000 + b"}]", TooLarge),
        (b" " * FRAME_LIMIT_BYTES + HEARTBEAT, TooLarge),
    ],
)
def test_bad_bytes_are_refused_with_their_reason(raw, error):
    with pytest.raises(error) as caught:
        decode(raw)
    assert type(caught.value) is error
    assert 0 <= caught.value.offset <= len(raw)


@pytest.mark.parametrize(("subprotocol", "raw"), [("ocpp1.5", HEARTBEAT), ("soap", HEARTBEAT)])
def test_unknown_subprotocols_are_refused(subprotocol, raw):
    with pytest.raises(Unsupported):
        decode(raw, subprotocol=subprotocol)


@pytest.mark.parametrize("kind", [5, 6])
def test_1_6_and_2_0_1_have_no_send_and_no_result_error(kind):
    message = [5, "1", "X", "", {}] if kind == 5 else [6, "n", "NotifyPeriodicEventStream", STREAM]
    with pytest.raises(SchemaViolation, match=r"2\.1 only"):
        decode(message, subprotocol="ocpp1.6")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"connectorId": 1, "status": "Faultd", "errorCode": "NoError"}, "OCPP 1.6: status"),
        ({"connectorId": 1, "evseId": 1, "timestamp": NOON, "connectorStatus": "Busy"}, "OCPP 2.0.1: connectorStatus"),
    ],
)
def test_where_no_version_is_stated_the_nearest_one_says_what_is_wrong(body, sentence):
    with pytest.raises(SchemaViolation, match=sentence):
        decode(json.dumps([2, "19", "StatusNotification", body]).encode())


def test_fields_that_a_station_adds_to_a_body_are_kept_apart_and_nothing_is_read_from_them():
    conversation = Conversation()
    call = decode(b'[2,"19","Authorize",{"connectorId":"x","timestamp":5,"idTag":"045D82"}]', conversation)
    answer = decode(b'[3,"19",{"idTagInfo":{"status":"Accepted"},"meterValue":7}]', conversation)
    assert (call.type, call.actor, call.time_us) == ("ocpp.1.6.Authorize", "evse:CP1", None)
    assert (call.payload["body"], call.payload["unknown_fields"]) == (
        {"idTag": "045D82"},
        {"connectorId": "x", "timestamp": 5},
    )
    assert (answer.type, answer.payload["unknown_fields"]) == ("ocpp.1.6.Authorize.result", {"meterValue": 7})


def test_a_field_that_a_newer_version_knows_is_none_that_the_station_added():
    body = {"evseId": 1, "timestamp": NOON, "chargingNeeds": {"requestedEnergyTransfer": "DC"}}
    found = decode([2, "19", "NotifyEVChargingNeeds", body | {"own": 1}])
    assert (found.type, found.payload["unknown_fields"]) == ("ocpp.2.1.NotifyEVChargingNeeds", {"own": 1})


def test_a_result_that_breaks_its_schema_is_refused():
    conversation = Conversation()
    decode(SET_PROFILE, conversation)
    with pytest.raises(SchemaViolation, match="SetChargingProfile result of OCPP"):
        decode([3, "p1", {"status": "Perhaps"}], conversation)


def test_of_equal_keys_the_last_holds():
    found = decode(b'[2,"19","DataTransfer",{"vendorId":"a","vendorId":"b"}]')
    assert found.payload["body"] == {"vendorId": "b"}


def test_a_large_integer_is_kept_exactly():
    found = decode(b'[2,"19","DataTransfer",{"vendorId":"v","data":123456789012345678901234567890}]')
    assert found.payload["body"]["data"] == Decimal(123456789012345678901234567890)


# Laws

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ACTIONS = st.sampled_from(sorted(actions("2.1") | actions("1.6")))
FRAMES = st.one_of(
    JSON,
    st.tuples(st.sampled_from([2, 6]), st.text(max_size=4), ACTIONS, JSON).map(list),
    st.tuples(st.sampled_from([3, 4, 5]), st.sampled_from("ab"), JSON, JSON, JSON).map(list),
    st.tuples(st.just(3), st.sampled_from("ab"), JSON).map(list),
)


def survives(raw, conversation, **context):
    """Decodes to something the log takes, or raises a WireError and nothing else."""
    try:
        found = FORMAT.decode(Frame(raw, 0, None, "S", context), conversation)
    except WireError:
        return
    to_record(Event("i", "4", "S", found.type, found.actor, found.time_us, None, found.payload, raw, context))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_wire_errors_only(raw):
    survives(raw, Conversation())
    FORMAT.recognise(raw, "x")
    assert b"".join(one.raw for one in cut(raw)) in raw or len(cut(raw)) != 1


@settings(max_examples=250, deadline=None)
@given(st.lists(FRAMES, max_size=4), st.sampled_from(["", "ocpp1.6", "ocpp2.0.1", "ocpp2.1", "x"]))
def test_arbitrary_frames_give_wire_errors_only(frames, subprotocol):
    conversation = Conversation()
    for frame in frames:
        survives(json.dumps(frame).encode(), conversation, subprotocol=subprotocol)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_frame_gives_wire_errors_only(data):
    raw = bytearray(json.dumps(data.draw(st.sampled_from([START, STOP, SET_PROFILE, STARTED, PROFILE]))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(raw), Conversation())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=60), st.just(HEARTBEAT), st.just(b'{"frame":[3]}')), max_size=6))
def test_cutting_loses_no_line(lines):
    log = b"\n".join(lines)
    for found in cut(log):
        assert log[found.offset : found.offset + len(found.raw)] == found.raw
    if log.count(HEARTBEAT) == sum(line == HEARTBEAT for line in lines):
        whole = [line for line in lines if line == HEARTBEAT]
        assert len([one for one in cut(log) if one.raw == HEARTBEAT]) == len(whole)


@settings(max_examples=150, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12))
def test_decimals_keep_every_digit(value):
    raw = b'[2,"1","DataTransfer",{"vendorId":"v","data":%s}]' % format(value, "f").encode()
    assert format(decode(raw).payload["body"]["data"], "f") == format(value, "f")
