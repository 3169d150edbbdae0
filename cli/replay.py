"""``twin replay`` and ``twin compare``: a day again, and what differs."""

import re
import sys
from datetime import date

import click
from click.core import ParameterSource

from cli.printing import as_json, console, counted, notes, progress_bar, table
from cli.times import DAY
from replay import compare as comparing
from replay import day as days
from replay import publish as publishing
from schemas.time import format_time
from streams.settings import Settings, settings

EXIT_DIFFERENT = 1
EXIT_NOT_COMPARED = 2
LIVE = "live"
"""Names the schema the workers write to, whatever ``TWIN_SCHEMA`` calls it."""

_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")


def _run_name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise click.BadParameter(f"{value!r} may have small letters, digits and _, and not start with a digit or pg_")
    return value


@click.command()
@click.argument("day", type=DAY)
@click.option(
    "--into",
    default="replay",
    show_default=True,
    callback=_run_name,
    help="Schema into which the day is run; emptied first.",
)
@click.option(
    "--from",
    "source",
    type=click.Choice(["facts", "messages"]),
    default="facts",
    show_default=True,
    help="From the archived facts, or from the messages, decoded again.",
)
@click.option("--publish", is_flag=True, help="Send the day into Kafka again, for whoever watches.")
@click.option(
    "--speed",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="With --publish: how many times faster than it was.",
)
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
@click.pass_context
def replay(
    ctx: click.Context, day: date, into: str, source: days.From, publish: bool, speed: float, json_: bool
) -> None:
    """Run a legal German DAY again from the archive, as fast as the machine can.

    It starts from the twins as they stood at the day's start and takes late messages for that day too. Stopped with
    Ctrl-C, the half-filled schema is dropped.

    Facts are what messages said when they were archived. After a change of a decoder, of a point list, or of how
    messages are understood, replay --from messages and compare: what differs is what the change did.

    With --publish no table is touched: the day's messages go into Kafka again, in order and at the pace of their event
    time, under their own ids, into the topics replay.if.04.evse-cpo and so on. A worker of your own with
    TWIN_TOPIC_PREFIX=replay. and a TWIN_SCHEMA of its own keeps twins of them.

    \b
    Example: twin replay 2026-03-29 --into again && twin compare live again --day 2026-03-29
    Example: twin replay 2026-03-29 --publish --speed 600
    """  # noqa: D301 -- click's mark that lines stay as they are
    config = settings()
    given = {name for name in ctx.params if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}
    if publish:
        if given & {"into", "source"}:
            raise click.UsageError("--publish runs no day again: leave --into and --from away")
        _publish(config, day, speed, json_)
        return
    if "speed" in given:
        raise click.UsageError("--speed is for --publish; without it a day is run as fast as the machine can")
    if into in {config.schema, LIVE}:
        raise click.UsageError(f"{into} is where the workers write; choose another name for the replay")
    days.begin_process()
    with progress_bar(f"{day} into {into}") as advance:
        done = days.replay_day(config, day, into, source, advance)
    if json_:
        answer = {"into": done.into, "read": done.read, "rows": done.counts, "seconds": round(done.seconds, 3)}
        click.echo(as_json(answer))
        return
    rate = done.read / done.seconds if done.seconds else 0
    read = counted(done.read, source.removesuffix("s"))
    console.print(f"{day} into {done.into}: {read} in {done.seconds:.1f} s ({rate:,.0f}/s)")
    console.print("rows: " + ", ".join(f"{count:,} {name}" for name, count in done.counts.items()))


def _publish(config: Settings, day: date, speed: float, json_: bool) -> None:
    prefix = config.topic_prefix + publishing.PREFIX
    notes.print(f"{day}, {speed:g} times as fast, into the topics {prefix}if.* of Kafka at {config.kafka}")
    with progress_bar(str(day), unit="messages") as advance:
        sent = publishing.publish_day(config, day, speed=speed, on_progress=advance)
    if json_:
        first, last = format_time(sent.first_us), format_time(sent.last_us)
        click.echo(as_json({"topics": sent.topics, "first": first, "last": last}))
        return
    table(f"{day} sent again", ["topic", "messages"], [[topic, count] for topic, count in sent.topics.items()])


@click.command()
@click.argument("left")
@click.argument("right")
@click.option("--day", type=DAY, required=True, help="Legal German day.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def compare(left: str, right: str, day: date, json_: bool) -> None:
    """List every twin attribute and quarter hour of a day that differs between two runs.

    `live` is what the workers write; other names are those given to `twin replay --into`. What was compared is said on
    standard error, so nothing on standard output means no difference.

    Exit code 0 when none differs, 1 when some do, 2 when they could not be compared.

    Example: twin compare live again --day 2026-03-29
    """
    config = settings()
    names = [config.schema if name == LIVE else name for name in (left, right)]
    try:
        found = comparing.compare(config.database_url, names[0], names[1], day)
    except (LookupError, ValueError) as problem:
        raise NotCompared(f"{problem.args[0]}; `twin replay {day} --into NAME` makes one") from problem
    if not any(count for kind, count in found.compared.items() if kind != "twin") and not found.differing:
        raise NotCompared(f"{left} and {right} hold nothing of {day}; `twin replay {day}` runs an archived day")
    if json_:
        differing = [
            {
                "kind": entry.kind,
                "name": entry.name,
                "time": None if entry.time_us is None else format_time(entry.time_us),
                "left": entry.left,
                "right": entry.right,
            }
            for entry in found.differing
        ]
        click.echo(as_json({"differing": differing, "moved_on": found.moved_on, "compared": found.compared}))
    else:
        _list_differences(found, left, right, day)
    if not found.equal:
        sys.exit(EXIT_DIFFERENT)


class NotCompared(click.ClickException):
    """Two runs that could not be compared are neither equal nor different."""

    exit_code = EXIT_NOT_COMPARED


def _list_differences(found: comparing.Differences, left: str, right: str, day: date) -> None:
    if found.differing:
        rows = [
            [
                entry.kind,
                " ".join(map(str, entry.name)),
                "" if entry.time_us is None else format_time(entry.time_us),
                "-" if entry.left is None else as_json(entry.left),
                "-" if entry.right is None else as_json(entry.right),
            ]
            for entry in found.differing
        ]
        table(f"{left} and {right} differ on {day}", ["kind", "name", "time", left, right], rows)
    compared = ", ".join(f"{count:,} {kind}" for kind, count in found.compared.items())
    notes.print(f"compared {compared}: {len(found.differing):,} differ")
    if found.moved_on:
        notes.print(f"{len(found.moved_on):,} twin attributes were observed again since that day")
