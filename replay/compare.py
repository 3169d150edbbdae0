"""Two runs of a day side by side: every twin attribute and every quarter hour in which they differ.

Positions are not compared: a message that lies twice in the log has two.
"""

from datetime import date
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from replay.reading import Window, window_of
from replay.stretch import check_holds
from schemas.facts import QUALITIES
from schemas.time import from_us, to_us

Values = dict[str, Any]


class Difference(NamedTuple):
    """One row that differs; a side is None where the row is missing.

    ``kind`` is ``twin``, ``edge``, ``trend``, ``sample`` or ``slot_value``, ``name`` says whose row it is, ``time_us``
    the quarter hour or minute (None: a twin).
    """

    kind: str
    name: tuple[str, ...]
    time_us: int | None
    left: Values | None
    right: Values | None


class Differences(NamedTuple):
    """The result of a comparison.

    ``moved_on`` are twin attributes (actor, attribute) that have been observed again since the day's end: what they
    were then, one side no longer knows, so they are counted and named but are no difference. ``compared`` counts the
    rows of the left side by kind.
    """

    differing: list[Difference]
    moved_on: list[tuple[str, str]]
    compared: dict[str, int]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differing


class _Kind(NamedTuple):
    """How a table is compared: a side's rows, the key that joins them, what is compared, and what a key is called."""

    name: str
    table: str
    key: str
    time: str
    values: tuple[str, ...]
    names: tuple[str, ...]
    naming: str = ""


_CLAIM = f"(array{list(QUALITIES)})[quality + 1] || ' ' || trim_scale(value)"
"""A quality as a word, for tables hold its place in the order, and a value."""

_KINDS = (
    _Kind(
        "twin",
        "select signal_id as id, value, unit, at, event_id from {side}.twin",
        "id",
        "greatest(l.at, r.at)",
        ("value", "unit", "at", "event_id"),
        ("actor", "attribute"),
        "select signal_id as id, actor, attribute from {side}.signal",
    ),
    _Kind(
        "edge",
        "select register_id as id, slot, first_at, first_mwh, first_spread_mwh, last_at, last_mwh, last_spread_mwh "
        "from {side}.edge where slot >= %(start)s and slot < %(end)s",
        "id, slot",
        "slot",
        ("first_at", "first_mwh", "first_spread_mwh", "last_at", "last_mwh", "last_spread_mwh"),
        ("point", "device", "obis", "direction", "quality", "document"),
        "select register_id as id, point, device, obis, direction, quality, document from {side}.register",
    ),
    _Kind(
        "trend",
        "select signal_id as id, minute, last_at, last_event, last, low, high "
        "from {side}.trend where minute >= %(start)s and minute < %(end)s",
        "id, minute",
        "minute",
        ("last_at", "last_event", "last", "low", "high"),
        ("actor", "attribute"),
        "select signal_id as id, actor, attribute from {side}.signal",
    ),
    _Kind(
        "sample",
        "select point, quality, slot, packed from {side}.sample where slot >= %(start)s and slot < %(end)s",
        "point, quality, slot",
        "slot",
        ("packed",),
        ("point", "quality"),
    ),
    _Kind(
        "slot_value",
        f"select series_id as id, slot, version, array_agg({_CLAIM} order by quality, value)"  # noqa: S608 -- a constant
        " as claimed from {side}.slot_value where slot >= %(start)s and slot < %(end)s group by 1, 2, 3",
        "id, slot, version",
        "slot",
        ("claimed",),
        ("series", "object", "unit", "version"),
        "select series_id as id, series, object, unit from {side}.series",
    ),
)


def compare(url: str, left: str, right: str, day: date) -> Differences:
    """Compare a legal German day in two schemas.

    Raises:
        LookupError: one of the schemas does not exist.
        ValueError: one of them is a replay of another day.
        psycopg.Error: the database is away or refuses.
    """
    return compare_window(url, left, right, window_of(day))


def compare_window(url: str, left: str, right: str, window: Window) -> Differences:
    """Compare a stretch of time in two schemas; see :func:`compare`."""
    span = {"start": from_us(window.start_us), "end": from_us(window.end_us)}
    found = Differences([], [], {})
    with psycopg.connect(url) as connection:
        connection.execute("set timezone to 'UTC'")
        for schema in (left, right):
            if not _exists(connection, schema):
                raise LookupError(f"there is no run named {schema} in the database")
            check_holds(connection, schema, window)
        for kind in _KINDS:
            counting = _in(f"select count(*) from ({kind.table}) as rows", left, right, side="left")  # noqa: S608
            counted = connection.execute(counting, span).fetchone()
            found.compared[kind.name] = counted[0] if counted else 0
            for texts, at, one, other in connection.execute(_in(_query(kind), left, right), span):
                time_us, names = to_us(at), tuple(map(_word, kind.names, texts))
                if kind.name != "twin":
                    found.differing.append(Difference(kind.name, names, time_us, one, other))
                elif time_us >= window.end_us:
                    found.moved_on.append((names[0], names[1]))
                else:
                    found.differing.append(Difference(kind.name, names, None, one, other))
    return found


def _word(name: str, text: str) -> str:
    """A part of a name as people know it; a quality as a word."""
    return QUALITIES[int(text)] if name == "quality" else text


def _query(kind: _Kind) -> str:
    """Rows of which one side has not what the other has."""
    left, right = kind.table.replace("{side}", "{left}"), kind.table.replace("{side}", "{right}")
    naming = ""
    if kind.naming:
        both = f"{kind.naming} union {kind.naming}".replace("{side}", "{left}", 1).replace("{side}", "{right}", 1)
        naming = f"join ({both}) as naming using (id)"
    return f"""
        select array[{", ".join(f"{name}::text" for name in kind.names)}], {kind.time},
            {_shown("l", kind.values)}, {_shown("r", kind.values)}
        from (select true as there, rows.* from ({left}) as rows) as l
        full join (select true as there, rows.* from ({right}) as rows) as r using ({kind.key})
        {naming}
        where ({_columns("l", kind.values)}) is distinct from ({_columns("r", kind.values)})
        order by 1, 2"""  # noqa: S608 -- constants of this module


def _shown(side: str, columns: tuple[str, ...]) -> str:
    """A side's values as JSON, null where it has no row."""
    pairs = ", ".join(f"'{column}', {side}.{column}" for column in columns)
    return f"case when {side}.there then jsonb_build_object({pairs}) end"


def _columns(side: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{side}.{column}" for column in ("there", *columns))


def _in(query: str, left: str, right: str, *, side: str = "") -> sql.Composed:
    schemas = {"left": sql.Identifier(left), "right": sql.Identifier(right)}
    return sql.SQL(query).format(**schemas, **({"side": schemas[side]} if side else {}))


def _exists(connection: psycopg.Connection[Any], schema: str) -> bool:
    asked = connection.execute("select 1 from pg_tables where schemaname = %s and tablename = 'twin'", [schema])
    return asked.fetchone() is not None
