import io
import time
from pathlib import Path

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
    SchemaViolation,
    TooLarge,
    Truncated,
    Unsupported,
    WireError,
)
from schemas.wire.sml import FORMAT, encode_telegram
from schemas.wire.sml.checksums import crc_kermit, crc_x25
from schemas.wire.sml.elements import DEPTH_LIMIT, element, number, octets, sequence
from schemas.wire.sml.transport import TELEGRAM_LIMIT_BYTES, unwrap, wrap
from schemas.wire.sml.writing import Form

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "sml"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")
SERVER = "0A01454D480000B71B00"
METER = "1EMH0012000000"
CLOCK = parse_time("2026-03-29T00:00:00Z")
INDEX = ["index", 88546346]


def row(obis="1-0:1.8.0", value=123456789, unit=30, scaler=-1, status=None, time=None):
    return [obis, value, unit, scaler, status, time]


def payload_of(*rows, server=SERVER, time=INDEX):
    return {"lists": [{"server": server, "name": None, "time": time, "values": list(rows)}]}


USUAL = payload_of(
    row("1-0:96.50.1*1", "454D48", None, None),
    row("1-0:96.1.0", SERVER, None, None),
    row("1-0:1.8.0", 123456789, status=0x1C0104, time=INDEX),
    row("1-0:2.8.0", 987654),
    row("1-0:16.7.0", -350, 27, 0),
)
TELEGRAM = encode_telegram(USUAL)


def decode(raw, **more):
    return FORMAT.decode(Frame(raw, 0, **more), Conversation())


def error_of(raw):
    try:
        decode(raw)
    except WireError as problem:
        return problem
    return None


def pieces(raw):
    return list(FORMAT.split(io.BytesIO(raw)))


def message(body, *, kind=0x0701, checksum=None):
    """A message around a body, with another check sum if one is given."""
    envelope = b"\x76" + octets(b"\1") + b"\x62\0\x62\0\x72" + number(kind, 4) + body
    return envelope + b"\x63" + (checksum or crc_x25(envelope)) + b"\0"


def list_body(*entries, server=b"\x0a\x01EMH\x00\x00\x00\x00\x01", rest=b"\x01\x01"):
    return b"\x77\x01" + octets(server) + b"\x01\x01" + sequence(*entries) + rest


def entry(value=b"\x65\0\0\0\5", *, obis=b"\1\0\1\x08\0\xff", time=b"\x01", status=b"\x01", unit=b"\x62\x1e"):
    return b"\x77" + octets(obis) + status + time + unit + b"\x52\0" + value + b"\x01"


@needs_samples
@pytest.mark.parametrize(
    ("name", "actor", "time", "values"),
    [
        (
            "frame1.hex",
            "meter:1DZG0042123440",
            ["index", 88546346],
            {
                "1-0:96.50.1*1": ("445A47", 0, 0),
                "1-0:1.8.0": (13391, 30, 3),
                "1-0:2.8.0": (0, 30, 3),
            },
        ),
        (
            "frame2.hex",
            "meter:1HLY0200271520",
            None,
            {
                "1-0:1.8.0": (44998962, 30, -1),
                "1-0:2.8.0": (0, 30, -1),
                "1-0:16.7.0": (137, 27, 0),
                "1-0:32.7.0": (2344, 35, -1),
                "1-0:31.7.0": (41, 33, -2),
                "1-0:81.7.26": (273, 8, 0),
                "1-0:14.7.0": (500, 44, -1),
                "1-0:0.2.0*0": ("312E30322E303037", None, None),
            },
        ),
        (
            "frame3.hex",
            "meter:00000000000000000000",
            ["index", 3064820],
            {
                "129-129:199.130.3": ("45425A", None, None),
                "1-0:1.8.0": (45009189911, 30, -5),
                "1-0:1.8.1": (44907489911, 30, -5),
                "1-0:1.8.2": (101700000, 30, -5),
                "1-0:2.8.0": (219800000, 30, -5),
                "1-0:76.7.0": (24357, 27, -2),
            },
        ),
    ],
)
def test_the_samples_say_what_their_meters_showed(name, actor, time, values):
    raw = (SAMPLES / name).read_bytes()
    assert recognise("15", raw[:65536], name) is FORMAT
    [frame] = pieces(raw)
    decoded = decode(frame.raw)
    [found] = decoded.payload["lists"]
    assert (decoded.type, decoded.actor, found["time"]) == ("sml.list", actor, time)
    assert values.items() <= {row[0]: tuple(row[1:4]) for row in found["values"]}.items()
    assert decode(encode_telegram(decoded.payload)).payload["lists"] == decoded.payload["lists"]


