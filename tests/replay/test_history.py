"""The past of one actor or point: as it was, and as far as it was known."""

import random
from decimal import Decimal

import pytest

from replay.history import Said, events_in, quarters_in, twin_in
from schemas.facts import MEASURED, Facts, Observation, SlotValue
from schemas.time import HOUR_US, SLOT_US, format_time
from streams import lookups
from streams.archive.layout import Archive
from tests.replay.made_days import DAY, archived, day, event, live, said


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path)


def segments(events, size=60):
    return [events[start : start + size] for start in range(0, len(events), size)]


def seen(rows):
    return {row.attribute: (row.value, row.time_us) for row in rows}


@pytest.mark.parametrize("actor", ["meter:1", "interface:15"])
def test_the_newest_twin_is_the_live_one(database_url, schema, archive, actor):
    events = day()
    live(database_url, schema, events)
    random.Random(6).shuffle(events)
    archived(archive, *segments(events))
    expected = {row.attribute: row for row in lookups.twin(database_url, schema, actor)}
    found = {row.attribute: row for row in twin_in(archive, actor)}
    assert found == expected
    assert len(found) == (1 if actor == "interface:15" else 3)


def test_a_twin_at_a_time_knows_nothing_later(archive):
    archived(archive, *segments(day()))
    at_us = DAY.start_us + 5 * HOUR_US + 1
    expected = max(made.time_us for made, _, _ in day() if made.actor == "meter:2" and made.time_us <= at_us)
    assert {time_us for _, time_us in seen(twin_in(archive, "meter:2", at_us)).values()} == {expected}
    latest = max(made.time_us for made, _, _ in day() if made.time_us <= at_us)
    assert seen(twin_in(archive, "interface:15", at_us)) == {"last_message": (format_time(latest), latest)}


def test_a_twin_at_the_very_time_of_an_event_holds_it(archive):
    archived(archive, [said(3, DAY.start_us + 7)])
    assert len(twin_in(archive, "meter:0", DAY.start_us + 7)) == 3
    assert twin_in(archive, "meter:0", DAY.start_us + 6) == []


def test_what_was_recorded_later_was_not_known(archive):
    early = said(3, DAY.start_us, recorded_us=DAY.start_us + 10)
    late = said(6, DAY.start_us + 1, recorded_us=DAY.end_us)
    archived(archive, [early, late])
    assert seen(twin_in(archive, "meter:0", None, DAY.start_us + 10))["power"][1] == DAY.start_us
    assert seen(twin_in(archive, "meter:0", None, DAY.end_us))["power"][1] == DAY.start_us + 1
    assert seen(twin_in(archive, "interface:15", None, DAY.end_us - 1))["last_message"][1] == DAY.start_us
    assert twin_in(archive, "meter:0", None, DAY.start_us + 9) == []


def test_values_come_back_exactly(archive):
    facts = Facts([Observation("a", str(n), value, "", DAY.start_us) for n, value in enumerate(VALUES)])
    archived(archive, [(event(1, DAY.start_us), 1, facts)])
    assert [row.value for row in twin_in(archive, "a")] == VALUES


VALUES = [Decimal("0.1"), 7, "idle", True, None, Decimal("12345678901234567890.5")]


def test_quarter_hours_are_those_of_the_tables(database_url, schema, archive):
    events = day(700, DAY.start_us - 20 * HOUR_US, DAY.end_us + 20 * HOUR_US)
    live(database_url, schema, events)
    archived(archive, *segments(events))
    for point in ("1EMH0000000001", "DE-LU"):
        edges, values, cancelled = quarters_in(archive, point, *DAY)
        stored = lookups.edges(database_url, schema, point, *DAY)
        assert sorted(edges) == sorted(stored)
        assert set(values) == set(lookups.slot_values(database_url, schema, point, *DAY))
        assert cancelled == lookups.cancelled_documents(database_url, schema)
    assert values


def test_versions_that_were_not_known_are_left_out(archive):
    def told(number, value, recorded_us):
        price = SlotValue("price", "DE-LU", DAY.start_us, Decimal(value), "EUR/MWh", MEASURED, f"v{number}")
        return event(number, DAY.start_us, recorded_us=recorded_us), number, Facts(slot_values=[price])

    archived(archive, [told(1, "1.5", DAY.start_us), told(2, "2.5", DAY.end_us)])
    known = [quarters_in(archive, "DE-LU", *DAY, known_us)[1] for known_us in (DAY.start_us - 1, DAY.start_us, None)]
    assert [[value.value for value in values] for values in known] == [
        [],
        [Decimal("1.5")],
        [Decimal("1.5"), Decimal("2.5")],
    ]


def test_cancelled_documents_are_known_once_the_cancellation_is(archive):
    cancels = Facts([Observation("market-partner:9900", "document/X1", "cancelled", "", DAY.start_us)])
    archived(archive, [(event(1, DAY.start_us, recorded_us=DAY.end_us), 1, cancels), said(2, DAY.start_us)])
    assert quarters_in(archive, "P", *DAY, DAY.end_us)[2] == {"9900|X1"}
    assert quarters_in(archive, "P", *DAY, DAY.end_us - 1)[2] == set()


def test_events_about_an_actor_come_in_order_of_time_with_their_bytes(archive):
    events = day()
    random.Random(7).shuffle(events)
    archived(archive, *segments(events))
    expected = [made for made, _, _ in day() if made.actor == "meter:1" and made.time_us < DAY.start_us + HOUR_US]
    assert events_in(archive, "meter:1", DAY.start_us, DAY.start_us + HOUR_US) == expected
    assert len(expected) > 3


def test_an_event_without_time_counts_at_the_stamp_of_its_log(archive):
    timeless = event(1, DAY.start_us)._replace(time_us=None, log_time_us=DAY.start_us + 5, recorded_us=DAY.end_us)
    archived(archive, [(timeless, 1, Facts())])
    assert events_in(archive, timeless.actor, DAY.start_us + 5, DAY.start_us + 6) == [timeless]
    assert events_in(archive, timeless.actor, DAY.start_us + 6, DAY.start_us + 7) == []


def test_what_is_not_archived_yet_is_asked_too(archive):
    archived(archive, day(30))
    recent = [Said(*said(number, DAY.end_us - 99 + number)) for number in (31, 32, 33)]
    assert seen(twin_in(archive, "meter:0", None, None, lambda: recent))["power"][1] == DAY.end_us - 66
    assert seen(twin_in(archive, "interface:15", None, None, lambda: recent))["last_message"][1] == DAY.end_us - 66
    assert events_in(archive, "meter:1", DAY.end_us - SLOT_US, DAY.end_us, lambda: recent) == [recent[0].event]
    edges, values, _ = quarters_in(archive, "1EMH0000000001", *DAY, None, lambda: recent)
    assert (edges[-1].last_us, max(value.slot_us for value in values)) == (DAY.end_us - 68, DAY.end_us - SLOT_US)
