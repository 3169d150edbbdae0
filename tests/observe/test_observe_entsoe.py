"""Market prices as facts: one for each quarter hour of a zone."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.calendar import day_slots
from schemas.event import from_record, to_record
from schemas.facts import MEASURED, Facts, SlotValue
from schemas.time import HOUR_US, SLOT_US, format_time, parse_time
from schemas.wire.entsoe import encode_prices, prices_of, series_of
from streams.reader import read
from twin.observe.entsoe import observe

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "entsoe"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")

ZONE, EXCHANGE = "10Y1001A1001A82H", "10X1001A1001A450"
START_US = parse_time("2026-10-24T22:00:00Z")
CREATED_US = parse_time("2026-10-24T11:05:00Z")
VERSION = "2026-10-24T11:05:00Z|000001|doc-1"


def facts_of(raw):
    facts = Facts()
    for event in read(raw, "46"):
        observe(from_record(to_record(event)[1]), facts)
    return facts


def said_by(*series):
    return facts_of(encode_prices(prices_of("doc-1", CREATED_US, series, sender=EXCHANGE, receiver=EXCHANGE)))


def prices(*amounts, **more):
    return series_of(ZONE, START_US, map(Decimal, amounts), **more)


def by_slot(facts):
    return [((value.slot_us - START_US) // SLOT_US, str(value.value)) for value in facts.slot_values]


def reasons(facts):
    return [reject.reason for reject in facts.rejects]


@needs_samples
def test_the_sample_of_two_resolutions_gives_every_quarter_hour_of_three_days():
    facts = facts_of((SAMPLES / "BE_60M_15M_mix.xml").read_bytes())
    found = {format_time(value.slot_us): str(value.value) for value in facts.slot_values}
    assert (len(found), facts.rejects) == (288, [])
    assert found["2024-10-05T22:45:00Z"] == "55.35"
    assert found["2024-10-05T23:00:00Z"] == "44.22"
    assert found["2024-10-08T21:00:00Z"] == found["2024-10-08T21:45:00Z"] == "50"
    assert {(value.series, value.object, value.unit) for value in facts.slot_values} == {
        ("price.day-ahead", "10YBE----------2", "EUR/MWh")
    }


@needs_samples
def test_the_sample_with_gaps_is_filled_forward_and_told():
    facts = facts_of((SAMPLES / "BE_15M_avg.xml").read_bytes())
    found = {format_time(value.slot_us)[11:16]: str(value.value) for value in facts.slot_values}
    assert [found[at] for at in ("22:00", "22:15", "22:45", "23:00", "00:15", "00:30", "02:45", "03:00", "04:45")] == [
        *("55.35", "40.32", "28.71", "44.22", "44.22", "28.37", "28.37", "64.98", "64.98")
    ]
    assert (len(found), reasons(facts)) == (28, ["outside-the-period", "incomplete-day"])


@pytest.mark.parametrize("curve", ["A01", "A03"])
def test_both_curves_give_a_price_for_every_quarter_hour(curve):
    facts = said_by(prices("55.35", "55.35", "-0.01", "-0.01", curve=curve))
    assert by_slot(facts) == [(0, "55.35"), (1, "55.35"), (2, "-0.01"), (3, "-0.01")]
    assert facts.slot_values[0] == SlotValue(
        "price.day-ahead", ZONE, START_US, Decimal("55.35"), "EUR/MWh", MEASURED, VERSION
    )
    assert not facts.rejects


def test_the_price_of_an_hour_holds_for_its_four_quarter_hours():
    facts = said_by(prices("1", "2", resolution_s=3600))
    assert by_slot(facts) == [(0, "1"), (1, "1"), (2, "1"), (3, "1"), (4, "2"), (5, "2"), (6, "2"), (7, "2")]


def test_where_resolutions_mix_the_finest_holds():
    coarse, fine = prices("1", "2", resolution_s=3600), prices("5", "6")
    for order in ((coarse, fine), (fine, coarse)):
        assert by_slot(said_by(*order)) == [
            (0, "5"),
            (1, "6"),
            *((n, "1") for n in (2, 3)),
            *((n, "2") for n in (4, 5, 6, 7)),
        ]


def test_equal_intervals_with_different_prices_are_a_conflict_that_is_kept():
    assert by_slot(said_by(prices("5"), prices("6"), prices("5"))) == [(0, "5"), (0, "6")]


def test_a_second_auction_is_a_series_of_its_own():
    facts = said_by(prices("5"), prices("6") | {"sequence": 2}, prices("7") | {"contract": "A07"})
    assert {value.series: str(value.value) for value in facts.slot_values} == {
        "price.day-ahead": "5",
        "price.day-ahead.2": "6",
        "price.intraday": "7",
    }


@pytest.mark.parametrize(("curve", "slots"), [("A01", [1, 3]), ("A03", [1, 2, 3])])
def test_a_point_that_is_missing_is_a_gap_only_where_the_curve_says_so(curve, slots):
    series = prices("0", "1", "2", "3", curve=curve)
    series["periods"][0]["points"] = [[2, Decimal(1)], [4, Decimal(3)]]
    facts = said_by(series)
    assert [slot for slot, _ in by_slot(facts)] == slots
    assert reasons(facts) == ["incomplete-curve"]


@pytest.mark.parametrize(("day", "count"), [((2026, 3, 29), 92), ((2026, 7, 7), 96), ((2026, 10, 25), 100)])
def test_a_legal_day_has_92_96_or_100_prices(day, count):
    slots = day_slots(date(*day))
    whole = series_of(ZONE, slots[0], [Decimal(n) for n in range(count)], curve="A01")
    assert (len(said_by(whole).slot_values), said_by(whole).rejects) == (count, [])
    whole["periods"][0]["points"].pop()
    facts = said_by(whole)
    assert reasons(facts) == ["incomplete-curve", "incomplete-day"]
    assert facts.rejects[1].detail == (
        f"price.day-ahead of {ZONE}: {count - 1} prices for the {count} quarter hours of {date(*day)}"
    )


@pytest.mark.parametrize("resolution_s", [300, 1200])
def test_intervals_that_are_no_quarter_hours_are_rejected(resolution_s):
    facts = said_by(prices("1", "2", "3", resolution_s=resolution_s))
    assert (facts.slot_values, reasons(facts)) == ([], ["not-a-quarter-hour"])


def test_a_price_beyond_reason_is_set_aside():
    facts = said_by(prices("5", "99999", "6"))
    assert (by_slot(facts), reasons(facts)) == ([(0, "5"), (2, "6")], ["implausible-price"])


def test_a_document_says_up_to_when_prices_are_known():
    said = {(o.actor, o.attribute): o.value for o in said_by(prices("1", resolution_s=3600)).observations}
    assert said == {
        (f"energy-market:{ZONE}", "last_document"): "doc-1",
        (f"energy-market:{ZONE}", "prices_until"): format_time(START_US + HOUR_US),
    }


def test_prices_may_be_known_beyond_the_period_that_was_asked_for():
    document = prices_of("doc-1", CREATED_US, [prices("1", "2", resolution_s=3600)], sender=EXCHANGE, receiver=EXCHANGE)
    said = {
        o.attribute: o.value for o in facts_of(encode_prices(document | {"until_us": START_US + HOUR_US})).observations
    }
    assert said["prices_until"] == format_time(START_US + 2 * HOUR_US)


def test_an_acknowledgement_says_why_there_are_no_prices():
    raw = f"""<Acknowledgement_MarketDocument><mRID>a</mRID><createdDateTime>2026-10-24T11:06:00Z</createdDateTime>
<sender_MarketParticipant.mRID>{EXCHANGE}</sender_MarketParticipant.mRID>
<receiver_MarketParticipant.mRID>{EXCHANGE}</receiver_MarketParticipant.mRID>
<received_MarketDocument.mRID>doc-1</received_MarketDocument.mRID>
<Reason><code>999</code><text>No matching data found</text></Reason></Acknowledgement_MarketDocument>""".encode()
    said = {o.attribute: o.value for o in facts_of(raw).observations}
    assert said == {"acknowledgement": "999 No matching data found", "acknowledged_document": "doc-1"}
