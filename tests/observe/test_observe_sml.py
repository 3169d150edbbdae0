import time
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.event import Event, from_record, to_record
from schemas.facts import INDICATIVE, MEASURED, PRELIMINARY, Facts, Observation, Reading, Sample
from schemas.time import SECOND_US, parse_time
from schemas.wire.contract import Conversation, Frame
from schemas.wire.sml import FORMAT, encode_telegram
from streams.reader import read
from twin.observe.sml import observe

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "sml"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
SERVER = "0A01454D480000B71B00"
METER = "1EMH0012000000"
HEARD_US = parse_time("2026-03-29T00:00:00Z")
GONE = 0x1C0104
MANIPULATED, BROKEN, MAGNET, BACKWARDS = 0x0404, 0x020004, 0x0204, 0x0804


def facts_of(raw, *, interface="15", time_us=HEARD_US):
    decoded = FORMAT.decode(Frame(raw, 0, time_us), Conversation())
    event = Event(
        "id", interface, "log", decoded.type, decoded.actor, decoded.time_us, time_us, decoded.payload, raw, {}
    )
    facts = Facts()
    observe(event, facts)
    return facts


def row(obis="1-0:1.8.0", value=1000, unit=30, scaler=-1, status=None, time=None):
    return [obis, value, unit, scaler, status, time]


def said_by(*rows, server=SERVER, time=None, flags=(), **more):
    payload = {"lists": [{"server": server, "name": None, "time": time, "values": list(rows)}]}
    facts = Facts()
    event = Event("id", "15", "log", "sml.list", f"meter:{METER}", HEARD_US, HEARD_US, payload, b"", {})
    observe(event._replace(**more, payload=payload | ({"flags": list(flags)} if flags else {})), facts)
    return facts


def attributes(facts):
    return {said.attribute: (said.value, said.unit) for said in facts.observations}


@needs_samples
@pytest.mark.parametrize(
    ("name", "point", "readings", "said"),
    [
        (
            "frame1.hex",
            "1DZG0042123440",
            {("1-0:1.8.0", "import", 13_391_000_000), ("1-0:2.8.0", "export", 0)},
            {"status": ("starting voltage-l1 voltage-l2 voltage-l3", "")},
        ),
        (
            "frame2.hex",
            "1HLY0200271520",
            {("1-0:1.8.0", "import", 4_499_896_200), ("1-0:2.8.0", "export", 0)},
            {
                "power": (137, "W"),
                "voltage_l1": (Decimal("234.4"), "V"),
                "current_l2": (Decimal("0.78"), "A"),
                "frequency": (Decimal("50.0"), "Hz"),
                "angle_l3": (273, "°"),
                "firmware": ("1.02.007", ""),
                "firmware_checksum": ("A01A", ""),
                "status": ("starting phase-sequence voltage-l1 voltage-l2 voltage-l3", ""),
            },
        ),
        (
            "frame3.hex",
            "frame3.hex",
            {
                ("1-0:1.8.0", "import", 450_091_899),
                ("1-0:1.8.1", "import", 449_074_899),
                ("1-0:1.8.2", "import", 1_017_000),
                ("1-0:2.8.0", "export", 2_198_000),
            },
            {
                "power": (Decimal("352.89"), "W"),
                "power_l3": (Decimal("243.57"), "W"),
                "manufacturer": ("EBZ", ""),
                "status": ("0x00010180", ""),
            },
        ),
    ],
)
def test_the_samples_say_the_registers_and_the_state_of_their_meters(name, point, readings, said):
    [event] = read(SAMPLES / name, "15", time_us=HEARD_US)
    facts = Facts()
    observe(event, facts)
    assert {(r.obis, r.direction, r.value_mwh) for r in facts.readings} == readings
    assert {(r.point, r.device, r.time_us) for r in facts.readings} == {(point, point, HEARD_US)}
    assert said.items() <= attributes(facts).items()
    assert not facts.rejects
    assert not facts.samples


def test_meters_that_call_themselves_zeros_are_told_apart_by_their_sources():
    raw = encode_telegram({"lists": [{"server": "00" * 10, "name": None, "time": ["index", 7], "values": [row()]}]})
    points = set()
    for source in ("cellar", "attic"):
        [event] = read(raw, "15", source=source, time_us=HEARD_US)
        facts = Facts()
        observe(event, facts)
        points |= {(event.actor, reading.point) for reading in facts.readings}
    assert points == {("meter:cellar", "cellar"), ("meter:attic", "attic")}


