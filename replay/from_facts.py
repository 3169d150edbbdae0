"""A replay from the facts of the archive: columns of integers from Parquet to COPY, no Python object per reading."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from replay.columns import (
    SampleRows,
    TrendRows,
    TwinRows,
    joined,
    merge_samples,
    merge_trends,
    merge_twins,
    picked,
    sample_rows,
    trends_of,
)
from replay.load import Folding, TableWriter
from replay.reading import (
    Piece,
    Window,
    in_order_of_time,
    numeric,
    pieces,
    read_edges,
    read_names,
    read_observations,
    read_samples,
    read_slot_values,
)
from streams import copy_binary as binary
from streams import sink
from streams.archive.layout import Archive, Manifest
from twin.merge.batch import QUALITY_RANK
from twin.merge.columns import Edges, Ints, Merged, Twins, starts_of_groups, stretch_of
from twin.merge.edges import merge_edges

_THREADS = 2
_AHEAD = 3
_TWIN_ROWS = 200_000
_NAME_ROWS = 200_000
"""Every segment names again who speaks in it: beyond so many rows each name is kept once."""

_OBJECT_ROWS = 20_000
"""Rows with text, which become objects of Python on their way to COPY, in one go."""

_SINCE_EVER_US = -(1 << 62)
TABLES = ("edge", "trend", "sample", "slot_value", "twin", "register", "signal", "series")
_KINDS = ("readings", "observations", "samples", "slot_values")

Plan = list[tuple[Manifest, int | None]]
_Result = TypeVar("_Result")


def run(
    archive: Archive,
    url: str,
    window: Window,
    into: str,
    on_progress: Callable[[int, int], None],
    kinds: tuple[str, ...] = _KINDS,
    *,
    observed_before_us: int | None = None,
) -> tuple[int, dict[str, int]]:
    """Write the rows of a stretch of time into a fresh schema.

    Args:
        archive: where the facts are.
        url: the database.
        window: the stretch of time.
        into: the schema, just made.
        on_progress: called with facts read and to be read.
        kinds: facts to take.
        observed_before_us: take observations before this instant; by default before the window's end.

    Returns:
        Facts read, and rows by table.
    """
    before_us = window.end_us if observed_before_us is None else observed_before_us
    with ExitStack() as stack:
        writers = {name: stack.enter_context(TableWriter(url, into, name)) for name in TABLES}
        pool = stack.enter_context(ThreadPoolExecutor(_THREADS))
        work = _Run(archive, window, before_us, kinds, writers, pool, on_progress)
        work.edges()
        work.observations()
        work.samples()
        work.slot_values()
        work.names()
    return work.done, {name: writer.rows for name, writer in writers.items()}


class _Used:
    """Identities that occur in rows, and the segments that name them."""

    def __init__(self) -> None:
        self._ids: list[Ints] = []
        self.manifests: dict[int, Manifest] = {}

    def add(self, ids: Ints) -> None:
        self._ids.append(np.unique(ids))
        if len(self._ids) > 16:
            self._ids = [np.unique(np.concatenate(self._ids))]

    def ids(self) -> Ints:
        return np.unique(np.concatenate(self._ids)) if self._ids else np.empty(0, np.int64)


class _Run:
    def __init__(
        self,
        archive: Archive,
        window: Window,
        before_us: int,
        kinds: tuple[str, ...],
        writers: dict[str, TableWriter],
        pool: ThreadPoolExecutor,
        on_progress: Callable[[int, int], None],
    ) -> None:
        self._archive, self._window, self._before_us = archive, window, before_us
        self._writers, self._pool, self._on_progress = writers, pool, on_progress
        self._used = {"registers": _Used(), "signals": _Used(), "series": _Used()}
        past = Window(_SINCE_EVER_US, before_us)
        manifests = archive.manifests()
        self._plans = {
            kind: list(in_order_of_time(manifests, kind, past if kind == "observations" else window)) for kind in kinds
        }
        self.done = 0
        self._total = sum(entry.part(kind).rows for kind, plan in self._plans.items() for entry, _ in plan)

    def edges(self) -> None:
        """Tables ``edge`` and ``register``."""
        used = self._used["registers"]
        folding = Folding(self._writers["edge"], merge_edges, _edge_rows, seen=lambda rows: used.add(rows.register_id))
        for edges, settled in self._each(
            "readings", used, lambda piece: read_edges(self._archive, piece, self._window)
        ):
            folding.add(edges)
            if settled:
                folding.settle(settled[0])
        folding.settle(None)

    def observations(self) -> None:
        """Tables ``twin``, ``trend`` and ``signal``."""
        used = self._used["signals"]
        folding = Folding(self._writers["trend"], merge_trends, _trend_rows, seen=lambda rows: used.add(rows.signal_id))
        parts: list[TwinRows] = []
        for (twins, trends), settled in self._each("observations", used, self._read_observations):
            parts.append(twins)
            if sum(len(part.signal_id) for part in parts) > _TWIN_ROWS:
                parts = [merge_twins(joined(parts))]
            folding.add(trends)
            if settled:
                folding.settle(settled[0])
        folding.settle(None)
        if parts:
            self._twins(merge_twins(joined(parts)))

    def samples(self) -> None:
        """Table ``sample``."""
        keys: dict[tuple[str, int], int] = {}

        def layout(rows: SampleRows) -> bytes:
            return _laid_out("sample", Merged(samples=sample_rows(rows, list(keys))))

        folding = Folding(self._writers["sample"], merge_samples, layout, whole=_whole_samples)
        for piece, settled in self._each(
            "samples", None, lambda piece: read_samples(self._archive, piece, self._window)
        ):
            folding.add(piece.numbered(keys))
            if settled:
                folding.settle(settled[0])
        folding.settle(None)

    def slot_values(self) -> None:
        """Tables ``slot_value`` and ``series``."""
        used = self._used["series"]
        for values, _ in self._each(
            "slot_values", used, lambda piece: read_slot_values(self._archive, piece, self._window)
        ):
            if values:
                used.add(np.array([value.series_id for value in values], np.int64))
                data = _laid_out("slot_value", Merged(slot_values=values))
                self._writers["slot_value"].put(data, new=False)

    def names(self) -> None:
        """Names of what occurs in the rows; the widest form of a register."""
        for kind, table, layout in (
            ("registers", "register", _register_rows),
            ("signals", "signal", _signal_rows),
            ("series", "series", _series_rows),
        ):
            used = self._used[kind]
            wanted = pa.array(used.ids())
            found: list[pa.Table] = []
            for manifest in used.manifests.values():
                names = read_names(self._archive, manifest, kind)
                found.append(names.filter(pc.is_in(names[0], value_set=wanted)))
                if sum(part.num_rows for part in found) > _NAME_ROWS:
                    found = [_distinct(found)]
            rows = _distinct(found) if found else pa.table({})
            for start in range(0, rows.num_rows, _OBJECT_ROWS):
                self._writers[table].put(layout(rows.slice(start, _OBJECT_ROWS)), new=True)

    def _read_observations(self, piece: Piece) -> tuple[TwinRows, TrendRows]:
        rows = read_observations(self._archive, piece, self._before_us)
        in_day = rows.time_us >= self._window.start_us
        trends = trends_of(*numeric(picked(rows, in_day)))
        starts = starts_of_groups(rows.signal_id)
        return picked(rows, np.append(starts[1:], len(rows.signal_id)) - 1) if len(starts) else rows, trends

    def _twins(self, rows: TwinRows) -> None:
        self._used["signals"].add(rows.signal_id)
        for start in range(0, len(rows.signal_id), _OBJECT_ROWS):
            piece = stretch_of(rows, start, start + _OBJECT_ROWS)
            self._writers["twin"].put(_twin_rows(piece), new=True)

    def _each(
        self, kind: str, used: _Used | None, read: Callable[[Piece], _Result]
    ) -> Iterator[tuple[_Result, tuple[int | None] | None]]:
        """Results in order of the plan, read ahead on threads.

        With the last piece of a segment comes, in a tuple, the time before which nothing will follow.
        """
        waiting: deque[tuple[Piece, tuple[int | None] | None, Future[_Result]]] = deque()
        for manifest, after in self._plans.get(kind, []):
            if used is not None:
                used.manifests[manifest.number] = manifest
            found = pieces(self._archive, manifest, kind)
            for number, piece in enumerate(found):
                last = (after,) if number == len(found) - 1 else None
                waiting.append((piece, last, self._pool.submit(read, piece)))
                if len(waiting) >= _AHEAD:
                    yield self._take(*waiting.popleft())
        while waiting:
            yield self._take(*waiting.popleft())

    def _take(
        self, piece: Piece, last: tuple[int | None] | None, future: Future[_Result]
    ) -> tuple[_Result, tuple[int | None] | None]:
        result = future.result()
        self.done += piece.rows
        self._on_progress(self.done, self._total)
        return result, last


def _laid_out(table: str, merged: Merged) -> bytes:
    return next(data for entry, data in sink.staged(merged, []) if entry.name == table)


def _twin_rows(rows: TwinRows) -> bytes:
    ids = rows.event_ids()
    twins = Twins(
        rows.signal_id,
        [value.encode() for value in rows.value_json.to_pylist()],
        rows.unit.to_pylist(),
        rows.time_us,
        [ids[at : at + 16].hex() for at in range(0, len(ids), 16)],
        rows.position,
    )
    return _laid_out("twin", Merged(twins=twins))


def _edge_rows(edges: Edges) -> bytes:
    return _laid_out("edge", Merged(edges=edges))


def _trend_rows(rows: TrendRows) -> bytes:
    return binary.fixed_rows(
        rows.signal_id,
        binary.timestamps(rows.minute_us),
        binary.timestamps(rows.last_us),
        np.frombuffer(rows.event_ids(), "V16"),
        rows.last,
        rows.low,
        rows.high,
    )


def _whole_samples(rows: SampleRows, end: int) -> int:
    """A cut at or behind ``end`` that parts no quarter hour."""
    size = len(rows.key)
    while end < size and rows.key[end] == rows.key[end - 1] and rows.slot_us[end] == rows.slot_us[end - 1]:
        end += 1
    return end


def _distinct(parts: list[pa.Table]) -> pa.Table:
    """Each identity once, for it tells the names; where there is a width, the largest."""
    names = pa.concat_tables(parts)
    if not names.num_rows:
        return names
    ids = names[0].to_numpy()
    widths = names["digits"].to_numpy() if "digits" in names.column_names else np.zeros(len(ids), np.int8)
    order = np.lexsort((widths, ids))
    starts = starts_of_groups(ids[order])
    return names.take(pa.array(order[np.append(starts[1:], len(ids)) - 1]))


def _register_rows(names: pa.Table) -> bytes:
    rows = zip(*(column.to_pylist() for column in names), strict=True)
    registers: dict[int, tuple[Any, ...]] = {
        identity: (*key, QUALITY_RANK[quality], document, digits) for identity, *key, quality, document, digits in rows
    }
    return _laid_out("register", Merged(registers=registers))


def _signal_rows(names: pa.Table) -> bytes:
    return _laid_out("signal", Merged(signals=_by_id(names)))


def _series_rows(names: pa.Table) -> bytes:
    return _laid_out("series", Merged(series=_by_id(names)))


def _by_id(names: pa.Table) -> dict[int, Any]:
    return {identity: tuple(key) for identity, *key in zip(*(column.to_pylist() for column in names), strict=True)}
