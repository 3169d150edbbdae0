from decimal import Decimal
from pathlib import Path

import pytest

from schemas.event import Event, from_record, to_record
from schemas.facts import MEASURED, PRELIMINARY, Facts, Reading
from schemas.time import parse_time
from schemas.wire.contract import Conversation, Frame
from schemas.wire.mbus import FORMAT, encode_frame
from streams.reader import read
from twin.observe.mbus import observe

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "mbus"
METER = "1NZR0130100608"
HEARD_US = parse_time("2026-03-29T00:00:00Z")


def said_by(*records, time_us=HEARD_US, **more):
    """Facts of an answer, through the log; a record is ``(value, coding, block, what sets it apart)``."""
    found = [
        {"value": value, "exponent": 0, "coding": coding, "block": block, **(rest[0] if rest else {})}
        for value, coding, block, *rest in records
    ]
    who = {"address": 5, "number": "30100608", "manufacturer": "NZR", "version": 1, "medium": 2, "access": 1}
    raw = encode_frame({**who, "status": 0, "records": found} | more)
    decoded = FORMAT.decode(Frame(raw, 0, time_us), Conversation())
    event = Event("0" * 32, "15", "log", *decoded[:3], time_us, decoded.payload, raw, {})
    facts = Facts()
    observe(from_record(to_record(event)[1]), facts)
    return facts


def attributes(facts):
    return {said.attribute: (said.value, said.unit) for said in facts.observations}


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
@pytest.mark.parametrize(
    ("name", "point", "readings", "said"),
    [
        ("abb_delta", "1ABB0278563412", {f"1-0:1.8.{n}": 0 for n in range(5)}, {"energy_device2": (0, "Wh")}),
        (
            "eastron_sdm630",
            "1PAD0121346578",
            {},
            {"voltage_6": (Decimal("1234.56"), "V"), "current": (Decimal("123.456"), "A"), "dimensionless_9": (50, "")},
        ),
        (
            "electricity-meter-1",
            "1SBC120500023E",
            {"1-0:1.8.1": 12_520_000, "1-0:1.8.2": 17_744_330_000},
            {
                "voltage_ff02": (231, "V"),
                "current_ff03": (Decimal("6.9"), "A"),
                "power_ff00": (3200, "W"),
                "power_device1_ff00": (-650, "W"),
                "energy_storage2_tariff1": (12_520, "Wh"),
            },
        ),
        (
            "nzr_dhz_5_63",
            METER,
            {"1-0:1.8.0": 1_274_000},
            {"voltage": (Decimal("237.2"), "V"), "power": (0, "W"), "energy_7f": (1274, "Wh"), "status": ("none", "")},
        ),
    ],
)
def test_the_samples_say_the_registers_and_the_state_of_their_meters(name, point, readings, said):
    [event] = read(SAMPLES / f"{name}.hex", "15", time_us=HEARD_US)
    facts = Facts()
    observe(event, facts)
    assert {reading.obis: reading.value_mwh for reading in facts.readings} == readings
    assert {reading.point for reading in facts.readings} <= {point}
    assert said.items() <= attributes(facts).items()
    assert not facts.rejects


def test_registers_become_readings_in_their_direction():
    facts = said_by((1274, "int32", "04"), (99, "bcd8", "833c"), (7, "int32", "03", {"tariff": 2}))
    assert facts.readings == [
        Reading(METER, METER, "1-0:1.8.0", "import", HEARD_US, 12_740_000, MEASURED),
        Reading(METER, METER, "1-0:2.8.0", "export", HEARD_US, 99_000, MEASURED),
        Reading(METER, METER, "1-0:1.8.2", "import", HEARD_US, 7_000, MEASURED),
    ]


@pytest.mark.parametrize(
    ("record", "attribute"),
    [
        ((5, "int32", "03", {"storage": 1}), "energy_storage1"),
        ((5, "int32", "03", {"device": 1}), "energy_device1"),
        ((5, "int32", "03", {"function": "maximum"}), "energy_maximum"),
        ((5, "int32", "83ff01"), "energy_ff01"),
        ((5, "int32", "08"), "energy"),
        ((5, "int32", "fb02"), "reactive_energy"),
        ((5, "int32", "abff01", {"tariff": 1}), "power_tariff1_ff01"),
        (("abc", "text", "fd0e"), "firmware"),
    ],
)
def test_everything_else_is_an_observation_with_what_sets_it_apart(record, attribute):
    facts = said_by(record)
    assert not facts.readings
    assert set(attributes(facts)) == {attribute, "status"}


def test_energy_of_another_medium_is_no_reading_of_electricity():
    facts = said_by((5, "int32", "03"), medium=4)
    assert (facts.readings, attributes(facts)["energy"]) == ([], (5, "Wh"))


def test_what_is_said_twice_gets_a_number():
    facts = said_by((230, "int16", "fd49"), (231, "int16", "fd49"))
    assert attributes(facts).items() >= {"voltage": (230, "V"), "voltage_2": (231, "V")}.items()


@pytest.mark.parametrize(
    "record", [(5, "int8", "ff13"), (None, "none", "03"), (5, "int8", "6f"), (30100608, "bcd8", "78")]
)
def test_what_says_nothing_or_nothing_new_is_not_told(record):
    assert attributes(said_by(record)) == {"status": ("none", "")}


@pytest.mark.parametrize(
    ("status", "names", "qualities", "reasons"),
    [
        (0x04, "low-power", [MEASURED], []),
        (0x10, "temporary-error", [PRELIMINARY], []),
        (0x0A, "application-error permanent-error", [], ["invalid-status"]),
    ],
)
def test_the_status_is_told_and_decides_about_registers(status, names, qualities, reasons):
    facts = said_by((5, "int32", "03"), status=status)
    assert attributes(facts)["status"] == (names, "")
    assert [reading.quality for reading in facts.readings] == qualities
    assert [reject.reason for reject in facts.rejects] == reasons


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ((-5, "int32", "03"), "negative-register"),
        ((2**62, "int64", "07"), "implausible-energy"),
        ((5_000_000, "int32", "2b"), "implausible-power"),
        ((2**62, "int64", "fd49"), "implausible-value"),
        ((10**11, "int64", "fd4f"), "implausible-value"),
    ],
)
def test_what_cannot_be_believed_is_rejected_with_its_reason(record, reason):
    facts = said_by(record)
    assert ([reject.reason for reject in facts.rejects], facts.readings) == ([reason], [])


def test_without_a_log_nothing_is_said_but_that():
    facts = said_by((5, "int32", "03"), ("2026-03-29T00:00", "int32", "6d"), time_us=None)
    assert (facts.all(), [reject.reason for reject in facts.rejects]) == ([], ["no-time"])


def test_what_the_gateway_asks_says_nothing():
    event, _ = read(b"\x10\x5b\x05\x60\x16" + b"\x68\5\5\x68\x53\1\x51\1\1\xa7\x16", "15", time_us=HEARD_US)
    facts = Facts()
    observe(event, facts)
    assert facts == Facts()
