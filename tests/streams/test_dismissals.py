"""Dismissals of quarantined messages are in the log, and make the same table in any order."""

import asyncio
import itertools

import psycopg
import pytest

from schemas.interfaces import QUARANTINE_TOPIC
from streams import quarantine
from streams.dismissals import dismissal_in, dismissal_records
from streams.reader import Rejected
from streams.records import quarantine_record

REJECTED = Rejected("15", "street.log", b"\x1b\x1b", 7, 0, "sml", "truncated", "ends too early", {})


def dismissal(because, *ids):
    (record,) = dismissal_records(ids, because)
    return record.value


def stored(url, schema, numbered):
    """The tables after these records of the topic, each with its offset."""

    async def store():
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute(f"set search_path to {schema}, public")
            await connection.execute("truncate quarantine, dismissal")
            for offset, value in numbered:
                await quarantine.store(connection, value, offset, (0, offset))
            rows = await connection.execute("select id, because, position from dismissal order by id")
            return await rows.fetchall()

    return asyncio.run(store())


def test_a_record_says_which_and_why():
    records = list(dismissal_records(["a", "b"], "wrong interface", "p."))
    assert [record.topic for record in records] == ["p." + QUARANTINE_TOPIC]
    assert dismissal_in(records[0].value) == (["a", "b"], "wrong interface")
    assert [len(dismissal_in(record.value).ids) for record in dismissal_records(["a"] * 25_000, "w")] == [
        *(10_000, 10_000, 5_000)
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        b"{",
        b'{"dismissed": "a", "because": "w"}',
        b'{"dismissed": [1], "because": "w"}',
        b'{"dismissed": ["a"]}',
        quarantine_record(REJECTED).value,
    ],
)
def test_what_is_no_dismissal_is_none(value):
    assert dismissal_in(value) is None


def test_the_last_dismissal_holds_in_any_order_and_may_come_before_its_entry(database_url, schema):
    log = list(
        enumerate(
            [
                quarantine_record(REJECTED).value,
                dismissal("a mistake", REJECTED.id, "other", "other"),
                dismissal("wrong interface\0", REJECTED.id),
            ]
        )
    )
    tables = {tuple(stored(database_url, schema, [*order, order[0]])) for order in itertools.permutations(log)}
    assert len(tables) == 1
    assert [row[1] for row in tables.pop()] == [
        because for _, because in sorted([(REJECTED.id, "wrong interface\N{SYMBOL FOR NULL}"), ("other", "a mistake")])
    ]
    assert quarantine.entries(database_url, schema) == []
    (entry,) = quarantine.entries(database_url, schema, quarantine.Choice(dismissed=True))
    assert (entry.id, entry.raw) == (REJECTED.id, REJECTED.raw)
