"""Interface 1 below all messages: what the control pilot of a wallbox shows is what its car does."""

import json
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from replay.scenario.plan import LIMIT_MW, plan_day
from replay.scenario.stays import stays_of
from replay.scenario.street import Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers.pilot import INTERFACE, Pilots, line_of
from schemas.facts import Facts
from schemas.time import MINUTE_US, SLOT_US
from streams.reader import read
from twin.observe import observe

LIMITED, TALKING = 2, 8
"""The one under section 14a, whose wallbox has a pilot only, and the one that is charged with direct current."""


@pytest.fixture(scope="module", params=[date(2026, 3, 29), date(2026, 7, 7)], ids=str)
def watched(request):
    street = Street(3, 12)
    plan = plan_day(street, request.param)
    quarters = list(walk(street, plan, first_state(street)))
    pilots = Pilots(street, plan)
    return street, plan, quarters, [message for quarter in quarters for message in pilots.messages(quarter)]


def of(messages, site):
    """Time in microseconds and sample of every line about a site."""
    return [
        (m.time_us, json.loads(m.raw, parse_float=Decimal)) for m in messages if m.source == f"DE*GGS*E{site:05d}*1"
    ]


def test_every_sample_is_read_and_says_something_of_its_wallbox(watched):
    *_, messages = watched
    events = list(read(b"".join(map(line_of, messages)), INTERFACE))
    facts = Facts()
    for event in events:
        observe(event, facts)
    assert [event.type for event in events] == ["iec61851.pilot"] * len(messages)
    assert facts.rejects == []
    assert {seen.actor for seen in facts.observations} == {"evse:DE*GGS*E00002*1", "evse:DE*GGS*E00008*1"}


@pytest.mark.parametrize("site", [LIMITED, TALKING])
def test_the_state_of_every_minute_is_that_of_cable_and_car(watched, site):
    street, plan, quarters, messages = watched
    stays, samples = stays_of(street, plan)[site], of(messages, site)
    for quarter in quarters:
        for minute in range(SLOT_US // MINUTE_US):
            time_us = quarter.start_us + minute * MINUTE_US
            state = [sample["state"][0] for at_us, sample in samples if at_us <= time_us][-1]
            charges = quarter.charge_mw[site, minute] > 0
            assert state == (("C" if charges else "B") if stays.plugged(time_us) else "A")


def test_the_duty_cycle_allows_what_the_wallbox_may_give(watched):
    street, plan, _, messages = watched
    held = range(plan.minute_us(plan.limit_minutes.start), plan.minute_us(plan.limit_minutes.stop))
    for time_us, sample in of(messages, LIMITED):
        if sample["state"] == "A1":
            assert sample["duty_cycle"] == 100
            continue
        most_w = LIMIT_MW // 1000 if time_us in held else int(street.wallbox_mw[LIMITED]) // 1000
        power_w = Decimal(sample["duty_cycle"]) * Decimal("0.6") * 3 * 230
        assert most_w - 100 < power_w <= most_w + 25, "in steps of a tenth of an ampere"


def test_the_pilot_of_direct_current_says_that_the_rest_is_talked_over(watched):
    *_, messages = watched
    shown = {sample["state"]: sample["duty_cycle"] for _, sample in of(messages, TALKING)}
    assert shown == {"A1": 100, "B2": 5, "C2": 5}


def test_nothing_is_said_twice_within_a_quarter_hour(watched):
    *_, messages = watched
    for site in (LIMITED, TALKING):
        samples = of(messages, site)
        for (_, before), (time_us, after) in pairwise(samples):
            assert time_us % SLOT_US == 0 or (before["state"], before["duty_cycle"]) != (
                after["state"],
                after["duty_cycle"],
            )
