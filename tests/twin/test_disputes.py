"""Disputes: the latest word holds, whoever says otherwise within the tolerance of the model's time is a runner-up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import SECOND_US
from twin.actors.disputes import Claim, disputes, may_be_disputed


def claim(interface, value, second=0, attribute="power", unit="W", actor="evse:A/1"):
    return Claim(actor, attribute, interface, value, unit, second * SECOND_US, f"{second:032x}", second)


def told(*claims):
    return [
        (one.winner.interface, one.winner.value, [(claim.interface, claim.value) for claim in one.runners_up])
        for one in disputes(claims)
    ]


@pytest.mark.parametrize(
    ("other", "disputed"),
    [
        (claim("3", 7000, 10), True),
        (claim("3", 10_900, 10), False),
        (claim("3", 7000, -80), False),
        (claim("3", 11_000, 10, unit="kW"), True),
        (claim("4", 7000, 10), False),
    ],
    ids=["far off", "within 2 %", "long before", "in another unit", "the same interface"],
)
def test_power_by_ocpp_and_by_eebus(other, disputed):
    said = told(claim("4", 11_000, 20), other)
    assert said == ([("4", 11_000, [("3", other.value)])] if disputed else [])


def test_another_name_of_the_same_device_counts():
    assert told(claim("4", 11_000, 20), claim("3", 0, 15, actor="evse:d:_n:X")) == [("4", 11_000, [("3", 0)])]


def test_what_is_stated_is_disputed_however_long_ago_it_was_said():
    old = claim("3", "A", -(10**6), attribute="serial_number", unit="")
    assert told(claim("4", "B", 1, attribute="serial_number", unit=""), old) == [("4", "B", [("3", "A")])]


def test_what_an_interface_said_before_is_no_other_opinion():
    assert told(claim("4", 11_000, 20), claim("3", 0, 5), claim("3", 11_000, 15)) == []


def test_only_what_several_interfaces_set_may_be_disputed():
    assert may_be_disputed("evse:A/1", "power")
    assert not may_be_disputed("evse:A/1", "ev_communication_standard")


@given(
    st.lists(st.builds(claim, st.sampled_from("345"), st.sampled_from([0, 11_000]), st.integers(0, 90)), max_size=8),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100)
def test_order_and_repetition_do_not_matter(claims, chance):
    unique = list({one.rank: one for one in claims}.values())
    shuffled = [*unique, *unique[:2]]
    chance.shuffle(shuffled)
    assert disputes(shuffled) == disputes(unique)


def test_another_name_of_the_same_device_is_no_other_opinion():
    by_cable = Claim("bev:X", "evse", "1", "DE*GGS*E1", "", 9, "a", 1)
    by_eebus = Claim("bev:X", "evse", "3", "Box", "", 5, "b", 2)
    assert [one.runners_up for one in disputes([by_cable, by_eebus])] == [(by_eebus,)]
    assert disputes([by_cable, by_eebus], {"evse:DE*GGS*E1": {"evse:Box", "evse:GS-1/1"}}) == []
    assert disputes([by_cable, by_eebus], {"evse:DE*GGS*E1": {"evse:GS-1/1"}}) != []
