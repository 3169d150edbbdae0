"""What the stations' maker, the aggregator and the gateways' administrator say, with the truth behind it."""

import json
from collections import defaultdict
from datetime import date
from functools import cache

import pytest

from replay.scenario import Setting, write_day
from replay.scenario.day import Day
from replay.scenario.plan import plan_day
from replay.scenario.street import Street
from replay.scenario.world import first_state, plugged_in, walk
from schemas.facts import Facts
from streams.reader import read
from tests.replay.ocpp_schemas import validator
from twin.observe import observe

DAYS = [date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 7)]


@cache
def said_on(interface, day):
    return [message for message in Day(day, Setting(24, 3)).live() if message.interface == interface]


def facts_of(folder, interface):
    facts = Facts()
    for event in read(folder, interface):
        observe(event, facts)
    return facts


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("interface", ["5", "14"])
def test_every_call_and_answer_satisfies_the_schema_of_its_version(interface, day):
    open_calls = {}
    for message in said_on(interface, day):
        kind, identity, *rest = json.loads(message.raw)
        key = (message.source, identity)
        if kind == 2:
            assert key not in open_calls
            open_calls[key] = rest[0]
        action = open_calls.pop(key) if kind == 3 else rest[0]
        validator(message.context["subprotocol"], action, kind == 3).validate(rest[-1])
    assert not open_calls


def test_the_maker_hears_a_life_sign_every_quarter_hour_a_log_every_night_and_of_a_refused_firmware():
    beats, rest = defaultdict(int), set()
    for message in said_on("5", DAYS[0]):
        frame = json.loads(message.raw)
        if frame[0] == 2 and frame[2] == "Heartbeat":
            beats[message.source] += 1
        elif frame[0] == 2:
            rest.add((frame[2], frame[3].get("status", "")))
    assert set(beats.values()) == {92}
    assert {("LogStatusNotification", "Uploaded"), ("DiagnosticsStatusNotification", "Uploaded")} <= rest
    assert {("FirmwareStatusNotification", "InvalidSignature"), ("SecurityEventNotification", "")} <= rest


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_schedule_that_holds_is_what_every_car_was_told(day, tmp_path):
    write_day(day, tmp_path, sites=24, seed=3)
    holds = {}
    for value in sorted(facts_of(tmp_path / "14", "14").slot_values, key=lambda value: value.version):
        holds[value.object, value.slot_us] = value.value
    street = Street(3, 24)
    plan = plan_day(street, day)
    compared = discharging = 0
    for quarter in walk(street, plan, first_state(street)):
        there = plugged_in(plan, quarter.number * 15) * plugged_in(plan, quarter.number * 15 + 14)
        for site in range(24):
            if street.household(site).ocpp and street.household(site).aggregated and there[site]:
                assert holds[f"GS-{site:05d}/1", quarter.start_us] == int(quarter.setpoint_mw[site]) // 1000 * 1000
                compared += 1
                discharging += quarter.setpoint_mw[site] < 0
    assert compared > 800
    assert discharging > 50


def test_the_administrator_hands_over_what_the_gateways_delivered(tmp_path):
    write_day(DAYS[0], tmp_path, sites=24, seed=3)
    delivered, handed_over = (facts_of(tmp_path / interface, interface) for interface in ("16", "18"))
    assert len(list((tmp_path / "18").iterdir())) == 1
    assert sorted(handed_over.readings) == sorted(delivered.readings)
    assert len(delivered.readings) == 24 * 2 * 93
