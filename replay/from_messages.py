"""A replay from the messages of the archive: decoded again from their bytes, observed and merged as the worker does.

For when a decoder or an observer has changed. Decoders remember conversations, so messages of one source on one
interface are read in the order of their log's time stamps. The work is cut into shares of whole conversations, each
small enough for memory.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO
from zlib import crc32

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from replay import from_facts
from replay.load import TableWriter
from replay.reading import NEIGHBOUR_US, Window
from schemas.event import UNDECODED, Event
from schemas.facts import Facts, Observation
from schemas.interfaces import INTERFACES
from schemas.rows import position_of
from schemas.time import format_time
from streams import memory, sink
from streams.archive.facts import TIME_COLUMN
from streams.archive.layout import Archive, Manifest
from streams.archive.observing import observe_whole
from streams.archive.segment import MESSAGES, NOT_AN_EVENT, picked
from streams.reader import Conversations, Rejected, read_again
from twin.merge.batch import Batch, Names
from twin.merge.columns import Ints

SHARE_BYTES = 128 << 20
"""Bytes of messages decoded in one go, estimated."""

_PACKED = 8
"""How many bytes of messages, about, are in a byte of zstd."""

_BATCH_EVENTS = 20_000
_BLOCK_EVENTS = 5_000
"""Events whose parts are joined to one as a share is read."""

_CHOOSING = ("interface", "source", "type", "time_us", "log_time_us", "recorded_us", "topic", "partition", "offset")
_DECODING = (*_CHOOSING, "event_id", "actor", "raw", "context")
_NOTHING = pa.schema([MESSAGES.field(name) for name in _DECODING]).empty_table()


_Rows = NDArray[np.uint32]
_Numbers = NDArray[np.uint16]
_Mask = NDArray[np.bool_]

_MOST_SHARES = (1 << 16) - 1


class _Chosen:
    """Messages that the day needs, by segment, each with a number of its conversation.

    They stand in a file, six bytes each: there may be any number of them.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._segments: list[tuple[Manifest, int, int]] = []
        self.messages = 0
        self.weight_bytes = 0

    def add(self, manifest: Manifest, rows: _Rows, conversations: _Numbers) -> None:
        """Rows of a segment's messages."""
        if len(rows):
            self._segments.append((manifest, self._file.tell(), len(rows)))
            self._file.write(rows.tobytes() + conversations.tobytes())
            self.messages += len(rows)
            self.weight_bytes += manifest.part("messages").bytes * _PACKED * len(rows) // max(1, manifest.events)

    def of(self, shares: int, share: int) -> Iterator[tuple[Manifest, _Rows]]:
        """Rows of each segment that are of a share of all conversations."""
        for manifest, start, count in self._segments:
            self._file.seek(start)
            rows = np.frombuffer(self._file.read(count * 4), np.uint32)
            mine = rows[np.frombuffer(self._file.read(count * 2), np.uint16) % shares == share]
            if len(mine):
                yield manifest, mine


