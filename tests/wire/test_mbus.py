import io
import struct
import time
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.interfaces import recognise
from schemas.time import parse_time
from schemas.wire.contract import (
    BadChecksum,
    BadSyntax,
    Conversation,
    Frame,
    Malformed,
    MissingContext,
    Truncated,
    Unsupported,
    WireError,
)
from schemas.wire.mbus import FORMAT, encode_frame
from schemas.wire.mbus.link import wrap
from schemas.wire.mbus.units import meaning
from schemas.wire.mbus.values import bcd, real

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "mbus"
NAMES = ("abb_delta", "eastron_sdm630", "electricity-meter-1", "nzr_dhz_5_63")
HEARD_US = parse_time("2026-03-29T00:00:00Z")
QUANTITIES = {
    "Energy": "energy",
    "Voltage": "voltage",
    "Current": "current",
    "Power": "power",
    "Dimensionless": "dimensionless",
    "Fabrication No": "fabrication_number",
    "Error flags": "error_flags",
    "Manufacturer specific": "manufacturer_specific",
}


def record(value=5, *, coding="int32", block="03", **more):
    said = meaning(bytes.fromhex(block))
    exponent = said.exponent if isinstance(value, int) else 0
    fields = {"direction": said.direction, "extension": said.extension}
    found = {"quantity": said.quantity, "unit": said.unit, "value": value, "exponent": exponent}
    found |= {"coding": coding, "block": block} | {name: text for name, text in fields.items() if text}
    return found | more


def payload_of(*records, **more):
    who = {"address": 5, "meter": "1NZR0130100608", "number": "30100608", "manufacturer": "NZR", "version": 1}
    return {**who, "medium": 2, "access": 1, "status": 0, "records": list(records)} | more


USUAL = payload_of(record(1274), record(2372, coding="int16", block="fd48"), record(-100, coding="int16", block="2b"))
FRAME = encode_frame(USUAL)
HEADER = FRAME[6:19]


def decode(raw, conversation=None, **more):
    return FORMAT.decode(Frame(raw, 0, **more), conversation or Conversation())


def error_of(raw):
    try:
        decode(raw)
    except WireError as problem:
        return problem
    return None


def pieces(raw):
    return list(FORMAT.split(io.BytesIO(raw)))


def answer(data, *, header=HEADER, control=0x08):
    """An answer with these octets as records."""
    return wrap(control, 5, header + bytes(data))


def record_in(data):
    [found] = decode(answer(data)).payload["records"]
    return found


@pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
@pytest.mark.parametrize("name", NAMES)
def test_the_samples_say_what_stands_beside_them(name):
    raw = (SAMPLES / f"{name}.hex").read_bytes()
    assert recognise("15", raw[:65536], f"{name}.hex") is FORMAT
    [frame] = pieces(raw)
    payload = decode(frame.raw).payload
    expected = ET.parse(SAMPLES / f"{name}.norm.xml").getroot()
    slave = expected.find("SlaveInformation")
    assert payload["number"].lstrip("0") == slave.findtext("Id")
    assert payload["manufacturer"] == slave.findtext("Manufacturer")
    assert payload["version"] == int(slave.findtext("Version"))
    assert payload["access"] == int(slave.findtext("AccessNumber"))
    expected_records = [found for found in expected.findall("DataRecord") if found.findtext("Quantity")]
    for found, wanted in zip(payload["records"], expected_records, strict=True):
        assert found["quantity"] == QUANTITIES[wanted.findtext("Quantity")]
        assert found["unit"] == wanted.findtext("Unit")
        assert Decimal(found["value"]).scaleb(found["exponent"]) == Decimal(wanted.findtext("Value"))
        assert found.get("storage", 0) == int(wanted.findtext("StorageNumber"))
        assert found.get("tariff", 0) == int(wanted.findtext("Tariff") or 0)
        assert found.get("device", 0) == int(wanted.findtext("Device") or 0)
    more = [found.findtext("Function") for found in expected.findall("DataRecord") if not found.findtext("Quantity")]
    assert payload.get("more", False) == ("More records follow" in more)
    assert decode(encode_frame(payload)).payload == payload


def test_an_answer_is_about_its_meter():
    assert decode(FRAME, time_us=HEARD_US) == ("mbus.data", "meter:1NZR0130100608", HEARD_US, USUAL)


