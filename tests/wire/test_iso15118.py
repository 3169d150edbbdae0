"""ISO 15118-2, -20 and DIN 70121: V2GTP from captures, octets and logs; EXI by the negotiated schema; decoded JSON."""

import io
import json
import struct
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.time import parse_time
from schemas.wire.contract import Conversation, Frame, Malformed, SchemaViolation, WireError
from schemas.wire.iso15118 import FORMAT, frame
from schemas.wire.iso15118.codec import (
    CODEC,
    DIN,
    ISO_2,
    ISO_20_AC,
    ISO_20_COMMON,
    ISO_20_DC,
    SAP,
    CodecUnavailable,
    NotExi,
)
from schemas.wire.iso15118.negotiation import chosen_of
from schemas.wire.iso15118.quantities import exact
from streams.exi import codec
from streams.exi.process import JavaCodec
from streams.reader import Conversations, Rejected, read, read_again

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "iso15118"
NOON_US = parse_time("2026-03-29T12:00:00Z")
SESSION = "0123456789ABCDEF"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared samples are not on this machine")


@pytest.fixture(scope="module")
def exi():
    try:
        codec().encode(b'{"supportedAppProtocolRes":{"ResponseCode":"Failed_NoNegotiation"}}', SAP)
    except CodecUnavailable as problem:
        pytest.skip(f"no EXI codec here: {problem.detail}")
    return codec()


def v2g(name, body, session=SESSION):
    return {"V2G_Message": {"Header": {"SessionID": session}, "Body": {name: body}}}


def v20(name, body, stamp=1774785600):
    return {name: {"Header": {"SessionID": SESSION, "TimeStamp": stamp}, **body}}


def offer(*namespaces):
    return {
        "supportedAppProtocolReq": {
            "AppProtocol": [
                {
                    "ProtocolNamespace": namespace,
                    "VersionNumberMajor": 2,
                    "VersionNumberMinor": 0,
                    "SchemaID": number,
                    "Priority": number,
                }
                for number, namespace in enumerate(namespaces, 1)
            ]
        }
    }


def chosen(schema_id):
    return {"supportedAppProtocolRes": {"ResponseCode": "OK_SuccessfulNegotiation", "SchemaID": schema_id}}


def conversation(exi=None):
    return Conversation("1", {} if exi is None else {CODEC: exi})


def decoded(raw, talk, number=0, time_us=NOON_US, **context):
    return FORMAT.decode(Frame(raw, 0, time_us, "car-box", context, f"e{number}"), talk)


def said(message, talk, number=0, **more):
    return decoded(json.dumps(message).encode(), talk, number, **more)


def as_exi(exi, message, schema, payload_type=0x8001):
    return frame(payload_type, exi.encode(json.dumps(message).encode(), schema))


def split(content):
    return list(FORMAT.split(io.BytesIO(content)))


ROUND_TRIPS = [
    (offer(ISO_2, DIN), SAP, 0x8001, "iso15118.sap.supportedAppProtocolReq"),
    (v2g("SessionSetupReq", {"EVCCID": "644D700102C8"}), ISO_2, 0x8001, "iso15118.2.SessionSetupReq"),
    (v2g("SessionSetupReq", {"EVCCID": "644D700102C8"}), DIN, 0x8001, "iso15118.din.SessionSetupReq"),
    (v20("SessionStopReq", {"ChargingSession": "Pause"}), ISO_20_COMMON, 0x8002, "iso15118.20.SessionStopReq"),
    (
        v20(
            "DC_ChargeLoopReq",
            {
                "DisplayParameters": {"PresentSOC": 41, "TargetSOC": 80},
                "MeterInfoRequested": False,
                "EVPresentVoltage": {"Exponent": -1, "Value": 4005},
                "BPT_Scheduled_DC_CLReqControlMode": {
                    "EVTargetCurrent": {"Exponent": 0, "Value": -25},
                    "EVTargetVoltage": {"Exponent": 0, "Value": 400},
                },
            },
        ),
        ISO_20_DC,
        0x8004,
        "iso15118.20.DC_ChargeLoopReq",
    ),
]


