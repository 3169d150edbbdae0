"""Migrations: applied once, whole or not at all, never edited."""

import threading
import uuid
from datetime import timedelta

import psycopg
import pytest

from schemas.facts import MEASURED, Reading
from schemas.sql import migrations
from schemas.time import SLOT_US
from streams import lookups, migrate
from tests.replay.made_days import DAY, day, live


@pytest.fixture
def fresh(database_url):
    """A name of a schema that is not there yet."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield name
    migrate.drop(database_url, name)


@pytest.fixture
def timescale(database_url):
    with psycopg.connect(database_url) as connection:
        found = connection.execute("select 1 from pg_extension where extname = 'timescaledb'").fetchone()
    return found is not None


def asked(url, query, *values):
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchall()


def there(url, schema):
    return [row[0] for row in asked(url, "select tablename from pg_tables where schemaname = %s order by 1", schema)]


def files_with(monkeypatch, *more):
    known = migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: [*known, *more])


def test_files_are_numbered_without_a_gap():
    numbers = [int(name[:4]) for name, _ in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(name.endswith(".sql") and text.startswith("--") for name, text in migrations())


def test_each_file_is_applied_once(database_url, fresh, timescale):
    expected = [name for name, _ in migrations() if timescale or ".timescale." not in name]
    assert migrate.migrate(database_url, fresh) == expected
    assert migrate.migrate(database_url, fresh) == []


def test_two_who_start_at_once_apply_each_file_once(database_url, fresh):
    done = []
    starting = [threading.Thread(target=lambda: done.extend(migrate.migrate(database_url, fresh))) for _ in range(4)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    assert sorted(done) == [row[0] for row in asked(database_url, f"select name from {fresh}.migration order by 1")]


def test_a_new_file_is_applied_to_an_old_schema(database_url, fresh, monkeypatch):
    migrate.migrate(database_url, fresh)
    files_with(monkeypatch, ("9999_later.sql", "create table later (x int)"))
    assert migrate.migrate(database_url, fresh) == ["9999_later.sql"]
    assert "later" in there(database_url, fresh)


def test_an_edited_file_is_noticed_and_nothing_is_applied(database_url, fresh, monkeypatch):
    migrate.migrate(database_url, fresh)
    (name, text), *rest = migrations()
    edited = [(name, text + "\n-- a little thing"), *rest, ("9999_later.sql", "create table later (x int)")]
    monkeypatch.setattr(migrate, "migrations", lambda: edited)
    with pytest.raises(migrate.MigrationError, match=f"{name} was edited after it was applied to schema {fresh}"):
        migrate.migrate(database_url, fresh)
    assert "later" not in there(database_url, fresh)


def test_a_file_that_fails_leaves_nothing_half(database_url, fresh, monkeypatch):
    files_with(monkeypatch, ("9999_broken.sql", "create table half (x int); select no_such_column"))
    with pytest.raises(migrate.MigrationError, match=r"9999_broken.sql does not apply.*no_such_column"):
        migrate.migrate(database_url, fresh)
    assert there(database_url, fresh) == []
    monkeypatch.undo()
    assert migrate.migrate(database_url, fresh) != []


def test_what_grows_is_a_hypertable_where_the_extension_is(database_url, schema, timescale):
    if not timescale:
        pytest.skip("this server has no TimescaleDB")
    rows = asked(
        database_url,
        "select hypertable_name, time_interval from timescaledb_information.dimensions where hypertable_schema = %s",
        schema,
    )
    a_day = timedelta(days=1)
    assert dict(rows) == {"edge": a_day, "trend": a_day, "sample": a_day, "slot_value": 7 * a_day}


def policies(url, schema):
    rows = asked(
        url,
        "select proc_name, hypertable_name, coalesce(config->>'compress_after', config->>'drop_after') "
        "from timescaledb_information.jobs where hypertable_schema = %s",
        schema,
    )
    return {(name.removeprefix("policy_"), table): after for name, table, after in rows}


def test_policies_are_there_only_where_messages_arrive(database_url, fresh, schema, timescale):
    if not timescale:
        pytest.skip("this server has no TimescaleDB")
    migrate.migrate(database_url, fresh, live=False)
    assert policies(database_url, fresh) == {}
    assert policies(database_url, schema) == {
        ("compression", "edge"): "60 days",
        ("compression", "trend"): "14 days",
        ("retention", "trend"): "400 days",
    }


def test_without_the_extension_the_same_tables_are_plain(database_url, schema, timescale):
    if timescale:
        pytest.skip("this server has TimescaleDB")
    assert not any(".timescale." in row[0] for row in asked(database_url, f"select name from {schema}.migration"))
    assert {"edge", "trend", "sample", "slot_value"} <= set(there(database_url, schema))


def test_an_extension_that_comes_later_takes_the_rows_with_it(database_url, fresh, timescale, monkeypatch):
    if not timescale:
        pytest.skip("this server has no TimescaleDB")
    monkeypatch.setattr(migrate, "_enable_timescale", lambda _connection: False)
    migrate.migrate(database_url, fresh)
    live(database_url, fresh, day(50))
    before = lookups.edges(database_url, fresh, "1EMH0000000001", DAY.start_us, DAY.end_us)
    monkeypatch.undo()
    assert all(".timescale." in name for name in migrate.migrate(database_url, fresh))
    assert lookups.edges(database_url, fresh, "1EMH0000000001", DAY.start_us, DAY.end_us) == before != []
    assert asked(
        database_url, "select count(*) from timescaledb_information.chunks where hypertable_schema = %s", fresh
    )


def test_a_late_reading_reaches_a_compressed_chunk(database_url, schema, timescale):
    if not timescale:
        pytest.skip("this server has no TimescaleDB")
    live(database_url, schema, day(50))
    with psycopg.connect(database_url) as connection:
        connection.execute(f"select compress_chunk(c) from show_chunks('{schema}.edge') as c")
    made, position, facts = day(50)[3]
    reading = Reading("1EMH0000000000", "device", "1-0:1.8.0", "import", made.time_us + SLOT_US // 3, 35, MEASURED)
    facts.readings[:] = [reading]
    live(database_url, schema, [(made, position, facts)])
    edges = lookups.edges(database_url, schema, "1EMH0000000000", DAY.start_us, DAY.end_us)
    assert [edge.last_mwh for edge in edges if edge.last_us == reading.time_us] == [35]
