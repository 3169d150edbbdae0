"""A message says what it changes of registers and quarter hours, as the tables would hold them before and after it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.history import Readings
from schemas.facts import INDICATIVE, MEASURED, PRELIMINARY, Facts, Reading, SlotValue
from schemas.time import MINUTE_US, SLOT_US, parse_time
from twin.quarters_told import QuartersTold, told_of_slots
from twin.slots import quarter_hours
from twin.slots.rules import PARTIAL

NOON_US = parse_time("2026-03-29T12:00:00Z")
POINT = "GS-1/1"


def read(minute, value_mwh, *, point=POINT, quality=MEASURED, document=""):
    time_us = NOON_US + round(minute * MINUTE_US)
    return Reading(point, "1EMH1", "1-0:1.8.0", "import", time_us, value_mwh, quality, document)


def limit(slot, value_mw, version):
    return SlotValue("limit.14a", POINT, NOON_US + slot * SLOT_US, value_mw, "mW", MEASURED, version)


def energy(slot, value_mwh, version, quality=MEASURED):
    return SlotValue("energy.import", POINT, NOON_US + slot * SLOT_US, value_mwh, "mWh", quality, version)


def told(*messages, known=None):
    """Changes of each message, readings or slot values, in order."""
    said = [
        Facts(
            readings=[one for one in message if isinstance(one, Reading)],
            slot_values=[one for one in message if isinstance(one, SlotValue)],
        )
        for message in messages
    ]
    quarters, asked = known or QuartersTold({POINT}), told_of_slots(said)
    return [(quarters.registers(facts), quarters.slots(facts, place, asked)) for place, facts in enumerate(said)]


def registers(changes):
    return [(change.before_mwh, change.after_mwh) for change in changes[0]]


def slots(changes):
    return {(change.slot_us - NOON_US) // SLOT_US: (change.before, change.after) for change in changes[1]}


def test_a_reading_says_what_the_register_stood_at_before_it():
    first, second, same = told([read(0, 100)], [read(15, 250)], [read(30, 250)])
    assert registers(first) == [(None, 100)]
    assert registers(second) == [(100, 250)]
    assert registers(same) == [], "nothing flowed: the register did not change"


def test_a_late_reading_is_held_against_the_one_before_it_in_time():
    _, _, late = told([read(0, 100)], [read(30, 400)], [read(15, 250)])
    assert registers(late) == [(100, 250)]


def test_a_quarter_hour_has_a_value_when_its_end_is_read_and_another_one_when_a_late_reading_comes():
    first, second, late = told([read(0, 100)], [read(30, 400)], [read(15, 200)])
    assert slots(first) == {}
    assert slots(second) == {0: (None, 150), 1: (None, 150)}
    assert slots(late) == {0: (150, 100), 1: (150, 200)}
    assert [change.quality for change in late[1]] == [MEASURED, MEASURED]


def test_a_quarter_hour_that_goes_on_has_no_value_but_at_the_end_of_the_story():
    minutes = told(*([read(minute, 100 + minute)] for minute in range(38)))
    changed = {place: slots(changes) for place, changes in enumerate(minutes) if slots(changes)}
    assert changed == {15: {0: (None, 15)}, 30: {1: (None, 15)}, 37: {2: (None, 7)}}
    assert minutes[37][1][0].flags == (PARTIAL,)
    assert all(registers(changes) for changes in minutes)


def test_what_was_told_in_the_end_is_what_the_tables_hold():
    readings = [read(minute, 1000 + minute * minute) for minute in (0, 7, 15, 21, 44.9, 60, 75)]
    known = QuartersTold({POINT})
    found = {}
    for changes in told(*([one] for one in [*readings[3:], *readings[:3]]), known=known):
        found |= {slot: after for slot, (_, after) in slots(changes).items()}
    edges = known._edges[POINT, "import"].values()
    held = quarter_hours(edges, range(NOON_US, NOON_US + 5 * SLOT_US, SLOT_US))
    assert found == {number: quarter.value_mwh for number, quarter in enumerate(held)}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40), st.integers(100, 104), st.sampled_from([MEASURED, INDICATIVE]), st.integers(1, 9)
        ),
        max_size=30,
    )
)
def test_readings_told_one_by_one_are_the_edges_that_a_batch_of_them_is(claims):
    readings = [(read(minute, value, quality=quality), position) for minute, value, quality, position in claims]
    known = QuartersTold({POINT})
    for reading, position in readings:
        known.slots(Facts(readings=[reading]), position, {})
    together = Readings()
    for reading, position in readings:
        together.take(reading, position)
    held = known._edges[POINT, "import"].values()
    assert sorted(map(repr, held)) == sorted(map(repr, together.edges()))


def test_a_correction_of_the_market_changes_the_quarter_hour():
    first, better, older = told(
        [energy(0, 500, "2026-03-30|M|1", PRELIMINARY)],
        [energy(0, 510, "2026-03-31|M|2")],
        [energy(0, 490, "2026-03-29|M|0")],
    )
    assert slots(first) == {0: (None, 500)}
    assert slots(better) == {0: (500, 510)}
    assert slots(older) == {}, "an older document that comes last changes nothing"


def test_a_limit_has_the_value_of_its_highest_version():
    ordered, lower, older = told([limit(0, 8_400_000, "2")], [limit(0, 4_200_000, "3")], [limit(0, 1, "1")])
    assert slots(ordered) == {0: (None, 8_400_000)}
    assert slots(lower) == {0: (8_400_000, 4_200_000)}
    assert slots(older) == {}


@pytest.mark.parametrize("quality", [MEASURED, INDICATIVE])
def test_what_was_known_before_is_where_it_begins(quality):
    before = QuartersTold({POINT})
    told([read(0, 100, quality=quality)], known=before)
    known = QuartersTold({POINT}, before._edges[POINT, "import"].values(), [limit(0, Decimal(5), "1")])
    said = told([read(15, 130, quality=quality), limit(0, Decimal(7), "2")], known=known)
    assert registers(said[0]) == [(100, 130)]
    assert {(change.series, change.before, change.after) for change in said[0][1]} == {
        ("energy.import", None, 30),
        ("limit.14a", 5, 7),
    }


def test_what_is_said_of_others_is_passed_over():
    [found] = told([read(0, 100, point="OTHER"), limit(0, 5, "1")._replace(object="OTHER")])
    assert found == ([], [])
