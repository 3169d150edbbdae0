import io
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import SECOND_US, SLOT_US, parse_time
from schemas.wire.contract import (
    BadSyntax,
    Conversation,
    Frame,
    Malformed,
    SchemaViolation,
    TooLarge,
    Truncated,
    WireError,
)
from schemas.wire.taf7 import FORMAT, encode_readings, readings_of, register_of
from schemas.wire.taf7.elements import DEPTH_LIMIT, SIZE_LIMIT
from schemas.wire.taf7.status import Ptb, status_word

SAMPLE = Path(__file__).parents[2].parent / "shared" / "samples" / "smgw" / "IF_Adapter_TRuDI_DatenTAF7.xml"
MELO = "DE0005621204300000000000000000007"
START_US = parse_time("2026-03-29T00:00:00Z")
ROOT = '<UsagePoints xmlns="http://vde.de/AR_2418-6.xsd" xmlns:espi="http://naesb.org/espi">'


def decode(raw):
    return FORMAT.decode(Frame(raw, 0), Conversation())


def error_of(raw):
    try:
        decode(raw)
    except WireError as problem:
        return problem
    return None


def frames(raw):
    return list(FORMAT.split(io.BytesIO(raw)))


def point_of(*registers, melo=MELO):
    return readings_of(
        melo=melo,
        smgw="EPPC0210000001",
        customer="c-1",
        invoicing_party="9900987654329",
        tariff="t",
        registers=registers,
    )


def quarter_hours(count, *, obis="1-0:1.8.0", start_us=START_US):
    values = [[start_us + n * SLOT_US, 1000 + n, 0, None] for n in range(count)]
    return register_of(obis=obis, device="1EMH0012000001", values=values)


def message(*, reading="", kind="", block="", point="", meter="<Meter><meterId>1EMH0012000001</meterId></Meter>"):
    """A message of one value; each part can be replaced."""
    kind = kind or "<espi:uom>72</espi:uom><scaler>-1</scaler><obisCode>0100010800ff</obisCode>"
    reading = reading or (
        "<espi:value>639108</espi:value><timePeriod><duration>0</duration>"
        "<start>2026-03-29T01:00:00+01:00</start></timePeriod><statusPTB>0</statusPTB>"
    )
    block = block or f"<IntervalReading>{reading}</IntervalReading>"
    point = point or (
        f"<usagePointId>{MELO}</usagePointId><MeterReading>{meter}<ReadingType>{kind}</ReadingType>"
        f"<IntervalBlock>{block}</IntervalBlock></MeterReading>"
    )
    return f"{ROOT}<UsagePoint>{point}</UsagePoint></UsagePoints>".encode()


def register_in(raw):
    return decode(raw).payload["usage_points"][0]["registers"][0]


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared/samples is not here")
def test_the_sample_is_one_message_of_three_values():
    raw = SAMPLE.read_bytes()
    assert FORMAT.recognise(raw[:65536], SAMPLE.name)
    assert frames(raw) == [Frame(raw, 0)]
    decoded = decode(raw)
    point = decoded.payload["usage_points"][0]
    assert (decoded.type, decoded.actor) == ("taf7.readings", "melo:DE00000000000000000000000000000001")
    assert decoded.time_us == parse_time("2017-06-26T12:00:00+02:00")
    assert (point["flags"], point["tariff"], point["smgw"]["id"]) == (["melo-length"], "HT/NT Tarif", "DNT0017055173")
    register = point["registers"][0]
    assert (register["obis"], register["unit"], register["scaler"]) == ("1-0:1.8.0", "Wh", -1)
    assert [value[1] for value in register["values"]] == [639108, 639118, 639128]
    assert {tuple(value[2:]) for value in register["values"]} == {(0, "0000010500100504")}
    assert [entry["record"] for entry in point["log"]] == [92869, 92873, 92877, 92881, 92885, 92889]


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared/samples is not here")
def test_the_sample_written_again_reads_the_same():
    decoded = decode(SAMPLE.read_bytes())
    assert decode(encode_readings(decoded.payload["usage_points"])) == decoded


def test_several_registers_and_meters_keep_their_names():
    registers = [quarter_hours(2, obis=obis) for obis in ("1-0:1.8.0", "1-0:2.8.0", "1-0:1.8.1", "1-0:1.8.0*1")]
    decoded = decode(encode_readings([point_of(*registers)]))
    found = decoded.payload["usage_points"][0]["registers"]
    assert [register["obis"] for register in found] == ["1-0:1.8.0", "1-0:2.8.0", "1-0:1.8.1", "1-0:1.8.0*1"]


