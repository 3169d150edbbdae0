"""What messages of EEBUS say: measurements by their descriptions, limits as asked, answered and in force, devices."""

from decimal import Decimal
from pathlib import Path

import pytest

from schemas.event import Event, from_record, to_record
from schemas.facts import INDICATIVE, MEASURED, Facts, Reading, Sample
from schemas.time import HOUR_US, SLOT_US, format_time, parse_time
from schemas.wire.contract import Conversation, Frame
from schemas.wire.eebus import FORMAT
from schemas.wire.eebus.datagram import Address, Command, Datagram, encode_datagram, scaled
from twin.actors import declared
from twin.observe.eebus import observe

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "eebus"
NOON_US = parse_time("2026-03-29T12:00:00Z")
NOON = format_time(NOON_US)
EV = Address("Box", (1, 1), 3)
CEM = Address("Hems", (1,), 5)
GUARD = Address("Guard", (1,), 2)
BOX, HEMS, CONTROL = "evse:Box", "hems:Hems", "control-box:Guard"


def message(
    function, data, classifier="notify", *, source=EV, to=CEM, counter=1, reference=None, time_us=NOON_US, filters=()
):
    command = Command(function, data, list(filters))
    return encode_datagram(Datagram(source, to, counter, reference, classifier, time_us, [command]))


def said_by(*messages, interface="3", time_us=None):
    """Facts of the last message, after the log of Gegenstrom; those before it explain it."""
    conversation = Conversation(interface)
    for number, raw in enumerate(messages):
        frame = Frame(raw, 0, time_us, "log", {}, f"e{number}")
        decoded = FORMAT.decode(frame, conversation)
    event = Event(
        "e" * 32, interface, "log", decoded.type, decoded.actor, decoded.time_us, time_us, decoded.payload, b"", {}
    )
    facts = Facts()
    observe(from_record(to_record(event)[1]), facts)
    for seen in facts.observations:
        entry = declared(seen.actor, seen.attribute, interface)
        assert entry is not None, seen
        assert entry.doubt(seen.value, seen.unit) == "", seen
    return facts


def told(facts, actor=None):
    return {seen.attribute: seen.value for seen in facts.observations if actor in {None, seen.actor}}


def measured(*items, direction="consume", connected=3, source=EV, interface="3", more=(), **value):
    """Facts of measurements, each (scope, unit, phases, number); the ids count from 0."""
    descriptions = [
        {"measurementId": i, "unit": unit, "scopeType": scope} for i, (scope, unit, _, _) in enumerate(items)
    ]
    parameters = [
        {"electricalConnectionId": 0, "parameterId": i, "measurementId": i, "acMeasuredPhases": phases}
        for i, (_, _, phases, _) in enumerate(items)
        if phases
    ]
    connection = {"electricalConnectionId": 0, "acConnectedPhases": connected, "positiveEnergyDirection": direction}
    values = [{"measurementId": i, "value": scaled(number), **value} for i, (*_, number) in enumerate(items)]
    return said_by(
        message("measurementDescriptionListData", {"measurementDescriptionData": descriptions}, source=source),
        message(
            "electricalConnectionParameterDescriptionListData",
            {"electricalConnectionParameterDescriptionData": parameters},
            source=source,
        ),
        message(
            "electricalConnectionDescriptionListData",
            {"electricalConnectionDescriptionData": [connection]},
            source=source,
        ),
        *more,
        message("measurementListData", {"measurementData": values}, source=source),
        interface=interface,
    )


# Measurements


