"""MSCONS as facts: quarter hours of a location, states of its registers, what a cancellation does."""

from datetime import date
from decimal import Decimal

import pytest

from schemas.calendar import day_slots
from schemas.event import from_record, to_record
from schemas.facts import MEASURED, MISSING, PRELIMINARY, SUBSTITUTE, Facts, Observation, Reading, SlotValue
from schemas.time import HOUR_US, SECOND_US, SLOT_US, parse_time
from schemas.wire.mscons import cancellation, encode_interchange, message_of, profile, states
from streams.reader import read
from twin.observe.mscons import observe
from twin.slots import best_of

MSB, SUPPLIER = "9900987654329", "9904628000007"
MALO, MELO, METER = "41373559241", "DE00056266802AO6G56M11SN51G21M24S", "1EMH0012345678"
START_US = parse_time("2026-10-24T22:00:00Z")
SENT_US = parse_time("2026-10-26T04:30:00Z")
VERSION = f"2026-10-26T04:30:00Z|{MSB}|DOC-1"


def facts_of(*payloads):
    """Facts of messages that went through reader and log, as a worker sees them."""
    facts = Facts()
    for event in read(encode_interchange(payloads, reference="R"), "32"):
        observe(from_record(to_record(event)[1]), facts)
    return facts


def value(number, amount="1.234", quality="220", length_us=SLOT_US, late_us=0, **more):
    start_us = START_US + number * SLOT_US + late_us
    return [quality, Decimal(amount), start_us, start_us + length_us, *([more] if more else [])]


def said_by(*values, obis="1-1:1.29.0", check=13025, span=None, document="DOC-1", sent_us=SENT_US):
    span = span or (START_US, START_US + len(values) * SLOT_US)
    locations = [profile(MALO, "malo", [(obis, values)], span)]
    return facts_of(message_of(check, document, sent_us, sender=MSB, receiver=SUPPLIER, locations=locations))


def reasons(facts):
    return [reject.reason for reject in facts.rejects]


def test_a_profile_gives_quarter_hours_with_the_version_of_its_document():
    facts = said_by(value(0), value(1, "0.005"))
    assert facts.slot_values == [
        SlotValue("energy.import", MALO, START_US, 1_234_000, "mWh", MEASURED, VERSION),
        SlotValue("energy.import", MALO, START_US + SLOT_US, 5_000, "mWh", MEASURED, VERSION),
    ]
    assert not facts.rejects
    assert not facts.readings


@pytest.mark.parametrize("check", [13018, 13025, 13027])
@pytest.mark.parametrize(("obis", "series"), [("1-1:1.29.0", "energy.import"), ("1-1:2.29.0", "energy.export")])
def test_import_and_export_are_not_swapped(check, obis, series):
    assert [v.series for v in said_by(value(0), obis=obis, check=check).slot_values] == [series]


@pytest.mark.parametrize(
    ("quality", "known"), [("220", MEASURED), ("67", SUBSTITUTE), ("Z18", PRELIMINARY), ("Z30", MISSING)]
)
def test_the_qualifier_of_a_quantity_is_its_quality(quality, known):
    assert [v.quality for v in said_by(value(0, quality=quality)).slot_values] == [known]


@pytest.mark.parametrize("quality", ["20", "201", "79", "Z31"])
def test_qualities_of_gas_and_of_no_value_are_rejected(quality):
    facts = said_by(value(0, quality=quality), value(1))
    assert (reasons(facts), len(facts.slot_values)) == (["unknown-quality", "incomplete-profile"], 1)


@pytest.mark.parametrize(
    ("amount", "unit", "value_mwh"),
    [
        ("1.234", "KWH", 1_234_000),
        ("1.234567", "KWH", 1_234_567),
        ("1.2345675", "KWH", 1_234_568),
        ("1.2345665", "KWH", 1_234_566),
        ("0.001234", "MWH", 1_234_000),
        ("1234", "WHR", 1_234_000),
        ("0", "KWH", 0),
    ],
)
def test_energy_is_exact_in_milliwatt_hours_and_beyond_rounds_half_to_even(amount, unit, value_mwh):
    assert [v.value for v in said_by(value(0, amount, unit=unit)).slot_values] == [value_mwh]


