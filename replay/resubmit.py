"""Messages of the quarantine once more, after a decoder or an observer was mended."""

from typing import NamedTuple

from replay.filtered import event_at
from schemas.event import Event
from schemas.facts import Facts, Reject
from schemas.interfaces import by_topic_number
from schemas.rows import split_position
from streams import quarantine
from streams.archive.layout import Archive
from streams.producer import Producer
from streams.quarantine import Entry
from streams.reader import Conversations, Outcome, Rejected, read_again
from streams.settings import Settings
from streams.tail import read_at
from twin.observe import observe

NOT_FOUND = "message-gone"
_OBSERVER_ERROR = "observer-error"


class Still(NamedTuple):
    """Why an entry stays."""

    reason: str
    detail: str


def resubmit(config: Settings, entry: Entry, producer: Producer, conversations: Conversations) -> Still | None:
    """Read an entry with the decoders and observers of today.

    What can be read and believed now goes into Kafka, under the id it would have had, and the entry leaves the
    quarantine; else the entry stays and its reason is today's. A stretch of a log that was never cut leaves once
    anything in it can be read: what remains bad in it is an entry of its own.

    Returns:
        Why it stays; None when it went.

    Raises:
        streams.producer.NotDelivered: Kafka did not confirm; the entry stays as it was.
    """
    outcomes = _read_part(config, entry) if entry.is_part else quarantine.decode_again(entry, conversations)
    still = outcomes if isinstance(outcomes, Still) else _send(outcomes, producer)
    if still is None:
        quarantine.release(config.database_url, config.schema, entry.id)
    elif still != (entry.reason, entry.detail):
        quarantine.note(config.database_url, config.schema, entry.id, *still)
    return still


def _send(outcomes: list[Outcome], producer: Producer) -> Still | None:
    """Send everything when any of it can be read."""
    bad = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    if len(bad) == len(outcomes):
        return Still(bad[0].reason, bad[0].detail) if bad else Still("empty", "there is no message in it")
    turned_away = None
    for outcome in outcomes:
        if isinstance(outcome, Rejected):
            producer.send_rejected(outcome)
        else:
            turned_away = producer.send(outcome)
    producer.flush()
    if turned_away is not None and len(outcomes) == 1:
        return Still(turned_away.reason, turned_away.detail)
    return None


def _read_part(config: Settings, entry: Entry) -> list[Outcome] | Still:
    """The event of something implausible, when today's observer no longer takes exception to it."""
    event = _event_of(config, entry.position)
    if event is None:
        return Still(NOT_FOUND, f"{entry.detail} (its message is neither in Kafka nor in the archive any more)")
    outcomes = read_again(event)
    for outcome in outcomes:
        if isinstance(outcome, Event):
            rejects = _rejects_of(outcome)
            same = next((reject for reject in rejects if reject.reason == entry.reason), None)
            if same is not None:
                return Still(same.reason, same.detail)
    return outcomes


def _event_of(config: Settings, position: int) -> Event | None:
    archived = event_at(Archive(config.home), position)
    if archived is not None:
        return archived
    number, partition, offset = split_position(position)
    wanted = {(by_topic_number(number).topic, partition): {offset}}
    return next(read_at(config.kafka, config.topic_prefix, wanted), None)


def _rejects_of(event: Event) -> list[Reject]:
    facts = Facts()
    try:
        observe(event, facts)
    except Exception as problem:  # noqa: BLE001 -- a broken observer is what put it into the quarantine
        return [Reject(_OBSERVER_ERROR, f"{type(problem).__name__}: {problem}")]
    return facts.rejects
