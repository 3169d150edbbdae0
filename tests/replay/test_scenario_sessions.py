"""Charging sessions of the street: what the meter signs (OCMF), and what roaming partners hear of them (OCPI)."""

import json
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from types import SimpleNamespace

from replay.scenario.message import Orderly
from replay.scenario.names import names_of
from replay.scenario.plan import plan_day
from replay.scenario.stays import stays_of
from replay.scenario.street import Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers import ocpi, ocpp
from schemas.facts import MEASURED, Facts
from schemas.time import MINUTE_US, SLOT_US
from schemas.wire.contract import Frame
from streams.reader import Conversations, read_frame
from twin.observe import observe

MONDAY = date(2026, 7, 6)
DAYS = [MONDAY + timedelta(days=number) for number in range(3)]


@cache
def three_days():
    """The street, its plans, and for interfaces 4 and E1 every event of three days with what it says."""
    street, conversations = Street(3, 12), Conversations()
    state, plans = first_state(street), []
    said = defaultdict(list)
    for day in DAYS:
        plan = plan_day(street, day)
        plans.append(plan)
        stations = ocpp.Stations(street, plan, interval_s=900, first_day=MONDAY)
        sessions, orderly = ocpi.Sessions(street, plan, MONDAY), Orderly(2 * MINUTE_US)
        messages = []
        for quarter in walk(street, plan, state):
            state = quarter.end
            spoken = [*stations.messages(quarter), *sessions.messages(quarter)]
            messages += orderly.take(spoken, quarter.start_us + SLOT_US)
        for message in [*messages, *orderly.rest()]:
            frame = Frame(message.raw, 0, message.time_us, message.source, message.context)
            kind = "ocpi" if message.interface == "E1" else "ocpp"
            event, facts = read_frame(frame, kind, message.interface, conversations), Facts()
            observe(event, facts)
            said[message.interface].append((event, facts))
    return SimpleNamespace(street=street, plans=plans, said=said)


def signed():
    """Station, message and explained record of every signed value in OCPP."""
    for event, _ in three_days().said["4"]:
        for record in event.payload.get("signed", ()):
            yield event.source, event, record


def told(kind):
    return [event.payload["object"] for event, _ in three_days().said["E1"] if event.payload["kind"] == kind]


def test_every_record_is_valid_and_of_one_that_is_not_known_by_a_key_only_that_is_said():
    found = {(source, record["signature"]["reason"]) for source, _, record in signed()}
    of_1_6 = {"GS-00002", "GS-00008"}
    assert {source for source, reason in found if reason == "key-unknown"} == of_1_6, "1.6 has no place for a key"
    assert {source for source, reason in found if reason == ""} == {f"GS-{n:05d}" for n in (0, 1, 3, 5, 7, 9, 10, 11)}
    assert {reason for _, reason in found} == {"", "key-unknown"}


def test_nothing_speaks_against_a_record_also_over_days():
    assert [record["checks"] for _, _, record in signed() if record["checks"]] == []
    records = [record for event, _ in three_days().said["E1"] for record in event.payload.get("signed", ())]
    assert records
    assert [record["checks"] for record in records if record["checks"]] == []


def test_a_meter_signs_with_the_digits_that_its_station_sends():
    compared = 0
    for _, event, record in signed():
        body = json.loads(event.raw, parse_float=Decimal)[3]
        if "meterStop" in body:
            sent = {"import": Decimal(body["meterStop"])}
        else:
            samples = {sample["measurand"]: sample["value"] for sample in body["meterValue"][0]["sampledValue"]}
            sent = {way.lower(): samples.get(f"Energy.Active.{way}.Register") for way in ("Import", "Export")}
        last = {reading["direction"]: reading["value"] for reading in record["readings"]}
        for direction, value in last.items():
            assert Decimal(value) * 1000 == sent[direction]
            assert len(str(value).partition(".")[2]) == (3 if "meterStop" in body else 4)
            compared += 1
    assert compared > 40