@pytest.mark.parametrize(("message", "schema", "payload_type", "kind"), ROUND_TRIPS)
def test_a_message_encoded_as_exi_decodes_to_what_its_json_says(exi, message, schema, payload_type, kind):
    binary = decoded(as_exi(exi, message, schema, payload_type), conversation(exi))
    text = said(message, conversation(), namespace=schema)
    assert binary.type == text.type == kind
    assert {**text.payload, "payload_type": f"{payload_type:04X}"} == binary.payload


def test_the_negotiation_decides_between_the_schemas_that_share_a_payload_type(exi):
    talk = conversation(exi)
    decoded(as_exi(exi, offer(ISO_2, DIN), SAP), talk, 1)
    decoded(as_exi(exi, chosen(2), SAP), talk, 2)
    found = decoded(as_exi(exi, v2g("SessionSetupReq", {"EVCCID": "AB"}), DIN), talk, 3)
    assert found.type == "iso15118.din.SessionSetupReq"
    assert found.payload["negotiated"] == {"namespace": DIN, "schema_id": 2, "offered_by": "e1", "event": "e2"}


@pytest.mark.parametrize("number", [None, {}, [1], "1"])
def test_a_protocol_under_no_number_is_neither_offered_nor_chosen(number):
    talk = conversation()
    offered = offer(ISO_2, DIN)
    offered["supportedAppProtocolReq"]["AppProtocol"][0]["SchemaID"] = number
    said(offered, talk, 1)
    said(chosen(number), talk, 2)
    assert chosen_of(talk) == ""
    said(chosen(2), talk, 3)
    assert chosen_of(talk) == DIN


def test_a_message_in_another_schema_than_negotiated_is_no_message(exi):
    talk = conversation(exi)
    decoded(as_exi(exi, offer(ISO_2, DIN), SAP), talk, 1)
    decoded(as_exi(exi, chosen(1), SAP), talk, 2)
    with pytest.raises(WireError) as caught:
        decoded(as_exi(exi, v2g("SessionSetupReq", {"EVCCID": "AB"}), DIN), talk, 3)
    assert caught.value.reason in {"bad-syntax", "truncated", "schema-violation"}
    assert ISO_2 in caught.value.detail or "V2G_Message" in caught.value.detail


def test_without_the_negotiation_the_schema_is_assumed_and_said_so(exi):
    for schema, kind in ((ISO_2, "iso15118.2.SessionStopReq"), (DIN, "iso15118.din.SessionStopReq")):
        body = {"ChargingSession": "Terminate"} if schema == ISO_2 else {}
        found = decoded(as_exi(exi, v2g("SessionStopReq", body), schema), conversation(exi))
        assert (found.type, found.payload["assumed"]) == (kind, True)


def test_a_vehicle_has_one_name_however_its_address_is_written():
    found = said(v20("SessionSetupReq", {"EVCCID": "64:4d:70:01:02:c8"}), conversation(), 1)
    assert (found.actor, found.payload["session"]["evcc"]) == ("bev:644D700102C8", "644D700102C8")


