"""What tests of several rooms share: a Kafka broker, a database server, a schema of its own for each test."""

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress
from itertools import islice
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from streams import migrate
from streams.topics import catalogue, ensure_topics

# How long an example takes says nothing of a law: the machine may be busy.
settings.register_profile("laws", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("laws")

RUN_FOLDER = "TWIN_TEST_RUN"
"""Names the folder that all worker processes of one test run share."""


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return
    os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="gegenstrom-test-")
    forget_the_developers_stack()


def forget_the_developers_stack():
    """``.twin`` in this folder, with its stack and point lists, and what the shell names are none of the tests' own."""
    for name in [name for name in os.environ if name.startswith("TWIN_")]:
        if not name.startswith("TWIN_TEST_") and name != "TWIN_CACHE":
            del os.environ[name]
    os.environ["TWIN_HOME"] = str(Path(os.environ[RUN_FOLDER]) / "home")


def pytest_unconfigure(config):
    if hasattr(config, "workerinput"):
        return
    run = Path(os.environ.pop(RUN_FOLDER))
    if (run / "pid").exists():
        with suppress(psutil.NoSuchProcess):
            broker = psutil.Process(int((run / "pid").read_text()))
            broker.kill()
            broker.wait(10)
    shutil.rmtree(run)


def pytest_collection_modifyitems(items):
    """Mark what touches the database; files that take long go first, so that no process works on alone at the end."""
    for item in items:
        if "database_url" in getattr(item, "fixturenames", ()):
            item.add_marker("database")
    long = {item.path for item in items if any(map(item.get_closest_marker, ("stack", "whole_day")))}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def kafka():
    """``host:port`` of the one broker of this test run, or of the one that ``TWIN_TEST_KAFKA`` names."""
    if named := os.environ.get("TWIN_TEST_KAFKA"):
        return named
    run = Path(os.environ[RUN_FOLDER])
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "address").exists():
            (run / "address").write_text(start_broker(run))
    return (run / "address").read_text()


def start_broker(run):
    from streams.embedded import kafka as embedded_kafka

    port, controller_port = free_ports(2)
    command = embedded_kafka.prepare(run, port, controller_port)
    with (run / "kafka.log").open("wb") as log:
        broker = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    (run / "pid").write_text(str(broker.pid))
    address = f"127.0.0.1:{port}"
    for _ in range(240):
        if broker.poll() is not None:
            break
        if embedded_kafka.ready(address):
            return address
        time.sleep(0.25)
    raise AssertionError(f"the broker does not answer: {(run / 'kafka.log').read_text()[-2000:]}")


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@pytest.fixture
def topic_prefix(kafka):
    """A prefix under which the topics of the catalogue exist for one test."""
    prefix = f"test-{uuid.uuid4().hex[:10]}."
    ensure_topics(kafka, prefix=prefix, partitions=3)
    yield prefix
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.delete_topics(list(catalogue(prefix)))
    admin.close()


@pytest.fixture
def records_of(kafka):
    """Function: every record of a topic, partition after partition as they come."""

    def read(topic):
        consumer = KafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", consumer_timeout_ms=10_000)
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        records = list(islice(consumer, sum(consumer.end_offsets(partitions).values())))
        consumer.close()
        return records

    return read


@pytest.fixture(scope="session")
def database_url():
    """The server named by TWIN_TEST_DATABASE_URL."""
    url = os.environ.get("TWIN_TEST_DATABASE_URL")
    if not url:
        pytest.skip("TWIN_TEST_DATABASE_URL names no server; tests/run starts one")
    return url


@pytest.fixture
def schema(database_url):
    """A migrated schema that only this test sees."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    migrate.migrate(database_url, name)
    yield name
    migrate.drop(database_url, name)
