"""Filtered reads of the archive: what it holds of one actor or one point, in few row groups a segment."""

import json
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.event import Event
from schemas.facts import SlotValue
from schemas.interfaces import by_topic_number
from schemas.rows import Register, split_position
from streams.archive.facts import REGISTER
from streams.archive.layout import Archive, Manifest

_STAMPS = ("time_us", "log_time_us", "recorded_us")


class Cut(NamedTuple):
    """Times in ``[start_us, end_us)`` of what was recorded up to ``known_us``, included."""

    start_us: int
    end_us: int
    known_us: int

    def may_touch(self, manifest: Manifest, kind: str) -> bool:
        """Whether a segment's file may hold something of it."""
        known = manifest.recorded_us is not None and manifest.recorded_us.first_us <= self.known_us
        return known and manifest.part(kind).touches(self.start_us, self.end_us)

    def of(self, table: pa.Table, column: str) -> pa.Table:
        """The rows within."""
        inside = pc.and_(pc.greater_equal(table[column], self.start_us), pc.less(table[column], self.end_us))
        return table.filter(pc.and_(inside, pc.less_equal(table["recorded_us"], self.known_us)))


def last_message(archive: Archive, interface: str, cut: Cut) -> Event | None:
    """The latest message of an interface, without its content; the newest segments are asked first.

    The observations hold one a quarter hour; a cut within one has to ask the messages.
    """
    best: Event | None = None
    touched = [entry for entry in archive.manifests() if cut.may_touch(entry, "messages")]
    last_us = {entry.number: bounds.last_us for entry in touched if (bounds := entry.part("messages").time_us)}
    for manifest in sorted(touched, key=lambda entry: last_us[entry.number], reverse=True):
        if best is not None and last_us[manifest.number] < (best.time_us or 0):
            break
        columns = ["interface", "time_us", "event_id", "recorded_us", "topic", "partition", "offset"]
        table = pq.read_table(archive.file(manifest.number, "messages"), columns=columns)
        table = cut.of(table.filter(pc.equal(table["interface"], interface)), "time_us")
        if not table.num_rows:
            continue
        table = table.filter(pc.equal(table["time_us"], pc.max(table["time_us"])))
        for _, time_us, event_id, recorded_us, topic, partition, offset in tuples(table, columns):
            where = (recorded_us, topic, partition, offset)
            event = Event(event_id.hex(), interface, "", "", "", time_us, None, {}, b"", {}, *where)
            if best is None or (time_us, event.id) > (best.time_us, best.id):
                best = event
    return best


def messages(
    archive: Archive, manifest: Manifest, actors: Collection[str], from_us: int, to_us: int
) -> Iterator[Event]:
    """The messages about some actors that count at a time in ``[from_us, to_us)``."""
    wanted = pa.array(sorted(actors), pa.string())

    def within(names: pa.Table) -> NDArray[np.bool_]:
        stamps = pc.coalesce(*(names[column] for column in _STAMPS)).to_numpy()
        about = pc.is_in(names["actor"], value_set=wanted).to_numpy().astype(np.bool_)
        inside: NDArray[np.bool_] = about & (stamps >= from_us) & (stamps < to_us)
        return inside

    file = archive.file(manifest.number, "messages")
    for table in chosen_rows(file, ("actor", *_STAMPS), within, within=("actor", sorted(actors))):
        for row in table.to_pylist():
            yield event_of(row)


def event_of(row: dict[str, Any]) -> Event:
    """The event in a row of a segment's messages; without its payload where that was not read."""
    return Event(
        row["event_id"].hex(),
        row["interface"],
        row["source"],
        row["type"],
        row["actor"],
        row["time_us"],
        row["log_time_us"],
        orjson.loads(row.get("payload", "{}")),
        row["raw"],
        orjson.loads(row["context"]),
        row["recorded_us"],
        row["topic"],
        row["partition"],
        row["offset"],
    )


def held_at(manifest: Manifest, wanted: Iterable[int]) -> dict[tuple[str, int, int], int]:
    """The positions a segment holds, by topic, partition and offset."""
    spans = {(span.topic, span.partition): span for span in manifest.offsets}
    held = {}
    for position in wanted:
        number, partition, offset = split_position(position)
        topic = by_topic_number(number).topic
        span = spans.get((topic, partition))
        if span is not None and span.start <= offset < span.end:
            held[topic, partition, offset] = position
    return held