@needs_samples
def test_only_the_sample_that_was_made_anonymous_has_messages_that_were_changed():
    flags = {path.name: decode(pieces(path.read_bytes())[0].raw).payload.get("flags") for path in SAMPLES.iterdir()}
    assert flags == {"frame1.hex": None, "frame2.hex": None, "frame3.hex": ["message-checksum"]}


def test_a_telegram_is_about_its_meter():
    decoded = decode(TELEGRAM, time_us=CLOCK)
    assert decoded == ("sml.list", f"meter:{METER}", CLOCK, USUAL)


@pytest.mark.parametrize(
    ("list_time", "row_time", "log_us", "time_us"),
    [
        (INDEX, None, None, None),
        (INDEX, None, CLOCK, CLOCK),
        (None, None, CLOCK, CLOCK),
        (["utc", 1774746000], None, CLOCK, 1774746000_000_000),
        (["local", 1774746000, 60, 60], None, None, 1774746000_000_000),
        (INDEX, ["utc", 1774746000], CLOCK, CLOCK),
        (INDEX, ["utc", 1774746000], None, 1774746000_000_000),
        (["utc", 5000], None, CLOCK, CLOCK),
    ],
)
def test_event_time_is_the_meters_clock_before_the_log_and_never_a_second_index(list_time, row_time, log_us, time_us):
    raw = encode_telegram(payload_of(row(time=row_time), time=list_time))
    assert decode(raw, time_us=log_us).time_us == time_us


def test_a_bare_number_is_a_second_index():
    raw = wrap(message(list_body(entry(time=b"\x65\0\0\0\7"))))
    assert decode(raw).payload["lists"][0]["values"][0][5] == ["index", 7]


@pytest.mark.parametrize(
    ("octets_sent", "value"),
    [
        (b"\x52\xff", -1),
        (b"\x53\xff\xfe", -2),
        (b"\x54\xff\xff\xfd", -3),
        (b"\x55\xff\xff\xff\xfc", -4),
        (b"\x56\xff\xff\xff\xff\xfb", -5),
        (b"\x57\xff\xff\xff\xff\xff\xfa", -6),
        (b"\x59\x80\0\0\0\0\0\0\0", -(2**63)),
        (b"\x62\xff", 255),
        (b"\x63\1\0", 256),
        (b"\x66\1\0\0\0\0", 2**32),
        (b"\x69\xff\xff\xff\xff\xff\xff\xff\xff", 2**64 - 1),
        (b"\x42\x01", True),
        (b"\x42\x00", False),
        (b"\x04abc", "616263"),
        (b"\x01", None),
        (b"\x83\x02" + bytes(48), "00" * 48),
        (b"\x80\x05abc", "616263"),
        (b"\x72\x62\x01\x62\x05", [1, 5]),
    ],
)
def test_every_kind_of_value_is_read(octets_sent, value):
    found = decode(wrap(message(list_body(entry(octets_sent)))))
    assert found.payload["lists"][0]["values"][0][1] == value


def test_what_is_signed_keeps_its_signatures():
    signed = [*row(), {"signature": "AB" * 50}]
    payload = payload_of(signed)
    payload["lists"][0] |= {"signature": "CD" * 48, "gateway_time": ["utc", 1774746000]}
    assert decode(encode_telegram(payload)).payload == payload


def test_a_list_of_many_values_has_a_long_head():
    payload = payload_of(*(row(f"1-0:1.8.{n}") for n in range(200)))
    assert decode(encode_telegram(payload)).payload == payload


def test_several_lists_in_a_telegram_are_kept_apart():
    other = payload_of(row("1-0:2.8.0"), server="0A01454D480000B71B01")
    payload = {"lists": USUAL["lists"] + other["lists"]}
    decoded = decode(encode_telegram(payload))
    assert (decoded.actor, decoded.payload) == (f"meter:{METER}", payload)


