from decimal import Decimal
from pathlib import Path

import pytest

from schemas.event import Event
from schemas.facts import MEASURED, PRELIMINARY, SUBSTITUTE, Facts, Reading, SlotValue
from schemas.time import SECOND_US, SLOT_US, parse_time
from schemas.wire.contract import Conversation, Frame
from schemas.wire.taf7 import FORMAT, encode_readings, readings_of, register_of
from twin.observe.taf7 import observe

SAMPLE = Path(__file__).parents[2].parent / "shared" / "samples" / "smgw" / "IF_Adapter_TRuDI_DatenTAF7.xml"
MELO = "DE0005621204300000000000000000007"
METER = "1EMH0012000001"
START_US = parse_time("2026-03-29T00:00:00Z")


def facts_of(raw):
    decoded = FORMAT.decode(Frame(raw, 0), Conversation())
    facts = Facts()
    observe(
        Event("id", "16", "file.xml", decoded.type, decoded.actor, decoded.time_us, None, decoded.payload, raw, {}),
        facts,
    )
    return facts


def said_by(*values, obis="1-0:1.8.0", melo=MELO, system_time_us=None, **more):
    """Facts of a message with one register."""
    names = {"device", "scaler", "unit"} & more.keys()
    made = {name: more.pop(name) for name in names}
    register = register_of(obis=obis, values=values, **{"device": METER, **made}) | more
    point = readings_of(
        melo=melo,
        smgw="EPPC0210000001",
        customer="c-1",
        invoicing_party="9900987654329",
        tariff="t",
        registers=[register],
    )
    point["smgw"]["system_time_us"] = system_time_us
    return facts_of(encode_readings([point]))


def value(number, amount=1000, ptb=0, fnn=None, **more):
    return [START_US + number * SLOT_US, amount, ptb, fnn, *([more] if more else [])]


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared/samples is not here")
def test_the_sample_says_three_readings_of_its_meter():
    facts = facts_of(SAMPLE.read_bytes())
    point, start_us = "DE00000000000000000000000000000001", parse_time("2017-06-26T11:30:00+02:00")
    assert facts.readings == [
        Reading(point, "1EMH0005347102", "1-0:1.8.0", "import", start_us + n * SLOT_US, value_mwh, MEASURED)
        for n, value_mwh in enumerate((63_910_800, 63_911_800, 63_912_800))
    ]
    assert not facts.rejects
    attributes = {(said.actor, said.attribute): said.value for said in facts.observations}
    assert attributes["meter:1EMH0005347102", "register/1-0:1.8.0"] == Decimal("63912.8")
    assert attributes[f"melo:{point}", "smgw"] == "DNT0017055173"
    assert attributes[f"melo:{point}", "last_log_record"] == 92889


@pytest.mark.parametrize(
    ("obis", "direction"),
    [("1-0:1.8.0", "import"), ("1-0:2.8.0", "export"), ("1-0:1.8.1", "import"), ("1-0:2.8.2", "export")],
)
def test_registers_become_readings_in_their_direction(obis, direction):
    readings = said_by(value(0), obis=obis).readings
    assert [(r.point, r.device, r.obis, r.direction) for r in readings] == [(MELO, METER, obis, direction)]


@pytest.mark.parametrize(
    ("multiplier", "scaler", "value_mwh"),
    [(0, 0, 1_234_000), (0, -1, 123_400), (3, 0, 1_234_000_000), (3, -3, 1_234_000), (0, -3, 1234), (0, -4, 123)],
)
def test_multiplier_and_scaler_move_the_point(multiplier, scaler, value_mwh):
    readings = said_by(value(0, 1234), multiplier=multiplier, scaler=scaler).readings
    assert [r.value_mwh for r in readings] == [value_mwh]


@pytest.mark.parametrize(
    ("ptb", "fnn", "quality"),
    [
        (0, None, MEASURED),
        (1, None, MEASURED),
        (2, None, SUBSTITUTE),
        (None, None, PRELIMINARY),
        (None, "not a word", PRELIMINARY),
        (None, "A000000020000000", MEASURED),
        (None, "A004000020000000", SUBSTITUTE),
        (0, "0000010500100504", MEASURED),
        (2, "A000000020000000", SUBSTITUTE),
    ],
)
def test_quality_follows_the_status(ptb, fnn, quality):
    assert [r.quality for r in said_by(value(0, 1000, ptb, fnn)).readings] == [quality]


@pytest.mark.parametrize(("ptb", "fnn"), [(3, None), (4, None), (None, "A040000020000000"), (None, "A084000020000000")])
def test_a_value_that_may_serve_for_nothing_is_rejected_with_its_reason(ptb, fnn):
    facts = said_by(value(0), value(1, 1000, ptb, fnn), value(2))
    assert [r.time_us for r in facts.readings] == [START_US, START_US + 2 * SLOT_US]
    assert [reject.reason for reject in facts.rejects] == ["invalid-status"]


def test_a_negative_register_is_rejected():
    facts = said_by(value(0, -1))
    assert (facts.readings, [reject.reason for reject in facts.rejects]) == ([], ["negative-register"])


