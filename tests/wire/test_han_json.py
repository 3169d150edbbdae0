import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.interfaces import recognise
from schemas.time import SECOND_US, parse_time
from schemas.wire.contract import (
    BadSyntax,
    Conversation,
    Frame,
    Malformed,
    SchemaViolation,
    TooLarge,
    WireError,
)
from schemas.wire.han_json import FORMAT, SIZE_LIMIT, encode_list

SAMPLE = Path(__file__).parents[2].parent / "shared" / "samples" / "smgw" / "Taf7_1OML_UseCaseTaf1.json"
MELO = "DE0005621204300000000000000000007"
METER = "0A01454D480000B71B00"
BEGIN_US = parse_time("2026-01-01T00:00:00+01:00")


def message(**changes):
    """A list with a contract and a register; fields are replaced, and left out where they are None."""
    contract = {
        "TafId": "7",
        "TafName": "TAF 7",
        "Meters": [METER],
        "SupplierId": "9900987654329",
        "ConsumerId": "c-1",
        "Begin": "2026-01-01T00:00:00+01:00",
        "End": "2027-01-01T00:00:00+01:00",
        "BillingPeriods": [{"Begin": "2026-01-01T00:00:00+01:00", "End": "2027-01-01T00:00:00+01:00"}],
    }
    register = {"MeterId": METER, "ObisCode": "0100010800ff", "Uom": "72", "Scaler": "-1", "OMLInitValue": "240000"}
    config = {"UsagePointId": MELO, "TariffId": "Taf7", "TariffName": "TAF 7", "SmgwId": "EPPC0210000001"}
    root = {"DeviceId": "EPPC0210000001", "User": "u", "Password": "secret", "IPAddress": "1.2.3.4"}
    places = {"contract": contract, "register": register, "config": config, "root": root}
    for name, value in changes.items():
        place, _, field = name.partition("_")
        places[place][field] = value
    config.setdefault("MeterReadingConfigs", [register])
    root.setdefault("Contracts", [contract])
    root.setdefault("XmlConfig", config)
    return json.dumps({name: value for name, value in root.items() if value is not None}).encode()


def test_a_text_with_the_nul_character_is_refused_because_no_database_takes_it():
    problem = error_of(message(root_DeviceId="a\0b"))
    assert (problem.reason, "NUL" in problem.detail) == ("schema-violation", True)


def decode(raw, **more):
    return FORMAT.decode(Frame(raw, 0, **more), Conversation())


def error_of(raw):
    try:
        decode(raw)
    except WireError as problem:
        return problem
    return None


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared/samples is not here")
@pytest.mark.parametrize("interface", ["16", "18"])
def test_the_sample_names_three_contracts_and_a_register(interface):
    raw = SAMPLE.read_bytes()
    assert recognise(interface, raw[:65536], SAMPLE.name) is FORMAT
    assert list(FORMAT.split(io.BytesIO(raw))) == [Frame(raw, 0)]
    decoded = decode(raw)
    assert (decoded.type, decoded.actor) == ("han_json.list", "melo:DE12345693133A1234B5678C0123D6789")
    assert decoded.payload["gateway"]["id"] == "EXXX0012345678"
    assert [contract["taf"] for contract in decoded.payload["contracts"]] == [1, 7, 2]
    [point] = decoded.payload["usage_points"]
    [register] = point["registers"]
    assert (register["obis"], register["unit"], register["scaler"]) == ("1-0:1.8.0", "Wh", -1)
    assert register["values"] == [[parse_time("2017-01-01T00:00:00+01:00"), 240000, None, None]]
    assert point["tariff_registers"] == [{"tariff": 1, "description": "Taf1 Standard", "obis": "1-0:1.8.1"}]
    assert decode(encode_list(decoded.payload)) == decoded


def test_a_list_is_about_its_metering_point_and_holds_no_secrets():
    decoded = decode(message())
    assert (decoded.actor, decoded.time_us) == (f"melo:{MELO}", BEGIN_US)
    assert "secret" not in json.dumps(decoded.payload)
    assert "1.2.3.4" not in json.dumps(decoded.payload)


def test_a_list_without_metering_point_is_about_its_gateway():
    assert decode(message(root_XmlConfig=None), time_us=5)[1:3] == ("smgw:EPPC0210000001", 5)
    other = message(contract_MeteringPointId=MELO[:-1] + "8")
    assert decode(other).actor == "smgw:EPPC0210000001"
    assert decode(message(root_XmlConfig=None, contract_MeteringPointId=MELO)).actor == f"melo:{MELO}"


@pytest.mark.parametrize(
    "raw",
    [
        message(config_TariffId="Taf2"),
        message(config_TariffId=None),
        message(contract_BillingPeriods=[]),
        message(contract_BillingPeriods=[{"Begin": f"202{n}-01-01T00:00:00Z"} for n in (5, 6)]),
        message(register_OMLInitValue=None),
    ],
)
def test_where_the_beginning_is_not_said_a_register_has_no_value(raw):
    decoded = decode(raw, time_us=5)
    assert decoded.payload["usage_points"][0]["registers"][0]["values"] == []
    assert decoded.time_us == 5


