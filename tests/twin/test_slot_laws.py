from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.facts import INDICATIVE, MEASURED, MISSING, QUALITIES, SUBSTITUTE, Reading, SlotValue
from schemas.time import HOUR_US, MINUTE_US, SECOND_US, SLOT_US, parse_time, slot_of
from twin.slots import RULES, QuarterHour, Rules, best_of, quarter_hours, total

START_US = parse_time("2026-03-29T00:00:00Z")
KWH = 1_000_000
DIGITS = 5

# at most 60 kWh in 24 steps, so that all of them in one slot are still plausible
steps = st.lists(
    st.tuples(st.integers(1, 2 * HOUR_US), st.integers(0, 2_500_000)),
    min_size=1,
    max_size=12,
)


def reading(time_us, value_mwh, *, quality=MEASURED, document="", digits=0, device="M"):
    return Reading("P", device, "1-0:1.8.0", "import", time_us, value_mwh, quality, document, digits)


def span_of(readings):
    times = [r.time_us for r in readings]
    return range(slot_of(min(times)), slot_of(max(times)) + SLOT_US, SLOT_US)


def series(first_us, first_mwh, steps, **more):
    times = accumulate((step for step, _ in steps), initial=first_us)
    values = accumulate((energy for _, energy in steps), initial=first_mwh)
    return [reading(time_us, value, **more) for time_us, value in zip(times, values, strict=True)]


@given(st.integers(0, SLOT_US - 1), st.integers(0, 10**6 * KWH), steps)
@settings(max_examples=200, deadline=None)
def test_slots_add_up_to_the_last_reading_minus_the_first(edges_of, offset_us, first_mwh, steps):
    readings = series(START_US + offset_us, first_mwh, steps)
    found = quarter_hours(edges_of(readings), span_of(readings))
    assert total(found)[0] == readings[-1].value_mwh - readings[0].value_mwh


@given(st.integers(0, SLOT_US - 1), st.integers((10**DIGITS - 20) * KWH, 10**DIGITS * KWH - 1), steps)
@settings(max_examples=200, deadline=None)
def test_slots_add_up_through_rollovers_too(edges_of, offset_us, first_mwh, steps):
    readings = series(START_US + offset_us, first_mwh, steps)
    shown = [r._replace(value_mwh=r.value_mwh % (10**DIGITS * KWH), digits=DIGITS) for r in readings]
    found = quarter_hours(edges_of(shown), span_of(shown))
    assert total(found)[0] == readings[-1].value_mwh - readings[0].value_mwh


@given(st.integers(0, SLOT_US - 1), steps, steps)
@settings(max_examples=100, deadline=None)
def test_an_exchange_adds_what_both_meters_counted(edges_of, offset_us, before, after):
    old = series(START_US + offset_us, 700 * KWH, before, device="OLD")
    new = series(old[-1].time_us + MINUTE_US, 0, after, device="NEW")
    found = quarter_hours(edges_of(old + new), span_of(old + new))
    assert total(found)[0] == old[-1].value_mwh - old[0].value_mwh + new[-1].value_mwh


