"""Records to rows: what the worker does with thousands of records between Kafka and the database."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import orjson

from schemas.event import Event, from_record
from schemas.facts import Observation
from schemas.rows import position_of
from schemas.time import format_time
from streams.sink import QuarantineRow, Span
from twin.merge.batch import Batch, Names
from twin.merge.columns import Merged
from twin.observe import observe

log = logging.getLogger("streams")


class Record(Protocol):
    """A Kafka record as aiokafka and the tests give it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes


class OpenBatch:
    """Facts and offsets of records that are not written yet."""

    def __init__(self, names: Names, topic_number: Callable[[str], int]) -> None:
        self._topic_number = topic_number
        self._batch = Batch(names)
        self._latest: dict[str, tuple[int, str, int]] = {}
        self.quarantine: list[QuarantineRow] = []
        self.spans: dict[tuple[str, int], Span] = {}
        self.oldest_recorded_us: int | None = None

    def __len__(self) -> int:
        """How many records are in it."""
        return sum(span.end - span.start for span in self.spans.values())

    @property
    def said(self) -> int:
        """How many facts are in it."""
        return sum(self._batch.facts.counts())

    def absorb(self, topic: str, partition: int, records: Sequence[Record], start: int) -> None:
        """Take records of one partition; ``start`` is the offset up to which everything was taken before.

        Offsets may have holes (compaction, transactions): the span reaches from ``start`` behind the last record.
        """
        first_position = position_of(self._topic_number(topic), partition, 0)
        for record in records:
            self._absorb(record, first_position + record.offset)
        span = self.spans.get((topic, partition))
        self.spans[topic, partition] = Span(span.start if span else start, records[-1].offset + 1)
        recorded_us = records[0].timestamp * 1000
        if self.oldest_recorded_us is None or recorded_us < self.oldest_recorded_us:
            self.oldest_recorded_us = recorded_us

    def merge(self) -> Merged:
        """The rows of everything taken, with each interface's latest message among them."""
        for interface, (time_us, event_id, position) in self._latest.items():
            self._batch.facts.observations.append(
                Observation(f"interface:{interface}", "last_message", format_time(time_us), "", time_us)
            )
            self._batch.close_event(event_id, position)
        self._latest.clear()
        return self._batch.merge()

    def _absorb(self, record: Record, position: int) -> None:
        try:
            event = from_record(
                record.value,
                recorded_us=record.timestamp * 1000,
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                with_raw=False,
            )
        except ValueError as problem:
            self._reject_record(record, position, str(problem))
            return
        facts = self._batch.facts
        try:
            observe(event, facts)
        except Exception as problem:  # one event must not stop the log
            log.exception("no facts from %s/%s@%s", record.topic, record.partition, record.offset)
            facts.cut_back(self._batch.closed())
            self._reject_part(event, position, "observer-error", f"{type(problem).__name__}: {problem}")
        if facts.rejects:
            for reject in facts.rejects:
                self._reject_part(event, position, reject.reason, reject.detail)
            facts.rejects.clear()
        self._batch.close_event(event.id, position)
        if event.time_us is not None:
            latest = self._latest.get(event.interface)
            if latest is None or event.time_us > latest[0] or (event.time_us == latest[0] and event.id > latest[1]):
                self._latest[event.interface] = (event.time_us, event.id, position)

    def _reject_record(self, record: Record, position: int, detail: str) -> None:
        identity = hashlib.blake2b(record.value or b"", digest_size=16).hexdigest()
        source = f"{record.topic}/{record.partition}@{record.offset}"
        self.quarantine.append(
            QuarantineRow(
                identity,
                "",
                source,
                "",
                None,
                record.timestamp * 1000,
                "not-an-event",
                detail,
                record.value or b"",
                "{}",
                position,
            )
        )

    def _reject_part(self, event: Event, position: int, reason: str, detail: str) -> None:
        identity = hashlib.blake2b(f"{event.id}\n{reason}\n{detail}".encode(), digest_size=16).hexdigest()
        context = orjson.dumps({"event": event.id, "type": event.type, "actor": event.actor}).decode()
        self.quarantine.append(
            QuarantineRow(
                identity,
                event.interface,
                event.source,
                event.format,
                event.time_us,
                event.recorded_us,
                reason,
                detail,
                b"",
                context,
                position,
            )
        )