def test_who_takes_part_stands_in_every_message_behind_the_setup():
    talk = conversation()
    said(v20("SessionSetupReq", {"EVCCID": "WMIV1"}), talk, 1)
    said(v20("SessionSetupRes", {"ResponseCode": "OK", "EVSEID": "DE*ICE*E45B*78C"}), talk, 2)
    modes = {"ParameterSetID": 2, "Parameter": [{"Name": "ControlMode", "intValue": 2}]}
    said(v20("ServiceDetailRes", {"ServiceID": 5, "ServiceParameterList": {"ParameterSet": [modes]}}), talk, 3)
    selected = {"SelectedEnergyTransferService": {"ServiceID": 5, "ParameterSetID": 2}}
    said(v20("ServiceSelectionReq", selected), talk, 4)
    found = said(v20("AC_ChargeLoopReq", {}), talk, 5)
    assert found.payload["session"] == {
        "id": SESSION,
        "evcc": "WMIV1",
        "evse": "DE*ICE*E45B*78C",
        "service": 5,
        "control_mode": "dynamic",
    }
    assert found.actor == "bev:WMIV1"
    assert said(v20("AC_ChargeLoopRes", {}), talk, 6).actor == "evse:DE*ICE*E45B*78C"


@pytest.mark.parametrize(
    ("octets", "actor"),
    [
        ("49A811A00008A1", "evse:49*811*00008*1"),
        ("44452A4747532A45312A31", "evse:DE*GGS*E1*1"),
        ("44452A47475300000000", "evse:DE*GGS"),
        ("FF0102", "evse:FF0102"),
        ("00", "evse:car-box"),
    ],
)
def test_octets_of_a_charging_point_in_din_are_read_as_the_name_they_spell(exi, octets, actor):
    talk = conversation(exi)
    message = v2g("SessionSetupRes", {"ResponseCode": "OK_NewSessionEstablished", "EVSEID": octets})
    found = decoded(as_exi(exi, message, DIN), talk, 1)
    assert found.actor == actor
    assert found.payload["body"]["EVSEID"] == octets


def test_who_is_unknown_is_named_by_the_connection():
    assert said(v20("AC_ChargeLoopReq", {}), conversation()).actor == "bev:car-box"


@pytest.mark.parametrize(
    ("edition", "nobody"), [("20", "ZZ00000"), ("2", "ZZ00000"), ("din", "5A5A3030303030"), ("din", "00")]
)
def test_a_station_without_an_identity_is_named_by_its_connection(edition, nobody):
    talk, write = conversation(), v20 if edition == "20" else v2g
    said(write("SessionSetupReq", {"EVCCID": "AB"}), talk, 1)
    found = said(write("SessionSetupRes", {"ResponseCode": "OK", "EVSEID": nobody}), talk, 2)
    assert (found.actor, found.payload["session"]["evse"]) == ("evse:car-box", "car-box")
    assert found.payload["body"]["EVSEID"] == nobody


def test_in_a_capture_such_a_station_is_named_by_its_address_which_outlives_the_port():
    ends = {"from": "[fe80::1]:61341", "to": "[fe80::2]:50032"}
    found = said(v2g("SessionSetupRes", {"ResponseCode": "OK", "EVSEID": "ZZ00000"}), conversation(), 1, **ends)
    assert found.actor == "evse:fe80::1"
    found = said(v2g("SessionSetupRes", {"ResponseCode": "OK", "EVSEID": "DE*1*E2"}), conversation(), 1, **ends)
    assert found.actor == "evse:DE*1*E2"


def test_a_station_that_gave_its_identity_keeps_it_when_it_says_none_later():
    talk = conversation()
    said(v2g("SessionSetupRes", {"ResponseCode": "OK", "EVSEID": "DE*1*E2"}), talk, 1)
    assert said(v2g("ChargingStatusRes", {"EVSEID": "ZZ00000"}), talk, 2).actor == "evse:DE*1*E2"


def test_a_vehicle_that_leaves_its_identity_empty_is_heard_all_the_same(exi):
    raw = as_exi(exi, v2g("SessionSetupReq", {"EVCCID": ""}, session="00"), DIN)
    found = decoded(raw, conversation(exi))
    assert (found.type, found.actor) == ("iso15118.din.SessionSetupReq", "bev:car-box")
    assert found.payload["session"] == {}


def test_a_new_negotiation_forgets_the_session_before():
    talk = conversation()
    said(v2g("SessionSetupReq", {"EVCCID": "AB"}), talk, 1)
    said(offer(ISO_2), talk, 2)
    assert said(v2g("ChargingStatusReq", {}), talk, 3).payload["session"] == {"id": SESSION}