def test_what_a_battery_was_charged_and_discharged_with_are_its_registers():
    battery = Address("Store", (1,), 1)
    facts = measured(
        ("acPowerTotal", "W", "abc", -820),
        ("charge", "Wh", None, 13_112_039),
        ("discharge", "Wh", None, 10_927_940),
        ("stateOfCharge", "pct", None, 43),
        source=battery,
        interface="8",
    )
    assert facts.readings == [
        Reading("Store", "Store", "1-0:1.8.0", "import", NOON_US, 13_112_039_000, INDICATIVE),
        Reading("Store", "Store", "1-0:2.8.0", "export", NOON_US, 10_927_940_000, INDICATIVE),
    ]
    assert told(facts) == {"soc": 43, "power": -820}
    assert facts.samples == []


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
def test_the_samples_say_current_power_and_session_energy_of_a_single_phase():
    names = ("m_descriptionListData_recv_reply", "ec_descriptionListData_recv_reply")
    names += ("ec_parameterDescriptionListData_recv_reply", "m_measurementListData_recv_notify")
    facts = said_by(*((SAMPLES / f"{name}.json").read_bytes() for name in names))
    at_us = parse_time("2022-11-19T15:21:50.003Z")
    assert told(facts) == {"current_l1": 5, "power_l1": 1185, "power": 1185, "session_energy": 1825}
    assert {(seen.actor, seen.time_us) for seen in facts.observations} == {("evse:Wallbox", at_us)}
    assert facts.samples == [Sample("Wallbox", 1_185_000, at_us, INDICATIVE)]
    assert (facts.readings, facts.rejects) == ([], [])


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
def test_the_sample_of_use_cases_says_what_the_wallbox_supports():
    raw = (SAMPLES / "porsche_mobile-charger-connect.usecase.json").read_bytes()
    found = told(said_by(raw, time_us=NOON_US), "evse:d:_i:19667_PorscheEVSE-00009463")
    assert found["use_case/EV/coordinatedEvCharging"] == "1.0.0"
    assert found["use_case/EV/coordinatedEvCharging/scenarios"] == "1 2 3 4 5 6 7 8"
    assert found["use_case/EV/evStateOfCharge/scenarios"] == "1"
    assert len(found) == 16


def test_power_is_import_positive_whatever_direction_the_device_counts():
    for direction, watts in (("consume", -3500), ("produce", 3500)):
        facts = measured(("acPowerTotal", "W", "abc", watts), direction=direction)
        assert told(facts, BOX) == {"power": -3500}
        assert facts.samples == [Sample("Box", -3_500_000, NOON_US, INDICATIVE)]


def test_power_sent_phase_by_phase_is_added_up_where_all_phases_are_there():
    three = [
        ("acPower", "W", phase, watts) for phase, watts in zip("abc", (1000, 1001, Decimal("1002.5")), strict=True)
    ]
    facts = measured(*three)
    assert told(facts) == {
        "power_l1": 1000,
        "power_l2": 1001,
        "power_l3": Decimal("1002.5"),
        "power": Decimal("3003.5"),
    }
    assert [sample.power_mw for sample in facts.samples] == [3_003_500]
    assert measured(*three[:2]).samples == []
    assert [sample.power_mw for sample in measured(*three[:2], connected=2).samples] == [2_001_000]


@pytest.mark.parametrize(
    ("item", "attribute", "value", "unit"),
    [
        (("acCurrent", "A", "b", Decimal("6.25")), "current_l2", Decimal("6.25"), "A"),
        (("acVoltage", "V", "c", 230), "voltage_l3", 230, "V"),
        (("acVoltage", "V", "ab", 400), "voltage_l1_l2", 400, "V"),
        (("acFrequency", "Hz", None, Decimal("49.98")), "frequency", Decimal("49.98"), "Hz"),
        (("acPowerTotal", "kW", None, Decimal("4.2")), "power", 4200, "W"),
        (("charge", "kWh", "abc", Decimal("1.5")), "session_energy", 1500, "Wh"),
        (("stateOfCharge", "pct", None, 80), "ev_soc", 80, "%"),
        (("travelRange", "m", None, 210_000), "ev_range", 210_000, "m"),
    ],
)
def test_a_scope_gives_the_attribute_and_its_unit(item, attribute, value, unit):
    facts = measured(item)
    assert [(seen.actor, seen.attribute, seen.value, seen.unit) for seen in facts.observations] == [
        (BOX, attribute, value, unit)
    ]


