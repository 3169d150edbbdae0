"""Section 14a EnWG: the power that is guaranteed, by the numbers of the ruling."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.facts import Observation
from schemas.time import HOUR_US, SECOND_US, parse_time
from twin.actors.derived import DERIVED, derived, matters, may_follow
from twin.settlement.section_14a import RULES, Load, guaranteed, guaranteed_directly, guaranteed_one_by_one, loads_of

NOON_US = parse_time("2026-03-29T12:00:00Z")
WALLBOX = Load("wallbox", 11_000)


@pytest.mark.parametrize(
    ("loads", "power_mw"),
    [
        ("", 0),
        ("wallbox=11000", 4_200_000),
        ("wallbox=11000 battery=5000", 7_560_000),
        ("wallbox=11000 wallbox=22000 battery=5000", 10_500_000),
        ("heat-pump=20000 wallbox=11000 battery=5000", 14_300_000),
        ("heat-pump=11000 wallbox=11000", 7_560_000),
        ("heat-pump=6000 heat-pump=6000 wallbox=11000", 4_800_000 + 3_360_000),
        ("heat-pump=12000 cooling=15000", 6_000_000 + 3_360_000),
        (" ".join(["wallbox=11000"] * 9), 19_320_000),
        (" ".join(["wallbox=11000"] * 12), 4_200_000 + 11 * 1_890_000),
    ],
)
def test_the_power_owed_to_an_energy_manager(loads, power_mw):
    owed = guaranteed(loads_of(loads))
    assert (owed.power_mw, owed.rules) == (power_mw, RULES)


@pytest.mark.parametrize(("rating_w", "power_mw"), [(9_000, 4_200_000), (11_000, 4_200_000), (11_001, 4_400_400)])
def test_a_heat_pump_that_is_limited_by_itself_is_owed_a_share_of_its_rating(rating_w, power_mw):
    assert guaranteed_directly(Load("heat-pump", rating_w)).power_mw == power_mw
    assert guaranteed_directly(Load("wallbox", rating_w)).power_mw == 4_200_000


@pytest.mark.parametrize(
    ("loads", "ceiling_mw", "kept"),
    [
        ("wallbox=11000 battery=5000", 4_199_999, False),
        ("wallbox=11000 battery=5000", 4_200_000, True),
        ("wallbox=11000 heat-pump=20000", 4_199_999, False),
        ("wallbox=11000 heat-pump=20000", 4_200_000, None),
        ("wallbox=11000 heat-pump=20000", 8_000_000, True),
        ("heat-pump=20000", 7_999_999, False),
    ],
)
def test_of_loads_that_are_limited_one_by_one_each_is_owed_its_own(loads, ceiling_mw, kept):
    owed = guaranteed_one_by_one(loads_of(loads))
    assert owed.is_kept_by(ceiling_mw) is kept


@given(st.lists(st.builds(Load, st.sampled_from(["wallbox", "battery"]), st.integers(1, 50_000)), max_size=12))
@settings(max_examples=50)
def test_one_load_more_is_never_owed_less(loads):
    assert guaranteed([*loads, WALLBOX]).power_mw >= guaranteed(loads).power_mw


def seen(attribute, value, second=0):
    return Observation("x:A", attribute, value, "", NOON_US + second * SECOND_US)


def answers(history, second=0):
    found = derived(history, NOON_US + second * SECOND_US)
    return {one.attribute: (one.value, one.unit, one.since_us) for one in found}


def test_a_metering_location_is_owed_what_its_loads_at_that_time_are_owed():
    told = [seen("loads", "wallbox=11000"), seen("loads", "wallbox=11000 heat-pump=9000", 60), seen("loads", None, 120)]
    assert answers(told) == {"section_14a_minimum": (4200, "W", NOON_US)}
    assert answers(told, 60)["section_14a_minimum"][0] == 7560
    assert answers(told, 120) == {}


def test_without_an_energy_manager_loads_are_owed_their_own_each():
    told = [seen("loads", "wallbox=11000 heat-pump=20000"), seen("hems", "HEMS-1"), seen("hems", None, 60)]
    assert answers(told)["section_14a_minimum"] == (8000 + 3360, "W", NOON_US)
    assert answers(told, 60)["section_14a_minimum"] == (4200 + 8000, "W", NOON_US + 60 * SECOND_US)


def test_who_is_limited_has_a_state_and_who_limits_has_none():
    told = [seen("lpc_failsafe_limit", 3000), seen("guard_heartbeat", "", 5), seen("lpc_limit", 4200, 10)]
    told += [seen("lpc_limit_active", True, 10), seen("lpc_limit_answer", "accepted", 10)]
    limited_us = NOON_US + 10 * SECOND_US
    assert answers(told, 20) == {"lpc_state": ("limited", "", limited_us), "lpc_state_limit": (4200, "W", limited_us)}
    assert answers(told, 130)["lpc_state"][0] == "failsafe"
    assert answers(told, 3 * HOUR_US // SECOND_US)["lpc_state"][0] == "unlimited/autonomous"
    box = [
        seen("lpc_limit_requested", 4200),
        seen("lpc_limit_requested_active", True),
        seen("lpc_limit_answer", "accepted"),
    ]
    assert answers(box) == {}


def test_all_that_matters_is_asked_for_and_all_that_follows_is_listed():
    assert all(matters(name) for name in ("started", "lpp_limit", "lpc_limit_until", "failsafe_duration", "loads"))
    assert not may_follow(["started", "guard_heartbeat", "lpc_limit_requested", "lpc_limit_answer"])
    listed = {rule.attribute for rule in DERIVED}
    told = [seen("lpc_limit", 4200), seen("lpp_limit", 1), seen("loads", "wallbox=11000")]
    assert set(answers(told)) <= listed
