"""A real day of the street in every format: order, duplicates, batches and workers do not matter; sums are exact."""

from datetime import date
from decimal import Decimal
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.calendar import day_slots
from schemas.facts import INDICATIVE, MISSING, QUALITIES, Facts
from schemas.interfaces import INTERFACES
from schemas.rows import Edge, Register
from tests.scenario_day import batch_of, events_of_day, projection_of, stored
from twin.merge.batch import Names
from twin.merge.projection import Projection
from twin.observe import observe
from twin.slots import quarter_hours, total

disorders = st.integers(0, 2**32).map(Random)
"""From a seed: a day has more events than Hypothesis likes to shuffle by itself."""

DAYS = (date(2026, 3, 29), date(2026, 10, 25))


@cache
def records_of(day):
    return stored(events_of_day(day))


@cache
def expected_of(day):
    return projection_of(records_of(day)).digest()


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_day_speaks_every_format_the_street_knows(day):
    formats = {event.format for event in events_of_day(day)}
    assert formats >= {"ocpp", "taf7"}
    assert formats <= {name for entry in INTERFACES.values() for name in entry.formats}
    projection = projection_of(records_of(day))
    assert len(projection.twins) > 50
    assert len(projection.edges().slot_us) > 4 * len(day_slots(day))


@given(st.sampled_from(DAYS), disorders, st.integers(1, 4), st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_any_shuffle_duplication_split_and_assignment_gives_the_same_digest(day, random, workers, batches):
    records = records_of(day)
    said = [*records, *random.choices(records, k=len(records) // 10)]
    random.shuffle(said)
    memories = [Names() for _ in range(workers)]
    projection = Projection()
    for _ in range(batches):
        share, said = said[: len(said) // batches + 1], said[len(said) // batches + 1 :]
        projection.apply(batch_of(share, random.choice(memories)).merge())
    projection.apply(batch_of(said, random.choice(memories)).merge())
    assert projection.digest() == expected_of(day)


@given(disorders)
@settings(max_examples=4, deadline=None)
def test_parts_merged_apart_and_then_together_give_the_same_digest(random):
    """As when a replay of each hour is merged, or two twins of the same street are."""
    records = list(records_of(DAYS[0]))
    random.shuffle(records)
    third = len(records) // 3
    parts = [projection_of(records[at : at + third + third // 4]) for at in (0, third, 2 * third)]
    parts[2].apply(projection_of(records[2 * third :]).merged())
    together = Projection()
    for part in random.sample(parts, 3):
        together.apply(part.merged())
    assert together.digest() == expected_of(DAYS[0])


def numbers_in(value):
    if isinstance(value, dict):
        yield from (number for inner in value.values() for number in numbers_in(inner))
    elif isinstance(value, (list, tuple)):
        yield from (number for inner in value for number in numbers_in(inner))
    elif isinstance(value, (int, float, Decimal)):
        yield value


def test_no_payload_and_no_fact_of_the_day_holds_a_float():
    facts = Facts()
    for event in events_of_day(DAYS[0]):
        assert not [number for number in numbers_in(event.payload) if isinstance(number, float)], event.type
        observe(event, facts)
    assert not [fact for fact in facts.all() for number in numbers_in(fact) if isinstance(number, float)]
    assert all(type(reading.value_mwh) is int and reading.value_mwh >= 0 for reading in facts.readings)
    assert all(type(sample.power_mw) is int for sample in facts.samples)
    assert all(slot.unit != "mWh" or type(slot.value) is int for slot in facts.slot_values)


def edges_by_register(day):
    projection = projection_of(records_of(day))
    found = {}
    rows = zip(*(column.tolist() for column in projection.edges()), strict=True)
    for identity, *row in rows:
        point, device, obis, direction, quality, document, digits = projection.registers[identity]
        register = Register(point, device, obis, direction, QUALITIES[quality], document, digits)
        found.setdefault(register, []).append(Edge(register, *row))
    return found


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_quarter_hours_of_each_register_add_up_to_its_last_reading_minus_its_first(day):
    registers = edges_by_register(day)
    slots = range(day_slots(day)[0] - 3_600_000_000, day_slots(day)[-1] + 3_600_000_000 * 2, day_slots(day).step)
    compared = 0
    for edges in registers.values():
        readings = [(edge.first_us, edge.first_mwh) for edge in edges] + [
            (edge.last_us, edge.last_mwh) for edge in edges
        ]
        quarters = quarter_hours(edges, slots)
        if all(quarter.value_mwh is not None or not quarter.flags for quarter in quarters):
            assert total(quarters)[0] == max(readings)[1] - min(readings)[1], edges[0].register
            compared += max(readings)[1] > min(readings)[1]
    assert compared >= 3


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_best_quality_that_any_family_of_registers_has_is_the_one_that_counts(day):
    for point, edges in by_point(edges_by_register(day)).items():
        families = {}
        for edge in edges:
            register = edge.register
            key = (register.direction, not register.document, register.quality == INDICATIVE)
            families.setdefault(key, []).append(edge)
        alone = {}
        for (direction, *_), family in families.items():
            for quarter in quarter_hours(family, day_slots(day)):
                alone.setdefault((direction, quarter.slot_us), []).append(quarter)
        for quarter in quarter_hours(edges, day_slots(day)):
            rank = min(QUALITIES.index(other.quality) for other in alone[quarter.direction, quarter.slot_us])
            said = {
                other.value_mwh
                for other in alone[quarter.direction, quarter.slot_us]
                if other.quality == QUALITIES[rank]
            }
            assert (quarter.quality, quarter.value_mwh in said) == (QUALITIES[rank], True), (point, quarter)
            assert (quarter.value_mwh is None) == (quarter.quality == MISSING)


def by_point(registers):
    points = {}
    for register, edges in registers.items():
        points.setdefault(register.point, []).extend(edges)
    return points
