"""IEC 61851 control-pilot traces as CSV and JSON lines: states, duty cycles, what they allow."""

import io
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import from_record, to_record
from schemas.facts import Facts
from schemas.interfaces import recognise
from schemas.time import parse_time
from schemas.wire.contract import Conversation, Frame, Malformed, WireError
from schemas.wire.iec61851 import FORMAT
from schemas.wire.iec61851.pilot import allowed
from streams.reader import Rejected, read
from twin.observe import observe

NOON = "2026-03-29T12:00:00Z"
NOON_US = parse_time(NOON)
CSV = f"""time,evse,state,duty_cycle,voltage
{NOON},BOX1,A,100,12
2026-03-29T12:00:05Z,BOX1,C2,26.7,6.1
2026-03-29T12:00:09Z,BOX1,B,5,
2026-03-29T12:00:10Z,BOX1,E,,0
"""


def decoded(line):
    return FORMAT.decode(Frame(line.encode(), 0, source="box"), Conversation("1"))


def said(event):
    facts = Facts()
    observe(from_record(to_record(event)[1]), facts)
    return {seen.attribute: seen.value for seen in facts.observations}


@pytest.mark.parametrize(
    ("duty", "limit"),
    [
        (0, 0),
        ("2.9", 0),
        (3, None),
        (5, None),
        (7, None),
        ("7.1", 0),
        (8, 6),
        (10, 6),
        ("26.7", "16.02"),
        (85, 51),
        (86, 55),
        (96, 80),
        (97, 80),
        ("97.1", 0),
        (100, 0),
    ],
)
def test_a_duty_cycle_allows_what_table_a_8_says(duty, limit):
    assert allowed(Decimal(duty)).current_limit == (None if limit is None else Decimal(limit))


def test_a_trace_as_csv_says_state_limit_and_who_is_connected():
    first, second, third, fourth = [said(event) for event in read(CSV.encode(), "1")]
    assert first == {
        "pilot_state": "A",
        "ev_connected": False,
        "ev_ready": False,
        "pilot_duty_cycle": 100,
        "pilot_current_limit": 0,
        "digital_communication": False,
        "pilot_voltage": 12,
    }
    assert (second["pilot_state"], second["ev_ready"]) == ("C", True)
    assert second["pilot_current_limit"] == Decimal("16.02")
    assert (third["pilot_current_limit"], third["digital_communication"]) == (None, True)
    assert fourth == {"pilot_state": "E", "pilot_voltage": 0}


def test_the_same_as_json_lines():
    line = f'{{"time": "{NOON}", "evse": "BOX1", "state": "C", "duty_cycle": 50}}\n'.encode()
    assert recognise("1", line, "pilot.jsonl") is FORMAT
    (event,) = read(line, "1")
    assert (event.type, event.actor, event.time_us) == ("iec61851.pilot", "evse:BOX1", NOON_US)
    assert event.payload["current_limit"] == 30


def test_a_trace_without_names_is_about_its_source():
    assert decoded(f'{{"time": "{NOON}", "state": "B1"}}').actor == "evse:box"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "truncated"),
        ("[1]", "schema-violation"),
        ("{}", "schema-violation"),
        (f'{{"time": "{NOON}", "state": "G"}}', "schema-violation"),
        (f'{{"time": "{NOON}", "state": 3}}', "schema-violation"),
        (f'{{"time": "{NOON}", "state": "C", "duty_cycle": 101}}', "schema-violation"),
        (f'{{"time": "{NOON}", "state": "C", "duty_cycle": true}}', "schema-violation"),
        (f'{{"time": "{NOON}", "state": "C", "voltage": "much"}}', "schema-violation"),
        (f'{{"time": "{NOON}", "state": "C", "evse": ""}}', "schema-violation"),
        ('{"time": "2026-03-29T12:00:00", "state": "C"}', "schema-violation"),
    ],
)
def test_bad_samples_are_refused_with_their_reason(line, reason):
    with pytest.raises(WireError) as caught:
        decoded(line)
    assert caught.value.reason == reason


def test_bad_lines_of_a_table_are_kept_and_the_others_read():
    found = list(read(CSV.encode() + b"noon,BOX1\n" + b'"open,BOX1,A,1,2\n' + b"x" * 5000 + b"\n", "1"))
    assert [isinstance(item, Rejected) for item in found] == [False] * 4 + [True] * 3
    assert [item.reason for item in found[4:]] == ["bad-syntax", "bad-syntax", "too-large"]


@given(st.binary(max_size=200))
def test_any_octets_give_only_wire_errors(content):
    for item in FORMAT.split(io.BytesIO(CSV[:40].encode() + content)):
        if isinstance(item, Malformed):
            continue
        with suppress(WireError):
            FORMAT.decode(item, Conversation("1"))


def test_a_name_with_the_nul_character_is_refused_because_no_database_takes_it():
    (sample,) = read(CSV.splitlines()[0].encode() + b"\n2026-03-29T12:00:00Z,BO\0X,A,100,12\n", "1", "box")
    assert isinstance(sample, Rejected)
    assert (sample.reason, "NUL" in sample.detail) == ("schema-violation", True)