def test_the_register_is_read_from_its_qualified_logical_name():
    name = "<qualifiedLogicalName>0100020800ff.0A01454D48000051971E.sm</qualifiedLogicalName>"
    register = register_in(message(kind=f"<espi:uom>72</espi:uom>{name}", meter=" "))
    assert (register["obis"], register["device"]) == ("1-0:2.8.0", "0A01454D48000051971E")


@pytest.mark.parametrize(
    ("name", "derived"),
    [
        ("1EMH0012000001", None),
        ("1emh0012000001", None),
        ("0A01454D480000B71B01", None),
        ("1 EMH 00 12000001", None),
        ("1EMH0012000002", None),
        ("taf1-7", "taf1-7"),
        ("EDNT0017038437", "EDNT0017038437"),
    ],
)
def test_a_logical_name_that_is_not_the_meters_tells_who_made_the_register(name, derived):
    logical = f"<espi:uom>72</espi:uom><qualifiedLogicalName>0100010800FF.{name}.sm</qualifiedLogicalName>"
    register = register_in(message(kind=logical))
    assert (register["device"], register.get("derived")) == ("1EMH0012000001", derived)
    again = encode_readings([point_of(register)])
    assert register_in(again).get("derived") == derived


@pytest.mark.parametrize("together", [True, False], ids=["in one usage point", "in two"])
def test_a_register_that_contradicts_itself_does_not_take_the_others_with_it(together):
    registers = quarter_hours(2), quarter_hours(3, obis="1-0:2.8.0")
    raw = encode_readings([point_of(*registers)] if together else map(point_of, registers))
    raw = raw.replace(b"<obisCode>0100020800FF", b"<obisCode>0100020801FF").replace(
        b"<obisCode>0100020800ff", b"<obisCode>0100020801ff"
    )
    points = decode(raw).payload["usage_points"]
    found = [(register["obis"], len(register["values"])) for point in points for register in point["registers"]]
    assert found == [("1-0:1.8.0", 2)]
    assert ["name different registers" in detail for detail in points[-1]["contradictions"]] == [True]


def test_values_without_time_follow_each_other_by_the_period():
    block = "<interval><start>2026-03-29T00:00:00Z</start></interval>" + 3 * (
        "<IntervalReading><espi:value>5</espi:value></IntervalReading>"
    )
    kind = "<espi:intervalLength>900</espi:intervalLength><espi:uom>72</espi:uom><obisCode>0100011d00ff</obisCode>"
    times = [value[0] for value in register_in(message(kind=kind, block=block))["values"]]
    assert times == [START_US, START_US + SLOT_US, START_US + 2 * SLOT_US]


def test_what_else_a_value_says_is_kept():
    reading = (
        "<espi:ReadingQuality><espi:quality>8</espi:quality></espi:ReadingQuality><espi:value>5</espi:value>"
        "<timePeriod><duration>900</duration><start>2026-03-29T00:00:02Z</start></timePeriod>"
        "<targetTime>2026-03-29T00:00:00Z</targetTime><signature>AB</signature>"
    )
    more = {"qualities": [8], "duration_s": 900, "target_us": START_US, "signature": "AB"}
    assert register_in(message(reading=reading))["values"] == [[START_US + 2 * SECOND_US, 5, None, None, more]]


def test_a_message_about_several_points_is_about_their_gateway():
    points = [point_of(quarter_hours(1), melo=MELO[:-1] + last) for last in "12"]
    decoded = decode(encode_readings(points))
    assert decoded.actor == "smgw:EPPC0210000001"
    assert len(decoded.payload["usage_points"]) == 2


def test_a_message_without_names_is_about_its_meter():
    kind = "<espi:uom>72</espi:uom><obisCode>0100010800ff</obisCode>"
    meter = "<Meter><meterId>0A01454D48000051971E</meterId></Meter>"
    point = f"<MeterReading>{meter}<ReadingType>{kind}</ReadingType></MeterReading>"
    decoded = FORMAT.decode(Frame(message(point=point), 0, time_us=5), Conversation())
    assert (decoded.actor, decoded.time_us) == ("meter:1EMH0005347102", 5)
    assert decoded.payload["usage_points"][0]["flags"] == ["melo-missing"]


def test_documents_behind_each_other_are_cut_without_loss():
    documents = [encode_readings([point_of(quarter_hours(n))]) for n in (1, 2, 3)]
    documents[1] = b"\xef\xbb\xbf" + documents[1]
    found = frames(b"".join(documents))
    assert [frame.raw for frame in found] == documents
    assert [frame.offset for frame in found] == [0, len(documents[0]), len(documents[0] + documents[1])]


