"""Questions to the projections in the database: twins, registers' edges, slot values, progress."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.types.json import set_json_loads

from schemas.facts import QUALITIES, SlotValue
from schemas.rows import Edge, Register
from schemas.time import HOUR_US, from_us, to_us
from twin.slots.quarter_hour import cancelled_by

NEIGHBOUR_US = 26 * HOUR_US
"""How far beyond a day readings are looked for, for interpolation across its edges."""


class Attribute(NamedTuple):
    """One attribute of a twin; ``value`` as the JSON says, ``event_id`` and ``position`` name its event."""

    actor: str
    attribute: str
    value: Any
    unit: str
    time_us: int
    event_id: str
    position: int


class ValueSource(NamedTuple):
    """Where a version of a quarter-hour value came from."""

    series: str
    slot_us: int
    version: str
    position: int


@contextmanager
def connected(url: str, schema: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose search path is the schema; numbers in JSON come with all their digits."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        set_json_loads(partial(json.loads, parse_float=Decimal), connection)
        connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(schema)))
        yield connection


def twin(url: str, schema: str, actor: str) -> list[Attribute]:
    """Every attribute of an actor, as it is now."""
    with connected(url, schema) as connection:
        rows = connection.execute(
            "select actor, attribute, value, unit, at, replace(event_id::text, '-', ''), position "
            "from twin join signal using (signal_id) where actor = %s order by attribute",
            [actor],
        )
        return [
            Attribute(name, attribute, value, unit, to_us(at), event_id, position)
            for name, attribute, value, unit, at, event_id, position in rows
        ]


def actors(url: str, schema: str, kind: str = "") -> list[tuple[str, int, int]]:
    """Actors with the number of their attributes and the time of the latest observation."""
    with connected(url, schema) as connection:
        rows = connection.execute(
            "select actor, count(*), max(at) from twin join signal using (signal_id) "
            "where %s = '' or starts_with(actor, %s || ':') group by actor order by actor",
            [kind, kind],
        )
        return [(actor, count, to_us(at)) for actor, count, at in rows]


def named(url: str, schema: str, name: str) -> list[str]:
    """Actors of a name, with or without their kind; of a station also its EVSEs."""
    with connected(url, schema) as connection:
        rows = connection.execute(
            "select distinct actor from signal where actor = %(name)s or starts_with(actor, %(name)s || '/') "
            "or substr(actor, strpos(actor, ':') + 1) = %(name)s "
            "or starts_with(substr(actor, strpos(actor, ':') + 1), %(name)s || '/') order by actor",
            {"name": name},
        )
        return [row[0] for row in rows]


def edges(url: str, schema: str, point: str, start_us: int, end_us: int) -> list[Edge]:
    """Edges of all registers of a point in and around a span of time."""
    with connected(url, schema) as connection:
        rows = connection.execute(
            "select point, device, obis, direction, quality, document, digits, slot, "
            "first_at, first_mwh, first_spread_mwh, first_position, last_at, last_mwh, last_spread_mwh, last_position "
            "from register join edge using (register_id) where point = %s and slot >= %s and slot < %s "
            "order by register_id, slot",
            [point, from_us(start_us - NEIGHBOUR_US), from_us(end_us + NEIGHBOUR_US)],
        )
        return [_edge(row) for row in rows]


def slot_values(url: str, schema: str, point: str, start_us: int, end_us: int) -> list[SlotValue]:
    """All versions of all quarter-hour values of an object in a span of time."""
    with connected(url, schema) as connection:
        rows = connection.execute(
            "select series, object, slot, value, unit, quality, version from series join slot_value using (series_id) "
            "where object = %s and slot >= %s and slot < %s order by series, slot, version",
            [point, from_us(start_us), from_us(end_us)],
        )
        return [
            SlotValue(
                series, thing, to_us(slot), int(value) if unit == "mWh" else value, unit, QUALITIES[rank], version
            )
            for series, thing, slot, value, unit, rank, version in rows
        ]


def highest(url: str, schema: str, actor: str, attribute: str, start_us: int, end_us: int) -> float | None:
    """The highest value of a numeric attribute in a span of time, from its trend; None when there is none."""
    with connected(url, schema) as connection:
        row = connection.execute(
            "select max(high) from trend join signal using (signal_id) "
            "where actor = %s and attribute = %s and minute >= %s and minute < %s",
            [actor, attribute, from_us(start_us), from_us(end_us)],
        ).fetchone()
        return row[0] if row else None


def value_positions(url: str, schema: str, point: str, start_us: int, end_us: int) -> list[ValueSource]:
    """Positions of the events behind the quarter-hour values of an object in a span of time."""
    with connected(url, schema) as connection:
        rows = connection.execute(
            "select series, slot, version, position from series join slot_value using (series_id) "
            "where object = %s and slot >= %s and slot < %s order by series, slot, version, position",
            [point, from_us(start_us), from_us(end_us)],
        )
        return [ValueSource(series, to_us(slot), version, position) for series, slot, version, position in rows]


def cancelled_documents(url: str, schema: str) -> frozenset[str]:
    """Numbers of market documents that a later one cancelled, as ``<sender>|<number>``."""
    with connected(url, schema) as connection:
        rows = connection.execute(
            "select actor, attribute from twin join signal using (signal_id) where starts_with(attribute, 'document/')"
        )
        return frozenset(cancelled_by(actor, attribute) for actor, attribute in rows)


def progress(url: str, schema: str) -> dict[tuple[str, int], int]:
    """The next offset of every partition that was ever written."""
    with connected(url, schema) as connection:
        rows = connection.execute("select topic, partition, next_offset from progress")
        return {(topic, partition): offset for topic, partition, offset in rows}


def points_like(url: str, schema: str, text: str) -> list[str]:
    """Points with registers, or quarter hours of energy, whose name holds the text, for a helpful error."""
    with connected(url, schema) as connection:
        rows = connection.execute(
            "select point from register where point ilike '%%' || %s || '%%' "
            "union select object from series where object ilike '%%' || %s || '%%' and series ~ '^energy[.]' "
            "order by 1 limit 8",
            [text, text],
        )
        return [row[0] for row in rows]


def other_series(url: str, schema: str, name: str) -> list[str]:
    """The series of an object that are not energy, such as ``price.day-ahead``."""
    with connected(url, schema) as connection:
        asked = "select distinct series from series where object = %s and series !~ '^energy[.]' order by 1"
        rows = connection.execute(asked, [name])
        return [row[0] for row in rows]


def sampled_slots(url: str, schema: str, point: str, start_us: int, end_us: int) -> int:
    """In how many quarter hours of ``[start_us, end_us)`` power of a point was measured without a register."""
    with connected(url, schema) as connection:
        asked = "select count(distinct slot) from sample where point = %s and slot >= %s and slot < %s"
        (count,) = connection.execute(asked, [point, from_us(start_us), from_us(end_us)]).fetchone() or (0,)
        return int(count)


def _edge(row: tuple[Any, ...]) -> Edge:
    point, device, obis, direction, quality, document, digits = row[:7]
    register = Register(point, device, obis, direction, QUALITIES[quality], document, digits)
    slot, first_at, first_mwh, first_spread_mwh, first_position = row[7:12]
    last_at, last_mwh, last_spread_mwh, last_position = row[12:]
    return Edge(
        register,
        to_us(slot),
        to_us(first_at),
        first_mwh,
        first_spread_mwh,
        first_position,
        to_us(last_at),
        last_mwh,
        last_spread_mwh,
        last_position,
    )
