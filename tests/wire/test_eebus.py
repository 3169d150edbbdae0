"""EEBUS SPINE: logs cut byte for byte, both JSON forms, messages explained by what was described before."""

import io
import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event, from_record, to_record
from schemas.time import HOUR_US, parse_time
from schemas.wire.contract import (
    BadSyntax,
    Conversation,
    Frame,
    Malformed,
    SchemaViolation,
    TooLarge,
    Truncated,
    WireError,
)
from schemas.wire.eebus import FORMAT
from schemas.wire.eebus.datagram import Address, Command, Datagram, encode_datagram, scaled
from schemas.wire.eebus.descriptions import OPEN_WRITES, WAITING_LIMIT_BYTES
from schemas.wire.eebus.forms import normalised, on_the_wire
from schemas.wire.eebus.moments import duration_text, duration_us, moment_us
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "eebus"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")

NOON = "2026-03-29T12:00:00Z"
NOON_US = parse_time(NOON)
BOX = Address("d:_i:1_Box", (1, 1), 3)
HEMS = Address("d:_i:1_Hems", (1,), 5)
GUARD = Address("d:_i:1_Guard", (1,), 2)
DISCOVERY = {
    "deviceInformation": {"description": {"deviceType": "ChargingStation"}},
    "entityInformation": [{"description": {"entityAddress": {"entity": [1, 1]}, "entityType": "EV"}}],
}
POWER = {"measurementId": 4, "measurementType": "power", "unit": "W", "scopeType": "acPowerTotal"}
LIMIT = {
    "limitId": 0,
    "limitType": "signDependentAbsValueLimit",
    "limitCategory": "obligation",
    "limitDirection": "consume",
    "unit": "W",
    "scopeType": "activePowerLimit",
}


def datagram(function, data, classifier="notify", *, source=BOX, to=HEMS, counter=1, **more):
    parts = {"reference": None, "time_us": NOON_US, **more}
    command = Command(function, data, parts.pop("filters", []))
    return Datagram(source, to, counter, parts["reference"], classifier, parts["time_us"], [command])


def measurements(*items):
    return datagram("measurementListData", {"measurementData": list(items)})


def decode(message, conversation=None, *, event_id="e", interface="3", source="box", time_us=None, **form):
    raw = encode_datagram(message, **form) if isinstance(message, Datagram) else message
    raw = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    conversation = Conversation(interface) if conversation is None else conversation
    return FORMAT.decode(Frame(raw, 0, time_us, source, {}, event_id), conversation)


def talk(*messages, interface="3"):
    """Messages of one conversation, with ids e0, e1 ..."""
    conversation = Conversation(interface)
    return [decode(message, conversation, event_id=f"e{i}") for i, message in enumerate(messages)]


def cut(log):
    return list(FORMAT.split(io.BytesIO(log)))


# The samples


def sample(name, conversation=None, event_id="e"):
    raw = (SAMPLES / name).read_bytes()
    assert FORMAT.recognise(raw[:65536], name)
    [frame] = cut(raw)
    return FORMAT.decode(frame._replace(event_id=event_id), conversation or Conversation("3"))


@needs_samples
def test_the_sample_of_a_setpoint_on_the_wire_decodes():
    found = sample("RFE_N-M-Y_1-1-01.json")
    assert (found.type, found.time_us) == ("eebus.setpointListData", parse_time("2016-03-16T18:18:00Z"))
    assert found.payload["form"] == "wire"
    assert found.payload["source"]["device"] == "d:_i:46925_TestDevice-S"
    [command] = found.payload["commands"]
    assert command["data"] == {"setpointData": [{"setpointId": 2, "value": {"number": 15}}]}
    assert command["filters"] == [{"cmdControl": {"partial": {}}}]


@needs_samples
def test_the_sample_of_use_cases_on_the_wire_decodes():
    found = sample("porsche_mobile-charger-connect.usecase.json")
    assert (found.type, found.actor) == ("eebus.nodeManagementUseCaseData", "evse:d:_i:19667_PorscheEVSE-00009463")
    assert (found.payload["counter"], found.payload["reference"]) == (13287811, 11)
    [information] = found.payload["commands"][0]["data"]["useCaseInformation"]
    assert information["actor"] == "EV"
    assert {one["useCaseName"]: one["scenarioSupport"] for one in information["useCaseSupport"]} == {
        "measurementOfElectricityDuringEvCharging": [1, 2, 3],
        "optimizationOfSelfConsumptionDuringEvCharging": [1, 2, 3],
        "overloadProtectionByEvChargingCurrentCurtailment": [1, 2, 3],
        "coordinatedEvCharging": [1, 2, 3, 4, 5, 6, 7, 8],
        "evCommissioningAndConfiguration": [1, 2, 3, 4, 5, 6, 7, 8],
        "evseCommissioningAndConfiguration": [1, 2],
        "evChargingSummary": [1],
        "evStateOfCharge": [1],
    }


