"""One conversation: every message of every interface that belongs to a site, or to one transaction at it, in order."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from replay import filtered
from replay.filtered import Cut
from replay.history import EVER_US, Said, log_of, place_in_log, stamp_of
from replay.known import attributes_before, quarters_before
from replay.observed import observed, who_said
from replay.relations import sites_in, station_of
from replay.withdrawn import Cancellation, cancellations_before, speaking_of
from schemas.event import Event
from schemas.facts import Facts
from schemas.time import MINUTE_US
from streams import lookups
from streams.archive.layout import Archive
from streams.archive.observing import observe_whole
from streams.settings import Settings
from twin.quarters_told import RegisterChange, SlotChange, told_of_slots
from twin.slots.quarter_hour import cancelled_by, cancelled_in
from twin.story import PARTS, TRANSACTION, Change, Part, Telling, names_in, time_told

_TRANSACTION_ID: Final = "transaction_id"
_AROUND_US: Final = 2 * MINUTE_US
"""Plugging in and out is told a little before the transaction begins and after it ended [M]."""


class Line(NamedTuple):
    """A message of the conversation: when it counts, by which names it belongs to it, and what it changed."""

    time_us: int
    event: Event
    ties: tuple[str, ...]
    changes: tuple[Change, ...]
    registers: tuple[RegisterChange, ...]
    slots: tuple[SlotChange, ...]


class _Span(NamedTuple):
    """Times ``[from_us, to_us)``."""

    from_us: int
    to_us: int


def story_of(config: Settings, name: str, from_us: int, to_us: int) -> list[Line]:
    """The story of a site, named by any member, or of a transaction, in ``[from_us, to_us)``.

    Raises:
        LookupError: no actor and no transaction of that time has that name.
    """
    archive, tail = log_of(config)
    recent = list(tail())
    seeds = lookups.named(config.database_url, config.schema, name)
    if seeds:
        return site_story(archive, seeds, from_us, to_us, recent)
    places = {event.actor for event in _tied_to_transaction(archive, name, _Span(from_us, to_us), recent)}
    if not places:
        raise LookupError(
            f"no actor is named {name}, and no transaction of that time; `twin actors` lists who there is"
        )
    return session_story(archive, places, name, from_us, to_us, recent)


def site_story(
    archive: Archive, seeds: Collection[str], from_us: int, to_us: int, recent: Collection[Said] = ()
) -> list[Line]:
    """Every message about a member of the site."""
    span = _Span(from_us, to_us)
    members = _members(archive, seeds, (from_us, to_us - 1), recent)
    return _told(archive, _events(archive, members, span, recent), members, span, members, recent)


def session_story(
    archive: Archive, places: Collection[str], transaction: str, from_us: int, to_us: int, recent: Collection[Said] = ()
) -> list[Line]:
    """What is said at the site from plugging in to plugging out, and after it what documents say of the session."""
    span = _Span(from_us, to_us)
    tied = list(_tied_to_transaction(archive, transaction, span, recent))
    times = [stamp_of(event) for event in tied]
    live = _Span(min(times) - _AROUND_US, max(times) + _AROUND_US + 1)
    members = _members(archive, places, (times[0], (live.from_us + live.to_us) // 2, to_us - 1), recent)
    names = members | {f"{TRANSACTION}:{transaction}"} | {name for event in tied for name in names_in(event)}
    chosen = [
        event
        for event in _events(archive, members, span, recent)
        if f"{TRANSACTION}:{transaction}" in names_in(event) or _is_part(event, live)
    ]
    return _told(archive, chosen, names, span, members, recent)


def _is_part(event: Event, live: _Span) -> bool:
    """Whether a message about a member of the site belongs to the session at it (:data:`twin.story.PARTS`)."""
    part = PARTS.get(event.actor.partition(":")[0])
    if part is None or stamp_of(event) < live.from_us:
        return False
    return stamp_of(event) < live.to_us or (part is Part.AFTER and _tells_of(event, live))


def _tells_of(event: Event, live: _Span) -> bool:
    """Whether a document tells of the session's time, or of none."""
    told = time_told(event, _facts_of(event))
    return told is None or (told[0] < live.to_us and told[1] >= live.from_us)


def _members(
    archive: Archive, seeds: Collection[str], times_us: Iterable[int], recent: Collection[Said]
) -> frozenset[str]:
    """Who belonged to the site at one of some times; a car that left is a member of the time before."""
    found = sites_in(archive, seeds, list(times_us), None, lambda: recent)
    return frozenset(member for site in found for member in site.members)


