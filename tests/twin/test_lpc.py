"""The state of a controllable system (LPC, LPP): every transition of the standard, in whatever order it is heard of."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.facts import Observation
from schemas.time import HOUR_US, SECOND_US, format_time, parse_time
from twin.actors.lpc import AUTONOMOUS, CONTROLLED, FAILSAFE, INIT, LIMITED, Limitation, state_at, state_now

NOON_US = parse_time("2026-03-29T12:00:00Z")


def at(second):
    return NOON_US + second * SECOND_US


def seen(attribute, value, second):
    return Observation("hems:A", attribute, value, "", at(second))


def beat(*seconds):
    return [seen("guard_heartbeat", format_time(at(second)), second) for second in seconds]


def limit(second, watts=4200, *, active=True, until=None, answer="accepted", use_case="lpc"):
    said = {} if answer == "rejected" else reported(watts, active, until)
    said |= {"_answer": answer} if answer else {}
    return [seen(f"{use_case}_limit{name}", value, second) for name, value in said.items()]


def reported(watts, active, until):
    return {"": watts, "_active": active, "_until": None if until is None else format_time(at(until))}


def failsafe(second=0, watts=3000, hours=2):
    return [seen("lpc_failsafe_limit", watts, second), seen("failsafe_duration", hours * 3600, second)]


def shown(story, second, **more):
    found = state_at(story, at(second), **more)
    since = None if found.since_us is None else (found.since_us - NOON_US) // SECOND_US
    return found.state, found.limit_w, since


RELEASED = limit(10, active=False)
IN_FAILSAFE = [*failsafe(), *beat(5), *limit(10)]  # from 125 on

TRANSITIONS = [
    ("nothing was heard", [], 0, (INIT, None, None)),
    ("first heard of", [*failsafe()], 5, (INIT, 3000, 0)),
    ("init: an active limit", [*failsafe(), *beat(5), *limit(10)], 10, (LIMITED, 4200, 10)),
    ("init: an inactive limit", [*failsafe(), *beat(5), *RELEASED], 10, (CONTROLLED, None, 10)),
    ("init: a rejected limit", [*failsafe(), *beat(5), *limit(10, answer="rejected")], 10, (INIT, 3000, 0)),
    ("init: no limit, just before", [*failsafe(), *beat(5, 65)], 119, (INIT, 3000, 0)),
    ("init: no limit", [*failsafe(), *beat(5, 65)], 120, (AUTONOMOUS, None, 120)),
    ("controlled: an active limit", [*beat(5), *RELEASED, *limit(20)], 20, (LIMITED, 4200, 20)),
    ("controlled: the guard falls silent", [*failsafe(), *beat(5), *RELEASED], 125, (FAILSAFE, 3000, 125)),
    ("limited: another limit", [*beat(5), *limit(10), *limit(20, 5000)], 20, (LIMITED, 5000, 10)),
    ("limited: released", [*beat(5), *limit(10), *limit(20, active=False)], 20, (CONTROLLED, None, 20)),
    ("limited: just before its end", [*beat(5), *limit(10, until=60)], 59, (LIMITED, 4200, 10)),
    ("limited: its end", [*beat(5), *limit(10, until=60)], 60, (CONTROLLED, None, 60)),
    ("limited: a limit that is over", [*beat(5), *limit(10, until=9)], 10, (CONTROLLED, None, 10)),
    ("limited: one heartbeat missing", [*beat(5, 124), *limit(10)], 126, (LIMITED, 4200, 10)),
    ("limited: the guard falls silent", IN_FAILSAFE, 125, (FAILSAFE, 3000, 125)),
    ("failsafe: heartbeats alone", [*IN_FAILSAFE, *beat(200)], 319, (FAILSAFE, 3000, 125)),
    ("failsafe: heartbeats without a limit", [*IN_FAILSAFE, *beat(200)], 320, (AUTONOMOUS, None, 320)),
    ("failsafe: an active limit", [*IN_FAILSAFE, *beat(200), *limit(210)], 210, (LIMITED, 4200, 210)),
    (
        "failsafe: an inactive limit",
        [*IN_FAILSAFE, *beat(200), *limit(210, active=False)],
        210,
        (CONTROLLED, None, 210),
    ),
    ("failsafe: a new failsafe limit", [*IN_FAILSAFE, *failsafe(200, 2000)], 200, (FAILSAFE, 2000, 125)),
    ("failsafe: just before its end", IN_FAILSAFE, 7324, (FAILSAFE, 3000, 125)),
    ("failsafe: its end", IN_FAILSAFE, 7325, (AUTONOMOUS, None, 7325)),
    ("failsafe: a longer minimum", [*IN_FAILSAFE, *failsafe(1, hours=24)], 86_524, (FAILSAFE, 3000, 125)),
    ("autonomous: silence is no matter", [*beat(5)], 10_000, (AUTONOMOUS, None, 125)),
    ("autonomous: an active limit", [*beat(5, 300), *limit(310)], 310, (LIMITED, 4200, 310)),
    ("autonomous: an inactive limit", [*beat(5, 300), *limit(310, active=False)], 310, (CONTROLLED, None, 310)),
    ("first heard of as limited", limit(10, answer=None), 10, (LIMITED, 4200, 10)),
    ("first heard of as limited, then silence", [*failsafe(), *limit(10, answer=None)], 130, (FAILSAFE, 3000, 130)),
    ("first heard of as not limited", [*failsafe(), *limit(10, active=False, answer=None)], 10, (INIT, 3000, 0)),
    ("reported: a limit that is over", [*failsafe(), *limit(10, until=9, answer=None)], 10, (INIT, 3000, 0)),
    ("reported: its end", [*beat(5), *limit(10, until=60, answer=None)], 60, (CONTROLLED, None, 60)),
    ("autonomous: reports a limit", [*beat(5, 300), *limit(310, answer=None)], 310, (LIMITED, 4200, 310)),
    ("controlled: reports a limit", [*beat(5), *RELEASED, *limit(20, answer=None)], 20, (LIMITED, 4200, 20)),
    (
        "limited: reports none",
        [*beat(5), *limit(10), *limit(20, active=False, answer=None)],
        20,
        (CONTROLLED, None, 20),
    ),
    ("failsafe: reports the old limit", [*IN_FAILSAFE, *limit(200, answer=None)], 210, (FAILSAFE, 3000, 125)),
    ("a restart", [*failsafe(), *beat(5), *limit(10), seen("started", format_time(at(50)), 60)], 60, (INIT, 3000, 50)),
    (
        "the same start, said again",
        [*beat(5), seen("started", format_time(at(0)), 1), *limit(10), seen("started", format_time(at(0) + 1), 60)],
        60,
        (LIMITED, 4200, 10),
    ),
]


@pytest.mark.parametrize(
    ("story", "second", "expected"), [row[1:] for row in TRANSITIONS], ids=[row[0] for row in TRANSITIONS]
)
def test_the_state_follows_the_standard(story, second, expected):
    assert shown(story, second) == expected


def test_consumption_and_production_are_limited_apart():
    story = [*beat(5), *limit(10, use_case="lpp"), *limit(10, active=False)]
    assert shown(story, 10)[0] == CONTROLLED
    assert shown(story, 10, use_case="lpp")[:2] == (LIMITED, 4200)


def test_a_system_that_limits_itself_is_no_section_14a_event():
    for second, state, event in (
        (0, INIT, False),
        (10, LIMITED, True),
        (125, FAILSAFE, False),
        (7325, AUTONOMOUS, False),
    ):
        found = state_at(IN_FAILSAFE, at(second))
        assert (found.state, found.is_section_14a) == (state, event)


def test_what_comes_later_changes_nothing_before():
    for second in range(0, 400, 7):
        known = [one for one in [*IN_FAILSAFE, *beat(200), *limit(210)] if one.time_us <= at(second)]
        assert state_at([*IN_FAILSAFE, *beat(200), *limit(210)], at(second)) == state_at(known, at(second))


seconds = st.integers(0, 600)
stories = st.lists(
    st.one_of(
        seconds.map(beat),
        st.builds(
            limit,
            seconds,
            st.sampled_from([4200, 6000]),
            active=st.booleans(),
            until=st.none() | seconds,
            answer=st.sampled_from(["accepted", "rejected", None]),
        ),
        st.builds(failsafe, seconds, st.sampled_from([3000, 2500]), st.integers(2, 3)),
        seconds.map(lambda second: [seen("started", format_time(at(second)), second + 3)]),
    ),
    max_size=8,
).map(lambda parts: [one for part in parts for one in part])


@given(stories, st.integers(0, 20_000), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_any_order_and_any_repetition_gives_the_same_state(story, second, random):
    other = [*story, *random.sample(story, len(story) // 2)]
    random.shuffle(other)
    assert state_at(other, at(second)) == state_at(story, at(second))
    assert state_now(other, at(second)) == state_now(story, at(second))


@given(stories, st.lists(st.integers(0, 20_000), min_size=2, max_size=6))
@settings(max_examples=200, deadline=None)
def test_states_follow_each_other_in_time(story, moments):
    states = [state_at(story, at(second)) for second in sorted(moments)]
    for second, state in zip(sorted(moments), states, strict=True):
        assert state.since_us is None or state.since_us <= at(second)
    for earlier, later in pairwise(states):
        assert earlier.since_us is None or earlier.since_us <= later.since_us


@given(
    st.lists(
        st.tuples(st.integers(1, 20), st.booleans(), st.none() | st.integers(1, 40)),
        min_size=1,
        max_size=4,
        unique_by=lambda one: one[0],
    ),
    st.integers(0, 1300),
)
@settings(max_examples=150, deadline=None)
def test_the_twin_alone_knows_the_state_where_heartbeats_never_broke_off(limits, second):
    """Its latest values give what the whole history gives."""
    story = [*failsafe(), *beat(*range(0, 1301, 60))]
    for minute, active, minutes in limits:
        story += limit(minute * 60 + 5, active=active, until=minutes and (minute + minutes) * 60)
    known = [one for one in story if one.time_us <= at(second)]
    twin = {one.attribute: one for one in sorted(known, key=lambda one: (one.time_us, str(one.value)))}
    found, whole = state_now(twin.values(), at(second)), state_at(story, at(second))
    assert (found.state, found.limit_w) == (whole.state, whole.limit_w)


def test_the_twin_alone_knows_what_was_only_reported():
    story = [*beat(*range(0, 1200, 60)), *limit(10, answer=None)]
    assert state_now(story, at(1200)) == state_at(story, at(1200)) == Limitation(LIMITED, 4200, at(10))
    later = [*story, *limit(300, answer="rejected")]
    assert state_now(later, at(1200)) == state_at(later, at(1200)) == Limitation(LIMITED, 4200, at(10))


def test_the_twin_alone_knows_failsafe_and_its_end():
    assert state_now(IN_FAILSAFE, at(126)) == Limitation(FAILSAFE, 3000, at(125))
    assert state_now(IN_FAILSAFE, at(125) + 2 * HOUR_US).state == AUTONOMOUS
    assert state_now([], NOON_US) == Limitation(INIT, None, None)
