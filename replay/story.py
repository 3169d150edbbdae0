"""One conversation: every message of every interface that belongs to a site, or to one transaction at it, in order."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from replay import filtered
from replay.filtered import Cut
from replay.history import EVER_US, Said, log_of, stamp_of, twin_in
from replay.relations import site_in, station_of
from schemas.event import Event
from schemas.facts import Facts
from schemas.time import MINUTE_US
from streams import lookups
from streams.archive.layout import Archive
from streams.archive.observing import observe_whole
from streams.settings import Settings
from twin.story import TRANSACTION, Change, Telling, names_in

_TRANSACTION_ID: Final = "transaction_id"
_LIVE: Final = frozenset({"evse", "bev"})
"""Actors of the charging itself; what is said of others of a site belongs to one session only after it, as a bill."""

_DOCUMENTED: Final = frozenset({"melo", "malo", "session", "msb"})
_AROUND_US: Final = 2 * MINUTE_US
"""Plugging in and out is told a little before the transaction begins and after it ended [M]."""


class Line(NamedTuple):
    """A message of the conversation: when it counts, by which names it belongs to it, and what it changed."""

    time_us: int
    event: Event
    ties: tuple[str, ...]
    changes: tuple[Change, ...]


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
    places = {event.actor for event in _tied_to_transaction(archive, name, from_us, to_us, recent)}
    if not places:
        raise LookupError(
            f"no actor is named {name}, and no transaction of that time; `twin actors` lists who there is"
        )
    return session_story(archive, places, name, from_us, to_us, recent)


def site_story(
    archive: Archive, seeds: Collection[str], from_us: int, to_us: int, recent: Collection[Said] = ()
) -> list[Line]:
    """Every message about a member of the site."""
    members = _members(archive, seeds, (from_us, to_us - 1), recent)
    return _told(archive, _events(archive, members, from_us, to_us, recent), members, from_us, members)


def session_story(
    archive: Archive, places: Collection[str], transaction: str, from_us: int, to_us: int, recent: Collection[Said] = ()
) -> list[Line]:
    """What wallbox and vehicle say from plugging in to plugging out, and after it what documents say of the site."""
    tied = list(_tied_to_transaction(archive, transaction, from_us, to_us, recent))
    times = [stamp_of(event) for event in tied]
    start_us, end_us = min(times) - _AROUND_US, max(times) + _AROUND_US
    members = _members(archive, places, (times[0], (start_us + end_us) // 2, to_us - 1), recent)
    names = members | {f"{TRANSACTION}:{transaction}"} | {name for event in tied for name in names_in(event)}
    chosen = [
        event
        for event in _events(archive, members, from_us, to_us, recent)
        if f"{TRANSACTION}:{transaction}" in names_in(event) or _is_part(event, start_us, end_us)
    ]
    return _told(archive, chosen, names, from_us, members)


def _is_part(event: Event, start_us: int, end_us: int) -> bool:
    kind = event.actor.partition(":")[0]
    if kind in _LIVE:
        return start_us <= stamp_of(event) <= end_us
    return stamp_of(event) >= start_us and kind in _DOCUMENTED


def _members(
    archive: Archive, seeds: Collection[str], times_us: Iterable[int], recent: Collection[Said]
) -> frozenset[str]:
    """Who belonged to the site at one of some times; a car that left is a member of the time before."""
    found = [site_in(archive, seeds, at_us, None, lambda: recent).members for at_us in times_us]
    return frozenset(member for members in found for member in members)


def _events(
    archive: Archive, members: Collection[str], from_us: int, to_us: int, recent: Collection[Said]
) -> list[Event]:
    """Every event whose actor is a member, or that says something of one."""
    cut = Cut(from_us, to_us, EVER_US)
    found: dict[tuple[str, int, int], Event] = {}
    for manifest in archive.manifests():
        bounds = (manifest.time_us, manifest.recorded_us)
        if not any(known is not None and known.touches(from_us, to_us) for known in bounds):
            continue
        positions = {seen.position for seen in filtered.observed(archive, manifest, members, cut)}
        about = (event for member in members for event in filtered.messages(archive, manifest, member))
        for event in (*about, *filtered.events_at(archive, manifest, positions)):
            found[event.topic, event.partition, event.offset] = event
    for event, _, facts in recent:
        if event.actor in members or any(seen.actor in members for seen in facts.observations):
            found[event.topic, event.partition, event.offset] = event
    by_id = {event.id: event for event in found.values() if from_us <= stamp_of(event) < to_us}
    return sorted(by_id.values(), key=lambda event: (stamp_of(event), event.id))


def _tied_to_transaction(
    archive: Archive, transaction: str, from_us: int, to_us: int, recent: Collection[Said]
) -> Iterator[Event]:
    """The events of a transaction, in order; found by what stations say of their transactions."""
    cut = Cut(from_us, to_us, EVER_US)
    places: set[str] = set()
    for manifest in archive.manifests():
        if cut.may_touch(manifest, "observations"):
            actors = filtered.actors_with(archive, manifest, _TRANSACTION_ID)
            seen = filtered.observed(archive, manifest, actors, cut, lambda _, name: name == _TRANSACTION_ID)
            places.update(one.actor for one in seen if str(one.value) == transaction)
    for event, _, facts in recent:
        if any(one.attribute == _TRANSACTION_ID and str(one.value) == transaction for one in facts.observations):
            places.add(event.actor)
    stations = places | {station_of(place) for place in places}
    for event in _events(archive, stations, from_us, to_us, recent):
        if f"{TRANSACTION}:{transaction}" in names_in(event):
            yield event


def _told(
    archive: Archive, events: Iterable[Event], names: Collection[str], from_us: int, members: frozenset[str]
) -> list[Line]:
    """The events with what ties them and what each changed, from what was known before."""
    known = {
        (seen.actor, seen.attribute): (seen.time_us, seen.event_id, seen.value)
        for member in members
        for seen in twin_in(archive, member, from_us - 1)
    }
    telling, lines = Telling(known), []
    for event in events:
        facts = Facts()
        observe_whole(event, facts)
        ties = names_in(event) | {seen.actor for seen in facts.observations}
        changes = telling.changes(event.id, facts, members)
        lines.append(Line(stamp_of(event), event, tuple(sorted(ties & set(names))), tuple(changes)))
    return lines
