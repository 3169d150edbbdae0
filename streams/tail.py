"""The end of the log that is not archived yet, read from Kafka."""

import logging
from collections.abc import Collection, Iterator, Mapping
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


def read_at(kafka: str, prefix: str, wanted: Mapping[Partition, Collection[int]]) -> Iterator[Event]:
    """The events at some offsets of partitions; those Kafka no longer has, and those that are none, are left out.

    Each partition is read once, from the lowest to the highest of its offsets.

    Raises:
        kafka.errors.KafkaError: the broker does not answer.
    """
    if not wanted:
        return
    spans = {TopicPartition(prefix + topic, number): offsets for (topic, number), offsets in wanted.items()}
    consumer = KafkaConsumer(
        bootstrap_servers=kafka,
        bootstrap_timeout_ms=5_000,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=RECORD_LIMIT_BYTES,
    )
    try:
        ends = consumer.end_offsets(list(spans))
        left = {part for part, offsets in spans.items() if min(offsets) < ends[part]}
        consumer.assign(list(left))
        for part in left:
            consumer.seek(part, min(spans[part]))
        while left:
            polled = consumer.poll(timeout_ms=_SILENCE_MS)
            for part, records in polled.items():
                for record in records:
                    if record.offset in spans[part]:
                        yield from _events(record, part.topic.removeprefix(prefix))
            done = {part for part in left if consumer.position(part) > min(max(spans[part]), ends[part] - 1)}
            consumer.pause(*done)
            left -= done
            if not polled and not done:
                return
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
