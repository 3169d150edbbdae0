"""Modbus/TCP and register dumps: requests with their responses, SunSpec models from one read or from several."""

import io
from contextlib import suppress
from decimal import Decimal

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.points import POINTS, Point
from schemas.time import parse_time
from schemas.wire.contract import Conversation, Frame, Malformed, WireError
from schemas.wire.modbus import (
    FORMAT,
    encode_dump,
    encode_exception,
    encode_read,
    encode_registers,
    encode_response,
    encode_write,
    encode_written,
)
from schemas.wire.modbus.models import model
from schemas.wire.modbus.values import nothing_of

NOON = "2026-03-29T12:00:00Z"
NOON_US = parse_time(NOON)
COMMON = (1, {"Mn": "Maker", "Md": "Hybrid 10", "Vr": "1.2", "SN": "SN-4711"})
INVERTER = (
    103,
    {
        "W": 3450,
        "W_SF": 1,
        "Hz": Decimal("49.98"),
        "Hz_SF": -2,
        "WH": 1234500,
        "WH_SF": 2,
        "TmpCab": Decimal("-3.5"),
        "Tmp_SF": -1,
        "St": "MPPT",
        "Evt1": ["OVER_TEMP", "AC_DISCONNECT"],
    },
)


def decoded(raw, conversation=None, context=None):
    conversation = Conversation("8") if conversation is None else conversation
    return FORMAT.decode(Frame(raw, 0, NOON_US, "hems-7", context or {}), conversation)


def models(raw, conversation=None):
    return {found["id"]: found for found in decoded(raw, conversation).payload.get("models", ())}


def split(content):
    return list(FORMAT.split(io.BytesIO(content)))


def asked_and_answered(conversation, address, registers, transaction=1):
    decoded(encode_read(transaction, 1, address, len(registers)), conversation)
    return decoded(encode_response(transaction, 1, registers), conversation)


def test_a_dump_shows_its_models_with_signs_scale_factors_and_names():
    found = models(encode_dump(encode_registers([COMMON, INVERTER]), time=NOON))
    assert found[1]["points"] == {"Mn": "Maker", "Md": "Hybrid 10", "Vr": "1.2", "SN": "SN-4711"}
    assert found[103]["points"] == {
        "W": 3450,
        "Hz": Decimal("49.98"),
        "WH": 1234500,
        "TmpCab": Decimal("-3.5"),
        "St": "MPPT",
        "Evt1": ["AC_DISCONNECT", "OVER_TEMP"],
    }
    assert (found[103]["device"], found[103]["beside"], found[103]["at"]) == ("SN-4711", [1, 103], 40070)


def test_the_message_is_about_the_device_by_its_serial_number_else_about_the_unit_of_the_connection():
    assert decoded(encode_dump(encode_registers([COMMON, INVERTER]))).actor == "asset:SN-4711"
    assert decoded(encode_dump(encode_registers([INVERTER]), unit=3)).actor == "asset:hems-7/3"


def test_a_dump_says_when_it_was_read():
    assert decoded(encode_dump([1], time="2026-03-29T14:00:00+02:00")).time_us == NOON_US
    assert decoded(encode_dump([1])).time_us == NOON_US, "else the log's stamp"


@pytest.mark.parametrize("number", [1, 101, 102, 103, 111, 112, 113, 201, 202, 203, 204, 211, 212, 213, 214])
def test_a_model_in_which_nothing_is_implemented_says_nothing(number):
    assert models(encode_dump(encode_registers([(number, {})]))) == {}


@pytest.mark.parametrize("number", [*range(120, 125), 160, *range(701, 715), 802, 803])
def test_nor_do_those_of_storage_and_der(number):
    assert models(encode_dump(encode_registers([(number, {})]))) == {}


def test_values_that_say_not_implemented_by_type():
    said = {point.name: nothing_of(point).hex() for point in model(701).points}
    assert (said["W"], said["LLV"], said["Alrm"], said["W_SF"]) == ("8000", "ffff", "ffffffff", "8000")
    assert {point.name: nothing_of(point).hex() for point in model(103).points}["WH"] == "00000000"
    assert {point.name: nothing_of(point).hex() for point in model(113).points}["W"] == "7fc00000"


