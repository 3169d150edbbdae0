from decimal import Decimal
from pathlib import Path

import pytest

from schemas.event import Event
from schemas.facts import PRELIMINARY, Facts, Reading
from schemas.time import parse_time
from schemas.wire.han_json import encode_list
from streams.reader import read
from twin.observe.han_json import observe

SAMPLE = Path(__file__).parents[2].parent / "shared" / "samples" / "smgw" / "Taf7_1OML_UseCaseTaf1.json"
MELO = "DE0005621204300000000000000000007"
BEGIN_US = parse_time("2026-01-01T00:00:00+01:00")
HEARD_US = parse_time("2026-03-29T00:00:00Z")


def facts_of(what, time_us=None):
    [event] = read(what, "16", time_us=time_us)
    assert isinstance(event, Event), event
    facts = Facts()
    observe(event, facts)
    return facts


def contract(**more):
    return {
        "taf": 7,
        "name": "TAF 7",
        "description": None,
        "melo": "",
        "meters": ["0A01454D480000B71B00"],
        "supplier": "9900987654329",
        "consumer": None,
        "begin_us": BEGIN_US,
        "end_us": None,
        "billing": [],
    } | more


def said_by(*contracts, time_us=None):
    gateway = {"id": "EPPC0210000001", "component": None, "firmware": "2.1", "hash": None}
    return facts_of(encode_list({"gateway": gateway, "contracts": contracts, "usage_points": []}), time_us)


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared/samples is not here")
def test_the_sample_says_where_its_register_began_and_under_which_contracts():
    facts = facts_of(SAMPLE)
    melo, begin_us = "DE12345693133A1234B5678C0123D6789", parse_time("2017-01-01T00:00:00+01:00")
    assert facts.readings == [Reading(melo, "1EMH0005347102", "1-0:1.8.0", "import", begin_us, 24_000_000, PRELIMINARY)]
    said = {(told.actor, told.attribute): told.value for told in facts.observations}
    assert said["meter:1EMH0005347102", "register/1-0:1.8.0"] == Decimal(24000)
    assert said[f"melo:{melo}", "smgw"] == "EXXX0012345678"
    assert said[f"melo:{melo}", "taf7"] == "Z\u00e4hlerstandsgangmessung IVU"
    assert said[f"melo:{melo}", "taf1/meters"] == "1EMH0005347100 1EMH0005347102"
    assert said[f"melo:{melo}", "taf2/billing_end"] == "2017-08-31T22:00:00Z"
    assert not facts.rejects


def test_a_contract_holds_since_it_began():
    facts = said_by(contract())
    assert {(told.actor, told.attribute, told.value, told.time_us) for told in facts.observations} == {
        ("smgw:EPPC0210000001", "taf7", "TAF 7", BEGIN_US),
        ("smgw:EPPC0210000001", "taf7/supplier", "9900987654329", BEGIN_US),
        ("smgw:EPPC0210000001", "taf7/meters", "1EMH0012000000", BEGIN_US),
    }


def test_a_billing_period_holds_since_its_own_beginning():
    facts = said_by(contract(billing=[[HEARD_US, HEARD_US + 1_000_000]]))
    said = {told.attribute: (told.value, told.time_us) for told in facts.observations}
    assert said["taf7/billing_begin"] == ("2026-03-29T00:00:00Z", HEARD_US)
    assert said["taf7/billing_end"] == ("2026-03-29T00:00:01Z", HEARD_US)


def test_a_contract_of_a_metering_point_is_told_of_it():
    assert {told.actor for told in said_by(contract(melo=MELO)).observations} == {f"melo:{MELO}"}


def test_a_contract_without_a_beginning_holds_since_it_was_heard_of():
    assert said_by(contract(begin_us=None)).observations == []
    told = said_by(contract(begin_us=None), time_us=HEARD_US).observations
    assert {told.time_us for told in told} == {HEARD_US}
    assert ("smgw:EPPC0210000001", "firmware") in {(told.actor, told.attribute) for told in told}
