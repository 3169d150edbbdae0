"""What tests of several rooms share: a Kafka broker, a database server, a schema of its own for each test."""

import os
import uuid
from itertools import islice

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from streams import migrate
from streams.topics import catalogue, ensure_topics


@pytest.fixture(scope="session")
def kafka():
    """``host:port`` of the broker of this test run, or of the one that ``TWIN_TEST_KAFKA`` names."""
    return os.environ["TWIN_TEST_KAFKA"]


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
