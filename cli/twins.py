"""``twin show``, ``twin actors``, ``twin events``: the twins, now or then."""

import click

from cli.printing import as_json, console, event_json, table
from cli.times import TIME
from replay import history
from schemas.rows import split_position
from schemas.time import format_time
from streams import lookups
from streams.settings import settings


@click.command()
@click.argument("actor")
@click.option("--at", "at_us", type=TIME, help="As it was then (event time).")
@click.option("--known-at", "known_us", type=TIME, help="As far as it was recorded by then.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def show(actor: str, at_us: int | None, known_us: int | None, json_: bool) -> None:
    """Show the twin of an actor: each attribute with unit, time and the event it comes from.

    Example: twin show meter:1EMH0012345678 --at 2026-03-29T14:15:00Z
    """
    config = settings()
    if at_us is None and known_us is None:
        found = lookups.twin(config.database_url, config.schema, actor)
    else:
        found = history.twin_at(config, actor, at_us, known_us)
    if not found:
        raise click.ClickException(f"nothing is known of {actor}; `twin actors` lists who there is")
    if json_:
        click.echo(as_json([_attribute_json(seen) for seen in found]))
        return
    rows = [
        [seen.attribute, as_json(seen.value), seen.unit, format_time(seen.time_us), seen.event_id[:12]]
        for seen in found
    ]
    table(actor, ["attribute", "value", "unit", "time", "event"], rows)


@click.command()
@click.argument("kind", default="")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def actors(kind: str, json_: bool) -> None:
    """List the actors (of one KIND, for example meter), with the time of their latest observation.

    Example: twin actors evse
    """
    config = settings()
    found = lookups.actors(config.database_url, config.schema, kind)
    if json_:
        rows = [{"actor": name, "attributes": count, "latest": format_time(at)} for name, count, at in found]
        click.echo(as_json(rows))
        return
    table("actors", ["actor", "attributes", "latest"], [[name, count, format_time(at)] for name, count, at in found])


@click.command()
@click.argument("actor")
@click.option("--from", "from_us", type=TIME, required=True, help="First event time.")
@click.option("--to", "to_us", type=TIME, required=True, help="Event time before which to stop.")
@click.option("--json", "json_", is_flag=True, help="One JSON object per event.")
def events(actor: str, from_us: int, to_us: int, json_: bool) -> None:
    """List the events about an actor, with where they lie in the log.

    Example: twin events evse:CS0001/1 --from 2026-03-29T00:00:00Z --to 2026-03-30T00:00:00Z
    """
    config = settings()
    for event in history.events_of(config, actor, from_us, to_us):
        if json_:
            line = event_json(event, []) | {"id": event.id, "topic": event.topic, "offset": event.offset}
            line.pop("facts")
            click.echo(as_json(line | {"partition": event.partition}))
            continue
        time = "no time" if event.time_us is None else format_time(event.time_us)
        console.print(f"{time}  {event.type:<40} {event.topic}/{event.partition}@{event.offset}  {event.id[:12]}")


def _attribute_json(seen: lookups.Attribute) -> dict[str, object]:
    topic_number, partition, offset = split_position(seen.position)
    return {
        "actor": seen.actor,
        "attribute": seen.attribute,
        "value": seen.value,
        "unit": seen.unit,
        "time": format_time(seen.time_us),
        "event": seen.event_id,
        "interface_number": topic_number,
        "partition": partition,
        "offset": offset,
    }
