"""Order, duplicates and batches do not matter."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.facts import Observation, Reading, Sample
from tests.fact_strategies import events
from twin.merge.batch import Batch, Names
from twin.merge.projection import Projection


def merged_of(said, names):
    batch = Batch(names)
    for identity, position, facts in said:
        for fact in facts:
            if isinstance(fact, Reading):
                batch.facts.readings.append(fact)
            elif isinstance(fact, Observation):
                batch.facts.observations.append(fact)
            elif isinstance(fact, Sample):
                batch.facts.samples.append(fact)
            else:
                batch.facts.slot_values.append(fact)
        batch.close_event(identity, position)
    return batch.merge()


def projection_of(*batches):
    projection, names = Projection(), Names()
    for said in batches:
        projection.apply(merged_of(said, names))
    return projection


@given(events, st.randoms())
@settings(max_examples=150)
def test_any_order_duplication_and_split_gives_the_same_tables(said, random):
    shuffled = said + random.choices(said, k=4) if said else []
    random.shuffle(shuffled)
    cut = random.randint(0, len(shuffled))
    expected = projection_of(said)
    assert list(projection_of(shuffled[:cut], shuffled[cut:]).lines()) == list(expected.lines())
    assert projection_of(*[[one] for one in shuffled]).digest() == expected.digest()


@given(events)
@settings(max_examples=50)
def test_merging_a_projection_again_changes_nothing(said):
    once = projection_of(said)
    twice = projection_of(said)
    twice.apply(once.merged())
    assert twice.digest() == once.digest()
    assert twice.merged().slot_values == once.merged().slot_values


@given(events, st.randoms())
@settings(max_examples=50)
def test_positions_are_order_free_too(said, random):
    shuffled = list(said)
    random.shuffle(shuffled)
    one, other = projection_of(said).merged(), projection_of(shuffled).merged()
    assert [column.tolist() for column in one.edges] == [column.tolist() for column in other.edges]
    assert list(one.twins.rows()) == list(other.twins.rows())
