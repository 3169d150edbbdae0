"""The archiver: reads every interface's topic and writes the log, continually, into segments of the archive.

``python -m streams.archiver`` runs it, at low priority so that the tables come first. One per archive folder. Where it
goes on, the manifests say; Kafka's committed offsets are not asked.
"""

import asyncio
import contextlib
import gc
import hashlib
import logging
import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from schemas.event import Event, from_record
from schemas.interfaces import by_topic
from schemas.rows import position_of
from streams import journal, memory
from streams.archive.layout import Archive, ArchiveBusy, Manifest, Partition, Range
from streams.archive.observing import observe_whole
from streams.archive.segment import NOT_AN_EVENT, OpenSegment
from streams.lag import end_offsets
from streams.readiness import announce_ready, still_at_work
from streams.settings import Settings, SettingsError, settings
from twin.merge.batch import NAMES_KEPT, Names

NICENESS = 15

log = logging.getLogger("streams")


class ArchiveAhead(Exception):
    """Kafka ends before the archive does: it is another log than the archived one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a segment is closed, and what is read in one go; together they bound the archiver's memory."""

    events: int = 125_000
    bytes: int = 32 << 20
    """Of raw bytes and payloads."""
    facts: int = 750_000
    memory_bytes: int = 280 << 20
    """Of the whole process: when writing what is gathered would take it there, a segment of an eighth of ``bytes`` is
    enough. What gathering leaves behind in the heap goes up and down, and the longer a day the more often. The first
    segment, before which there is nothing of the kind, is the largest; in days of ten million events nothing took
    more than the first million had."""
    seconds: float = 60.0
    """After its first event."""
    chunk_records: int = 500
    """Read between two looks at the clock and at the memory."""
    fetch_bytes: int = 4 << 20
    partition_bytes: int = 64 << 10
    """Of each partition, compressed, the client holds so much ready, with a long backlog of all of them at once; the
    archiver is in no hurry."""
    poll_ms: int = 200
    retry_s: float = 1.0


