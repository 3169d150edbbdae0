"""Who belongs to a site at a time: a walk along what twins state of each other, in the whole log."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

from replay.filtered import Cut, value_of
from replay.history import EVER_US, Tail, log_of
from replay.observed import observed
from streams import lookups
from streams.archive.layout import Archive, Manifest
from streams.settings import Settings
from twin.actors.relations import MEMBERS, Edge, Statement, edges, matters
from twin.merge.observations import canonical

PART_OF = "part_of"
"""The relation of an EVSE to its station; its name says it."""

_READERS = 2
"""Segments read at a time: decoding columns leaves Python to the other."""

_matters = lru_cache(maxsize=100_000)(matters)


class Site(NamedTuple):
    """A site at a time: its members, and the relations among them and to parties; sorted."""

    members: tuple[str, ...]
    edges: tuple[Edge, ...]


def site_of(config: Settings, name: str, at_us: int | None = None, known_us: int | None = None) -> Site:
    """The site that a name belongs to: an actor, or the name of one without its kind; a station means its EVSEs too.

    Raises:
        LookupError: nobody of that name was ever observed.
    """
    archive, tail = log_of(config)
    return site_in(archive, named(config, name), at_us, known_us, tail)


def named(config: Settings, name: str) -> list[str]:
    """The actors that a name means, as :func:`site_of` takes it.

    Raises:
        LookupError: nobody of that name was ever observed.
    """
    found = lookups.named(config.database_url, config.schema, name)
    if not found:
        raise LookupError(f"nobody named {name} was ever observed; `twin actors` lists who there is")
    return found


def site_in(
    archive: Archive,
    seeds: Iterable[str],
    at_us: int | None = None,
    known_us: int | None = None,
    tail: Tail = tuple,
) -> Site:
    """See :func:`site_of`; ``seeds`` are members."""
    return sites_in(archive, seeds, [EVER_US - 1 if at_us is None else at_us], known_us, tail)[0]


def sites_in(
    archive: Archive, seeds: Iterable[str], times_us: Sequence[int], known_us: int | None = None, tail: Tail = tuple
) -> list[Site]:
    """The site at each of some times; the log is read once for all of them."""
    cut = Cut(-EVER_US, max(times_us) + 1, EVER_US if known_us is None else known_us)
    recent = _recent(tail, cut)
    statements: list[Statement] = []
    seeds = with_stations(seeds)
    asked: set[str] = set()
    new = set(seeds)
    while new:
        statements += _stated(archive, new, cut)
        statements += [statement for actor in new for statement in recent.get(actor, ())]
        asked |= new
        new = {member for at_us in times_us for member in _site(seeds, statements, at_us).members} - asked
    return [_site(seeds, statements, at_us) for at_us in times_us]


def _site(seeds: Collection[str], statements: Iterable[Statement], at_us: int) -> Site:
    """The site at a time, as far as these statements reach."""
    found = edges(statement for statement in statements if statement.time_us <= at_us)
    by_left: dict[str, list[Edge]] = defaultdict(list)
    for edge in found:
        by_left[edge.left].append(edge)
    members, new = set(seeds), set(seeds)
    while new:
        rights = {edge.right for member in new for edge in by_left[member]}
        new = with_stations(right for right in rights if right.partition(":")[0] in MEMBERS) - members
        members |= new
    kept = [edge for member in members for edge in by_left[member]]
    parts = [
        Edge(actor, PART_OF, station_of(actor), 0, "") for actor in members if station_of(actor) in members - {actor}
    ]
    return Site(tuple(sorted(members)), tuple(sorted([*kept, *parts])))


def station_of(actor: str) -> str:
    """The station of an EVSE; any other actor itself.

    >>> station_of("evse:GS-00000/1"), station_of("meter:1EMH0012000000")
    ('evse:GS-00000', 'meter:1EMH0012000000')
    """
    return actor.partition("/")[0] if actor.startswith("evse:") else actor


def with_stations(actors: Iterable[str]) -> set[str]:
    """The actors, and the stations of those that are EVSEs."""
    found = set(actors)
    return found | {station_of(actor) for actor in found}


def _stated(archive: Archive, actors: Collection[str], cut: Cut) -> Iterable[Statement]:
    def read(manifest: Manifest) -> list[Statement]:
        found = observed(archive, manifest, actors, cut, _matters)
        return [Statement(seen.actor, seen.attribute, seen.value, seen.time_us, seen.event_id) for seen in found]

    with ThreadPoolExecutor(_READERS) as pool:
        for statements in pool.map(read, archive.manifests()):
            yield from statements


def _recent(tail: Tail, cut: Cut) -> dict[str, list[Statement]]:
    """What events that are not archived state, by actor."""
    found: dict[str, list[Statement]] = defaultdict(list)
    for event, _, facts in tail():
        if event.recorded_us > cut.known_us:
            continue
        for fact in facts.observations:
            if fact.time_us < cut.end_us and _matters(fact.actor, fact.attribute):
                value = value_of(canonical(fact.value))
                found[fact.actor].append(Statement(fact.actor, fact.attribute, value, fact.time_us, event.id))
    return found