@pytest.mark.parametrize(
    ("data", "value", "exponent"),
    [
        ("00 03", None, 0),
        ("01 03 ff", -1, 0),
        ("02 03 feff", -2, 0),
        ("03 03 fdffff", -3, 0),
        ("04 03 01000080", -(2**31) + 1, 0),
        ("06 03 010000000000", 1, 0),
        ("07 03 ffffffffffffff7f", 2**63 - 1, 0),
        ("05 03 9a196643", 2301, -1),
        ("05 06 cdcccc3d", 1, 2),
        ("05 03 00000000", 0, 0),
        ("05 03 000000bf", -5, -1),
        ("09 03 99", 99, 0),
        ("0a 03 3412", 1234, 0),
        ("0b 03 3412f0", -1234, 0),
        ("0c 04 52120000", 1252, 1),
        ("0e 03 563412000000", 123456, 0),
        ("0d 03 c2 3412", 1234, 0),
        ("0d 03 d2 3412", -1234, 0),
        ("0d 78 03 333231", "123", 0),
        ("0d 78 e2 3412", "3412", 0),
        ("02 fd48 4409", 2372, -1),
        ("01 8275 05", 5, -2),
        ("01 8375 05", 5, -1),
        ("01 837d 05", 5, 3),
        ("01 fb01 05", 5, 6),
        ("01 fb2c 05", 5, -3),
    ],
)
def test_every_coding_of_a_number_is_exact(data, value, exponent):
    found = record_in(bytes.fromhex(data))
    assert (found["value"], found["exponent"]) == (value, exponent)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("02 6c 7d33", "2027-03-29"),
        ("04 6d 0d2a7d33", "2027-03-29T10:13"),
        ("04 6d 0d0a7d33", "2027-03-29T10:13"),
        ("06 6d 050d0a7d3300", "2027-03-29T10:13:05"),
        ("03 6d 050d0a", "10:13:05"),
        ("04 6d 8d0a7d33", None),
        ("02 6c 0000", None),
        ("02 6c ffff", None),
        ("04 6d 3c0a7d33", None),
    ],
)
def test_dates_are_local_text_or_nothing(data, value):
    found = record_in(bytes.fromhex(data))
    assert found["value"] == value
    assert ("invalid" in found) == (value is None)


@pytest.mark.parametrize("data", ["0c 03 a2120000", "05 03 0000c07f", "05 03 0000807f"])
def test_what_is_no_number_keeps_its_bytes(data):
    found = record_in(bytes.fromhex(data))
    assert found["value"] is None
    assert bytes.fromhex(found["invalid"])[::-1] == bytes.fromhex(data)[2:]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("81 10 03 05", {"tariff": 1}),
        ("81 90 10 03 05", {"tariff": 5}),
        ("c1 01 03 05", {"storage": 3}),
        ("81 81 01 03 05", {"storage": 2 + 32}),
        ("81 40 03 05", {"device": 1}),
        ("81 80 40 03 05", {"device": 2}),
        ("11 03 05", {"function": "maximum"}),
        ("21 03 05", {"function": "minimum"}),
        ("31 03 05", {"function": "error"}),
        ("01 833c 05", {"direction": "export"}),
        ("01 833b 05", {"direction": "import"}),
        ("01 8300 05", {}),
        ("01 837f 05", {"extension": "7f"}),
        ("01 83ff01 05", {"extension": "ff01"}),
        ("01 8315 05", {"extension": "15"}),
    ],
)
def test_what_sets_a_value_apart_is_told(data, said):
    found = record_in(bytes.fromhex(data))
    names = ("storage", "tariff", "device", "function", "direction", "extension")
    assert {name: found[name] for name in names if name in found} == said


@pytest.mark.parametrize(
    ("block", "quantity", "unit"),
    [
        ("7b", "code_7b", ""),
        ("fb7e", "code_fb7e", ""),
        ("fd7e", "code_fd7e", ""),
        ("6f", "code_6f", ""),
        ("7f", "manufacturer_specific", ""),
        ("21", "on_time", "min"),
        ("7c02687a", "text_unit", "zh"),
        ("fc02687a3c", "text_unit", "zh"),
        ("14", "volume", "m³"),
        ("fb02", "reactive_energy", "varh"),
    ],
)
def test_units_come_from_the_tables_and_unknown_codes_have_names(block, quantity, unit):
    found = record_in(bytes.fromhex(f"01{block}05"))
    assert (found["quantity"], found["unit"], found["value"]) == (quantity, unit, 5)


