"""Merged rows into the database: binary COPY into temporary tables, then one upsert a table.

A batch's rows and the next offsets of its partitions commit in one transaction. The commit checks that each stored
offset is still the one the batch started from, so a redelivery or a worker that lost its partition changes nothing.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from streams import copy_binary as binary
from streams.sink_sql import TABLES, Upsert
from twin.merge.columns import Merged, Twins, stretch_of

_TWIN_ROWS = 8_192
"""Laid out in one go: until they are joined each row is four objects."""


class Span(NamedTuple):
    """Offsets ``[start, end)`` of one partition that a batch covers."""

    start: int
    end: int


Spans = Mapping[tuple[str, int], Span]


class QuarantineRow(NamedTuple):
    """A row of table ``quarantine``; see ``schemas/sql``."""

    id: str
    interface: str
    source: str
    format: str
    at_us: int | None
    recorded_us: int
    reason: str
    detail: str
    raw: bytes
    context: str
    position: int


class OffsetMovedError(Exception):
    """Another worker has already written these offsets: drop the batch and start from the stored ones."""


async def prepare(connection: psycopg.AsyncConnection[Any], schema: str) -> None:
    """Set the search path of a connection and create its temporary tables.

    Commits do not wait for the disk. A database that crashes may forget the newest of them, but whole and from the end:
    rows and offsets together, and what lies behind the stored offsets is read from Kafka again.
    """
    await connection.execute("set synchronous_commit to off")
    await connection.execute("set jit to off")  # compiling a statement takes longer than a batch does
    await connection.execute("set temp_buffers to '64MB'")
    await connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(schema)))
    for table in TABLES:
        await connection.execute(table.staging.encode())
    await connection.commit()


async def write(
    connection: psycopg.AsyncConnection[Any],
    merged: Merged,
    spans: Spans,
    quarantine: list[QuarantineRow] | None = None,
) -> None:
    """Write a merged batch and move the offsets, in one transaction.

    Raises:
        OffsetMovedError: a stored offset is not the start of its span; nothing was written.
        psycopg.Error: the database refuses or is away; nothing was written.
    """
    async with connection.transaction():
        await _move_offsets(connection, spans)
        for table, data in staged(merged, quarantine or []):
            if not data:
                continue
            async with connection.cursor() as cursor:
                async with cursor.copy(table.copy.encode()) as copy:
                    await copy.write(binary.HEADER)
                    await copy.write(data)
                    await copy.write(binary.TRAILER)
                await cursor.execute(table.upsert.encode())


async def stored_offsets(
    connection: psycopg.AsyncConnection[Any], partitions: list[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    """The next offset of each partition; 0 for one that was never written."""
    async with connection.cursor() as cursor:
        await cursor.execute("select topic, partition, next_offset from progress")
        known = {(topic, partition): offset for topic, partition, offset in await cursor.fetchall()}
    await connection.commit()
    return {partition: known.get(partition, 0) for partition in partitions}


async def _move_offsets(connection: psycopg.AsyncConnection[Any], spans: Spans) -> None:
    if not spans:
        return
    keys = sorted(spans)
    columns = (
        [topic for topic, _ in keys],
        [partition for _, partition in keys],
        [spans[key].start for key in keys],
        [spans[key].end for key in keys],
    )
    await connection.execute(
        "insert into progress (topic, partition, next_offset) "
        "select topic, partition, 0 from unnest(%s::text[], %s::int[]) as span (topic, partition) "
        "order by topic, partition on conflict do nothing",
        columns[:2],
    )
    cursor = await connection.execute(
        "update progress set next_offset = span.next, written_at = clock_timestamp() "
        "from unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[]) as span (topic, partition, start, next) "
        "where progress.topic = span.topic and progress.partition = span.partition "
        "and progress.next_offset = span.start",
        columns,
    )
    if cursor.rowcount != len(keys):
        raise OffsetMovedError(
            f"{len(keys) - cursor.rowcount} of {len(keys)} partitions were written by another worker"
        )


def staged(merged: Merged, quarantine: list[QuarantineRow]) -> Iterator[tuple[Upsert, bytes]]:
    """The binary rows of each table, in the order in which tables are always written."""
    by_name = {table.name: table for table in TABLES}
    for name, rows in (
        ("register", _registers(merged)),
        ("signal", b"".join(_named(identity, *names) for identity, names in merged.signals.items())),
        ("series", b"".join(_named(identity, *names) for identity, names in merged.series.items())),
        ("edge", _edges(merged)),
        ("twin", _twins(merged)),
        ("trend", _trends(merged)),
        ("sample", _samples(merged)),
        ("slot_value", _slot_values(merged)),
        ("quarantine", b"".join(map(_quarantine, sorted(quarantine)))),
    ):
        yield by_name[name], rows


def _registers(merged: Merged) -> bytes:
    return b"".join(
        binary.row(
            binary.int_field(identity),
            *map(binary.text_field, (point, device, obis, direction)),
            binary.smallint_field(quality),
            binary.text_field(document),
            binary.smallint_field(digits),
        )
        for identity, (point, device, obis, direction, quality, document, digits) in merged.registers.items()
    )


def _named(identity: int, *names: str) -> bytes:
    return binary.row(binary.int_field(identity), *map(binary.text_field, names))


def _edges(merged: Merged) -> bytes:
    edges = merged.edges
    if not len(edges.slot_us):
        return b""
    return binary.fixed_rows(
        edges.register_id,
        binary.timestamps(edges.slot_us),
        binary.timestamps(edges.first_us),
        edges.first_mwh,
        edges.first_spread_mwh,
        edges.first_position,
        binary.timestamps(edges.last_us),
        edges.last_mwh,
        edges.last_spread_mwh,
        edges.last_position,
    )


def _twins(merged: Merged) -> bytes:
    starts = range(0, len(merged.twins.value), _TWIN_ROWS)
    return b"".join(_twin_rows(stretch_of(merged.twins, start, start + _TWIN_ROWS)) for start in starts)


def _twin_rows(twins: Twins) -> bytes:
    # A live batch brings one for nearly every event: what has a fixed width is laid out for all of them at once.
    sizes = np.array(list(map(len, twins.value)), np.int32) + 1
    heads = binary.fixed_part(len(sizes), ("h", 6), ("i", 8), ("q", twins.signal_id), ("i", sizes), ("b", 1))
    tails = binary.fixed_part(
        len(sizes),
        *(("i", 8), ("q", binary.timestamps(twins.at_us))),
        *(("i", 16), ("V16", _packed(twins.event_id))),
        *(("i", 8), ("q", twins.position)),
    )
    rows: list[bytes] = [b""] * (4 * len(sizes))
    rows[0::4], rows[1::4], rows[2::4], rows[3::4] = heads, twins.value, map(_unit, twins.unit), tails
    return b"".join(rows)


@lru_cache(maxsize=4096)
def _unit(unit: str) -> bytes:
    return binary.text_field(unit)


def _trends(merged: Merged) -> bytes:
    trends = merged.trends
    if not len(trends.minute_us):
        return b""
    return binary.fixed_rows(
        trends.signal_id,
        binary.timestamps(trends.minute_us),
        binary.timestamps(trends.last_us),
        _packed(trends.last_event),
        trends.last,
        trends.low,
        trends.high,
    )


def _packed(event_ids: list[str]) -> NDArray[np.void]:
    return np.frombuffer(bytes.fromhex("".join(event_ids)), "V16")


def _samples(merged: Merged) -> bytes:
    return b"".join(
        binary.row(
            binary.text_field(sample.point),
            binary.smallint_field(sample.quality),
            binary.time_field(sample.slot_us),
            binary.bigint_array_field(sample.packed),
        )
        for sample in merged.samples
    )


def _slot_values(merged: Merged) -> bytes:
    return b"".join(
        binary.row(
            binary.int_field(value.series_id),
            binary.time_field(value.slot_us),
            binary.text_field(value.version),
            binary.smallint_field(value.quality),
            binary.text_field(value.value),
            binary.int_field(value.position),
        )
        for value in merged.slot_values
    )


def _quarantine(entry: QuarantineRow) -> bytes:
    return binary.row(
        *map(binary.text_field, (entry.id, entry.interface, entry.source, entry.format)),
        b"\xff\xff\xff\xff" if entry.at_us is None else binary.time_field(entry.at_us),
        binary.time_field(entry.recorded_us),
        binary.text_field(entry.reason),
        binary.text_field(entry.detail),
        binary.field(entry.raw),
        binary.jsonb_field(binary.json_without_nul(entry.context.encode())),
        binary.int_field(entry.position),
    )
