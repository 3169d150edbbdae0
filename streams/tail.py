"""The end of the log that is not archived yet, read from Kafka."""

import logging
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from schemas.event import Event, from_record
from streams.archive.layout import Partition
from streams.lag import end_offsets
from streams.topics import RECORD_LIMIT_BYTES

_SILENCE_MS = 10_000

log = logging.getLogger("streams")


def read_tail(kafka: str, prefix: str, starts: dict[Partition, int]) -> Iterator[Event]:
    """Every event from these offsets (0 where none is named) to where the log ends now; topics without prefix.

    Where Kafka no longer has an offset, reading starts with the oldest it has. Records that are no events are left out.

    Raises:
        kafka.errors.KafkaError: the broker does not answer.
    """
    ends = end_offsets(kafka, prefix)
    left = {
        TopicPartition(prefix + topic, partition): end
        for (topic, partition), end in ends.items()
        if end > starts.get((topic, partition), 0)
    }
    if not left:
        return
    consumer = KafkaConsumer(
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=RECORD_LIMIT_BYTES,
    )
    try:
        consumer.assign(list(left))
        for part in left:
            consumer.seek(part, starts.get((part.topic.removeprefix(prefix), part.partition), 0))
        while left:
            polled = consumer.poll(timeout_ms=_SILENCE_MS)
            for part, records in polled.items():
                for record in records:
                    if part in left and record.offset < left[part]:
                        yield from _events(record, part.topic.removeprefix(prefix))
            left = {part: end for part, end in left.items() if consumer.position(part) < end}
            if not polled and left:
                log.warning("Kafka was silent for %d s; the newest messages are left out", _SILENCE_MS // 1000)
                return
    finally:
        consumer.close()


def read_one(kafka: str, prefix: str, topic: str, partition: int, offset: int) -> Event | None:
    """The event at an offset; None where Kafka no longer has it, or where it is no event.

    Raises:
        kafka.errors.KafkaError: the broker does not answer.
    """
    part = TopicPartition(prefix + topic, partition)
    consumer = KafkaConsumer(
        bootstrap_servers=kafka,
        bootstrap_timeout_ms=5_000,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=RECORD_LIMIT_BYTES,
        max_poll_records=1,
    )
    try:
        consumer.assign([part])
        consumer.seek(part, offset)
        for record in consumer.poll(timeout_ms=_SILENCE_MS).get(part, []):
            if record.offset == offset:
                return next(_events(record, topic), None)
        return None
    finally:
        consumer.close()


def _events(record: Any, topic: str) -> Iterator[Event]:
    try:
        yield from_record(
            record.value,
            recorded_us=record.timestamp * 1000,
            topic=topic,
            partition=record.partition,
            offset=record.offset,
        )
    except ValueError as problem:
        log.warning("left out: %s", problem)
