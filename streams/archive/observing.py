"""What an event says, all of it or nothing: one event must not stop the log."""

import logging
from typing import Any

from schemas.event import Event
from schemas.facts import Facts
from twin.observe import observe

log = logging.getLogger("streams")


def observe_whole(event: Event, facts: Facts) -> None:
    """Append what the event says, without its rejects; nothing when its observer fails, as in the tables."""
    kinds: tuple[list[Any], ...] = (facts.readings, facts.observations, facts.samples, facts.slot_values)
    marks = [len(rows) for rows in kinds]
    try:
        observe(event, facts)
    except Exception:
        log.exception("no facts from %s/%d@%d", event.topic, event.partition, event.offset)
        for rows, mark in zip(kinds, marks, strict=True):
            del rows[mark:]
    facts.rejects.clear()