def test_the_meters_name_may_stand_in_the_list_alone():
    raw = wrap(message(list_body(entry(octets(bytes.fromhex(SERVER)), obis=b"\1\0\x60\1\0\xff"), server=None)))
    assert decode(raw).actor == f"meter:{METER}"


def test_kermit_check_sums_are_known_and_named():
    telegram = TELEGRAM[:-2]
    assert decode(telegram + crc_kermit(telegram)).payload == USUAL | {"checksum": "kermit"}
    body = message(list_body(entry()))
    assert "flags" not in decode(wrap(body[:-3] + crc_kermit(body[:-4]) + b"\0")).payload


def test_a_check_sum_below_256_may_come_as_one_octet():
    for transaction in range(70_000):
        envelope = b"\x76" + octets(transaction.to_bytes(4)) + b"\x62\0\x62\0\x72" + number(0x0701, 4)
        envelope += list_body(entry())
        high, low = crc_x25(envelope)
        if high == 0:
            break
    assert "flags" not in decode(wrap(envelope + bytes([0x62, low, 0]))).payload


def test_a_message_that_was_changed_inside_a_whole_telegram_is_flagged():
    assert decode(wrap(message(list_body(entry()), checksum=b"xx"))).payload["flags"] == ["message-checksum"]


def test_an_escape_sequence_among_the_values_is_written_twice():
    escape = int.from_bytes(b"\x1b" * 4)
    for value in (escape, escape << 32 | escape, escape << 8 | 0x1B):
        raw = encode_telegram(payload_of(row(value=value)))
        assert raw.count(b"\x1b" * 8) >= 1
        assert pieces(raw) == [Frame(raw, 0)]
        assert decode(raw).payload["lists"][0]["values"][0][1] == value


def test_a_profile_of_periods_becomes_rows():
    header = sequence(sequence(octets(b"\1\0\1\x08\0\xff"), b"\x62\x1e", b"\x52\xff"))
    at = b"\x72\x62\x02" + number(1774746000, 4)
    period = sequence(at, number(4), sequence(sequence(number(77), b"\x01")), b"\x01")
    path = sequence(octets(b"\x81\x81\xc7\x86\x11\xff"))
    body = sequence(
        octets(bytes.fromhex(SERVER)), b"\x01", number(900), path, header, sequence(period), b"\x01", b"\x01"
    )
    decoded = decode(wrap(message(body, kind=0x0301)))
    [found] = decoded.payload["lists"]
    assert (decoded.type, found["period_s"]) == ("sml.profile", 900)
    assert found["values"] == [["1-0:1.8.0", 77, 30, -1, 4, ["utc", 1774746000]]]


def test_a_profile_of_one_period_becomes_rows():
    entries = sequence(sequence(octets(b"\1\0\2\x08\0\xff"), b"\x62\x1e", b"\x52\0", number(5), b"\x01"))
    at = b"\x72\x62\x02" + number(1774746000, 4)
    path = sequence(octets(b"\x81\x81\xc7\x86\x11\xff"))
    body = sequence(octets(bytes.fromhex(SERVER)), b"\x01", number(900), path, at, number(4), entries, b"\x01", b"\x01")
    decoded = decode(wrap(message(body, kind=0x0401)))
    assert decoded.type == "sml.profile"
    assert decoded.payload["lists"][0]["values"] == [["1-0:2.8.0", 5, 30, 0, 4, ["utc", 1774746000]]]


def test_an_attention_is_read():
    attention = {"server": SERVER, "number": "8181C7C7FE03", "text": "6E6F"}
    decoded = decode(encode_telegram({"attentions": [attention]}))
    assert (decoded.type, decoded.payload) == ("sml.attention", {"lists": [], "attentions": [attention]})


ZEROS = "00" * 10


@pytest.mark.parametrize(
    ("server", "rows", "source", "actor"),
    [
        (ZEROS, [row()], "cellar", "meter:cellar"),
        (ZEROS, [row("1-0:96.1.0", ZEROS, None, None)], "cellar", "meter:cellar"),
        (ZEROS, [row("1-0:96.1.0", SERVER, None, None)], "cellar", f"meter:{METER}"),
        (None, [row()], "cellar", "meter:cellar"),
        (ZEROS, [row()], "", f"meter:{ZEROS}"),
        (SERVER, [row()], "cellar", f"meter:{METER}"),
    ],
)
def test_a_meter_without_a_name_is_called_as_its_source(server, rows, source, actor):
    assert decode(encode_telegram(payload_of(*rows, server=server)), source=source).actor == actor


