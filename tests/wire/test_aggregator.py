import io
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import SLOT_US, parse_time
from schemas.wire.aggregator import FORMAT, encode_csv, encode_json
from schemas.wire.aggregator.reading import KINDS, VALUE_LIMIT
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
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

START_US = parse_time("2026-10-25T00:00:00Z")
CREATED_US = parse_time("2026-10-24T10:00:00Z")


def series(kind="max_power", unit="kW", place="pool-1", values=("11", "-7.50")):
    told = [[START_US + n * SLOT_US, Decimal(value)] for n, value in enumerate(values) if value is not None]
    return {"object": place, "kind": kind, "unit": unit, "values": told}


def message(*listed, **more):
    head = {"document": "F-17", "sender": "fleet-1", "receiver": "vpp-1", "created_us": CREATED_US} | more
    return {**head, "series": list(listed) or [series()]}


def decode(raw, **frame):
    raw = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return FORMAT.decode(Frame(raw, 0, **frame), Conversation())


def pieces(raw):
    return list(FORMAT.split(io.BytesIO(raw)))


def test_json_written_by_hand_is_read():
    decoded = decode(
        {
            "document": "F-17",
            "created": "2026-10-24T12:00:00+02:00",
            "sender": "fleet-1",
            "receiver": "vpp-1",
            "series": [
                {
                    "kind": "max_power",
                    "object": "pool-1",
                    "unit": "kW",
                    "start": "2026-10-25T02:00:00+02:00",
                    "values": [11, None, -7.5],
                }
            ],
        }
    )
    assert (decoded.type, decoded.actor) == ("aggregator.series", "technical-aggregator:fleet-1")
    assert decoded.time_us == CREATED_US
    assert decoded.payload == message(series(values=("11", None, "-7.5")))


CSV_OF_ONE_VALUE = b"""start;object;kind;unit;value;sender;created\r
2026-10-25T00:15:00Z;pool-1;sold;kWh;1,5;vpp-1;2026-10-24T10:00:00Z\r
2026-10-25T00:00:00Z;pool-1;sold;kWh;0;vpp-1;2026-10-24T10:00:00Z\r
"""
CSV_OF_MANY = b"""\xef\xbb\xbfstart,object,max_power [kW],price [EUR/MWh]
2026-10-25T00:00:00Z,pool-1,11,-0.5
2026-10-25T00:15:00Z,pool-1,,80
"""


def test_csv_with_a_value_a_row_and_a_decimal_comma_is_read():
    decoded = decode(CSV_OF_ONE_VALUE)
    assert decoded.actor == "commercial-aggregator:vpp-1"
    expected = series("sold", "kWh", values=("0", "1.5"))
    assert decoded.payload == message(expected, document="", sender="vpp-1", receiver="")


def test_csv_with_a_column_a_kind_is_read():
    decoded = decode(CSV_OF_MANY, source="vpp-9", time_us=5)
    assert (decoded.actor, decoded.time_us) == ("commercial-aggregator:vpp-9", 5)
    assert decoded.payload["series"] == [
        series("max_power", "kW", values=("11",)),
        series("price", "EUR/MWh", values=("-0.5", "80")),
    ]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_both_forms_say_the_same(delimiter):
    said = message(series(), series("price", "ct/kWh", values=("28.510", "1")))
    assert decode(encode_csv(said, delimiter)).payload == decode(encode_json(said)).payload == said


def test_json_is_one_message_a_line_and_csv_one_a_file():
    lines = [encode_json(message()), encode_json(message(document="F-18"))]
    assert [piece.raw for piece in pieces(b"\n".join(lines))] == lines
    assert [piece.raw for piece in pieces(CSV_OF_MANY)] == [CSV_OF_MANY]


def test_csv_beyond_the_limit_is_kept_in_stretches():
    raw = CSV_OF_ONE_VALUE + b"x" * FRAME_LIMIT_BYTES
    found = pieces(raw)
    assert b"".join(piece.raw for piece in found) == raw
    assert {type(piece) for piece in found} == {Malformed}


@pytest.mark.parametrize(
    ("head", "is_known"),
    [
        (b"", False),
        (b"<xml/>", False),
        (b"a;b;c\n", False),
        (b'"start","object"\n', True),
        (CSV_OF_MANY, True),
        (b"{", True),
    ],
)
def test_files_are_recognised_by_their_first_bytes(head, is_known):
    assert FORMAT.recognise(head, "file") is is_known


def changed(**more):
    said = json.loads(encode_json(message()))
    said["series"][0] |= more
    said["series"][0] = {name: value for name, value in said["series"][0].items() if value != "-"}
    return said


