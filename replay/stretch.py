"""What a replay's schema says of itself: the stretch of time that was run into it, as its comment in the database."""

from typing import Any, Final

import psycopg
from psycopg import sql

from replay.reading import Window
from schemas.calendar import local_time
from schemas.time import format_time, parse_time

_SAYS: Final = "replay of "
_TO: Final = " to "
_BEGUN: Final = "replay that did not end"


def begin(url: str, schema: str) -> None:
    """Say in the database that a schema holds no whole replay yet: whoever is killed meanwhile says nothing more."""
    _comment(url, schema, _BEGUN)


def note(url: str, schema: str, window: Window) -> None:
    """Say in the database which stretch of time a schema holds."""
    _comment(url, schema, f"{_SAYS}{format_time(window.start_us)}{_TO}{format_time(window.end_us)}")


def _comment(url: str, schema: str, text: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("comment on schema {} is {}").format(sql.Identifier(schema), sql.Literal(text)))


def check_holds(connection: psycopg.Connection[Any], schema: str, window: Window) -> None:
    """See that a schema, if it is a replay's, holds a stretch of time.

    Raises:
        ValueError: another one was run into it, or only a part of one.
    """
    asked = "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s"
    found = connection.execute(asked, [schema]).fetchone()
    said = (found and found[0]) or ""
    if said == _BEGUN:
        raise ValueError(f"{schema} holds a replay that was broken off")
    if not said.startswith(_SAYS):
        return
    start_us, end_us = map(parse_time, said.removeprefix(_SAYS).split(_TO))
    if not start_us <= window.start_us < window.end_us <= end_us:
        raise ValueError(f"{schema} is a replay of {local_time(start_us).date()}, and holds no other day")
