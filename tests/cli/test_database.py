"""``twin migrate`` and ``twin sql``."""

import os
import subprocess
import sys
import uuid

import pytest

from streams import migrate
from streams.embedded import postgres


@pytest.fixture
def psql(street):
    """Function: run ``twin sql`` as a process, for it becomes psql."""

    def run(*arguments, **more):
        return subprocess.run(
            [sys.executable, "-m", "cli.main", "sql", *arguments],
            env={**os.environ, **street.environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_migrating_makes_the_tables_once(twin, database_url):
    name = f"test_{uuid.uuid4().hex[:12]}"
    try:
        first = twin("migrate", TWIN_SCHEMA=name)
        assert (first.exit_code, first.stdout.splitlines()[0]) == (0, "applied 0001_projections_create.sql")
        again = twin("migrate", TWIN_SCHEMA=name)
        assert (again.exit_code, again.stdout) == (0, "the database is up to date\n")
    finally:
        migrate.drop(database_url, name)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TWIN_SCHEMA": "Not A Name"}, "TWIN_SCHEMA is 'Not A Name'"),
        ({"TWIN_DATABASE_URL": "mysql://here"}, "TWIN_DATABASE_URL has to be like postgresql://"),
        ({"TWIN_DATABASE_URL": "postgresql://127.0.0.1:9/none"}, "does not answer"),
    ],
)
def test_migrating_what_cannot_be_is_one_sentence(twin, environment, sentence):
    refused = twin("migrate", **environment)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert sentence in refused.stderr


@pytest.mark.parametrize("path", [os.environ["PATH"], "/nowhere"], ids=["the machine's psql", "the bundled psql"])
def test_sql_asks_the_live_schema_and_says_nothing_else(psql, path):
    done = psql("-XAtc", "select count(*) > 0, current_schema() ~ '^test_' from edge", PATH=path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "t|t\n", "")


def test_the_exit_code_of_sql_is_that_of_psql(psql):
    refused = psql("-v", "ON_ERROR_STOP=1", "-c", "select * from nothing")
    assert refused.returncode == 1
    assert 'relation "nothing" does not exist' in refused.stderr


def test_without_any_psql_the_sentence_says_what_to_install(bare, street, monkeypatch):
    def unavailable():
        raise postgres.PostgresUnavailable

    monkeypatch.setattr(postgres, "programs", unavailable)
    refused = bare("sql", **street.environment | {"PATH": "/nowhere"})
    assert refused.exit_code == 1
    assert refused.stderr == "twin: there is no psql on this machine; install the PostgreSQL client\n"
