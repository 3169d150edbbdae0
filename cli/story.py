"""``twin story``: all messages of a session or site in one time line, each with what it changed."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

import click

from cli.printing import as_json, console, scalar
from cli.times import TIME
from replay.story import Line, story_of
from schemas.time import format_time
from streams.settings import settings
from twin.quarters_told import RegisterChange, SlotChange
from twin.story import Change

_LISTED: Final = 4
"""Quarter hours of a series that are listed one by one; of more it is said how many."""

_ENERGY: Final = "mWh"


@click.command()
@click.argument("what")
@click.option("--from", "from_us", type=TIME, required=True, help="First event time.")
@click.option("--to", "to_us", type=TIME, required=True, help="Event time before which to stop.")
@click.option("--json", "json_", is_flag=True, help="One JSON object per message.")
def story(what: str, from_us: int, to_us: int, json_: bool) -> None:
    """Tell the story of a session or site: every message of every interface that belongs to it, in order of time.

    WHAT is a transaction as its station names it, or any member of a site (a station, meter, metering or market
    location, car). Of a transaction it is what is said at the site from plugging in to plugging out (wallbox, vehicle,
    energy manager, limits, meters), and after that what the documents of gateway and market say: give a --to that is
    late enough.

    Each message has the names by which it belongs to the story (the rules are in docs/twins.md), and what it changed,
    before and after: attributes, registers, and quarter hours of energy, limits and schedules. A quarter hour of energy
    has a value when its end is read; the last reading of all tells what it was until then.

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
        "registers": [_timed(change._asdict(), "time") for change in line.registers],
        "slots": [_timed(change._asdict(), "slot") for change in line.slots],
        "event": event.id,
        "position": f"{event.topic}/{event.partition}@{event.offset}",
    }


def _timed(change: dict[str, Any], name: str) -> dict[str, Any]:
    """A change with its time as others read it."""
    return {name if key == f"{name}_us" else key: value for key, value in change.items()} | {
        name: format_time(change[f"{name}_us"])
    }


def _print(line: Line) -> None:
    head = f"{format_time(line.time_us):<27} {line.event.interface:>2}  {line.event.type}"
    console.print(scalar(f"{head}  {', '.join(line.ties)}"), markup=False)
    told = [*map(_shown, line.changes), *map(_shown_register, line.registers), *_shown_slots(line.slots)]
    for change in told:
        console.print(f"{'':<31} {change}", markup=False)


def _shown(change: Change) -> str:
    unit = f" {change.unit}" if change.unit else ""
    before, after = ("-" if value is None else scalar(value) for value in (change.before, change.after))
    return f"{scalar(change.actor)} {scalar(change.attribute)}: {before} -> {after}{scalar(unit)}"


def _shown_register(change: RegisterChange) -> str:
    before = "-" if change.before_mwh is None else _energy(change.before_mwh)
    what = f"{change.device} {change.obis}" + (f" at {change.point}" if change.point != change.device else "")
    when = format_time(change.time_us)
    return f"{scalar(what)}: {before} -> {_energy(change.after_mwh)} ({change.quality}, read {when})"


def _shown_slots(changes: tuple[SlotChange, ...]) -> Iterator[str]:
    for (series, thing), group in groupby(changes, key=lambda change: change[:2]):
        found = list(group)
        name = scalar(f"{thing} {series}")
        if len(found) <= _LISTED:
            yield from (f"{name} {format_time(change.slot_us)}: {_shown_slot(change)}" for change in found)
            continue
        before = sum(change.before is not None for change in found)
        span = f"{format_time(found[0].slot_us)} to {format_time(found[-1].slot_us)}"
        total = ""
        if found[0].unit == _ENERGY:
            total = f", {_energy(sum(int(change.after or 0) for change in found))} in all"
        gone = sum(change.after is None for change in found)
        lost = f", {gone} of them not known any more" if gone else ""
        qualities = ", ".join(sorted({change.quality for change in found}))
        yield f"{name} {span}: {len(found)} quarter hours, {before} of them known before{lost}{total} ({qualities})"


def _shown_slot(change: SlotChange) -> str:
    before, after = (_amount(value, change.unit) for value in (change.before, change.after))
    return f"{before} -> {after} ({', '.join([change.quality, *change.flags])})"


def _amount(value: int | Decimal | None, unit: str) -> str:
    if value is None:
        return "-"
    return _energy(int(value)) if unit == _ENERGY else f"{scalar(value)} {unit}"


def _energy(energy_mwh: int) -> str:
    return f"{Decimal(energy_mwh).scaleb(-3).normalize():f} Wh"
