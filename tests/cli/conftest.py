"""One street that lived one day, in Kafka, in the database and in the archive; and ``twin`` as a function."""

import logging
import os
import subprocess
import sys
import uuid
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from kafka import KafkaAdminClient

from cli.main import main
from replay.publish import PREFIX
from replay.scenario import write_day
from streams import lag, migrate, sealing
from streams.ingest import send_files
from streams.settings import settings
from streams.sources import find
from streams.topics import catalogue, ensure_topics
from tests.cli.said import wait_for

DAY = date(2026, 3, 29)


@pytest.fixture(scope="session")
def street(kafka, database_url, tmp_path_factory):
    """Two houses on 2026-03-29: ingested, written by a worker, archived. Tests add to it and take nothing away."""
    home = tmp_path_factory.mktemp("home")
    name = uuid.uuid4().hex[:10]
    environment = {
        "TWIN_HOME": str(home),
        "TWIN_KAFKA": kafka,
        "TWIN_DATABASE_URL": database_url,
        "TWIN_TOPIC_PREFIX": f"test-{name}.",
        "TWIN_SCHEMA": f"test_{name}",
    }
    config = settings(environment)
    written = write_day(DAY, home / "street", sites=2, ocpp_interval_s=300)
    ensure_topics(kafka, prefix=config.topic_prefix, partitions=2)
    migrate.migrate(database_url, config.schema)
    with (home / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams.worker"],
            env={**os.environ, **environment, "TWIN_READY_FILE": str(home / "worker.ready")},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: (home / "worker.ready").exists() or worker.poll() is not None)
        assert worker.poll() is None, (home / "worker.log").read_text()[-2000:]
        for interface in written.messages:
            send_files(config, find(home / "street" / interface.zfill(2)), interface)
        lag.wait_until_written(config, 60)
        sealing.seal(config, DAY)
        yield SimpleNamespace(
            config=config,
            environment=environment,
            files=home / "street",
            messages=written.messages,
            written=lambda: lag.wait_until_written(config, 30),
        )
    finally:
        worker.terminate()
        worker.wait(30)
        for schema in (config.schema, f"{config.schema}_again"):
            migrate.drop(database_url, schema)
        admin = KafkaAdminClient(bootstrap_servers=kafka)
        made = {topic for prefix in ("", PREFIX) for topic in catalogue(config.topic_prefix + prefix)}
        admin.delete_topics(sorted(made & set(admin.list_topics())))
        admin.close()


@pytest.fixture
def bare():
    """Function: run ``twin`` as a person would, with no stack unless the environment names one."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)

    def run(*arguments, stdin=None, **environment):
        with piped(stdin):
            return CliRunner().invoke(main, list(map(str, arguments)), env=environment)

    yield run
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def twin(street, bare):
    """Function: run ``twin`` on the street."""
    return lambda *arguments, stdin=None, **more: bare(*arguments, stdin=stdin, **street.environment | more)


@contextmanager
def piped(data):
    """A pipe with these bytes as the standard input of this process."""
    if data is None:
        yield
        return
    outlet, inlet = os.pipe()
    os.write(inlet, data)
    os.close(inlet)
    kept = os.dup(0)
    os.dup2(outlet, 0)
    os.close(outlet)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
