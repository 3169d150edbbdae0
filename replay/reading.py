"""Facts of the archive, a piece of a segment at a time, as columns of integers."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from replay.columns import NO_SAMPLES, SampleRows, TwinRows, merge_samples, picked, slot_start
from schemas.calendar import day_slots
from schemas.facts import QUALITIES
from schemas.time import HOUR_US, SLOT_US
from streams.archive.facts import TIME_COLUMN, quality_ranks
from streams.archive.layout import Archive, Manifest
from twin.merge.batch import pack_sample
from twin.merge.columns import Edges, SlotValueRow, Words
from twin.merge.edges import merge_readings

PIECE_ROWS = 1 << 16
"""Facts read in one go."""

NEIGHBOUR_US = 2 * HOUR_US
"""How far beyond its borders a day's registers are read, for interpolation across them; whole quarter hours."""


class Window(NamedTuple):
    """A day: ``[start_us, end_us)``, both on quarter hours."""

    start_us: int
    end_us: int

    def of(self, kind: str) -> tuple[int, int]:
        """The times of a kind of facts that a replay of the day needs."""
        if kind == "readings":
            return self.start_us - NEIGHBOUR_US, self.end_us + NEIGHBOUR_US
        return self.start_us, self.end_us


def window_of(day: date) -> Window:
    """A legal German day as a stretch of time."""
    slots = day_slots(day)
    return Window(slots.start, slots.stop)


class Piece(NamedTuple):
    """Some row groups of one file."""

    manifest: Manifest
    kind: str
    groups: tuple[int, ...]
    rows: int


def pieces(archive: Archive, manifest: Manifest, kind: str) -> list[Piece]:
    """A file in pieces of about :data:`PIECE_ROWS` rows."""
    if not manifest.part(kind).rows:
        return []
    found: list[Piece] = []
    groups: list[int] = []
    rows = 0
    metadata = pq.read_metadata(archive.file(manifest.number, kind))
    for group in range(metadata.num_row_groups):
        groups.append(group)
        rows += metadata.row_group(group).num_rows
        if rows >= PIECE_ROWS:
            found.append(Piece(manifest, kind, tuple(groups), rows))
            groups, rows = [], 0
    if groups:
        found.append(Piece(manifest, kind, tuple(groups), rows))
    return found


def read_edges(archive: Archive, piece: Piece, window: Window) -> Edges:
    """Edges of the readings in a piece."""
    table = _read(archive, piece, ["register_id", "time_us", "value_mwh", "position"])
    columns = [table[name].to_numpy() for name in table.column_names]
    times = piece.manifest.part(piece.kind).time_us
    start, end = window.of("readings")
    if times is not None and (times.first_us < start or times.last_us >= end):
        inside = (columns[1] >= start) & (columns[1] < end)
        columns = [column[inside] for column in columns]
    return merge_readings(*columns)


def read_observations(archive: Archive, piece: Piece, before_us: int) -> TwinRows:
    """Observations before an instant; those of a signal lie together, sorted by time and event id."""
    table = _read(archive, piece, ["signal_id", "time_us", "event_id", "position", "value_json", "unit"])
    times = piece.manifest.part(piece.kind).time_us
    if times is not None and times.last_us >= before_us:
        table = table.filter(pc.less(table["time_us"], before_us))
    high, low = words_of(table["event_id"])
    return TwinRows(
        table["signal_id"].to_numpy(),
        table["time_us"].to_numpy(),
        high,
        low,
        table["position"].to_numpy(),
        whole(table["value_json"]),
        whole(table["unit"]),
    )


def numeric(rows: TwinRows) -> tuple[TwinRows, NDArray[np.float64]]:
    """The observations whose value is a number, and these numbers."""
    data = rows.value_json
    if not len(data):
        return rows, np.empty(0, np.float64)
    offsets = np.frombuffer(data.buffers()[1], np.int32)[data.offset : data.offset + len(data)]
    first = np.frombuffer(data.buffers()[2], np.uint8)[offsets]
    numbers = (first == ord("-")) | ((first >= ord("0")) & (first <= ord("9")))
    chosen = picked(rows, numbers)
    return chosen, chosen.value_json.cast(pa.float64()).to_numpy() + 0.0  # -0 as 0, as in twin.merge


