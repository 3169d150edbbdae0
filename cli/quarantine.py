"""``twin quarantine``: what could not be decoded or believed, why, and again after a fix."""

import click

from cli.printing import as_json, console, table
from schemas.time import format_time, to_us
from streams import quarantine as kept
from streams.producer import EventProducer
from streams.reader import Rejected
from streams.settings import settings


@click.group()
def quarantine() -> None:
    """Messages that could not be decoded, or parts of messages that cannot be believed.

    Example: twin quarantine list --reason bad-checksum
    """


@quarantine.command("list")
@click.option("--reason", default="", help="Only this reason.")
@click.option("--interface", "number", default="", help="Only this interface.")
@click.option("--limit", default=100, show_default=True, help="At most so many, newest first.")
@click.option("--json", "json_", is_flag=True, help="One JSON object per entry.")
def list_(reason: str, number: str, limit: int, json_: bool) -> None:
    """List what is in the quarantine, newest first.

    Example: twin quarantine list --interface 15
    """
    config = settings()
    found = kept.entries(config.database_url, config.schema, reason=reason, interface=number, limit=limit)
    if json_:
        for entry in found:
            click.echo(as_json(_brief(entry)))
        return
    if not found:
        click.echo("the quarantine is empty")
        return
    rows = [[entry.id[:12], entry.interface, entry.source, entry.reason, entry.detail] for entry in found]
    table("quarantine", ["id", "if", "source", "reason", "detail"], rows)


@quarantine.command()
@click.argument("identity", metavar="ID")
@click.option("--raw", is_flag=True, help="Write the bytes as they came to standard output.")
def show(identity: str, raw: bool) -> None:
    """Show one entry; the beginning of its id is enough.

    Example: twin quarantine show 3f2a --raw > message.bin
    """
    config = settings()
    entry = kept.entry(config.database_url, config.schema, identity)
    if raw:
        click.get_binary_stream("stdout").write(entry.raw)
        return
    for name, value in _brief(entry).items():
        console.print(f"[bold]{name:<12}[/bold] {value}")
    console.print(f"[bold]{'bytes':<12}[/bold] {len(entry.raw)}: {entry.raw[:64].hex(' ')}")


@quarantine.command()
@click.argument("identities", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that is in the quarantine.")
def resubmit(identities: tuple[str, ...], everything: bool) -> None:
    """Decode again; what decodes now goes into Kafka and leaves the quarantine.

    Example: twin quarantine resubmit --all
    """
    config = settings()
    if everything:
        chosen = kept.entries(config.database_url, config.schema, limit=1_000_000)
    else:
        chosen = [kept.entry(config.database_url, config.schema, identity) for identity in identities]
    if not chosen:
        raise click.UsageError("nothing to resubmit: give an ID or --all")
    sent = still = 0
    with EventProducer(config.kafka, prefix=config.topic_prefix) as producer:
        for entry in chosen:
            outcomes = kept.decode_again(entry) if entry.raw else []
            if not outcomes or any(isinstance(outcome, Rejected) for outcome in outcomes):
                still += 1
                continue
            for outcome in outcomes:
                if not isinstance(outcome, Rejected):
                    producer.send(outcome)
            producer.flush()
            kept.release(config.database_url, config.schema, entry.id)
            sent += 1
    click.echo(f"{sent} resubmitted, {still} still not readable")


def _brief(entry: kept.Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "interface": entry.interface,
        "source": entry.source,
        "format": entry.format,
        "time": None if entry.at is None else format_time(to_us(entry.at)),
        "recorded": format_time(to_us(entry.recorded_at)),
        "reason": entry.reason,
        "detail": entry.detail,
        "context": entry.context,
    }