def test_a_telegram_through_the_log_says_its_registers_and_power():
    payload = {
        "lists": [
            {
                "server": SERVER,
                "name": None,
                "time": ["index", 7],
                "values": [row(value=123456789), row("1-0:2.8.0", 5), row("1-0:16.7.0", -3500, 27, -1)],
            }
        ]
    }
    raw = encode_telegram(payload)
    decoded = FORMAT.decode(Frame(raw, 0, HEARD_US), Conversation())
    sent = Event("0" * 32, "15", "log", *decoded[:3], HEARD_US, decoded.payload, raw, {})
    facts = Facts()
    observe(from_record(to_record(sent)[1]), facts)
    assert facts.readings == [
        Reading(METER, METER, "1-0:1.8.0", "import", HEARD_US, 12_345_678_900, MEASURED),
        Reading(METER, METER, "1-0:2.8.0", "export", HEARD_US, 500, MEASURED),
    ]
    assert facts.observations == [Observation(f"meter:{METER}", "power", Decimal("-350.0"), "W", HEARD_US)]


@pytest.mark.parametrize(
    ("value", "scaler", "value_mwh"),
    [
        (5, 0, 5000),
        (5, 3, 5_000_000),
        (5, None, 5000),
        (5, -3, 5),
        (25, -4, 2),
        (35, -4, 4),
        (26, -4, 3),
    ],
)
def test_a_register_is_exact_and_rounds_once_below_a_milliwatt_hour(value, scaler, value_mwh):
    facts = said_by(row(value=value, scaler=scaler))
    assert [r.value_mwh for r in facts.readings] == [value_mwh]


@pytest.mark.parametrize(
    ("obis", "unit"),
    [("1-0:1.8.0*97", 30), ("1-0:3.8.0", 32), ("1-0:1.8.0", 13), ("7-0:1.8.0", 30), ("1-0:1.6.0", 27)],
)
def test_what_is_no_active_energy_now_is_no_reading(obis, unit):
    facts = said_by(row(obis, unit=unit))
    assert not facts.readings
    assert list(attributes(facts)) == [f"register/{obis}"]


@pytest.mark.parametrize(("interface", "quality"), [("15", MEASURED), ("47", INDICATIVE)])
def test_what_the_customers_interface_says_is_indicative(interface, quality):
    assert [r.quality for r in said_by(row(), interface=interface).readings] == [quality]


@pytest.mark.parametrize(("interface", "quality"), [("15", PRELIMINARY), ("47", INDICATIVE)])
def test_a_list_that_was_changed_on_its_way_is_preliminary(interface, quality):
    facts = said_by(row(), interface=interface, flags=["message-checksum"])
    assert [r.quality for r in facts.readings] == [quality]


@pytest.mark.parametrize("status", [MANIPULATED, BROKEN, MAGNET])
def test_a_register_whose_status_is_not_valid_is_rejected(status):
    facts = said_by(row(status=status), row("1-0:2.8.0"))
    assert [r.obis for r in facts.readings] == ["1-0:2.8.0"]
    assert [reject.reason for reject in facts.rejects] == ["invalid-status"]


def test_the_status_word_is_told_in_names():
    facts = said_by(row(status=BACKWARDS))
    assert attributes(facts) == {"status": ("negative-sum", "")}
    assert len(facts.readings) == 1


@pytest.mark.parametrize(
    ("list_time", "row_time", "time_us"),
    [
        (None, ["utc", 1774746001], 1774746001 * SECOND_US),
        (None, ["local", 1774746001, 60, 60], 1774746001 * SECOND_US),
        (None, ["index", 1774746001], HEARD_US),
        (["index", 5], None, HEARD_US),
        (None, ["utc", 17], HEARD_US),
    ],
)
def test_a_value_is_from_when_its_clock_says_else_from_when_it_was_heard(list_time, row_time, time_us):
    assert [r.time_us for r in said_by(row(time=row_time), time=list_time).readings] == [time_us]


def test_without_any_time_nothing_is_said_but_that():
    facts = said_by(row(time=["index", 5]), time_us=None)
    assert (facts.all(), [reject.reason for reject in facts.rejects]) == ([], ["no-time"])


def test_a_value_with_a_clock_of_its_own_needs_no_log():
    facts = facts_of(
        encode_telegram(
            {"lists": [{"server": SERVER, "name": None, "time": None, "values": [row(time=["utc", 1774746001])]}]}
        ),
        time_us=None,
    )
    assert [r.time_us for r in facts.readings] == [1774746001 * SECOND_US]


def test_power_is_a_sample_only_where_no_register_is():
    power = row("1-0:16.7.0", -1234, 27, -1)
    assert said_by(power).samples == [Sample(METER, -123_400, HEARD_US, MEASURED)]
    assert said_by(row(), power).samples == []
    assert said_by(row(status=BROKEN), power).samples == []


