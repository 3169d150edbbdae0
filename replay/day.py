"""A day again: from the archive into a schema of its own, as fast as the machine can.

What comes out is what live has: the twins as the day's last observations leave them, and the rows of every table that
belongs to the day, late messages among them, in whatever order segments were written.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Literal, NamedTuple

from replay import from_facts, from_messages
from replay.reading import Window, window_of
from streams import migrate
from streams.archive.layout import Archive, Manifest
from streams.settings import Settings

From = Literal["facts", "messages"]
OnProgress = Callable[[int, int], None]
"""Called with what was read so far and what is to be read."""


class ReplayResult(NamedTuple):
    """What a replay did: what it read (facts, or messages), and rows by table."""

    into: str
    read: int
    counts: dict[str, int]
    seconds: float


def replay_day(
    config: Settings, day: date, into: str, source: From = "facts", on_progress: OnProgress | None = None
) -> ReplayResult:
    """Run a legal German day again into schema ``into``, which is emptied first.

    Raises:
        LookupError: the archive holds nothing of the day.
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
    if not any(_speaks_of(window, manifest) for manifest in archive.manifests()):
        raise LookupError("the archive holds nothing of that day; `twin archive` writes what is in Kafka")
    migrate.drop(url, into)
    migrate.migrate(url, into, live=False)
    run = from_facts.run if source == "facts" else from_messages.run
    read, counts = run(archive, url, window, into, on_progress or _quiet)
    return ReplayResult(into, read, counts, time.perf_counter() - started)


def _speaks_of(window: Window, manifest: Manifest) -> bool:
    kinds = ("messages", "readings", "observations", "samples", "slot_values")
    return any(manifest.part(kind).touches(*window.of(kind)) for kind in kinds)


def _quiet(_done: int, _of: int) -> None:
    return
