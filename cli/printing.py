"""How results look: JSON for scripts, tables for people."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TextIO

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from schemas.event import Event
from schemas.facts import Fact, Observation, Reading, Sample
from schemas.interfaces import QUARANTINE_NUMBER, QUARANTINE_TOPIC, by_topic_number
from schemas.rows import split_position
from schemas.time import format_time
from streams.reader import Rejected

UNTIMED_US = -1
"""Stands for the time of a fact whose message has none; it is printed as no time."""

_FILE_COLUMNS = 10_000


def _console(stream: TextIO, *, stderr: bool) -> Console:
    """A terminal has its width; a file or a pipe takes lines as long as they are."""
    return Console(highlight=False, stderr=stderr, width=None if stream.isatty() else _FILE_COLUMNS)


console = _console(sys.stdout, stderr=False)
"""Results, on standard output."""

notes = _console(sys.stderr, stderr=True)
"""What a person wants to know and no script reads: progress, remarks."""


def as_json(value: Any) -> str:
    """JSON text; decimals are numbers with all their digits."""
    return orjson.dumps(value, default=_default).decode()


def _default(value: object) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f")) if value.is_finite() else str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def counted(number: int, thing: str) -> str:
    """A number with what it counts.

    >>> counted(1, "message"), counted(68_091, "message")
    ('1 message', '68,091 messages')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """A table for people; numbers to the right."""
    drawn = Table(title=Text(title, "bold"), title_justify="left", header_style="bold")
    for number, column in enumerate(columns):
        right = bool(rows) and isinstance(rows[0][number], (int, Decimal))
        drawn.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text("" if item is None else scalar(item)) for item in row))
    console.print(drawn)


@contextmanager
def progress_bar(title: str, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar that shows what is done of what; a function to call with both numbers. Silent where no person watches."""
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit)]
    columns.append(TimeElapsedColumn())
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def fact_json(fact: Fact) -> dict[str, Any]:
    """A fact as ``twin decode --json`` prints it; its time is null where nobody knows it."""
    if isinstance(fact, Observation):
        return {
            "kind": "observation",
            "actor": fact.actor,
            "attribute": fact.attribute,
            "value": fact.value,
            "unit": fact.unit,
            "time": _time(fact.time_us),
        }
    if isinstance(fact, Reading):
        return {
            "kind": "reading",
            "point": fact.point,
            "device": fact.device,
            "obis": fact.obis,
            "direction": fact.direction,
            "time": _time(fact.time_us),
            "value_mwh": fact.value_mwh,
            "quality": fact.quality,
        }
    if isinstance(fact, Sample):
        return {
            "kind": "sample",
            "point": fact.point,
            "power_mw": fact.power_mw,
            "time": _time(fact.time_us),
            "quality": fact.quality,
        }
    return {
        "kind": "slot",
        "series": fact.series,
        "object": fact.object,
        "slot": format_time(fact.slot_us),
        "value": fact.value,
        "unit": fact.unit,
        "quality": fact.quality,
        "version": fact.version,
    }


def _time(time_us: int) -> str | None:
    return None if time_us == UNTIMED_US else format_time(time_us)


def event_json(event: Event, facts: list[Fact], error: dict[str, Any] | None = None) -> dict[str, Any]:
    """An event as ``twin decode --json`` prints it."""
    return {
        "interface": event.interface,
        "format": event.format,
        "type": event.type,
        "time": None if event.time_us is None else format_time(event.time_us),
        "payload": event.payload,
        "facts": [fact_json(fact) for fact in facts],
        "error": error,
    }


def rejected_json(rejected: Rejected) -> dict[str, Any]:
    """A rejected message as ``twin decode --json`` prints it."""
    return {
        "interface": rejected.interface,
        "format": rejected.format or None,
        "type": None,
        "time": None if rejected.time_us is None else format_time(rejected.time_us),
        "payload": None,
        "facts": [],
        "error": {"reason": rejected.reason, "detail": rejected.detail, "offset": rejected.offset},
    }


def scalar(value: object) -> str:
    r"""A value for people. What came in messages must not steer the terminal, so what cannot be printed is not.

    >>> scalar(Decimal("1E+3")), scalar("red\x1b[31m")
    ('1000', 'red\ufffd[31m')
    """
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def place(position: int) -> str:
    """Where an event lies in the log: ``topic/partition@offset``.

    >>> from schemas.rows import position_of
    >>> place(position_of(4, 3, 17))
    'if.04.evse-cpo/3@17'
    """
    number, partition, offset = split_position(position)
    topic = QUARANTINE_TOPIC if number == QUARANTINE_NUMBER else by_topic_number(number).topic
    return f"{topic}/{partition}@{offset}"
