"""A replay from messages decodes them again, in the order of their log, and gives what live would have now."""

import random

import pytest

from replay import from_messages, shares
from schemas.event import UNDECODED
from schemas.facts import Facts
from schemas.time import HOUR_US, SLOT_US
from streams import migrate, tables
from streams.archive import observing
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


@pytest.fixture
def decoded(monkeypatch):
    """Events that were decoded again, in order; their facts are those that :func:`said` makes of their number."""
    order = []

    def read_again(kept, conversations):
        memory = conversations.of(kept.interface, kept.source).memory
        memory["before"] = (*memory.get("before", ()), int(kept.raw))
        order.append((kept.source, int(kept.raw), len(memory["before"])))
        return [kept._replace(type="sml.list")]

    def observe(event, facts):
        if event.raw == b"13":
            raise KeyError("thirteen")
        meant = said(int(event.raw), event.time_us)[2]
        for kind in ("observations", "readings", "samples", "slot_values"):
            getattr(facts, kind).extend(getattr(meant, kind))

    monkeypatch.setattr(from_messages, "read_again", read_again)
    monkeypatch.setattr(observing, "observe", observe)
    return order


def replayed(archive, url, into, window=DAY):
    migrate.drop(url, into)
    migrate.migrate(url, into, live=False)
    from_messages.run(archive, url, window, into, lambda _done, _of: None)
    return list(tables.lines(url, into))


def without_facts(events):
    return [(made, position, Facts()) for made, position, _ in events]


def unobservable(events):
    return [(made, position, Facts() if made.raw == b"13" else facts) for made, position, facts in events]


@pytest.mark.parametrize("share_bytes", [1, 1 << 30])
def test_live_equals_a_replay_of_the_messages(database_url, schema, into, archive, decoded, monkeypatch, share_bytes):
    monkeypatch.setattr(shares, "SHARE_BYTES", share_bytes)
    monkeypatch.setattr(shares, "_PART_ROWS", 50)
    events = day(200)
    live(database_url, schema, unobservable(events))
    random.Random(4).shuffle(events)
    archived(archive, *(without_facts(events[start : start + 70]) for start in range(0, 200, 70)))
    assert replayed(archive, database_url, into) == list(tables.lines(database_url, schema))


def test_messages_of_a_conversation_come_in_the_order_of_their_log(database_url, into, archive, decoded):
    events = [(made._replace(source=f"box{made.offset % 2}"), *rest) for made, *rest in day(60)]
    random.Random(5).shuffle(events)
    archived(archive, events[:25], events[25:])
    replayed(archive, database_url, into)
    for source in ("box0", "box1"):
        numbers = [number for name, number, _ in decoded if name == source]
        assert (len(numbers), numbers) == (30, sorted(numbers))
        assert [count for name, _, count in decoded if name == source] == list(range(1, 31))


def test_messages_of_other_days_are_decoded_only_if_they_speak_of_the_day(database_url, into, archive, decoded):
    document = said(9000, DAY.end_us + 30 * HOUR_US)
    document[2].slot_values[0] = document[2].slot_values[0]._replace(slot_us=DAY.start_us + SLOT_US)
    planned = said(9002, DAY.start_us - 300 * HOUR_US)
    planned[2].observations[0] = planned[2].observations[0]._replace(time_us=DAY.start_us + SLOT_US)
    archived(archive, day(20), [document, said(9001, DAY.end_us + 40 * HOUR_US), planned])
    replayed(archive, database_url, into)
    assert {number for _, number, _ in decoded} == {*range(20), 9000, 9002}


def test_a_message_that_had_no_decoder_is_decoded_whenever_it_came(database_url, into, archive, decoded):
    late = said(9000, DAY.end_us + 30 * HOUR_US)[0]._replace(type=UNDECODED)
    archived(archive, [(late, 9000, Facts())])
    replayed(archive, database_url, into)
    assert [number for _, number, _ in decoded] == [9000]


def test_twins_start_as_the_archived_facts_left_them(database_url, schema, into, archive, decoded):
    before = [said(number, DAY.start_us - 30 * HOUR_US + number) for number in range(1000, 1004)]
    before[0][2].observations[0] = before[0][2].observations[0]._replace(actor="meter:old")
    live(database_url, schema, [*before, *unobservable(day(20))])
    archived(archive, before, without_facts(day(20)))
    twins = [line for line in tables.lines(database_url, schema) if line[0] == "twin"]
    assert [line for line in replayed(archive, database_url, into) if line[0] == "twin"] == twins