@pytest.mark.parametrize(
    ("content", "number"),
    [
        ({"Multiplier": -1, "Unit": "V", "Value": 4005}, Decimal("400.5")),
        ({"Multiplier": 1, "Unit": "W", "Value": 15000}, 150000),
        ({"Exponent": 3, "Value": -11}, -11000),
        ({"Exponent": -5, "Value": 0}, 0),
        ({"Exponent": -128, "Value": 1}, Decimal("1e-128")),
    ],
)
def test_physical_values_are_exact_numbers(content, number):
    assert exact("EVMaximumChargePower", content)["value"] == number


@pytest.mark.parametrize("content", [{"Exponent": 1, "Value": 1 << 15}, {"Exponent": 128, "Value": 1}])
def test_what_no_octets_hold_is_no_physical_value(content):
    with pytest.raises(SchemaViolation, match="no physical value"):
        exact("EVMaximumChargePower", content)


def test_sdp_says_where_the_station_listens():
    request = decoded(frame(0x9000, bytes((0x10, 0x00))), conversation())
    assert (request.type, request.payload["body"]) == (
        "iso15118.sdp.SDPRequest",
        {"security": "none", "transport": "tcp"},
    )
    address = bytes.fromhex("fe80000000000000664d70fffe0103bf")
    response = decoded(frame(0x9001, address + struct.pack(">HBB", 55118, 0, 0)), conversation())
    assert response.payload["body"] == {
        "address": "fe80::664d:70ff:fe01:3bf",
        "port": 55118,
        "security": "tls",
        "transport": "tcp",
    }


BAD = [
    (b"", "bad-syntax|truncated"),
    (b"\x01", "truncated"),
    (b"\x01\xfe\x80\x01", "truncated"),
    (b"\x01\xff\x80\x01\x00\x00\x00\x00", "bad-syntax"),
    (b"\x01\xfe\x80\x01\x00\x00\x00\x05\x80\x98", "truncated"),
    (b"\x01\xfe\x80\x01\x00\x00\x00\x01\x80\x98", "bad-syntax"),
    (b"\x01\xfe\x80\x01\x7f\xff\xff\xff\x80\x98", "too-large"),
    (frame(0x8005, b"\x80"), "unsupported"),
    (frame(0x4711, b"\x80"), "unsupported"),
    (frame(0x9000, b"\x10"), "truncated"),
    (frame(0x9001, bytes(21)), "bad-syntax"),
    (frame(0x8001, b"\x80\xff\x00"), "bad-syntax"),
    (frame(0x8001, b""), "bad-syntax"),
    (frame(0x8001, b"\x80\x98\x02"), "missing-context"),
    (b'{"V2G_Message": {"Header": {}', "truncated"),
    (b'{"V2G_Message": {"Header": {}}}', "schema-violation"),
    (b'{"V2G_Message": {"Header": {}, "Body": {"A": {}, "B": {}}}}', "schema-violation"),
    (b'{"SessionStopReq": {"ChargingSession": "Pause"}}', "schema-violation"),
    (b'{"SignedInfo": {"Header": {}}}', "schema-violation"),
    (b'{"SessionStopReq": [1]}', "schema-violation"),
    (b"[]", "schema-violation"),
    (b'{"SessionSetupReq": {"Header": {"SessionID": 7}}}', "schema-violation"),
    (b'{"ServiceDetailRes": {"Header": {}, "ServiceParameterList": 3}}', "schema-violation"),
    (b'{"XReq": {"Header": {}, "EVMaximumVoltage": {"Exponent": 1000, "Value": 1}}}', "schema-violation"),
]