@needs_samples
def test_the_normalised_samples_explain_each_other():
    conversation = Conversation("3")
    described = sample("m_descriptionListData_recv_reply.json", conversation, "described")
    connected = sample("ec_descriptionListData_recv_reply.json", conversation, "connected")
    placed = sample("ec_parameterDescriptionListData_recv_reply.json", conversation, "placed")
    measured = sample("m_measurementListData_recv_notify.json", conversation, "measured")
    items = described.payload["commands"][0]["data"]["measurementDescriptionData"]
    assert [(item["measurementId"], item["unit"]) for item in items] == [(1, "A"), (4, "W"), (7, "Wh")]
    [connection] = connected.payload["commands"][0]["data"]["electricalConnectionDescriptionData"]
    assert (connection["acConnectedPhases"], connection["positiveEnergyDirection"]) == (1, "consume")
    parameters = placed.payload["commands"][0]["data"]["electricalConnectionParameterDescriptionData"]
    assert [item["parameterId"] for item in parameters] == [1, 2, 3, 8]
    assert measured.time_us == parse_time("2022-11-19T15:21:50.003Z")
    values = measured.payload["commands"][0]["data"]["measurementData"]
    assert [(item["measurementId"], item["value"]["number"]) for item in values] == [(1, 5), (4, 1185), (7, 1825)]
    explained = measured.payload["context"]["measurements"]["4"]
    assert (explained["scopeType"], explained["acMeasuredPhases"], explained["unit"]) == ("acPower", "a", "W")
    assert explained["events"] == ["described", "placed", "connected"]
    assert "context_missing" not in measured.payload


# Logs

BARE = encode_datagram(measurements())
SHIP = encode_datagram(measurements(), ship=True)


@pytest.mark.parametrize("raw", [BARE, SHIP, encode_datagram(measurements(), wire=False), b'{"connectionHello":[]}'])
@pytest.mark.parametrize("prefix", [b"", b"\x02"])
def test_bare_messages_stand_one_in_a_line(raw, prefix):
    log = prefix + raw + b"\n\n" + prefix + raw + b"\n"
    assert FORMAT.recognise(log, "x.log")
    assert [frame.raw for frame in cut(log)] == [prefix + raw] * 2
    assert all(log[frame.offset :].startswith(prefix + raw) for frame in cut(log))


@pytest.mark.parametrize("frame", [json.loads(BARE), BARE.decode(), json.loads(SHIP), SHIP.decode()])
def test_an_object_of_a_log_says_when_on_which_connection_and_which_way(frame):
    record = {"time": NOON, "source": "box", "direction": "received", "frame": frame}
    line = json.dumps(record, separators=(",", ":")).encode()
    assert FORMAT.recognise(line, "x.jsonl")
    [found] = cut(line + b"\n")
    assert json.loads(found.raw) == (frame if isinstance(frame, dict) else json.loads(frame))
    assert (found.time_us, found.source, found.context) == (NOON_US, "box", {"direction": "received"})


@pytest.mark.parametrize("message", [BARE, SHIP])
def test_words_of_a_log_may_stand_beside_the_message_itself(message):
    record = {"time": NOON, "source": "box", **json.loads(message)}
    [found] = cut(json.dumps(record).encode())
    assert json.loads(found.raw) == json.loads(message)
    assert (found.time_us, found.source) == (NOON_US, "box")


