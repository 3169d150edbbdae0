"""How far the tables are behind the log."""

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
