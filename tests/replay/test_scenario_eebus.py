"""What the street says over EEBUS is what happens in it, and explains itself."""

from collections import defaultdict
from datetime import date

import pytest

from replay.scenario.faults import DEFAULT_FAULTS, NO_FAULTS
from replay.scenario.plan import plan_day
from replay.scenario.street import Street
from replay.scenario.world import first_state, walk
from replay.scenario.writers import eebus_control, eebus_frames, eebus_wallbox
from schemas.event import Event
from schemas.facts import Facts
from schemas.time import MINUTE_US, SECOND_US
from schemas.wire.contract import Conversation, Frame
from schemas.wire.eebus import FORMAT
from twin.actors.lpc import CONTROLLED, FAILSAFE, INIT, LIMITED, state_at
from twin.observe.eebus import observe

STREET = Street(1, 12)
PLAN = plan_day(STREET, date(2026, 10, 25))
LIMITED_SITES = [site for site in range(12) if STREET.household(site).limited]


@pytest.fixture(scope="module")
def quarters():
    return list(walk(STREET, PLAN, first_state(STREET)))


def heard(speakers, quarters):
    """Payloads and facts of all that is said, in order of time."""
    said = sorted(message for quarter in quarters for message in speakers.messages(quarter))
    conversations = {message.source: Conversation(message.interface) for message in said}
    payloads, facts = [], Facts()
    for message in said:
        frame = Frame(message.raw, 0, message.time_us, message.source)
        found = FORMAT.decode(frame, conversations[message.source])
        payloads.append(found.payload)
        event = Event("e", message.interface, "s", found.type, found.actor, found.time_us, None, found.payload, b"", {})
        observe(event, facts)
    return payloads, facts


@pytest.fixture(scope="module")
def wallboxes(quarters):
    return heard(eebus_wallbox.Wallboxes(STREET, PLAN), quarters)


@pytest.fixture(scope="module")
def controlled(quarters):
    return heard(eebus_control.ControlBoxes(STREET, PLAN, DEFAULT_FAULTS), quarters)


def test_every_message_is_explained_and_believed(wallboxes, controlled):
    for payloads, facts in (wallboxes, controlled):
        assert len(payloads) > 1000
        assert [payload["context_missing"] for payload in payloads if "context_missing" in payload] == []
        assert facts.rejects == []


def test_wallboxes_tell_the_power_of_the_world(wallboxes, quarters):
    _, facts = wallboxes
    for sample in facts.samples:
        site = int(sample.point[-5:])
        number, minute = divmod((sample.time_us - PLAN.start_us) // MINUTE_US, 15)
        quarter = quarters[number]
        assert sample.power_mw == quarter.charge_mw[site, minute] - quarter.discharge_mw[site, minute]
    assert {sample.power_mw > 0 for sample in facts.samples} == {True, False}


def test_a_vehicle_is_plugged_in_when_it_is_at_home(wallboxes):
    _, facts = wallboxes
    found = defaultdict(list)
    for seen in facts.observations:
        if seen.attribute == "ev_connected":
            found[int(seen.actor[-5:])].append((seen.value, (seen.time_us - PLAN.start_us) // MINUTE_US))
    for site, changes in found.items():
        leaves, returns = int(PLAN.away_from[site]), int(PLAN.away_until[site])
        # The wallbox alone is said first, the vehicle right behind.
        expected = [(True, 0)] if leaves < 0 else [(True, 0), (False, leaves), (True, returns)]
        assert [change for change in changes if change != (False, 0)] == expected
    assert len(found) == 10


def states_of(facts, site, minutes):
    hems = f"hems:d:_n:Gegenstrom_HEMS-{site:05d}"
    mine = [seen for seen in facts.observations if seen.actor == hems]
    return [state_at(mine, PLAN.minute_us(minute) + 59 * SECOND_US) for minute in minutes]


def test_the_event_limits_the_system_for_as_long_as_it_lasts(controlled):
    event = PLAN.limit_minutes
    for site in LIMITED_SITES:
        states = states_of(controlled[1], site, (event.start - 1, event.start, event.stop - 1, event.stop))
        assert [state.state for state in states] == [CONTROLLED, LIMITED, LIMITED, CONTROLLED]
        assert states[1].limit_w == 4200 * (1 + STREET.household(site).heat_pump)
        assert [state.is_section_14a for state in states] == [False, True, True, False]


def test_a_control_box_that_falls_silent_leaves_its_system_in_failsafe_until_it_is_back(controlled):
    [site] = [site for site in LIMITED_SITES if DEFAULT_FAULTS.silent_of(site, PLAN)]
    silent = DEFAULT_FAULTS.silent_of(site, PLAN)
    states = states_of(controlled[1], site, range(silent.start - 1, silent.stop + 2))
    assert [state.state for state in states] == [CONTROLLED, CONTROLLED, *[FAILSAFE] * 5, CONTROLLED, CONTROLLED]
    assert (states[3].limit_w, states[3].is_section_14a) == (eebus_control.FAILSAFE_W, False)


def test_without_faults_no_system_is_ever_in_failsafe(quarters):
    _, facts = heard(eebus_control.ControlBoxes(STREET, PLAN, NO_FAULTS), quarters)
    for site in LIMITED_SITES:
        states = {state.state for state in states_of(facts, site, range(1, PLAN.minutes, 60))}
        assert states <= {INIT, CONTROLLED, LIMITED}


def test_a_line_of_the_log_gives_the_message_as_it_was(quarters):
    import io

    message = next(eebus_wallbox.Wallboxes(STREET, PLAN).messages(quarters[0]))
    line = eebus_frames.line_of(message)
    assert FORMAT.recognise(line, "wallboxes.eebus.jsonl")
    [frame] = FORMAT.split(io.BytesIO(line))
    assert (frame.raw, frame.time_us, frame.source) == (message.raw, message.time_us, message.source)
