"""Prepared load: record batches as they go over the wire, made before anything is measured.

Files of slices. A slice is what a producer has collected in a moment: its records, as one Kafka record batch (message
format 2) for each partition they belong to. Whoever sends a slice only stamps its batches with the time, so that the
generator costs next to nothing.
"""

import struct
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from crc32c import crc32c
from kafka.partitioner import murmur2

from replay.bench.pool import Made, Template, round_of
from schemas.interfaces import by_topic

SLICE_RECORDS: Final = 1_000
_BATCH_BYTES: Final = 4 << 20
_HEAD = struct.Struct(">I")
_BATCH_HEAD = struct.Struct(">hHII")
# Record batch, format 2 (Kafka documentation, "Record Batch"): the checksum covers what follows it.
_CHECKSUM_AT, _COVERED_FROM, _FIRST_STAMP_AT, _LAST_STAMP_AT = 17, 21, 27, 35
CODECS: Final = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


class Batch(NamedTuple):
    """A record batch for one partition; ``topic`` is the topic's number in the catalogue."""

    topic: int
    partition: int
    records: int
    data: bytearray

    def stamp(self, time_ms: int) -> None:
        """All its records were produced now."""
        struct.pack_into(">q", self.data, _FIRST_STAMP_AT, time_ms)
        struct.pack_into(">q", self.data, _LAST_STAMP_AT, time_ms)
        struct.pack_into(">I", self.data, _CHECKSUM_AT, crc32c(memoryview(self.data)[_COVERED_FROM:]))


def prepare(folder: Path, known: list[Template], records: int, compression: str) -> None:
    """Write at least this many records in slices, a file for each round, on all cores."""
    folder.mkdir()
    rounds = -(-records // len(known))
    with ProcessPoolExecutor(mp_context=get_context("fork"), initializer=_know, initargs=(known,)) as pool:
        list(pool.map(partial(_write_round, folder, CODECS[compression]), range(rounds)))


def slices(folder: Path) -> Iterator[list[Batch]]:
    """The slices of a folder, in order."""
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            while head := file.read(_HEAD.size):
                batches = []
                for _ in range(_HEAD.unpack(head)[0]):
                    topic, partition, records, length = _BATCH_HEAD.unpack(file.read(_BATCH_HEAD.size))
                    batches.append(Batch(topic, partition, records, bytearray(file.read(length))))
                yield batches


_known: list[Template] = []


def _know(known: list[Template]) -> None:
    _known[:] = known


def _write_round(folder: Path, codec: int, number: int) -> None:
    places: dict[bytes, int] = {}
    made = round_of(_known, number)
    with (folder / f"{number:05}").open("wb") as file:
        while collected := list(islice(made, SLICE_RECORDS)):
            batches = _batches(collected, places, codec)
            file.write(_HEAD.pack(len(batches)))
            for batch in batches:
                file.write(_BATCH_HEAD.pack(batch.topic, batch.partition, batch.records, len(batch.data)))
                file.write(batch.data)


def _batches(made: list[Made], places: dict[bytes, int], codec: int) -> list[Batch]:
    parts: dict[tuple[int, int], list[Made]] = {}
    for record in made:
        entry = by_topic(record.topic)
        place = places.get(record.key)
        if place is None:
            place = places[record.key] = murmur2(record.key) & 0x7FFFFFFF
        parts.setdefault((entry.topic_number, place % entry.partitions), []).append(record)
    found = []
    for (topic, partition), records in sorted(parts.items()):
        builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, _BATCH_BYTES)
        for offset, record in enumerate(records):
            if builder.append(offset, 0, record.key, record.value, record.headers) is None:
                raise ValueError(f"{len(records)} records of {record.topic} do not fit into a batch")
        found.append(Batch(topic, partition, len(records), bytearray(builder.build())))
    return found