@pytest.mark.parametrize(("raw", "reasons"), BAD)
def test_bad_input_is_refused_with_its_reason(raw, reasons):
    with pytest.raises(WireError) as caught:
        decoded(raw, conversation())
    assert caught.value.reason in reasons.split("|")
    assert caught.value.detail


@pytest.mark.parametrize(
    ("exi_bytes", "payload_type", "reason"),
    [
        (b"\x80\x98\x02\x26", 0x8001, "truncated"),
        (b"\x80\x98" + b"\xff" * 40, 0x8001, "schema-violation"),
        (b"\xff" * 40, 0x8002, "bad-syntax"),
        (bytes(40), 0x8003, "bad-syntax"),
    ],
)
def test_bad_exi_is_refused_with_its_reason(exi, exi_bytes, payload_type, reason):
    with pytest.raises(WireError) as caught:
        decoded(frame(payload_type, exi_bytes), conversation(exi))
    assert caught.value.reason == reason


def test_a_stream_is_cut_and_what_stands_between_messages_is_kept():
    one, other = frame(0x9000, b"\x10\x00"), frame(0x8001, b"\x80\x98\x00")
    too_large = b"\x01\xfe\x80\x01\xff\xff\xff\xff"
    found = split(one + b"noise" + other + too_large + one + other[:-1])
    assert [item.raw for item in found] == [one, b"noise", other, too_large, one, other[:-1]]
    assert [item.error.reason for item in found if isinstance(item, Malformed)] == [
        "bad-syntax",
        "too-large",
        "truncated",
    ]


def test_hex_and_logs_of_hex_are_cut_too():
    raw = frame(0x9000, b"\x10\x00")
    assert [item.raw for item in split(raw.hex(" ").encode() * 2)] == [raw, raw]
    (line,) = split(b"2026-03-29T12:00:00Z box-1 " + raw.hex().encode() + b"\n")
    assert (line.raw, line.source, line.time_us) == (raw, "box-1", NOON_US)


def test_logs_of_decoded_messages_in_all_their_forms():
    bare = json.dumps(v20("AC_ChargeLoopReq", {})).encode()
    record = b'{"time": "2026-03-29T12:00:00Z", "source": "box-1", "direction": "received", "message": ' + bare + b"}"
    stack = b"2026-03-29T12:00:00Z - INFO - Decoded message (ns=urn:iso:std:iso:15118:-20:AC): " + bare
    found = split(b"\n".join((bare, record, stack, b"no message")))
    assert [item.raw for item in found] == [bare, bare, bare, b"no message"]
    assert (found[1].source, found[1].time_us, found[1].context) == ("box-1", NOON_US, {"direction": "received"})
    assert (found[2].time_us, found[2].context) == (NOON_US, {"namespace": ISO_20_AC})
    assert isinstance(found[3], Malformed)
    assert [item.raw for item in split(b"[" + bare + b",\n" + record + b"]")] == [bare, bare]
    assert [item.raw for item in split(json.dumps(v20("AC_ChargeLoopReq", {}), indent=2).encode())] != []


