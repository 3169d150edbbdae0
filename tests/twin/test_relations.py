"""Relations are a function of what was stated, whatever its order; what was stated last of either end holds."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import HOUR_US
from twin.actors.relations import ENDS, MEMBERS, Statement, edges, kinds_without_inverse, matters, partners


def told(*rows):
    """Statements, each with the hour in which it was made."""
    return [
        Statement(actor, attribute, value, round(hour * HOUR_US), f"{round(hour * HOUR_US):032x}")
        for actor, attribute, value, hour in rows
    ]


def pairs(statements):
    return {(edge.left, edge.relation, edge.right): edge.since_us / HOUR_US for edge in edges(statements)}


def test_what_was_said_again_holds_since_it_was_said_first():
    said = told(("bev:X", "evse", "A", 1), ("bev:X", "evse", "B", 2), ("bev:X", "evse", "B", 5))
    assert pairs(said) == {("bev:X", "evse", "evse:B"): 2}


def test_what_was_said_anew_after_something_else_holds_since_then():
    said = told(("bev:X", "evse", "B", 1), ("bev:X", "evse", "A", 2), ("bev:X", "evse", "B", 3))
    assert pairs(said) == {("bev:X", "evse", "evse:B"): 3}


def test_a_meter_that_was_exchanged_measures_no_longer():
    said = told(
        ("melo:L", "meters", "M1", 1),
        ("meter:M1", "melo", "L", 1),
        ("melo:L", "meters", "M2", 7),
        ("meter:M2", "melo", "L", 7),
    )
    assert pairs(said) == {("melo:L", "meters", "meter:M2"): 7, ("meter:M2", "melo", "melo:L"): 7}


def test_who_names_only_one_of_several_contradicts_nobody():
    said = told(("melo:L", "meters", "M1 M2", 1), ("meter:M1", "melo", "L", 1), ("melo:L", "meter", "M2", 9))
    assert pairs(said)["meter:M1", "melo", "melo:L"] == 1


@pytest.mark.parametrize(
    ("ending", "holds"),
    [(("ev_connected", False, 3), False), (("ev_connected", True, 3), True), (("ev_connected", False, 1), True)],
)
def test_a_car_is_there_until_its_wallbox_says_that_none_is(ending, holds):
    attribute, value, at_us = ending
    said = told(("evse:A", "ev_id", "X", 2), ("bev:X", "evse", "A", 2), ("evse:A", attribute, value, at_us))
    assert pairs(said) == ({("evse:A", "ev_id", "bev:X"): 2, ("bev:X", "evse", "evse:A"): 2} if holds else {})


@pytest.mark.parametrize("who", [("bev:X", "evse", "A"), ("evse:A", "ev_id", "X")])
def test_a_car_that_comes_back_is_there_since_it_came_back(who):
    there = told(("evse:A", "same_as", "Box", 0), ("bev:X", "evse", "A", 1), ("evse:A", "ev_id", "X", 1))
    gone = told(("evse:Box", "ev_connected", False, 4))
    assert ("bev:X", "evse", "evse:A") not in pairs([*there, *gone])
    assert pairs([*there, *gone, *told((*who, 6))])["bev:X", "evse", "evse:A"] == 6


def test_that_a_wallbox_is_free_says_nothing_of_a_car_that_went_elsewhere():
    said = told(("bev:X", "evse", "A", 1), ("bev:X", "evse", "B", 3), ("evse:A", "ev_connected", False, 4))
    assert pairs([*said, *told(("bev:X", "evse", "B", 5))]) == {("bev:X", "evse", "evse:B"): 3}


def test_the_message_that_ends_a_transaction_names_its_token_for_the_last_time():
    said = told(("evse:A", "id_token", "T", 2), ("evse:A", "id_token", "T", 5), ("evse:A", "session_end", "5", 5))
    assert pairs(said) == {}


def test_one_of_several_ends_by_itself():
    said = told(("smgw:G", "melo/L1", "L1", 1), ("smgw:G", "melo/L2", "L2", 1), ("smgw:G", "melo/L1", None, 4))
    assert pairs(said) == {("smgw:G", "melo/L2", "melo:L2"): 1}


SOON = 30 / 3600
ONE_SESSION = told(
    ("evse:Box", "ev_id", "X", 1),
    ("bev:X", "evse", "Box", 1),
    ("evse:E1", "ev_id", "X", 1 + SOON),
    ("bev:X", "evse", "E1", 1 + SOON),
)
"""A car that speaks ISO 15118 at E1, of which the wallbox Box says over EEBUS that it is plugged in."""


def test_a_common_session_ties_the_names_of_an_evse_together():
    found = pairs(ONE_SESSION)
    assert found["evse:Box", "same_as", "evse:E1"] == found["evse:E1", "same_as", "evse:Box"] == 1 + SOON
    assert found["evse:Box", "ev_id", "bev:X"] == 1, "what one name says does not contradict the other"
    assert found["evse:E1", "ev_id", "bev:X"] == 1 + SOON
    assert found["bev:X", "evse", "evse:E1"] == 1, "it is at that EVSE since the first of its names was said"


def test_a_car_that_drives_from_one_evse_to_another_ties_nothing():
    said = told(("bev:X", "evse", "Box", 1), ("bev:X", "evse", "E1", 1 + 61 / 3600))
    assert pairs(said) == {("bev:X", "evse", "evse:E1"): 1 + 61 / 3600}


@pytest.mark.parametrize("names", [ONE_SESSION, told(("evse:E1", "same_as", "Box Other", 0))])
def test_a_car_that_is_gone_by_one_name_of_the_evse_is_gone_by_all(names):
    plugged = told(("evse:E1", "ev_id", "X", 1 + SOON), ("bev:X", "evse", "E1", 1 + SOON))
    found = pairs([*names, *plugged, *told(("evse:Box", "ev_connected", False, 4))])
    assert {relation for _, relation, _ in found} == {"same_as"}


STATEMENTS = st.lists(
    st.builds(
        lambda row, at_us: told((*row, at_us))[0],
        st.sampled_from(
            [
                ("evse:A", "ev_id", "X"),
                ("evse:A", "ev_id", "Y"),
                ("evse:A", "ev_connected", False),
                ("evse:B", "ev_id", "X"),
                ("evse:A", "same_as", "B"),
                ("bev:X", "evse", "A"),
                ("bev:X", "evse", "B"),
                ("melo:L", "meters", "M1 M2"),
                ("melo:L", "meters", None),
                ("meter:M1", "melo", "L"),
            ]
        ),
        st.integers(1, 6),
    ),
    max_size=12,
)


@given(STATEMENTS, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_order_and_repetition_do_not_matter(statements, chance: random.Random):
    shuffled = [*statements, *statements[:3]]
    chance.shuffle(shuffled)
    assert edges(shuffled) == edges(statements)


def test_members_of_a_site_are_found_from_either_end():
    assert kinds_without_inverse() == set()


def test_what_ends_a_relation_is_read_with_it():
    for (kind, attribute), endings in ENDS.items():
        assert kind in MEMBERS
        assert partners(f"{kind}:A", attribute, "B")
        assert all(matters(f"{kind}:A", ending) for ending, _ in endings)
    assert not matters("evse:A", "power")
