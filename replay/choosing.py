"""Which messages of the archive may say something of a day, and what is known of each before it is decoded."""

from typing import NamedTuple
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from replay.reading import NEIGHBOUR_US, Window
from schemas.event import UNDECODED
from schemas.interfaces import INTERFACES, by_topic
from schemas.rows import position_of
from streams.archive.facts import TIME_COLUMN
from streams.archive.layout import Archive, Manifest
from streams.archive.segment import NOT_AN_EVENT
from twin.merge.columns import Ints

CONVERSATIONS = (1 << 16) - 1
"""Conversations are numbered below this; some share a number."""

_COLUMNS = ("interface", "source", "type", "time_us", "log_time_us", "recorded_us", "topic", "partition", "offset")
_BODIES = {"raw", "context"}
_BESIDE_BYTES = 160
"""What a message weighs beside its bytes and its context [M]."""

_Mask = NDArray[np.bool_]


class Chosen(NamedTuple):
    """Messages of a segment, a column each: row in the file, number of the conversation, stamp, weight.

    ``stamps_us`` is the time in the message's log, or the next best; ``weights`` are bytes in memory, about: the mean
    of a row group, whose messages are neighbours.
    """

    rows: NDArray[np.uint32]
    conversations: NDArray[np.uint16]
    stamps_us: Ints
    weights: Ints


def choose(archive: Archive, manifest: Manifest, window: Window) -> Chosen | None:
    """The messages of a segment that may say something of the day.

    Those of the day and its neighbouring hours (which also warm up conversations), those whose archived facts speak of
    it whenever they came, and those that had no decoder when they came and have one now.
    """
    near = Window(window.start_us - NEIGHBOUR_US, window.end_us + NEIGHBOUR_US)
    kinds = [kind for kind in TIME_COLUMN if manifest.part(kind).touches(*window.of(kind))]
    bounds = (manifest.time_us, manifest.recorded_us)
    if not (kinds or manifest.undecoded or any(known is not None and known.touches(*near) for known in bounds)):
        return None
    with pq.ParquetFile(archive.file(manifest.number, "messages")) as file:
        table = file.read(columns=list(_COLUMNS), use_threads=False)
        weights = _weights(file.metadata)
    wanted = _between(table["time_us"], near) | _between(table["log_time_us"], near)
    timeless = pc.is_null(pc.coalesce(table["time_us"], table["log_time_us"])).to_numpy()
    wanted |= timeless & _between(table["recorded_us"], near)
    if kinds and not wanted.all():
        positions = positions_of(table)
        for kind in kinds:
            wanted |= np.isin(positions, _speaking(archive, manifest, kind, window))
    if manifest.undecoded:
        readable = pa.array([entry.number for entry in INTERFACES.values() if entry.formats])
        late = pc.and_(pc.equal(table["type"], UNDECODED), pc.is_in(table["interface"], value_set=readable))
        wanted |= late.to_numpy()
    wanted &= pc.not_equal(table["type"], NOT_AN_EVENT).to_numpy()
    rows = np.flatnonzero(wanted)
    some = table.take(pa.array(rows))
    return Chosen(rows.astype(np.uint32), _conversations(some), stamps_of(some), weights[rows])


def stamps_of(messages: pa.Table) -> Ints:
    """The time by which messages of a conversation are put in order, each."""
    stamps: Ints = pc.coalesce(messages["log_time_us"], messages["time_us"], messages["recorded_us"]).to_numpy()
    return stamps


def positions_of(messages: pa.Table) -> Ints:
    """Where messages stand in Kafka, each as one number."""
    topics = pc.unique(messages["topic"]).to_pylist()
    place = pc.index_in(messages["topic"], value_set=pa.array(topics, pa.string())).to_numpy()
    numbers = np.array([by_topic(topic).topic_number for topic in topics], np.int64)[place]
    partitions = messages["partition"].to_numpy().astype(np.int64)
    # position_of packs bits, and numpy packs columns alike
    return position_of(numbers, partitions, messages["offset"].to_numpy())  # type: ignore[return-value]


def _weights(metadata: pq.FileMetaData) -> Ints:
    means, sizes = [0], [0]
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        columns = map(group.column, range(group.num_columns))
        bodies = sum(entry.total_uncompressed_size for entry in columns if entry.path_in_schema in _BODIES)
        means.append(_BESIDE_BYTES + bodies // max(1, group.num_rows))
        sizes.append(group.num_rows)
    return np.repeat(np.array(means, np.int64), sizes)


def _between(times: pa.ChunkedArray, window: Window) -> _Mask:
    inside = pc.and_(pc.greater_equal(times, window.start_us), pc.less(times, window.end_us))
    found: _Mask = pc.fill_null(inside, False).to_numpy()
    return found


def _speaking(archive: Archive, manifest: Manifest, kind: str, window: Window) -> Ints:
    """Positions of messages whose archived facts speak of the day."""
    file = archive.file(manifest.number, kind)
    facts = pq.read_table(file, columns=["position", TIME_COLUMN[kind]], use_threads=False)
    mask = _between(facts[TIME_COLUMN[kind]], Window(*window.of(kind)))
    return np.unique(facts["position"].to_numpy()[mask])


def _conversations(messages: pa.Table) -> NDArray[np.uint16]:
    """A number for each message: the same within a conversation, in any segment."""
    names = pc.binary_join_element_wise(messages["interface"], messages["source"], "\0")
    distinct = pc.unique(names)
    numbers = np.array([crc32(name.encode()) % CONVERSATIONS for name in distinct.to_pylist()], np.uint16)
    places: Ints = pc.index_in(names, value_set=distinct).to_numpy().astype(np.int64)
    found: NDArray[np.uint16] = numbers[places]
    return found
