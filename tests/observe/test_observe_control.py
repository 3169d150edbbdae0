"""Commands of section 14a as facts: what is ordered, what holds, what became of it."""

import pytest

from schemas.event import from_record, to_record
from schemas.facts import INDICATIVE, MEASURED, Facts, SlotValue
from schemas.time import HOUR_US, MINUTE_US, SLOT_US, parse_time
from schemas.wire.control import encode_box, encode_measure
from streams.reader import Conversations, read
from twin.observe.ceilings import SLOT_LIMIT
from twin.observe.control import observe

ORDER, ANSWER = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "a81d4fae-7dec-11d0-a765-00a0c91e6bf6"
AT_US = parse_time("2026-10-25T16:55:00Z")
FROM_US = parse_time("2026-10-25T17:00:00Z")
VERSION = f"2026-10-25T16:55:00Z|{ORDER}"


def facts_of(*raws, interface="20"):
    """Facts of the last of some messages of one conversation."""
    conversations, facts = Conversations(), Facts()
    for raw in raws:
        facts = Facts()
        (event,) = read(raw, interface, "log", conversations=conversations)
        observe(from_record(to_record(event)[1]), facts)
    return facts


def order(**changed):
    said = {
        "operation": "konfiguration",
        "location": "C0000000011",
        "transaction": ORDER,
        "initial_transaction": None,
        "created_us": AT_US,
        "limit_w": 4200,
        "from_us": FROM_US,
        "until_us": FROM_US + HOUR_US,
    }
    return encode_measure(said | changed)


RELEASE = {"operation": "initialZustand", "limit_w": None, "until_us": None}


def answer(operation, state, reason=None):
    said = {"operation": operation, "reference": ORDER, "state": state, "reason": reason, "transaction": ANSWER}
    return encode_measure({"location": "C0000000011", "initial_transaction": None, "created_us": AT_US} | said)


def attributes(facts):
    assert len({(o.actor, o.time_us) for o in facts.observations}) == 1
    return {o.attribute: o.value for o in facts.observations}