@pytest.mark.parametrize(
    ("scope", "obis", "direction"),
    [
        ("acEnergyConsumed", "1-0:1.8.0", "import"),
        ("gridConsumption", "1-0:1.8.0", "import"),
        ("acEnergyProduced", "1-0:2.8.0", "export"),
        ("gridFeedIn", "1-0:2.8.0", "export"),
        ("acYieldTotal", "1-0:2.8.0", "export"),
    ],
)
def test_consumed_and_produced_energy_are_registers_and_power_beside_them_no_sample(scope, obis, direction):
    facts = measured((scope, "Wh", None, Decimal("1234.5")), ("acPowerTotal", "W", None, 5))
    assert facts.readings == [Reading("Box", "Box", obis, direction, NOON_US, 1_234_500, INDICATIVE)]
    assert (told(facts), facts.samples) == ({"power": 5}, [])


def test_a_measurement_has_a_time_of_its_own():
    facts = measured(("acFrequency", "Hz", None, 50), timestamp="2026-03-29T11:59:58Z")
    assert facts.observations[0].time_us == NOON_US - 2_000_000


def test_averages_are_kept_apart():
    facts = measured(("stateOfHealth", "pct", None, 90), valueType="averageValue")
    assert told(facts) == {"soh_average_value": 90}


def test_the_state_of_charge_is_said_of_the_vehicle_too_once_it_is_known():
    identity = {"identificationId": 0, "identificationValue": "00-11"}
    plugged = message("identificationListData", {"identificationData": [identity]})
    facts = measured(("stateOfCharge", "pct", None, 80), more=[plugged])
    assert (told(facts, BOX), told(facts, "bev:00-11")) == ({"ev_soc": 80}, {"soc": 80})


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (("stateOfCharge", "pct", None, 101), "implausible-state-of-charge"),
        (("acPowerTotal", "W", None, 10**7), "implausible-power"),
        (("acEnergyConsumed", "Wh", None, -1), "implausible-energy"),
        (("acFrequency", "Hz", None, 10**13), "implausible-value"),
    ],
)
def test_what_cannot_be_believed_is_rejected(item, reason):
    facts = measured(item)
    assert [reject.reason for reject in facts.rejects] == [reason]
    assert (facts.observations, facts.readings, facts.samples) == ([], [], [])


def test_a_measurement_that_calls_itself_wrong_is_rejected():
    assert [r.reason for r in measured(("acFrequency", "Hz", None, 50), valueState="error").rejects] == [
        "measurement-state"
    ]


def test_without_description_value_or_time_nothing_is_said():
    value = {"measurementData": [{"measurementId": 1, "value": scaled(5)}]}
    assert said_by(message("measurementListData", value)) == Facts()
    assert said_by(message("deviceDiagnosisHeartbeatData", {}, time_us=None)) == Facts()
    assert said_by(b'{"connectionHello":[]}', time_us=5) == Facts()


def test_assets_have_a_state_of_charge_of_their_own_and_places_by_their_entity():
    facts = measured(("stateOfCharge", "pct", None, 55), source=Address("Home", (2,), 1), interface="8")
    assert told(facts, "asset:Home/2") == {"soc": 55}


# Limits

LPC = {"limitId": 0, "limitCategory": "obligation", "limitDirection": "consume", "unit": "W"}
LPC |= {"limitType": "signDependentAbsValueLimit", "scopeType": "activePowerLimit"}


def described(*limits, source=CEM, to=GUARD):
    return message(
        "loadControlLimitDescriptionListData",
        {"loadControlLimitDescriptionData": limits},
        "reply",
        source=source,
        to=to,
    )


def write(value=4200, *, active=True, duration="PT1H", limit=0, counter=41):
    item = {"limitId": limit, "isLimitActive": active, "value": scaled(value)}
    item |= {"timePeriod": {"endTime": duration}} if duration else {}
    return message(
        "loadControlLimitListData", {"loadControlLimitData": [item]}, "write", source=GUARD, to=CEM, counter=counter
    )


def answer(error, *, time_us=NOON_US + 1_000_000):
    return message("resultData", {"errorNumber": error}, "result", source=CEM, to=GUARD, reference=41, time_us=time_us)


