"""``twin demo``: a day of the street along the whole road, and what came of it."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.printing import console, counted, notes
from cli.times import DAY
from replay.demo import Demo, Figures, Ran, Span, Step, Watcher, figures_of, run
from schemas.calendar import day_of, day_slots, local_time
from schemas.facts import MISSING
from schemas.time import format_time
from streams.settings import home_of

EXIT_DIFFERS = 1
_SPANS_SHOWN = 6


@click.command()
@click.option("--day", type=DAY, default="2026-03-29", show_default=True, help="Any legal German day.")
@click.option("--sites", default=12, show_default=True, type=click.IntRange(1, 10_000), help="Houses in the street.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another street.")
def demo(day: date, sites: int, seed: int) -> None:
    """Run a day of a street with bidirectional cars along the whole road, and show what came of it.

    Starts the stack, writes the day's native messages, sends them through Kafka into the database, archives the
    day, replays it, and compares. The stack runs on, with the day in it. Exit code 1 when live and replay differ.

    Example: twin demo --day 2026-10-25 --sites 24
    """
    console.print(f"[bold]{day}[/bold]: {len(day_slots(day))} quarter hours in a street of {sites} houses\n")
    with _watching() as watcher:
        ran = run(home_of(), Demo(day, sites, seed), watcher)
        figures = figures_of(ran)
    _print_figures(figures)
    _print_spans(figures.spans, day)
    _print_comparison(ran, figures)
    _print_where_next(ran, figures)
    if not ran.differences.equal or figures.wrong:
        sys.exit(EXIT_DIFFERS)


@contextmanager
def _watching() -> Iterator[Watcher]:
    """A bar for the step that runs, where a person watches; a line for each that is done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
        tasks: dict[str, int] = {}

        def doing(title: str, done: int, of: int) -> None:
            if title not in tasks:
                tasks[title] = progress.add_task(title, total=None)
            progress.update(tasks[title], completed=done, total=of or None)  # type: ignore[arg-type]

        def done(step: Step) -> None:
            progress.remove_task(tasks.pop(step.title))  # type: ignore[arg-type]
            progress.console.print(_line(step), soft_wrap=True)

        yield Watcher(doing, done)


def _line(step: Step) -> str:
    text = f"  [green]✓[/green] {step.title:<38} {step.seconds:6.1f} s"
    if step.amount is None:
        return text
    return f"{text}  {step.amount:>12,} {step.unit:<9} {step.amount / max(step.seconds, 0.001):>12,.0f}/s"


def _print_figures(figures: Figures) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim", title_justify="left")
    table.add_column("")
    for column in ("kWh", "EUR/MWh", "quarter hours", "registers"):
        table.add_column(column, justify="right")
    for flow in figures.flows:
        kwh = Decimal(flow.sum_mwh).scaleb(-6)
        price = "" if flow.price is None else f"{flow.price:,.1f}"
        present = f"{flow.present:,} of {flow.of:,}"
        table.add_row(flow.title, f"[bold]{kwh:,.1f}[/bold]", price, present, str(flow.points))
    console.print()
    console.print(table)
    if (limit := figures.limit) is not None:
        console.print(
            f"\nsection 14a: {limit.stations} stations held to {_kw(limit.limit_mw)} kW each from "
            f"{local_time(limit.start_us):%H:%M} to {local_time(limit.end_us):%H:%M}; "
            f"the most that one of them drew then was {_kw(limit.highest_mw)} kW"
        )


def _kw(power_mw: int) -> str:
    return f"{Decimal(power_mw).scaleb(-6):.1f}"


def _print_spans(spans: list[Span], day: date) -> None:
    """What is missing or interpolated, with the reason the rules give."""
    console.print()
    if not spans:
        console.print("nothing is missing")
        return
    missing = sum(span.quality == MISSING for span in spans)
    console.print(f"{missing} gaps; {len(spans) - missing} stretches are not simply measured:")
    for span in spans[:_SPANS_SHOWN]:
        end = "24:00" if day_of(span.end_us) > day else f"{local_time(span.end_us):%H:%M}"
        console.print(
            f"  {span.point:<14} {' and '.join(span.directions):<17} {local_time(span.first_us):%H:%M} to {end}  "
            f"{span.quality}: {span.reason}",
            soft_wrap=True,
        )
    if len(spans) > _SPANS_SHOWN:
        console.print(f"  and {len(spans) - _SPANS_SHOWN} more; `twin slots POINT {day}` shows those of a point")


def _print_comparison(ran: Ran, figures: Figures) -> None:
    differences = ran.differences
    rows = sum(differences.compared.values())
    console.print()
    if differences.equal:
        console.print(f"[green]live and replay are equal[/green]: {rows:,} rows compared, none differs")
    else:
        console.print(f"[red]live and replay differ[/red] in {len(differences.differing):,} of {rows:,} rows")
    if ran.sent.rejects:
        console.print(f"in the quarantine: {counted(ran.sent.rejects, 'message')}")
    truth = f"{figures.exact:,} quarter hours are exactly what happened in the street"
    if figures.bounded:
        truth += f", {figures.bounded:,} within the bound that spoiled readings allow"
    console.print(truth + (f", [red]{figures.wrong:,} are wrong[/red]" if figures.wrong else ""))


def _print_where_next(ran: Ran, figures: Figures) -> None:
    day, giver = ran.demo.day, figures.giver
    commands = [(f"compare {ran.config.schema} {ran.into} --day {day}", "what was compared")]
    if giver:
        commands.append((f"slots {giver} {day}", "the quarter hours of the car that gave back most"))
        commands.append((f"show evse:{giver}", "its wallbox as it is known now"))
    if giver and figures.limit is not None:
        at = format_time(figures.limit.start_us)
        commands.append((f"show evse:{giver} --at {at}", "and as it was when the limit began"))
    commands += [("status", "what runs, and since when"), ("down", "stop it; everything stays")]
    width = max(len(command) for command, _ in commands)
    console.print("\nThe stack runs on with the day in it. Where to look next:")
    for command, why in commands:
        console.print(f"  {_twin()} {command:<{width}}  [dim]{why}[/dim]", soft_wrap=True)
    console.print(f"The native messages and the truth lie in {ran.folder}", soft_wrap=True)


def _twin() -> str:
    """How the command is called from here: by its name if that finds it, else by its path."""
    ours = Path(sys.executable).parent / "twin"
    found = shutil.which("twin")
    if found and Path(found).samefile(ours):
        return "twin"
    return str(ours.relative_to(Path.cwd()) if ours.is_relative_to(Path.cwd()) else ours)
