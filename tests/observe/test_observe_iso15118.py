"""What vehicle and station say to each other: state of charge, limits both ways, power, meters, schedules."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.event import Event, from_record, to_record
from schemas.facts import INDICATIVE, Facts, Reading, Sample
from schemas.time import SECOND_US, SLOT_US, parse_time
from schemas.wire.contract import Conversation, Frame
from schemas.wire.iso15118 import FORMAT
from schemas.wire.iso15118.codec import DIN, SAP, CodecUnavailable
from streams.exi import codec
from streams.reader import read
from twin.observe.iso15118 import observe

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "iso15118"
NOON_US = parse_time("2026-03-29T12:00:00Z")
NOON = NOON_US // SECOND_US
BEV, EVSE = "bev:WMIV1", "evse:BOX1"
STATION = "fe80::664d:70ff:fe01:3bf"
"""The captured station says that it has no identity."""

SETUP = (("SessionSetupReq", {"EVCCID": "WMIV1"}), ("SessionSetupRes", {"ResponseCode": "OK", "EVSEID": "BOX1"}))


def facts_of(*messages, edition="20", namespace=None):
    """Facts of the last message, after the log of Gegenstrom; those before it explain it."""
    conversation = Conversation("1")
    for number, (name, body) in enumerate(messages):
        header = {"SessionID": "0123456789ABCDEF"}
        message = {name: {"Header": header, **body}}
        if edition == "2":
            message = {"V2G_Message": {"Header": header, "Body": {name: body}}}
        context = {} if namespace is None else {"namespace": namespace}
        frame = Frame(json.dumps(message).encode(), 0, NOON_US, "car-box", context, f"e{number}")
        decoded = FORMAT.decode(frame, conversation)
    event = Event("e" * 32, "1", "log", decoded.type, decoded.actor, decoded.time_us, NOON_US, decoded.payload, b"", {})
    facts = Facts()
    observe(from_record(to_record(event)[1]), facts)
    return facts


def told(facts, actor):
    return {seen.attribute: seen.value for seen in facts.observations if seen.actor == actor}


def watts(value, exponent=0):
    return {"Exponent": exponent, "Value": value}


def physical(value, unit, multiplier=0):
    return {"Multiplier": multiplier, "Unit": unit, "Value": value}


def test_the_setup_says_who_is_with_whom():
    facts = facts_of(*SETUP)
    assert told(facts, EVSE) == {
        "response_code": "OK",
        "protocol": "urn:iso:std:iso:15118:-20:CommonMessages",
        "session_state": "open",
        "session_id": "0123456789ABCDEF",
        "ev_id": "WMIV1",
    }
    assert told(facts, BEV) == {"evse": "BOX1", "session_id": "0123456789ABCDEF"}


def test_limits_both_ways_are_numbers_of_their_own_whatever_sign_they_are_written_with():
    mode = {
        "EVSEMaximumChargePower": watts(11, 3),
        "EVSEMinimumChargePower": watts(1400),
        "EVSEMaximumDischargePower": watts(-7400),
    }
    facts = facts_of(*SETUP, ("AC_ChargeParameterDiscoveryRes", {"BPT_AC_CPDResEnergyTransferMode": mode}))
    assert told(facts, EVSE) == {
        "max_charge_power": 11000,
        "min_charge_power": 1400,
        "max_discharge_power": 7400,
    }


def test_values_of_phases_are_kept_and_added():
    mode = {f"EVSEPresentActivePower{phase}": watts(-1000 - n) for n, phase in enumerate(("", "_L2", "_L3"))}
    facts = facts_of(*SETUP, ("AC_ChargeLoopRes", {"BPT_Dynamic_AC_CLResControlMode": mode}))
    assert told(facts, EVSE) == {"power_l1": -1000, "power_l2": -1001, "power_l3": -1002, "power": -3003}
    assert facts.samples == [Sample("BOX1", -3_003_000, NOON_US, INDICATIVE)]


def test_a_charge_loop_says_state_of_charge_wishes_and_power():
    body = {
        "DisplayParameters": {"PresentSOC": 41, "TargetSOC": 80, "ChargingComplete": False},
        "BPT_Dynamic_AC_CLReqControlMode": {
            "DepartureTime": 3600,
            "EVTargetEnergyRequest": watts(20, 3),
            "EVMaximumEnergyRequest": watts(30, 3),
            "EVMinimumEnergyRequest": watts(-5, 3),
            "EVMaximumDischargePower": watts(11, 3),
            "EVPresentActivePower": watts(-72, 2),
            "EVMaximumV2XEnergyRequest": watts(15, 3),
        },
    }
    assert told(facts_of(*SETUP, ("AC_ChargeLoopReq", body)), BEV) == {
        "soc": 41,
        "target_soc": 80,
        "charging_complete": False,
        "departure_time": "2026-03-29T13:00:00Z",
        "target_energy": 20000,
        "max_energy": 30000,
        "min_energy": -5000,
        "max_discharge_power": 11000,
        "power": -7200,
        "max_v2x_energy": 15000,
    }


def test_a_set_point_below_zero_discharges():
    mode = {"EVSETargetActivePower": watts(-11, 3)}
    facts = facts_of(*SETUP, ("AC_ChargeLoopRes", {"BPT_Dynamic_AC_CLResControlMode": mode}))
    assert told(facts, EVSE) == {"charging_setpoint": -11000}
    assert facts.samples == []


def test_direct_current_times_voltage_is_the_power():
    body = {"EVSEPresentCurrent": watts(-255, -1), "EVSEPresentVoltage": watts(400), "EVSEPowerLimitAchieved": True}
    facts = facts_of(*SETUP, ("DC_ChargeLoopRes", body))
    assert facts.samples == [Sample("BOX1", -10_200_000, NOON_US, INDICATIVE)]
    assert told(facts, EVSE) == {"current": Decimal("-25.5"), "voltage": 400, "power_limit_reached": True}


def test_a_meter_in_the_loop_gives_both_registers_and_no_sample():
    meter = {"MeterID": "M1", "ChargedEnergyReadingWh": 1500, "BPT_DischargedEnergyReadingWh": 700}
    mode = {"EVSEPresentActivePower": watts(5000)}
    body = {"MeterInfo": {**meter, "MeterTimestamp": NOON - 60}, "BPT_Dynamic_AC_CLResControlMode": mode}
    facts = facts_of(*SETUP, ("AC_ChargeLoopRes", body))
    minute_ago_us = NOON_US - 60 * SECOND_US
    assert facts.readings == [
        Reading("BOX1", "M1", "1-0:1.8.0", "import", minute_ago_us, 1_500_000, INDICATIVE),
        Reading("BOX1", "M1", "1-0:2.8.0", "export", minute_ago_us, 700_000, INDICATIVE),
    ]
    assert facts.samples == []


def test_iso_15118_2_says_status_meter_and_current_limit():
    body = {
        "ResponseCode": "OK",
        "EVSEID": "BOX1",
        "SAScheduleTupleID": 1,
        "EVSEMaxCurrent": physical(13000, "A", -3),
        "MeterInfo": {"MeterID": "M1", "MeterReading": 12345},
        "AC_EVSEStatus": {"NotificationMaxDelay": 0, "EVSENotification": "StopCharging", "RCD": False},
    }
    facts = facts_of(*SETUP, ("ChargingStatusRes", body), edition="2")
    assert told(facts, EVSE) == {
        "response_code": "OK",
        "max_charge_current": 13,
        "notification": "StopCharging",
        "residual_current_fault": False,
        "meter_id": "M1",
    }
    assert [reading.value_mwh for reading in facts.readings] == [12_345_000]


def test_din_70121_says_state_of_charge_and_isolation():
    status = {"EVReady": True, "EVErrorCode": "NO_ERROR", "EVRESSSOC": 37}
    request = ("CurrentDemandReq", {"DC_EVStatus": status, "EVTargetCurrent": physical(400, "A", -1)})
    assert told(facts_of(*SETUP, request, edition="2", namespace=DIN), BEV) == {
        "ready": True,
        "error": "NO_ERROR",
        "soc": 37,
        "target_current": 40,
    }
    answer = {"EVSEIsolationStatus": "Valid", "EVSEStatusCode": "EVSE_Ready", "EVSENotification": "None"}
    facts = facts_of(*SETUP, ("CableCheckRes", {"DC_EVSEStatus": answer}), edition="2", namespace=DIN)
    assert told(facts, EVSE) == {"isolation": "Valid", "status": "EVSE_Ready", "notification": "None"}


def test_an_offer_on_quarter_hours_gives_slot_values_of_both_ways():
    entries = [{"Duration": 1800, "Power": watts(11, 3)}, {"Duration": 900, "Power": watts(0)}]
    schedule = {"TimeAnchor": NOON, "PowerScheduleEntries": {"PowerScheduleEntry": entries}}
    back = {
        "TimeAnchor": NOON,
        "PowerScheduleEntries": {"PowerScheduleEntry": [{"Duration": 900, "Power": watts(-5, 3)}]},
    }
    offer = {
        "ScheduleTupleID": 7,
        "ChargingSchedule": {"PowerSchedule": schedule},
        "DischargingSchedule": {"PowerSchedule": back},
    }
    message = ("ScheduleExchangeRes", {"Scheduled_SEResControlMode": {"ScheduleTuple": [offer]}})
    facts = facts_of(*SETUP, message)
    assert [(value.series, (value.slot_us - NOON_US) // SLOT_US, value.value) for value in facts.slot_values] == [
        ("schedule.limit/offer-7", 0, 11_000_000),
        ("schedule.limit/offer-7", 1, 11_000_000),
        ("schedule.limit/offer-7", 2, 0),
        ("schedule.discharge-limit/offer-7", 0, 5_000_000),
    ]
    assert told(facts, EVSE) == {
        "schedule_7_limit": 11000,
        "schedule_7_discharge_limit": 5000,
        "offered_schedules": "7",
    }


@pytest.mark.parametrize(("anchor", "duration"), [(NOON + 1, 900), (NOON, 901), (0, 900)])
def test_a_profile_off_the_quarter_hours_is_an_observation_alone(anchor, duration):
    profile = {
        "TimeAnchor": anchor,
        "Scheduled_EVPPTControlMode": {"SelectedScheduleTupleID": 7},
        "EVPowerProfileEntries": {"EVPowerProfileEntry": [{"Duration": duration, "Power": watts(-3, 3)}]},
    }
    facts = facts_of(*SETUP, ("PowerDeliveryReq", {"ChargeProgress": "Start", "EVPowerProfile": profile}))
    assert told(facts, BEV) == {"charge_progress": "Start", "planned_power": -3000, "selected_schedule": 7}
    assert facts.slot_values == []


def test_the_end_is_the_end_of_both():
    facts = facts_of(*SETUP, ("SessionStopReq", {"ChargingSession": "Pause", "EVTerminationExplanation": "full"}))
    assert told(facts, BEV) == {"stop_reason": "full", "session_state": "paused"}
    assert told(facts, EVSE) == {"session_state": "paused"}


@pytest.mark.parametrize("how", [[], {}, 7, None])
def test_an_end_of_no_known_kind_is_an_end(how):
    assert told(facts_of(*SETUP, ("SessionStopReq", {"ChargingSession": how})), EVSE) == {"session_state": "ended"}


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("AC_ChargeLoopReq", {"DisplayParameters": {"PresentSOC": 127}}, "soc of 127 %"),
        ("AC_ChargeLoopRes", {"M": {"EVSEPresentActivePower": watts(2, 6)}}, "power of 2000000 W"),
        ("AC_ChargeLoopRes", {"MeterInfo": {"MeterID": "M1", "ChargedEnergyReadingWh": 10**18}}, "meter M1"),
        ("ScheduleExchangeRes", {"SAScheduleList": 3}, "its schedule has another form"),
    ],
)
def test_what_cannot_be_believed_is_set_aside_with_its_reason(name, body, words):
    facts = facts_of(*SETUP, (name, body))
    assert words in facts.rejects[0].detail
    assert not facts.samples
    assert not facts.readings


def test_a_station_nobody_knows_has_attributes_but_no_sample():
    facts = facts_of(("AC_ChargeLoopRes", {"M": {"EVSEPresentActivePower": watts(5)}}))
    assert told(facts, "evse:car-box") == {"power": 5}
    assert facts.samples == []


@pytest.fixture(scope="module")
def captured():
    if not SAMPLES.is_dir():
        pytest.skip("the shared samples are not on this machine")
    try:
        codec().encode(b'{"supportedAppProtocolRes":{"ResponseCode":"Failed_NoNegotiation"}}', SAP)
    except CodecUnavailable as problem:
        pytest.skip(f"no EXI codec here: {problem.detail}")

    def facts_in(name):
        facts = Facts()
        for event in read(SAMPLES / name, "1"):
            observe(event, facts)
        return facts

    return facts_in


def test_a_receipt_of_a_station_nobody_named_gives_the_vehicle_no_meter():
    receipt = {"SAScheduleTupleID": 1, "MeterInfo": {"MeterID": "1EMH1", "MeterReading": 5000}}
    facts = facts_of(("MeteringReceiptReq", receipt), edition="2")
    assert "meter_id" not in {seen.attribute for seen in facts.observations}
    assert facts.readings == []


def test_the_captured_bidirectional_session(captured):
    facts = captured("ISO-20_BPT_AC_DS5366_Josev.pcapng")
    bev, evse = "bev:WMIV1234567890ABCDEX", f"evse:{STATION}"
    assert [seen.value for seen in facts.observations if (seen.actor, seen.attribute) == (bev, "soc")] == [
        *range(10, 101, 10),
        100,
    ]
    car, box = told(facts, bev), told(facts, evse)
    assert (car["max_charge_power"], car["max_discharge_power"], car["power"]) == (11000, 11000, 200_000)
    assert (car["target_energy"], car["max_energy"], car["min_energy"]) == (10000, 20000, Decimal("0.05"))
    assert (car["control_mode"], car["selected_schedule"], car["session_state"]) == ("scheduled", 42, "ended")
    assert (box["max_charge_power"], box["max_discharge_power"], box["max_discharge_power_l3"]) == (8970, 8970, 2990)
    assert (box["offered_schedules"], box["schedule_42_discharge_limit"], box["schedule_48_limit"]) == (
        "42, 48",
        123,
        234,
    )
    assert {sample.point for sample in facts.samples} == {STATION}
    assert facts.rejects == []


def test_the_captured_session_of_iso_15118_2(captured):
    facts = captured("ISO-2_AC_DS5366.pcapng")
    car, box = told(facts, "bev:644D700102C8"), told(facts, f"evse:{STATION}")
    assert (car["energy_transfer"], car["target_energy"], car["max_charge_current"]) == (
        "AC_three_phase_core",
        64000,
        32,
    )
    assert (box["max_charge_current"], box["nominal_voltage"], box["schedule_1_limit"]) == (13, 230, 150_000)
    assert facts.rejects == []
