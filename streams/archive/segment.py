"""Writing a segment: events gathered in memory as columns, then one file a kind and the manifest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.event import UNDECODED, Event, json_default
from schemas.facts import Facts
from streams import memory
from streams.archive.facts import KINDS, TIME_COLUMN, FactColumns
from streams.archive.layout import FORMAT, Archive, Bounds, Manifest, Part, Range, sha256_of
from twin.merge.batch import Names
from twin.merge.columns import Ints

NOT_AN_EVENT = "not-an-event"
"""Type of a record that is no event of Gegenstrom; its whole value stands in ``raw``."""

MESSAGES = pa.schema(
    [
        ("event_id", pa.binary(16)),
        ("interface", pa.string()),
        ("source", pa.string()),
        ("type", pa.string()),
        ("actor", pa.string()),
        ("time_us", pa.int64()),
        ("log_time_us", pa.int64()),
        ("recorded_us", pa.int64()),
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("raw", pa.binary()),
        ("context", pa.string()),
        ("payload", pa.string()),
    ]
)

_PACK_EVENTS = 2_500
_GROUP_MESSAGES = 8_192
_GROUP_BYTES = 4 << 20
_FACT_ROWS = 65_536
_PICKED_ROWS = 2_048
_PACKED_INTEGERS = {"time_us", "slot_us", "log_time_us", "recorded_us", "offset", "position", "value_mwh", "power_mw"}
_UNIQUE = {"event_id", "raw", "payload"}


@dataclass(slots=True)
class OpenSegment:
    """A segment that is being gathered.

    For each event: append its facts to :attr:`facts`, then :meth:`add`. ``bytes`` is what its messages weigh; ``names``
    may be those of the segments before it, so that each name is hashed once.
    """

    names: Names = field(default_factory=Names)
    events: int = 0
    undecoded: int = 0
    bytes: int = 0
    gaps: list[Range] = field(default_factory=list)
    _spans: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    _columns: FactColumns = field(init=False)
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _batches: list[pa.RecordBatch] = field(default_factory=list)
    _actors: dict[str, int] = field(default_factory=dict)
    _actor_codes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._columns = FactColumns(self.names)

    @property
    def covers(self) -> bool:
        """Whether any offsets are in it."""
        return bool(self._spans)

    @property
    def said(self) -> int:
        """How many facts are in it."""
        return self._columns.said

    @property
    def facts(self) -> Facts:
        """Where the observer of the next event writes."""
        return self._columns.facts

    def add(self, event: Event, position: int) -> None:
        """Take an event; what was appended to :attr:`facts` since the last one is what it says."""
        payload = orjson.dumps(event.payload, default=json_default)
        context = orjson.dumps(event.context, default=json_default) if event.context else b"{}"
        self._columns.close_event(event.id, position, event.recorded_us, event.interface, event.time_us)
        self._actor_codes.append(self._actors.setdefault(event.actor, len(self._actors)))
        self._rows.append(
            (
                bytes.fromhex(event.id),
                event.interface,
                event.source,
                event.type,
                event.actor,
                event.time_us,
                event.log_time_us,
                event.recorded_us,
                event.topic,
                event.partition,
                event.offset,
                event.raw,
                context,
                payload,
            )
        )
        self.events += 1
        self.undecoded += event.type == UNDECODED
        self.bytes += len(event.raw) + len(payload) + len(context)
        if len(self._rows) >= _PACK_EVENTS:
            self._pack()

    def cover(self, topic: str, partition: int, start: int, end: int) -> None:
        """Offsets ``[start, end)`` are in this segment; they go on where those before ended."""
        known = self._spans.get((topic, partition))
        self._spans[topic, partition] = (known[0] if known else start, end)

    def write(self, archive: Archive, number: int) -> Manifest:
        """Write the files and, last, the manifest."""
        archive.segment(number).mkdir(parents=True)
        self._pack()
        files = {}
        messages = pa.Table.from_batches(self._batches, MESSAGES)
        stamps = pa.chunked_array(messages["time_us"].chunks + messages["log_time_us"].chunks, pa.int64())
        times, recorded = _bounds(stamps), _bounds(messages["recorded_us"])
        groups = _row_groups(messages, self._order(messages["time_us"]))
        files["messages"] = write_file(archive, number, "messages", messages, groups)
        del messages
        self._batches.clear()
        memory.give_back()  # before the columns of the facts, which do not fit into what is left of the messages
        tables = self._columns.tables()
        for kind in KINDS:
            files[kind] = write_file(archive, number, kind, tables.pop(kind))
        manifest = Manifest(
            number,
            self.events,
            self.undecoded,
            tuple(Range(*key, *span) for key, span in sorted(self._spans.items())),
            tuple(sorted(self.gaps)),
            times,
            recorded,
            files,
            {"archive": str(FORMAT), "pyarrow": pa.__version__},
        )
        archive.seal_segment(manifest)
        return manifest

    def _pack(self) -> None:
        self._columns.pack()
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [pa.array(column, entry.type) for column, entry in zip(columns, MESSAGES, strict=True)]
            self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=MESSAGES))
            self._rows.clear()

    def _order(self, time_us: pa.ChunkedArray) -> Ints:
        """Messages by actor and time, those without a time first."""
        names = sorted(self._actors)
        places = np.empty(len(names), np.int64)
        for place, name in enumerate(names):
            places[self._actors[name]] = place
        times = pc.fill_null(time_us, np.iinfo(np.int64).min).to_numpy()
        return np.lexsort((times, places[np.array(self._actor_codes, np.int64)]))


def write_file(archive: Archive, number: int, kind: str, table: pa.Table, groups: Sequence[Ints] = ()) -> Part:
    """Write one file of a segment, as all are written; ``groups`` says which rows go into each row group."""
    file = archive.file(number, kind)
    names = table.column_names
    with pq.ParquetWriter(
        file,
        table.schema,
        compression="zstd",
        use_dictionary=[name for name in names if name not in _PACKED_INTEGERS | _UNIQUE],
        column_encoding={name: "DELTA_BINARY_PACKED" for name in names if name in _PACKED_INTEGERS},
        write_statistics=[name for name in names if name not in {"raw", "payload", "context", "value_json"}],
        store_schema=True,
    ) as writer:
        for places in groups or _ranges(table.num_rows):
            writer.write_table(picked(table, places))
            memory.give_back()  # what a group needed for itself, before the next: the highest is that of gathering
    times = _bounds(table[TIME_COLUMN.get(kind, "time_us")]) if TIME_COLUMN.get(kind, "time_us") in names else None
    return Part(table.num_rows, file.stat().st_size, sha256_of(file), times)


def _ranges(rows: int) -> list[range]:
    return [range(start, min(start + _FACT_ROWS, rows)) for start in range(0, rows, _FACT_ROWS)]


def _row_groups(messages: pa.Table, order: Ints) -> list[Ints]:
    """The messages of each row group: so many, or fewer where they are long, for a group is laid out in memory."""
    bodies = ("raw", "payload", "context")
    sizes: Ints = np.stack([pc.binary_length(messages[name]).to_numpy() for name in bodies]).astype(np.int64)
    weights = sizes.sum(axis=0)[order]
    ends = np.cumsum(weights)
    starts = [0]
    while starts[-1] < len(order):
        start = starts[-1]
        fitting = int(np.searchsorted(ends, ends[start] - weights[start] + _GROUP_BYTES, side="right"))
        starts.append(min(max(fitting, start + 1), start + _GROUP_MESSAGES, len(order)))
    return [order[start:end] for start, end in pairwise(starts)]


def picked(table: pa.Table, places: Ints | range) -> pa.Table:
    """Rows of a table of many batches, a few at a time from each.

    Arrow's own ``take`` would first lay each column in one piece: the segment would lie twice in memory.
    """
    if isinstance(places, range):
        return table.slice(places.start, len(places))
    batches = table.to_batches()
    starts = np.cumsum([0, *(batch.num_rows for batch in batches)])
    found = []
    for some in np.array_split(places, -(-len(places) // _PICKED_ROWS)):
        owners = np.searchsorted(starts, some, side="right") - 1
        by_owner = np.argsort(owners, kind="stable")
        parts = [
            batches[owner].take(pa.array(some[owners == owner] - starts[owner])) for owner in np.unique(owners).tolist()
        ]
        gathered = pa.Table.from_batches(parts, table.schema).combine_chunks()
        found.append(gathered.take(pa.array(np.argsort(by_owner))))
    return pa.concat_tables(found)


def _bounds(column: pa.ChunkedArray) -> Bounds | None:
    found = pc.min_max(column)
    low, high = found["min"].as_py(), found["max"].as_py()
    return None if low is None else Bounds(low, high)


def write_segment(
    archive: Archive, events: Iterable[tuple[Event, int, Facts]], ranges: Iterable[Range] = ()
) -> Manifest:
    """Write events with their positions and facts as the next segment; for who has them in memory."""
    segment = OpenSegment()
    for event, position, said in events:
        facts = segment.facts
        facts.observations += said.observations
        facts.readings += said.readings
        facts.samples += said.samples
        facts.slot_values += said.slot_values
        segment.add(event, position)
    for entry in ranges:
        segment.cover(*entry)
    return segment.write(archive, archive.next_number())