@pytest.mark.parametrize(("sign", "direction"), [(b">", "sent"), (b"<", "received")])
def test_a_text_line_says_the_same(sign, direction):
    line = b"2026-03-29T14:00:00+02:00 box " + sign + b" " + BARE
    assert FORMAT.recognise(line, "x.log")
    [found] = cut(line)
    assert (found.raw, found.time_us, found.source) == (BARE, NOON_US, "box")
    assert found.context == {"direction": direction}
    assert line[found.offset :] == BARE


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("count", [1, 3])
def test_a_list_of_messages_may_be_a_document_of_its_own(indent, count):
    records = [json.loads(BARE), {"time": NOON, "frame": json.loads(SHIP)}, json.loads(SHIP)][:count]
    log = json.dumps(records, indent=indent).encode()
    assert FORMAT.recognise(log, "x.json")
    assert [json.loads(frame.raw) for frame in cut(log)] == [record.get("frame", record) for record in records]
    one_a_line = b"[\n" + b",\n".join(json.dumps(record).encode() for record in records) + b"\n]\n"
    assert len(cut(one_a_line)) == count


def test_a_single_message_may_spread_over_lines():
    for message in (BARE, SHIP, encode_datagram(measurements(), wire=False)):
        text = json.dumps(json.loads(message), indent=2).encode()
        [found] = cut(b"\xef\xbb\xbf" + text + b"\n")
        assert json.loads(found.raw) == json.loads(message)


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"{broken",
        b'{"time":"2026-03-29T12:00:00Z"}',
        b'{"time":"noon","frame":{}}',
        b'{"source":5,"frame":{}}',
        b'{"source":"%s","frame":{}}' % (b"x" * 300),
        b'{"frame":7}',
        b"2026-03-29T12:00:00Z \xff > {}",
        b"2026-03-29T12:00:00Z box {}",
        b"\x00\xff\xfe",
        b'{"time":"2026-03-29T12:00:00Z","frame":' + b'{"a":' * 1100 + b"}" * 1100 + b"}",
    ],
)
def test_a_damaged_line_is_kept_and_cutting_goes_on(line):
    before, found, after = cut(BARE + b"\n" + line + b"\n" + BARE)
    assert (before.raw, after.raw) == (BARE, BARE)
    assert isinstance(found, Malformed)
    assert (found.raw, found.offset) == (line, len(BARE) + 1)


def test_a_line_without_end_comes_out_in_pieces_and_loses_nothing():
    log = BARE + b"\n" + b"x" * (2 * FRAME_LIMIT_BYTES) + b"\n" + BARE
    found = cut(log)
    assert b"".join(one.raw for one in found[1:-1]) == log[len(BARE) + 1 : -len(BARE)]
    assert {one.error.reason for one in found[1:-1]} == {"too-large"}


@pytest.mark.parametrize(
    "head", [b"", b"{}", b'{"data":1}', b'[2,"1","Heartbeat",{}]', b"<datagram/>", b'{"a":"datagram"}', b"\x1b\x1b"]
)
def test_other_formats_are_not_taken_for_eebus(head):
    assert not FORMAT.recognise(head, "x.json")


# Forms

texts = st.text(max_size=8).filter(lambda text: "\0" not in text)
simple = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), texts)
names = st.sampled_from(["value", "number", "unit", "label", "x1"])
elements = st.recursive(
    st.dictionaries(names, simple, min_size=1, max_size=3),
    lambda inner: st.dictionaries(
        names,
        st.one_of(inner, st.lists(simple, min_size=1, max_size=3), st.lists(inner, min_size=1, max_size=3)),
        min_size=1,
        max_size=3,
    ),
    max_leaves=8,
)


@given(elements)
@settings(max_examples=200, deadline=None)
def test_the_wire_form_says_the_same_as_the_normalised_one(value):
    assert normalised(on_the_wire(value)) == value
    assert normalised(value, wire=False) == value


@pytest.mark.parametrize(
    ("wire", "plain"),
    [
        ([], {}),
        ([{"entity": []}], {"entity": []}),
        ([{"partial": []}], {"partial": {}}),
        ([{"cmd": []}], {"cmd": []}),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ([{"measurementListData": [{"measurementData": []}]}], {"measurementListData": {"measurementData": []}}),
        # what some stacks write: a list of objects, a list whose only element stands alone
        (
            [{"measurementListData": [{"measurementData": [{"measurementId": 1}, {"measurementId": 2}]}]}],
            {"measurementListData": {"measurementData": [{"measurementId": 1}, {"measurementId": 2}]}},
        ),
        (
            [{"measurementListData": [{"measurementData": [{"measurementId": 1}, {"value": []}]}]}],
            {"measurementListData": {"measurementData": [{"measurementId": 1, "value": {}}]}},
        ),
    ],
)
def test_lists_and_sequences_are_told_apart_by_structure(wire, plain):
    assert normalised(wire) == plain


