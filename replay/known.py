"""What was known of some actors before a story begins: their attributes, registers and quarter hours."""

from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from replay import filtered
from replay.filtered import Cut
from replay.history import EVER_US, Readings, Said, slot_values_in
from replay.observed import KIND, observed
from schemas.facts import Facts, Scalar, SlotValue
from schemas.rows import Edge
from streams.archive.layout import Archive, Manifest
from twin.quarters_told import REACH_US, QuartersTold

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
    archive: Archive, actors: Collection[str], before_us: int, told: Mapping[int, Facts], recent: Collection[Said]
) -> QuartersTold:
    """Registers and quarter hours of actors, without what the messages ``told`` (by position) will say of them."""
    objects = {actor.partition(":")[2] for actor in actors}
    edges = _edges_before(archive, objects, before_us, told, recent)
    slots = [value.slot_us for facts in told.values() for value in facts.slot_values if value.object in objects]
    slots += [reading.time_us for facts in told.values() for reading in facts.readings if reading.point in objects]
    values: set[SlotValue] = set()
    if slots:
        cut = Cut(min(slots) - REACH_US, max(slots) + REACH_US, EVER_US)
        known = slot_values_in(archive, objects, cut, recent)
        values = {value for value, position in known if position not in told}
    return QuartersTold(objects, edges, values)


def _edges_before(
    archive: Archive, points: Collection[str], before_us: int, told: Collection[int], recent: Collection[Said]
) -> list[Edge]:
    cut = Cut(before_us - REACH_US, before_us, EVER_US)
    readings, passed = Readings(), pa.array(sorted(told), pa.int64())
    for manifest in archive.manifests():
        if not cut.may_touch(manifest, "readings"):
            continue
        registers = filtered.registers_of(archive, manifest, points)
        if registers:
            readings.name(registers)
            table = filtered.readings_of(archive, manifest, list(registers), cut)
            readings.extend(table.filter(pc.invert(pc.is_in(table["position"], value_set=passed))))
    for _, position, facts in recent:
        for fact in facts.readings:
            if position not in told and fact.point in points and cut.start_us <= fact.time_us < cut.end_us:
                readings.take(fact, position)
    return readings.edges()


def _keep(known: Known, key: tuple[str, str], new: tuple[int, str, Scalar]) -> None:
    old = known.get(key)
    if old is None or new[:2] > old[:2]:
        known[key] = new
