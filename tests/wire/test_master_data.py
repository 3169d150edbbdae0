"""Master data of metering locations: rows of the operator's own table."""

import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.identifiers import make_eic, make_malo, make_resource
from schemas.time import parse_time
from schemas.wire.contract import (
    BadIdentifier,
    BadSyntax,
    Conversation,
    Frame,
    Malformed,
    SchemaViolation,
    TooLarge,
    WireError,
)
from schemas.wire.master_data import COLUMNS, FORMAT, LINE_LIMIT, encode

MELO = "DE0005621204300000000000000000007"
MALO = make_malo("4100000007")
HEAD = "valid_from,valid_until,melo,malo,meters,evses,supplier,balance_group"
ROW = f"2026-01-01T00:00:00+01:00,,{MELO},{MALO},1EMH0012000007,GS-7/1=d:_n:X GS-7/2,9900987654329,11XGEGENSTROM-1W"


def read(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return list(FORMAT.split(io.BytesIO(raw)))


def decode(row, head=HEAD):
    return FORMAT.decode(Frame(row.encode(), 0, context={"head": head}), Conversation())


def test_a_row_is_a_message_about_its_metering_location():
    (frame,) = read(f"{HEAD}\n{ROW}\n")
    decoded = FORMAT.decode(frame, Conversation())
    assert (frame.raw, frame.offset) == (ROW.encode(), len(HEAD) + 1)
    assert (decoded.type, decoded.actor) == ("master_data.location", f"melo:{MELO}")
    assert decoded.time_us == parse_time("2025-12-31T23:00:00Z")
    assert decoded.payload["columns"] == {
        "malo": [[MALO]],
        "meters": [["1EMH0012000007"]],
        "evses": [["GS-7/1", "d:_n:X"], ["GS-7/2"]],
        "supplier": [["9900987654329"]],
        "balance_group": [["11XGEGENSTROM-1W"]],
    }


def test_an_empty_cell_says_none_and_a_missing_column_says_nothing():
    columns = decode(f"2026-01-01T00:00:00Z,,{MELO},", "valid_from,valid_until,melo,evses").payload["columns"]
    assert columns == {"evses": []}


def test_a_table_is_recognised_by_its_head_alone():
    assert FORMAT.recognise(HEAD.encode(), "x.csv")
    assert FORMAT.recognise(b"\xef\xbb\xbfmelo,valid_from\r\n", "")
    assert not FORMAT.recognise(b"station,address,actor,attribute\n", "")
    assert not FORMAT.recognise(b"\xff\xfe\x00", "")


@pytest.mark.parametrize(
    ("row", "error", "sentence"),
    [
        ("a,b", BadSyntax, "the row has 2 cells, the head 8"),
        (ROW.replace(MELO, "DE1"), BadIdentifier, "MeLo"),
        (ROW.replace(MELO, ""), SchemaViolation, "the row has no melo"),
        (ROW.replace(MALO, MALO[:-1] + str((int(MALO[-1]) + 1) % 10)), BadIdentifier, "check digit"),
        (ROW.replace("STROM-1W", "STROM-1J"), BadIdentifier, "EIC"),
        (ROW.replace("2026-01-01T00:00:00+01:00", "yesterday"), SchemaViolation, "valid_from is 'yesterday'"),
        (ROW.replace("+01:00,,", ","), BadSyntax, "cells"),
        (ROW.replace("+01:00,,", ",,"), SchemaViolation, "valid_from"),
        (ROW.replace(",,", ",2025-01-01T00:00:00Z,"), SchemaViolation, "valid_until is not later"),
        (ROW.replace("GS-7/2", "="), SchemaViolation, "a device without a name"),
        (ROW.replace("GS-7/2", "X " * 2000), TooLarge, "more than 1000 devices"),
        ('"' + ROW, BadSyntax, "no CSV"),
        (ROW.replace("9900", "99\x0000"), BadSyntax, "NUL"),
    ],
)
def test_a_row_that_cannot_be_believed_says_why(row, error, sentence):
    with pytest.raises(error) as caught:
        decode(row)
    assert sentence in caught.value.detail


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ("valid_from,melo,colour", "column 'colour' is not known"),
        ("melo,melo,valid_from", "a column stands there twice"),
    ],
)
def test_a_head_of_something_else_is_named(head, sentence):
    with pytest.raises(SchemaViolation) as caught:
        decode("a,b,c", head)
    assert sentence in caught.value.detail


def test_bytes_that_are_no_text_are_named():
    with pytest.raises(BadSyntax, match="not UTF-8"):
        FORMAT.decode(Frame(b"\xff,\xfe", 0, context={"head": "melo,valid_from"}), Conversation())


def test_a_row_without_end_is_kept_and_the_next_is_read():
    found = read(f"{HEAD}\n{'x' * (LINE_LIMIT + 1)}\n{ROW}\n")
    assert [type(part) for part in found[:1] + found[-1:]] == [Malformed, Frame]
    assert b"".join(part.raw for part in found[:-1]).strip() == b"x" * (LINE_LIMIT + 1)


NAMES = st.text(st.sampled_from("ABC-/:_1"), min_size=1, max_size=8)
DEVICES = st.lists(st.lists(NAMES, min_size=1, max_size=2), max_size=3)
ROWS = st.fixed_dictionaries(
    {
        "melo": st.just(MELO),
        "valid_from_us": st.integers(1, 10**15),
        "valid_until_us": st.none() | st.integers(10**15 + 1, 2 * 10**15),
        "columns": st.fixed_dictionaries(
            {"evses": DEVICES, "hems": st.lists(st.lists(NAMES, min_size=1, max_size=1), max_size=1)},
            optional={
                "malo": st.just([[MALO]]),
                "resources": st.just([[make_resource("C000000001")]]),
                "balance_group": st.just([[make_eic("11XGEGENSTROM-1")]]),
            },
        ),
    }
)


@given(ROWS)
@settings(max_examples=50)
def test_what_is_written_is_read_back(row):
    (frame,) = read(encode([row]))
    assert FORMAT.decode(frame, Conversation()).payload == row


@given(st.binary(max_size=200), st.sampled_from([HEAD, "", ",".join(COLUMNS), "melo,valid_from"]))
@settings(max_examples=100)
def test_any_bytes_are_read_or_refused_with_a_sentence(raw, head):
    refused = [part.error for part in read(head.encode() + b"\n" + raw) if isinstance(part, Malformed)]
    for part in read(head.encode() + b"\n" + raw):
        if isinstance(part, Frame):
            with suppress(WireError):
                FORMAT.decode(part, Conversation())
    assert all(error.detail for error in refused)
