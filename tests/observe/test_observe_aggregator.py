"""The series of the aggregators as facts."""

from decimal import Decimal

import pytest

from schemas.event import from_record, to_record
from schemas.facts import MEASURED, Facts, SlotValue
from schemas.time import SLOT_US, parse_time
from schemas.wire.aggregator import encode_csv, encode_json
from streams.reader import read
from twin.observe.aggregator import observe

START_US = parse_time("2026-10-25T00:00:00Z")
CREATED_US = parse_time("2026-10-24T10:00:00Z")


def series(kind, unit, *values, late_us=0):
    told = [[START_US + n * SLOT_US + late_us, Decimal(value)] for n, value in enumerate(values)]
    return {"object": "pool-1", "kind": kind, "unit": unit, "values": told}


def said_by(*listed, encode=encode_json):
    head = {"document": "F-17", "sender": "fleet-1", "receiver": "vpp-1", "created_us": CREATED_US}
    facts = Facts()
    for event in read(encode({**head, "series": list(listed)}), "23", "log"):
        observe(from_record(to_record(event)[1]), facts)
    return facts


def reasons(facts):
    return [reject.reason for reject in facts.rejects]


@pytest.mark.parametrize(
    ("kind", "unit", "amount", "name", "value", "shown"),
    [
        ("min_power", "kW", "-7.5", "flexibility.min-power", -7_500_000, "mW"),
        ("max_power", "MW", "0.011", "flexibility.max-power", 11_000_000, "mW"),
        ("min_energy", "kWh", "1", "flexibility.min-energy", 1_000_000, "mWh"),
        ("max_energy", "Wh", "1", "flexibility.max-energy", 1_000, "mWh"),
        ("schedule_power", "W", "-1", "schedule.power", -1_000, "mW"),
        ("schedule_energy", "MWh", "0.000001", "schedule.energy", 1_000, "mWh"),
        ("sold", "MWh", "1.25", "position.sold", 1_250_000_000, "mWh"),
        ("bought", "kWh", "0", "position.bought", 0, "mWh"),
        ("price", "EUR/MWh", "-4.10", "price.flexibility", Decimal("-4.10"), "EUR/MWh"),
    ],
)
@pytest.mark.parametrize("encode", [encode_json, encode_csv])
def test_every_kind_is_a_series_of_its_pool_in_exact_units(kind, unit, amount, name, value, shown, encode):
    facts = said_by(series(kind, unit, amount), encode=encode)
    version = "2026-10-24T10:00:00Z|fleet-1|F-17"
    assert facts.slot_values == [SlotValue(name, "pool-1", START_US, value, shown, MEASURED, version)]
    assert not facts.rejects


def test_a_message_says_of_both_aggregators_what_was_sent_and_received():
    assert {(o.actor, o.attribute, o.value) for o in said_by(series("max_power", "kW", "1", "2")).observations} == {
        ("technical-aggregator:fleet-1", "last_document", "F-17"),
        ("technical-aggregator:fleet-1", "series_until", "2026-10-25T00:30:00Z"),
        ("commercial-aggregator:vpp-1", "last_received", "F-17"),
    }


def test_what_was_sold_is_never_negative():
    facts = said_by(series("sold", "kWh", "-1", "1"))
    assert (reasons(facts), [value.value for value in facts.slot_values]) == (["negative-energy"], [1_000_000])


def test_a_value_off_the_quarter_hour_is_set_aside_and_many_are_told_with_examples():
    facts = said_by(series("price", "ct/kWh", *["1"] * 20, late_us=1_000_000))
    assert (facts.slot_values, reasons(facts)) == ([], ["not-a-quarter-hour"] * 9)
    assert facts.rejects[-1].detail == "price of pool-1: 12 more values likewise"


def test_a_minimum_above_its_maximum_is_told_and_both_are_kept():
    facts = said_by(series("min_power", "kW", "1", "12"), series("max_power", "W", "11000", "11000"))
    (reject,) = facts.rejects
    assert reject.reason == "crossed-limits"
    assert reject.detail.endswith("in 1 quarter hours, first at 2026-10-25T00:15:00Z")
    assert len(facts.slot_values) == 4