def test_text_that_looks_like_structure_stays_text():
    label = '],[{"datagram":[{'
    found = decode(datagram("someData", {"label": label}))
    assert found.payload["commands"][0]["data"] == {"label": label}


# Messages


def test_the_header_says_who_speaks_to_whom_and_when():
    found = decode(datagram("someData", {"x": 1}, "reply", counter=7, reference=6))
    payload = found.payload
    assert (found.type, found.time_us) == ("eebus.someData", NOON_US)
    assert (payload["classifier"], payload["counter"], payload["reference"]) == ("reply", 7, 6)
    assert payload["source"] == {"actor": "spine:d:_i:1_Box", "device": "d:_i:1_Box", "entity": [1, 1], "feature": 3}
    assert payload["commands"] == [{"function": "someData", "data": {"x": 1}}]


def test_without_a_time_of_its_own_the_latest_measurement_gives_it_else_the_log():
    items = [{"measurementId": i, "timestamp": f"2026-03-29T12:00:0{i}Z"} for i in (2, 1)]
    later = Datagram(*measurements(*items)[:5], None, measurements(*items).commands)
    assert decode(later, time_us=5).time_us == NOON_US + 2_000_000
    relative = datagram("measurementListData", {"measurementData": [{"measurementId": 1, "timestamp": "-PT2S"}]})
    assert decode(relative._replace(time_us=None), time_us=NOON_US).time_us == NOON_US - 2_000_000
    assert decode(datagram("someData", {}, time_us=None), time_us=5).time_us == 5


def test_a_read_may_name_its_function_only():
    raw = json.loads(encode_datagram(datagram("x", {}, "read"), wire=False))
    raw["datagram"]["payload"]["cmd"] = [{"function": "measurementListData"}]
    assert decode(raw).payload["commands"] == [{"function": "measurementListData", "data": {}}]


def test_messages_of_ship_itself_are_events_too():
    found = decode(b'\x01{"connectionHello":[{"phase":"ready"},{"waiting":60000}]}', time_us=5)
    assert (found.type, found.actor, found.time_us) == ("eebus.connectionHello", "spine:box", 5)
    assert found.payload == {"ship": "connectionHello", "data": {"phase": "ready", "waiting": 60000}}


def test_every_message_survives_the_log_of_gegenstrom():
    found = decode(measurements({"measurementId": 1, "value": scaled(Decimal("6.25"))}))
    event = Event("e" * 32, "3", "s", found.type, found.actor, found.time_us, None, found.payload, b"", {})
    _, value, _ = to_record(event)
    assert from_record(value).payload == found.payload


# Kinds


def test_discovery_says_what_a_device_is():
    found = talk(
        datagram("nodeManagementDetailedDiscoveryData", DISCOVERY, "reply"),
        datagram("deviceDiagnosisHeartbeatData", {}, source=HEMS, to=BOX),
    )
    assert [decoded.actor for decoded in found] == ["evse:d:_i:1_Box", "hems:d:_i:1_Hems"]
    assert found[1].payload["context"]["kinds"] == {"d:_i:1_Hems": "e0", "d:_i:1_Box": "e0"}


def test_a_grid_guard_is_a_control_box_whatever_type_its_device_has():
    entity = {"description": {"entityAddress": {"entity": [1]}, "entityType": "GridGuard"}}
    data = {
        "deviceInformation": {"description": {"deviceType": "EnergyManagementSystem"}},
        "entityInformation": [entity],
    }
    found = decode(datagram("nodeManagementDetailedDiscoveryData", data, "reply", source=GUARD), interface="9")
    assert found.actor == "control-box:d:_i:1_Guard"
    assert found.payload["destination"]["actor"] == "hems:d:_i:1_Hems"


@pytest.mark.parametrize(
    ("interface", "owner", "client"),
    [("3", "evse", "hems"), ("8", "asset", "hems"), ("9", "hems", "control-box"), ("", "spine", "spine")],
)
def test_without_discovery_the_owner_of_the_data_tells_the_ends_apart(interface, owner, client):
    payload = decode(measurements(), interface=interface).payload
    assert payload["source"]["actor"] == f"{owner}:d:_i:1_Box"
    assert payload["destination"]["actor"] == f"{client}:d:_i:1_Hems"
    write = decode(datagram("loadControlLimitListData", {}, "write"), interface=interface).payload
    assert write["destination"]["actor"] == f"{owner}:d:_i:1_Hems"


