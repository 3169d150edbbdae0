"""Market documents that others cancelled. A cancellation names a document and no location, so it is sought by that."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple

from replay import filtered
from replay.filtered import Cut
from replay.history import EVER_US, Said, place_in_log
from replay.observed import KIND, observed
from schemas.event import Event
from streams.archive.layout import Archive
from twin.slots.quarter_hour import cancelled_by

_LAST_DOCUMENT = "last_document"


class Cancellation(NamedTuple):
    """That a document, ``<sender>|<number>``, is cancelled: when it was said, and where in the log."""

    document: str
    time_us: int
    position: int


def cancellations_before(archive: Archive, end_us: int, recent: Collection[Said]) -> list[Cancellation]:
    """Every cancellation that was said before a time."""
    return list(_cancellations(archive, Cut(-EVER_US, end_us, EVER_US), recent))


def _cancellations(archive: Archive, cut: Cut, recent: Collection[Said]) -> Iterator[Cancellation]:
    for manifest in archive.manifests():
        if cut.may_touch(manifest, KIND):
            senders = {actor for actor, _ in filtered.documents(archive, manifest, EVER_US)}
            for seen in observed(archive, manifest, senders, cut, lambda *name: bool(cancelled_by(*name))):
                yield Cancellation(cancelled_by(seen.actor, seen.attribute), seen.time_us, seen.position)
    for _, position, facts in recent:
        for fact in facts.observations:
            if fact.time_us < cut.end_us and (document := cancelled_by(fact.actor, fact.attribute)):
                yield Cancellation(document, fact.time_us, position)


def speaking_of(
    archive: Archive, members: Collection[str], cancellations: Collection[Cancellation], recent: Collection[Said]
) -> dict[int, set[str]]:
    """Of the cancellations whose document speaks of some of these actors: by position, of whom."""
    numbers = {cancellation.document.partition("|")[2] for cancellation in cancellations}
    named: dict[str, set[str]] = defaultdict(set)
    if numbers:
        for event, member in _naming(archive, members, numbers, recent):
            if event.type.startswith("mscons."):
                named[f"{event.payload['sender']['id']}|{event.payload['document']}"].add(member)
    return {one.position: named[one.document] for one in cancellations if one.document in named}


def _naming(
    archive: Archive, members: Collection[str], numbers: Collection[str], recent: Collection[Said]
) -> Iterator[tuple[Event, str]]:
    """Events by which the last document of a member is one of these, each with that member."""
    ever = Cut(-EVER_US, EVER_US, EVER_US)
    for manifest in archive.manifests():
        said = observed(archive, manifest, members, ever, lambda _, name: name == _LAST_DOCUMENT)
        actors: dict[int, set[str]] = defaultdict(set)
        for seen in said:
            if seen.value in numbers:
                actors[seen.position].add(seen.actor)
        for event in filtered.events_at(archive, manifest, actors):
            yield from ((event, actor) for actor in actors[place_in_log(event)])
    for event, _, facts in recent:
        for fact in facts.observations:
            if fact.actor in members and fact.attribute == _LAST_DOCUMENT and fact.value in numbers:
                yield event, fact.actor