def _events(archive: Archive, members: Collection[str], span: _Span, recent: Collection[Said]) -> list[Event]:
    """Every event whose actor is a member, or that says something of one: of its state, a register, a quarter hour.

    That a document about one is cancelled is said of it too.
    """
    cut = Cut(*span, EVER_US)
    objects = {member.partition(":")[2] for member in members}
    cancellations = [one for one in cancellations_before(archive, span.to_us, recent) if one.time_us >= span.from_us]
    withdrawn = speaking_of(archive, members, cancellations, recent)
    found: dict[tuple[str, int, int], Event] = {}
    for manifest in archive.manifests():
        bounds = (manifest.time_us, manifest.recorded_us)
        if not any(known is not None and known.touches(*span) for known in bounds):
            continue
        positions = {seen.position for seen in observed(archive, manifest, members, cut)} | withdrawn.keys()
        positions |= filtered.positions_of_points(archive, manifest, objects, cut)
        for event in filtered.messages(archive, manifest, members, *span):
            found[event.topic, event.partition, event.offset] = event
        left = positions - {place_in_log(event) for event in found.values()}
        for event in filtered.events_at(archive, manifest, left):
            found[event.topic, event.partition, event.offset] = event
    for event, position, facts in recent:
        if event.actor in members or position in withdrawn or _says_of(facts, members, objects):
            found[event.topic, event.partition, event.offset] = event
    by_id = {event.id: event for event in found.values() if span.from_us <= stamp_of(event) < span.to_us}
    return sorted(by_id.values(), key=lambda event: (stamp_of(event), event.id))


def _says_of(facts: Facts, members: Collection[str], objects: Collection[str]) -> bool:
    return (
        any(seen.actor in members for seen in facts.observations)
        or any(reading.point in objects for reading in facts.readings)
        or any(value.object in objects for value in facts.slot_values)
    )


def _tied_to_transaction(archive: Archive, transaction: str, span: _Span, recent: Collection[Said]) -> Iterator[Event]:
    """The events of a transaction, in order; found by what stations say of their transactions."""
    cut = Cut(*span, EVER_US)
    names = [transaction, int(transaction)] if transaction.isascii() and transaction.isdecimal() else [transaction]
    places: set[str] = set()
    for manifest in archive.manifests():
        places |= who_said(archive, manifest, _TRANSACTION_ID, names, cut)
    for event, _, facts in recent:
        if any(one.attribute == _TRANSACTION_ID and str(one.value) == transaction for one in facts.observations):
            places.add(event.actor)
    stations = places | {station_of(place) for place in places}
    for event in _events(archive, stations, span, recent):
        if f"{TRANSACTION}:{transaction}" in names_in(event):
            yield event


def _told(
    archive: Archive,
    events: list[Event],
    names: Collection[str],
    span: _Span,
    members: frozenset[str],
    recent: Collection[Said],
) -> list[Line]:
    """The events with what ties them and what each changed, from what was known before."""
    said = [_facts_of(event) for event in events]
    changed = {seen[:2] for facts in said for seen in facts.observations if seen.actor in members}
    telling = Telling(attributes_before(archive, changed, span.from_us, recent))
    asked = told_of_slots(said)
    withdrawn = _withdrawn(archive, members, events, said, recent)
    cancelled = {one.document for one in cancellations_before(archive, span.from_us, recent)}
    places = dict(zip(map(place_in_log, events), said, strict=True))
    quarters = quarters_before(archive, members, span.from_us, places, cancelled, recent)
    lines = []
    for event, facts in zip(events, said, strict=True):
        ties = names_in(event) | {seen.actor for seen in facts.observations}
        ties |= withdrawn.get(place_in_log(event), set())
        changes = telling.changes(event.id, facts, members)
        if place_in_log(event) in withdrawn:
            cancels = (seen for seen in facts.observations if cancelled_by(seen.actor, seen.attribute))
            changes += [Change(seen.actor, seen.attribute, None, seen.value, seen.unit) for seen in cancels]
        registers = quarters.registers(facts)
        slots = quarters.slots(facts, place_in_log(event), asked)
        tied = tuple(sorted(ties & set(names)))
        lines.append(Line(stamp_of(event), event, tied, tuple(changes), tuple(registers), tuple(slots)))
    return lines


def _withdrawn(
    archive: Archive,
    members: Collection[str],
    events: Iterable[Event],
    said: Iterable[Facts],
    recent: Collection[Said],
) -> dict[int, set[str]]:
    """Events that cancel documents about members, by position, with these members."""
    found = [
        Cancellation(document, stamp_of(event), place_in_log(event))
        for event, facts in zip(events, said, strict=True)
        for document in cancelled_in(facts.observations)
    ]
    return speaking_of(archive, members, found, recent)


def _facts_of(event: Event) -> Facts:
    facts = Facts()
    observe_whole(event, facts)
    return facts