def test_a_log_without_times_takes_those_of_iso_15118_20():
    message = json.dumps(v20("AC_ChargeLoopReq", {}, stamp=NOON_US // 1_000_000)).encode()
    assert decoded(message, conversation(), time_us=None).time_us == NOON_US


def test_a_tls_session_is_named_as_unreadable(tmp_path):
    import dpkt

    hello = bytes.fromhex("160301002a") + bytes(42)
    segment = dpkt.tcp.TCP(sport=50000, dport=15118, seq=1, flags=dpkt.tcp.TH_ACK, data=hello)
    packet = dpkt.ip6.IP6(src=bytes(15) + b"\1", dst=bytes(15) + b"\2", nxt=6, hlim=64, data=segment)
    packet.plen = len(segment)
    place = tmp_path / "tls.pcap"
    with place.open("wb") as stream:
        dpkt.pcap.Writer(stream).writepkt(
            bytes(dpkt.ethernet.Ethernet(type=0x86DD, data=packet, src=bytes(6), dst=bytes(6))), 1.0
        )
    (found,) = read(place, "1")
    assert isinstance(found, Rejected)
    assert found.reason == "unsupported"
    assert "TLS session: encrypted, not broken" in found.detail


@needs_samples
@pytest.mark.parametrize(
    ("name", "count", "last", "session"),
    [
        (
            "ISO-20_BPT_AC_DS5366_Josev.pcapng",
            48,
            "iso15118.20.SessionStopRes",
            {"id": "242633A465952FF6", "evcc": "WMIV1234567890ABCDEX", "service": 5, "control_mode": "scheduled"},
        ),
        (
            "ISO-2_AC_DS5366.pcapng",
            512,
            "iso15118.2.SessionStopRes",
            {"id": "0899A6647929A1B0", "evcc": "644D700102C8"},
        ),
    ],
)
def test_a_captured_session_decodes_completely(exi, name, count, last, session):
    found = list(read(SAMPLES / name, "1"))
    assert not [item.detail for item in found if isinstance(item, Rejected)]
    assert (len(found), found[-1].type) == (count, last)
    assert found[-1].payload["session"] == {**session, "evse": "fe80::664d:70ff:fe01:3bf"}
    assert [item.type for item in found[:4]] == [
        "iso15118.sdp.SDPRequest",
        "iso15118.sdp.SDPResponse",
        "iso15118.sap.supportedAppProtocolReq",
        "iso15118.sap.supportedAppProtocolRes",
    ]
    assert all(item.payload["negotiated"]["event"] == found[3].id for item in found[4:])


@needs_samples
def test_a_captured_session_encodes_to_the_same_bytes_again(exi):
    from schemas.wire.iso15118.framing import parse
    from schemas.wire.iso15118.negotiation import STREAMS

    for item in split((SAMPLES / "ISO-20_BPT_AC_DS5366_Josev.pcapng").read_bytes())[2:]:
        message = parse(item.raw)
        schema = STREAMS.get(message.payload_type, SAP)
        assert exi.encode(exi.decode(message.payload, schema), schema) == message.payload


def test_a_station_that_leaves_its_schedules_empty_is_heard_all_the_same(exi):
    """DIN 70121 has an abstract element for them, which means nothing by itself and is written by some all the same."""
    octets = "809a02286cb0f5397d81c61080024800000000c0c0f0060e1e15602060a1e8060606004060a12c022303003100"
    body = json.loads(exi.decode(bytes.fromhex(octets), DIN))["V2G_Message"]["Body"]["ChargeParameterDiscoveryRes"]
    assert set(body) == {"ResponseCode", "EVSEProcessing", "DC_EVSEChargeParameter"}
    assert body["DC_EVSEChargeParameter"]["EVSEMaximumPowerLimit"]["Value"] == 22000
    schedule = {"RelativeTimeInterval": {"start": 0}, "PMax": 11000}
    listed = {"SAScheduleTupleID": 1, "PMaxSchedule": {"PMaxScheduleID": 1, "PMaxScheduleEntry": [schedule]}}
    full = v2g("ChargeParameterDiscoveryRes", body | {"SAScheduleList": {"SAScheduleTuple": [listed]}})
    assert json.loads(exi.decode(exi.encode(json.dumps(full).encode(), DIN), DIN)) == full


@pytest.mark.parametrize(
    ("octets", "schema"),
    [
        ("805006121319d232ca97fb0d8938111222f3140dbc966180d5ee77", ISO_20_COMMON),
        ("806904121319d232ca97fb0c0c79f8fe3c19003200d461c00007b0008dec0000", ISO_20_AC),
        ("8098" + "ff" * 200, ISO_2),
    ],
)
def test_octets_that_upset_its_libraries_do_not_end_the_java_process(exi, octets, schema):
    before = exi.process_id
    with suppress(NotExi):
        exi.decode(bytes.fromhex(octets), schema)
    assert exi.process_id == before


def test_binary_elements_and_signatures_come_back_as_they_were(exi):
    digest = {
        "URI": "#ID1",
        "DigestMethod": {"Algorithm": "http://www.w3.org/2001/04/xmlenc#sha256"},
        "DigestValue": "AAECAwQFBgcICQoLDA0ODw==",
    }
    signature = {
        "SignedInfo": {
            "CanonicalizationMethod": {"Algorithm": "http://www.w3.org/TR/canonical-exi/"},
            "SignatureMethod": {"Algorithm": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
            "Reference": [digest],
        },
        "SignatureValue": {"value": "AAECAwQFBgcICQoLDA0ODw=="},
    }
    message = v2g("AuthorizationReq", {"Id": "ID1", "GenChallenge": "AAECAwQFBgcICQoLDA0ODw=="})
    message["V2G_Message"]["Header"]["Signature"] = signature
    assert json.loads(exi.decode(exi.encode(json.dumps(message).encode(), ISO_2), ISO_2)) == message


def test_the_java_process_is_kept_and_started_anew_when_it_dies(exi):
    import os
    import signal

    raw = exi.encode(json.dumps(v2g("ChargingStatusReq", {})).encode(), ISO_2)
    before = exi.process_id
    assert exi.decode(raw, ISO_2)
    assert exi.process_id == before
    os.kill(before, signal.SIGKILL)
    assert exi.decode(raw, ISO_2)
    assert exi.process_id != before


def test_without_a_codec_a_message_waits_in_the_quarantine_and_decodes_later(exi, monkeypatch):
    raw = as_exi(exi, v2g("ChargingStatusReq", {}), ISO_2)
    without = JavaCodec()
    monkeypatch.setattr("streams.exi.process.find_java", lambda: None)
    monkeypatch.setattr("streams.reader.codec", lambda: without)
    (rejected,) = read(raw, "1", "box-1", time_us=NOON_US)
    assert rejected.reason == "unsupported"
    assert "the EXI codec cannot be started: there is no Java here" in rejected.detail
    monkeypatch.undo()
    (event,) = read_again(rejected, Conversations())
    assert event.type == "iso15118.2.ChargingStatusReq"


def test_nothing_is_started_before_the_first_exi_message():
    idle = JavaCodec()
    FORMAT.decode(Frame(frame(0x9000, b"\x10\x00"), 0), Conversation("1", {CODEC: idle}))
    assert idle.process_id is None


def test_what_is_no_message_of_the_schema_is_not_encoded(exi):
    with pytest.raises(NotExi):
        exi.encode(b'{"V2G_Message": {"Header": 1, "Body"', ISO_2)


@given(st.binary(max_size=60), st.sampled_from((0x8001, 0x8002, 0x9000, 0x9001, 0x8101)))
def test_any_octets_give_only_wire_errors(content, payload_type):
    for raw in (content, frame(payload_type, content)):
        with suppress(WireError):
            decoded(raw, conversation())


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=12), st.just(frame(0x9000, b"\x10\0"))), max_size=6))
def test_cutting_a_stream_loses_nothing(parts):
    stream = frame(0x8001, b"\x80") + b"".join(parts)
    assert b"".join(item.raw for item in split(stream)) == stream


def test_an_answer_larger_than_any_message_is_refused_and_the_next_one_is_read(exi, monkeypatch):
    message = json.dumps(v2g("SessionSetupReq", {"EVCCID": "644D700102C8"})).encode()
    octets = exi.encode(message, ISO_2)
    monkeypatch.setattr("streams.exi.process.ANSWER_LIMIT_BYTES", 10)
    with pytest.raises(NotExi, match="unfolds to"):
        exi.decode(octets, ISO_2)
    monkeypatch.undo()
    assert json.loads(exi.decode(octets, ISO_2)) == json.loads(message)