def cells(old, new, raw=CSV_OF_ONE_VALUE):
    assert old in raw
    return raw.replace(old, new, 1)


BAD = [
    (b"", SchemaViolation),
    (b"{", Truncated),
    (b"[]", SchemaViolation),
    ({}, SchemaViolation),
    ({"series": [1]}, SchemaViolation),
    ({"series": []}, SchemaViolation),
    (changed(values=[None]), SchemaViolation),
    (changed(values="-"), SchemaViolation),
    (changed(values=["1"]), SchemaViolation),
    (changed(values=[True]), SchemaViolation),
    (changed(values=[10**16]), SchemaViolation),
    (changed(values=[1e-12]), SchemaViolation),
    (changed(values=[1] * (VALUE_LIMIT + 1)), TooLarge),
    (changed(kind="speed"), SchemaViolation),
    (changed(kind=[]), SchemaViolation),
    (changed(unit="kWh"), SchemaViolation),
    (changed(object="-"), SchemaViolation),
    (changed(object=" "), SchemaViolation),
    (changed(start="-"), SchemaViolation),
    (changed(start="2026-10-25T00:00:00"), SchemaViolation),
    (changed(resolution="PT60M"), SchemaViolation),
    (changed() | {"created": "noon"}, SchemaViolation),
    (changed() | {"sender": 5}, SchemaViolation),
    (cells(b"start;object", b"begin;object"), SchemaViolation),
    (cells(b"kind;unit", b"kind;kind"), SchemaViolation),
    (cells(b";sold", b";stolen"), SchemaViolation),
    (cells(b";kWh", b";kW"), SchemaViolation),
    (cells(b"1,5", b"1,5,5"), SchemaViolation),
    (cells(b"1,5", b"NaN"), SchemaViolation),
    (cells(b";1,5", b""), SchemaViolation),
    (cells(b";1,5", b";1,5;7"), SchemaViolation),
    (cells(b"pool-1", b""), SchemaViolation),
    (cells(b"vpp-1", b"vpp-2"), SchemaViolation),
    (cells(b"2026-10-25T00:15:00Z", b"25.10.2026 00:15"), SchemaViolation),
    (cells(b"pool-1", b"\xff"), BadSyntax),
    (cells(b"pool-1", b"\0"), BadSyntax),
    (cells(b"pool-1", b'"pool"-1'), BadSyntax),
    (cells(b"pool-1", b'"pool-1'), BadSyntax),
    (cells(b"max_power [kW]", b"max_power [kWh]", CSV_OF_MANY), SchemaViolation),
    (cells(b"max_power [kW],price [EUR/MWh]", b"power,price", CSV_OF_MANY), SchemaViolation),
]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        decode(raw)
    assert type(problem.value) is error
    assert problem.value.detail


kinds = st.sampled_from([(kind, unit) for kind, units in KINDS.items() for unit in units])
texts = st.text('aä;," \n', min_size=1, max_size=5).filter(lambda text: text == text.strip())
slots = st.lists(st.integers(0, 50), min_size=1, max_size=5, unique=True)
made = st.builds(
    lambda kind, place, numbers, amounts: {
        "object": place,
        "kind": kind[0],
        "unit": kind[1],
        "values": [[START_US + n * SLOT_US, value] for n, value in zip(sorted(numbers), amounts, strict=False)],
    },
    kinds,
    texts,
    slots,
    st.lists(st.decimals(-9999, 9999, places=3), min_size=5, max_size=5),
)
keys = ("object", "kind", "unit")
messages = st.builds(
    lambda listed, **more: message(*sorted(listed, key=lambda one: [one[key] for key in keys]), **more),
    st.lists(made, min_size=1, max_size=3, unique_by=lambda one: tuple(one[key] for key in keys)),
    document=texts,
    sender=texts,
    receiver=st.just("") | texts,
    created_us=st.none() | st.integers(0, 10**9).map(lambda second: second * 10**6),
)


@given(messages)
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_the_same(said):
    assert decode(encode_json(said)).payload == said
    assert decode(encode_csv(said)).payload == said


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_give_named_errors_only(raw):
    with pytest.raises(WireError):
        decode(raw)


@given(st.sampled_from([CSV_OF_ONE_VALUE, CSV_OF_MANY, encode_json(message())]), st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_message_decodes_or_gives_a_named_error(raw, data):
    at = data.draw(st.integers(0, len(raw)))
    raw = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + data.draw(st.integers(0, 20)) :]
    try:
        assert decode(raw).payload["series"]
    except WireError as error:
        assert error.detail  # noqa: PT017 -- a decoded message is as good
