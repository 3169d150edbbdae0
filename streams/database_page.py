"""The documentation of the database, written from the comments of a migrated schema.

``python -m streams.database_page`` prints it for the schema of the live projections. A test holds ``docs/database.md``
to it.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from schemas.sql import migrations
from streams.settings import settings

_HEAD = """\
# The database

Written by `make docs` from the comments of the migrated schema; a test fails when it is not current. The SQL is in
`schemas/sql/`. A schema is one run: `live` is where the workers write, every replay has its own beside it.
"""

_RELATIONS = """
select relation.oid, relation.relname, relation.relkind, coalesce(obj_description(relation.oid, 'pg_class'), '')
from pg_class as relation
where relation.relnamespace = %s::regnamespace and relation.relkind in ('r', 'v', 'p')
order by relation.relname
"""

_COLUMNS = """
select attname, format_type(atttypid, atttypmod), attnotnull, coalesce(col_description(attrelid, attnum), '')
from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped order by attnum
"""

_PRIMARY_KEY = """
select string_agg(attname, ', ' order by array_position(indkey::int2[], attnum))
from pg_index join pg_attribute on attrelid = indrelid and attnum = any (indkey)
where indrelid = %s and indisprimary
"""

_INDEXES = "select pg_get_indexdef(indexrelid) from pg_index where indrelid = %s and not indisprimary order by 1"


class Column(NamedTuple):
    """A column as the database knows it."""

    name: str
    type: str
    not_null: bool
    comment: str


class Relation(NamedTuple):
    """A table or a view; ``key`` and ``indexes`` are column lists, empty for a view."""

    name: str
    is_view: bool
    comment: str
    columns: list[Column]
    key: str
    indexes: list[str]


def relations(url: str, schema: str) -> list[Relation]:
    """Every table and view of a schema, by name.

    Raises:
        psycopg.Error: the server is away, or there is no such schema.
    """
    with psycopg.connect(url) as connection:
        found = connection.execute(_RELATIONS, [sql.Identifier(schema).as_string(connection)]).fetchall()
        return [_relation(connection, *row) for row in found]


def page(url: str, schema: str) -> str:
    """The page about a migrated schema, as Markdown; the same on every server that is supported."""
    found = relations(url, schema)
    parts = [_HEAD]
    for title, views in (("Tables", False), ("Views for readers", True)):
        parts.append(f"\n## {title}\n")
        parts += [_section(relation) for relation in found if relation.is_view == views]
    parts += ["\n## Files\n\n| file | applied | what it does |\n|---|---|---|\n", *_files()]
    return "".join(parts)


def _relation(connection: psycopg.Connection[Any], oid: int, name: str, kind: str, comment: str) -> Relation:
    columns = [Column(*row) for row in connection.execute(_COLUMNS, [oid])]
    key = connection.execute(_PRIMARY_KEY, [oid]).fetchone()
    indexes = [row[0].partition(" USING btree ")[2].strip("()") for row in connection.execute(_INDEXES, [oid])]
    return Relation(name, kind == "v", comment, columns, (key and key[0]) or "", indexes)


def _section(relation: Relation) -> str:
    lines = [f"\n### {relation.name}\n\n{relation.comment}\n"]
    if relation.key:
        also = "".join(f", index ({index})" for index in relation.indexes)
        lines.append(f"\nPrimary key ({relation.key}){also}.\n")
    lines.append("\n| column | type | meaning |\n|---|---|---|\n")
    for column in relation.columns:
        optional = "" if column.not_null or relation.is_view else ", may be empty"
        lines.append(f"| `{column.name}` | {column.type}{optional} | {_cell(column.comment)} |\n")
    return "".join(lines)


def _files() -> Iterator[str]:
    for name, text in migrations():
        where = [word for mark, word in ((".live.", "live"), (".timescale.", "with TimescaleDB")) if mark in name]
        said = re.match(r"(?:-- .*\n)+", text)
        meaning = " ".join(line.removeprefix("-- ") for line in said[0].splitlines()) if said else ""
        yield f"| `{name}` | {', '.join(where) or 'always'} | {_cell(meaning)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main() -> None:
    """Print the page about the live schema."""
    config = settings()
    print(page(config.database_url, config.schema), end="")


if __name__ == "__main__":
    main()