def test_a_converter_factor_is_not_guessed_at():
    facts = said_by(value(0), converter_factor=40)
    assert (facts.readings, [reject.reason for reject in facts.rejects]) == ([], ["converter-factor"])
    assert said_by(value(0), converter_factor=1).readings


@pytest.mark.parametrize(
    ("obis", "unit"), [("1-0:1.8.0*1", "Wh"), ("1-0:3.8.0", "varh"), ("1-0:16.7.0", "W"), ("1-0:1.6.0", "Wh")]
)
def test_other_registers_are_no_energy_of_the_point(obis, unit):
    facts = said_by(value(0), obis=obis, unit=unit)
    assert (facts.readings, facts.slot_values) == ([], [])


def test_interval_energy_becomes_quarter_hours():
    sent_us = parse_time("2026-03-30T00:00:00Z")
    facts = said_by(value(0, 250, duration_s=900), obis="1-0:2.29.0", system_time_us=sent_us)
    version = "2026-03-30T00:00:00Z|EPPC0210000001|"
    assert facts.slot_values == [SlotValue("energy.export", MELO, START_US, 250_000, "mWh", MEASURED, version)]
    assert not facts.readings


def test_differences_are_no_register_whatever_their_obis_code():
    facts = said_by(value(0, 250, duration_s=900), accumulation=4)
    assert ([v.value for v in facts.slot_values], facts.readings) == ([250_000], [])


@pytest.mark.parametrize(("late_s", "duration_s"), [(0, 3600), (1, 900), (0, 0)])
def test_interval_energy_of_another_length_is_rejected(late_s, duration_s):
    row = [START_US + late_s * SECOND_US, 5, 0, None, {"duration_s": duration_s}]
    facts = said_by(row, obis="1-0:1.29.0")
    assert (facts.slot_values, [reject.reason for reject in facts.rejects]) == ([], ["not-a-quarter-hour"])


def test_a_register_that_the_gateway_made_for_a_tariff_is_no_reading_of_the_meter():
    facts = said_by([START_US, 118, 0, None], derived="TAF-2-7")
    assert (facts.readings, facts.slot_values, facts.rejects) == ([], [], [])
    told = {said.attribute: (said.value, said.unit) for said in facts.observations if said.actor == f"meter:{METER}"}
    assert told["register/1-0:1.8.0/TAF-2-7"] == (118, "Wh")
    assert "register/1-0:1.8.0" not in told


def test_a_register_that_contradicts_itself_is_told():
    good, other = (
        register_of(obis=obis, device=METER, values=[[START_US, 1, 0, None]]) for obis in ("1-0:1.8.0", "1-0:2.8.0")
    )
    named = {"smgw": "EPPC0210000001", "customer": "c", "invoicing_party": "9900987654329", "tariff": "t"}
    raw = encode_readings([readings_of(melo=MELO, registers=[good, other], **named)])
    at = raw.index(b".sm", raw.index(b".sm") + 1)
    code = raw.rindex(b">", 0, at) + 1
    facts = facts_of(raw[:code] + b"0100010801FF" + raw[code + 12 :])
    assert [(reading.obis, reading.direction) for reading in facts.readings] == [("1-0:1.8.0", "import")]
    assert [reject.reason for reject in facts.rejects] == ["contradictory-register"]


def test_without_a_point_the_meter_is_the_point():
    assert [r.point for r in said_by(value(0), melo="").readings] == [METER]


def test_momentary_values_are_the_state_of_the_meter():
    said = said_by(value(0, -2500), obis="1-0:16.7.0", unit="W").observations
    power = next(o for o in said if o.attribute == "power")
    assert (power.actor, power.value, power.unit, power.time_us) == (f"meter:{METER}", Decimal(-2500), "W", START_US)


def test_the_latest_value_and_its_status_word_are_the_state_of_the_register():
    said = said_by(value(1, 20, 2, "A004000020000000"), value(0, 10)).observations
    found = {o.attribute: o.value for o in said if o.actor == f"meter:{METER}" and "register" in o.attribute}
    assert found == {
        "register/1-0:1.8.0": Decimal(20),
        "register/1-0:1.8.0/status_ptb": 2,
        "register/1-0:1.8.0/status_fnn": "gateway.ptb-temporary-error",
    }


def test_a_meter_that_another_took_over_from_stands_there_no_more():
    registers = [
        register_of(obis="1-0:1.8.0", device=device, values=[value(number) for number in numbers])
        for device, numbers in ((METER, (0, 1, 2)), ("1EMH0022000001", (2, 3)), ("1EMH0033000001", (0, 3)))
    ]
    names = {"melo": MELO, "smgw": "EPPC0210000001", "customer": "c-1", "invoicing_party": "9900987654329"}
    facts = facts_of(encode_readings([readings_of(**names, tariff="t", registers=registers)]))
    told = {(seen.actor, seen.attribute): seen.value for seen in facts.observations}
    assert told[f"melo:{MELO}", "meters"] == "1EMH0022000001 1EMH0033000001"
    assert (f"meter:{METER}", "melo") not in told
    assert {reading.device for reading in facts.readings} == {METER, "1EMH0022000001", "1EMH0033000001"}
