"""Dynamic tariffs as facts: a price for each quarter hour."""

from decimal import Decimal

import pytest

from schemas.event import from_record, to_record
from schemas.facts import MEASURED, Facts, SlotValue
from schemas.time import HOUR_US, SLOT_US, parse_time
from schemas.wire.tariff import encode_tariff, tariff_of
from streams.reader import read
from twin.observe.tariff import observe

START_US = parse_time("2026-10-25T00:00:00Z")
ISSUED_US = START_US - 11 * HOUR_US


def facts_of(said):
    facts = Facts()
    for event in read(encode_tariff(said), "45", "hems-1"):
        observe(from_record(to_record(event)[1]), facts)
    return facts


def tariff(*prices, unit="ct/kWh", issued_us=ISSUED_US, **more):
    named = {"supplier": "Stadtwerk", "tariff": "dynamic"} | more
    return tariff_of(START_US, map(Decimal, prices), issued_us=issued_us, unit=unit, **named)


def by_slot(facts):
    return [((value.slot_us - START_US) // SLOT_US, str(value.value)) for value in facts.slot_values]


def test_each_quarter_hour_has_its_price_in_the_unit_of_the_supplier():
    facts = facts_of(tariff("28.510", "-1"))
    version = "2026-10-24T13:00:00Z|Stadtwerk|dynamic"
    assert facts.slot_values == [
        SlotValue("price.tariff", "dynamic", START_US, Decimal("28.510"), "ct/kWh", MEASURED, version),
        SlotValue("price.tariff", "dynamic", START_US + SLOT_US, Decimal(-1), "ct/kWh", MEASURED, version),
    ]
    assert {(o.actor, o.attribute, o.value) for o in facts.observations} == {
        ("supplier:Stadtwerk", "tariff", "dynamic"),
        ("supplier:Stadtwerk", "prices_until", "2026-10-25T00:30:00Z"),
    }


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"malo": "41373559241"}, "41373559241"),
        ({"tariff": ""}, "Stadtwerk"),
        ({"tariff": "", "supplier": ""}, "hems-1"),
    ],
)
def test_prices_are_those_of_the_market_location_the_tariff_or_the_supplier(more, place):
    assert {value.object for value in facts_of(tariff("1", **more)).slot_values} == {place}


def test_the_price_of_an_hour_holds_for_its_four_quarter_hours():
    said = tariff("1")
    said["prices"][0][1] = START_US + HOUR_US
    assert by_slot(facts_of(said)) == [(0, "1"), (1, "1"), (2, "1"), (3, "1")]


@pytest.mark.parametrize(
    ("start_us", "end_us", "price", "reason"),
    [
        (START_US + 1_000_000, START_US + SLOT_US, "1", "not-a-quarter-hour"),
        (START_US, START_US + SLOT_US + 1_000_000, "1", "not-a-quarter-hour"),
        (START_US, START_US, "1", "not-a-quarter-hour"),
        (START_US, START_US + SLOT_US, "2001", "implausible-price"),
        (START_US, START_US + 101 * SLOT_US, "1", "no-dynamic-price"),
    ],
)
def test_what_cannot_be_believed_is_set_aside_and_the_rest_counts(start_us, end_us, price, reason):
    said = tariff("1", "2")
    said["prices"][0] = [start_us, end_us, Decimal(price)]
    facts = facts_of(said)
    assert ([reject.reason for reject in facts.rejects], by_slot(facts)) == ([reason], [(1, "2")])


def test_prices_issued_later_have_the_higher_version():
    early, late = (facts_of(tariff("1", issued_us=ISSUED_US + late_us)).slot_values[0] for late_us in (0, HOUR_US))
    assert early.version < late.version


def test_without_a_time_of_issue_the_first_price_says_how_old_the_list_is():
    facts = facts_of(tariff("1", issued_us=None))
    assert (facts.slot_values[0].version, facts.observations) == ("2026-10-25T00:00:00Z|Stadtwerk|dynamic", [])
