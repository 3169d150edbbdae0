"""How far the tables are behind the log."""

import time
from collections.abc import Callable
from importlib.metadata import version

from kafka import KafkaConsumer, TopicPartition

from schemas.interfaces import INTERFACES
from streams import lookups
from streams.settings import Settings

Partition = tuple[str, int]


def end_offsets(kafka: str, prefix: str = "") -> dict[Partition, int]:
    """The end of every partition of every interface's topic; topics without their prefix.

    Raises:
        kafka.errors.KafkaError: the broker does not answer.
    """
    consumer = KafkaConsumer(bootstrap_servers=kafka, request_timeout_ms=10_000, bootstrap_timeout_ms=5_000)
    try:
        parts = [
            TopicPartition(prefix + entry.topic, number)
            for entry in INTERFACES.values()
            for number in sorted(consumer.partitions_for_topic(prefix + entry.topic) or ())
        ]
        ends = consumer.end_offsets(parts)
        return {(part.topic.removeprefix(prefix), part.partition): end for part, end in ends.items()}
    finally:
        consumer.close()


def lag(config: Settings) -> dict[Partition, int]:
    """Records of each partition that are not in the tables yet."""
    ends = end_offsets(config.kafka, config.topic_prefix)
    written = lookups.progress(config.database_url, config.schema)
    return {part: end - written.get(part, 0) for part, end in ends.items()}


def wait_until_written(
    config: Settings, patience_s: float, on_progress: Callable[[int], None] = lambda _: None
) -> None:
    """Wait until the tables have everything that is in the log now.

    Raises:
        TimeoutError: they do not, after all this time.
    """
    deadline = time.monotonic() + patience_s
    ends = end_offsets(config.kafka, config.topic_prefix)
    while True:
        written = lookups.progress(config.database_url, config.schema)
        behind = sum(max(0, end - written.get(part, 0)) for part, end in ends.items())
        on_progress(behind)
        if not behind:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{behind} messages are still not in the tables; `twin status` says what hinders")
        time.sleep(0.1)


def versions(config: Settings) -> dict[str, str]:
    """Versions of the parts that answer."""
    with lookups.connected(config.database_url, config.schema) as connection:
        row = connection.execute(
            "select current_setting('server_version'), "
            "(select extversion from pg_extension where extname = 'timescaledb')"
        ).fetchone()
    found = {"gegenstrom": version("gegenstrom"), "postgresql": row[0] if row else ""}
    if row and row[1]:
        found["timescaledb"] = row[1]
    return found | {"faust": version("faust-streaming")}
