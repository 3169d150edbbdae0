"""A replay from facts gives what live has, whatever lies where in the archive."""

import random
from decimal import Decimal

import pytest

from replay import from_facts, load
from replay.reading import Window
from schemas.facts import MEASURED, Facts, SlotValue
from schemas.time import HOUR_US, SLOT_US
from streams import migrate, tables
from streams.archive.layout import Archive
from tests.replay.made_days import DAY, archived, day, live, said


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path)


@pytest.fixture
def into(database_url, schema):
    name = f"{schema}_again"
    yield name
    migrate.drop(database_url, name)


def replayed(archive, url, into, window=DAY):
    migrate.drop(url, into)
    migrate.migrate(url, into, live=False)
    from_facts.run(archive, url, window, into, lambda _done, _of: None)
    return list(tables.lines(url, into))


def test_live_equals_replay(database_url, schema, into, archive):
    events = day()
    live(database_url, schema, events)
    archived(archive, events[:150], events[150:])
    assert replayed(archive, database_url, into) == list(tables.lines(database_url, schema))


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_and_doubled_segments_change_nothing(database_url, schema, into, archive, seed):
    events = day()
    live(database_url, schema, events)
    shuffled = events + events[::7]
    random.Random(seed).shuffle(shuffled)
    archived(archive, *(shuffled[start : start + 60] for start in range(0, len(shuffled), 60)))
    assert replayed(archive, database_url, into) == list(tables.lines(database_url, schema))


def test_many_open_rows_are_written_early_and_merged_by_the_database(database_url, schema, into, archive, monkeypatch):
    monkeypatch.setattr(load, "_WRITTEN_ROWS", 16)
    monkeypatch.setattr(load, "OPEN_ROWS", 50)
    events = day()
    live(database_url, schema, events)
    random.Random(3).shuffle(events)
    archived(archive, *(events[start : start + 90] for start in range(0, len(events), 90)))
    assert replayed(archive, database_url, into) == list(tables.lines(database_url, schema))


def test_rows_that_are_final_are_written_while_others_come(database_url, schema, into, archive, monkeypatch):
    monkeypatch.setattr(load, "_WRITTEN_ROWS", 16)
    events = day()
    live(database_url, schema, events)
    archived(archive, *(events[start : start + 40] for start in range(0, len(events), 40)))
    assert replayed(archive, database_url, into) == list(tables.lines(database_url, schema))


@pytest.mark.parametrize("limit", [0, 5])
def test_names_that_every_segment_tells_are_kept_once_with_the_widest_form(
    database_url, schema, into, archive, monkeypatch, limit
):
    monkeypatch.setattr(from_facts, "_NAME_ROWS", limit)
    events = day()
    for number, (_, _, facts) in enumerate(events):
        facts.readings[:] = [reading._replace(digits=number // 40 % 4) for reading in facts.readings]
    live(database_url, schema, events)
    archived(archive, *(events[start : start + 40] for start in range(0, len(events), 40)))
    assert replayed(archive, database_url, into) == list(tables.lines(database_url, schema))


def test_only_the_day_and_its_neighbouring_hours_come(database_url, into, archive):
    archived(archive, day(300, DAY.start_us - 30 * HOUR_US, DAY.end_us + 30 * HOUR_US))
    found = {}
    for line in replayed(archive, database_url, into):
        column = {"edge": 2, "trend": 2, "sample": 3, "slot_value": 2, "twin": 5}.get(line[0])
        if column:
            found.setdefault(line[0], []).append(int(line[column]))
    for kind in ("trend", "sample", "slot_value"):
        assert DAY.start_us <= min(found[kind]) < DAY.start_us + SLOT_US
        assert DAY.end_us - 2 * SLOT_US <= max(found[kind]) < DAY.end_us
    assert DAY.start_us - 2 * HOUR_US <= min(found["edge"]) < DAY.start_us - HOUR_US
    assert DAY.end_us + HOUR_US < max(found["edge"]) < DAY.end_us + 2 * HOUR_US
    assert max(found["twin"]) < DAY.end_us


def test_twins_start_as_they_stood_at_the_days_start(database_url, schema, into, archive):
    before = [said(1000 + number, DAY.start_us - (50 - number) * HOUR_US) for number in range(3)]
    lonely = said(7000, DAY.start_us - 40 * HOUR_US)
    lonely[2].observations[0] = lonely[2].observations[0]._replace(actor="meter:old")
    live(database_url, schema, [*before, lonely, *day()])
    archived(archive, [lonely], before, day())
    twins = [line for line in tables.lines(database_url, schema) if line[0] == "twin"]
    assert [line for line in replayed(archive, database_url, into) if line[0] == "twin"] == twins
    assert "meter:old" in {line[1] for line in twins}


def test_late_messages_and_documents_of_another_day_are_taken(database_url, schema, into, archive):
    late = [said(9000 + n, DAY.start_us + n * HOUR_US, recorded_us=DAY.end_us + 40 * HOUR_US) for n in range(5)]
    document, position, _ = said(9100, DAY.end_us + 20 * HOUR_US)
    value = SlotValue("price", "DE-LU", DAY.start_us + 3 * SLOT_US, Decimal("77.5"), "EUR/MWh", MEASURED, "v9")
    spoken = (document._replace(time_us=None), position, Facts(slot_values=[value]))
    live(database_url, schema, [*day(), *late, spoken])
    archived(archive, day(), [spoken, *late])
    again = replayed(archive, database_url, into)
    assert again == list(tables.lines(database_url, schema))
    assert "77.5" in {line[5] for line in again if line[0] == "slot_value"}


def test_an_empty_stretch_gives_empty_tables(database_url, into, archive):
    archived(archive, day(10))
    assert replayed(archive, database_url, into, Window(0, HOUR_US)) == []