def test_the_most_significant_octet_may_come_first():
    header = bytes([0x76]) + bytes.fromhex("30100608 3b52 01 02 01 00 0000")
    found = decode(answer(bytes.fromhex("02 fd48 0944 0d 78 03 313233"), header=header)).payload
    assert (found["meter"], [entry["value"] for entry in found["records"]]) == ("1NZR0130100608", [2372, "123"])


def test_a_short_header_means_the_meter_that_spoke_from_there_before():
    conversation = Conversation()
    short = answer(bytes.fromhex("01 03 05"), header=bytes.fromhex("7a 02 00 0000"))
    bare = answer(bytes.fromhex("01 03 05"), header=b"\x78")
    for raw in (short, bare):
        assert isinstance(error_of(raw), MissingContext)
    decode(FRAME, conversation)
    assert decode(short, conversation).actor == "meter:1NZR0130100608"
    assert decode(bare, conversation).payload["medium"] == 2


@pytest.mark.parametrize("word", [0x1600, 0xFFFF])
def test_a_word_that_is_no_mode_of_encryption_is_an_old_meters_signature(word):
    payload = decode(answer(FRAME[19:-2], header=HEADER[:-2] + word.to_bytes(2, "little"))).payload
    assert payload == USUAL | {"signature": word}
    assert decode(encode_frame(payload)).payload == payload


def test_a_meter_that_was_never_given_its_makers_code_is_read():
    decoded = decode(answer(FRAME[19:-2], header=HEADER[:5] + b"\0\0" + HEADER[7:]))
    assert (decoded.actor, decoded.payload["records"]) == ("meter:1@@@0130100608", USUAL["records"])
    assert decode(encode_frame(decoded.payload)).payload == decoded.payload


def test_a_filler_is_passed_over_and_what_the_maker_adds_is_kept():
    payload = decode(answer(bytes.fromhex("2f2f 01 03 05 2f 0f abcd"))).payload
    assert (len(payload["records"]), payload["manufacturer_data"]) == (1, "abcd")
    assert decode(answer(bytes.fromhex("1f"))).payload["more"] is True


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("e5", {"kind": "acknowledgement"}),
        ("68040468080570088516", {"kind": "application-error", "address": 5, "error": "busy"}),
        ("680303680805707d16", {"kind": "application-error", "address": 5, "error": "unspecified"}),
        ("6804046808057063e016", {"kind": "application-error", "address": 5, "error": "error 99"}),
        ("10 5b 05 60 16", {"kind": "REQ_UD2", "address": 5}),
        ("10 7b 05 80 16", {"kind": "REQ_UD2", "address": 5}),
        ("10 40 05 45 16", {"kind": "SND_NKE", "address": 5}),
    ],
)
def test_what_the_gateway_asks_is_about_the_gateway(raw, said):
    decoded = decode(bytes.fromhex(raw), source="EPPC02")
    assert (decoded.type, decoded.actor, decoded.payload) == ("mbus.link", "smgw:EPPC02", said)


BAD = [
    (b"", BadSyntax),
    (b"\x68", BadSyntax),
    (FRAME[:-1], Truncated),
    (FRAME[:-2], Truncated),
    (FRAME + b"\x16", BadSyntax),
    (FRAME[:-1] + b"\x17", BadSyntax),
    (FRAME[:-2] + bytes([FRAME[-2] ^ 1]) + b"\x16", BadChecksum),
    (FRAME[:20] + bytes([FRAME[20] ^ 1]) + FRAME[21:], BadChecksum),
    (b"\x10\x5b\x05\x61\x16", BadChecksum),
    (b"\x10\x5b\x05\x60\x17", BadSyntax),
    (answer(b"", control=0x53), Unsupported),
    (answer(b"", header=b"\x73" + HEADER[1:]), Unsupported),
    (answer(b"", header=b"\x51"), Unsupported),
    (answer(b"", header=HEADER[:-2] + b"\x00\x05"), Unsupported),
    (answer(b"", header=HEADER[:-2] + b"\x00\x0f"), Unsupported),
    (answer(b"", header=HEADER[:9]), Truncated),
    (answer(b"", header=HEADER[:12]), Truncated),
    (answer(b"", header=b"\x7a\x01"), Truncated),
    (answer(b"", header=HEADER[:5] + b"\xff\xff" + HEADER[7:]), BadSyntax),
    (answer(b"\x04"), Truncated),
    (answer(b"\x84"), Truncated),
    (answer(b"\x04\x83"), Truncated),
    (answer(b"\x04\x03\1\2\3"), Truncated),
    (answer(b"\x0d\x03"), Truncated),
    (answer(b"\x0d\x03\x05ab"), Truncated),
    (answer(b"\x0d\x03\xcb"), BadSyntax),
    (answer(b"\x0d\x03\xf7"), BadSyntax),
    (answer(b"\x04\x7c"), Truncated),
    (answer(b"\x04\x7c\x05ab"), Truncated),
    (answer(b"\x84" * 13), BadSyntax),
    (answer(b"\x04" + b"\x83" * 13), BadSyntax),
    (answer(b"\x3f"), BadSyntax),
]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        decode(raw)
    assert type(problem.value) is error, problem.value
    assert problem.value.detail
    assert 0 <= problem.value.offset <= len(raw)