def test_a_message_of_another_kind_beside_a_list_is_named():
    raw = wrap(message(b"\x72\x01\x01", kind=0x0501) + message(list_body(entry())))
    assert decode(raw).payload["not_read"] == ["GetProcParameterResponse"]


LONG = wrap(message(list_body(*[entry(octets(bytes(200)))] * 2000)))
BAD = [
    (b"", BadSyntax),
    (b"\x1b\x1b\x1b\x1b\1\1\1\1", Truncated),
    (TELEGRAM[:-1], Truncated),
    (TELEGRAM[:-8], Truncated),
    (TELEGRAM[1:], BadSyntax),
    (TELEGRAM[:-1] + bytes([TELEGRAM[-1] ^ 1]), BadChecksum),
    (TELEGRAM[:60] + bytes([TELEGRAM[60] ^ 8]) + TELEGRAM[61:], BadChecksum),
    (TELEGRAM + TELEGRAM, BadChecksum),
    (wrap(b""), Unsupported),
    (wrap(message(b"\x71\x01", kind=0x0201)), Unsupported),
    (wrap(message(b"\x71\x01", kind=0x0700)), Unsupported),
    (wrap(b"hello world"), BadSyntax),
    (wrap(b"\0" * 8), BadSyntax),
    (wrap(message(list_body(entry()))[:-9]), Truncated),
    (wrap(message(list_body(entry()))[:-1] + b"\x01"), BadSyntax),
    (wrap(message(b"\x01")), BadSyntax),
    (wrap(message(b"\x76" + b"\x01" * 6)), BadSyntax),
    (wrap(message(b"\x77" + b"\x01" * 7)), BadSyntax),
    (wrap(message(b"\x77\x62\1" + b"\x01" * 3 + b"\x70\x01\x01")), SchemaViolation),
    (wrap(message(b"\x77\x01\x62\1" + b"\x01" * 2 + b"\x70\x01\x01")), SchemaViolation),
    (wrap(message(list_body(entry(), server=None))), SchemaViolation),
    (wrap(message(list_body(b"\x76" + b"\x01" * 6))), SchemaViolation),
    (wrap(message(list_body(entry(obis=b"\1\0\1\x08\0")))), SchemaViolation),
    (wrap(message(list_body(entry(time=b"\x73\x62\1\x62\1\x62\1")))), SchemaViolation),
    (wrap(message(list_body(entry(time=b"\x72\x62\5\x62\1")))), SchemaViolation),
    (wrap(message(list_body(entry(status=b"\x02a")))), SchemaViolation),
    (wrap(message(list_body(entry(unit=b"\x02a")))), SchemaViolation),
    (wrap(message(list_body(entry(b"\x51")))), BadSyntax),
    (wrap(message(list_body(entry(b"\x6a" + bytes(9))))), BadSyntax),
    (wrap(message(list_body(entry(b"\x43ab")))), BadSyntax),
    (wrap(message(list_body(entry(b"\x22a")))), BadSyntax),
    (wrap(message(list_body(entry(b"\x00")))), BadSyntax),
    (wrap(message(list_body(entry(b"\x80\x01")))), BadSyntax),
    (wrap(message(list_body(entry(b"\x80\x52a")))), BadSyntax),
    (wrap(message(list_body(entry(b"\x80\x80\x80\x80\x80\x0aabc")))), BadSyntax),
    (wrap(message(list_body(entry(b"\x8f\x8f\x8f\x0f")))), Truncated),
    (wrap(message(list_body(entry(b"\xff\x8f\x8f\x0f")))), BadSyntax),
    (wrap(message(list_body(entry(b"\x71" * DEPTH_LIMIT + b"\x01")))), TooLarge),
    (wrap(b"\x76\x01\x62\0\x62\0\x72\x42\1\x01\x63\0\0\0"), SchemaViolation),
]


def refilled(telegram, fill):
    """The telegram with another count of octets filled up."""
    telegram = telegram[:-3] + bytes([fill])
    return telegram + crc_x25(telegram)