def test_a_document_beyond_the_limit_is_kept_in_stretches():
    raw = b"<UsagePoints>" + b"x" * (2 * SIZE_LIMIT)
    found = frames(raw)
    assert b"".join(piece.raw for piece in found) == raw
    assert {(type(piece), type(piece.error)) for piece in found} == {(Malformed, TooLarge)}


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{}",
        b'<?xml version="1.0"?><Publication_MarketDocument/>',
        b"http://vde.de/AR_2418-6.xsd",
        b"\x1b\x1b\x1b\x1b",
    ],
)
def test_other_files_are_not_recognised(head):
    assert not FORMAT.recognise(head, "file.xml")


def test_a_message_in_utf_16_is_recognised_and_read():
    raw = ('<?xml version="1.0" encoding="utf-16"?>' + message().decode()).encode("utf-16")
    assert FORMAT.recognise(raw, "a.xml")
    assert register_in(raw)["values"][0][1] == 639108


TIME = "<timePeriod><start>2026-03-29T00:00:00Z</start></timePeriod>"
BAD = [
    (b"", Truncated),
    (b"   ", Truncated),
    (message()[:-20], Truncated),
    (b"not xml", BadSyntax),
    (message() + message(), BadSyntax),
    (message().replace(b"</espi:value>", b"</value>"), BadSyntax),
    (b"<UsagePoints/>", BadSyntax),
    (message().replace(b"vde.de", b"example.org"), BadSyntax),
    (b'<!DOCTYPE a [<!ENTITY b "c">]>' + message(), BadSyntax),
    (b'<!DOCTYPE a SYSTEM "file:///etc/passwd">' + message(), BadSyntax),
    (b'<?xml version="1.0" encoding="ebcdic-of-nowhere"?>' + message(), BadSyntax),
    (message().replace(b"639108", b"\xff\xfe"), BadSyntax),
    (message(point="<a>" * DEPTH_LIMIT + "</a>" * DEPTH_LIMIT), TooLarge),
    (message() + b" " * SIZE_LIMIT, TooLarge),
    (f"{ROOT}</UsagePoints>".encode(), SchemaViolation),
    (message(point="<tariffName>t</tariffName>"), SchemaViolation),
    (message(point="<MeterReading/>"), SchemaViolation),
    (message(meter=" "), SchemaViolation),
    (message(kind="<espi:uom>72</espi:uom>"), SchemaViolation),
    (message(kind="<espi:uom>72</espi:uom><obisCode>1-0:1.8.0</obisCode>"), SchemaViolation),
    (
        message(
            kind="<obisCode>0100010800ff</obisCode><qualifiedLogicalName>0100020800ff.M.sm</qualifiedLogicalName>",
        ),
        SchemaViolation,
    ),
    (message(kind="<espi:uom>Wh</espi:uom><obisCode>0100010800ff</obisCode>"), SchemaViolation),
    (message(kind="<scaler>13</scaler><obisCode>0100010800ff</obisCode>"), SchemaViolation),
    (message(kind="<scaler>-32768</scaler><obisCode>0100010800ff</obisCode>"), SchemaViolation),
    (message(reading=TIME), SchemaViolation),
    (message(reading=f"<espi:value>1.5</espi:value>{TIME}"), SchemaViolation),
    (message(reading=f"<espi:value>1_000</espi:value>{TIME}"), SchemaViolation),
    (message(reading=f"<espi:value>{'9' * 16}</espi:value>{TIME}"), SchemaViolation),
    (message(reading="<espi:value>1</espi:value>"), SchemaViolation),
    (
        message(reading="<espi:value>1</espi:value><timePeriod><start>2026-03-29T00:00:00</start></timePeriod>"),
        SchemaViolation,
    ),
    (message(reading="<espi:value>1</espi:value><timePeriod><start>yesterday</start></timePeriod>"), SchemaViolation),
    (message(reading=f"<espi:value>1</espi:value>{TIME}<statusPTB>5</statusPTB>"), SchemaViolation),
    (message(reading=f"<espi:value>1</espi:value>{TIME}<statusPTB>OK</statusPTB>"), SchemaViolation),
    (message(reading=f"<espi:value>1</espi:value>{TIME}<targetTime>noon</targetTime>"), SchemaViolation),
]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        decode(raw)
    assert type(problem.value) is error
    assert problem.value.detail


def test_an_error_says_where_the_bytes_go_wrong():
    raw = message().replace(b"</espi:value>", b"\n</value>")
    with pytest.raises(BadSyntax) as problem:
        decode(raw)
    assert raw[problem.value.offset :].startswith((b"</value>", b"value>"))


