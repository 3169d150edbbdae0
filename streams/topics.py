"""The topics of the catalogue in Kafka: made once, in one place, with what each promises."""

import logging
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from schemas.interfaces import CONTROL_TOPIC, INTERFACES, QUARANTINE_TOPIC

RECORD_LIMIT_BYTES = 16 * 1024 * 1024
"""The largest record: a month of quarter hours of many metering points in one file."""

QUARANTINE_RETENTION_DAYS = 400
"""Rejected messages wait longer than others: for a fix, and for the yearly bill in which they are missing."""

CONTROL_RETENTION_DAYS = 30

_REPLICAS = 3
_DAY_MS = 24 * 3600 * 1000

_log = logging.getLogger(__name__)


class TopicsMissing(Exception):
    """Kafka is there, but the topics could not be made."""


class Promise(NamedTuple):
    """What a topic of the catalogue promises."""

    partitions: int
    retention_days: int


def catalogue(prefix: str = "") -> dict[str, Promise]:
    """Every topic by name: one for each interface, the quarantine, the control topic."""
    promises = {prefix + entry.topic: Promise(entry.partitions, entry.retention_days) for entry in INTERFACES.values()}
    promises[prefix + QUARANTINE_TOPIC] = Promise(1, QUARANTINE_RETENTION_DAYS)
    promises[prefix + CONTROL_TOPIC] = Promise(1, CONTROL_RETENTION_DAYS)
    return promises


def ensure_topics(bootstrap: str, *, prefix: str = "", partitions: int | None = None, timeout_s: float = 30.0) -> int:
    """Make the topics that are not there yet, and wait until all are ready to be written.

    Args:
        bootstrap: ``host:port`` of one or more brokers, parted by commas.
        prefix: put before each name, so that several twins can share a cluster.
        partitions: the most a topic is made with; None: as many as the catalogue says.
        timeout_s: how long to wait for Kafka.

    Returns:
        How many were made.

    Raises:
        TopicsMissing: Kafka does not answer or refuses.
    """
    timeout_ms = int(timeout_s * 1000)
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","), bootstrap_timeout_ms=timeout_ms, request_timeout_ms=timeout_ms
        )
    except KafkaError as problem:
        raise TopicsMissing(f"Kafka at {bootstrap} does not answer: {problem}") from problem
    try:
        promises = catalogue(prefix)
        there = set(admin.list_topics())
        missing = {name: promise for name, promise in promises.items() if name not in there}
        if missing:
            _make(admin, missing, partitions, timeout_ms)
        admin.wait_for_topics(list(promises), timeout_ms=timeout_ms)
    except KafkaError as problem:
        raise TopicsMissing(f"the topics could not be made on {bootstrap}: {problem}") from problem
    finally:
        admin.close()
    return len(missing)


def _make(admin: KafkaAdminClient, missing: dict[str, Promise], most: int | None, timeout_ms: int) -> None:
    replicas = min(_REPLICAS, len(admin.describe_cluster()["brokers"]))
    wanted = {
        name: {
            "num_partitions": min(promise.partitions, most or promise.partitions),
            "replication_factor": replicas,
            "configs": {
                "max.message.bytes": str(RECORD_LIMIT_BYTES),
                "message.timestamp.type": "CreateTime",
                "min.insync.replicas": str(max(1, replicas - 1)),
                "retention.ms": str(promise.retention_days * _DAY_MS),
            },
        }
        for name, promise in missing.items()
    }
    answer = admin.create_topics(wanted, timeout_ms=timeout_ms, raise_errors=False)
    for topic in answer["topics"]:
        error = for_code(topic["error_code"])
        # Two workers may start at the same moment: the second finds them made.
        if topic["error_code"] and error is not TopicAlreadyExistsError:
            raise TopicsMissing(f"topic {topic['name']}: {error.__name__}: {topic.get('error_message') or ''}")
    _log.info("made %d topics with %d replicas", len(missing), replicas)
