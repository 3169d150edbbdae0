"""Incentive tables: what energy costs when, where a description says in which currency and for how much energy."""

from decimal import Decimal

import pytest

from schemas.time import SLOT_US
from schemas.wire.contract import Conversation, Frame, SchemaViolation
from schemas.wire.eebus import FORMAT
from schemas.wire.eebus.datagram import Address, Command, Datagram, encode_datagram, scaled
from tests.observe.test_observe_eebus import BOX, CEM, EV, HEMS, NOON_US, message, said_by, told

PER_KWH = {"incentiveType": "absoluteCost", "currency": "EUR", "unit": "kWh"}
GREEN = {"incentiveType": "renewableEnergyPercentage", "unit": "pct"}


def described(*incentives, tier=1, scope="simpleIncentiveTable"):
    """Description of tariff 1 with one tier."""
    listed = [{"incentiveId": number, **said} for number, said in enumerate(incentives, 1)]
    said = {"tariffId": 1, "scopeType": scope} if scope else {"tariffId": 1}
    tiers = [{"tierDescription": {"tierId": tier, "tierType": "dynamicCost"}, "incentiveDescription": listed}]
    return {"incentiveTableDescription": [{"tariffDescription": said, "tier": tiers}]}


def description(*incentives, classifier="reply", **more):
    ends = {"source": CEM, "to": EV} if classifier == "write" else {}
    return message("incentiveTableDescriptionData", described(*incentives, **more), classifier, **ends)


def slot(start, end, *amounts, tier=1):
    """A slot with the incentives of one tier, in their order; borders are durations, instants or nothing."""
    kinds = {name: edge for name, edge in (("startTime", start), ("endTime", end)) if edge}
    edges = {name: {"relative" if edge.startswith("P") else "dateTime": edge} for name, edge in kinds.items()}
    listed = [{"incentiveId": number, "value": scaled(amount)} for number, amount in enumerate(amounts, 1)]
    return {"timeInterval": edges, "tier": [{"tier": {"tierId": tier}, "incentive": listed}]}


def table(*slots, classifier="notify", **more):
    ends = {"source": CEM, "to": EV} if classifier == "write" else {}
    data = {"incentiveTable": [{"tariff": {"tariffId": 1}, "incentiveSlot": list(slots)}]}
    return message("incentiveTableData", data, classifier, **ends, **more)