def test_a_device_nobody_described_is_missing_context():
    payload = decode(datagram("deviceDiagnosisHeartbeatData", {})).payload
    assert payload["context_missing"] == ["kind of d:_i:1_Box", "kind of d:_i:1_Hems"]


def test_a_further_outlet_is_a_place_of_its_own():
    found = decode(measurements()._replace(source=BOX._replace(entity=(2, 1))))
    assert found.actor == "evse:d:_i:1_Box/2"


# Context

DESCRIBED = datagram("measurementDescriptionListData", {"measurementDescriptionData": [POWER]}, "reply")
MEASURED = measurements({"measurementId": 4, "value": scaled(1000)})


def test_a_measurement_carries_its_description():
    explained = talk(DESCRIBED, MEASURED)[1].payload["context"]["measurements"]["4"]
    assert explained == POWER | {"events": ["e0"]}


def test_a_measurement_without_description_is_an_event_that_says_so():
    found = decode(MEASURED)
    assert found.type == "eebus.measurementListData"
    assert found.payload["context_missing"] == ["measurement 4"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [([{"cmdControl": {"partial": {}}}], POWER | {"unit": "kW", "events": ["e0", "e1"]}), ([], None)],
    ids=["what has changed", "all there is"],
)
def test_of_a_description_that_changes_in_part_the_rest_holds_on(filters, expected):
    said = {"measurementDescriptionData": [{"measurementId": 4, "unit": "kW"}]}
    changed = datagram("measurementDescriptionListData", said, filters=filters)
    explained = talk(DESCRIBED, changed, MEASURED)[2].payload["context"]["measurements"]["4"]
    assert explained == (expected or {"measurementId": 4, "unit": "kW", "events": ["e1"]})


def test_a_description_that_comes_later_explains_what_was_said_before_once():
    before, late, again = talk(MEASURED, DESCRIBED, DESCRIBED)
    assert "measurement 4" in before.payload["context_missing"]
    (told,) = late.payload["explains"]
    assert (told["event"], told["time_us"], told["classifier"]) == ("e0", before.time_us, "notify")
    assert told["commands"] == before.payload["commands"]
    assert told["context"]["measurements"]["4"] == POWER | {"events": ["e1"]}
    assert told["source"] == before.payload["source"]
    assert "explains" not in again.payload


def test_only_what_was_not_explained_waits_for_a_description():
    one, other = {"measurementId": 4, "value": {"number": 6}}, {"measurementId": 5, "value": {"number": 7}}
    described = {"measurementDescriptionData": [POWER | {"measurementId": 5}]}
    found = talk(DESCRIBED, measurements(one, other), datagram("measurementDescriptionListData", described))
    (told,) = found[2].payload["explains"]
    assert told["commands"] == [{"function": "measurementListData", "data": {"measurementData": [other]}}]


def test_descriptions_explain_nothing_of_another_vehicle_nor_what_was_said_long_ago():
    left = {"description": {"entityAddress": {"entity": [1, 1]}, "entityType": "EV", "lastStateChange": "removed"}}
    gone = datagram("nodeManagementDetailedDiscoveryData", {"entityInformation": [left]})
    assert "explains" not in talk(MEASURED, gone, DESCRIBED)[2].payload
    late = DESCRIBED._replace(time_us=NOON_US + 10 * 60 * 1_000_000 + 1)
    assert "explains" not in talk(MEASURED, late)[1].payload


def test_what_waits_for_a_description_is_bounded():
    many = [measurements(*({"measurementId": 4, "value": {"number": one}} for one in range(100)))] * 200
    found = talk(*many, DESCRIBED)[-1]
    size = len(encode_datagram(many[0]))
    assert 0 < len(found.payload["explains"]) <= WAITING_LIMIT_BYTES // size < len(many)


def test_a_measurement_of_a_phase_nobody_named_says_so():
    current = {"measurementId": 4, "unit": "A", "scopeType": "acCurrent"}
    described = datagram("measurementDescriptionListData", {"measurementDescriptionData": [current]})
    assert talk(described, MEASURED)[1].payload["context_missing"] == ["phases of measurement 4"]


@pytest.mark.parametrize(
    "other",
    [BOX._replace(device="d:_i:1_Other"), BOX._replace(entity=(1, 2)), BOX._replace(feature=9)],
)
def test_descriptions_belong_to_one_feature_of_one_entity_of_one_device(other):
    found = talk(DESCRIBED, MEASURED._replace(source=other))[1]
    assert "measurement 4" in found.payload["context_missing"]


