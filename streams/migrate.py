"""Bring a schema of the database to the newest version.

Each SQL file is applied once. Its SHA-256 is kept beside its name, so that a file which was edited after it was
applied is noticed: such a schema would be like no other.
"""

import hashlib

import psycopg
from psycopg import sql

from schemas.sql import migrations

_LOCK = 0x67656765  # one migration at a time, whoever starts it

_TABLE = """
create table if not exists migration (
    name       text primary key,
    sha256     text not null,
    applied_at timestamptz not null default now()
);
comment on table migration is 'SQL files that were applied to this schema.';
comment on column migration.name is 'Name of the file.';
comment on column migration.sha256 is 'SHA-256 of its text; a file that was applied is never edited.';
comment on column migration.applied_at is 'When it was applied.';
"""


class MigrationError(Exception):
    """A schema cannot be brought to the newest version; the sentence names the file."""


def migrate(url: str, schema: str, *, live: bool = True) -> list[str]:
    """Create the schema if need be and apply the SQL files it has not seen; the names of those applied.

    TimescaleDB is switched on where the server offers it, also in a schema that was made without. ``live``: workers
    write here, so compression and retention run by themselves. All files of a call commit together, or none.

    Raises:
        MigrationError: a file fails, or was edited after it was applied; nothing was changed.
        psycopg.Error: the server is away or refuses.
    """
    with psycopg.connect(url) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        connection.execute("set local client_min_messages = warning")
        timescale = _enable_timescale(connection)
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("create schema if not exists {}").format(name))
        connection.execute(sql.SQL("set local search_path to {}, public").format(name))
        connection.execute(_TABLE.encode())
        known: dict[str, str] = dict(connection.execute("select name, sha256 from migration").fetchall())
        applied = []
        for file, text in migrations():
            if (".timescale." in file and not timescale) or (".live." in file and not live):
                continue
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            if file not in known:
                _apply(connection, file, text)
                connection.execute("insert into migration (name, sha256) values (%s, %s)", [file, sha256])
                applied.append(file)
            elif known[file] != sha256:
                raise MigrationError(
                    f"{file} was edited after it was applied to schema {schema}: "
                    "put it back as it was, and write the change into a file with a higher number"
                )
        return applied


def drop(url: str, schema: str) -> None:
    """Drop a schema with all its tables, if it exists."""
    with psycopg.connect(url) as connection:
        connection.execute("set client_min_messages = warning")
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def _apply(connection: psycopg.Connection, file: str, text: str) -> None:
    try:
        connection.execute(text.encode())
    except psycopg.OperationalError:
        raise  # the server went away; the file is not to blame
    except psycopg.Error as problem:
        raise MigrationError(f"{file} does not apply, nothing was changed: {problem}") from problem


def _enable_timescale(connection: psycopg.Connection) -> bool:
    offered = connection.execute("select 1 from pg_available_extensions where name = 'timescaledb'").fetchone()
    if not offered:
        return False
    loaded = connection.execute("select current_setting('shared_preload_libraries') like '%timescaledb%'").fetchone()
    if not loaded or not loaded[0]:
        return False
    connection.execute("create extension if not exists timescaledb with schema public")
    return True
