"""What OCPP messages say: registers to the milliwatt-hour, power with its sign, schedules, states."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event, from_record, to_record
from schemas.facts import INDICATIVE, Facts, Observation, Reading, Sample, SlotValue
from schemas.time import SLOT_US, format_time, parse_time
from schemas.wire.contract import Conversation, Frame
from schemas.wire.ocpp import FORMAT
from twin.amounts import number, scaled
from twin.observe import observe

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"

NOON = "2026-03-29T12:00:00Z"
NOON_US = parse_time(NOON)
IMPORT, EXPORT = "Energy.Active.Import.Register", "Energy.Active.Export.Register"


def hear(*messages: Any, time_us: int | None = NOON_US, version: str = "", source: str = "CP1") -> Facts:
    """What the last of some messages of one connection says, live and from the log alike."""
    conversation = Conversation()
    context = {"subprotocol": f"ocpp{version}"} if version else {}
    for position, message in enumerate(messages):
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        found = FORMAT.decode(Frame(raw, 0, time_us, source, context, f"e{position}"), conversation)
    event = Event("e" * 32, "4", "CP1", found.type, found.actor, found.time_us, time_us, found.payload, raw, context)
    live, logged = Facts(), Facts()
    observe(event, live)
    observe(from_record(to_record(event)[1]), logged)
    assert live == logged
    return logged


def attributes(facts: Facts) -> dict[str, Any]:
    return {seen.attribute: seen.value for seen in facts.observations}


def sample_2(value, measurand=None, unit=None, multiplier=None, **more):
    measure = {key: part for key, part in (("unit", unit), ("multiplier", multiplier)) if part is not None}
    named = {"measurand": measurand} if measurand else {}
    return {"value": value, **named, **more, **({"unitOfMeasure": measure} if measure else {})}


def values_2(*samples, evse=1):
    return [2, "m", "MeterValues", {"evseId": evse, "meterValue": [{"timestamp": NOON, "sampledValue": list(samples)}]}]


def values_1_6(*samples, connector=1, **more):
    values = [{"timestamp": NOON, "sampledValue": list(samples)}]
    return [2, "m", "MeterValues", {"connectorId": connector, "meterValue": values, **more}]


def reading(direction, value_mwh, place="CP1/1", time_us=NOON_US):
    obis = {"import": "1-0:1.8.0", "export": "1-0:2.8.0"}[direction]
    return Reading(place, place, obis, direction, time_us, value_mwh, INDICATIVE)


def transaction_event(kind="Updated", **more):
    return [
        2,
        "t",
        "TransactionEvent",
        {
            "eventType": kind,
            "timestamp": NOON,
            "triggerReason": "CablePluggedIn",
            "seqNo": 1,
            "transactionInfo": {"transactionId": "T1", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            **more,
        },
    ]


# Registers


def test_import_and_export_registers_are_two_readings():
    facts = hear(values_2(sample_2(1234.5, IMPORT, "Wh"), sample_2(7, EXPORT, "kWh")))
    assert facts.all() == [reading("import", 1_234_500), reading("export", 7_000_000)]


@pytest.mark.parametrize(
    ("sample", "value_mwh"),
    [
        (sample_2(5), 5_000),
        (sample_2(5, unit="kWh"), 5_000_000),
        (sample_2(5, unit="Wh", multiplier=3), 5_000_000),
        (sample_2(5, unit="kWh", multiplier=-3), 5_000),
        (sample_2(1.0005, unit="Wh", multiplier=0), 1_000),
        (sample_2(1.0015, unit="Wh"), 1_002),
        (sample_2(107.2500001, unit="kWh"), 107_250_000),
        (sample_2(0, IMPORT), 0),
    ],
)
def test_units_and_multipliers_lead_to_milliwatt_hours(sample, value_mwh):
    assert hear(values_2(sample)).readings == [reading("import", value_mwh)]


def test_1_6_sends_numbers_as_text_and_watt_hours_by_default():
    facts = hear(
        values_1_6({"value": "1234.5"}, {"value": "0.25", "measurand": EXPORT, "unit": "kWh"}, transactionId=9)
    )
    assert facts.readings == [reading("import", 1_234_500), reading("export", 250_000)]
    assert attributes(facts) == {"transaction_id": 9}


def test_a_register_of_one_phase_is_an_observation():
    facts = hear(values_2(sample_2(5, IMPORT, "kWh", phase="L1")))
    assert facts.all() == [Observation("evse:CP1/1", "energy_active_import_register_l1", 5000, "Wh", NOON_US)]


def test_a_register_at_the_inlet_is_another_meter():
    facts = hear(values_2(sample_2(5, IMPORT, "Wh", location="Inlet")))
    assert facts.readings == [reading("import", 5_000, "CP1/1@Inlet")]


def test_connector_zero_is_the_meter_of_the_station():
    assert hear(values_1_6({"value": "5"}, connector=0)).readings == [reading("import", 5_000, "CP1")]


def test_each_meter_value_has_its_own_time():
    stamps = ("2026-03-29T11:45:00Z", "2026-03-29T14:00:00+02:00")
    values = [{"timestamp": stamp, "sampledValue": [{"value": "5"}]} for stamp in stamps]
    facts = hear([2, "m", "MeterValues", {"connectorId": 1, "meterValue": values}])
    assert [one.time_us for one in facts.readings] == [NOON_US - SLOT_US, NOON_US]


# Power and the rest


def test_power_is_import_positive_and_its_two_directions_are_one_value():
    samples = sample_2(0, "Power.Active.Import", "W"), sample_2(3.5, "Power.Active.Export", "kW"), sample_2(5, IMPORT)
    facts = hear(values_2(*samples))
    assert facts.observations == [Observation("evse:CP1/1", "power", -3500, "W", NOON_US)]
    assert facts.samples == []


def test_power_without_a_register_is_a_sample():
    facts = hear(values_1_6({"value": "1500.25", "measurand": "Power.Active.Import"}))
    assert facts.samples == [Sample("CP1/1", 1_500_250, NOON_US, INDICATIVE)]
    assert attributes(facts) == {"power": Decimal("1500.25")}


@pytest.mark.parametrize(
    ("sample", "attribute", "value", "unit"),
    [
        (sample_2(80, "SoC", "Percent", location="EV"), "ev_soc", 80, "%"),
        (sample_2(16.5, "Current.Import", "A", phase="L2"), "current_import_l2", Decimal("16.5"), "A"),
        (sample_2(230, "Voltage", phase="L1-N"), "voltage_l1_n", 230, "V"),
        (sample_2(11, "Power.Offered", "kW"), "power_offered", 11_000, "W"),
        (sample_2(3000, "Power.Active.Import", "W", phase="L3"), "power_active_import_l3", 3000, "W"),
        (sample_2(49.98, "Frequency"), "frequency", Decimal("49.98"), "Hz"),
        (sample_2(0.9, "Power.Factor"), "power_factor", Decimal("0.9"), ""),
        (sample_2(12, "Energy.Active.Import.Interval", "Wh"), "energy_active_import_interval", 12, "Wh"),
    ],
)
def test_everything_else_is_an_observation(sample, attribute, value, unit):
    facts = hear(values_2(sample), version="2.0.1")
    assert facts.all() == [Observation("evse:CP1/1", attribute, value, unit, NOON_US)]


@pytest.mark.parametrize("unit", ["Celsius", "Celcius"])
def test_1_6_spells_celsius_in_two_ways(unit):
    sample = {"value": "-3.5", "measurand": "Temperature", "unit": unit, "location": "Body"}
    facts = hear(values_1_6(sample))
    assert facts.all() == [Observation("evse:CP1/1", "temperature_body", Decimal("-3.5"), "°C", NOON_US)]


def test_signed_values_name_their_format():
    signed = {"signedMeterData": "T0NNRg==", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}
    facts = hear(values_2(sample_2(5, signedMeterValue=signed)))
    assert (attributes(facts), len(facts.readings)) == ({"signed_value_encoding": "OCMF"}, 1)
    old = hear(values_1_6({"value": "OCMF|{}|{}", "format": "SignedData"}))
    assert (attributes(old), old.readings) == ({"signed_value_encoding": "OCMF"}, [])


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ({"value": "1000000.001", "measurand": "Power.Active.Import", "unit": "W"}, "implausible-power"),
        ({"value": "22000", "measurand": "Power.Active.Export", "unit": "kW"}, "implausible-power"),
        ({"value": "-1"}, "implausible-energy"),
        ({"value": "1e13"}, "implausible-energy"),
        ({"value": "101", "measurand": "SoC"}, "implausible-state-of-charge"),
        ({"value": "1e60", "measurand": "Voltage"}, "implausible-value"),
        ({"value": "5", "unit": "W"}, "unexpected-unit"),
        ({"value": "5", "measurand": "Power.Active.Import", "unit": "Wh"}, "unexpected-unit"),
        ({"value": "much"}, "not-a-number"),
        ({"value": "NaN"}, "not-a-number"),
        ({"value": "1e999999999"}, "not-a-number"),
        ({"value": "1_000"}, "not-a-number"),
        ({"value": ""}, "not-a-number"),
        ({"value": "9" * 5000}, "not-a-number"),
    ],
)
def test_what_cannot_be_believed_is_rejected_with_its_reason(sample, reason):
    facts = hear(values_1_6(sample))
    assert [one.reason for one in facts.rejects] == [reason]
    assert facts.all() == []


def test_a_multiplier_beyond_reason_is_rejected():
    facts = hear(values_2(sample_2(5, IMPORT, "Wh", multiplier=10**9)))
    assert [one.reason for one in facts.rejects] == ["unexpected-unit"]


def test_one_bad_value_leaves_the_others():
    facts = hear(values_1_6({"value": "much"}, {"value": "5"}))
    assert (len(facts.rejects), facts.readings) == (1, [reading("import", 5_000)])


# Transactions


def test_a_transaction_event_tells_session_and_meter():
    values = [{"timestamp": NOON, "sampledValue": [sample_2(5)]}]
    token = {"idToken": "DE8AA0012345670", "type": "eMAID"}
    facts = hear(transaction_event("Started", meterValue=values, idToken=token))
    assert facts.readings == [reading("import", 5_000)]
    assert attributes(facts) == {
        "trigger_reason": "CablePluggedIn",
        "transaction_id": "T1",
        "charging_state": "Charging",
        "id_token": "DE8AA0012345670",
        "session_start": NOON,
    }


def test_a_token_that_is_no_emaid_is_set_aside_and_the_meter_still_counts():
    values = [{"timestamp": NOON, "sampledValue": [sample_2(5)]}]
    token = {"idToken": "DE8AA0012345671", "type": "eMAID"}
    facts = hear(transaction_event("Started", meterValue=values, idToken=token))
    assert facts.readings == [reading("import", 5_000)]
    assert attributes(facts)["id_token"] == "DE8AA0012345671"
    assert [(reject.reason, "should be 0" in reject.detail) for reject in facts.rejects] == [("bad-identifier", True)]


def test_a_token_of_another_kind_may_be_anything():
    token = {"idToken": "DE8AA0012345671", "type": "ISO14443"}
    assert not hear(transaction_event("Started", idToken=token)).rejects


def test_a_car_that_shows_its_address_says_which_car_it_is():
    token = {"idToken": "64:4D:70:01:02:C8", "type": "MacAddress"}
    facts = hear(transaction_event("Started", idToken=token))
    said = {(seen.actor.partition(":")[0], seen.attribute): seen.value for seen in facts.observations}
    assert said["evse", "id_token"] == "64:4D:70:01:02:C8"
    assert said["evse", "ev_id"] == "644D700102C8"
    assert {(seen.actor, seen.attribute) for seen in facts.observations} >= {("bev:644D700102C8", "evse")}


def test_the_end_of_a_transaction_tells_its_reason():
    info = {"transactionId": "T1", "stoppedReason": "EVDisconnected"}
    said = attributes(hear(transaction_event("Ended", transactionInfo=info)))
    assert (said["session_end"], said["stop_reason"]) == (NOON, "EVDisconnected")


def test_a_transaction_of_1_6_has_registers_at_start_and_stop():
    start = [2, "a", "StartTransaction", {"connectorId": 2, "idTag": "AB", "meterStart": 10, "timestamp": NOON}]
    started = [3, "a", {"transactionId": 77, "idTagInfo": {"status": "Accepted"}}]
    stop = [2, "b", "StopTransaction", {"transactionId": 77, "meterStop": 20, "timestamp": NOON, "reason": "Remote"}]
    assert hear(start).readings == [reading("import", 10_000, "CP1/2")]
    assert attributes(hear(start, started)) == {"transaction_id": 77, "id_token_status": "Accepted"}
    facts = hear(start, started, stop)
    assert facts.readings == [reading("import", 20_000, "CP1/2")]
    assert attributes(facts) == {"transaction_id": 77, "stop_reason": "Remote", "session_end": NOON}


def test_a_message_without_its_context_says_nothing():
    stop = [2, "b", "StopTransaction", {"transactionId": 77, "meterStop": 20, "timestamp": NOON}]
    assert hear(stop).all() == []
    assert hear([3, "x", {"status": "Accepted"}]).all() == []
    assert hear([4, "x", "GenericError", "", {}]).all() == []


# The station


def test_status_of_1_6_has_an_error_code():
    body = {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted", "info": "RCD"}
    said = {"connector_status": "Faulted", "error_code": "GroundFailure", "status_info": "RCD"}
    assert attributes(hear([2, "s", "StatusNotification", body])) == said
    whole = hear([2, "s", "StatusNotification", {**body, "connectorId": 0}])
    assert whole.observations[0][:3] == ("evse:CP1", "status", "Faulted")


@pytest.mark.parametrize(("connector", "attribute"), [(1, "connector_status"), (2, "connector_status_2")])
def test_status_of_2_is_one_of_a_connector(connector, attribute):
    body = {"timestamp": NOON, "connectorStatus": "Occupied", "evseId": 3, "connectorId": connector}
    facts = hear([2, "s", "StatusNotification", body])
    assert facts.all() == [Observation("evse:CP1/3", attribute, "Occupied", "", NOON_US)]


def test_a_boot_tells_what_the_station_is():
    said = {"vendor": "V", "model": "M", "firmware_version": "1.2", "serial_number": "S"}
    old = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1.2", "chargePointSerialNumber": "S"}
    station = {"vendorName": "V", "model": "M", "firmwareVersion": "1.2", "serialNumber": "S"}
    new = {"reason": "PowerUp", "chargingStation": station}
    assert attributes(hear([2, "b", "BootNotification", old])) == said
    assert attributes(hear([2, "b", "BootNotification", new])) == {**said, "boot_reason": "PowerUp"}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ([2, "1", "Heartbeat", {}], {"last_heartbeat": NOON}),
        ([2, "1", "FirmwareStatusNotification", {"status": "Installed"}], {"firmware_status": "Installed"}),
        ([2, "1", "SecurityEventNotification", {"type": "X", "timestamp": NOON}], {"security_event": "X"}),
        ([2, "1", "Authorize", {"idTag": "AB"}], {"id_token": "AB"}),
        ([2, "1", "Authorize", {"idToken": {"idToken": "AB", "type": "eMAID"}}], {"id_token": "AB"}),
        (
            [2, "1", "NotifyDERAlarm", {"controlType": "VoltVar", "timestamp": NOON, "alarmEnded": True}],
            {"der_alarm": "VoltVar", "der_alarm_ended": True},
        ),
        (
            [2, "1", "NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "SO", "isGridCritical": True}}],
            {"external_limit_source": "SO", "external_limit_grid_critical": True},
        ),
        ([2, "1", "ClearedChargingLimit", {"chargingLimitSource": "SO"}], {"external_limit_source": None}),
        ([2, "1", "AFRRSignal", {"timestamp": NOON, "signal": -5}], {"afrr_signal": -5}),
    ],
)
def test_small_messages_say_one_thing(message, said):
    assert attributes(hear(message)) == said
    assert hear(message, time_us=None).all() == [] or "timestamp" in message[3]


def test_variables_are_named_by_component_and_belong_to_its_evse():
    item = {
        "eventId": 1,
        "timestamp": NOON,
        "trigger": "Periodic",
        "actualValue": "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": 2}},
        "variable": {"name": "Available", "instance": "a"},
    }
    facts = hear([2, "1", "NotifyEvent", {"generatedAt": NOON, "seqNo": 0, "eventData": [item]}])
    assert facts.all() == [Observation("evse:CP1/2", "variable:Connector.Available[a]", "true", "", NOON_US)]


def test_integers_written_with_a_point_are_integers():
    raw = b'[2,"s","StatusNotification",{"timestamp":"%s","connectorStatus":"Occupied","evseId":3.0,"connectorId":2.0}]'
    facts = hear(raw % NOON.encode())
    assert facts.observations[0][:2] == ("evse:CP1/3", "connector_status_2")


def test_a_report_tells_actual_values_only():
    held = [{"value": "16"}, {"type": "Target", "value": "32"}, {"type": "Actual"}]
    item = {"component": {"name": "EVSE"}, "variable": {"name": "Current"}, "variableAttribute": held}
    facts = hear([2, "1", "NotifyReport", {"requestId": 1, "generatedAt": NOON, "seqNo": 0, "reportData": [item]}])
    assert attributes(facts) == {"variable:EVSE.Current": "16"}


def test_a_stream_counts_from_its_base_time():
    body = {"id": 1, "pending": 0, "basetime": NOON, "data": [{"t": 1.5, "v": "230"}]}
    facts = hear([6, "n", "NotifyPeriodicEventStream", body])
    assert facts.all() == [Observation("evse:CP1", "stream_1", "230", "", NOON_US + 1_500_000)]


# The vehicle


def test_charging_needs_tell_what_the_vehicle_wants_and_can():
    needs = {
        "requestedEnergyTransfer": "AC_BPT",
        "departureTime": "2026-03-30T07:00:00+02:00",
        "v2xChargingParameters": {"maxChargePower": 11000, "maxDischargePower": 9900.5, "targetSoC": 80},
    }
    facts = hear([2, "1", "NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs}])
    assert attributes(facts) == {
        "ev_energy_transfer": "AC_BPT",
        "ev_departure": "2026-03-30T05:00:00Z",
        "ev_max_charge_power": 11000,
        "ev_max_discharge_power": Decimal("9900.5"),
        "ev_target_soc": 80,
    }


def test_a_schedule_of_the_vehicle_tells_how_it_begins():
    schedule = {
        "id": 1,
        "duration": 3600,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7000}],
    }
    facts = hear([2, "1", "NotifyEVChargingSchedule", {"timeBase": NOON, "evseId": 1, "chargingSchedule": schedule}])
    assert attributes(facts) == {"ev_schedule_start": NOON, "ev_schedule_limit": 7000, "ev_schedule_duration": 3600}


# Profiles


def profile_2(*periods, evse=1, kind="Absolute", unit="W", purpose="TxProfile", **schedule):
    raw = {
        "id": 1,
        "startSchedule": NOON,
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": list(periods),
        **schedule,
    }
    profile = {
        "id": 7,
        "stackLevel": 2,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [raw],
    }
    return [2, "p", "SetChargingProfile", {"evseId": evse, "chargingProfile": profile}]


def accepted(request, status="Accepted", time_us=NOON_US - 1):
    return hear(request, [3, "p", {"status": status}], time_us=time_us)


def slots(facts):
    return [(one.series, format_time(one.slot_us)[11:16], one.value) for one in facts.slot_values]


def test_an_accepted_schedule_gives_a_value_for_each_quarter_hour():
    periods = {"startPeriod": 0, "setpoint": 7000.5}, {"startPeriod": 900, "setpoint": -3500, "dischargeLimit": -4000}
    facts = accepted(profile_2(*periods, duration=2700))
    assert slots(facts) == [
        ("schedule.setpoint", "12:00", 7_000_500),
        ("schedule.setpoint", "12:15", -3_500_000),
        ("schedule.discharge-limit", "12:15", -4_000_000),
        ("schedule.setpoint", "12:30", -3_500_000),
        ("schedule.discharge-limit", "12:30", -4_000_000),
    ]
    version = "2026-03-29T11:59:59.999999Z|000002|7"
    assert facts.slot_values[0] == SlotValue(
        "schedule.setpoint", "CP1/1", NOON_US, 7_000_500, "mW", INDICATIVE, version
    )
    assert facts.observations == [Observation("evse:CP1/1", "charging_setpoint", Decimal("7000.5"), "W", NOON_US - 1)]


def test_a_profile_that_was_not_accepted_says_nothing():
    request = profile_2({"startPeriod": 0, "limit": 5000}, duration=900)
    assert hear(request).all() == []
    assert accepted(request, "Rejected").all() == []


def test_a_quarter_hour_takes_the_value_at_its_start():
    periods = [{"startPeriod": seconds, "limit": 1000 + seconds} for seconds in (0, 300, 600, 1200)]
    facts = accepted(profile_2(*periods, startSchedule="2026-03-29T12:05:00Z", duration=2400))
    assert slots(facts) == [("schedule.limit", "12:15", 1_600_000), ("schedule.limit", "12:30", 2_200_000)]


def test_a_schedule_without_an_end_is_told_until_its_last_period_begins():
    facts = accepted(profile_2({"startPeriod": 0, "limit": 1}, {"startPeriod": 1000, "limit": 2}))
    assert [slot for _, slot, _ in slots(facts)] == ["12:00", "12:15"]


def test_the_limit_in_force_is_the_one_of_the_moment_of_acceptance():
    request = profile_2({"startPeriod": 0, "limit": 1000}, {"startPeriod": 900, "limit": 2000}, duration=1800)
    assert attributes(accepted(request, time_us=NOON_US + SLOT_US)) == {"charging_limit": 2000}


def test_amperes_stay_amperes_and_watts_of_phases_add_up():
    assert [one[3:5] for one in accepted(profile_2({"startPeriod": 0, "limit": 16.5}, unit="A")).slot_values] == [
        (Decimal("16.5"), "A")
    ]
    phases = accepted(profile_2({"startPeriod": 0, "limit": 1000, "limit_L2": 2000, "limit_L3": 3000}))
    assert slots(phases) == [("schedule.limit", "12:00", 6_000_000)]


def test_a_limit_of_the_station_stands_beside_those_of_transactions():
    request = profile_2({"startPeriod": 0, "limit": 4200}, evse=0, purpose="ChargingStationMaxProfile", duration=900)
    [found] = accepted(request).slot_values
    assert found[:2] == ("schedule.limit.ChargingStationMaxProfile", "CP1")


@pytest.mark.parametrize("kind", ["Relative", "Recurring"])
def test_only_absolute_profiles_name_quarter_hours(kind):
    facts = accepted(profile_2({"startPeriod": 0, "limit": 5000}, kind=kind, duration=1800))
    assert (slots(facts), attributes(facts)) == ([], {"charging_limit": 5000})


def test_a_schedule_of_years_is_cut_and_said_so():
    facts = accepted(profile_2({"startPeriod": 0, "limit": 5000}, duration=10**9))
    assert len(facts.slot_values) == 7 * 96
    assert [one.reason for one in facts.rejects] == ["long-schedule"]


def test_a_limit_beyond_a_megawatt_is_rejected():
    facts = accepted(profile_2({"startPeriod": 0, "limit": 11_000_000}, duration=900))
    assert (slots(facts), [one.reason for one in facts.rejects]) == ([], ["implausible-limit"])
    assert facts.observations == []


def test_forever_is_no_instant():
    request = profile_2({"startPeriod": 0, "limit": 1000}, duration=1800)
    request[3]["chargingProfile"]["validTo"] = "9999-12-31T23:59:59Z"
    assert len(accepted(request).slot_values) == 2
    request[3]["chargingProfile"]["validTo"] = "2026-03-29T12:10:00Z"
    assert len(accepted(request).slot_values) == 1


def test_profiles_of_1_6_hold_one_schedule():
    schedule = {
        "startSchedule": NOON,
        "duration": 900,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 4200.0}],
    }
    profile = {
        "chargingProfileId": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    facts = accepted([2, "p", "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}])
    assert slots(facts) == [("schedule.limit", "12:00", 4_200_000)]


def test_a_dynamic_update_holds_from_its_acceptance():
    request = [2, "p", "UpdateDynamicSchedule", {"chargingProfileId": 7, "scheduleUpdate": {"setpoint": -3000}}]
    assert attributes(accepted(request)) == {"charging_setpoint": -3000}


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
def test_the_published_profile_gives_its_two_quarter_hours():
    raw = (SAMPLES / "ocpp" / "v2x_setpoint_tx_profile.json").read_bytes()
    facts = hear(raw, time_us=None, source="")
    assert slots(facts) == [
        (series, slot, value)
        for slot in ("18:00", "18:15")
        for series, value in (
            ("schedule.limit", 1_500_000),
            ("schedule.setpoint", 1_800_000),
            ("schedule.discharge-limit", -2_000_000),
        )
    ]
    assert facts.observations == []


# Laws


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**14), st.integers(0, 6))
def test_a_register_is_exact_down_to_the_milliwatt_hour(value_mwh, places):
    text = format(Decimal(value_mwh).scaleb(-6), f".{max(places, 6)}f")
    assert hear(values_1_6({"value": text, "unit": "kWh"})).readings == [reading("import", value_mwh)]


@settings(max_examples=200, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_rounding_is_half_to_even_whatever_the_digits(value):
    found = scaled(value, 1000)
    assert abs(Decimal(found) - value * 1000) <= Decimal("0.5") or value.adjusted() < -27
    assert scaled(-value, 1000) == -found


@given(st.text(max_size=30) | st.from_regex(r"[-+]?[0-9]{1,5}([.][0-9]{1,5})?(e[-+]?[0-9]{1,12})?", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_finite_number_or_none(text):
    found = number(text)
    assert found is None or abs(scaled(found, 1_000_000)) < 10**120


OBSERVED = st.fixed_dictionaries(
    {"value": st.text(max_size=12)},
    optional={
        "measurand": st.sampled_from([IMPORT, EXPORT, "Power.Active.Import", "SoC", "Voltage", "Temperature"]),
        "phase": st.sampled_from(["L1", "L1-N", "N"]),
        "unit": st.sampled_from(["Wh", "kWh", "W", "kW", "Percent", "V", "Celcius"]),
        "location": st.sampled_from(["Outlet", "Inlet", "EV"]),
        "format": st.sampled_from(["Raw", "SignedData"]),
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(OBSERVED, min_size=1, max_size=4))
def test_whatever_a_station_measures_becomes_facts_or_rejects(samples):
    if not any("\0" in sample["value"] for sample in samples):
        facts = hear(values_1_6(*samples))
        assert all(0 <= one.value_mwh <= 10**15 for one in facts.readings)