BAD += [(refilled(TELEGRAM, 200), BadSyntax), (refilled(TELEGRAM, 5), BadSyntax), (refilled(wrap(b""), 4), BadSyntax)]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        decode(raw)
    assert type(problem.value) is error, problem.value
    assert problem.value.detail
    assert 0 <= problem.value.offset <= len(raw)


def test_an_escape_sequence_that_means_nothing_is_refused():
    raw = wrap(b"aaaa\x1b\x1b\x1b\x1b\3\3\3\3")
    raw = raw.replace(b"\x1b" * 8, b"\x1b" * 4)[:-2]
    with pytest.raises(BadSyntax) as problem:
        decode(raw + crc_x25(raw))
    assert problem.value.offset == 12


def test_an_error_says_where_the_bytes_go_wrong():
    raw = wrap(message(list_body(entry(), entry(b"\x22a"))))
    assert raw[error_of(raw).offset] == 0x22


def test_a_stream_is_cut_and_what_is_broken_does_not_stop_it():
    other = encode_telegram(payload_of(row("1-0:2.8.0")))
    raw = b"noise" + TELEGRAM + b"\0\xff" + TELEGRAM[:100] + other + b"\x1b\x1b" + TELEGRAM + TELEGRAM[:50]
    found = pieces(raw)
    assert b"".join(piece.raw for piece in found) == raw
    assert [type(piece.error) if isinstance(piece, Malformed) else len(piece.raw) for piece in found] == [
        BadSyntax,
        len(TELEGRAM),
        BadSyntax,
        Truncated,
        len(other),
        BadSyntax,
        len(TELEGRAM),
        Truncated,
    ]
    assert all(raw[piece.offset :].startswith(piece.raw) for piece in found)


def test_a_telegram_that_never_ends_is_given_up_and_the_next_one_found():
    raw = TELEGRAM[:20] + b"\xff" * (TELEGRAM_LIMIT_BYTES + 100_000) + TELEGRAM
    found = pieces(raw)
    assert b"".join(piece.raw for piece in found) == raw
    assert isinstance(found[0].error, TooLarge)
    assert found[-1].raw == TELEGRAM


def in_lines(digits, width=60):
    return "\n".join(digits[at : at + width] for at in range(0, len(digits), width))


@pytest.mark.parametrize(
    "text",
    [
        TELEGRAM.hex(),
        TELEGRAM.hex().upper() + "\n",
        TELEGRAM.hex(" "),
        in_lines(TELEGRAM.hex()),
        in_lines(TELEGRAM.hex(), 61),
        "\r\n  " + in_lines(TELEGRAM.hex(" "), 48) + "\r\n\r\n",
        "\ufeff" + TELEGRAM.hex(),
    ],
)
def test_hex_digits_are_read_however_they_are_broken(text):
    raw = text.encode()
    assert FORMAT.recognise(raw, "a.hex")
    [frame] = pieces(raw)
    assert frame.raw == TELEGRAM
    assert raw[frame.offset : frame.offset + 2].lower() == b"1b"


def test_several_telegrams_in_hex_have_their_places():
    text = f"{TELEGRAM.hex()}{TELEGRAM.hex(' ')}\n\n{TELEGRAM.hex()}".encode()
    places = [0, 2 * len(TELEGRAM), 5 * len(TELEGRAM) + 1]
    assert [(frame.raw, frame.offset) for frame in pieces(text)] == [(TELEGRAM, place) for place in places]


def test_a_line_that_is_no_hex_is_kept_and_reading_goes_on():
    text = f"{TELEGRAM.hex()}\n# remark\n{TELEGRAM.hex()}\n1b1".encode()
    found = pieces(text)
    assert [piece.raw for piece in found] == [TELEGRAM, b"# remark", TELEGRAM, b"\x1b", b"1"]
    assert [piece.offset for piece in found] == [
        0,
        text.index(b"#"),
        text.index(b"k\n") + 2,
        len(text) - 3,
        len(text) - 1,
    ]