@pytest.mark.parametrize(
    ("melo", "flags"),
    [(MELO, []), ("DE0005621204300000000000000000", ["melo-length"]), ("AT" + MELO[2:], ["melo-format"])],
)
def test_a_strange_melo_is_reported_and_not_refused(melo, flags):
    assert decode(encode_readings([point_of(quarter_hours(1), melo=melo)])).payload["usage_points"][0]["flags"] == flags


@pytest.mark.parametrize(
    ("party", "flags"),
    [("9900987654329", []), ("9900987654328", ["invoicing-party-check-digit"]), ("a supplier", [])],
)
def test_a_wrong_code_of_the_supplier_is_reported_and_not_refused(party, flags):
    point = point_of(quarter_hours(1)) | {"invoicing_party": party}
    assert decode(encode_readings([point])).payload["usage_points"][0]["flags"] == flags


def test_what_is_not_read_is_named():
    raw = message().replace(b"<usagePointId>", b"<AnalysisProfile/><usagePointId>")
    assert decode(raw).payload["usage_points"][0]["flags"] == ["not-read:AnalysisProfile"]


@pytest.mark.parametrize(
    ("word", "ptb"),
    [
        ("A000000020000000", Ptb.NO_ERROR),
        ("0000000500000004", Ptb.NO_ERROR),
        ("A008000020000000", Ptb.WARNING),
        ("A004000020000000", Ptb.TEMPORARY_ERROR),
        ("0000200500000004", Ptb.TEMPORARY_ERROR),
        ("A040000020000000", Ptb.CRITICAL_TEMPORARY_ERROR),
        ("0000400500000004", Ptb.CRITICAL_TEMPORARY_ERROR),
        ("0000000500000204", Ptb.CRITICAL_TEMPORARY_ERROR),
        ("0000000500000404", Ptb.CRITICAL_TEMPORARY_ERROR),
        ("A084000020000000", Ptb.FATAL_ERROR),
        ("0000000500020004", Ptb.FATAL_ERROR),
        ("00020005FFFFFFFF", Ptb.NO_ERROR),
    ],
)
def test_the_status_follows_from_the_bits_in_either_order(word, ptb):
    assert status_word(word).ptb == ptb


@pytest.mark.parametrize(
    "word", ["", "0", "0000000000000000", "FFFFFFFFFFFFFFFF", "0x00000500000004", "A0000000200000000"]
)
def test_a_word_without_identification_says_nothing(word):
    assert status_word(word) is None


texts = st.text("ab<>&'\"äß €", min_size=1, max_size=8).filter(lambda text: text == text.strip())
values = st.tuples(
    st.integers(0, 10**9).map(lambda n: n * SECOND_US),
    st.integers(-(2**47), 2**47),
    st.one_of(st.none(), st.integers(0, 4)),
    st.one_of(st.none(), st.just("A000000020000000")),
).map(list)
registers = st.builds(
    register_of,
    obis=st.sampled_from(["1-0:1.8.0", "1-0:2.8.2", "1-1:16.7.0", "1-0:1.8.0*3"]),
    device=st.sampled_from(["1EMH0012000001", "0A01454D48000051971E"]),
    values=st.lists(values, max_size=4),
    scaler=st.integers(-12, 12),
    unit=st.sampled_from(["Wh", "W", "varh", "uom 159"]),
    reading_id=texts,
)
points = st.builds(
    readings_of,
    melo=st.just(MELO),
    smgw=texts,
    customer=texts,
    invoicing_party=texts,
    tariff=texts,
    registers=st.lists(registers, max_size=3),
)


@given(st.lists(points, min_size=1, max_size=2))
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_the_same(usage_points):
    assert decode(encode_readings(usage_points)).payload["usage_points"] == usage_points


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_give_named_errors_only(raw):
    with pytest.raises(WireError):
        decode(raw)


@given(st.integers(0, len(message()) - 1), st.binary(min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_damaged_message_decodes_or_gives_a_named_error(at, damage):
    raw = message()
    error = error_of(raw[:at] + damage + raw[at + len(damage) :])
    assert error is None or error.detail


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=100, deadline=None)
def test_cutting_loses_nothing_but_blank_ends(raw, behind):
    raw = message() + raw if behind else raw
    assert b"".join(piece.raw for piece in frames(raw)).strip() == raw.strip()


def test_a_month_of_two_registers_is_read_quickly():
    raw = encode_readings([point_of(quarter_hours(2976), quarter_hours(2976, obis="1-0:2.8.0"))])
    started = time.process_time()
    decoded = decode(raw)
    assert time.process_time() - started < 2
    assert sum(len(register["values"]) for register in decoded.payload["usage_points"][0]["registers"]) == 5952