def test_an_error_says_where_the_bytes_go_wrong():
    raw = answer(bytes.fromhex("01 03 05 3f"))
    assert raw[error_of(raw).offset] == 0x3F


def test_a_stream_is_cut_and_what_is_broken_does_not_stop_it():
    request = b"\x10\x5b\x05\x60\x16"
    raw = b"\xe5" + request + FRAME + b"noise" + FRAME[:30] + FRAME + request[:3] + FRAME[:9]
    found = pieces(raw)
    assert b"".join(piece.raw for piece in found) == raw
    assert all(raw[piece.offset :].startswith(piece.raw) for piece in found)
    kinds = [type(piece.error) if isinstance(piece, Malformed) else len(piece.raw) for piece in found]
    assert kinds == [1, 5, len(FRAME), BadSyntax, Truncated, len(FRAME), BadSyntax, Truncated]


@pytest.mark.parametrize("text", [FRAME.hex(), FRAME.hex(" ").upper(), "\n" + FRAME.hex(" ", 8) + " \n"])
def test_hex_digits_are_read_however_they_are_broken(text):
    raw = text.encode()
    assert FORMAT.recognise(raw, "a.hex")
    assert [frame.raw for frame in pieces(raw)] == [FRAME]


def test_log_lines_give_time_and_source():
    log = f"2026-03-29T00:00:00Z EPPC02 105b056016\n2026-03-29T00:00:00Z EPPC02 {FRAME.hex(' ')}\n".encode()
    assert FORMAT.recognise(log, "street.log")
    assert [(frame.raw, frame.time_us, frame.source) for frame in pieces(log)] == [
        (b"\x10\x5b\x05\x60\x16", HEARD_US, "EPPC02"),
        (FRAME, HEARD_US, "EPPC02"),
    ]


SHORT = bytes.fromhex("1040014116"), bytes.fromhex("105b056016")


@pytest.mark.parametrize(
    "log",
    [
        SHORT[0] + b"\xe5" + SHORT[1],
        b"\xe5" + SHORT[0] + SHORT[1][:2],
        SHORT[0].hex(" ").encode() + b"\nE5\n",
        b"2026-03-29T00:00:00Z EPPC02 1040014116\n2026-03-29T00:00:00Z NR e5\n",
    ],
)
def test_a_log_in_which_no_meter_ever_answered_is_recognised(log):
    assert recognise("15", log, "silent.log") is FORMAT
    assert pieces(log)[0].raw in {SHORT[0], b"\xe5"}


@pytest.mark.parametrize(
    "head", [b"\xe5", b"e5", SHORT[0][:4], b"\x10\x40\1\x42\x16", SHORT[0] + b"noise", b"1040014216"]
)
def test_what_only_resembles_a_short_frame_is_not_recognised(head):
    assert not FORMAT.recognise(head, "a.bin")


@pytest.mark.parametrize("head", [b"", b"{}", b"\x1b\x1b\x1b\x1b\1\1\1\1", b"1b1b1b1b01010101", b"\x68\1\1\x68"])
def test_other_files_are_not_recognised(head):
    assert not FORMAT.recognise(head, "a.bin")