def test_a_scale_factor_that_is_not_implemented_scales_nothing():
    assert models(encode_dump(encode_registers([(103, {"W": 15})])))[103]["points"] == {"W": 15}


def test_a_scale_factor_that_cannot_be_is_doubted():
    registers = encode_registers([(103, {"W": 15})])
    registers[registers.index(15) + 1] = 4711
    found = models(encode_dump(registers))
    assert found == {}, "nothing but that point was said"
    registers = encode_registers([(103, {"W": 15, "St": "OFF"})])
    registers[registers.index(15) + 1] = 4711
    assert "4711" in models(encode_dump(registers))[103]["doubtful"]["W"]


def test_floats_are_the_decimals_that_were_meant():
    found = models(encode_dump(encode_registers([(113, {"W": Decimal("-1234.5"), "Hz": Decimal("50.02")})])))
    assert found[113]["points"] == {"W": Decimal("-1234.5"), "Hz": Decimal("50.02")}


def test_an_energy_of_64_bits_keeps_every_digit():
    found = models(encode_dump(encode_registers([(701, {"TotWhInj": 12345678901234567, "TotWh_SF": 0})])))
    assert found[701]["points"] == {"TotWhInj": 12345678901234567}


def test_groups_are_repeated_as_often_as_their_count_says():
    port = {"PrtTyp": "EV", "DCW": -4200}
    values = {"NPrt": 2, "DCW_SF": 1, "Prt": [port, {"PrtTyp": "PV", "DCW": 100}]}
    found = models(encode_dump(encode_registers([(714, values)])))[714]
    assert [entry["points"] for entry in found["groups"]["Prt"]] == [port, {"PrtTyp": "PV", "DCW": 100}]


def test_a_count_that_promises_more_than_the_model_holds_is_not_followed():
    values = {"NPrt": 1, "Prt": [{"PrtTyp": "EV"}]}
    registers = encode_registers([(714, values)])
    place = registers.index(1)
    registers[place] = 9000
    found = models(encode_dump(registers))[714]
    assert len(found["groups"]["Prt"]) == 1


def test_a_model_shorter_than_its_definition_says_what_it_has_and_the_chain_goes_on():
    registers = [*encode_registers([])[:2], 124, 4, 5000, 0xFFFF, 0xFFFF, 1, *encode_registers([INVERTER])[2:]]
    found = models(encode_dump(registers))
    assert found[124]["points"] == {"WChaMax": 5000, "StorCtl_Mod": ["CHARGE"]}
    assert found[103]["points"]["St"] == "MPPT"


def test_a_model_that_sunspec_does_not_define_is_passed_over():
    registers = [*encode_registers([])[:2], 64_200, 2, 1, 2, *encode_registers([INVERTER])[2:]]
    assert list(models(encode_dump(registers))) == [103]


def test_of_a_model_that_lost_registers_no_value_is_believed():
    registers = encode_registers([COMMON, INVERTER, (120, {"WRtg": 5000, "WRtg_SF": 0})])
    place = registers.index(103) + 10
    del registers[place : place + 2]
    registers[registers.index(120) + 2 : registers.index(120) + 4] = [5310, 4248]
    found = models(encode_dump(registers))
    assert list(found) == [1, 103]
    assert "points" not in found[103]
    assert found[103]["doubtful"] == {
        "the length": "behind its 50 registers stands no model but 5310 with 4248 registers; are some missing?"
    }


def test_the_chain_is_found_where_the_standard_says_and_where_a_read_begins():
    for base in (0, 40000, 50000, 123):
        assert 103 in models(encode_dump(encode_registers([INVERTER]), base=base))
    assert models(encode_dump([7, 7, *encode_registers([INVERTER])], base=123)) == {}


