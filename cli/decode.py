"""``twin decode``: what a message says, without any server."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import click

from cli.inputs import files_argument, interface_option, sources_of, zone_option
from cli.printing import UNTIMED_US, as_json, event_json, fact_json, notes, rejected_json, scalar
from schemas.calendar import Zone
from schemas.event import UNDECODED, Event
from schemas.facts import Facts, Reject
from schemas.time import format_time
from streams.reader import Conversations, Rejected, read
from streams.records import event_record
from twin.observe import observe

EXIT_SOME_UNDECODED = 3
NO_DECODER = "no-decoder"
OBSERVER_ERROR = "observer-error"


@click.command()
@files_argument
@interface_option
@zone_option
@click.option("--json", "json_", is_flag=True, help="One JSON object per message.")
def decode(files: tuple[Path, ...], number: str, zone: Zone | None, json_: bool) -> None:
    """Say what messages or logs in their native format mean; needs no server.

    Folders, gzip and zstd work, and - is standard input. What a message says that cannot be believed is left out of
    its facts and named as its error. Facts have no time where neither the message nor its log says when.

    Exit code 0 when all decoded, 3 when some did not.

    Example: twin decode street/04/street.ocpp.jsonl --interface 4 --json
    """
    conversations = Conversations()
    messages = undecoded = 0
    for source in sources_of(files):
        for outcome in read(source, number, conversations=conversations, zone=zone):
            told = _told(outcome)
            messages += 1
            undecoded += told.undecoded
            if json_:
                click.echo(as_json(told.json))
            else:
                click.echo("\n".join(told.lines))
    if not messages:
        notes.print("there is no message in it")
    if undecoded:
        sys.exit(EXIT_SOME_UNDECODED)


class _Told(NamedTuple):
    """A message as it is printed."""

    json: dict[str, Any]
    lines: list[str]
    undecoded: bool = False


def _told(outcome: Event | Rejected) -> _Told:
    if isinstance(outcome, Event):
        # Whatever would not go into the log is told as ingest would treat it.
        unfit = event_record(outcome)
        if not isinstance(unfit, Rejected):
            return _event(outcome)
        outcome = unfit
    where = f"at byte {outcome.offset} of {scalar(outcome.source) or 'the input'}"
    line = f"{click.style(outcome.reason, fg='red')}  {where}: {scalar(outcome.detail)}"
    return _Told(rejected_json(outcome), [line], undecoded=True)


def _event(event: Event) -> _Told:
    time = "no time" if event.time_us is None else format_time(event.time_us)
    lines = [f"{click.style(event.type, bold=True)}  {time}  {scalar(event.actor)}"]
    if event.type == UNDECODED:
        detail = f"interface {event.interface} has no decoder yet; the bytes are kept, and a later replay decodes them"
        lines.append(f"  {NO_DECODER}: {detail}")
        error = {"reason": NO_DECODER, "detail": detail, "offset": 0}
        return _Told(event_json(event, [], error), lines, undecoded=True)
    facts = _facts_of(event)
    for fact in facts.all():
        said = fact_json(fact)
        kind = said.pop("kind")
        lines.append(
            f"  {kind:<12}"
            + "  ".join(f"{name}={scalar(value)}" for name, value in said.items() if value not in ("", None))
        )
    lines += [f"  {click.style(reject.reason, fg='red')}: {scalar(reject.detail)}" for reject in facts.rejects]
    lines += _meaningless(event)
    return _Told(event_json(event, facts.all(), _error(facts.rejects)), lines)


def _meaningless(event: Event) -> list[str]:
    """Addresses of telecontrol that say nothing, for no point list tells what they mean."""
    found: dict[str, list[str]] = {}
    objects = event.payload.get("objects") if event.type.startswith("iec104.") else None
    for entry in objects or ():
        if "missing" in entry:
            found.setdefault(entry["missing"], []).append(str(entry["address"]))
    return [f"  {click.style('no-meaning', fg='red')}: {why}: {', '.join(named)}" for why, named in found.items()]


def _facts_of(event: Event) -> Facts:
    """What an event says. Where nobody knows when, nothing goes into a table; here it is told without a time."""
    facts = Facts()
    try:
        observe(event, facts)
        if event.time_us is None and not facts.all():
            untimed = Facts()
            observe(event._replace(time_us=UNTIMED_US), untimed)
            facts.readings, facts.samples = untimed.readings, untimed.samples
            # A value that is the message's own time, such as that of the latest heartbeat, is as unknown as the time.
            facts.observations = [fact for fact in untimed.observations if fact.value != format_time(UNTIMED_US)]
    except Exception as problem:  # noqa: BLE001 -- one broken observer must not end the listing
        return Facts(rejects=[Reject(OBSERVER_ERROR, f"{type(problem).__name__}: {problem}")])
    return facts


def _error(rejects: list[Reject]) -> dict[str, Any] | None:
    if not rejects:
        return None
    return {"reason": rejects[0].reason, "detail": "; ".join(reject.detail for reject in rejects), "offset": 0}