def test_log_lines_give_time_and_source():
    log = f"2026-03-29T00:00:00Z EPPC02 {TELEGRAM.hex()}\n\n2026-03-29T02:00:01+02:00 EPPC03 {TELEGRAM.hex(' ')}\r\n"
    assert FORMAT.recognise(log.encode(), "street.log")
    first, second = pieces(log.encode())
    assert first == Frame(TELEGRAM, log.index("1b1b"), CLOCK, "EPPC02")
    assert (second.raw, second.time_us, second.source) == (TELEGRAM, CLOCK + 1_000_000, "EPPC03")
    assert log[second.offset :].startswith("1b 1b")


def test_a_log_may_begin_with_a_remark():
    log = f"# heard at the meter\n2026-03-29T00:00:00Z s {TELEGRAM.hex()}\n".encode()
    assert FORMAT.recognise(log, "street.log")
    remark, frame = pieces(log)
    assert (remark.raw, frame.raw, frame.source) == (b"# heard at the meter", TELEGRAM, "s")


def test_a_log_line_without_source_and_with_several_telegrams():
    log = f"2026-03-29T00:00:00Z {TELEGRAM.hex()}\n2026-03-29T00:00:00Z s 00{TELEGRAM.hex()}{TELEGRAM.hex()}\n"
    found = pieces(log.encode())
    assert [(frame.raw, frame.source) for frame in found] == [
        (TELEGRAM, ""),
        (b"\0", "s"),
        (TELEGRAM, "s"),
        (TELEGRAM, "s"),
    ]
    assert {frame.time_us for frame in found} == {CLOCK}


def test_a_damaged_telegram_in_a_log_keeps_its_time_and_source():
    [frame] = pieces(f"2026-03-29T00:00:00Z s {TELEGRAM[:50].hex()}".encode())
    assert frame == Frame(TELEGRAM[:50], 23, CLOCK, "s")
    assert isinstance(error_of(frame.raw), Truncated)


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-29T00:00:00Z",
        "2026-03-29T00:00:00 s 1b1b",
        "2026-03-39T00:00:00Z s 1b1b",
        "2026-03-29T00:00:00Z s 1b1",
        "2026-03-29T00:00:00Z s hello",
        "2026-03-29T00:00:00Z s \u00e4",
        "yesterday s 1b1b",
        "0026-03-29T00:00:00Z s 1b1b",
    ],
)
def test_a_log_line_that_cannot_be_read_is_kept_and_reading_goes_on(line):
    good = f"2026-03-29T00:00:00Z s {TELEGRAM.hex()}"
    found = pieces(f"{good}\n{line}\n{good}\n".encode())
    assert [type(piece) for piece in found] == [Frame, Malformed, Frame]
    assert (found[1].raw, found[1].offset) == (line.encode(), len(good) + 1)
    assert isinstance(found[1].error, BadSyntax)


def test_a_line_beyond_the_limit_is_kept_in_stretches():
    good = f"2026-03-29T00:00:00Z s {TELEGRAM.hex()}\n".encode()
    raw = good + b"2026-03-29T00:00:00Z s " + b"1b" * 700_000 + b"\n" + good
    found = pieces(raw)
    assert [piece.raw for piece in (found[0], found[-1])] == [TELEGRAM, TELEGRAM]
    assert {type(piece.error) for piece in found[1:-1]} == {TooLarge}


@pytest.mark.parametrize("head", [b"", b"{}", b"<xml/>", b"hello", b"\x68\x05\x05\x68", b"2026-03-29T00:00:00Z s 68"])
def test_other_files_are_not_recognised(head):
    assert not FORMAT.recognise(head, "a.bin")


def test_a_stream_that_begins_inside_a_telegram_is_recognised():
    assert FORMAT.recognise(TELEGRAM[100:] + TELEGRAM, "port.bin")
    assert FORMAT.recognise((TELEGRAM[100:] * 20 + TELEGRAM).hex().encode(), "port.hex")
    assert FORMAT.recognise(f"2026-03-29T00:00:00Z s 00\n2026-03-29T00:00:00Z s {TELEGRAM.hex()}".encode(), "a.log")


