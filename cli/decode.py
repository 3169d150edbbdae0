"""``twin decode``: what a message says, without any server."""

import sys
from pathlib import Path

import click

from cli.printing import as_json, console, event_json, fact_json, rejected_json
from schemas.event import Event
from schemas.facts import Facts
from schemas.interfaces import interface as interface_of
from schemas.time import format_time
from streams.reader import Rejected, read
from twin.observe import observe

EXIT_SOME_UNDECODED = 3


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--interface", "number", required=True, help="Number of the interface, for example 15 or E1.")
@click.option("--json", "json_", is_flag=True, help="One JSON object per message.")
def decode(files: tuple[Path, ...], number: str, json_: bool) -> None:
    """Say what messages or logs in their native format mean.

    Exit code 0 when all decoded, 3 when some did not.

    Example: twin decode telegrams.hex --interface 15 --json
    """
    known = interface_number(number)
    failed = 0
    for file in files:
        for outcome in read(file, known):
            if isinstance(outcome, Rejected):
                failed += 1
                _print_rejected(outcome, json_)
            else:
                _print_event(outcome, json_)
    if failed:
        sys.exit(EXIT_SOME_UNDECODED)


def interface_number(text: str) -> str:
    """The canonical number of an interface, as the user wrote it.

    Raises:
        click.BadParameter: there is none of that number.
    """
    try:
        return interface_of(text).number
    except (LookupError, ValueError) as problem:
        raise click.BadParameter(str(problem).strip("'\""), param_hint="--interface") from problem


def _print_event(event: Event, json_: bool) -> None:
    facts = Facts()
    observe(event, facts)
    error = None
    if facts.rejects:
        error = {"reason": facts.rejects[0].reason, "detail": facts.rejects[0].detail, "offset": 0}
    if json_:
        click.echo(as_json(event_json(event, facts.all(), error)))
        return
    time = "no time" if event.time_us is None else format_time(event.time_us)
    console.print(f"[bold]{event.type}[/bold]  {time}  {event.actor}")
    for fact in facts.all():
        said = fact_json(fact)
        kind = said.pop("kind")
        console.print(f"  {kind:<12}" + "  ".join(f"{name}={value}" for name, value in said.items() if value != ""))
    for reject in facts.rejects:
        console.print(f"  [red]{reject.reason}[/red]: {reject.detail}")


def _print_rejected(rejected: Rejected, json_: bool) -> None:
    if json_:
        click.echo(as_json(rejected_json(rejected)))
    else:
        console.print(f"[red]{rejected.reason}[/red] at byte {rejected.offset} of {rejected.source}: {rejected.detail}")
