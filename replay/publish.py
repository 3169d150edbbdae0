"""A day into Kafka again, in event time: for dashboards, trials and anybody who watches.

The events go into topics of their own, ``replay.if.04.evse-cpo`` beside ``if.04.evse-cpo``: whoever reads the live
topics, the tables and the archive among them, sees nothing of it. Key, value and CloudEvents headers are those of the
first time, so what reads the live topics reads these; header ``ce_recordedtime`` says when the log took the message
the first time, the record's own time stamp is now.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from heapq import merge
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from replay.filtered import event_of
from replay.reading import Window, window_of
from schemas.event import Event
from schemas.time import format_time
from streams.archive.layout import Archive, Manifest
from streams.archive.segment import NOT_AN_EVENT
from streams.producer import BulkProducer, Producer
from streams.records import Record, event_record
from streams.settings import Settings
from streams.topics import ensure_topics

PREFIX = "replay."
"""Stands before the names of the topics into which a day is published (behind ``TWIN_TOPIC_PREFIX``)."""

_BATCH_ROWS = 2_000
_NAP_S = 0.2
_STAMP = "stamp_us"

OnProgress = Callable[[int, int], None]
"""Called with the messages sent and to be sent."""


class Published(NamedTuple):
    """What was sent: messages by topic, the first and the last event time."""

    topics: dict[str, int]
    first_us: int
    last_us: int


def publish_day(
    config: Settings, day: date, *, speed: float = 60.0, on_progress: OnProgress | None = None
) -> Published:
    """Send the archived events of a legal German day again, ``speed`` times as fast as they happened.

    Each event goes once, however often it lies in the log. One without a time of its own counts at the stamp of its
    log, or else when it was recorded. The clock starts with the day's first event.

    Raises:
        LookupError: the archive holds nothing of the day.
        streams.producer.NotDelivered, streams.topics.TopicsMissing: Kafka does not answer.
    """
    prefix = config.topic_prefix + PREFIX
    with tempfile.TemporaryDirectory(prefix="twin-publish-") as folder:
        runs, total = _sorted_runs(Archive(config.home), window_of(day), Path(folder))
        if not total:
            raise LookupError(f"the archive holds nothing of {day}; `twin archive {day}` writes what is in Kafka")
        ensure_topics(config.kafka, prefix=prefix)
        with BulkProducer(config.kafka, prefix=prefix) as producer:
            return _send(producer, _events(runs), prefix, speed, total, on_progress or _quiet)


def _send(
    producer: Producer,
    events: Iterator[tuple[int, Event]],
    prefix: str,
    speed: float,
    total: int,
    on_progress: OnProgress,
) -> Published:
    topics: Counter[str] = Counter()
    first_us = last_us = 0
    started_s = time.monotonic()
    last_id = ""
    for done, (stamp_us, event) in enumerate(events):
        first_us = first_us or stamp_us
        due_s = started_s + (stamp_us - first_us) / 1e6 / speed
        while (left_s := due_s - time.monotonic()) > 0:
            on_progress(done, total)
            time.sleep(min(left_s, _NAP_S))
        if done % _BATCH_ROWS == 0:
            on_progress(done, total)
        last_us = stamp_us
        record = event_record(event, prefix)
        # The same message lies at one instant, whose events come in order of their ids.
        if event.id == last_id or not isinstance(record, Record):
            continue
        last_id = event.id
        headers = [*record.headers, ("ce_recordedtime", format_time(event.recorded_us).encode())]
        producer.send_record(record._replace(headers=headers))
        topics[record.topic] += 1
    producer.flush()
    on_progress(total, total)
    return Published(dict(sorted(topics.items())), first_us, last_us)


def _sorted_runs(archive: Archive, window: Window, folder: Path) -> tuple[list[Path], int]:
    """The day's messages of each segment in order of time, as files; and how many messages they are.

    Segments are sorted by actor. One at a time is sorted by time and written to disk, and all are merged from there:
    so the day may be larger than the memory.
    """
    runs, total = [], 0
    for manifest in archive.manifests():
        bounds = (manifest.time_us, manifest.recorded_us)
        if not any(known is not None and known.touches(*window) for known in bounds):
            continue
        table = _of_the_day(archive, manifest, window)
        if table.num_rows:
            run = folder / f"{manifest.number}.arrow"
            with pa.OSFile(str(run), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table, max_chunksize=_BATCH_ROWS)
            runs.append(run)
            total += table.num_rows
    return runs, total


def _of_the_day(archive: Archive, manifest: Manifest, window: Window) -> pa.Table:
    table = pq.read_table(archive.file(manifest.number, "messages"))
    stamps = pc.coalesce(table["time_us"], table["log_time_us"], table["recorded_us"])
    inside = pc.and_(pc.greater_equal(stamps, window.start_us), pc.less(stamps, window.end_us))
    wanted = pc.and_(inside, pc.not_equal(table["type"], NOT_AN_EVENT))
    table = table.append_column(_STAMP, stamps).filter(wanted)
    return table.sort_by([(_STAMP, "ascending"), ("event_id", "ascending")])


def _events(runs: list[Path]) -> Iterator[tuple[int, Event]]:
    """All messages in order of time and id, with the time each counts at."""
    for stamp_us, _, row in merge(*map(_rows, runs), key=lambda entry: entry[:2]):
        yield stamp_us, event_of(row)


def _rows(run: Path) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    with pa.memory_map(str(run)) as source:
        batches = pa.ipc.open_file(source)
        for number in range(batches.num_record_batches):
            for row in batches.get_batch(number).to_pylist():
                yield row[_STAMP], row["event_id"], row


def _quiet(_done: int, _of: int) -> None:
    return