def test_what_is_signed_becomes_readings_of_measured_quality_beside_the_ordinary_ones():
    readings = [reading for _, facts in three_days().said["4"] for reading in facts.readings]
    found = {reading.quality for reading in readings if reading.point == "GS-00003/1@signed"}
    assert found == {MEASURED}
    assert {r.device for r in readings if r.point == "GS-00003/1@signed"} == {"1GGS0000000003"}


def test_a_session_is_active_when_the_car_is_plugged_in_and_completed_when_it_is_gone():
    story = three_days()
    states = defaultdict(list)
    for session in told("session"):
        states[session["id"]].append(session["status"])
    begun, ended = set(), set()
    for plan in story.plans:
        for site, stays in stays_of(story.street, plan).items():
            if stays.unplug_us < plan.end_us:
                ended.add(f"GS-{site:05d}-{stays.first.begun_day:%Y%m%d}")
                begun.add(f"GS-{site:05d}-{plan.day:%Y%m%d}")
    assert {name for name, said in states.items() if said[0] == "ACTIVE"} == begun
    assert {name for name, said in states.items() if said[-1] == "COMPLETED"} == ended
    assert {record["session_id"] for record in told("cdr")} == ended


def test_the_energy_of_session_detail_record_and_signed_record_is_one():
    sessions = {session["id"]: session for session in told("session") if session["status"] == "COMPLETED"}
    compared = 0
    for event, _ in three_days().said["E1"]:
        if event.payload["kind"] != "cdr":
            continue
        record = event.payload["object"]
        energy = event.payload["signed"][-1]["energy"]
        net_mwh = energy["import_mwh"] - energy.get("export_mwh", 0)
        assert Decimal(record["total_energy"]).scaleb(6) == net_mwh
        assert Decimal(sessions[record["session_id"]]["kwh"]) == Decimal(record["total_energy"])
        volumes = {d["type"]: Decimal(d["volume"]) for d in record["charging_periods"][0]["dimensions"]}
        assert volumes["ENERGY_IMPORT"].scaleb(6) == energy["import_mwh"]
        assert volumes.get("ENERGY_EXPORT", Decimal(0)).scaleb(6) == energy.get("export_mwh", 0)
        compared += 1
    assert compared > 15


def test_the_record_in_a_bill_is_the_one_that_the_station_sent_to_the_digit():
    sent = defaultdict(set)
    for source, _, record in signed():
        sent[source].add(json.dumps(record["record"], default=str))
    known = 0
    for event, _ in three_days().said["E1"]:
        for record in event.payload.get("signed", ()):
            source = event.payload["object"]["cdr_location"]["id"]
            began_before = record["readings"][-1]["time"] < "2026-07-05T22:00:00Z"
            assert began_before or json.dumps(record["record"], default=str) in sent[source]
            known += not began_before
    assert known > 30


def test_the_cost_is_what_was_charged_less_what_was_given_back():
    for record in told("cdr"):
        volumes = {d["type"]: Decimal(d["volume"]) for d in record["charging_periods"][0]["dimensions"]}
        cost = volumes["ENERGY_IMPORT"] * ocpi.CHARGED_EUR_KWH
        cost -= volumes.get("ENERGY_EXPORT", 0) * ocpi.GIVEN_BACK_EUR_KWH
        assert Decimal(record["total_cost"]["before_taxes"]) == round(cost, 2)


def test_a_session_belongs_to_the_transaction_of_its_station():
    transactions = {
        event.payload["body"]["transactionInfo"]["transactionId"]
        for event, _ in three_days().said["4"]
        if event.type.endswith("TransactionEvent")
    }
    street = three_days().street
    of_2 = {record["session_id"] for record in told("cdr") if street.household(int(record["id"][7:12])).ocpp != "1.6"}
    assert of_2
    assert of_2 <= transactions


def test_a_bill_names_its_wallbox_as_stations_and_cables_do():
    street = three_days().street
    places = {(place["evse_uid"], place["evse_id"]) for place in (record["cdr_location"] for record in told("cdr"))}
    names = [names_of(street, site) for site in range(street.sites)]
    assert len(places) > 5
    assert places <= {(f"{known.station}/1", known.evse) for known in names}