UNTIL = format_time(NOON_US + HOUR_US)


def test_a_written_limit_is_asked_for_by_one_end_and_of_the_other():
    facts = said_by(described(LPC), write(), interface="9")
    wanted = {"lpc_limit_requested": 4200, "lpc_limit_requested_active": True, "lpc_limit_requested_until": UNTIL}
    assert (told(facts, CONTROL), told(facts, HEMS)) == (wanted, wanted)


def test_an_accepted_limit_is_in_force_for_as_long_as_it_was_written():
    facts = said_by(described(LPC), write(), answer(0), interface="9")
    assert told(facts, HEMS) == {
        "lpc_limit": 4200,
        "lpc_limit_active": True,
        "lpc_limit_until": UNTIL,
        "lpc_limit_answer": "accepted",
        "lpc_limit_error": 0,
    }
    assert told(facts, CONTROL) == {"lpc_limit_answer": "accepted", "lpc_limit_error": 0}
    assert {seen.time_us for seen in facts.observations} == {NOON_US + 1_000_000}


def test_a_limit_whose_description_comes_later_is_told_with_it_at_the_time_it_was_said():
    asked = said_by(write(), described(LPC), interface="9")
    wanted = {"lpc_limit_requested": 4200, "lpc_limit_requested_active": True, "lpc_limit_requested_until": UNTIL}
    assert (told(asked, CONTROL), told(asked, HEMS)) == (wanted, wanted)
    assert {seen.time_us for seen in asked.observations} == {NOON_US}


def test_an_answer_holds_for_a_write_that_was_described_between():
    facts = said_by(write(), described(LPC), answer(0), interface="9")
    assert told(facts, HEMS)["lpc_limit"] == 4200
    assert told(facts, CONTROL) == {"lpc_limit_answer": "accepted", "lpc_limit_error": 0}


