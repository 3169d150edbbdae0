"""The evidence of an event under section 14a: from when until when, how high, what was owed, what was drawn."""

import random

import pytest

from schemas.facts import INDICATIVE, MEASURED, SlotValue
from schemas.time import MINUTE_US, SECOND_US, SLOT_US, format_time, parse_time
from twin.settlement.section_14a import Guarantee, events_of

NOON_US = parse_time("2026-03-29T12:00:00Z")
OWED = Guarantee(4_200_000, 1)


def ceiling(slot, watts, *, at=-300, thing="C1", series="limit.14a", order="o1"):
    quality = INDICATIVE if series.endswith("requested") else MEASURED
    said = f"{format_time(NOON_US + at * SECOND_US)}|{order}"
    return SlotValue(series, thing, NOON_US + slot * SLOT_US, watts * 1000, "mW", quality, said)


def drawn(watts, *minutes, second=0):
    return [(NOON_US + minute * MINUTE_US + second * SECOND_US, watts * 1000) for minute in minutes]


def event(in_force, *, ordered=(), limited=(), samples=(), owed=OWED):
    [found] = events_of(in_force, ordered, limited, samples, lambda _: owed)
    return found


HALF_AN_HOUR = [ceiling(0, 4200), ceiling(1, 4200)]


def test_quarter_hours_that_follow_each_other_are_one_event():
    far = [ceiling(5, 6000, order="o2")]
    first, second = events_of([*far, *HALF_AN_HOUR], [], [], [], lambda _: OWED)
    assert ((first.from_us - NOON_US) // SLOT_US, (first.until_us - NOON_US) // SLOT_US) == (0, 2)
    assert (second.ceiling_mw, second.origins) == (6_000_000, (("C1", "o2"),))


def test_it_was_received_with_the_first_order_and_held_while_the_system_was_limited():
    asked = [ceiling(0, 4200, at=-600, series="limit.14a.requested", thing="CLS")]
    limited = [(NOON_US + SECOND_US, NOON_US + SLOT_US), (NOON_US + 9 * SLOT_US, NOON_US + 10 * SLOT_US)]
    found = event(HALF_AN_HOUR, ordered=asked, limited=limited)
    assert found.received_us == NOON_US - 600 * SECOND_US
    assert (found.effective_us, found.released_us) == limited[0]
    assert found.origins == (("C1", "o1"), ("CLS", "o1"))
    unsaid = event(HALF_AN_HOUR)
    assert (unsaid.effective_us, unsaid.released_us) == (None, None)


def test_an_order_that_was_never_confirmed_is_an_event_too():
    found = event([], ordered=[ceiling(0, 4200, series="limit.14a.requested")])
    assert (found.ceiling_mw, found.effective_us) == (4_200_000, None)


def test_of_several_versions_the_latest_counts_and_of_several_objects_the_lowest():
    values = [ceiling(0, 3000, at=-900), ceiling(0, 8000), ceiling(0, 5000, thing="HEMS")]
    assert event(values).ceiling_mw == 5_000_000


@pytest.mark.parametrize(
    ("owed", "breach"), [(Guarantee(4_200_000, 1), False), (Guarantee(4_200_001, 1), True), (None, None)]
)
def test_less_than_is_guaranteed_is_a_breach(owed, breach):
    assert event(HALF_AN_HOUR, owed=owed).is_breach is breach


@pytest.mark.parametrize(
    ("samples", "verdicts", "verdict"),
    [
        (drawn(4200, *range(30)), ["kept", "kept"], "kept"),
        (drawn(-9000, *range(30)), ["kept", "kept"], "kept"),
        (drawn(4200, *range(30)) + drawn(4201, 20), ["kept", "not shown"], "not shown"),
        (drawn(4200, *range(29)), ["kept", "unmeasured"], "unmeasured"),
        (drawn(4200, *range(-1, 29), second=56), ["kept", "kept"], "kept"),
        (drawn(4200, *range(30)) + drawn(9000, 30, second=-8), ["kept", "kept"], "kept"),
        ([], ["unmeasured", "unmeasured"], "unmeasured"),
    ],
)
def test_a_limit_is_kept_where_no_minute_drew_more(samples, verdicts, verdict):
    found = event(HALF_AN_HOUR, samples=samples)
    assert [quarter.verdict for quarter in found.quarters] == verdicts
    assert found.verdict == verdict


def test_what_was_drawn_before_says_whether_anything_had_to_change():
    assert event(HALF_AN_HOUR, samples=drawn(1000, -1)).already_below is True
    assert event(HALF_AN_HOUR, samples=drawn(5000, -1)).already_below is False
    assert event(HALF_AN_HOUR).already_below is None


def test_the_order_in_which_things_are_known_does_not_matter():
    values = [*HALF_AN_HOUR, ceiling(0, 3000, at=-900), ceiling(0, 5000, thing="HEMS"), ceiling(4, 1)]
    samples = drawn(4000, *range(30)) + drawn(4100, 3)
    expected = events_of(values, values[:2], [], samples, lambda _: OWED)
    chance = random.Random(1)
    for _ in range(20):
        chance.shuffle(values)
        chance.shuffle(samples)
        assert events_of(values, HALF_AN_HOUR, [], samples, lambda _: OWED) == expected