@pytest.mark.parametrize(
    ("server", "register", "status", "power_w"),
    [
        ("0A01445A470002827A3E", "1-0:16.7.0", GONE, Decimal("356.24")),
        ("0A01445A470002827A3E", "1-0:36.7.0", GONE, Decimal("356.24")),
        ("0A01445A470002827A3E", "1-0:16.7.0", GONE | BACKWARDS, Decimal("-299.12")),
        ("0A01445A470002827A3E", "1-0:56.7.0", GONE | 0x2000, Decimal("-299.12")),
        ("0A01445A470002827A3E", "1-0:16.7.0", 0x182, Decimal("-299.12")),
        ("0A01445A470002827A3E", "1-0:16.7.0", None, Decimal("-299.12")),
        (SERVER, "1-0:16.7.0", GONE, Decimal("-299.12")),
    ],
)
def test_a_power_of_dzg_meters_is_negative_only_where_their_status_says_so(server, register, status, power_w):
    facts = said_by(row(status=status), row(register, 0x8B28 - 0x10000, 27, -2), server=server)
    assert [(said.value, said.unit) for said in facts.observations if said.attribute != "status"] == [(power_w, "W")]


def test_a_power_of_dzg_meters_that_came_in_one_octet_or_in_two_is_rejected():
    facts = said_by(row(status=GONE), row("1-0:16.7.0", -5, 27, -2), server="0A01445A470002827A3E")
    assert [said.attribute for said in facts.observations] == ["status"]
    assert [reject.reason for reject in facts.rejects] == ["ambiguous-sign"]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (row("1-0:16.7.0", 2_000_000, 27, 0), "implausible-power"),
        (row(value=2**60, scaler=3), "implausible-energy"),
        (row("1-0:32.7.0", 230, 35, 13), "implausible-scaler"),
        (row("1-0:3.8.0", 2**64 - 1, 32, 12), "implausible-value"),
        (row(value=-1), "negative-register"),
    ],
)
def test_what_cannot_be_believed_is_rejected_with_its_reason(sent, reason):
    facts = said_by(sent)
    assert (facts.all(), [reject.reason for reject in facts.rejects]) == ([], [reason])


def test_what_the_meters_number_says_is_not_said_again():
    same = (row("1-0:96.1.0", SERVER, None, None), row("1-0:96.50.1*1", "454D48", None, None))
    other = (row("1-0:96.1.0", "0A01454D480000B71B01", None, None), row("1-0:96.50.1*1", "495341", None, None))
    assert attributes(said_by(*same)) == {}
    assert attributes(said_by(*other)) == {"meter_id": ("1EMH0012000001", ""), "manufacturer": ("ISA", "")}


def test_texts_flags_and_unknown_registers_are_told_as_they_are():
    facts = said_by(
        row("1-0:96.1.0", "313233", None, None),
        row("1-0:0.2.0*0", "FF00", None, None),
        row("1-0:96.5.0", GONE, None, None),
        row("1-0:99.1.0", True, None, None),
        row("1-0:99.2.0", [1, 5], None, None),
        row("1-0:99.3.0", None, None, None),
        row("1-0:99.4.0", 7, 99, 0),
    )
    assert attributes(facts) == {
        "meter_id": ("123", ""),
        "firmware": ("FF00", ""),
        "status": ("starting voltage-l1 voltage-l2 voltage-l3", ""),
        "register/1-0:99.1.0": (True, ""),
        "register/1-0:99.4.0": (7, "unit 99"),
    }


def test_an_attention_is_an_observation_of_the_meter():
    facts = facts_of(encode_telegram({"attentions": [{"server": SERVER, "number": "8181C7C7FE03", "text": None}]}))
    assert facts.observations == [Observation(f"meter:{METER}", "attention", "8181C7C7FE03", "", HEARD_US)]


def test_lists_of_several_meters_are_told_of_each():
    facts = facts_of(
        encode_telegram(
            {
                "lists": [
                    {"server": server, "name": None, "time": None, "values": [row()]}
                    for server in (SERVER, "0A01454D480000B71B01")
                ]
            }
        )
    )
    assert [r.point for r in facts.readings] == [METER, "1EMH0012000001"]


def test_a_day_of_a_meter_is_read_and_understood_quickly():
    rows = [row(value=n) for n in range(4)]
    lines = [
        b"2026-03-29T%02d:%02d:00Z s %b\n"
        % (
            minute // 60,
            minute % 60,
            encode_telegram({"lists": [{"server": SERVER, "name": None, "time": None, "values": rows}]}).hex().encode(),
        )
        for minute in range(1440)
    ]
    facts = Facts()
    started = time.process_time()
    for event in read(b"".join(lines), "15"):
        observe(event, facts)
    assert time.process_time() - started < 1
    assert len(facts.readings) == 4 * 1440