class Archiver:
    """Writes the log into an archive until it is stopped, or until it has reached given offsets."""

    def __init__(self, archive: Archive, kafka: str, *, prefix: str = "", limits: Limits | None = None) -> None:
        self._archive, self._kafka, self._prefix = archive, kafka, prefix
        self._limits = limits or Limits()
        self._names = Names()
        self._segment = OpenSegment(self._names)
        self._opened_s = 0.0
        self._next: dict[Partition, int] = {}
        self._wanted: dict[Partition, int] = {}
        self._stopping = False
        self._close_now = False

    def stop(self) -> None:
        """Ask :meth:`run` to write what it has and to return."""
        self._stopping = True

    def close_segment(self) -> None:
        """Ask :meth:`run` to write what it has and to go on."""
        self._close_now = True

    async def run(self, until: dict[Partition, int] | None = None) -> None:
        """Work until stopped, or until everything before the offsets ``until`` is archived.

        Starts again by itself when Kafka went away. Only under :meth:`Archive.locked`.

        Raises:
            ArchiveAhead: Kafka holds another log than the archived one.
        """
        for number in self._archive.clean():
            log.warning("segment %08d was not finished; its records are read again", number)
        while not self._stopping:
            try:
                await self._session(until)
            except (KafkaError, OSError) as problem:
                if until is not None:
                    raise
                log.warning("the archiver starts over: %s: %s", type(problem).__name__, problem)
                await asyncio.sleep(self._limits.retry_s)
            if until is not None:
                return

    async def _session(self, until: dict[Partition, int] | None) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_bytes=self._limits.fetch_bytes,
            max_partition_fetch_bytes=self._limits.partition_bytes,
            fetch_max_wait_ms=self._limits.poll_ms,
        )
        await consumer.start()
        try:
            await self._take_up(consumer, until)
            while not self._stopping and not (until is not None and self._reached(until)):
                await self._turn(consumer)
            await self._close()
        finally:
            self._segment = OpenSegment(self._names)
            with contextlib.suppress(KafkaError, asyncio.TimeoutError):
                await consumer.stop()

    async def _take_up(self, consumer: AIOKafkaConsumer, until: dict[Partition, int] | None) -> None:
        """Start every partition where the manifests say."""
        known = await asyncio.to_thread(end_offsets, self._kafka, self._prefix)
        done = self._archive.next_offsets()
        self._next = {partition: done.get(partition, 0) for partition in (until or known)}
        self._check_not_ahead(known)
        self._wanted = {partition: end for partition, end in self._wanted.items() if partition in self._next}
        consumer.assign([self._full(partition) for partition in self._next])
        for partition, offset in self._next.items():
            consumer.seek(self._full(partition), offset)

    def _check_not_ahead(self, ends: dict[Partition, int]) -> None:
        for (topic, partition), offset in self._next.items():
            if offset > ends.get((topic, partition), 0):
                raise ArchiveAhead(
                    f"{topic}/{partition} is archived up to offset {offset}, but Kafka ends at "
                    f"{ends.get((topic, partition), 0)}: this is another log; move {self._archive.folder} away"
                )

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        still_at_work()
        self._notice_request()
        if self._wanted.keys() - self._next.keys():  # partitions were added
            await self._close()
            await self._take_up(consumer, None)
        try:
            polled = await consumer.getmany(timeout_ms=self._limits.poll_ms, max_records=self._limits.chunk_records)
        except OffsetOutOfRangeError:
            await self._skip_lost(consumer)
            return
        for part, records in polled.items():
            self._absorb(part.topic.removeprefix(self._prefix), part.partition, records)
        if self._due():
            await self._close()

    def _absorb(self, topic: str, partition: int, records: list[Any]) -> None:
        start = self._next[topic, partition]
        fresh = [record for record in records if record.offset >= start]
        if not fresh:
            return
        if not self._segment.events:
            self._opened_s = time.monotonic()
        interface = by_topic(topic)
        for record in fresh:
            event = _event(record, topic, interface.number)
            if event.type != NOT_AN_EVENT:
                observe_whole(event, self._segment.facts)
            self._segment.add(event, position_of(interface.topic_number, partition, record.offset))
        self._next[topic, partition] = fresh[-1].offset + 1
        self._segment.cover(topic, partition, start, fresh[-1].offset + 1)

    def _due(self) -> bool:
        segment, limits = self._segment, self._limits
        if self._close_now or (self._wanted and self._reached(self._wanted)):
            return True
        return bool(segment.events) and (
            segment.events >= limits.events
            or segment.bytes >= limits.bytes
            or segment.said >= limits.facts
            or (segment.bytes >= limits.bytes // 8 and self._needs_bytes() >= limits.memory_bytes)
            or time.monotonic() - self._opened_s >= limits.seconds
        )

    def _needs_bytes(self) -> int:
        """Memory of this process, and what writing the segment will take besides: as measured, half of its messages."""
        return memory.in_use_bytes() + self._segment.bytes // 2

    def _reached(self, offsets: dict[Partition, int]) -> bool:
        return all(self._next.get(partition, end) >= end for partition, end in offsets.items())

    async def _close(self) -> None:
        """Write the segment and open the next."""
        if self._wanted and self._reached(self._wanted):
            self._wanted = {}
        self._close_now = False
        if self._names.count > NAMES_KEPT:
            self._names = Names()
        segment, self._segment = self._segment, OpenSegment(self._names)
        if not segment.covers:
            return
        started = time.perf_counter()
        memory.give_back()  # gathering left holes that the long columns of the files do not fit into
        manifest: Manifest = await asyncio.to_thread(segment.write, self._archive, self._archive.next_number())
        gc.collect()
        memory.give_back()
        log.info("segment %08d: %d events in %.1f s", manifest.number, manifest.events, time.perf_counter() - started)

    def _notice_request(self) -> None:
        request = self._archive.seal_request
        if request.is_file():
            with contextlib.suppress(FileNotFoundError, orjson.JSONDecodeError):
                for topic, partition, end in orjson.loads(request.read_bytes()):
                    self._wanted[topic, partition] = max(end, self._wanted.get((topic, partition), 0))
                request.unlink()

    async def _skip_lost(self, consumer: AIOKafkaConsumer) -> None:
        """Go on with the oldest record of partitions whose next one Kafka no longer has, and keep the gap."""
        full = {self._full(partition): partition for partition in self._next}
        for part, oldest in (await consumer.beginning_offsets(list(full))).items():
            topic, partition = full[part]
            wanted = self._next[topic, partition]
            if oldest > wanted:
                log.error("%s/%d: records %d to %d are gone from Kafka unarchived", topic, partition, wanted, oldest)
                self._segment.gaps.append(Range(topic, partition, wanted, oldest))
                self._segment.cover(topic, partition, wanted, oldest)
                self._next[topic, partition] = oldest
                consumer.seek(part, oldest)
        self._check_not_ahead(await asyncio.to_thread(end_offsets, self._kafka, self._prefix))

    def _full(self, partition: Partition) -> TopicPartition:
        return TopicPartition(self._prefix + partition[0], partition[1])


def _event(record: Any, topic: str, interface: str) -> Event:
    """The event in a record; what is none is kept as bytes."""
    recorded_us = record.timestamp * 1000
    try:
        return from_record(
            record.value,
            recorded_us=recorded_us,
            topic=topic,
            partition=record.partition,
            offset=record.offset,
        )
    except ValueError as problem:
        log.warning("archived as bytes: %s", problem)
        headers = {name: data.decode("utf-8", "replace") for name, data in record.headers}
        return Event(
            hashlib.blake2b(record.value or b"", digest_size=16).hexdigest(),
            interface,
            f"{topic}/{record.partition}@{record.offset}",
            NOT_AN_EVENT,
            f"interface:{interface}",
            None,
            None,
            {},
            record.value or b"",
            {"headers": headers},
            recorded_us,
            topic,
            record.partition,
            record.offset,
        )


async def _run(archiver: Archiver) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, archiver.stop)
    loop.add_signal_handler(signal.SIGUSR1, archiver.close_segment)
    await archiver.run()


def archive_up_to(config: Settings, offsets: dict[Partition, int]) -> None:
    """Archive everything before these offsets, in this process.

    Raises:
        ArchiveBusy: an archiver runs already.
        ArchiveAhead: Kafka holds another log than the archived one.
        aiokafka.errors.KafkaError: the broker does not answer.
    """
    archive = Archive(config.home)
    with archive.locked():
        asyncio.run(Archiver(archive, config.kafka, prefix=config.topic_prefix).run(until=offsets))


def main() -> None:
    """Run the archiver until SIGTERM."""
    journal.begin()
    memory.begin_with_columns(large_bytes=256 << 10)
    os.nice(NICENESS)
    gc.disable()  # as in a worker; what cycles there are is collected with each segment
    try:
        config = settings()
        archive = Archive(config.home)
        with archive.locked():
            announce_ready()
            asyncio.run(_run(Archiver(archive, config.kafka, prefix=config.topic_prefix)))
    except (SettingsError, ArchiveBusy, ArchiveAhead) as problem:
        log.error("%s", problem)  # noqa: TRY400 -- the sentence is enough
        sys.exit(1)


if __name__ == "__main__":
    main()
