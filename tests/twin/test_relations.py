"""Relations are a function of what was stated, whatever its order; what was stated last of either end holds."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.actors.relations import ENDS, MEMBERS, Statement, edges, kinds_without_inverse, matters, partners


def told(*rows):
    return [Statement(actor, attribute, value, time_us, f"{time_us:032x}") for actor, attribute, value, time_us in rows]


def pairs(statements):
    return {(edge.left, edge.relation, edge.right): edge.since_us for edge in edges(statements)}


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


def test_the_message_that_ends_a_transaction_names_its_token_for_the_last_time():
    said = told(("evse:A", "id_token", "T", 2), ("evse:A", "id_token", "T", 5), ("evse:A", "session_end", "5", 5))
    assert pairs(said) == {}


def test_one_of_several_ends_by_itself():
    said = told(("smgw:G", "melo/L1", "L1", 1), ("smgw:G", "melo/L2", "L2", 1), ("smgw:G", "melo/L1", None, 4))
    assert pairs(said) == {("smgw:G", "melo/L2", "melo:L2"): 1}


STATEMENTS = st.lists(
    st.builds(
        lambda row, at_us: told((*row, at_us))[0],
        st.sampled_from(
            [
                ("evse:A", "ev_id", "X"),
                ("evse:A", "ev_id", "Y"),
                ("evse:A", "ev_connected", False),
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