hexes = st.binary(min_size=1, max_size=20).map(lambda octets_sent: octets_sent.hex().upper())
times = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(["index", "utc"]), st.integers(0, 2**32 - 1)).map(list),
    st.tuples(st.just("local"), st.integers(0, 2**32 - 1), *[st.integers(-720, 720)] * 2).map(list),
)
codes = st.tuples(*[st.integers(0, 255)] * 5, st.sampled_from([0xFF, 0, 1])).map(
    lambda c: f"{c[0]}-{c[1]}:{c[2]}.{c[3]}.{c[4]}" + ("" if c[5] == 0xFF else f"*{c[5]}")
)
values = st.one_of(st.integers(-(2**63), 2**64 - 1), st.booleans(), hexes, st.just(int.from_bytes(b"\x1b" * 5)))
rows = st.tuples(
    codes,
    values,
    st.one_of(st.none(), st.integers(0, 255)),
    st.one_of(st.none(), st.integers(-128, 127)),
    st.one_of(st.none(), st.integers(0, 2**64 - 1)),
    times,
).map(list)
lists = st.fixed_dictionaries(
    {"server": hexes, "name": st.one_of(st.none(), hexes), "time": times, "values": st.lists(rows, max_size=20)}
)


@given(st.lists(lists, min_size=1, max_size=3), st.binary(max_size=30))
@settings(max_examples=80, deadline=None)
def test_what_is_written_reads_the_same(found, transaction):
    raw = encode_telegram({"lists": found}, transaction=transaction)
    assert pieces(raw) == [Frame(raw, 0)]
    assert decode(raw).payload == {"lists": found}


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_what_is_wrapped_is_unwrapped(content):
    assert unwrap(wrap(content))[0] == content


@given(st.binary(max_size=100))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_give_named_errors_only(raw):
    for made in (raw, wrap(raw), wrap(message(raw)), wrap(message(list_body(raw)))):
        error = error_of(made)
        assert error is None or error.detail


@given(st.integers(8, len(TELEGRAM) - 9), st.binary(min_size=1, max_size=2))
@settings(max_examples=200, deadline=None)
def test_a_damaged_telegram_is_never_believed(at, damage):
    raw = TELEGRAM[:at] + damage + TELEGRAM[at + len(damage) :]
    error = error_of(raw)
    assert raw == TELEGRAM or error is not None or decode(raw).payload["checksum"] == "kermit"


@given(st.lists(st.one_of(st.just(TELEGRAM), st.binary(max_size=40), st.just(b"\x1b" * 5)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_cutting_loses_nothing(parts):
    raw = b"\0" + b"".join(parts)
    found = pieces(raw)
    assert b"".join(piece.raw for piece in found) == raw
    assert all(piece.raw for piece in found)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_the_short_way_reads_entries_as_the_long_way_does(tail):
    """Entries that fit the usual pattern are what reading them value by value gives."""
    raw = b"\x77" + octets(b"\1\0\1\x08\0\xff") + tail
    try:
        whole, _ = element(raw, 0)
    except WireError:
        return
    body = list_body(raw[: element(raw, 0)[1]])
    found = error_of(wrap(message(body))) or decode(wrap(message(body))).payload["lists"][0]["values"][0]
    if not isinstance(found, WireError) and not isinstance(whole[5], list):
        sent = whole[5].hex().upper() if isinstance(whole[5], bytes) else whole[5]
        assert (found[1], found[2], found[3], found[4]) == (sent, whole[3], whole[4], whole[1])


def test_a_telegram_as_long_as_allowed_is_read_quickly():
    started = time.process_time()
    assert not isinstance(error_of(LONG), BadChecksum)
    pieces(b"\x1b" * 500_000)
    pieces(b"\x1b\x1b\x1b\x1b\1\1\1\1" * 50_000)
    assert time.process_time() - started < 2


def test_a_form_filled_is_the_telegram_written_at_once():
    blanks = (0xB1A2C3D1, 0xB1A2C3D3 << 32, -0x51A2C3D5)

    def payload(index, energy, power):
        return payload_of(row(value=energy), row("1-0:16.7.0", power, 27, 0), time=["index", index])

    form = Form(payload(*blanks)["lists"][0], blanks)
    for numbers in ((1, 25, -1), (0x1B1B1B1B, 0x1B1B1B1B1B1B1B1B, 0x1B1B1B), (0x25256225, 2**63, -(2**31))):
        index, energy, power = numbers
        raw = form.fill(index.to_bytes(4), energy.to_bytes(8), power.to_bytes(4, signed=True))
        assert pieces(raw) == [Frame(raw, 0)]
        assert decode(raw).payload == payload(*numbers)
