"""A comparison names what differs, and only that."""

from decimal import Decimal

import pytest

from replay.compare import compare, compare_window
from schemas.facts import INDICATIVE, MEASURED, Facts, Observation, Reading, Sample, SlotValue
from schemas.time import HOUR_US, MINUTE_US, SLOT_US
from streams import migrate
from tests.replay.made_days import DAY, day, event, live, said

AT = DAY.start_us + HOUR_US


@pytest.fixture
def other(database_url, schema):
    name = f"{schema}_other"
    migrate.migrate(database_url, name, live=False)
    yield name
    migrate.drop(database_url, name)


def saying(number, **facts):
    return event(number, AT), number, Facts(**facts)


def found(url, schema, other, left, right):
    live(url, schema, left)
    live(url, other, right)
    return compare_window(url, schema, other, DAY)


def test_equal_runs_differ_in_nothing(database_url, schema, other):
    result = found(database_url, schema, other, day(60), day(60)[::-1])
    assert result.equal
    assert result.compared["edge"] > 100
    assert all(result.compared.values())


def test_positions_are_not_compared(database_url, schema, other):
    moved = [(made, position + 7, facts) for made, position, facts in day(20)]
    assert found(database_url, schema, other, day(20), moved).equal


@pytest.mark.parametrize(
    ("kind", "name", "left", "right"),
    [
        (
            "twin",
            ("meter:9", "power"),
            {"observations": [Observation("meter:9", "power", "a", "W", AT)]},
            {"observations": [Observation("meter:9", "power", "b", "W", AT)]},
        ),
        (
            "edge",
            ("P", "D", "1-0:1.8.0", "import", MEASURED, ""),
            {"readings": [Reading("P", "D", "1-0:1.8.0", "import", AT, 5, MEASURED)]},
            {"readings": [Reading("P", "D", "1-0:1.8.0", "import", AT, 6, MEASURED)]},
        ),
        (
            "sample",
            ("P", INDICATIVE),
            {"samples": [Sample("P", 5, AT, INDICATIVE)]},
            {"samples": [Sample("P", 6, AT, INDICATIVE)]},
        ),
        (
            "slot_value",
            ("price", "DE-LU", "EUR/MWh", "v1"),
            {"slot_values": [SlotValue("price", "DE-LU", AT, Decimal("1.5"), "EUR/MWh", MEASURED, "v1")]},
            {"slot_values": [SlotValue("price", "DE-LU", AT, Decimal("1.6"), "EUR/MWh", MEASURED, "v1")]},
        ),
    ],
)
def test_a_row_that_differs_is_named_with_both_values(database_url, schema, other, kind, name, left, right):
    result = found(database_url, schema, other, [saying(1, **left)], [saying(1, **right)])
    assert [(entry.kind, entry.name) for entry in result.differing] == [(kind, name)]
    assert result.differing[0].time_us == (None if kind == "twin" else AT)
    assert None not in (result.differing[0].left, result.differing[0].right)
    assert result.differing[0].left != result.differing[0].right


def test_a_value_that_is_claimed_with_another_quality_says_both(database_url, schema, other):
    def claimed(quality):
        return [saying(1, slot_values=[SlotValue("price", "DE-LU", AT, Decimal("1.5"), "EUR/MWh", quality, "v1")])]

    (entry,) = found(database_url, schema, other, claimed(MEASURED), claimed(INDICATIVE)).differing
    assert (entry.left, entry.right) == ({"claimed": ["measured 1.5"]}, {"claimed": ["indicative 1.5"]})


def test_a_missing_row_has_one_side_only(database_url, schema, other):
    lonely = saying(1, observations=[Observation("meter:9", "power", 4, "W", AT)])
    result = found(database_url, schema, other, [lonely], [saying(1)])
    assert {(entry.kind, entry.right) for entry in result.differing} == {("twin", None), ("trend", None)}
    trend = next(entry for entry in result.differing if entry.kind == "trend")
    assert (trend.left["last"], trend.time_us) == (4, AT - AT % MINUTE_US)


def test_twins_observed_since_have_moved_on_and_are_no_difference(database_url, schema, other):
    result = found(database_url, schema, other, [*day(60), said(61, DAY.end_us)], day(60))
    assert result.equal
    assert ("meter:1", "power") in result.moved_on
    assert ("interface:15", "last_message") in result.moved_on


def test_other_days_are_not_compared(database_url, schema, other):
    more = [*day(60), said(61, DAY.start_us - SLOT_US)]
    more[-1][2].observations.clear()
    assert found(database_url, schema, other, more, day(60)).equal


def test_a_run_that_is_not_there_is_named(database_url, schema):
    with pytest.raises(LookupError, match="no run named nowhere"):
        compare_window(database_url, schema, "nowhere", DAY)


def test_a_day_is_a_legal_day(database_url, schema, other):
    from datetime import date

    live(database_url, schema, [said(1, DAY.start_us)])
    assert {entry.kind for entry in compare(database_url, schema, other, date(2026, 3, 29)).differing} >= {"edge"}
    assert {entry.kind for entry in compare(database_url, schema, other, date(2026, 3, 28)).differing} == set()