def ids_at(archive: Archive, manifest: Manifest, wanted: Iterable[int]) -> dict[int, str]:
    """Event ids of the positions that a segment holds."""
    held = held_at(manifest, wanted)
    if not held:
        return {}
    names = ["topic", "partition", "offset", "event_id"]
    offsets = sorted({offset for _, _, offset in held})
    table = pq.read_table(archive.file(manifest.number, "messages"), columns=names, filters=[("offset", "in", offsets)])
    return {
        held[topic, partition, offset]: event_id.hex()
        for topic, partition, offset, event_id in tuples(table, names)
        if (topic, partition, offset) in held
    }


def stamps_at(archive: Archive, manifest: Manifest, wanted: Iterable[int]) -> dict[int, int]:
    """When the events at the positions that a segment holds count: see :func:`replay.history.stamp_of`."""
    held = held_at(manifest, wanted)
    if not held:
        return {}
    stamps = ("time_us", "log_time_us", "recorded_us")
    names = ("topic", "partition", "offset", *stamps)
    file, offsets = archive.file(manifest.number, "messages"), sorted({offset for _, _, offset in held})
    table = _rows(file, "offset", offsets, list(names))
    stamp = pc.coalesce(*(table[name] for name in stamps)).to_pylist()
    places = zip(*(table[name].to_pylist() for name in names[:3]), strict=True)
    return {held[place]: stamp_us for place, stamp_us in zip(places, stamp, strict=True) if place in held}


def events_at(archive: Archive, manifest: Manifest, wanted: Iterable[int]) -> Iterator[Event]:
    """The events at the positions that a segment holds."""
    held = held_at(manifest, wanted)
    if not held:
        return
    offsets = pa.array(sorted({offset for _, _, offset in held}), pa.int64())

    def among(names: pa.Table) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = pc.is_in(names["offset"], value_set=offsets).to_numpy().astype(np.bool_)
        return found

    for table in chosen_rows(archive.file(manifest.number, "messages"), ("offset",), among):
        for row in table.to_pylist():
            if (row["topic"], row["partition"], row["offset"]) in held:
                yield event_of(row)


def event_at(archive: Archive, position: int) -> Event | None:
    """The event at a position; None where it is not archived."""
    for manifest in archive.manifests():
        for topic, partition, offset in held_at(manifest, [position]):
            place = [("topic", "=", topic), ("partition", "=", partition), ("offset", "=", offset)]
            for row in pq.read_table(archive.file(manifest.number, "messages"), filters=place).to_pylist():
                return event_of(row)
    return None


def registers_of(archive: Archive, manifest: Manifest, points: Collection[str]) -> dict[int, Register]:
    """Registers of some points that speak in a segment."""
    table = _rows(archive.file(manifest.number, "registers"), "point", sorted(points))
    names = ("register_id", *REGISTER, "digits")
    return {identity: Register(*rest) for identity, *rest in tuples(table, names)}


def readings_of(archive: Archive, manifest: Manifest, registers: list[int], cut: Cut) -> pa.Table:
    """Readings of registers: register_id, time_us, value_mwh, position."""
    names = ["register_id", "time_us", "value_mwh", "position", "recorded_us"]
    table = _rows(archive.file(manifest.number, "readings"), "register_id", registers, names)
    return cut.of(table, "time_us").select(names[:4])


def slot_values_of(
    archive: Archive, manifest: Manifest, objects: Collection[str], cut: Cut
) -> Iterator[tuple[SlotValue, int]]:
    """Slot values of some objects, each with the position of the event that says it."""
    known = _rows(archive.file(manifest.number, "series"), "object", sorted(objects))
    if known.num_rows:
        file = archive.file(manifest.number, "slot_values")
        table = cut.of(_rows(file, "series_id", known["series_id"].to_pylist()), "slot_us")
        names = ("series", "object", "slot_us", "value", "unit", "quality", "version", "position")
        for series, found, slot_us, value, unit, quality, version, position in tuples(table, names):
            exact = int(value) if unit == "mWh" else Decimal(value)
            yield SlotValue(series, found, slot_us, exact, unit, quality, version), position


