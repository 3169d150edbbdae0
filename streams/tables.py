"""The projections as they stand in the database: rows as lines, the same as those of the projection in memory."""

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from twin.merge.observations import decimal_text
from twin.merge.projection import Line, digest_of

_US = "(extract(epoch from {}) * 1000000)::bigint"

_QUERIES = {
    "register": """select register_id, point, device, obis, direction, quality, document, digits
        from register order by 1""",
    "edge": f"""select register_id, {_US.format("slot")}, {_US.format("first_at")}, first_mwh, first_spread_mwh,
        {_US.format("last_at")}, last_mwh, last_spread_mwh from edge order by 1, 2""",
    "twin": f"""select actor, attribute, value::text, unit, {_US.format("at")}, replace(event_id::text, '-', '')
        from twin join signal using (signal_id) order by signal_id""",
    "trend": f"""select signal_id, {_US.format("minute")}, {_US.format("last_at")},
        replace(last_event::text, '-', ''), last, low, high from trend order by 1, 2""",
    "sample": f'select point, quality, {_US.format("slot")}, packed from sample order by point collate "C", 2, 3',
    "slot_value": f"""select series_id, {_US.format("slot")}, version, quality, value from slot_value
        order by 1, 2, version collate "C", 4, 5""",
}


def lines(url: str, schema: str) -> Iterator[Line]:
    """Every row of every table as text; equal to :meth:`twin.merge.projection.Projection.lines` for equal facts."""
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(schema)))
        for table, query in _QUERIES.items():
            with connection.cursor(name=f"digest_{table}") as cursor:
                cursor.itersize = 50_000
                cursor.execute(query.encode())
                for row in cursor:
                    yield _line(table, row)


def digest(url: str, schema: str) -> str:
    """SHA-256 of all tables of a schema."""
    return digest_of(lines(url, schema))


def _line(table: str, row: tuple[Any, ...]) -> Line:
    if table == "sample":
        return (table, *map(str, row[:3]), *map(str, row[3]))
    if table == "slot_value":
        return (table, *map(str, row[:4]), decimal_text(row[4]))
    return (table, *map(str, row))