def quarters(facts):
    return [((one.slot_us - NOON_US) // SLOT_US, one.value) for one in facts.slot_values]


def test_a_limit_holds_for_every_quarter_hour_that_it_touches_first_asked_for_then_in_force():
    asked = said_by(described(LPC), write(duration="PT40M"), interface="9")
    held = said_by(described(LPC), write(duration="PT40M"), answer(0), interface="9")
    assert quarters(asked) == quarters(held) == [(0, 4_200_000), (1, 4_200_000), (2, 4_200_000)]
    for facts, series, quality, said_us in (
        (asked, "limit.14a.requested", INDICATIVE, NOON_US),
        (held, "limit.14a", MEASURED, NOON_US + 1_000_000),
    ):
        assert {one[:2] + one[4:] for one in facts.slot_values} == {
            (series, "Hems", "mW", quality, f"{format_time(said_us)}|lpc")
        }


@pytest.mark.parametrize(
    "messages",
    [
        (write(), answer(7)),
        (write(active=False),),
        (write(active=False), answer(0)),
        (write(duration="PT0S"),),
    ],
)
def test_a_limit_that_does_not_hold_is_no_value_of_a_quarter_hour(messages):
    assert said_by(described(LPC), *messages, interface="9").slot_values == []


def test_a_limit_of_production_has_a_series_of_its_own_and_an_open_one_the_quarter_hour_it_begins_in():
    facts = said_by(described(LPC | {"limitDirection": "produce"}), write(-7000, duration=None), interface="9")
    assert [(one.series, one.value) for one in facts.slot_values] == [("limit.feed-in.requested", 7_000_000)]


def test_a_rejected_limit_is_not_in_force():
    facts = said_by(described(LPC), write(), answer(7), interface="9")
    assert told(facts, HEMS) == {"lpc_limit_answer": "rejected", "lpc_limit_error": 7}


def test_an_answer_without_its_write_and_a_write_without_description_say_nothing():
    assert said_by(described(LPC), answer(0), interface="9").observations == []
    assert said_by(write(), interface="9").observations == []


def test_a_limit_without_duration_ends_by_itself_never():
    assert told(said_by(described(LPC), write(duration=None), interface="9"))["lpc_limit_requested_until"] is None


def test_the_system_says_which_limit_holds():
    item = {"limitId": 0, "isLimitActive": False, "isLimitChangeable": True, "value": scaled(4200)}
    notice = message("loadControlLimitListData", {"loadControlLimitData": [item]}, source=CEM, to=GUARD)
    assert told(said_by(described(LPC), notice, interface="9"), HEMS) == {
        "lpc_limit": 4200,
        "lpc_limit_active": False,
        "lpc_limit_until": None,
        "lpc_limit_changeable": True,
    }


PARTIAL = {"cmdControl": {"partial": {}}}
DELETED = {"cmdControl": {"delete": {}}, "loadControlLimitDataElements": {"timePeriod": {}}}


@pytest.mark.parametrize(
    ("filters", "says_end"), [([], True), ([PARTIAL], False), ([DELETED, PARTIAL], True)], ids=["all", "part", "gone"]
)
@pytest.mark.parametrize("classifier", ["notify", "reply", "write", "result"])
def test_of_a_limit_that_changes_in_part_the_end_that_is_not_said_holds_on(classifier, filters, says_end):
    item = {"limitId": 0, "isLimitActive": True, "value": scaled(4200)}
    is_own = classifier in {"notify", "reply"}
    ends = {"source": CEM, "to": GUARD} if is_own else {"source": GUARD, "to": CEM, "counter": 41}
    kind = classifier if is_own else "write"
    part = message("loadControlLimitListData", {"loadControlLimitData": [item]}, kind, filters=filters, **ends)
    found = said_by(described(LPC), part, *([answer(0)] if classifier == "result" else []), interface="9")
    said = told(found, HEMS)
    name = "lpc_limit_requested" if classifier == "write" else "lpc_limit"
    assert (said[name], said[f"{name}_active"]) == (4200, True)
    assert (f"{name}_until" in said) is says_end
    assert said.get(f"{name}_until") is None
    if classifier == "notify":
        assert told(said_by(part, described(LPC), interface="9"), HEMS) == said


def test_a_limit_of_production_is_positive():
    facts = said_by(described(LPC | {"limitDirection": "produce"}), write(-7000), interface="9")
    assert told(facts, HEMS)["lpp_limit_requested"] == 7000


@pytest.mark.parametrize("value", [-1, 10**10])
def test_a_limit_that_cannot_be_is_rejected(value):
    facts = said_by(described(LPC), write(value), interface="9")
    assert [reject.reason for reject in facts.rejects] == ["implausible-limit"]
    assert facts.observations == []


@pytest.mark.parametrize(
    ("scope", "category", "attribute"),
    [("overloadProtection", "obligation", "opev_limit_l2"), ("selfConsumption", "recommendation", "oscev_limit_l2")],
)
def test_limits_of_a_vehicle_are_per_phase(scope, category, attribute):
    parameter = {"electricalConnectionId": 0, "parameterId": 1, "measurementId": 2, "acMeasuredPhases": "b"}
    limit = {"limitId": 1, "measurementId": 2, "unit": "A", "scopeType": scope, "limitCategory": category}
    item = {"limitId": 1, "isLimitActive": True, "value": scaled(Decimal("12.5"))}
    facts = said_by(
        message(
            "electricalConnectionParameterDescriptionListData",
            {"electricalConnectionParameterDescriptionData": [parameter]},
        ),
        described(limit, source=EV, to=CEM),
        message("loadControlLimitListData", {"loadControlLimitData": [item]}, "write", source=CEM, to=EV),
    )
    assert told(facts, BOX)[f"{attribute}_requested"] == Decimal("12.5")
    assert told(facts, HEMS)[f"{attribute}_requested_active"] is True


# Failsafe, heartbeats, devices

KEYS = [
    {"keyId": 1, "keyName": "failsafeConsumptionActivePowerLimit", "valueType": "scaledNumber", "unit": "W"},
    {"keyId": 2, "keyName": "failsafeDurationMinimum", "valueType": "duration"},
    {"keyId": 3, "keyName": "failsafeProductionActivePowerLimit", "valueType": "scaledNumber", "unit": "W"},
    {"keyId": 4, "keyName": "communicationsStandard", "valueType": "string"},
]


def keys(*items, classifier="notify"):
    ends = {"source": GUARD, "to": CEM, "counter": 41} if classifier == "write" else {"source": CEM, "to": GUARD}
    values = [{"keyId": number, "value": value} for number, value in items]
    return (
        message(
            "deviceConfigurationKeyValueDescriptionListData",
            {"deviceConfigurationKeyValueDescriptionData": KEYS},
            source=CEM,
            to=GUARD,
        ),
        message("deviceConfigurationKeyValueListData", {"deviceConfigurationKeyValueData": values}, classifier, **ends),
    )


FAILSAFE = ((1, {"scaledNumber": scaled(4200)}), (2, {"duration": "PT2H"}), (3, {"scaledNumber": scaled(-500)}))


def test_failsafe_values_have_their_names():
    facts = said_by(*keys(*FAILSAFE, (4, {"string": "iso15118-2ed2"})), interface="9")
    assert told(facts, HEMS) == {
        "lpc_failsafe_limit": 4200,
        "failsafe_duration": 7200,
        "lpp_failsafe_limit": 500,
        "ev_communication_standard": "iso15118-2ed2",
    }


def test_written_failsafe_values_hold_once_they_are_accepted():
    asked = said_by(*keys(*FAILSAFE, classifier="write"), interface="9")
    assert told(asked)["lpc_failsafe_limit_requested"] == 4200
    accepted = told(said_by(*keys(*FAILSAFE, classifier="write"), answer(0), interface="9"))
    assert (accepted["lpc_failsafe_limit"], accepted["lpc_failsafe_limit_error"]) == (4200, 0)
    rejected = told(said_by(*keys(*FAILSAFE, classifier="write"), answer(7), interface="9"))
    assert (rejected.get("lpc_failsafe_limit"), rejected["lpc_failsafe_limit_error"]) == (None, 7)


@pytest.mark.parametrize(
    "item",
    [(2, {"duration": "PT1H"}), (2, {"duration": "P2D"}), (1, {"scaledNumber": scaled(-1)}), (2, {"string": "x"})],
)
def test_failsafe_values_outside_their_bounds_are_rejected(item):
    facts = said_by(*keys(item), interface="9")
    assert [reject.reason for reject in facts.rejects] == ["implausible-failsafe"]


def test_a_heartbeat_is_heard_by_who_is_limited():
    beat = {"heartbeatCounter": 7, "heartbeatTimeout": "PT60S"}
    facts = said_by(described(LPC), message("deviceDiagnosisHeartbeatData", beat, source=GUARD, to=CEM), interface="9")
    assert told(facts, CONTROL) == {"last_heartbeat": NOON, "heartbeat_timeout": 60}
    assert told(facts, HEMS) == {"guard_heartbeat": NOON}
    back = said_by(described(LPC), message("deviceDiagnosisHeartbeatData", {}, source=CEM, to=GUARD), interface="9")
    assert (told(back, HEMS), told(back, CONTROL)) == ({"last_heartbeat": NOON}, {})


def entity(path, kind, **more):
    return {"description": {"entityAddress": {"device": "Box", "entity": path}, "entityType": kind, **more}}


@pytest.mark.parametrize(
    ("entities", "classifier", "connected"),
    [
        ([entity([1], "EVSE"), entity([1, 1], "EV")], "reply", {"ev_connected": True}),
        ([entity([1], "EVSE")], "reply", {"ev_connected": False}),
        ([entity([1, 1], "EV", lastStateChange="added")], "notify", {"ev_connected": True}),
        ([entity([1, 1], "EV", lastStateChange="removed")], "notify", {"ev_connected": False}),
        ([], "notify", {}),
    ],
)
def test_discovery_says_whether_a_vehicle_is_there(entities, classifier, connected):
    data = {
        "deviceInformation": {"description": {"deviceType": "ChargingStation"}},
        "entityInformation": entities,
    }
    facts = said_by(message("nodeManagementDetailedDiscoveryData", data, classifier))
    assert told(facts, BOX) == {"device_type": "ChargingStation"} | connected


def test_a_device_says_who_made_it_and_how_it_is():
    data = {"deviceName": "Box", "serialNumber": "GS-1", "softwareRevision": "1.2", "vendorName": "V"}
    assert told(said_by(message("deviceClassificationManufacturerData", data))) == {
        "name": "Box",
        "serial_number": "GS-1",
        "firmware_version": "1.2",
        "vendor": "V",
    }
    state = {"operatingState": "failure", "lastErrorCode": "7", "upTime": "PT1H"}
    assert told(said_by(message("deviceDiagnosisStateData", state))) == {
        "operating_state": "failure",
        "last_error_code": "7",
        "started": format_time(NOON_US - HOUR_US),
    }


def test_a_vehicle_has_one_name_however_its_address_is_written():
    item = {"identificationId": 0, "identificationType": "eui48", "identificationValue": "64-4d-70-01-02-c8"}
    facts = said_by(message("identificationListData", {"identificationData": [item]}))
    assert told(facts, BOX)["ev_id"] == "644D700102C8"
    assert told(facts, "bev:644D700102C8") == {"evse": "Box"}


def test_a_vehicle_says_who_it_is_and_where():
    item = {"identificationId": 0, "identificationType": "eui48", "identificationValue": "00-11"}
    facts = said_by(message("identificationListData", {"identificationData": [item]}))
    assert told(facts, BOX) == {"ev_id": "00-11", "ev_id_type": "eui48"}
    assert told(facts, "bev:00-11") == {"evse": "Box"}


def test_permitted_values_say_between_what_a_vehicle_can_be_driven():
    current = {"electricalConnectionId": 0, "parameterId": 1, "acMeasuredPhases": "a", "scopeType": "acCurrent"}
    power = {"electricalConnectionId": 0, "parameterId": 8, "scopeType": "acPowerTotal"}
    sets = [
        {
            "electricalConnectionId": 0,
            "parameterId": 1,
            "permittedValueSet": [{"value": [scaled(0)], "range": [{"min": scaled(6), "max": scaled(16)}]}],
        },
        {
            "electricalConnectionId": 0,
            "parameterId": 8,
            "permittedValueSet": [{"range": {"min": scaled(-11_000), "max": scaled(11_000)}}],
        },
    ]
    facts = said_by(
        message(
            "electricalConnectionParameterDescriptionListData",
            {"electricalConnectionParameterDescriptionData": [current, power]},
        ),
        message("electricalConnectionPermittedValueSetListData", {"electricalConnectionPermittedValueSetData": sets}),
    )
    assert told(facts) == {
        "ev_min_current_l1": 6,
        "ev_max_current_l1": 16,
        "ev_min_charge_power": -11_000,
        "ev_max_charge_power": 11_000,
    }


def test_permitted_values_are_in_the_unit_of_what_they_are_permitted_for():
    described = {"measurementId": 7, "unit": "kW", "scopeType": "acPowerTotal"}
    power = {"electricalConnectionId": 0, "parameterId": 8, "measurementId": 7, "scopeType": "acPowerTotal"}
    permitted = {
        "electricalConnectionId": 0,
        "parameterId": 8,
        "permittedValueSet": [{"range": {"min": scaled(-11), "max": scaled(11)}}],
    }
    facts = said_by(
        message("measurementDescriptionListData", {"measurementDescriptionData": [described]}),
        message(
            "electricalConnectionParameterDescriptionListData",
            {"electricalConnectionParameterDescriptionData": [power]},
        ),
        message(
            "electricalConnectionPermittedValueSetListData", {"electricalConnectionPermittedValueSetData": [permitted]}
        ),
    )
    assert told(facts) == {"ev_min_charge_power": -11_000, "ev_max_charge_power": 11_000}
    assert {seen.unit for seen in facts.observations} == {"W"}


def test_a_function_that_is_not_read_says_nothing():
    assert said_by(message("incentiveTableData", {"incentiveTable": []})) == Facts()
