import io
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import SLOT_US, parse_time
from schemas.wire.contract import (
    BadIdentifier,
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
from schemas.wire.tariff import FORMAT, encode_tariff, tariff_of
from schemas.wire.tariff.reading import PRICE_LIMIT

START_US = parse_time("2026-10-25T00:00:00Z")
START_S = START_US // 10**6


def tariff(*prices, **more):
    amounts = [Decimal(price) for price in prices] or [Decimal("0.2510"), Decimal("-0.01")]
    said = {"supplier": "Stadtwerk", "tariff": "dynamic", "issued_us": START_US - SLOT_US, "unit": "EUR/kWh"} | more
    return tariff_of(START_US, amounts, **said)


def decode(raw):
    return FORMAT.decode(Frame(raw if isinstance(raw, bytes) else json.dumps(raw).encode(), 0), Conversation())


def rows(answer):
    return [
        ((start_us - START_US) // SLOT_US, (end_us - START_US) // SLOT_US, str(price))
        for start_us, end_us, price in answer
    ]


def read(answer):
    payload = decode(answer).payload
    return payload["unit"], rows(payload["prices"])


def test_what_a_supplier_says_is_read():
    decoded = decode(encode_tariff(tariff()))
    assert (decoded.type, decoded.actor, decoded.time_us) == ("tariff.prices", "supplier:Stadtwerk", START_US - SLOT_US)
    assert decoded.payload == tariff()
    assert str(decoded.payload["prices"][0][2]) == "0.2510"


def test_the_answer_of_awattar_is_read():
    bounds = [(START_S + hour * 3600) * 1000 for hour in range(3)]
    data = [
        {"start_timestamp": start_ms, "end_timestamp": end_ms, "marketprice": price, "unit": "Eur/MWh"}
        for start_ms, end_ms, price in zip(bounds, bounds[1:], [101.5, -3], strict=False)
    ]
    answer = {"object": "list", "data": data, "url": "/v1/marketdata"}
    assert read(answer) == ("EUR/MWh", [(0, 4, "101.5"), (4, 8, "-3")])


def test_the_answer_of_tibber_is_read():
    today = [
        {
            "total": 0.3125,
            "energy": 0.11,
            "tax": 0.2025,
            "startsAt": "2026-10-25T02:00:00.000+02:00",
            "level": "NORMAL",
        },
        {"total": 0.3, "energy": 0.1, "tax": 0.2, "startsAt": "2026-10-25T02:15:00.000+02:00", "level": "CHEAP"},
    ]
    info = {"current": {"total": 0.3125, "currency": "EUR"}, "today": today, "tomorrow": []}
    answer = {"data": {"viewer": {"homes": [{"currentSubscription": {"priceInfo": info}}]}}}
    assert read(answer) == ("EUR/kWh", [(0, 1, "0.3125"), (1, 2, "0.3")])


def test_the_answer_of_energy_charts_is_read():
    answer = {"unix_seconds": [START_S, START_S + 900, START_S + 1800], "price": [50.01, 0, -1.5], "unit": "EUR / MWh"}
    assert read(answer) == ("EUR/MWh", [(0, 1, "50.01"), (1, 2, "0"), (2, 3, "-1.5")])


def test_a_price_that_is_not_there_leaves_a_gap():
    answer = {"unix_seconds": [START_S, START_S + 900, START_S + 1800], "price": [50.01, None, 7], "unit": "EUR/MWh"}
    assert read(answer) == ("EUR/MWh", [(0, 1, "50.01"), (2, 3, "7")])
    rows = [{"start": f"2026-10-25T00:{minute}:00Z", "price": None} for minute in ("00", "15", "30", "45")]
    rows[0]["price"] = rows[3]["price"] = 7
    assert read({"unit": "ct/kWh", "prices": rows}) == ("ct/kWh", [(0, 1, "7"), (3, 4, "7")])


def test_the_answer_of_smartenergy_is_read():
    dates = ("2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00")
    data = [{"date": date, "value": value} for date, value in zip(dates, (12.5, -0.25), strict=True)]
    answer = {"tariff": "SPOT", "unit": "ct/kWh", "interval": 15, "data": data}
    assert read(answer) == ("ct/kWh", [(3, 4, "12.5"), (4, 5, "-0.25")])


def test_the_answer_of_rabot_charge_is_read():
    stamps = ("2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00")
    records = [{"timestamp": at, "priceInCentPerKwh": price} for at, price in zip(stamps, (0.564, -1), strict=True)]
    assert read({"records": records}) == ("ct/kWh", [(3, 4, "0.564"), (4, 5, "-1")])


def test_a_price_whose_name_says_its_unit_goes_before_others_beside_it():
    at = {"start": "2026-10-25T02:00:00+02:00", "end": "2026-10-25T02:00:00+01:00"}
    assert read({"unit": "EUR/MWh", "rates": [at | {"price": 310, "priceInCentPerKwh": 31}]}) == (
        "ct/kWh",
        [(0, 4, "31")],
    )


def test_the_answer_of_evcc_is_read():
    rates = [{"start": "2026-10-25T02:00:00+02:00", "end": "2026-10-25T02:00:00+01:00", "value": 0.31}]
    assert read({"rates": rates, "currency": "EUR"}) == ("EUR/kWh", [(0, 4, "0.31")])


def test_a_bare_list_needs_its_unit_in_the_intervals():
    assert read([{"start": "2026-10-25T00:00:00Z", "price": 28, "unit": "ct/kWh"}]) == ("ct/kWh", [(0, 1, "28")])


def test_intervals_come_in_order():
    prices = [{"start": "2026-10-25T00:15:00Z", "price": 2}, {"start": "2026-10-25T00:00:00Z", "price": 1}]
    assert read({"unit": "ct/kWh", "prices": prices}) == ("ct/kWh", [(0, 1, "1"), (1, 2, "2")])


def test_a_document_of_several_lines_is_one_message_and_lines_are_several():
    pretty = json.dumps({"a": [1, 2], "b": {}}, indent=1).encode()
    assert [piece.raw for piece in FORMAT.split(io.BytesIO(b"\xef\xbb\xbf" + pretty + b"\n"))] == [pretty]
    lines = [encode_tariff(tariff()), b"{broken", encode_tariff(tariff("1"))]
    found = list(FORMAT.split(io.BytesIO(b"\r\n".join(lines) + b"\n\n")))
    assert [piece.raw for piece in found] == lines
    assert found[2].offset == len(lines[0]) + len(lines[1]) + 4


def test_a_line_beyond_the_limit_is_kept_in_stretches():
    raw = b"[" + b"1," * FRAME_LIMIT_BYTES
    found = list(FORMAT.split(io.BytesIO(raw)))
    assert b"".join(piece.raw for piece in found) == raw
    assert {type(piece) for piece in found} == {Malformed}


@pytest.mark.parametrize("head", [b"", b"<xml/>", b"UNA:+.? '", b"start;price"])
def test_other_files_are_not_recognised(head):
    assert not FORMAT.recognise(head, "file")


def interval(**changed):
    said = {"start": "2026-10-25T00:00:00Z", "end": "2026-10-25T00:15:00Z", "price": 1, "unit": "ct/kWh"} | changed
    return {"prices": [{name: value for name, value in said.items() if value is not None}]}


BAD = [
    (b"", Truncated),
    (b"[", Truncated),
    (b"no", BadSyntax),
    (b'{"prices": [{"start": NaN}]}', BadSyntax),
    ({}, SchemaViolation),
    ([], SchemaViolation),
    ({"prices": []}, SchemaViolation),
    (interval(price=None), SchemaViolation),
    (interval(price="1"), SchemaViolation),
    (interval(price=True), SchemaViolation),
    (interval(start="yesterday"), SchemaViolation),
    (interval(start="2026-10-25T00:00:00"), SchemaViolation),
    (interval(start=-1), SchemaViolation),
    (interval(start=10**18), SchemaViolation),
    (interval(start=[]), SchemaViolation),
    (interval(end="2026-10-24T00:00:00Z"), SchemaViolation),
    (interval(unit=None), SchemaViolation),
    (interval(unit="EUR"), SchemaViolation),
    (interval(unit="USD/kWh"), SchemaViolation),
    (interval() | {"malo": "41373559242"}, BadIdentifier),
    (interval() | {"issued": "noon"}, SchemaViolation),
    ({"unix_seconds": [1, 2], "price": [1], "unit": "EUR/MWh"}, SchemaViolation),
    ({"unix_seconds": ["x"], "price": [1], "unit": "EUR/MWh"}, SchemaViolation),
    (interval(end="2056-10-25T00:00:00Z"), TooLarge),
    ({"unix_seconds": [1] * (PRICE_LIMIT + 1), "price": [1] * (PRICE_LIMIT + 1), "unit": "EUR/MWh"}, TooLarge),
    (b"[" * 100, TooLarge),
]


@pytest.mark.parametrize(("answer", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(answer, error):
    with pytest.raises(WireError) as problem:
        decode(answer)
    assert type(problem.value) is error
    assert problem.value.detail


amounts = st.decimals(-500, 500, places=4)
made = st.builds(
    tariff_of,
    st.integers(0, 10**6).map(lambda slot: slot * SLOT_US),
    st.lists(amounts, min_size=1, max_size=9),
    supplier=st.text('aä" ', max_size=5),
    tariff=st.text('aä" ', max_size=5),
    issued_us=st.none() | st.integers(0, 10**9).map(lambda second: second * 10**6),
    unit=st.sampled_from(["EUR/kWh", "ct/kWh", "EUR/MWh"]),
    malo=st.sampled_from(["", "41373559241"]),
)


@given(made)
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_the_same(said):
    assert decode(encode_tariff(said)).payload == said


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_give_named_errors_only(raw):
    with pytest.raises(WireError):
        decode(raw)


values = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False)
)
names = st.sampled_from(["start", "end", "price", "unit", "prices", "issued", "malo", "unix_seconds", "currency"])
documents = st.recursive(values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))


@given(documents)
@settings(max_examples=200, deadline=None)
def test_any_document_gives_prices_or_a_named_error(document):
    try:
        assert decode(document).payload["prices"]
    except WireError as error:
        assert error.detail  # noqa: PT017 -- a decoded answer is as good
