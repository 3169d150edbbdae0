"""What was known of some actors before a story begins: their attributes, registers and quarter hours."""

from collections.abc import Collection, Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from replay import filtered
from replay.filtered import Cut
from replay.history import EVER_US, Readings, Said, slot_values_in, stamp_of
from replay.observed import KIND, observed
from schemas.facts import Facts, Scalar, SlotValue
from schemas.rows import Edge
from streams.archive.layout import Archive, Manifest
from twin.quarters_told import REACH_US, QuartersTold
from twin.slots.quarter_hour import cancelled_in, is_cancelled

Known = dict[tuple[str, str], tuple[int, str, Scalar]]
"""By actor and attribute: when it was said, by which event, and what."""


def attributes_before(
    archive: Archive, signals: Collection[tuple[str, str]], before_us: int, recent: Collection[Said]
) -> Known:
    """What held of attributes (actor, attribute) at a time, by the rule of the twin; the newest segments first.

    Of what is found, older segments are not asked.
    """
    cut = Cut(-EVER_US, before_us, EVER_US)
    known: Known = {}
    for event, _, facts in recent:
        for fact in facts.observations:
            if fact[:2] in signals and fact.time_us < before_us:
                _keep(known, fact[:2], (fact.time_us, event.id, fact.value))
    touched = [entry for entry in archive.manifests() if cut.may_touch(entry, KIND)]
    for manifest in sorted(touched, key=_last_us, reverse=True):
        last_us = _last_us(manifest)
        left = {key for key in signals if key not in known or known[key][0] <= last_us}
        if not left:
            continue
        actors = {actor for actor, _ in left}
        for seen in observed(archive, manifest, actors, cut, lambda *key, left=left: key in left, latest=True):
            _keep(known, (seen.actor, seen.attribute), (seen.time_us, seen.event_id, seen.value))
    return known


def _last_us(manifest: Manifest) -> int:
    times = manifest.part(KIND).time_us
    return -EVER_US if times is None else times.last_us


def quarters_before(
    archive: Archive,
    actors: Collection[str],
    before_us: int,
    told: Mapping[int, Facts],
    cancelled: Collection[str],
    recent: Collection[Said],
) -> QuartersTold:
    """Registers and quarter hours of actors as told before a time, without what the messages ``told`` will say of them.

    A message that came later than those told is not known before them, whatever the time it speaks of. ``told`` is by
    position; ``cancelled`` are the documents that were cancelled before.
    """
    objects = {actor.partition(":")[2] for actor in actors}
    read_us = [reading.time_us for facts in told.values() for reading in facts.readings if reading.point in objects]
    slots = [value.slot_us for facts in told.values() for value in facts.slot_values if value.object in objects]
    withdrawn = {document for facts in told.values() for document in cancelled_in(facts.observations)}
    if withdrawn:
        read_us += _readings_of(archive, objects, withdrawn, recent)
        known = slot_values_in(archive, objects, Cut(-EVER_US, EVER_US, EVER_US), recent)
        slots += [value.slot_us for value, _ in known if is_cancelled(value.version, withdrawn)]
    span = Cut(min([*read_us, before_us]) - REACH_US, max([*read_us, before_us]) + REACH_US, EVER_US)
    edges = _edges_before(archive, objects, span, before_us, told, recent)
    slots += read_us
    values: set[SlotValue] = set()
    if slots:
        cut = Cut(min(slots) - REACH_US, max(slots) + REACH_US, EVER_US)
        said = [one for one in slot_values_in(archive, objects, cut, recent) if one[1] not in told]
        before = _said_before(archive, {position for _, position in said}, before_us, recent)
        values = {value for value, position in said if position in before}
    return QuartersTold(objects, edges, values, cancelled)


def _readings_of(
    archive: Archive, points: Collection[str], documents: Collection[str], recent: Collection[Said]
) -> list[int]:
    """When registers of points were read, as documents say."""
    ever, found = Cut(-EVER_US, EVER_US, EVER_US), list[int]()
    for manifest in archive.manifests():
        registers = filtered.registers_of(archive, manifest, points)
        wanted = [number for number, register in registers.items() if is_cancelled(register.document, documents)]
        if wanted:
            found += filtered.readings_of(archive, manifest, wanted, ever)["time_us"].to_pylist()
    read = [one for _, _, facts in recent for one in facts.readings if one.point in points]
    return found + [one.time_us for one in read if is_cancelled(one.document, documents)]


def _said_before(archive: Archive, positions: Iterable[int], before_us: int, recent: Collection[Said]) -> set[int]:
    """The positions of events that count before a time."""
    positions = set(positions)
    stamps = {position: stamp_of(event) for event, position, _ in recent if position in positions}
    for manifest in archive.manifests():
        stamps |= filtered.stamps_at(archive, manifest, positions)
    return {position for position, stamp_us in stamps.items() if stamp_us < before_us}


def _edges_before(
    archive: Archive,
    points: Collection[str],
    cut: Cut,
    before_us: int,
    told: Collection[int],
    recent: Collection[Said],
) -> list[Edge]:
    """Readings within a cut that were told before a time, by others than ``told``."""
    readings = Readings()
    for manifest in archive.manifests():
        if not cut.may_touch(manifest, "readings"):
            continue
        registers = filtered.registers_of(archive, manifest, points)
        if registers:
            readings.name(registers)
            table = filtered.readings_of(archive, manifest, list(registers), cut)
            others = set(table["position"].unique().to_pylist()).difference(told)
            stamps = filtered.stamps_at(archive, manifest, others)
            before = pa.array(sorted(place for place, stamp_us in stamps.items() if stamp_us < before_us), pa.int64())
            readings.extend(table.filter(pc.is_in(table["position"], value_set=before)))
    for event, position, facts in recent:
        for fact in facts.readings:
            is_before = cut.start_us <= fact.time_us < cut.end_us and stamp_of(event) < before_us
            if is_before and position not in told and fact.point in points:
                readings.take(fact, position)
    return readings.edges()


def _keep(known: Known, key: tuple[str, str], new: tuple[int, str, Scalar]) -> None:
    old = known.get(key)
    if old is None or new[:2] > old[:2]:
        known[key] = new