def test_a_vehicle_that_left_takes_its_descriptions_along():
    left = {"description": {"entityAddress": {"entity": [1, 1]}, "entityType": "EV", "lastStateChange": "removed"}}
    gone = datagram("nodeManagementDetailedDiscoveryData", {"entityInformation": [left]})
    assert "measurement 4" in talk(DESCRIBED, gone, MEASURED)[2].payload["context_missing"]


LIMITS = datagram(
    "loadControlLimitDescriptionListData", {"loadControlLimitDescriptionData": [LIMIT]}, "reply", source=HEMS, to=GUARD
)
WANTED = {"limitId": 0, "isLimitActive": True, "timePeriod": {"endTime": "PT1H"}, "value": scaled(4200)}
WRITE = datagram(
    "loadControlLimitListData", {"loadControlLimitData": [WANTED]}, "write", source=GUARD, to=HEMS, counter=41
)


def result(error=0, reference=41):
    return datagram("resultData", {"errorNumber": error}, "result", source=HEMS, to=GUARD, reference=reference)


def test_a_result_carries_the_write_it_answers_and_what_explains_that():
    described, write, answer, again = talk(LIMITS, WRITE, result(), result(), interface="9")
    described_limit = {name: value for name, value in LIMIT.items() if name != "limitId"}
    assert write.payload["context"]["limits"]["0"] == described_limit | {"events": ["e0"]}
    call = answer.payload["context"]["call"]
    assert (call["function"], call["event"], call["time_us"]) == ("loadControlLimitListData", "e1", NOON_US)
    assert call["data"] == {"loadControlLimitData": [WANTED]}
    assert call["context"]["limits"]["0"]["events"] == ["e0"]
    assert call["owner"]["actor"] == answer.actor == described.actor == "hems:d:_i:1_Hems"
    assert again.payload == answer.payload


def test_a_result_without_its_write_says_so():
    found = talk(WRITE, result(reference=40), interface="9")[1]
    assert found.payload["context_missing"] == ["call 40"]


def test_open_writes_are_forgotten_oldest_first():
    writes = [WRITE._replace(counter=counter) for counter in range(OPEN_WRITES + 1)]
    found = talk(*writes, result(reference=0), result(reference=1), interface="9")
    assert "call 0" in found[-2].payload["context_missing"]
    assert found[-1].payload["context"]["call"]["event"] == "e1"


def test_keys_parameters_and_identities_explain_what_names_them():
    key = {"keyId": 1, "keyName": "failsafeDurationMinimum", "valueType": "duration"}
    parameter = {"electricalConnectionId": 0, "parameterId": 8, "scopeType": "acPowerTotal"}
    values = {"electricalConnectionId": 0, "parameterId": 8}
    identity = {"identificationId": 0, "identificationType": "eui48", "identificationValue": "00-11-22-33-44-55"}
    found = talk(
        datagram(
            "deviceConfigurationKeyValueDescriptionListData", {"deviceConfigurationKeyValueDescriptionData": [key]}
        ),
        datagram(
            "deviceConfigurationKeyValueListData", {"deviceConfigurationKeyValueData": [{"keyId": 1}, {"keyId": 2}]}
        ),
        datagram(
            "electricalConnectionParameterDescriptionListData",
            {"electricalConnectionParameterDescriptionData": [parameter]},
        ),
        datagram(
            "electricalConnectionPermittedValueSetListData", {"electricalConnectionPermittedValueSetData": [values]}
        ),
        datagram("identificationListData", {"identificationData": [identity]}),
        measurements(),
    )
    assert found[1].payload["context"]["keys"] == {
        "1": {"keyName": key["keyName"], "valueType": "duration", "events": ["e0"]}
    }
    assert found[1].payload["context_missing"] == ["key 2"]
    assert found[3].payload["context"]["parameters"]["0/8"]["scopeType"] == "acPowerTotal"
    assert found[5].payload["context"]["vehicle"] == {"id": "00-11-22-33-44-55", "event": "e4"}


# Bad input

HEADER = {
    "addressSource": {"device": "A", "entity": [1], "feature": 1},
    "addressDestination": {"device": "B", "entity": [1]},
    "msgCounter": 1,
    "cmdClassifier": "notify",
}


def message(*, header=None, cmd=None, payload=None):
    payload = {"cmd": [{"someData": {}}] if cmd is None else cmd} if payload is None else payload
    return {"datagram": {"header": HEADER | (header or {}), "payload": payload}}


