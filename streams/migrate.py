"""Bring a schema of the database to the newest version."""

import psycopg
from psycopg import sql

from schemas.sql import migrations

_LOCK = 0x67656765  # one migration at a time, whoever starts it


def migrate(url: str, schema: str, *, live: bool = True) -> list[str]:
    """Create the schema if need be and apply the SQL files it has not seen; the names of those applied.

    TimescaleDB is switched on where the server offers it. ``live``: workers write here, so compression and retention
    run by themselves. All files of a call commit together.

    Raises:
        psycopg.Error: the server is away or refuses.
    """
    with psycopg.connect(url) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        timescale = _enable_timescale(connection)
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("create schema if not exists {}").format(name))
        connection.execute(sql.SQL("set local search_path to {}, public").format(name))
        connection.execute(
            "create table if not exists migration ("
            "name text primary key, applied_at timestamptz not null default now())"
        )
        connection.execute("comment on table migration is 'SQL files that were applied to this schema.'")
        connection.execute("comment on column migration.name is 'Name of the file.'")
        connection.execute("comment on column migration.applied_at is 'When it was applied.'")
        known = {row[0] for row in connection.execute("select name from migration")}
        applied = []
        for file, text in migrations():
            if file in known or (".timescale." in file and not timescale) or (".live." in file and not live):
                continue
            connection.execute(text.encode())
            connection.execute("insert into migration (name) values (%s)", [file])
            applied.append(file)
        return applied


def drop(url: str, schema: str) -> None:
    """Drop a schema with all its tables, if it exists."""
    with psycopg.connect(url) as connection:
        connection.execute("set client_min_messages = warning")
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def _enable_timescale(connection: psycopg.Connection) -> bool:
    offered = connection.execute("select 1 from pg_available_extensions where name = 'timescaledb'").fetchone()
    if not offered:
        return False
    loaded = connection.execute("select current_setting('shared_preload_libraries') like '%timescaledb%'").fetchone()
    if not loaded or not loaded[0]:
        return False
    connection.execute("set local client_min_messages = warning")
    connection.execute("create extension if not exists timescaledb with schema public")
    return True