def prices(facts):
    return [((value.slot_us - NOON_US) // SLOT_US, value.value, value.unit) for value in facts.slot_values]


HOUR = slot("PT0S", "PT1H", Decimal("0.31"))


@pytest.mark.parametrize(
    ("said", "amount", "value", "unit"),
    [
        (PER_KWH, Decimal("0.31"), Decimal("0.31"), "EUR/kWh"),
        (PER_KWH, -2, -2, "EUR/kWh"),
        (PER_KWH | {"unit": "Wh"}, Decimal("0.00031"), Decimal("0.31"), "EUR/kWh"),
        (PER_KWH | {"unit": "MWh", "currency": "CHF"}, 310, Decimal("0.31"), "CHF/kWh"),
    ],
)
def test_a_price_is_told_per_kilowatt_hour_in_the_currency_its_description_names(said, amount, value, unit):
    facts = said_by(description(said), table(slot("PT0S", "PT1H", amount)))
    assert told(facts, BOX) == {"incentive_price": value, "incentive_prices_until": "2026-03-29T13:00:00Z"}
    assert [seen.unit for seen in facts.observations] == [unit, ""]
    assert prices(facts) == [(number, value, unit) for number in range(4)]
    (where,) = {(price.series, price.object, price.version) for price in facts.slot_values}
    assert where == ("price.incentive/tier-1", "Box", "2026-03-29T12:00:00Z|1|1")


def test_in_coordinated_charging_the_energy_manager_says_what_it_writes_and_the_vehicle_accepts():
    tariff = message(
        "incentiveTableDescriptionData",
        {"incentiveTableDescription": [{"tariffDescription": {"tariffId": 1, "scopeType": "simpleIncentiveTable"}}]},
        "reply",
    )
    meant = description(PER_KWH, classifier="write", scope="")
    written = table(HOUR, classifier="write", counter=9)
    asked = said_by(tariff, meant, written)
    for actor in (BOX, HEMS):
        assert told(asked, actor) == {
            "incentive_price_requested": Decimal("0.31"),
            "incentive_prices_until_requested": "2026-03-29T13:00:00Z",
        }
    assert {price.series for price in asked.slot_values} == {"price.incentive/tier-1.requested"}
    for error, answer in ((0, "accepted"), (7, "rejected")):
        result = message("resultData", {"errorNumber": error}, "result", reference=9)
        facts = said_by(tariff, meant, written, result)
        assert (told(facts, BOX)["incentive_price_answer"], told(facts, BOX)["incentive_price_error"]) == (
            answer,
            error,
        )
        assert told(facts, BOX).get("incentive_price") == (None if error else Decimal("0.31"))
        assert len(facts.slot_values) == (0 if error else 4)


def test_slots_lie_where_they_say_and_one_that_says_no_end_lasts_until_the_next():
    slots = (
        slot("PT15M", None, 1),
        slot("PT30M", "PT45M", 2),
        slot("2026-03-29T13:00:00Z", "2026-03-29T13:15:00Z", 3),
        slot(None, "PT90M", 4),
    )
    facts = said_by(description(PER_KWH), table(*slots))
    assert [entry[:2] for entry in prices(facts)] == [(1, 1), (2, 2), (4, 3), (5, 4)]


def test_a_last_slot_without_an_end_is_no_value_of_a_quarter_hour():
    facts = said_by(description(PER_KWH), table(slot("PT0S", None, 1)))
    assert (told(facts), prices(facts)) == ({"incentive_price": 1, "incentive_prices_until": None}, [])


def test_tiers_are_series_of_their_own_and_so_is_the_share_of_renewable_energy():
    tiers = described(PER_KWH, GREEN)
    tiers["incentiveTableDescription"][0]["tier"] += described(PER_KWH, tier=2)["incentiveTableDescription"][0]["tier"]
    one, two = slot("PT0S", "PT15M", Decimal("0.1"), 80), slot("PT0S", "PT15M", Decimal("0.3"), tier=2)
    both = one | {"tier": one["tier"] + two["tier"]}
    facts = said_by(message("incentiveTableDescriptionData", tiers, "reply"), table(both))
    assert {price.series: (price.value, price.unit) for price in facts.slot_values} == {
        "price.incentive/tier-1": (Decimal("0.1"), "EUR/kWh"),
        "share.renewable/tier-1": (80, "%"),
        "price.incentive/tier-2": (Decimal("0.3"), "EUR/kWh"),
    }
    assert told(facts)["incentive_price"] == Decimal("0.1")


@pytest.mark.parametrize(
    ("before", "missing"),
    [
        ([], ["tariff 1"]),
        ([description(PER_KWH, scope="")], ["scope of tariff 1"]),
        ([description(PER_KWH, tier=2)], ["incentive 1/1/1"]),
        ([description({"incentiveType": "absoluteCost", "currency": "EUR"})], ["unit of incentive 1/1/1"]),
        ([description({"incentiveType": "absoluteCost", "unit": "kWh"})], ["currency of incentive 1/1/1"]),
        ([description(PER_KWH | {"currency": "euros"})], ["currency of incentive 1/1/1"]),
    ],
)
def test_a_table_of_which_nobody_says_what_it_counts_stays_in_the_payload_and_says_what_is_missing(before, missing):
    conversation = Conversation("3")
    for raw in (*before, table(HOUR)):
        found = FORMAT.decode(Frame(raw, 0, None, "log", {}, "e"), conversation)
    named = [entry for entry in found.payload["context_missing"] if not entry.startswith("kind of")]
    assert named == missing
    facts = said_by(*before, table(HOUR))
    assert (told(facts), facts.slot_values, facts.rejects) == ({}, [], [])


@pytest.mark.parametrize(
    "said",
    [
        PER_KWH | {"unit": "W"},
        {"incentiveType": "relativeCost", "unit": "pct"},
        {"incentiveType": "co2Emission", "unit": "kWh"},
        {"incentiveType": "renewableEnergyPercentage"},
        {"unit": "kWh", "currency": "EUR"},
    ],
)
def test_incentives_whose_units_no_rule_fixes_say_nothing(said):
    facts = said_by(description(said), table(HOUR))
    assert (told(facts), facts.slot_values) == ({}, [])


@pytest.mark.parametrize(
    ("said", "entry", "words"),
    [
        (PER_KWH, slot("PT0S", "PT1H", 31), "a price of 31 EUR/kWh"),
        (PER_KWH | {"unit": "Wh"}, slot("PT0S", "PT1H", Decimal("0.31")), "a price of 310 EUR/kWh"),
        (GREEN, slot("PT0S", "PT1H", 101), "101 % of renewable"),
        (PER_KWH, slot("PT2H", "PT1H", 1), "ends before it begins"),
    ],
)
def test_what_no_energy_costs_is_set_aside_with_its_reason(said, entry, words):
    facts = said_by(description(said), table(slot("PT0S", "PT0S", 0), entry))
    (reject,) = facts.rejects
    assert (reject.reason, told(facts), facts.slot_values) == ("implausible-incentive", {}, [])
    assert words in reject.detail


def test_a_table_without_end_is_told_for_a_week():
    facts = said_by(description(PER_KWH), table(slot("PT0S", "P99D", 1), slot("P99D", "P999D", 2)))
    assert len(facts.slot_values) == 7 * 96


def test_descriptions_that_change_hold_for_what_comes_after_and_those_of_another_vehicle_never():
    cheap = description(PER_KWH | {"unit": "Wh"})
    facts = said_by(description(PER_KWH), cheap, table(slot("PT0S", "PT1H", Decimal("0.001"))))
    assert told(facts)["incentive_price"] == 1
    other = table(HOUR, source=Address("Box", (2, 1), 3))
    assert told(said_by(description(PER_KWH), other)) == {}


@pytest.mark.parametrize("wire", [True, False])
def test_both_forms_say_the_same(wire):
    raws = []
    for function, data in (
        ("incentiveTableDescriptionData", described(PER_KWH)),
        ("incentiveTableData", {"incentiveTable": [{"tariff": {"tariffId": 1}, "incentiveSlot": [HOUR]}]}),
    ):
        sent = Datagram(EV, CEM, 1, None, "reply", NOON_US, [Command(function, data, [])])
        raws.append(encode_datagram(sent, wire=wire))
    assert told(said_by(*raws))["incentive_price"] == Decimal("0.31")


@pytest.mark.parametrize(
    ("function", "data", "where"),
    [
        ("incentiveTableData", [{"incentiveSlot": [{"tier": [{"incentive": [{"value": scaled(1)}]}]}]}], "incentiveId"),
        ("incentiveTableData", [{"incentiveSlot": [{"tier": [{"tier": {"tierId": "one"}}]}]}], "tier"),
        ("incentiveTableData", [{"incentiveSlot": [{"tier": [{}] * 101}]}], "tier"),
        ("incentiveTableDescriptionData", [{"tier": [{"incentiveDescription": [{"currency": "EUR"}]}]}], "tier"),
    ],
)
def test_bad_tables_are_named(function, data, where):
    head, parts = (
        ("tariff", "incentiveTable")
        if function == "incentiveTableData"
        else (
            "tariffDescription",
            "incentiveTableDescription",
        )
    )
    raw = message(function, {parts: [{head: {"tariffId": 1}, **entry} for entry in data]})
    with pytest.raises(SchemaViolation) as problem:
        FORMAT.decode(Frame(raw, 0), Conversation("3"))
    assert where in problem.value.detail
