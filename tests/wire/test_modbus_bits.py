"""Coils and discrete inputs: asked for, answered, written; kept as bits, and of no register."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.facts import Facts
from schemas.points import Point
from schemas.time import parse_time
from schemas.wire.contract import Conversation, Frame, WireError
from schemas.wire.modbus import FORMAT, encode_exception, encode_read
from schemas.wire.modbus.adu import frame
from twin.observe.modbus import observe

NOON_US = parse_time("2026-03-29T12:00:00Z")
READ_COILS, READ_INPUTS, WRITE_COIL, WRITE_COILS = 1, 2, 5, 15


def packed(bits):
    octets = [sum(bit << place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8)]
    return bytes((len(octets), *octets))


def answer(bits, function=READ_COILS, transaction=1):
    return frame(transaction, 1, function, packed(bits))


def write(address, bits, transaction=1):
    return frame(transaction, 1, WRITE_COILS, struct.pack(">HH", address, len(bits)) + packed(bits))


def talk(*raws, contexts=(), points=None):
    """Payloads of one conversation."""
    conversation = Conversation("8", {"points": points} if points else {})
    contexts = contexts or [{}] * len(raws)
    return [
        FORMAT.decode(Frame(raw, 0, NOON_US, "hems-7", context), conversation)
        for raw, context in zip(raws, contexts, strict=True)
    ]


@given(
    st.lists(st.integers(0, 1), min_size=1, max_size=2000),
    st.integers(0, 63_000),
    st.sampled_from([READ_COILS, READ_INPUTS]),
)
def test_an_answer_gives_as_many_bits_as_were_asked_for(bits, address, function):
    _, found = talk(encode_read(1, 1, address, len(bits), function), answer(bits, function))
    assert (found.type, found.payload["function"]) == ("modbus.response", function)
    assert (found.payload["address"], found.payload["count"]) == (address, len(bits))
    assert found.payload["bits"] == bits


@given(st.lists(st.integers(0, 1), min_size=1, max_size=1968), st.integers(0, 63_000))
def test_what_was_written_is_known_again_when_it_is_confirmed(bits, address):
    asked, found = talk(write(address, bits), frame(1, 1, WRITE_COILS, struct.pack(">HH", address, len(bits))))
    assert (asked.payload["kind"], asked.payload["wanted"]) == ("request", bits)
    assert (found.payload["kind"], found.payload["address"], found.payload["bits"]) == ("response", address, bits)


def test_a_confirmed_write_whose_number_another_request_took_says_no_bits():
    _, _, found = talk(
        write(5, [1, 0]), encode_read(1, 1, 9, 1, READ_COILS), frame(1, 1, WRITE_COILS, struct.pack(">HH", 5, 2))
    )
    assert (found.payload["context_missing"], found.payload["address"], found.payload["bits"]) == ("request", 5, [])


@pytest.mark.parametrize(("value", "bit"), [(0xFF00, 1), (0, 0)])
def test_a_single_coil_is_echoed(value, bit):
    raw = frame(1, 1, WRITE_COIL, struct.pack(">HH", 9, value))
    asked, found = talk(raw, raw)
    assert (asked.payload["kind"], asked.payload["wanted"]) == ("request", [bit])
    assert (found.payload["kind"], found.payload["bits"]) == ("response", [bit])
    (heard,) = talk(raw, contexts=[{"opener": False}])
    assert heard.payload["kind"] == "response"


def test_an_answer_of_three_octets_looks_like_a_request_and_the_conversation_tells():
    bits = [1, 0, 0, 0, 0, 0, 0, 0] * 2 + [1] * 4
    assert talk(encode_read(1, 1, 0, 20, READ_COILS), answer(bits))[1].payload["bits"] == bits
    (found,) = talk(answer(bits), contexts=[{"opener": False}])
    assert (found.payload["kind"], found.payload["bits"]) == ("response", [*bits, 0, 0, 0, 0])
    (request,) = talk(answer(bits), contexts=[{"opener": True}])
    assert (request.payload["kind"], request.payload["address"]) == ("request", 0x0301)


def test_an_answer_without_its_request_keeps_its_bits_and_says_what_is_missing():
    (found,) = talk(answer([1, 1, 0]))
    assert (found.payload["address"], found.payload["context_missing"]) == (None, "request")
    assert found.payload["bits"] == [1, 1, 0, 0, 0, 0, 0, 0]


def test_an_exception_says_what_had_been_asked():
    _, found = talk(encode_read(1, 1, 7, 3, READ_INPUTS), encode_exception(1, 1, READ_INPUTS, 2))
    assert (found.payload["exception"], found.payload["address"]) == ("illegal data address", 7)


def test_bits_are_of_no_register_of_the_point_list():
    found = talk(encode_read(1, 1, 5, 1, READ_COILS), answer([1]), points={(1, 5): Point("hems:H1", "power", "W")})
    facts = Facts()
    for event in found:
        assert "registers" not in event.payload
        observe(event, facts)  # a decoded message has what an observer looks at
    assert facts.all() == []


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (frame(1, 1, READ_COILS, struct.pack(">HH", 0, 2001)), "1 to 2000"),
        (frame(1, 1, READ_COILS, struct.pack(">HH", 65535, 2)), "beyond the last"),
        (frame(1, 1, READ_COILS, b"\x05\1\2"), "are announced"),
        (frame(1, 1, WRITE_COIL, struct.pack(">HH", 0, 1)), "FF00 is on"),
        (frame(1, 1, WRITE_COIL, b"\0\0"), "an address and a value"),
        (frame(1, 1, WRITE_COILS, struct.pack(">HHBB", 0, 9, 1, 0)), "9 bits, and 1 octets"),
        (frame(1, 1, WRITE_COILS, b"\0\0\0"), "without its fields"),
        (frame(1, 1, 23, b"\0\0\0\1"), "read are 1 to 6, 15 and 16"),
    ],
)
def test_bad_input_is_named(raw, says):
    with pytest.raises(WireError, match=says):
        talk(raw)


def test_an_answer_of_another_length_than_asked_is_refused():
    with pytest.raises(WireError, match="3 bits were asked for, 2 octets came"):
        talk(encode_read(1, 1, 0, 3, READ_COILS), answer([1] * 16))


@given(
    st.sampled_from([1, 2, 5, 15]), st.binary(max_size=252), st.sampled_from([{}, {"opener": True}, {"opener": False}])
)
def test_arbitrary_data_gives_only_wire_errors(function, data, context):
    with suppress(WireError):
        talk(frame(1, 1, function, data), contexts=[context])
