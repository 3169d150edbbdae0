"""The database merges as the memory does."""

import asyncio
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.facts import SlotValue
from streams import sink, tables
from tests.fact_strategies import events
from tests.scenario_day import batch_of
from tests.twin.test_day_laws import DAYS, disorders, expected_of, records_of
from tests.twin.test_merge_laws import merged_of, projection_of
from twin.merge.batch import Names
from twin.merge.columns import Merged

TABLES = "register, edge, signal, twin, trend, sample, series, slot_value, progress"


async def write_batches(url, schema, batches):
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await sink.prepare(connection, schema)
        await connection.execute(f"truncate {TABLES}")
        await connection.commit()
        for said in batches:
            await sink.write(connection, merged_of(said, Names()), {})


@given(said=events, random=st.randoms())
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_the_database_gives_the_digest_of_the_memory(database_url, schema, said, random):
    shuffled = said + said[:3]
    random.shuffle(shuffled)
    cut = random.randint(0, len(shuffled))
    asyncio.run(write_batches(database_url, schema, [shuffled[:cut], shuffled[cut:]]))
    assert list(tables.lines(database_url, schema)) == list(projection_of(said).lines())


def test_conflicting_values_stand_in_one_order_in_database_and_memory(database_url, schema):
    values = (10, 9, Decimal(-8600000), Decimal(-5700000), Decimal("9.5"), 0)
    facts = [SlotValue("setpoint", "GS-1", 0, value, "W", "measured", "2026-03-28T17:00:00Z") for value in values]
    said = [(f"{number:032x}", number, [fact]) for number, fact in enumerate(facts)]
    asyncio.run(write_batches(database_url, schema, [said]))
    held = list(tables.lines(database_url, schema))
    assert held == list(projection_of(said).lines())
    assert [line[-1] for line in held if line[0] == "slot_value"] == ["-8600000", "-5700000", "0", "9", "9.5", "10"]


async def write_spans(url, schema, *spans):
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await sink.prepare(connection, schema)
        for span in spans:
            await sink.write(connection, Merged(), {("if.15", 0): sink.Span(*span)})
        return await sink.stored_offsets(connection, [("if.15", 0), ("if.15", 1)])


def test_offsets_move_with_the_rows(database_url, schema):
    assert asyncio.run(write_spans(database_url, schema, (0, 5), (5, 9))) == {("if.15", 0): 9, ("if.15", 1): 0}


def test_a_batch_that_another_worker_wrote_is_refused_whole(database_url, schema):
    with pytest.raises(sink.OffsetMovedError):
        asyncio.run(write_spans(database_url, schema, (0, 5), (0, 7)))
    assert asyncio.run(write_spans(database_url, schema)) == {("if.15", 0): 5, ("if.15", 1): 0}


async def race(url, schema, shares):
    """Workers write their batches at the same time, each on a connection of its own."""

    async def work(batches):
        names = Names()
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await sink.prepare(connection, schema)
            for records in batches:
                batch = batch_of(records, names)
                await sink.write(connection, batch.merge(), {}, batch.quarantine)

    await asyncio.gather(*map(work, shares))


@given(
    day=st.sampled_from(DAYS),
    random=disorders,
    workers=st.integers(2, 5),
    size=st.integers(20, 300),
)
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_day_written_by_racing_workers_has_the_digest_of_the_memory(database_url, schema, day, random, workers, size):
    """Every actor's messages are spread over all workers, which is worse than what partitions do; nobody deadlocks."""
    records = records_of(day)
    said = [*records, *random.choices(records, k=len(records) // 10)]
    random.shuffle(said)
    shares = [said[number::workers] for number in range(workers)]
    batches = [[share[at : at + size] for at in range(0, len(share), size)] for share in shares]
    with psycopg.connect(database_url) as connection:
        connection.execute(f"set search_path to {schema}, public")
        connection.execute(f"truncate {TABLES}, quarantine")
    asyncio.run(race(database_url, schema, batches))
    assert tables.digest(database_url, schema) == expected_of(day)
