"""The past, for one actor or one point: a bounded replay of the archive and of what in Kafka is not archived yet.

``at_us`` cuts by event time, ``known_us`` by the time the log took the message; both are included.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from kafka.errors import KafkaError

from replay import filtered
from replay.filtered import Cut
from replay.observed import observed
from replay.reading import window_of
from schemas.event import Event
from schemas.facts import Facts, Observation, Reading, SlotValue
from schemas.interfaces import by_topic, by_topic_number
from schemas.rows import Edge, Register, position_of, split_position
from schemas.time import format_time
from streams.archive.layout import Archive, Partition
from streams.archive.observing import observe_whole
from streams.lookups import NEIGHBOUR_US, Attribute
from streams.settings import Settings
from streams.tail import read_at, read_tail
from twin.actors import derived
from twin.actors.derived import Derived
from twin.actors.disputes import Claim, Dispute, disputes, may_be_disputed
from twin.actors.relations import SAME_AS, partners
from twin.merge.edges import merge_readings
from twin.merge.identity import identity_of
from twin.merge.observations import canonical
from twin.slots.quarter_hour import cancelled_by, cancelled_in

EVER_US = (1 << 62) - 1

log = logging.getLogger("replay")


class Said(NamedTuple):
    """A recent event and what it says."""

    event: Event
    position: int
    facts: Facts


Tail = Callable[[], Iterable[Said]]
"""Gives the events that are not archived; called once a question."""


def twin_at(config: Settings, actor: str, at_us: int | None = None, known_us: int | None = None) -> list[Attribute]:
    """The twin of an actor as it was at ``at_us``, as far as it was known at ``known_us``; sorted by attribute."""
    archive, tail = log_of(config)
    return twin_in(archive, actor, at_us, known_us, tail)


def disputes_at(config: Settings, actor: str, at_us: int | None = None, known_us: int | None = None) -> list[Dispute]:
    """Where interfaces disagree about an actor, under whichever of its names they speak of it."""
    archive, tail = log_of(config)
    return disputes_in(archive, actor, at_us, known_us, tail)


def derived_at(config: Settings, actor: str, at_us: int, known_us: int | None = None) -> list[Derived]:
    """What follows at ``at_us`` from all that was observed of an actor until then (:mod:`twin.actors.derived`)."""
    archive, tail = log_of(config)
    return derived_in(archive, actor, at_us, known_us, tail)


def edges_for(config: Settings, point: str, day: date, known_us: int | None = None) -> list[Edge]:
    """Edges of all registers of a point in and around a legal day."""
    archive, tail = log_of(config)
    window = window_of(day)
    return quarters_in(archive, point, window.start_us, window.end_us, known_us, tail)[0]


def slots_known(
    config: Settings, point: str, start_us: int, end_us: int, known_us: int
) -> tuple[list[Edge], list[SlotValue], frozenset[str]]:
    """What :mod:`streams.lookups` says of a point, as far as it was known: edges, slot values, cancelled documents."""
    archive, tail = log_of(config)
    return quarters_in(archive, point, start_us, end_us, known_us, tail)


def events_of(config: Settings, actor: str, from_us: int, to_us: int) -> list[Event]:
    """Events about an actor in ``[from_us, to_us)``, in order of time.

    One without a time of its own counts at the stamp of its log, or else when it was recorded.
    """
    archive, tail = log_of(config)
    return events_in(archive, actor, from_us, to_us, tail)


def event_ids(config: Settings, positions: Collection[int]) -> dict[int, str]:
    """Event ids by position, from the archive, and from Kafka for those that are not archived yet."""
    archive = Archive(config.home)
    left, found = set(positions), dict[int, str]()
    for manifest in archive.manifests():
        if not left:
            break
        found |= filtered.ids_at(archive, manifest, left)
        left -= found.keys()
    wanted: dict[Partition, set[int]] = defaultdict(set)
    for position in left:
        number, partition, offset = split_position(position)
        wanted[by_topic_number(number).topic, partition].add(offset)
    try:
        found |= {place_in_log(event): event.id for event in read_at(config.kafka, config.topic_prefix, wanted)}
    except KafkaError as problem:
        log.warning("the events of %d messages are not named, for Kafka does not answer: %s", len(left), problem)
    return found


def log_of(config: Settings) -> tuple[Archive, Tail]:
    """The archive, and what in Kafka is not archived yet: both halves of the log."""
    archive = Archive(config.home)

    def tail() -> Iterator[Said]:
        try:
            for event in read_tail(config.kafka, config.topic_prefix, archive.next_offsets()):
                facts = Facts()
                observe_whole(event, facts)
                number = by_topic(event.topic).topic_number
                yield Said(event, position_of(number, event.partition, event.offset), facts)
        except KafkaError as problem:
            log.warning("only the archive was asked, for Kafka does not answer: %s", problem)

    return archive, tail


def twin_in(
    archive: Archive, actor: str, at_us: int | None = None, known_us: int | None = None, tail: Tail = tuple
) -> list[Attribute]:
    """See :func:`twin_at`."""
    cut = Cut(-EVER_US, EVER_US if at_us is None else at_us + 1, EVER_US if known_us is None else known_us)
    best: dict[str, Attribute] = {}
    for manifest in archive.manifests():
        for seen in observed(archive, manifest, [actor], cut, latest=True):
            _keep_latest(best, seen)
    if actor.startswith("interface:"):
        best.pop("last_message", None)  # one a quarter hour; the cut may lie within
        latest = filtered.last_message(archive, actor.removeprefix("interface:"), cut)
        if latest is not None:
            _keep_latest(best, _last_message(latest, place_in_log(latest)))
    for seen in _recent(tail, actor, cut):
        _keep_latest(best, seen)
    return [best[attribute] for attribute in sorted(best)]


def disputes_in(
    archive: Archive, actor: str, at_us: int | None = None, known_us: int | None = None, tail: Tail = tuple
) -> list[Dispute]:
    """See :func:`disputes_at`."""
    cut = Cut(-EVER_US, EVER_US if at_us is None else at_us + 1, EVER_US if known_us is None else known_us)
    recent = list(tail())
    names = {actor}
    for seen in all_of(archive, {actor}, cut, recent, lambda _, attribute: attribute == SAME_AS):
        names.update(partners(actor, SAME_AS, seen.value))
    shared = lru_cache(maxsize=100_000)(may_be_disputed)
    claims = [
        Claim(seen.actor, seen.attribute, _interface_of(seen.position), *seen[2:])
        for seen in all_of(archive, names, cut, recent, shared)
    ]
    named = {other for claim in claims for other in partners(claim.actor, claim.attribute, claim.value)}
    others: dict[str, set[str]] = defaultdict(set)
    for seen in all_of(archive, named, cut, recent, lambda _, attribute: attribute == SAME_AS):
        others[seen.actor].update(partners(seen.actor, SAME_AS, seen.value))
    return disputes(claims, others)


def derived_in(
    archive: Archive, actor: str, at_us: int, known_us: int | None = None, tail: Tail = tuple
) -> list[Derived]:
    """See :func:`derived_at`."""
    cut = Cut(-EVER_US, at_us + 1, EVER_US if known_us is None else known_us)
    seen = all_of(archive, {actor}, cut, list(tail()), lambda _, attribute: derived.matters(attribute))
    in_order = sorted(seen, key=lambda one: (one.time_us, one.event_id))
    return derived.derived((Observation(*one[:5]) for one in in_order), at_us)


def all_of(
    archive: Archive, actors: Collection[str], cut: Cut, recent: list[Said], wants: Callable[[str, str], bool]
) -> Iterator[Attribute]:
    """Every observation of some attributes of actors within a cut, from the archive and from recent events."""
    for manifest in archive.manifests():
        yield from observed(archive, manifest, actors, cut, wants)
    for actor in actors:
        yield from (seen for seen in _recent(lambda: recent, actor, cut) if wants(actor, seen.attribute))


def slot_values_in(
    archive: Archive, objects: Collection[str], cut: Cut, recent: Iterable[Said]
) -> Iterator[tuple[SlotValue, int]]:
    """Every slot value of some objects within a cut, with the position of the event that says it."""
    for manifest in archive.manifests():
        if cut.may_touch(manifest, "slot_values"):
            yield from filtered.slot_values_of(archive, manifest, objects, cut)
    for event, position, facts in recent:
        if event.recorded_us <= cut.known_us:
            for value in facts.slot_values:
                if value.object in objects and cut.start_us <= value.slot_us < cut.end_us:
                    yield value, position


def quarters_in(
    archive: Archive, point: str, start_us: int, end_us: int, known_us: int | None = None, tail: Tail = tuple
) -> tuple[list[Edge], list[SlotValue], frozenset[str]]:
    """See :func:`slots_known`."""
    known = EVER_US if known_us is None else known_us
    cut = Cut(start_us, end_us, known)
    wide = Cut(start_us - NEIGHBOUR_US, end_us + NEIGHBOUR_US, known)
    ever = Cut(-EVER_US, EVER_US, known)
    readings = Readings()
    values: set[SlotValue] = set()
    cancelled: set[str] = set()
    for manifest in archive.manifests():
        if wide.may_touch(manifest, "readings"):
            registers = filtered.registers_of(archive, manifest, [point])
            if registers:
                readings.name(registers)
                readings.extend(filtered.readings_of(archive, manifest, list(registers), wide))
        if cut.may_touch(manifest, "slot_values"):
            values.update(value for value, _ in filtered.slot_values_of(archive, manifest, [point], cut))
        if ever.may_touch(manifest, "observations"):
            cancelled.update(cancelled_by(*named) for named in filtered.documents(archive, manifest, known))
    for event, position, facts in tail():
        if event.recorded_us > known:
            continue
        for fact in facts.readings:
            if fact.point == point and wide.start_us <= fact.time_us < wide.end_us:
                readings.take(fact, position)
        values.update(fact for fact in facts.slot_values if fact.object == point and start_us <= fact.slot_us < end_us)
        cancelled |= cancelled_in(facts.observations)
    ordered = sorted(values, key=lambda value: (value.series, value.slot_us, value.version, value.quality, value.value))
    return readings.edges(), ordered, frozenset(cancelled)


def events_in(archive: Archive, actor: str, from_us: int, to_us: int, tail: Tail = tuple) -> list[Event]:
    """See :func:`events_of`."""
    found: list[Event] = []
    for manifest in archive.manifests():
        bounds = (manifest.time_us, manifest.recorded_us)
        if any(known is not None and known.touches(from_us, to_us) for known in bounds):
            found += filtered.messages(archive, manifest, [actor], from_us, to_us)
    found += [event for event, _, _ in tail() if event.actor == actor]
    found = [event for event in found if from_us <= stamp_of(event) < to_us]
    return sorted(found, key=lambda event: (stamp_of(event), event.id, event.topic, event.partition, event.offset))


class Readings:
    """Readings of a few registers on their way to edges."""

    def __init__(self) -> None:
        self._registers: dict[int, Register] = {}
        self._columns: tuple[list[int], ...] = ([], [], [], [])

    def name(self, registers: dict[int, Register]) -> None:
        """Say which registers stand behind their identities."""
        for identity, register in registers.items():
            known = self._registers.get(identity, register)
            self._registers[identity] = register._replace(digits=max(register.digits, known.digits))

    def take(self, reading: Reading, position: int) -> None:
        """A reading of the event at a position, whose register need not be named."""
        register = Register(*reading[:4], *reading[6:])
        identity = identity_of(register[:6])
        self.name({identity: register})
        row = (identity, reading.time_us, reading.value_mwh, position)
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def extend(self, table: pa.Table) -> None:
        """Readings as columns: register, time, value, position."""
        for column, values in zip(self._columns, table, strict=True):
            column.extend(values.to_pylist())

    def edges(self) -> list[Edge]:
        """The first and last reading of each quarter hour."""
        merged = merge_readings(*(np.array(column, np.int64) for column in self._columns))
        rows = zip(*(column.tolist() for column in merged), strict=True)
        return [Edge(self._registers[identity], *rest) for identity, *rest in rows]


def _recent(tail: Tail, actor: str, cut: Cut) -> Iterator[Attribute]:
    """What events that are not archived say of an actor."""
    for event, position, facts in tail():
        if event.recorded_us > cut.known_us:
            continue
        for fact in facts.observations:
            if fact.actor == actor and fact.time_us < cut.end_us:
                value = filtered.value_of(canonical(fact.value))
                yield Attribute(*fact[:2], value, fact.unit, fact.time_us, event.id, position)
        if actor == f"interface:{event.interface}" and event.time_us is not None and event.time_us < cut.end_us:
            yield _last_message(event, position)


def _keep_latest(best: dict[str, Attribute], new: Attribute) -> None:
    """The merge of table ``twin``: the latest event time wins, ties by event id."""
    old = best.get(new.attribute)
    if old is None or (new.time_us, new.event_id, -new.position) > (old.time_us, old.event_id, -old.position):
        best[new.attribute] = new


def _last_message(event: Event, position: int) -> Attribute:
    """What the projector says of an interface's latest message."""
    time_us = event.time_us or 0
    return Attribute(
        f"interface:{event.interface}", "last_message", format_time(time_us), "", time_us, event.id, position
    )


def place_in_log(event: Event) -> int:
    """The position of an event that lies in the log."""
    return position_of(by_topic(event.topic).topic_number, event.partition, event.offset)


def _interface_of(position: int) -> str:
    return by_topic_number(split_position(position)[0]).number


def stamp_of(event: Event) -> int:
    """When an event counts: its own time, else the stamp of its log, else when it was recorded."""
    stamps = (event.time_us, event.log_time_us, event.recorded_us)
    return next(stamp for stamp in stamps if stamp is not None)