class PointSamples(NamedTuple):
    """Samples of a piece; ``rows.key`` counts into ``points``, pairs of point and quality."""

    rows: SampleRows
    points: list[tuple[str, int]]

    def numbered(self, keys: dict[tuple[str, int], int]) -> SampleRows:
        """The rows with keys that hold for all pieces; ``keys`` grows."""
        codes = np.array([keys.setdefault(point, len(keys)) for point in self.points], np.int64)
        return self.rows._replace(key=codes[self.rows.key]) if self.points else self.rows


def read_samples(archive: Archive, piece: Piece, window: Window) -> PointSamples:
    """Samples of the day, packed."""
    table = _inside(_read(archive, piece, ["point", "quality", "time_us", "power_mw"]), window, piece.kind)
    if not table.num_rows:
        return PointSamples(NO_SAMPLES, [])
    time, power = table["time_us"].to_numpy(), table["power_mw"].to_numpy()
    points = whole(table["point"]).dictionary_encode()
    ranks = quality_ranks(whole(table["quality"]))
    pairs = points.indices.to_numpy().astype(np.int64) * len(QUALITIES) + ranks
    distinct, codes = np.unique(pairs, return_inverse=True)
    names = points.dictionary.to_pylist()
    found = [(names[pair // len(QUALITIES)], pair % len(QUALITIES)) for pair in distinct.tolist()]
    # pack_sample is linear: what it makes of nothing and of one microsecond gives it for whole columns.
    nothing = pack_sample(0, 0)
    packed = nothing + (time % SLOT_US) * (pack_sample(1, 0) - nothing) + power
    return PointSamples(merge_samples(SampleRows(codes, slot_start(time), packed)), found)


def read_slot_values(archive: Archive, piece: Piece, window: Window) -> list[SlotValueRow]:
    """Distinct slot values of the day, each with its first position, sorted by key."""
    names = ["series_id", "slot_us", "version", "quality", "value", "position"]
    table = _inside(_read(archive, piece, names), window, piece.kind)
    if not table.num_rows:
        return []
    table = table.set_column(3, "quality", pa.array(quality_ranks(whole(table["quality"]))))
    grouped = table.group_by(names[:5], use_threads=False).aggregate([("position", "min")])
    return [SlotValueRow(*row) for row in sorted(zip(*(column.to_pylist() for column in grouped), strict=True))]


def read_names(archive: Archive, manifest: Manifest, kind: str) -> pa.Table:
    """A segment's names: ``registers``, ``signals`` or ``series``; the identity first."""
    return pq.read_table(archive.file(manifest.number, kind), use_threads=False, memory_map=True)


def words_of(ids: pa.ChunkedArray) -> tuple[Words, Words]:
    """Event ids as two unsigned words each."""
    column = whole(ids)
    if not len(column):
        return np.empty(0, np.uint64), np.empty(0, np.uint64)
    data = np.frombuffer(column.buffers()[1], ">u8")[2 * column.offset : 2 * (column.offset + len(column))]
    return data[0::2].astype(np.uint64), data[1::2].astype(np.uint64)


def _read(archive: Archive, piece: Piece, columns: list[str]) -> pa.Table:
    with pq.ParquetFile(archive.file(piece.manifest.number, piece.kind), memory_map=True) as file:
        return file.read_row_groups(list(piece.groups), columns=columns, use_threads=False).select(columns)


def _inside(table: pa.Table, window: Window, kind: str) -> pa.Table:
    start, end = window.of(kind)
    column = table[TIME_COLUMN[kind]]
    return table.filter(pc.and_(pc.greater_equal(column, start), pc.less(column, end)))


def whole(column: pa.ChunkedArray) -> Any:
    """A column in one piece."""
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)


def in_order_of_time(manifests: list[Manifest], kind: str, window: Window) -> Iterator[tuple[Manifest, int | None]]:
    """Segments that touch the day, by their first time, each with the first time of those that follow."""
    touching = [entry for entry in manifests if entry.part(kind).touches(*window.of(kind))]
    firsts = sorted((_first(entry, kind), entry.number, entry) for entry in touching)
    for place, (_, _, manifest) in enumerate(firsts, 1):
        following = firsts[place][0] if place < len(firsts) else None
        yield manifest, None if following is None else following - following % SLOT_US


def _first(manifest: Manifest, kind: str) -> int:
    times = manifest.part(kind).time_us
    assert times is not None
    return times.first_us
