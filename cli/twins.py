"""``twin show``, ``twin actors``, ``twin events``: the twins, now or then."""

import time

import click

from cli.printing import as_json, event_json, place, table
from cli.times import TIME
from replay import history
from schemas.interfaces import by_topic_number
from schemas.rows import split_position
from schemas.time import format_time
from streams import lookups
from streams.settings import Settings, settings
from twin.actors import declared, derived
from twin.actors.derived import Derived
from twin.actors.disputes import Claim, Dispute

_NAMED = 8


@click.command()
@click.argument("actor")
@click.option("--at", "at_us", type=TIME, help="As it was then: event times up to this one.")
@click.option("--known-at", "known_us", type=TIME, help="As far as it was recorded by then.")
@click.option("--disputed", is_flag=True, help="Only where interfaces disagree: the winner and the runners-up.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def show(actor: str, at_us: int | None, known_us: int | None, disputed: bool, json_: bool) -> None:
    """Show the twin of an ACTOR: each attribute with unit, time and the event it comes from.

    A value is doubtful where it does not fit the model of its kind of actor (docs/twins.md): another unit, a word or
    size that is not allowed, an attribute that is not declared. What follows by a rule, as the state of a limitation
    (LPC, LPP) or the power that section 14a guarantees, stands last, with the rule set instead of an event.

    With --disputed the attributes about which interfaces disagree, for example the power of a wallbox by OCPP and by
    EEBUS: whose word holds (the latest) and who says otherwise, with their events; how far values may differ is in
    docs/twins.md.

    The past is read from the archive and, for what is not archived yet, from Kafka. Exit code 1 when nothing is known
    of the actor.

    Example: twin show evse:GS-00000/1 --at 2026-03-29T14:15:00Z
    """
    config = settings()
    if disputed:
        disputes = history.disputes_at(config, actor, at_us, known_us)
        if not disputes:
            _known(config, actor, at_us, known_us)
        _show_disputes(actor, disputes, json_=json_)
        return
    found = _known(config, actor, at_us, known_us)
    follows = _derived(config, actor, found, at_us, known_us)
    if json_:
        answer = [_attribute_json(seen) for seen in found]
        click.echo(as_json([*answer, *(_derived_json(actor, one) for one in follows)]))
        return
    rows = [
        [
            seen.attribute,
            _shown(seen.value),
            seen.unit,
            _doubt(seen),
            format_time(seen.time_us),
            f"{place(seen.position)} {seen.event_id}",
        ]
        for seen in found
    ]
    rows += [[one.attribute, _shown(one.value), one.unit, "", _since(one) or "", f"by {one.rules}"] for one in follows]
    table(actor, ["attribute", "value", "unit", "doubt", "time", "event"], rows)


def _known(config: Settings, actor: str, at_us: int | None, known_us: int | None) -> list[lookups.Attribute]:
    """Its attributes; where there are none, an error that says what may be meant."""
    if at_us is None and known_us is None:
        found = lookups.twin(config.database_url, config.schema, actor)
    else:
        found = history.twin_at(config, actor, at_us, known_us)
    if not found:
        raise click.ClickException(_unknown(config, actor, at_us, known_us))
    return found


def _derived(
    config: Settings, actor: str, found: list[lookups.Attribute], at_us: int | None, known_us: int | None
) -> list[Derived]:
    """What follows, now where no time is given; the log is read only where something may."""
    if not derived.may_follow(seen.attribute for seen in found):
        return []
    return history.derived_at(config, actor, time.time_ns() // 1000 if at_us is None else at_us, known_us)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else as_json(value)


def _since(found: Derived) -> str | None:
    return None if found.since_us is None else format_time(found.since_us)


def _show_disputes(actor: str, found: list[Dispute], *, json_: bool) -> None:
    if json_:
        answer = [
            {
                "attribute": dispute.winner.attribute,
                "winner": _claim_json(dispute.winner),
                "runners_up": [_claim_json(claim) for claim in dispute.runners_up],
            }
            for dispute in found
        ]
        click.echo(as_json(answer))
    elif found:
        claims = [
            (claim, claim is dispute.winner) for dispute in found for claim in (dispute.winner, *dispute.runners_up)
        ]
        rows = [
            [
                claim.attribute,
                "holds" if holds else "says otherwise",
                claim.interface,
                _shown(claim.value),
                claim.unit,
                format_time(claim.time_us),
                f"{place(claim.position)} {claim.event_id}",
            ]
            for claim, holds in claims
        ]
        columns = ["attribute", "which", "interface", "value", "unit", "time", "event"]
        table(f"{actor}: where interfaces disagree", columns, rows)
    else:
        click.echo(f"no interfaces disagree about {actor}")


def _claim_json(claim: Claim) -> dict[str, object]:
    actor, attribute, interface, *seen = claim
    return _attribute_json(lookups.Attribute(actor, attribute, *seen)) | {"interface": interface}


@click.command()
@click.argument("kind", default="")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def actors(kind: str, json_: bool) -> None:
    """List the actors (of one KIND, for example meter), with the time of their latest observation.

    Exit code 1 when there is none.

    Example: twin actors evse
    """
    config = settings()
    found = lookups.actors(config.database_url, config.schema, kind)
    if not found:
        everyone = lookups.actors(config.database_url, config.schema)
        kinds = sorted({actor.partition(":")[0] for actor, _, _ in everyone})
        there = f"there are {', '.join(kinds)}" if kinds else "nothing is in the tables yet; `twin ingest` sends logs"
        raise click.ClickException(f"no actor {f'of kind {kind} ' if kind else ''}was ever observed: {there}")
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
    """List the events about an ACTOR in order of time, with where they lie in the log.

    One that was sent again is listed once for each time, always with the same id.

    Exit code 1 when there is none.

    Example: twin events evse:GS-00000/1 --from 2026-03-29T00:00:00Z --to 2026-03-30T00:00:00Z
    """
    if from_us >= to_us:
        raise click.UsageError("--from has to be earlier than --to")
    config = settings()
    found = history.events_of(config, actor, from_us, to_us)
    if not found:
        span = f"from {format_time(from_us)} to {format_time(to_us)}"
        raise click.ClickException(f"there is no event about {actor} {span}; `twin show {actor}` says what is known")
    for event in found:
        where = f"{event.topic}/{event.partition}@{event.offset}"
        if json_:
            line = event_json(event, [])
            del line["facts"], line["error"]
            line |= {"id": event.id, "source": event.source, "recorded": format_time(event.recorded_us)}
            click.echo(as_json(line | {"topic": event.topic, "partition": event.partition, "offset": event.offset}))
            continue
        time = "no time" if event.time_us is None else format_time(event.time_us)
        click.echo(f"{time:<27} {event.type:<40} {where}  {event.id}")


def _unknown(config: Settings, actor: str, at_us: int | None, known_us: int | None) -> str:
    """Why there is nothing to show, with names that are near."""
    everyone = [name for name, _, _ in lookups.actors(config.database_url, config.schema)]
    if actor in everyone:
        cuts = [
            f"{word} {format_time(cut)}" for word, cut in (("at", at_us), ("known at", known_us)) if cut is not None
        ]
        return f"nothing is known of {actor} {', '.join(cuts)}; `twin show {actor}` says what is known now"
    word = actor.partition(":")[2] or actor
    near = [name for name in everyone if word.lower() in name.lower()][:_NAMED]
    hint = f"did you mean {' or '.join(near)}?" if near else "`twin actors` lists who there is"
    return f"nothing is known of {actor}; {hint}"


def _doubt(seen: lookups.Attribute) -> str:
    """Why a value does not fit the model of its actor; "" where it does."""
    interface = by_topic_number(split_position(seen.position)[0]).number
    entry = declared(seen.actor, seen.attribute, interface)
    return f"not declared on interface {interface}" if entry is None else entry.doubt(seen.value, seen.unit)


def _attribute_json(seen: lookups.Attribute) -> dict[str, object]:
    return {
        "actor": seen.actor,
        "attribute": seen.attribute,
        "value": seen.value,
        "unit": seen.unit,
        "doubt": _doubt(seen) or None,
        "time": format_time(seen.time_us),
        "event": seen.event_id,
        "position": place(seen.position),
    }


def _derived_json(actor: str, found: Derived) -> dict[str, object]:
    """Like an attribute, with the rules in place of the event."""
    return {
        "actor": actor,
        "attribute": found.attribute,
        "value": found.value,
        "unit": found.unit,
        "doubt": None,
        "time": _since(found),
        "event": None,
        "position": None,
        "rules": found.rules,
    }