numbers = {"int8": 1, "int16": 2, "int24": 3, "int32": 4, "int48": 6, "int64": 8}
digits = {"bcd2": 2, "bcd4": 4, "bcd6": 6, "bcd8": 8, "bcd12": 12}
blocks = st.sampled_from(["03", "04", "fd48", "2b", "8300", "833c", "83ff01", "fc02687a3c", "8375", "7f", "fb2d"])
places = st.fixed_dictionaries(
    {},
    optional={
        "function": st.sampled_from(["maximum", "minimum", "error"]),
        "storage": st.integers(1, 2**41 - 1),
        "tariff": st.integers(1, 2**20 - 1),
        "device": st.integers(1, 2**10 - 1),
    },
)
fields = st.one_of(
    st.sampled_from(sorted(numbers)).flatmap(
        lambda c: st.tuples(st.just(c), st.integers(-(2 ** (8 * numbers[c] - 1)), 2 ** (8 * numbers[c] - 1) - 1))
    ),
    st.sampled_from(sorted(digits)).flatmap(
        lambda c: st.tuples(st.just(c), st.integers(-(10 ** (digits[c] - 1)) + 1, 10 ** digits[c] - 1))
    ),
    st.tuples(st.just("text"), st.text(st.characters(max_codepoint=255), max_size=20)),
    st.tuples(st.just("bcd+"), st.integers(0, 10**18 - 1)),
    st.tuples(st.just("bcd-"), st.integers(-(10**18) + 1, -1)),
    st.tuples(st.just("binary"), st.binary(max_size=15).map(bytes.hex)),
    st.tuples(st.just("none"), st.none()),
)
records = st.tuples(fields, blocks, places).map(lambda f: record(f[0][1], coding=f[0][0], block=f[1]) | f[2])
payloads = st.lists(records, max_size=4).map(lambda found: payload_of(*found))


@given(payloads, st.booleans(), st.binary(max_size=5))
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_the_same(payload, more, rest):
    payload = payload | ({"more": True} if more else {}) | ({"manufacturer_data": rest.hex()} if rest else {})
    raw = encode_frame(payload)
    assert pieces(raw) == [Frame(raw, 0)]
    assert decode(raw).payload == payload


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(max_examples=100, deadline=None)
def test_a_real_is_the_shortest_decimal_that_is_no_other_real(number):
    octets = struct.pack("<f", number)
    found = real(octets)
    again = float(Decimal(found.value).scaleb(found.exponent))
    assert struct.pack("<f", again) == octets or number == 0
    assert len(str(abs(found.value))) <= 9


@given(st.integers(0, 99_999_999))
@settings(max_examples=100, deadline=None)
def test_digits_are_read_as_they_stand(number):
    assert bcd(bytes.fromhex(f"{number:08d}")[::-1]).value == number


@given(st.datetimes(datetime(2000, 1, 1), datetime(2080, 12, 31)))  # noqa: DTZ001 -- a meter's clock has no zone
@settings(max_examples=100, deadline=None)
def test_points_in_time_are_written_and_read(moment):
    for coding, text in (
        ("int16", moment.date().isoformat()),
        ("int32", moment.isoformat(timespec="minutes")),
        ("int24", moment.time().replace(microsecond=0).isoformat()),
    ):
        payload = payload_of(record(text, coding=coding, block="6c" if coding == "int16" else "6d"))
        assert decode(encode_frame(payload)).payload == payload


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_arbitrary_bytes_give_named_errors_only(raw):
    for made in (raw, wrap(0x08, 1, raw or b"\0"), answer(raw), answer(raw, header=b"\x76" + HEADER[1:])):
        error = error_of(made)
        assert error is None or error.detail


heard = st.one_of(st.sampled_from([FRAME, b"\xe5", b"\x68\5\5\x68"]), st.binary(max_size=20))


@given(st.lists(heard, max_size=6))
@settings(max_examples=100, deadline=None)
def test_cutting_loses_nothing(parts):
    raw = b"\0" + b"".join(parts)
    found = pieces(raw)
    assert b"".join(piece.raw for piece in found) == raw
    assert all(piece.raw for piece in found)


def test_hostile_streams_are_cut_quickly():
    started = time.process_time()
    for raw in (b"\x68\xff\xff\x68" * 100_000, b"\x68" * 300_000, b"\x10" * 300_000, bytes(300_000)):
        pieces(raw)
    assert time.process_time() - started < 4