def run(
    archive: Archive, url: str, window: Window, into: str, on_progress: Callable[[int, int], None]
) -> tuple[int, dict[str, int]]:
    """Write the rows of a stretch of time into a fresh schema; see :func:`replay.from_facts.run`.

    Twins start as the archived facts leave them at the window's start.
    """
    from_facts.run(archive, url, window, into, _quiet, ("observations",), observed_before_us=window.start_us)
    with ExitStack() as stack:
        chosen = _Chosen(stack.enter_context(TemporaryFile()))
        for manifest in archive.manifests():
            _choose(archive, manifest, window, chosen)
        shares = min(chosen.weight_bytes // SHARE_BYTES + 1, _MOST_SHARES)
        done, total = 0, chosen.messages
        writers = {name: stack.enter_context(TableWriter(url, into, name)) for name in from_facts.TABLES}
        names = Names()
        for share in range(shares):
            work = _Share(window, names, writers)
            for event in _in_order(archive, chosen, shares, share):
                work.take(event)
                done += 1
                if done % _BATCH_EVENTS == 0:
                    work.write()
                    on_progress(done, total)
            work.write()
            memory.give_back()  # what decoding left behind, before the next share is read
    on_progress(total, total)
    return total, {name: writer.rows for name, writer in writers.items()}


class _Share:
    """Some conversations on their way from messages to rows."""

    def __init__(self, window: Window, names: Names, writers: dict[str, TableWriter]) -> None:
        self._window, self._names, self._writers = window, names, writers
        self._conversations = Conversations()
        self._batch = Batch(names)
        self._latest: dict[str, tuple[int, str, int]] = {}

    def take(self, kept: Event) -> None:
        """Decode a message again; what it says of the day goes into the batch."""
        position = position_of(_TOPIC_NUMBERS[kept.topic], kept.partition, kept.offset)
        for outcome in read_again(kept, self._conversations):
            if isinstance(outcome, Rejected):
                continue
            said = Facts()
            observe_whole(outcome, said)
            self._keep(said)
            self._batch.close_event(outcome.id, position)
            time_us = outcome.time_us
            if time_us is not None and self._window.start_us <= time_us < self._window.end_us:
                latest = (time_us, outcome.id, position)
                self._latest[outcome.interface] = max(latest, self._latest.get(outcome.interface, latest))

    def _keep(self, said: Facts) -> None:
        facts, window = self._batch.facts, self._window
        first_us, last_us = window.of("readings")
        start_us, end_us = window
        facts.readings += [fact for fact in said.readings if first_us <= fact.time_us < last_us]
        facts.observations += [fact for fact in said.observations if start_us <= fact.time_us < end_us]
        facts.samples += [fact for fact in said.samples if start_us <= fact.time_us < end_us]
        facts.slot_values += [fact for fact in said.slot_values if start_us <= fact.slot_us < end_us]

    def write(self) -> None:
        """Hand the batch's rows to the writers."""
        for interface, (time_us, event_id, position) in self._latest.items():
            self._batch.facts.observations.append(
                Observation(f"interface:{interface}", "last_message", format_time(time_us), "", time_us)
            )
            self._batch.close_event(event_id, position)
        self._latest.clear()
        merged = self._batch.merge()
        for table, data in sink.staged(merged, []):
            if data:
                self._writers[table.name].put(data, new=False)
        self._batch = Batch(self._names)


_TOPIC_NUMBERS = {entry.topic: entry.topic_number for entry in INTERFACES.values()}


def _choose(archive: Archive, manifest: Manifest, window: Window, chosen: _Chosen) -> None:
    """Add messages that may say something of the day.

    Those of the day and its neighbouring hours (which also warm up conversations), those whose archived facts speak of
    it whenever they came, and those that had no decoder when they came and have one now.
    """
    near = Window(window.start_us - NEIGHBOUR_US, window.end_us + NEIGHBOUR_US)
    kinds = [kind for kind in TIME_COLUMN if manifest.part(kind).touches(*window.of(kind))]
    bounds = (manifest.time_us, manifest.recorded_us)
    if not (kinds or manifest.undecoded or any(known is not None and known.touches(*near) for known in bounds)):
        return
    file = archive.file(manifest.number, "messages")
    table = pq.read_table(file, columns=list(_CHOOSING), use_threads=False)
    wanted = _between(table["time_us"], near) | _between(table["log_time_us"], near)
    timeless = pc.is_null(pc.coalesce(table["time_us"], table["log_time_us"])).to_numpy()
    wanted |= timeless & _between(table["recorded_us"], near)
    if kinds and not wanted.all():
        positions = _positions(table)
        for kind in kinds:
            wanted |= np.isin(positions, _speaking(archive, manifest, kind, window))
    if manifest.undecoded:
        readable = pa.array([entry.number for entry in INTERFACES.values() if entry.formats])
        late = pc.and_(pc.equal(table["type"], UNDECODED), pc.is_in(table["interface"], value_set=readable))
        wanted |= late.to_numpy()
    wanted &= pc.not_equal(table["type"], NOT_AN_EVENT).to_numpy()
    rows = np.flatnonzero(wanted).astype(np.uint32)
    chosen.add(manifest, rows, _conversations(table.take(pa.array(rows))))


def _between(times: pa.ChunkedArray, window: Window) -> _Mask:
    inside = pc.and_(pc.greater_equal(times, window.start_us), pc.less(times, window.end_us))
    found: _Mask = pc.fill_null(inside, False).to_numpy()
    return found


def _positions(messages: pa.Table) -> Ints:
    topics = pc.unique(messages["topic"]).to_pylist()
    place = pc.index_in(messages["topic"], value_set=pa.array(topics, pa.string())).to_numpy()
    numbers = np.array([_TOPIC_NUMBERS[topic] for topic in topics], np.int64)[place]
    partitions = messages["partition"].to_numpy().astype(np.int64)
    # position_of packs bits, and numpy packs columns alike
    return position_of(numbers, partitions, messages["offset"].to_numpy())  # type: ignore[return-value]


def _speaking(archive: Archive, manifest: Manifest, kind: str, window: Window) -> Ints:
    """Positions of messages whose archived facts speak of the day."""
    file = archive.file(manifest.number, kind)
    facts = pq.read_table(file, columns=["position", TIME_COLUMN[kind]], use_threads=False)
    mask = _between(facts[TIME_COLUMN[kind]], Window(*window.of(kind)))
    return np.unique(facts["position"].to_numpy()[mask])


def _conversations(messages: pa.Table) -> _Numbers:
    """A number for each message below :data:`_MOST_SHARES`: the same within a conversation, in any segment."""
    names = pc.binary_join_element_wise(messages["interface"], messages["source"], "\0")
    distinct = pc.unique(names)
    numbers = np.array([crc32(name.encode()) % _MOST_SHARES for name in distinct.to_pylist()], np.uint16)
    places: Ints = pc.index_in(names, value_set=distinct).to_numpy().astype(np.int64)
    found: _Numbers = numbers[places]
    return found


def _in_order(archive: Archive, chosen: _Chosen, shares: int, share: int) -> Iterator[Event]:
    """The messages of a share of all conversations, in the order of their log's time stamps."""
    table = _gathered(_take(archive, manifest, rows) for manifest, rows in chosen.of(shares, share))
    stamps = pc.coalesce(table["log_time_us"], table["time_us"], table["recorded_us"]).to_numpy()
    order = np.lexsort((_positions(table), table["recorded_us"].to_numpy(), stamps))
    for start in range(0, len(order), _BATCH_EVENTS):
        part = picked(table, order[start : start + _BATCH_EVENTS])
        for row in zip(*(part[name].to_pylist() for name in _DECODING), strict=True):
            yield _event(*row)


def _gathered(parts: Iterator[pa.Table]) -> pa.Table:
    """Tables as one of few chunks: the longer a day, the more parts has a share, and the smaller they are."""
    blocks, waiting, rows = [_NOTHING], [_NOTHING], 0
    for part in parts:
        waiting.append(part)
        rows += part.num_rows
        if rows >= _BLOCK_EVENTS:
            blocks.append(pa.concat_tables(waiting).combine_chunks())
            waiting, rows = [_NOTHING], 0
            memory.give_back()
    blocks.append(pa.concat_tables(waiting).combine_chunks())
    memory.give_back()
    return pa.concat_tables(blocks)


def _event(
    interface: str,
    source: str,
    event_type: str,
    time_us: int | None,
    log_time_us: int | None,
    recorded_us: int,
    topic: str,
    partition: int,
    offset: int,
    event_id: bytes,
    actor: str,
    raw: bytes,
    context: str,
) -> Event:
    return Event(
        event_id.hex(),
        interface,
        source,
        event_type,
        actor,
        time_us,
        log_time_us,
        {},
        raw,
        orjson.loads(context),
        recorded_us,
        topic,
        partition,
        offset,
    )


def _take(archive: Archive, manifest: Manifest, rows: _Rows) -> pa.Table:
    """Some messages of a segment; only the row groups in which they are get read."""
    with pq.ParquetFile(archive.file(manifest.number, "messages"), memory_map=True) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        ends = np.cumsum(sizes)
        parts = []
        for group, (size, end) in enumerate(zip(sizes, ends.tolist(), strict=True)):
            mine = rows[(rows >= end - size) & (rows < end)] - (end - size)
            if len(mine):
                parts.append(
                    file.read_row_group(group, columns=list(_DECODING), use_threads=False).take(pa.array(mine))
                )
    return pa.concat_tables(parts)


def _quiet(_done: int, _of: int) -> None:
    return