def test_reads_of_a_unit_are_gathered_and_each_says_what_it_read():
    conversation = Conversation("8")
    registers = encode_registers([COMMON, INVERTER])
    head, body = registers[:70], registers[70:]
    assert asked_and_answered(conversation, 40000, head).payload["models"][0]["id"] == 1
    answer = asked_and_answered(conversation, 40070, body, transaction=2)
    assert answer.actor == "asset:SN-4711"
    assert [found["id"] for found in answer.payload["models"]] == [103]
    power = asked_and_answered(conversation, 40070 + 14, [200], transaction=3)
    assert power.payload["models"][0]["points"] == {"W": 2000}, "the scale factor was read before"


def test_a_value_whose_scale_factor_was_not_read_yet_is_kept_unscaled():
    conversation = Conversation("8")
    registers = encode_registers([INVERTER])
    asked_and_answered(conversation, 40000, registers[:4])
    found = asked_and_answered(conversation, 40002 + 14, [200, 1][:1], transaction=2).payload
    assert "models" not in found
    found = asked_and_answered(conversation, 40002 + 38, [4, 0xFFFF], transaction=3).payload
    assert found["models"][0]["points"] == {"St": "MPPT"}


def test_a_response_knows_its_address_by_its_transaction_and_unit():
    conversation = Conversation("8")
    for transaction, address in ((7, 100), (8, 200)):
        decoded(encode_read(transaction, 1, address, 2, function=4), conversation)
    answers = [decoded(encode_response(t, 1, [t, t], function=4), conversation).payload for t in (8, 7)]
    assert [(answer["address"], answer["count"]) for answer in answers] == [(200, 2), (100, 2)]


def test_a_response_without_its_request_is_an_event_that_says_what_is_missing():
    answer = decoded(encode_response(7, 1, [1, 2]))
    assert (answer.type, answer.payload["context_missing"]) == ("modbus.response", "request")
    assert answer.payload["count"] == 2


def test_the_confirmation_of_a_write_nobody_saw_says_where_and_how_many():
    payload = decoded(encode_written(3, 1, 5, [17, 18])).payload
    assert (payload["address"], payload["count"], payload["context_missing"]) == (5, 2, "request")
    assert "models" not in payload


def test_an_exception_is_named_and_says_what_had_been_asked():
    conversation = Conversation("8")
    decoded(encode_read(7, 1, 40000, 2), conversation)
    payload = decoded(encode_exception(7, 1, 3, 2), conversation).payload
    assert (payload["exception"], payload["address"], payload["count"]) == ("illegal data address", 40000, 2)


@pytest.mark.parametrize("registers", [[17], [17, 18]])
def test_a_write_is_confirmed_by_its_response(registers):
    conversation = Conversation("9")
    conversation.memory[POINTS] = {(1, 5): Point("hems:H1", "limit", "W", Decimal(10))}
    asked = decoded(encode_write(3, 1, 5, registers), conversation)
    assert (asked.type, asked.payload["wanted"], "registers" in asked.payload) == ("modbus.request", registers, False)
    done = decoded(encode_written(3, 1, 5, registers), conversation)
    assert (done.type, done.payload["registers"][0]["value"]) == ("modbus.response", 17)
    assert done.actor == "hems:H1"


def test_in_a_capture_the_connection_tells_who_asked():
    echo = encode_write(3, 1, 5, [1])
    assert decoded(echo, context={"opener": True}).type == "modbus.request"
    assert decoded(echo, context={"opener": False}).type == "modbus.response"


