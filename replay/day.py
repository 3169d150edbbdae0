"""A day again: from the archive into a schema of its own, as fast as the machine can.

What comes out is what live has: the twins as the day's last observations leave them, and the rows of every table that
belongs to the day, late messages among them, in whatever order segments were written.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Literal, NamedTuple

import psycopg
from psycopg import sql

from replay import from_facts, from_messages, stretch
from replay.reading import Window, window_of
from streams import memory, migrate
from streams.archive.layout import Archive, Manifest
from streams.settings import Settings

From = Literal["facts", "messages"]
OnProgress = Callable[[int, int], None]
"""Called with what was read so far and what is to be read."""

_LARGE_BYTES = 4 << 20


class ReplayResult(NamedTuple):
    """What a replay did: what it read (facts, or messages), and rows by table."""

    into: str
    read: int
    counts: dict[str, int]
    seconds: float


def begin_process() -> None:
    """For a process that does nothing but replay: what a piece of the archive needed goes back before the next one."""
    memory.begin_with_columns(_LARGE_BYTES)


def replay_day(
    config: Settings, day: date, into: str, source: From = "facts", on_progress: OnProgress | None = None
) -> ReplayResult:
    """Run a legal German day again into schema ``into``, which is emptied first, and dropped if the run is broken off.

    Raises:
        LookupError: the archive holds nothing of the day.
        ValueError: the schema is not one that a replay may empty.
        psycopg.Error: the database is away or refuses.
    """
    return replay_window(Archive(config.home), config.database_url, window_of(day), into, source, on_progress)


def replay_window(
    archive: Archive,
    url: str,
    window: Window,
    into: str,
    source: From = "facts",
    on_progress: OnProgress | None = None,
) -> ReplayResult:
    """Run a stretch of time again; see :func:`replay_day`."""
    started = time.perf_counter()
    if _is_taken(url, into):
        raise ValueError(f"{into} is in use and no earlier replay; choose another name with --into")
    if not any(_speaks_of(window, manifest) for manifest in archive.manifests()):
        raise LookupError("the archive holds nothing of that day; `twin archive DAY` writes what is in Kafka")
    migrate.drop(url, into)
    run = from_facts.run if source == "facts" else from_messages.run
    try:
        migrate.migrate(url, into, live=False)
        stretch.begin(url, into)
        read, counts = run(archive, url, window, into, on_progress or _quiet)
    except BaseException:
        migrate.drop(url, into)  # half a day is worse than none: whoever compares it would not know
        raise
    stretch.note(url, into, window)
    return ReplayResult(into, read, counts, time.perf_counter() - started)


def _speaks_of(window: Window, manifest: Manifest) -> bool:
    kinds = ("messages", "readings", "observations", "samples", "slot_values")
    return any(manifest.part(kind).touches(*window.of(kind)) for kind in kinds)


def _is_taken(url: str, schema: str) -> bool:
    """Whether a schema is somebody else's: offsets stand in it, as workers write them, or it holds no run at all."""
    with psycopg.connect(url) as connection:
        there = connection.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchone()
        progress = sql.SQL(".").join(map(sql.Identifier, (schema, "progress")))
        if there is None:
            return False
        known = connection.execute("select to_regclass(%s)", [progress.as_string(connection)]).fetchone()
        if known is None or known[0] is None:
            return True
        offsets = connection.execute(sql.SQL("select exists (select from {})").format(progress)).fetchone()
        return offsets is None or bool(offsets[0])


def _quiet(_done: int, _of: int) -> None:
    return