@given(
    st.lists(
        st.tuples(st.integers(0, 4 * HOUR_US), st.integers(0, 9 * KWH), st.sampled_from(QUALITIES[:5])), max_size=12
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_the_readings_a_quarter_hour_has_a_value_or_is_missing(edges_of, claims):
    readings = [reading(START_US + at, value, quality=quality) for at, value, quality in claims]
    for quarter in quarter_hours(edges_of(readings), range(START_US, START_US + 5 * HOUR_US, SLOT_US)):
        assert (quarter.value_mwh is None) == (quarter.quality == MISSING)
        assert quarter.value_mwh is None or 0 <= quarter.value_mwh <= 69 * KWH


@given(st.integers(0, SLOT_US - 1), steps, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_edges_does_not_matter(edges_of, offset_us, steps, random):
    readings = series(START_US + offset_us, 0, steps) + series(START_US, 5, steps, quality=INDICATIVE)
    edges = edges_of(readings)
    shuffled = random.sample(edges, len(edges))
    assert quarter_hours(shuffled, span_of(readings)) == quarter_hours(edges, span_of(readings))


@pytest.mark.parametrize("cancelled", ["2026-04-01T00:00:00Z|9900|X2", "9900|X2"])
def test_a_cancelled_document_is_left_out(edges_of, cancelled):
    first, second = "2026-03-30T00:00:00Z|9900|X1", "2026-04-01T00:00:00Z|9900|X2"
    readings = [reading(START_US + n * SLOT_US, n * 10, document=first) for n in (0, 1)]
    readings += [reading(START_US + n * SLOT_US, n * 11, document=second) for n in (0, 1)]
    slots = range(START_US, START_US + 1, SLOT_US)
    assert total(quarter_hours(edges_of(readings), slots))[0] == 11
    assert total(quarter_hours(edges_of(readings), slots, cancelled={cancelled}))[0] == 10


def test_a_cancelled_version_of_a_market_value_is_left_out():
    old, new = "2026-03-30T00:00:00Z|9900|X1", "2026-04-01T00:00:00Z|9900|X2"
    values = [SlotValue("energy.import", "P", START_US, n, "mWh", MEASURED, v) for n, v in ((1, old), (2, new))]
    assert [q.value_mwh for q in best_of([], values)] == [2]
    assert [q.value_mwh for q in best_of([], values, cancelled={"9900|X2"})] == [1]


def test_a_missing_market_value_gives_way_to_any_register_and_keeps_no_number():
    value = SlotValue("energy.import", "P", START_US, 7, "mWh", MISSING, "2026-04-01T00:00:00Z|9900|X1")
    own = QuarterHour("P", "import", START_US, 5, INDICATIVE)
    assert [q.value_mwh for q in best_of([own], [value])] == [5]
    assert [(q.value_mwh, q.quality) for q in best_of([], [value])] == [(None, MISSING)]


def test_a_refused_register_stays_visible_behind_the_market_value():
    own = QuarterHour("P", "import", START_US, None, MISSING, flags=("implausible",))
    value = SlotValue("energy.import", "P", START_US, 7, "mWh", MEASURED, "2026-04-01T00:00:00Z|9900|X1")
    assert [(q.value_mwh, q.flags) for q in best_of([own], [value])] == [(7, ("implausible",))]


def test_slots_nobody_speaks_of_are_listed_as_missing_when_asked_for():
    value = SlotValue("energy.export", "P", START_US, 7, "mWh", SUBSTITUTE, "2026-04-01T00:00:00Z|9900|X1")
    found = best_of([], [value], slots=range(START_US, START_US + HOUR_US, SLOT_US))
    assert total(found) == (7, 1, 4)


def test_a_quarter_hour_names_its_readings_events_and_rules(edges_of):
    readings = series(START_US + 5 * MINUTE_US, 0, [(SLOT_US, 30), (SLOT_US, 60)])
    quarter = quarter_hours(edges_of(readings), range(START_US + SLOT_US, START_US + 2 * SLOT_US, SLOT_US))[0]
    assert [r.value_mwh for r in quarter.start] == [0, 30]
    assert [r.value_mwh for r in quarter.end] == [30, 90]
    assert (quarter.positions, quarter.rules) == ((1, 2, 3), "slots/2026-10")


def test_other_rules_leave_their_name_and_their_mark(edges_of):
    readings = [reading(START_US + 30 * SECOND_US, 0), reading(START_US + SLOT_US, 50)]
    lenient = Rules(version="trial/1", on_edge_tolerance_us=MINUTE_US)
    slots = range(START_US, START_US + 1, SLOT_US)
    found = [quarter_hours(edges_of(readings), slots, rules=rules)[0] for rules in (RULES, lenient)]
    assert [(q.quality, q.rules) for q in found] == [("interpolated", "slots/2026-10"), ("measured", "trial/1")]


def test_no_edges_are_no_quarter_hours():
    assert quarter_hours([], range(START_US, START_US + HOUR_US, SLOT_US)) == []