def positions_of_points(archive: Archive, manifest: Manifest, points: Collection[str], cut: Cut) -> set[int]:
    """Positions of the events that say something of registers or quarter hours of some points."""
    found: set[int] = set()
    if cut.may_touch(manifest, "readings"):
        registers = list(registers_of(archive, manifest, points))
        if registers:
            found.update(readings_of(archive, manifest, registers, cut)["position"].to_pylist())
    if cut.may_touch(manifest, "slot_values"):
        found.update(position for _, position in slot_values_of(archive, manifest, points, cut))
    return found


def documents(archive: Archive, manifest: Manifest, known_us: int) -> Iterator[tuple[str, str]]:
    """Actor and attribute of observations about documents: ``document/<number>``."""
    signals = pq.read_table(archive.file(manifest.number, "signals"))
    found = signals.filter(pc.starts_with(signals["attribute"], "document/"))
    if not found.num_rows:
        return
    whole = manifest.recorded_us is not None and manifest.recorded_us.last_us <= known_us
    if not whole:
        names = ["actor", "attribute", "signal_id", "recorded_us"]
        actors = pc.unique(found["actor"]).to_pylist()
        seen = _rows(archive.file(manifest.number, "observations"), "actor", actors, names)
        seen = seen.filter(pc.less_equal(seen["recorded_us"], known_us))
        found = found.filter(pc.is_in(found["signal_id"], value_set=pc.unique(seen["signal_id"])))
    yield from tuples(found, ("actor", "attribute"))


def value_of(text: str | bytes) -> Any:
    """A value from JSON text; a number that is not whole is a Decimal."""
    return json.loads(text, parse_float=Decimal)


def chosen_rows(
    file: Path,
    names: tuple[str, ...],
    choose: Callable[[pa.Table], NDArray[np.bool_]],
    columns: tuple[str, ...] | None = None,
    within: tuple[str, list[str] | list[int] | None] = ("", None),
) -> Iterator[pa.Table]:
    """The rows that are chosen by some columns, a row group at a time; of a group without any only those are read.

    Args:
        file: A Parquet file.
        names: The columns by which is chosen.
        choose: Which rows of a group are wanted.
        columns: Those to read; None: all.
        within: A column and values: groups whose statistics say that they hold none of them are passed over.
    """
    with pq.ParquetFile(file, memory_map=True) as parquet:
        column, values = within
        groups = range(parquet.num_row_groups) if values is None else _groups(parquet, column, values)
        for group in groups:
            mask = choose(parquet.read_row_group(group, columns=list(names), use_threads=False))
            hits = np.flatnonzero(mask)
            if len(hits):
                first, end = int(hits[0]), int(hits[-1]) + 1
                wanted = None if columns is None else list(columns)
                table = parquet.read_row_group(group, columns=wanted, use_threads=False).slice(first, end - first)
                yield table.filter(pa.array(mask[first:end]))


def _rows(file: Path, column: str, values: list[Any], columns: list[str] | None = None) -> pa.Table:
    """Rows whose column has one of some values, from the row groups that may hold them."""
    values = sorted(values)
    kind = pa.string() if isinstance(next(iter(values), ""), str) else pa.int64()
    wanted = pa.array(values, kind)

    def among(names: pa.Table) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = pc.is_in(names[column].cast(kind), value_set=wanted).to_numpy().astype(np.bool_)
        return found

    chosen = None if columns is None else tuple(columns)
    tables = list(chosen_rows(file, (column,), among, chosen, (column, values)))
    if tables:
        return pa.concat_tables(tables)
    schema = pq.read_schema(file)
    return schema.empty_table() if columns is None else schema.empty_table().select(columns)


def _groups(parquet: pq.ParquetFile, column: str, values: list[Any]) -> list[int]:
    """Row groups whose statistics do not exclude every one of some sorted values."""
    index = parquet.schema_arrow.get_field_index(column)
    found = []
    for group in range(parquet.num_row_groups):
        bounds = parquet.metadata.row_group(group).column(index).statistics
        if bounds is None or not bounds.has_min_max:
            found.append(group)
            continue
        place = bisect_left(values, bounds.min)
        if place < len(values) and values[place] <= bounds.max:
            found.append(group)
    return found


def tuples(table: pa.Table, names: tuple[str, ...] | list[str]) -> Iterator[tuple[Any, ...]]:
    """Some columns of each row."""
    return zip(*(table[name].to_pylist() for name in names), strict=True)