def slots(facts):
    return [(value.series, (value.slot_us - FROM_US) // SLOT_US, value.value) for value in facts.slot_values]


def test_an_order_says_which_ceiling_shall_hold_when():
    facts = facts_of(order())
    assert attributes(facts) == {
        "limit_order": ORDER,
        "limit_state": "ordered",
        "limit_requested": 4200,
        "limit_requested_from": "2026-10-25T17:00:00Z",
        "limit_requested_until": "2026-10-25T18:00:00Z",
        "limit_below_minimum": False,
    }
    assert {(o.actor, o.unit) for o in facts.observations if o.attribute == "limit_requested"} == {
        ("sr:C0000000011", "W")
    }
    assert facts.slot_values[0] == SlotValue(
        "limit.14a.requested", "C0000000011", FROM_US, 4_200_000, "mW", INDICATIVE, VERSION
    )
    assert [slot for _, slot, _ in slots(facts)] == [0, 1, 2, 3]


def test_a_confirmed_order_holds():
    facts = facts_of(order(), answer("positiveAntwort", "succeeded"))
    assert attributes(facts) == {
        "limit_order": ORDER,
        "limit_state": "succeeded",
        "limit": 4200,
        "limit_from": "2026-10-25T17:00:00Z",
        "limit_until": "2026-10-25T18:00:00Z",
    }
    assert slots(facts) == [("limit.14a", number, 4_200_000) for number in range(4)]
    assert {value.quality for value in facts.slot_values} == {MEASURED}


def test_a_release_ends_what_held():
    assert attributes(facts_of(order(**RELEASE)))["limit_state"] == "release-ordered"
    facts = facts_of(order(**RELEASE), answer("positiveAntwort", "succeeded"))
    assert (attributes(facts)["limit"], slots(facts)) == (None, [])


@pytest.mark.parametrize(
    ("operation", "state", "reason", "said"),
    [
        ("vorlaeufigePositiveAntwort", "possible", None, "possible"),
        ("vorlaeufigeNegativeAntwort", "failed", "overload", "refused"),
        ("negativeAntwort", "failed", "communicationFailure", "failed"),
        ("informationAnweisung", "unknown", None, "unknown"),
    ],
)
def test_other_answers_change_no_limit(operation, state, reason, said):
    facts = facts_of(order(), answer(operation, state, reason))
    expected = {"limit_order": ORDER, "limit_state": said} | ({"limit_reason": reason} if reason else {})
    assert (attributes(facts), facts.slot_values) == (expected, [])


def test_a_confirmation_of_an_order_that_was_never_heard_says_no_limit():
    facts = facts_of(answer("positiveAntwort", "succeeded"))
    assert attributes(facts) == {"limit_order": ORDER, "limit_state": "succeeded"}


def test_who_is_informed_hears_the_limit_and_who_ordered_it():
    said = attributes(facts_of(order(operation="information", partner="9900987654329")))
    assert (said["limit_state"], said["limit"], said["limit_ordered_by"]) == ("informed", 4200, "9900987654329")


@pytest.mark.parametrize(("limit_w", "is_below"), [(0, True), (4199, True), (4200, False), (11_000, False)])
def test_a_ceiling_below_the_guaranteed_minimum_is_recorded(limit_w, is_below):
    assert attributes(facts_of(order(limit_w=limit_w)))["limit_below_minimum"] is is_below


@pytest.mark.parametrize(
    ("from_us", "until_us", "touched"),
    [
        (FROM_US + 7 * MINUTE_US, FROM_US + 12 * MINUTE_US, [0]),
        (FROM_US + 14 * MINUTE_US, FROM_US + 16 * MINUTE_US, [0, 1]),
        (FROM_US, FROM_US + SLOT_US, [0]),
        (FROM_US + MINUTE_US, None, [0]),
    ],
)
def test_every_quarter_hour_in_which_a_limit_holds_is_told(from_us, until_us, touched):
    assert [slot for _, slot, _ in slots(facts_of(order(from_us=from_us, until_us=until_us)))] == touched


def test_a_limit_for_ever_is_told_for_a_week():
    facts = facts_of(order(until_us=parse_time("2100-01-01T00:00:00Z")))
    assert (len(facts.slot_values), [reject.reason for reject in facts.rejects]) == (SLOT_LIMIT, ["long-limit"])


# The control box


def box(operation, **said):
    return encode_box({"operation": operation, "box": "CB-7", "created_us": AT_US} | said)


def command(limit_w=4200):
    span = {"from_us": FROM_US, "until_us": FROM_US + HOUR_US}
    return box("command", reference=ORDER, limit_w=limit_w, reason="section-14a", location=None, **span)


@pytest.mark.parametrize("interface", ["9", "10", "29"])
def test_a_command_to_the_box_is_a_limit_of_the_box(interface):
    facts = facts_of(command(), interface=interface)
    said = attributes(facts)
    assert (said["limit_requested"], said["limit_reason"], said["limit_state"]) == (4200, "section-14a", "ordered")
    assert {(value.series, value.object) for value in facts.slot_values} == {("limit.14a.requested", "CB-7")}


def test_what_the_box_accepts_holds():
    facts = facts_of(command(), box("acknowledgement", reference=ORDER, accepted=True, reason=None), interface="10")
    assert (attributes(facts)["limit"], attributes(facts)["limit_state"]) == (4200, "accepted")
    assert {value.series for value in facts.slot_values} == {"limit.14a"}
    refused = box("acknowledgement", reference=ORDER, accepted=False, reason="busy")
    facts = facts_of(command(), refused, interface="10")
    assert attributes(facts) == {"limit_order": ORDER, "limit_state": "rejected", "limit_reason": "busy"}


def test_the_box_says_in_which_state_it_is():
    facts = facts_of(box("status", state="limited", limit_w=4200), interface="10")
    assert attributes(facts) == {"box_state": "limited", "box_limit": 4200}
    facts = facts_of(box("status", state="failsafe", limit_w=None), interface="10")
    assert attributes(facts) == {"box_state": "failsafe", "box_limit": None}


def test_the_tunnel_is_a_state_of_box_and_gateway():
    facts = facts_of(box("tunnel", smgw="EPPC0210000001", state="opened"), interface="10")
    assert {(o.actor, o.attribute, o.value) for o in facts.observations} == {
        ("control-box:CB-7", "cls_tunnel", "opened"),
        ("control-box:CB-7", "smgw", "EPPC0210000001"),
        ("smgw:EPPC0210000001", "cls_tunnel", "opened"),
        ("smgw:EPPC0210000001", "control-box/CB-7", "CB-7"),
    }


def test_a_booked_channel_is_a_state_of_the_box():
    booked = box("channel", reference=ORDER, channel="cls-3", from_us=FROM_US, until_us=FROM_US + HOUR_US)
    assert attributes(facts_of(booked, interface="29")) == {"channel": "cls-3", "channel_until": "2026-10-25T18:00:00Z"}
