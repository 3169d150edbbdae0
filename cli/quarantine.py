"""``twin quarantine``: what could not be decoded or believed, why, and again after a fix."""

from base64 import b64encode
from typing import Any

import click

from cli.inputs import NumberType
from cli.printing import as_json, console, place, progress_bar, scalar, table
from replay.resubmit import resubmit as read_again
from schemas.time import format_time, to_us
from streams import quarantine as kept
from streams.producer import EventProducer
from streams.reader import Conversations
from streams.settings import settings

EXIT_SOME_STAY = 3
_SHOWN_BYTES = 256

_only_reason = click.option("--reason", default="", help="Only this reason.")
_only_interface = click.option("--interface", "number", default="", type=NumberType(), help="Only this interface.")


@click.group()
def quarantine() -> None:
    """What could not be decoded, and parts of messages that cannot be believed: which, why, and again after a fix.

    Example: twin quarantine list --reason bad-checksum
    """


@quarantine.command("list")
@_only_reason
@_only_interface
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="At most so many.")
@click.option("--json", "json_", is_flag=True, help="One JSON object per entry.")
def list_(reason: str, number: str, limit: int, json_: bool) -> None:
    """List what is in the quarantine, newest first.

    Example: twin quarantine list --interface 4
    """
    config = settings()
    found = kept.entries(config.database_url, config.schema, reason=reason, interface=number, limit=limit)
    if json_:
        for entry in found:
            click.echo(as_json(_brief(entry)))
        return
    if not found:
        click.echo("nothing of that kind is in the quarantine" if reason or number else "the quarantine is empty")
        return
    rows = [[entry.id[:12], entry.interface, entry.source, entry.reason, entry.detail] for entry in found]
    table("quarantine", ["id", "if", "source", "reason", "detail"], rows)
    if len(found) == limit:
        console.print(f"the newest {limit}; --limit shows more")


@quarantine.command()
@click.argument("identity", metavar="ID")
@click.option("--raw", is_flag=True, help="Write the bytes as they came to standard output.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON, with the bytes in base64.")
def show(identity: str, raw: bool, json_: bool) -> None:
    """Show one entry; the beginning of its id is enough.

    Exit code 1 when there is none, or more than one.

    Example: twin quarantine show 3f2a --raw > message.bin
    """
    config = settings()
    entry = kept.entry(config.database_url, config.schema, identity)
    if raw:
        click.get_binary_stream("stdout").write(entry.raw)
        return
    if json_:
        click.echo(as_json(_brief(entry) | {"raw": b64encode(entry.raw).decode()}))
        return
    for name, value in _brief(entry).items():
        said = as_json(value) if isinstance(value, dict) else "-" if value is None else scalar(value)
        click.echo(f"{click.style(f'{name:<10}', bold=True)} {said}")
    if entry.is_part:
        click.echo(f"the message itself was taken: event {entry.context['event']}")
        return
    click.echo(f"{len(entry.raw)} bytes; --raw writes them all")
    click.echo(scalar(entry.raw[:_SHOWN_BYTES].decode("latin-1")))


@quarantine.command()
@click.argument("identities", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything in the quarantine, or all that fits the options.")
@_only_reason
@_only_interface
@click.option("--json", "json_", is_flag=True, help="Print the counts as JSON.")
def resubmit(identities: tuple[str, ...], everything: bool, reason: str, number: str, json_: bool) -> None:
    """Decode again; what can be read and believed now goes into Kafka and leaves the quarantine.

    What still cannot be stays, with today's reason. Exit code 3 when something stays.

    Example: twin quarantine resubmit --all --interface 4
    """
    config = settings()
    if bool(identities) == (everything or bool(reason or number)):
        raise click.UsageError("give the IDs to resubmit, or --all, --reason or --interface")
    url, schema = config.database_url, config.schema
    chosen = identities or kept.identities(url, schema, reason=reason, interface=number)
    conversations = Conversations()
    stayed = []
    with EventProducer(config.kafka, prefix=config.topic_prefix) as producer, progress_bar("resubmitting") as advance:
        for done, identity in enumerate(chosen, 1):
            entry = kept.entry(url, schema, identity)
            still = read_again(config, entry, producer, conversations)
            if still is not None:
                stayed.append([entry.id[:12], entry.source, *still])
            advance(done, len(chosen))
    went = len(chosen) - len(stayed)
    if json_:
        click.echo(as_json({"resubmitted": went, "stayed": len(stayed)}))
    else:
        if stayed:
            table("stays in the quarantine", ["id", "source", "reason", "detail"], stayed)
        click.echo(f"{went} resubmitted, {len(stayed)} stay")
    if stayed:
        raise click.exceptions.Exit(EXIT_SOME_STAY)


def _brief(entry: kept.Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "interface": entry.interface,
        "source": entry.source,
        "format": entry.format,
        "time": None if entry.at is None else format_time(to_us(entry.at)),
        "recorded": format_time(to_us(entry.recorded_at)),
        "position": place(entry.position),
        "reason": entry.reason,
        "detail": entry.detail,
        "context": entry.context,
    }