def test_numbers_may_be_numbers():
    raw = message(contract_TafId=7, register_Uom=72, register_Scaler=-1, register_OMLInitValue=240000)
    assert decode(raw) == decode(message())


BAD = [
    (b"", BadSyntax),
    (b"{", BadSyntax),
    (b"[]", BadSyntax),
    (b'{"a": NaN}', BadSyntax),
    (b'{"a": "\xff"}', BadSyntax),
    (b"[" * 5000, BadSyntax),
    (b"{}", SchemaViolation),
    (message(root_Contracts=[], root_XmlConfig=None), SchemaViolation),
    (message(root_Contracts={}), SchemaViolation),
    (message(root_Contracts=["a"]), SchemaViolation),
    (message(root_XmlConfig=[1]), SchemaViolation),
    (message(root_DeviceId=None, root_XmlConfig=None), SchemaViolation),
    (message(root_DeviceId=["a"]), SchemaViolation),
    (message(contract_TafId=None), SchemaViolation),
    (message(contract_TafId="15"), SchemaViolation),
    (message(contract_TafId="seven"), SchemaViolation),
    (message(contract_TafId=7.5), SchemaViolation),
    (message(contract_TafId=True), SchemaViolation),
    (message(contract_Meters="a"), SchemaViolation),
    (message(contract_Meters=[1]), SchemaViolation),
    (message(contract_Begin="2026-01-01T00:00:00"), SchemaViolation),
    (message(contract_Begin="yesterday"), SchemaViolation),
    (message(contract_BillingPeriods=[{}]), SchemaViolation),
    (
        message(contract_BillingPeriods=[{"Begin": "2026-01-01T00:00:00Z", "End": "2026-01-01T00:00:00Z"}]),
        SchemaViolation,
    ),
    (message(register_MeterId=None), SchemaViolation),
    (message(register_ObisCode="1-0:1.8.0"), SchemaViolation),
    (message(register_ObisCode=None), SchemaViolation),
    (message(register_Scaler="13"), SchemaViolation),
    (message(register_OMLInitValue="1" * 16), SchemaViolation),
    (message(register_Uom="Wh"), SchemaViolation),
]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        decode(raw)
    assert type(problem.value) is error, problem.value
    assert problem.value.detail


def test_a_file_beyond_the_limit_is_kept_in_stretches():
    raw = b'{"Contracts"' + b" " * (2 * SIZE_LIMIT)
    found = list(FORMAT.split(io.BytesIO(raw)))
    assert b"".join(piece.raw for piece in found) == raw
    assert {(type(piece), type(piece.error)) for piece in found} == {(Malformed, TooLarge)}


@pytest.mark.parametrize("head", [b"", b"[]", b"{}", b'{"TafId": 1}', b"<a/>", b'x "Contracts"'])
def test_other_files_are_not_recognised(head):
    assert not FORMAT.recognise(head, "a.json")


words = st.text("ab\u00e4 1", min_size=1, max_size=8).filter(lambda word: word == word.strip())
maybe = st.one_of(st.none(), words)
times = st.integers(0, 10**9).map(lambda second: second * SECOND_US)
contracts = st.builds(
    lambda taf, name, melo, meters, begin_us, end_us, lengths: {
        "taf": taf,
        "name": name,
        "description": name,
        "melo": melo,
        "meters": meters,
        "supplier": name,
        "consumer": name,
        "begin_us": begin_us,
        "end_us": end_us,
        "billing": [[begin, length and begin + length] for begin, length in lengths],
    },
    st.integers(1, 14),
    maybe,
    st.sampled_from(["", MELO]),
    st.lists(words, max_size=2),
    st.one_of(st.none(), times),
    st.one_of(st.none(), times),
    st.lists(st.tuples(times, st.one_of(st.none(), st.just(SECOND_US))), max_size=2),
)


@given(st.lists(contracts, min_size=1, max_size=3), words, maybe)
@settings(max_examples=60, deadline=None)
def test_what_is_written_reads_the_same(found, name, version):
    gateway = {"id": name, "component": version, "firmware": version, "hash": version}
    payload = {"gateway": gateway, "contracts": found, "usage_points": []}
    assert decode(encode_list(payload)).payload == payload


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()), st.lists, max_leaves=5))
@settings(max_examples=60, deadline=None)
def test_any_value_in_any_place_gives_named_errors_only(value):
    places = ("root_DeviceId", "root_Contracts", "root_XmlConfig", "root_Version", "config_Certificates")
    fields = ("contract_TafId", "contract_BillingPeriods", "register_Uom", "register_ObisCode", "config_UsagePointId")
    for place in (*places, *fields):
        error = error_of(message(**{place: value}))
        assert error is None or error.detail


@given(st.integers(0, len(message()) - 1), st.binary(min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_damaged_list_decodes_or_gives_a_named_error(at, damage):
    raw = message()
    error = error_of(raw[:at] + damage + raw[at + len(damage) :])
    assert error is None or error.detail
