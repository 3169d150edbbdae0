"""Facts of made-up events for the laws: few names and times, so that they meet often."""

from decimal import Decimal

from hypothesis import strategies as st

from schemas.facts import INDICATIVE, MEASURED, Observation, Reading, Sample, SlotValue
from schemas.time import MINUTE_US, SLOT_US

_START_US = 1_774_746_000_000_000
times = st.integers(0, 40).map(lambda n: _START_US + n * 5 * MINUTE_US + n % 3)
points = st.sampled_from(["1EMH0000000001", "DE0001", "CS1/1"])
qualities = st.sampled_from([MEASURED, INDICATIVE])

readings = st.builds(
    Reading,
    points,
    st.sampled_from(["meter-a", "meter-b"]),
    st.just("1-0:1.8.0"),
    st.sampled_from(["import", "export"]),
    times,
    st.integers(0, 10**6),
    qualities,
    st.sampled_from(["", "2026-04-01T00:00:00Z|9900|X1"]),
    st.sampled_from([0, 6]),
)
observations = st.builds(
    Observation,
    points,
    st.sampled_from(["power", "status"]),
    st.one_of(st.integers(-5, 5), st.sampled_from(["idle", "charging", True, None, Decimal("2.50"), Decimal("-0.0")])),
    st.sampled_from(["W", ""]),
    times,
)
samples = st.builds(Sample, points, st.integers(-(10**7), 10**7), times, qualities)
slot_values = st.builds(
    SlotValue,
    st.sampled_from(["energy.import", "price.day-ahead"]),
    points,
    times.map(lambda t: t - t % SLOT_US),
    st.one_of(st.integers(-12, 12), st.sampled_from([Decimal("1.0"), Decimal("-40.250")])),
    st.just("mWh"),
    qualities,
    st.sampled_from(["2026-04-01T00:00:00Z/A", "2026-04-02T00:00:00Z/B"]),
)


def _unambiguous(facts):
    """One event says one thing about an attribute at a time, as every observer does."""
    seen = {}
    for fact in facts:
        key = fact[:2] + fact[4:] if isinstance(fact, Observation) else fact
        seen.setdefault(key, fact)
    return list(seen.values())


said = st.lists(st.one_of(readings, observations, samples, slot_values), max_size=6).map(_unambiguous)
events = st.lists(said, max_size=12).map(
    lambda items: [(f"{number:032x}", number, facts) for number, facts in enumerate(items)]
)
"""Events as (id, position, facts)."""
