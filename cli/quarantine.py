"""``twin quarantine``: what could not be decoded or believed, why, and again after a fix."""

import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import click

from cli.inputs import NumberType
from cli.printing import as_json, console, place, progress_bar, scalar, table
from replay.resubmit import resubmit as read_again
from schemas.time import format_time, to_us
from streams import quarantine as kept
from streams.dismissals import dismissal_records
from streams.producer import EventProducer
from streams.reader import Conversations
from streams.settings import settings

EXIT_SOME_STAY = 3
_SHOWN_BYTES = 256
_PATIENCE_S = 10.0

_only_reason = click.option("--reason", default="", help="Only this reason.")
_only_interface = click.option("--interface", "number", default="", type=NumberType(), help="Only this interface.")
_only_source = click.option("--source", default="", help="Only from this source, as the list names it.")
_everything = click.option(
    "--all", "everything", is_flag=True, help="Everything in the quarantine, or all that fits the options."
)
_identities = click.argument("identities", metavar="ID...", nargs=-1)


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    """IDs, or options that choose entries; see :func:`_choice`."""
    return _identities(_everything(_only_reason(_only_interface(_only_source(command)))))


@click.group()
def quarantine() -> None:
    """What could not be decoded, and parts of messages that cannot be believed: which, why, and again after a fix.

    Example: twin quarantine list --reason bad-checksum
    """


@quarantine.command("list")
@_only_reason
@_only_interface
@_only_source
@click.option("--dismissed", is_flag=True, help="What was dismissed, and why, instead.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="At most so many.")
@click.option("--json", "json_", is_flag=True, help="One JSON object per entry.")
def list_(reason: str, number: str, source: str, dismissed: bool, limit: int, json_: bool) -> None:
    """List what is in the quarantine, newest first; what was dismissed is left out, and counted.

    Example: twin quarantine list --interface 4
    """
    config = settings()
    choice = kept.Choice(reason, number, source, dismissed)
    found = kept.entries(config.database_url, config.schema, choice, limit)
    if json_:
        for entry in found:
            click.echo(as_json(_brief(entry)))
        return
    left_out = 0 if dismissed else kept.count(config.database_url, config.schema, choice._replace(dismissed=True))
    if found:
        rows = [[entry.id[:12], entry.interface, entry.source, entry.reason, _said(entry)] for entry in found]
        table("quarantine", ["id", "if", "source", "reason", "dismissed because" if dismissed else "detail"], rows)
    elif any(choice) or left_out:
        click.echo("nothing of that kind is in the quarantine")
    else:
        click.echo("the quarantine is empty")
    if len(found) == limit:
        console.print(f"the newest {limit}; --limit shows more")
    if left_out:
        click.echo(f"{left_out} dismissed {'is' if left_out == 1 else 'are'} left out; --dismissed shows them")


def _said(entry: kept.Entry) -> str:
    return entry.detail if entry.dismissed is None else entry.dismissed


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
@_chosen
@click.option("--json", "json_", is_flag=True, help="Print the counts as JSON.")
def resubmit(identities: tuple[str, ...], everything: bool, reason: str, number: str, source: str, json_: bool) -> None:
    """Decode again; what can be read and believed now goes into Kafka and leaves the quarantine.

    What still cannot be stays, with today's reason. Exit code 3 when something stays. What was dismissed is only tried
    when its ID is given.

    Example: twin quarantine resubmit --all --interface 4
    """
    config = settings()
    url, schema = config.database_url, config.schema
    choice = _choice("resubmit", identities, everything, kept.Choice(reason, number, source))
    chosen = identities or kept.identities(url, schema, choice)
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


@quarantine.command()
@_chosen
@click.option("--because", required=True, metavar="WORDS", help="Why it needs no more attention.")
@click.option("--json", "json_", is_flag=True, help="Print the count as JSON.")
def dismiss(
    identities: tuple[str, ...],
    everything: bool,
    reason: str,
    number: str,
    source: str,
    because: str,
    json_: bool,
) -> None:
    """Say that entries need no more attention, and why: the list leaves them out, nothing is deleted.

    The dismissal goes into Kafka like everything else; it holds for the same message should it come again. Dismissing
    once more puts other words in the place of the first.

    Example: twin quarantine dismiss --source meters.log --because "sent to the wrong interface"
    """
    if not because.strip():
        raise click.BadParameter("say why in a few words", param_hint="'--because'")
    config = settings()
    url, schema = config.database_url, config.schema
    choice = _choice("dismiss", identities, everything, kept.Choice(reason, number, source))
    if identities:
        chosen = sorted({kept.entry(url, schema, identity).id for identity in identities})
    else:
        chosen = kept.identities(url, schema, choice)
    with EventProducer(config.kafka, prefix=config.topic_prefix) as producer:
        for record in dismissal_records(chosen, because, config.topic_prefix):
            producer.send_record(record)
    deadline = time.monotonic() + _PATIENCE_S
    while (there := kept.dismissed_of(url, schema, chosen, because)) < len(chosen) and time.monotonic() < deadline:
        time.sleep(0.1)
    click.echo(as_json({"dismissed": len(chosen)}) if json_ else f"{len(chosen)} dismissed")
    if there < len(chosen):
        click.echo("they are in Kafka; the list shows it once a worker has read that far (see `twin status`)", err=True)


def _choice(verb: str, identities: tuple[str, ...], everything: bool, choice: kept.Choice) -> kept.Choice:
    """What the options choose; either they or IDs must be given."""
    if bool(identities) == (everything or any(choice)):
        raise click.UsageError(f"give the IDs to {verb}, or --all, --reason, --interface or --source")
    return choice


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
        "dismissed": entry.dismissed,
    }
