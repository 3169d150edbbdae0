"""``twin story``: all messages of a session or site in one time line, each with what it changed."""

from typing import Any

import click

from cli.printing import as_json, console, scalar
from cli.times import TIME
from replay.story import Line, story_of
from schemas.time import format_time
from streams.settings import settings
from twin.story import Change


@click.command()
@click.argument("what")
@click.option("--from", "from_us", type=TIME, required=True, help="First event time.")
@click.option("--to", "to_us", type=TIME, required=True, help="Event time before which to stop.")
@click.option("--json", "json_", is_flag=True, help="One JSON object per message.")
def story(what: str, from_us: int, to_us: int, json_: bool) -> None:
    """Tell the story of a session or site: every message of every interface that belongs to it, in order of time.

    WHAT is a transaction as its station names it, or any member of a site (a station, meter, metering or market
    location, car). Of a transaction it is what wallbox and vehicle say from plugging in to plugging out, and after that
    what meters' and market's documents say of the site: give a --to that is late enough. Each message has the names by
    which it belongs to the story (the rules are in docs/twins.md), and the attributes it changed, before and after.

    Exit code 1 when there is no such session or site, or no message.

    Example: twin story GS-00000 --from 2026-03-29T14:00:00Z --to 2026-03-30T12:00:00Z
    """
    if from_us >= to_us:
        raise click.UsageError("--from has to be earlier than --to")
    found = story_of(settings(), what, from_us, to_us)
    if not found:
        span = f"from {format_time(from_us)} to {format_time(to_us)}"
        raise click.ClickException(f"no message belongs to {what} {span}; `twin show {what}` says what is known")
    for line in found:
        if json_:
            click.echo(as_json(_json(line)))
        else:
            _print(line)


def _json(line: Line) -> dict[str, Any]:
    event = line.event
    return {
        "time": format_time(line.time_us),
        "interface": event.interface,
        "type": event.type,
        "actor": event.actor,
        "ties": line.ties,
        "changes": [change._asdict() for change in line.changes],
        "event": event.id,
        "position": f"{event.topic}/{event.partition}@{event.offset}",
    }


def _print(line: Line) -> None:
    head = f"{format_time(line.time_us):<27} {line.event.interface:>2}  {line.event.type}"
    console.print(scalar(f"{head}  {', '.join(line.ties)}"), markup=False)
    for change in line.changes:
        console.print(f"{'':<31} {_shown(change)}", markup=False)


def _shown(change: Change) -> str:
    unit = f" {change.unit}" if change.unit else ""
    before, after = ("-" if value is None else scalar(value) for value in (change.before, change.after))
    return f"{scalar(change.actor)} {scalar(change.attribute)}: {before} -> {after}{scalar(unit)}"
