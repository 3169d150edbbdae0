"""What control rooms say is what the street does, the same on every link, and the delay of each call is measured."""

from collections import defaultdict
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from replay.scenario import NO_FAULTS, write_day
from replay.scenario.plan import LIMIT_MW, plan_day
from replay.scenario.street import Street
from replay.scenario.world import first_state, plugged_in, walk
from schemas.facts import Facts
from schemas.time import MINUTE_US, SECOND_US
from streams.points import adopt
from streams.reader import Rejected, read
from twin.observe import observe

STREET = Street(1, 12)
PLAN = plan_day(STREET, date(2026, 10, 25))
LINKS = ("21", "24", "25", "43", "51", "52", "53", "54")
FLEET = "technical-aggregator:gegenstrom-fleet"


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Facts by interface, of a whole day with its point lists taken over; and the payloads of 25."""
    out, facts, payloads = tmp_path_factory.mktemp("day"), defaultdict(Facts), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWIN_HOME", str(tmp_path_factory.mktemp("home")))
        written = write_day(PLAN.day, out, faults=NO_FAULTS, ocpp_interval_s=900)
        for path in (path for path in written.files if path.suffixes == [".iec104", ".log"]):
            interface = path.parent.name.lstrip("0")
            assert adopt([path], interface).read_bytes() == (out / "points" / f"{interface}.csv").read_bytes()
            for event in read(path, interface):
                assert not isinstance(event, Rejected)
                observe(event, facts[interface])
                payloads += [event.payload] if interface == "25" else []
    return facts, payloads


@pytest.fixture(scope="module")
def quarters():
    return list(walk(STREET, PLAN, first_state(STREET)))


def told(facts, interface, attribute):
    """By time; whoever it is about."""
    return {seen.time_us: seen.value for seen in facts[interface].observations if seen.attribute == attribute}


def by_minute(quarters, power_mw):
    """What a power of the whole street was in watts at the beginning of each minute."""
    summed = np.concatenate([np.sum(power_mw(quarter), axis=0) for quarter in quarters])
    return {PLAN.minute_us(minute): int(value) // 1000 for minute, value in enumerate(summed)}


def pool(quarter):
    return (quarter.charge_mw - quarter.discharge_mw) * STREET.aggregated[:, None]


def test_every_link_speaks_and_everything_it_says_has_a_meaning(said):
    facts, payloads = said
    assert set(facts) == set(LINKS)
    assert all(found.observations and not found.rejects for found in facts.values())
    assert not [entry for payload in payloads for entry in payload.get("objects", ()) if "missing" in entry]


@pytest.mark.parametrize(
    ("interface", "attribute", "power_mw", "most"),
    [
        ("43", "power", lambda quarter: quarter.grid_mw, 1500),
        ("21", "exchange_power", lambda quarter: quarter.grid_mw, 100),
        ("51", "power", lambda quarter: -quarter.pv_mw, 100),
        ("52", "power", lambda quarter: -quarter.pv_mw, 100),
        ("53", "pool_power", pool, 100),
        ("54", "pool_power", pool, 100),
    ],
)
def test_power_is_that_of_the_street(said, quarters, interface, attribute, power_mw, most):
    found, expected = told(said[0], interface, attribute), by_minute(quarters, power_mw)
    assert len(found) == most
    assert found == {time_us: expected[time_us] for time_us in found}


def test_the_pool_is_heard_every_minute_and_every_four_seconds_behind_a_call(said, quarters):
    expected, found = by_minute(quarters, pool), told(said[0], "25", "power")
    assert found == {time_us: expected[time_us // MINUTE_US * MINUTE_US] for time_us in found}
    assert {after - before for before, after in pairwise(sorted(found))} == {4 * SECOND_US, MINUTE_US}


def test_the_frequency_is_one_wherever_it_is_heard(said):
    heard = [told(said[0], interface, "frequency") for interface in ("24", "25", "53")]
    assert heard[0] == heard[1]
    assert heard[2].items() <= heard[0].items()
    assert len(set(heard[0].values())) > 50
    assert all(49 < value < 51 for value in heard[0].values())


def called(quarters):
    """Quarter hours before which the pool is called, with the power in watts that it shall have."""
    last_w = None
    for quarter in quarters:
        ceiling_mw = np.where(quarter.limited == 1, np.minimum(STREET.wallbox_mw, LIMIT_MW), STREET.wallbox_mw)
        wanted_mw = np.clip(quarter.setpoint_mw, -STREET.discharge_mw, ceiling_mw) * STREET.aggregated
        wanted_w = int(np.sum(wanted_mw * plugged_in(PLAN, quarter.number * 15))) // 1000
        if wanted_w != last_w:
            yield quarter, wanted_w
        last_w = wanted_w


def test_every_call_is_told_confirmed_and_its_delay_measured_where_the_pool_reaches_it(said, quarters):
    facts, _ = said
    calls, delays = told(facts, "25", "power_setpoint"), told(facts, "25", "power.response_delay")
    expected = list(called(quarters))
    assert list(calls.values()) == [wanted_w for _, wanted_w in expected]
    assert {value < 0 for value in calls.values()} == {True, False}
    reached = 0
    for (quarter, wanted_w), call_us in zip(expected[1:], sorted(calls)[1:], strict=True):
        assert 15 * SECOND_US <= quarter.start_us - call_us <= 45 * SECOND_US
        found_w = int(np.sum(pool(quarter)[:, 0])) // 1000
        if abs(found_w - wanted_w) <= abs(wanted_w) / 20:
            assert delays[quarter.start_us] * SECOND_US == quarter.start_us - call_us
            reached += 1
    assert reached > 10
    confirmations = [seen for seen in facts["25"].observations if seen.attribute == "power_setpoint.confirmation_delay"]
    assert len(confirmations) == len(calls)
    assert all(0 < seen.value < 1 for seen in confirmations)
    assert told(facts, "24", "balancing_setpoint").items() >= {
        (quarter.start_us, wanted_w) for quarter, wanted_w in expected
    }


def test_states_are_said_when_they_change(said):
    limited = PLAN.limit_minutes
    assert told(said[0], "43", "section_14a_active") == {
        PLAN.start_us: False,
        PLAN.minute_us(limited.start): True,
        PLAN.minute_us(limited.stop): False,
    }


def test_the_roofs_stay_below_the_cap_of_the_grid_operator(said):
    caps, powers = told(said[0], "52", "max_export_power"), told(said[0], "52", "power")
    (from_us, cap_w), (until_us, whole_w) = sorted(caps.items())
    assert cap_w < whole_w
    assert until_us - from_us == 4 * 60 * MINUTE_US
    assert all(-power_w <= cap_w for power_w in powers.values())


def test_frames_are_numbered_and_acknowledged(said):
    """The controlling end sends calls, the other values and confirmations."""
    _, payloads = said
    calls = [p for p in payloads if p["frame"] == "i" and p["type"] == 63 and p["cause"] == 6]
    answers = [p for p in payloads if p["frame"] == "i" and p not in calls]
    assert [p["send"] for p in calls] == list(range(len(calls)))
    assert [p["send"] for p in answers] == list(range(len(answers)))
    assert [p["receive"] for p in answers] == sorted(p["receive"] for p in answers)
    assert [p["setup"] for p in payloads if p["frame"] == "u"] == ["STARTDT act", "STARTDT con"]
    assert len([p for p in payloads if p["frame"] == "s"]) == len(calls) // 8 + len(answers) // 8