def data(function, value):
    return message(cmd=[{function: value}])


BAD = [
    (b"", Truncated),
    (b"\x02", Truncated),
    (BARE[:-3], Truncated),
    (b"not json", BadSyntax),
    (b"[]", BadSyntax),
    (b"5", BadSyntax),
    (b"{}", BadSyntax),
    (b'{"datagram":5}', BadSyntax),
    (b'{"datagram":[]}', BadSyntax),
    (b'{"datagram":[[1]]}', BadSyntax),
    (b'{"datagram":[1,{"header":[]}]}', BadSyntax),
    (b'{"data":[{"header":[]}]}', BadSyntax),
    (b'{"data":{"payload":"x"}}', BadSyntax),
    (b'{"datagram":[{"header":[{"a":1},{"b":[1,{"c":2}]}]}]}', BadSyntax),
    (b'{"datagram":{"header":{},"payload":5}}', BadSyntax),
    (b"\xff\xfe", BadSyntax),
    (b'{"datagram":' + b"[" * 100 + b"]" * 100 + b"}", TooLarge),
    (b" " * FRAME_LIMIT_BYTES + b"{}", TooLarge),
    (message(cmd=[{"someData": {}}] * 11), TooLarge),
    (message(header={"addressSource": {"entity": [1] * 17}}), TooLarge),
    (message(header={"addressSource": None}), SchemaViolation),
    (message(header={"addressDestination": {"device": 5}}), SchemaViolation),
    (message(header={"addressSource": {"entity": ["1"]}}), SchemaViolation),
    (message(header={"addressSource": {"entity": [True]}}), SchemaViolation),
    (message(header={"addressSource": {"entity": [1], "feature": -1}}), SchemaViolation),
    (message(header={"addressSource": {"device": "x" * 300}}), SchemaViolation),
    (message(header={"msgCounter": "1"}), SchemaViolation),
    (message(header={"msgCounter": 2**64}), SchemaViolation),
    (message(header={"msgCounterReference": -1}), SchemaViolation),
    (message(header={"cmdClassifier": "shout"}), SchemaViolation),
    (message(header={"cmdClassifier": ["notify"]}), SchemaViolation),
    (message(header={"timestamp": "noon"}), SchemaViolation),
    (message(header={"timestamp": 5}), SchemaViolation),
    (message(header={"timestamp": "9999-12-31T23:59:59Z"}), SchemaViolation),
    (message(payload={}), SchemaViolation),
    (message(cmd=[]), SchemaViolation),
    (message(cmd=[5]), SchemaViolation),
    (message(cmd=[{}]), SchemaViolation),
    (message(cmd=[{"function": 5}]), SchemaViolation),
    (message(cmd=[{"no function": {}}]), SchemaViolation),
    (message(cmd=[{"aData": {}, "bData": {}}]), SchemaViolation),
    (message(cmd=[{"someData": 5}]), SchemaViolation),
    (data("measurementListData", {"measurementData": [5]}), SchemaViolation),
    (data("measurementListData", {"measurementData": [{}]}), SchemaViolation),
    (data("measurementListData", {"measurementData": [{"measurementId": "1"}]}), SchemaViolation),
    (data("measurementListData", {"measurementData": [{"measurementId": 1, "value": 5}]}), SchemaViolation),
    (
        data("measurementListData", {"measurementData": [{"measurementId": 1, "value": {"number": 1.5}}]}),
        SchemaViolation,
    ),
    (
        data("measurementListData", {"measurementData": [{"measurementId": 1, "value": {"number": 1, "scale": 99}}]}),
        SchemaViolation,
    ),
    (data("measurementListData", {"measurementData": [{"measurementId": 1, "timestamp": "P1Y"}]}), SchemaViolation),
    (data("loadControlLimitListData", {"loadControlLimitData": [{"limitId": -1}]}), SchemaViolation),
    (
        data("loadControlLimitListData", {"loadControlLimitData": [{"limitId": 1, "isLimitActive": "yes"}]}),
        SchemaViolation,
    ),
    (
        data("loadControlLimitListData", {"loadControlLimitData": [{"limitId": 1, "timePeriod": {"endTime": "soon"}}]}),
        SchemaViolation,
    ),
    (data("deviceDiagnosisHeartbeatData", {"heartbeatTimeout": "60"}), SchemaViolation),
    (data("resultData", {}), SchemaViolation),
    (data("nodeManagementUseCaseData", {"useCaseInformation": [{"actor": 5}]}), SchemaViolation),
    (b'{"datagram":[{"header":[]},{"header":[]},{"payload":[]}]}', BadSyntax),
    (b'{"datagram":[{"payload":[{"cmd":[[{"someData":[]},{"someData":[]}]]}]}]}', SchemaViolation),
    (b'{"datagram":{"header":{"x":"\\u0000"}}}', SchemaViolation),
]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        decode(raw)
    assert type(problem.value) is error
    assert problem.value.detail


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "1H", "P1Y", "P1M", "PT1.5H", "PT1,5S", "P1DT", "PT1H1H", "P٣D", "PT9999999999999S", "PT1S "],
)
def test_a_text_that_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is no duration"):
        duration_us(text)


