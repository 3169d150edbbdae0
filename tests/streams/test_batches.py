"""The hot path in this process: what it holds in memory while the database lets it wait."""

import asyncio
import threading
import time
from datetime import date
from itertools import islice

import psycopg
import pytest
from psycopg import sql

from schemas.facts import Facts
from schemas.interfaces import interface
from streams.batches import BatchLoop, Limits
from streams.producer import EventProducer
from tests.scenario_day import events_of_day
from twin.observe import observe

TOPIC = interface("4").topic
EVENTS = 60
HELD = 10


def telling_events():
    """Events of a station that say something, each one fact at least."""
    for event in events_of_day(date(2026, 3, 29)):
        facts = Facts()
        observe(event, facts)
        if event.interface == "4" and sum(facts.counts()):
            yield event


@pytest.mark.parametrize(
    "limits",
    [Limits(chunk_records=1, batch_records=HELD), Limits(chunk_records=1, batch_facts=HELD)],
    ids=["records", "facts"],
)
def test_while_the_database_waits_no_more_is_read_than_a_batch_holds(kafka, database_url, schema, topic_prefix, limits):
    with EventProducer(kafka, prefix=topic_prefix) as producer:
        for event in islice(telling_events(), EVENTS):
            producer.send(event)
    loop = BatchLoop(
        kafka,
        database_url,
        schema,
        topics=[topic_prefix + TOPIC],
        group=topic_prefix,
        prefix=topic_prefix,
        limits=limits,
    )
    thread = threading.Thread(target=lambda: asyncio.run(loop.run()))

    with psycopg.connect(database_url) as other:
        other.execute(sql.SQL("lock table {}.progress in share mode").format(sql.Identifier(schema)))
        thread.start()
        held = settled(lambda: loop.measured.events)

    assert settled(lambda: loop.measured.events) == EVENTS
    loop.stop()
    thread.join(30)
    assert 1 < held <= 1 + HELD


def settled(count):
    """A number that has stayed the same for a while and is not zero."""
    known, since = count(), time.monotonic()
    while known == 0 or time.monotonic() - since < 2:
        time.sleep(0.05)
        if count() != known:
            known, since = count(), time.monotonic()
    return known
