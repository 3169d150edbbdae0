"""The hot path: a consumer of its own that reads thousands of records at once and writes them merged.

While one batch is being written the next one is read and decoded. The database holds the offsets: partitions start
where it says, whatever Kafka's committed offsets say.
"""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from schemas.interfaces import by_topic
from streams import sink
from streams.projector import OpenBatch
from streams.readiness import announce_ready, still_at_work
from twin.merge.batch import NAMES_KEPT, Names, Written
from twin.merge.columns import Merged

log = logging.getLogger("streams")


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of the hot path."""

    chunk_records: int = 2_000
    """Records decoded in one go before the event loop may do something else (about 20 ms)."""
    batch_records: int = 50_000
    """No more than this in memory before the last batch is written."""
    batch_facts: int = 160_000
    """Nor more than this: what records say differs from partition to partition."""
    fetch_bytes: int = 8 << 20
    partition_bytes: int = 512 << 10
    """Of each partition, compressed, the client holds so much ready: with a long backlog of all of them at once."""
    poll_ms: int = 20
    """Longest wait for a record while a batch is being written."""
    idle_ms: int = 200
    """Longest wait for a record while nothing is to be done."""
    retry_s: float = 0.5
    """Pause before trying again when Kafka or the database is away."""


@dataclass(slots=True)
class Measured:
    """What the service did, for status and benchmarks."""

    events: int = 0
    batches: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    read_s: float = 0.0
    observe_s: float = 0.0
    merge_s: float = 0.0
    write_s: float = 0.0
    last_error: str = ""


class BatchLoop(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads the topics of all interfaces into the database until it is stopped."""

    def __init__(
        self,
        kafka: str,
        database_url: str,
        schema: str,
        *,
        topics: list[str],
        group: str,
        prefix: str = "",
        limits: Limits | None = None,
    ) -> None:
        self._kafka, self._url, self._schema = kafka, database_url, schema
        self._topics, self._group, self._prefix = topics, group, prefix
        self._limits = limits or Limits()
        self._names = Names()
        self._next: dict[TopicPartition, int] = {}
        self._open = self._new_batch()
        self._writing: asyncio.Task[None] | None = None
        self._turn_to_write = asyncio.Lock()
        self._trouble: Exception | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._stopping = False
        self.measured = Measured()

    def stop(self) -> None:
        """Ask :meth:`run` to write what it has and to return."""
        self._stopping = True

    async def run(self) -> None:
        """Work until stopped; start again by itself when Kafka or the database went away."""
        while not self._stopping:
            try:
                await self._session()
            except (KafkaError, psycopg.Error, sink.OffsetMovedError, OSError) as problem:
                self.measured.last_error = f"{type(problem).__name__}: {problem}".strip()
                log.warning("starting over from the stored offsets: %s", self.measured.last_error)
                await asyncio.sleep(self._limits.retry_s)
            finally:
                await self._close_database()

    async def _session(self) -> None:
        """One life of consumer and connection; ends with an error or when stopped."""
        await self._database()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=self._limits.fetch_bytes,
            max_partition_fetch_bytes=self._limits.partition_bytes,
            fetch_max_wait_ms=50,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            request_timeout_ms=30_000,
        )
        consumer.subscribe(self._topics, listener=self)
        self._consumer = consumer
        await consumer.start()
        try:
            while not self._stopping:
                if self._trouble is not None:
                    raise self._trouble
                await self._turn(consumer)
            await self._drain()
        finally:
            await self._give_up_writing()
            self._forget()
            self._trouble = None
            with contextlib.suppress(KafkaError, asyncio.TimeoutError):
                await consumer.stop()

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        """Read once, decode, and hand over to the writer when it is free."""
        still_at_work()
        if self._writing is not None and self._writing.done():
            await self._written()
        if self._writing is not None and self._is_full():
            await self._written()
        started = time.perf_counter()
        wait_ms = self._limits.poll_ms
        if self._writing is None:
            wait_ms = 0 if len(self._open) else self._limits.idle_ms
        polled = await consumer.getmany(timeout_ms=wait_ms, max_records=self._limits.chunk_records)
        read = time.perf_counter()
        self.measured.read_s += read - started
        for partition, records in polled.items():
            expected = self._next.get(partition)
            fresh = [record for record in records if expected is not None and record.offset >= expected]
            if fresh and expected is not None:
                if fresh[0].offset > expected:
                    await self._say_what_is_lost(consumer, partition, expected)
                self._open.absorb(partition.topic, partition.partition, fresh, expected)
                self._next[partition] = fresh[-1].offset + 1
                self.measured.events += len(fresh)
        self.measured.observe_s += time.perf_counter() - read
        if self._writing is None and len(self._open):
            self._start_writing()
        elif polled:
            await asyncio.sleep(0)

    def _is_full(self) -> bool:
        return len(self._open) >= self._limits.batch_records or self._open.said >= self._limits.batch_facts

    def _start_writing(self) -> None:
        batch, self._open = self._open, self._new_batch()
        started = time.perf_counter()
        merged = batch.merge()
        self.measured.merge_s += time.perf_counter() - started
        self._writing = asyncio.create_task(self._write(batch, merged))

    async def _write(self, batch: OpenBatch, merged: Merged) -> None:
        started = time.perf_counter()
        async with self._turn_to_write:
            spans = {(self._bare(topic), number): span for (topic, number), span in batch.spans.items()}
            await sink.write(await self._database(), merged, spans, batch.quarantine)
        self._names.written.add(merged)
        self.measured.batches += 1
        self.measured.write_s += time.perf_counter() - started
        for table, count in merged.counts().items():
            self.measured.rows[table] = self.measured.rows.get(table, 0) + count

    async def _written(self) -> None:
        task, self._writing = self._writing, None
        if task is not None:
            await task

    async def _drain(self) -> None:
        """Write everything that was read."""
        await self._written()
        if len(self._open):
            self._start_writing()
            await self._written()

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Write what was read of partitions that now go to another worker."""
        if revoked:
            with contextlib.suppress(psycopg.Error, sink.OffsetMovedError, OSError):
                await self._drain()
        self._forget()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Start each partition where the database says."""
        self._forget()
        try:
            async with self._turn_to_write:
                stored = await sink.stored_offsets(
                    await self._database(), [(self._bare(part.topic), part.partition) for part in assigned]
                )
        except (psycopg.Error, OSError) as problem:  # aiokafka would only log it
            self._trouble = problem
            return
        log.info("%d partitions to read", len(assigned))
        for part in assigned:
            offset = stored[self._bare(part.topic), part.partition]
            self._next[part] = offset
            self._consumer.seek(part, offset)
        announce_ready()

    async def _say_what_is_lost(self, consumer: AIOKafkaConsumer, part: TopicPartition, expected: int) -> None:
        """Records may be gone from Kafka (retention) before they were read: go on, and say so."""
        oldest = (await consumer.beginning_offsets([part]))[part]
        if oldest > expected:
            self.measured.last_error = (
                f"{part.topic}/{part.partition}: records {expected} to {oldest} are gone from Kafka"
            )
            log.error("%s; the archive may have them", self.measured.last_error)

    def _forget(self) -> None:
        """Drop what was read and not written; it is read again."""
        self._open = self._new_batch()
        self._next.clear()

    async def _give_up_writing(self) -> None:
        task, self._writing = self._writing, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # seen; the batch is read again

    def _new_batch(self) -> OpenBatch:
        if self._names.count > NAMES_KEPT:
            self._names = Names()  # the names of the next batches go to the database once more
        return OpenBatch(self._names, lambda topic: by_topic(self._bare(topic)).topic_number)

    def _bare(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)

    async def _database(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self._url, connect_timeout=5)
            await sink.prepare(self._connection, self._schema)
            self._names.written = Written()  # a database that crashed may have forgotten its newest names
        return self._connection

    async def _close_database(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()
