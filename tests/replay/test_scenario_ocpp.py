"""The charging stations of the scenario speak OCPP as its schemas want it, and tell the truth."""

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache

import pytest

from replay.scenario.faults import NO_FAULTS, faults_of
from replay.scenario.message import Orderly
from replay.scenario.plan import plan_day
from replay.scenario.street import Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers.ocpp import Stations
from replay.scenario.writers.ocpp_frames import line_of
from schemas.time import MINUTE_US, SLOT_US, parse_time
from tests.replay.ocpp_schemas import validator

SPRING, AUTUMN, SUMMER = date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 7)


def day_of_stations(day, sites=12, interval_s=60, faults=NO_FAULTS):
    street = Street(5, sites)
    plan = plan_day(street, day)
    stations, orderly = Stations(street, plan, interval_s=interval_s, faults=faults), Orderly(2 * MINUTE_US)
    quarters, messages = [], []
    for quarter in walk(street, plan, first_state(street)):
        quarters.append(quarter)
        messages += orderly.take(stations.messages(quarter), quarter.start_us + SLOT_US)
    return street, plan, quarters, [*messages, *orderly.rest()]


@cache
def summer():
    return day_of_stations(SUMMER)


def readings(messages):
    """Register values as (station, measurand, time) to mWh, from whatever message has them."""
    found = {}
    for message in messages:
        frame = json.loads(message.raw, parse_float=Decimal)
        if frame[0] != 2 or not isinstance(frame[3], dict):
            continue
        for meter_value in frame[3].get("meterValue", []):
            for sample in meter_value["sampledValue"]:
                if sample["measurand"].endswith("Register"):
                    key = (message.source, sample["measurand"].split(".")[2], parse_time(meter_value["timestamp"]))
                    found[key] = int(Decimal(sample["value"]) * 1000)
    return found


@pytest.mark.parametrize("day", [SPRING, AUTUMN, SUMMER])
def test_every_frame_satisfies_the_schema_of_its_version(day):
    *_, messages = summer() if day == SUMMER else day_of_stations(day)
    asked = {}
    seen = set()
    for message in messages:
        kind, identity, *rest = json.loads(message.raw)
        subprotocol = message.context["subprotocol"]
        if kind == 2:
            asked[message.source, identity] = rest[0]
        action = asked[message.source, identity]
        seen.add((subprotocol, action))
        validator(subprotocol, action, kind == 3).validate(rest[-1])
    assert ("ocpp2.1", "SetChargingProfile") in seen
    assert ("ocpp2.0.1", "TransactionEvent") in seen
    assert ("ocpp1.6", "StopTransaction") in seen


def test_every_call_is_answered_once_and_after_it_was_asked():
    *_, messages = summer()
    asked, answered = {}, set()
    for message in messages:
        kind, identity, *_ = json.loads(message.raw)
        key = (message.source, identity)
        if kind == 2:
            assert key not in asked
            asked[key] = message.context["direction"]
        else:
            assert key not in answered
            assert {asked[key], message.context["direction"]} == {"to_csms", "to_station"}
            answered.add(key)
    assert answered == asked.keys()


def test_no_call_bears_the_number_of_another_also_where_a_station_catches_up_in_the_beat_of_its_clock():
    *_, messages = day_of_stations(SUMMER, sites=1, interval_s=15, faults=faults_of("all"))
    calls = [json.loads(message.raw)[1] for message in messages if message.raw.startswith(b"[2,")]
    assert len(calls) > 4000
    assert len(set(calls)) == len(calls)


def test_the_log_is_in_order_of_time_and_a_line_is_json():
    *_, messages = summer()
    times = [message.time_us for message in messages]
    assert times == sorted(times)
    line = json.loads(line_of(messages[0]))
    assert parse_time(line["time"]) == times[0]
    assert line["station"].startswith("GS-")
    assert line["frame"] == json.loads(messages[0].raw)


@pytest.mark.parametrize("day", [SPRING, AUTUMN, SUMMER])
def test_registers_at_every_edge_are_what_the_world_counted(day):
    street, plan, quarters, messages = summer() if day == SUMMER else day_of_stations(day)
    found = readings(messages)
    edges = [(quarter.start_us, quarter, 0) for quarter in quarters] + [(plan.end_us, quarters[-1], 15)]
    for time_us, quarter, column in edges:
        for site in range(street.sites):
            household = street.household(site)
            if not household.ocpp:
                continue
            step_mwh = 1000 if household.ocpp == "1.6" else 100
            charged = int(quarter.charged_mws[site, column]) // (3600 * step_mwh) * step_mwh
            assert found[f"GS-{site:05d}", "Import", time_us] == charged
            if household.bidirectional:
                discharged = int(quarter.discharged_mws[site, column]) // (3600 * step_mwh) * step_mwh
                assert found[f"GS-{site:05d}", "Export", time_us] == discharged


@pytest.mark.parametrize("interval_s", [10, 60, 900])
def test_the_events_of_a_transaction_are_numbered_without_a_gap(interval_s):
    *_, messages = day_of_stations(SUMMER, interval_s=interval_s)
    numbers = defaultdict(list)
    for message in messages:
        frame = json.loads(message.raw)
        if frame[0] == 2 and frame[2] == "TransactionEvent":
            numbers[frame[3]["transactionInfo"]["transactionId"]].append((frame[3]["seqNo"], frame[3]["eventType"]))
    assert any(events[0] == (0, "Started") for events in numbers.values())
    assert any(events[-1][1] == "Ended" for events in numbers.values())
    for events in numbers.values():
        first = events[0][0]
        assert [number for number, _ in events] == list(range(first, first + len(events)))


def test_a_session_of_the_night_goes_on_from_the_day_before():
    *_, before = day_of_stations(SUMMER)
    *_, after = day_of_stations(date(2026, 7, 8))

    def last_and_first(messages, pick):
        found = {}
        for message in messages:
            frame = json.loads(message.raw)
            if frame[0] == 2 and frame[2] == "TransactionEvent":
                info = (frame[3]["transactionInfo"]["transactionId"], frame[3]["seqNo"], frame[3]["timestamp"])
                found[message.source] = info if pick == "last" else found.get(message.source, info)
        return found

    assert last_and_first(before, "last") == last_and_first(after, "first")


def test_discharging_is_a_set_point_in_2_1_and_a_negative_limit_in_2_0_1():
    *_, messages = summer()
    words = defaultdict(set)
    for message in messages:
        frame = json.loads(message.raw)
        if frame[0] == 2 and frame[2] == "SetChargingProfile" and message.context["subprotocol"] != "ocpp1.6":
            profile = frame[3]["chargingProfile"]
            period = profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]
            words[message.context["subprotocol"]] |= {
                word for word, value in period.items() if value in range(-10_000, 0)
            }
    assert words == {"ocpp2.1": {"setpoint"}, "ocpp2.0.1": {"limit"}}


def test_section_14a_is_announced_to_every_limited_station_before_it_holds():
    street, plan, _, messages = summer()
    begins_us = plan.minute_us(plan.limit_minutes.start)
    told = set()
    for message in messages:
        if b"MaxProfile" in message.raw and message.context["direction"] == "to_station":
            assert begins_us - 2 * MINUTE_US < message.time_us < begins_us
            assert b'"limit":4200' in message.raw
            assert b'"duration":3600' in message.raw
            told.add(message.source)
    limited = {f"GS-{site:05d}" for site in range(12) if street.household(site).limited}
    assert told == limited
