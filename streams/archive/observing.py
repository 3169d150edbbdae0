"""What an event says, all of it or nothing: one event must not stop the log."""

import logging

from schemas.event import Event
from schemas.facts import Facts
from twin.observe import observe

log = logging.getLogger("streams")


def observe_whole(event: Event, facts: Facts) -> None:
    """Append what the event says, without its rejects; nothing when its observer fails, as in the tables."""
    before = facts.counts()
    try:
        observe(event, facts)
    except Exception:
        log.exception("no facts from %s/%d@%d", event.topic, event.partition, event.offset)
        facts.cut_back(before)
    facts.rejects.clear()
