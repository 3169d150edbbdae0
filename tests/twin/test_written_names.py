"""Names that the database has are not brought again, unless there is more to say of them."""

from schemas.facts import Observation, Reading
from twin.merge.batch import Batch, Names

POWER = Observation("meter:m", "power", 7, "W", 60_000_000)


def reading(digits=0):
    return Reading("melo", "m", "1-0:1.8.0", "import", 60_000_000, 5_000, "measured", "", digits)


def merged(names, *facts):
    batch = Batch(names)
    for fact in facts:
        (batch.facts.readings if isinstance(fact, Reading) else batch.facts.observations).append(fact)
    batch.close_event("00" * 16, 1)
    return batch.merge()


def test_a_name_is_brought_until_it_is_written():
    names = Names()
    first, second = merged(names, reading(), POWER), merged(names, reading(), POWER)
    assert len(first.registers) == len(first.signals) == 1
    assert (second.registers, second.signals) == (first.registers, first.signals)
    names.written.add(first)
    third = merged(names, reading(), POWER)
    assert (third.registers, third.signals) == ({}, {})
    assert (len(third.edges.slot_us), len(third.twins.value)) == (1, 1)


def test_a_wider_register_is_brought_again():
    names = Names()
    names.written.add(merged(names, reading(digits=6)))
    assert merged(names, reading(digits=6), reading()).registers == {}
    (wider,) = merged(names, reading(digits=8), reading(digits=7)).registers.values()
    assert wider[-1] == 8
