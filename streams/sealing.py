"""Sealing: everything that Kafka holds now is in the archive, and a day has its manifest."""

import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq

from schemas.calendar import day_slots
from schemas.time import format_time
from streams.archive.layout import Archive, ArchiveBusy, Manifest, Partition, write_whole
from streams.archiver import archive_up_to
from streams.lag import end_offsets
from streams.settings import Settings

_REQUEST_S = 30.0
_LOOK_S = 0.1
_IDS_AT_ONCE = 4_000_000


class NotSealed(Exception):
    """The archiver did not come to the end of the log in time."""


def seal(
    config: Settings,
    day: date | None = None,
    *,
    timeout_s: float = 600.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Manifest]:
    """Archive everything that is in Kafka now, and write the manifest of a day.

    A running archiver is asked to do it; where none runs, it is done here.

    Args:
        config: settings.
        day: a legal German day; None: no manifest of a day is written.
        timeout_s: how long to wait for a running archiver.
        on_progress: called with records archived and to be archived.

    Returns:
        The segments that hold events of the day; without a day, all.

    Raises:
        NotSealed: the archiver was not done in time.
        ArchiveAhead: Kafka holds another log than the archived one.
        kafka.errors.KafkaError, aiokafka.errors.KafkaError: the broker does not answer.
    """
    archive = Archive(config.home)
    ends = end_offsets(config.kafka, config.topic_prefix)
    started = archive.next_offsets()
    total = sum(max(0, end - started.get(partition, 0)) for partition, end in ends.items())
    deadline = time.monotonic() + timeout_s
    asked_s = float("-inf")
    while missing := _missing(archive, ends):
        if on_progress is not None:
            on_progress(total - sum(missing.values()), total)
        try:
            archive_up_to(config, ends)
        except ArchiveBusy as problem:
            if time.monotonic() > deadline:
                raise NotSealed(f"{sum(missing.values())} records are not archived after {timeout_s:g} s") from problem
            if time.monotonic() - asked_s > _REQUEST_S:
                _ask(archive, ends)
                asked_s = time.monotonic()
            time.sleep(_LOOK_S)
    if on_progress is not None:
        on_progress(total, total)
    return archive.manifests() if day is None else seal_day(archive, day)


def seal_day(archive: Archive, day: date) -> list[Manifest]:
    """Write the manifest of a legal day from what is archived; the segments that hold events of it.

    The manifest names each segment with the number of its events of the day and the checksums of its files. It is the
    same for the same segments, whenever it is written.
    """
    slots = day_slots(day)
    start_us, end_us = slots.start, slots.stop
    entries: list[dict[str, Any]] = []
    found = []
    for manifest in archive.manifests():
        if not manifest.part("messages").touches(start_us, end_us):
            continue
        times = pq.read_table(archive.file(manifest.number, "messages"), columns=["time_us"])["time_us"]
        inside = _inside(times.to_numpy(), start_us, end_us)
        if not inside.any():
            continue
        found.append(manifest)
        files = {kind: {"sha256": part.sha256, "bytes": part.bytes} for kind, part in manifest.files.items()}
        entries.append({"segment": manifest.number, "events": int(inside.sum()), "files": files})
    body = {
        "day": str(day),
        "start": format_time(start_us),
        "end": format_time(end_us),
        "events": sum(entry["events"] for entry in entries),
        "distinct_events": _distinct(archive, found, start_us, end_us, sum(entry["events"] for entry in entries)),
        "segments": entries,
        "gaps": [gap._asdict() for manifest in found for gap in manifest.gaps],
    }
    write_whole(archive.day_file(str(day)), orjson.dumps(body, option=orjson.OPT_INDENT_2))
    return found


def _missing(archive: Archive, ends: dict[Partition, int]) -> dict[Partition, int]:
    done = archive.next_offsets()
    return {partition: end - done.get(partition, 0) for partition, end in ends.items() if end > done.get(partition, 0)}


def _ask(archive: Archive, ends: dict[Partition, int]) -> None:
    write_whole(archive.seal_request, orjson.dumps([[*partition, end] for partition, end in sorted(ends.items())]))


def _inside(times: np.ndarray[Any, Any], start_us: int, end_us: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    # A column with missing times comes as floats, in which they are no number; microseconds of our age fit exactly.
    inside: np.ndarray[Any, np.dtype[np.bool_]] = (times >= start_us) & (times < end_us)
    return inside


def _distinct(archive: Archive, manifests: list[Manifest], start_us: int, end_us: int, events: int) -> int:
    """Distinct event ids of the day, counted in shares of the ids so that memory stays flat."""
    shares = events // _IDS_AT_ONCE + 1
    count = 0
    for share in range(shares):
        ids = [found for manifest in manifests for found in _ids(archive, manifest, start_us, end_us, shares, share)]
        if ids:
            count += len(np.unique(np.concatenate(ids)))
    return count


def _ids(
    archive: Archive, manifest: Manifest, start_us: int, end_us: int, shares: int, share: int
) -> Iterator[np.ndarray[Any, Any]]:
    with pq.ParquetFile(archive.file(manifest.number, "messages")) as file:
        for batch in file.iter_batches(200_000, columns=["event_id", "time_us"]):
            column = batch["event_id"]
            start = 16 * column.offset
            words = np.frombuffer(column.buffers()[1], np.uint64, 2 * len(column), start).reshape(-1, 2)
            mine = _inside(batch["time_us"].to_numpy(zero_copy_only=False), start_us, end_us)
            mine &= words[:, 0] % np.uint64(shares) == share
            yield np.ascontiguousarray(words[mine]).view([("a", np.uint64), ("b", np.uint64)]).reshape(-1)