def test_another_unit_is_no_energy():
    assert reasons(said_by(value(0, unit="KWT"))) == ["unknown-unit", "incomplete-profile"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (value(0, length_us=HOUR_US), "not-a-quarter-hour"),
        (value(0, length_us=0), "not-a-quarter-hour"),
        (value(0, length_us=-SLOT_US), "not-a-quarter-hour"),
        (value(0, late_us=60 * SECOND_US), "not-a-quarter-hour"),
        (["220", Decimal(1), None, None], "not-a-quarter-hour"),
        (value(9), "outside-the-period"),
        (value(-1), "outside-the-period"),
        (value(0, "-0.001"), "negative-energy"),
        (value(0, "69.001"), "implausible"),
        (value(0, "1234"), "implausible"),
        (value(0, "9" * 18), "implausible"),
    ],
)
def test_what_cannot_be_believed_is_set_aside_and_the_rest_counts(wrong, reason):
    facts = said_by(wrong, value(1))
    assert reasons(facts) == [reason, "incomplete-profile"]
    assert [v.slot_us for v in facts.slot_values] == [START_US + SLOT_US]


def test_96_values_for_a_day_of_100_quarter_hours_are_reported_and_count_as_far_as_they_go():
    slots = day_slots(date(2026, 10, 25))
    facts = said_by(*(value(n) for n in range(96)), span=(slots[0], slots[-1] + SLOT_US))
    assert [v.slot_us for v in facts.slot_values] == list(slots[:96])
    (reject,) = facts.rejects
    assert reject.reason == "incomplete-profile"
    assert reject.detail.endswith(
        "96 of the 100 quarter hours from 2026-10-24T22:00:00Z to 2026-10-25T23:00:00Z; the others are missing"
    )


def test_overlapping_windows_of_different_lengths_are_rejected_and_equal_ones_are_a_conflict():
    facts = said_by(value(0), value(0, "2"), value(1, length_us=2 * SLOT_US), value(3))
    assert reasons(facts) == ["overlapping-windows", "not-a-quarter-hour", "incomplete-profile"]
    claims = [v for v in facts.slot_values if v.slot_us == START_US]
    assert {(v.value, v.version) for v in claims} == {(1_234_000, VERSION), (2_000_000, VERSION)}
    assert [quarter.flags for quarter in best_of([], claims)] == [("conflict",)]


def test_a_month_of_wrong_values_is_told_with_examples():
    facts = said_by(*(value(n, "1000") for n in range(2980)))
    assert (len(facts.rejects), facts.rejects[9].detail.endswith("2972 more values likewise")) == (10, True)


def test_the_later_document_holds_whatever_comes_first():
    late = said_by(value(0, "2", "67"), document="DOC-2", sent_us=SENT_US + HOUR_US).slot_values
    early = said_by(value(0, "1")).slot_values
    for order in (early + late, late + early):
        (quarter,) = best_of([], order)
        assert (quarter.value_mwh, quarter.quality, quarter.version.split("|")[2]) == (2_000_000, SUBSTITUTE, "DOC-2")


def test_registers_that_are_no_active_energy_are_attributes_with_the_latest_value():
    facts = said_by(value(1, "0.5"), value(0, "0.25"), obis="1-1:3.29.0")
    assert not facts.slot_values
    reactive = Observation(f"malo:{MALO}", "register/1-1:3.29.0", Decimal("0.5"), "kvarh", START_US + 2 * SLOT_US)
    assert reactive in facts.observations


def test_a_maximum_is_a_power():
    facts = said_by(value(0, "12.5"), obis="1-1:1.6.0", check=13016)
    assert [(o.value, o.unit) for o in facts.observations if o.attribute == "register/1-1:1.6.0"] == [
        (Decimal("12.5"), "kW")
    ]


@pytest.mark.parametrize("check", [13016, 13019])
def test_what_is_billed_of_a_period_is_an_attribute_at_its_end(check):
    month_us = 744 * 4 * SLOT_US
    facts = said_by(value(0, "5669.998", length_us=month_us), obis="1-1:1.9.0", check=check)
    assert (facts.slot_values, facts.readings, facts.rejects) == ([], [], [])
    billed = Observation(f"malo:{MALO}", "register/1-1:1.9.0", Decimal("5669.998"), "kWh", START_US + month_us)
    assert billed in facts.observations