def test_a_list_without_end_is_refused_and_a_long_one_is_read_quickly():
    items = [{"measurementId": number} for number in range(10_000)]
    started = time.process_time()
    found = decode(data("measurementListData", {"measurementData": items}))
    assert time.process_time() - started < 2
    assert found.payload["context_missing"] == [f"measurement {number}" for number in range(10_000)]
    with pytest.raises(SchemaViolation):
        decode(data("measurementListData", {"measurementData": [*items, {"measurementId": 10_000}]}))


@given(st.integers(-(10**15), 10**15))
@settings(max_examples=100)
def test_durations_keep_every_microsecond(duration):
    assert duration_us(duration_text(duration)) == duration


def test_a_duration_beyond_all_calendars_is_no_moment():
    assert moment_us("P9999999D", NOON_US) is None
    assert moment_us("-P9999999D", NOON_US) is None
    assert moment_us("PT1H", NOON_US) == NOON_US + HOUR_US


addresses = st.builds(
    Address,
    st.sampled_from(["d:_i:1_A", "d:_n:Ä"]),
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    st.none() | st.integers(0, 99),
)
datas = st.one_of(
    elements.map(lambda value: ("someData", value)),
    st.lists(
        st.builds(
            lambda number, value: {"measurementId": number, "value": scaled(value)},
            st.integers(0, 9),
            st.decimals(-(10**9), 10**9, places=3),
        ),
        max_size=3,
    ).map(lambda items: ("measurementListData", {"measurementData": items})),
)


@given(datas, addresses, addresses, st.integers(0, 2**63 - 1), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_the_same(named, source, destination, counter, wire, ship):
    function, value = named
    written = datagram(function, value, source=source, to=destination, counter=counter)
    payload = decode(written, wire=wire, ship=ship).payload
    assert payload["form"] == ("wire" if wire else "normalised")
    assert payload["commands"] == [{"function": function, "data": value}]
    assert payload["counter"] == counter
    for end, address in (("source", source), ("destination", destination)):
        assert {key: part for key, part in payload[end].items() if key != "actor"} == address.as_json()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
@settings(max_examples=100)
def test_a_scaled_number_is_exact(value):
    found = scaled(value)
    assert Decimal(found["number"]).scaleb(found["scale"]) == value


def error_of(raw):
    try:
        decode(raw)
    except WireError as error:
        return error
    return None


jsons = st.recursive(
    simple | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*HEADER, "header", "payload", "cmd", "datagram", "data", "entity"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=100) | jsons.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_and_json_give_named_errors_only(raw):
    error = error_of(raw)
    assert error is None or error.detail


@given(
    st.sampled_from(["measurementListData", "loadControlLimitListData", "nodeManagementDetailedDiscoveryData", "x"]),
    jsons,
)
@settings(max_examples=200, deadline=None)
def test_arbitrary_data_gives_named_errors_only(function, value):
    error = error_of(data(function, value))
    assert error is None or error.detail


@given(st.integers(0, len(SHIP) - 1), st.binary(min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_damaged_message_decodes_or_gives_a_named_error(at, damage):
    error = error_of(SHIP[:at] + damage + SHIP[at + len(damage) :])
    assert error is None or error.detail


@given(st.lists(st.sampled_from([BARE, SHIP, b"x", b"{", b"\x02", b"\xff"]), max_size=5))
@settings(max_examples=100, deadline=None)
def test_cutting_loses_no_line(lines):
    found = cut(b"\n".join(lines))
    assert b"".join(one.raw for one in found).replace(b"\n", b"") == b"".join(lines)