def test_a_capture_whose_packets_came_torn_apart_out_of_order_and_twice():
    from test_capture import CLIENT, packet, pcap

    device = ("10.0.0.2", 502)
    registers = encode_registers([COMMON, INVERTER])
    asked, answered = encode_read(1, 1, 40000, len(registers)), encode_response(1, 1, registers)
    torn = [(7_000 + at, answered[at : at + 60]) for at in range(0, len(answered), 60)]
    packets = [
        packet(CLIENT, device, 999, flags=dpkt.tcp.TH_SYN),
        packet(device, CLIENT, 6_999, flags=dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK),
        packet(CLIENT, device, 1_000, asked[:5]),
        packet(CLIENT, device, 1_005, asked[5:]),
        *(packet(device, CLIENT, seq, data) for seq, data in [torn[0], *reversed(torn), torn[-1]]),
    ]
    content = pcap(packets)
    assert FORMAT.recognise(content, "x.pcap")
    frames = split(content)
    assert [(frame.raw, frame.context["opener"]) for frame in frames] == [(asked, True), (answered, False)]
    assert {frame.source for frame in frames} == {"10.0.0.1:50000-10.0.0.2:502"}
    conversation = Conversation("8")
    said = [FORMAT.decode(frame, conversation) for frame in frames]
    assert [message.type for message in said] == ["modbus.request", "modbus.response"]
    assert {found["id"]: found["points"].get("W") for found in said[1].payload["models"]} == {1: None, 103: 3450}


def test_a_register_of_the_point_list_is_a_signed_number():
    conversation = Conversation("8")
    conversation.memory[POINTS] = {(1, 11): Point("asset:WP", "power", "W")}
    payload = asked_and_answered(conversation, 10, [1, 0xFFFE, 3]).payload
    assert [(entry["address"], entry["value"]) for entry in payload["registers"]] == [(11, -2)]


def test_csv_may_have_gaps_any_order_and_other_delimiters():
    registers = encode_registers([COMMON, INVERTER])
    rows = "\n".join(f"{40000 + place};{value}" for place, value in reversed(list(enumerate(registers))))
    assert models(b"address;value\n" + rows.encode())[103]["points"]["W"] == 3450
    payload = decoded(f"time,unit,address,value\n{NOON},4,7,0x10\n{NOON},4,9,1\n".encode()).payload
    assert (payload["unit"], payload["address"], payload["count"]) == (4, 7, 2)


@pytest.mark.parametrize(
    ("raw", "reason", "says"),
    [
        (b"", "truncated", "seven octets"),
        (bytes.fromhex("000100000003"), "truncated", "seven octets"),
        (bytes.fromhex("0001000100060103000a0001"), "bad-syntax", "protocol 1"),
        (bytes.fromhex("0001000000070103000a0001"), "truncated", "says 7"),
        (bytes.fromhex("0001000000050103000a0001"), "bad-syntax", "says 5"),
        (bytes.fromhex("0001000000060111000a0001"), "unsupported", "function 17"),
        (bytes.fromhex("0001000000030103 00"), "truncated", "without its fields"),
        (bytes.fromhex("0001000000060103000a0000"), "schema-violation", "0 registers"),
        (bytes.fromhex("0001000000060103000a007e"), "schema-violation", "126 registers"),
        (bytes.fromhex("0001000000060103ffff0002"), "schema-violation", "beyond the last"),
        (bytes.fromhex("0001000000080103040001020304"), "schema-violation", "4 octets"),
        (bytes.fromhex("000100000003010300"), "truncated", "without its fields"),
        (bytes.fromhex("000100000005010300 0a00"), "schema-violation", "0 octets"),
        (bytes.fromhex("000100000005010600 0a00"), "schema-violation", "function 6"),
        (bytes.fromhex("0001000000090110000a00010300 01"), "schema-violation", "1 registers, 3 octets"),
        (bytes.fromhex("00010000000401830201"), "schema-violation", "one octet of code"),
        (b'{"base": 1, "registers": []}', "schema-violation", "at least one"),
        (b'{"base": -1, "registers": [1]}', "schema-violation", "base is"),
        (b'{"base": 1, "registers": [65536]}', "schema-violation", "register 1 is"),
        (b'{"base": 65535, "registers": [1, 2]}', "too-large", "beyond the last"),
        (b'{"base": 1, "registers": [1], "unit": 300}', "schema-violation", "unit is"),
        (b'{"base": 1, "registers": [1], "time": "noon"}', "schema-violation", "the time 'noon'"),
        (b'{"base": 1, "registers": [1.5]}', "schema-violation", "whole number"),
        (b'[{"base": 1, "registers": [1]}]', "schema-violation", "an object"),
        (b'{"base": 1, "registers": [1', "truncated", "ends too early"),
        (b"address,value\n", "schema-violation", "without a register"),
        (b"address,value\n1,x\n", "schema-violation", "line 2: value 'x'"),
        (b"address,value\n1,1\n1,2\n", "schema-violation", "address 1 again"),
        (b"address,value,unit\n1,1,1\n2,2,2\n", "schema-violation", "one unit at one time"),
        (b"address,value,value\n1,1,1\n", "schema-violation", "each once"),
        (b"address,value\n1,\xff\n", "bad-syntax", "not UTF-8"),
        (b'address,value\n1,"2\n', "bad-syntax", "line 2"),
    ],
)
def test_bad_input_is_named(raw, reason, says):
    with pytest.raises(WireError) as problem:
        decoded(raw)
    assert problem.value.reason == reason
    assert says in problem.value.detail