def test_a_message_says_who_reports_a_location_to_whom():
    said = {(o.actor, o.attribute): o.value for o in said_by(value(0)).observations}
    assert said == {
        (f"msb:{MSB}", "last_document"): "DOC-1",
        (f"malo:{MALO}", "msb"): MSB,
        (f"malo:{MALO}", "recipient"): SUPPLIER,
        (f"malo:{MALO}", "last_document"): "DOC-1",
    }


# States of registers


def reading_of(*values, device=METER, obis="1-0:1.8.0", document="DOC-1"):
    location = states(MELO, "melo", device, [(obis, [])])
    location["registers"][0]["values"] = list(values)
    return message_of(13017, document, SENT_US, sender=MSB, receiver=SUPPLIER, locations=[location])


def state(amount="10614.5", quality="220", **more):
    return [quality, Decimal(amount), None, None, {"at_us": START_US} | more]


@pytest.mark.parametrize(
    ("obis", "direction"), [("1-0:1.8.0", "import"), ("1-0:2.8.0", "export"), ("1-1:1.8.2", "import")]
)
def test_a_state_is_a_reading_of_its_device(obis, direction):
    facts = facts_of(reading_of(state(), obis=obis))
    assert facts.readings == [
        Reading(MELO, METER, obis, direction, START_US, 10_614_500_000, MEASURED, VERSION),
    ]
    assert (f"melo:{MELO}", "meter", METER) in {(o.actor, o.attribute, o.value) for o in facts.observations}


def test_a_state_holds_from_the_time_it_is_used_for():
    read_us = START_US - 9 * HOUR_US
    assert [r.time_us for r in facts_of(reading_of(state(read_us=read_us))).readings] == [START_US]
    only_read = ["220", Decimal(5), None, None, {"read_us": read_us}]
    assert [r.time_us for r in facts_of(reading_of(only_read)).readings] == [read_us]


def test_a_state_of_a_day_without_time_is_rejected():
    facts = facts_of(reading_of(["220", Decimal(5), None, None, {"read_day": "20261024"}]))
    assert (facts.readings, reasons(facts)) == ([], ["no-instant"])


@pytest.mark.parametrize(("amount", "unit"), [("999999999999", "MWH"), ("9" * 18, "KWH")])
def test_a_state_no_register_shows_is_rejected(amount, unit):
    facts = facts_of(reading_of(state(amount, unit=unit)))
    assert (facts.readings, reasons(facts)) == ([], ["implausible"])


def test_a_missing_state_is_no_reading():
    assert facts_of(reading_of(state("0", "Z30"))).readings == []


def test_without_a_meter_the_location_is_the_device():
    assert [r.device for r in facts_of(reading_of(state(), device="")).readings] == [MELO]


# Cancellations


def cancelled(document="DOC-1"):
    return cancellation(document, "DOC-9", SENT_US + HOUR_US, sender=MSB, receiver=SUPPLIER)


def test_a_cancellation_is_said_of_the_sender_even_when_the_document_is_unknown():
    observations = facts_of(cancelled("NEVER-SEEN")).observations
    at_us = SENT_US + HOUR_US
    expected = Observation(f"msb:{MSB}", "document/NEVER-SEEN", "cancelled by DOC-9", "", at_us)
    assert expected in observations


def test_what_was_cancelled_counts_no_more():
    facts = facts_of(
        cancelled(),
        reading_of(state()),
        message_of(
            13025,
            "DOC-1",
            SENT_US,
            sender=MSB,
            receiver=SUPPLIER,
            locations=[profile(MALO, "malo", [("1-1:1.29.0", [value(0)])], (START_US, START_US + SLOT_US))],
        ),
    )
    names = frozenset(
        f"{said.actor.partition(':')[2]}|{said.attribute.removeprefix('document/')}"
        for said in facts.observations
        if said.attribute.startswith("document/")
    )
    assert names == {f"{MSB}|DOC-1"}
    assert best_of([], facts.slot_values, cancelled=names) == []
    assert [r.document.partition("|")[2] for r in facts.readings] == [f"{MSB}|DOC-1"]
