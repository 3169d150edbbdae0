"""Rows of a replay are written on threads of their own; whatever breaks off the replay, they come to an end."""

import threading
from decimal import Decimal

import psycopg
import pytest

from replay.load import TableWriter
from schemas.facts import Observation
from streams import migrate, sink
from twin.merge.batch import Batch, Names


@pytest.fixture
def tables_of_a_run(database_url, schema):
    migrate.drop(database_url, schema)
    migrate.migrate(database_url, schema, live=False)
    return database_url, schema


def signal_rows(number):
    """COPY's bytes of one row."""
    batch = Batch(Names())
    batch.facts.observations.append(Observation(f"meter:{number}", "power", Decimal(number), "W", number))
    batch.close_event(f"{number:032x}", number)
    return next(data for table, data in sink.staged(batch.merge(), []) if table.name == "signal")


def written(url, schema):
    with psycopg.connect(url) as connection:
        return connection.execute(f"select count(*) from {schema}.signal").fetchone()[0]


@pytest.mark.parametrize("new", [True, False], ids=["copied", "merged"])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_all_rows_are_there_at_the_end(tables_of_a_run, rows, new):
    with TableWriter(*tables_of_a_run, "signal") as writer:
        for number in range(rows):
            writer.put(signal_rows(number), new=new)
    assert (writer.rows, written(*tables_of_a_run)) == (rows, rows)


@pytest.mark.timeout(60)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("new", [True, False], ids=["copied", "merged"])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_replay_that_is_broken_off_ends_its_writers(tables_of_a_run, rows, new):
    def begun():
        with TableWriter(*tables_of_a_run, "signal") as writer:
            for number in range(rows):
                writer.put(signal_rows(number), new=new)
            raise KeyboardInterrupt if new else KeyError

    with pytest.raises(KeyboardInterrupt if new else KeyError):
        begun()
    assert not any(thread.name == "write-signal" for thread in threading.enumerate())
    migrate.drop(*tables_of_a_run)


@pytest.mark.timeout(60)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_replay_that_is_stopped_while_it_waits_for_its_last_rows_ends_its_writers(tables_of_a_run, monkeypatch):
    url, schema = tables_of_a_run

    def stop():
        raise KeyboardInterrupt

    def stopped():
        with TableWriter(url, schema, "signal") as writer:
            writer.put(signal_rows(1), new=False)
            monkeypatch.setattr(writer._thread, "join", stop)

    with psycopg.connect(url) as holding:
        holding.execute(f"lock table {schema}.signal")
        with pytest.raises(KeyboardInterrupt):
            stopped()
    migrate.drop(url, schema)  # would wait for ever for a writer that has not ended


@pytest.mark.timeout(60)
def test_rows_that_the_database_refuses_end_the_replay(tables_of_a_run):
    def refused():
        with TableWriter(*tables_of_a_run, "signal") as writer:
            for _ in range(20):
                writer.put(b"no row of COPY", new=False)

    with pytest.raises(psycopg.Error):
        refused()
    assert written(*tables_of_a_run) == 0