def test_a_response_of_another_length_than_asked_is_refused():
    conversation = Conversation("8")
    decoded(encode_read(7, 1, 0, 3), conversation)
    with pytest.raises(WireError, match="3 registers were asked for, 2 came"):
        decoded(encode_response(7, 1, [1, 2]), conversation)


def test_a_stream_is_cut_and_garbage_between_is_kept():
    one, two = encode_read(1, 1, 0, 2), encode_response(1, 1, [3, 4])
    found = split(b"\xff\xfe" + one + b"\xff" + two + two[:9])
    assert [(type(item).__name__, item.raw) for item in found] == [
        ("Malformed", b"\xff\xfe"),
        ("Frame", one),
        ("Malformed", b"\xff"),
        ("Frame", two),
        ("Malformed", two[:9]),
    ]


def test_hex_log_lines_json_lines_and_tables_are_recognised_and_cut():
    one = encode_read(1, 1, 0, 2)
    logged = f"{NOON} wallbox-1 {one.hex()}\n".encode()
    dumps = encode_dump([1]) + b"\n" + encode_dump([2])
    table = b"address,value\n1,2\n"
    for content, count in ((one, 1), (one.hex().encode(), 1), (logged, 1), (dumps, 2), (table, 1)):
        assert FORMAT.recognise(content, "x")
        assert [type(item) for item in split(content)] == [Frame] * count
    assert split(logged)[0].source == "wallbox-1"


def test_what_is_remembered_is_bounded():
    conversation = Conversation("8")
    for unit in range(5):
        decoded(encode_dump([1] * 40_000, base=0, unit=unit), conversation)
    for transaction in range(3_000):
        decoded(encode_read(transaction, 1, 0, 1), conversation)
    link = conversation.memory["modbus"]
    assert sum(map(len, link.units.values())) <= 65_536
    assert len(link.requests) == 1_000


@given(st.binary(max_size=300))
def test_arbitrary_octets_are_cut_without_loss_and_give_only_wire_errors(octets):
    found = split(b"\x00" + octets)
    assert b"".join(item.raw for item in found) == b"\x00" + octets
    conversation = Conversation("8")
    for item in found:
        if not isinstance(item, Malformed):
            with suppress(WireError):
                FORMAT.decode(item, conversation)


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=200), st.sampled_from([103, 203, 701, 707, 714, 802, 803]))
def test_arbitrary_registers_behind_a_model_s_head_give_only_wire_errors(registers, number):
    chained = [*encode_registers([COMMON])[:-2], number, *registers]
    with suppress(WireError):
        decoded(encode_dump(chained))


VALUES = {"W": st.integers(-32_767, 32_767), "Hz": st.integers(0, 65_534), "WH": st.integers(1, 2**32 - 1)}


@given(st.fixed_dictionaries({}, optional=VALUES), st.integers(-10, 10))
def test_what_was_encoded_comes_back(raw_values, exponent):
    values = {name: Decimal(value).scaleb(exponent) for name, value in raw_values.items()}
    scales = {"W_SF": exponent, "Hz_SF": exponent, "WH_SF": exponent}
    found = models(encode_dump(encode_registers([COMMON, (103, values | scales)])))
    assert found.get(103, {}).get("points", {}) == values
