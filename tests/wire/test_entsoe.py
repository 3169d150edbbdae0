import io
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import SLOT_US, parse_time
from schemas.wire.contract import (
    BadIdentifier,
    BadSyntax,
    Conversation,
    Frame,
    SchemaViolation,
    TooLarge,
    Truncated,
    Unsupported,
    WireError,
)
from schemas.wire.entsoe import FORMAT, encode_prices, prices_of, series_of

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "entsoe"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="../shared/samples is not here")

ZONE, EXCHANGE = "10Y1001A1001A82H", "10X1001A1001A450"
START_US = parse_time("2026-10-24T22:00:00Z")
CREATED_US = parse_time("2026-10-24T11:05:00Z")


def document(*prices, curve="A03", resolution_s=900):
    amounts = [Decimal(price) for price in prices] or [Decimal("55.35"), Decimal("55.35"), Decimal("-0.01")]
    series = series_of(ZONE, START_US, amounts, curve=curve, resolution_s=resolution_s)
    return prices_of("doc-1", CREATED_US, [series], sender=EXCHANGE, receiver=EXCHANGE)


def decode(raw):
    return FORMAT.decode(Frame(raw, 0), Conversation())


def frames(raw):
    return list(FORMAT.split(io.BytesIO(raw)))


def periods_in(name):
    raw = (SAMPLES / name).read_bytes()
    assert FORMAT.recognise(raw[:65536], name)
    assert frames(raw) == [Frame(raw, 0)]
    decoded = decode(raw)
    assert (decoded.type, decoded.actor) == ("entsoe.prices", "energy-market:10YBE----------2")
    assert decoded.time_us == parse_time("2024-10-07T14:36:40Z")
    (series,) = decoded.payload["series"]
    assert (series["curve"], series["currency"], series["measure"]) == ("A03", "EUR", "MWH")
    return series["periods"]


@needs_samples
def test_a_sample_of_two_resolutions_is_read():
    first, second, third = periods_in("BE_60M_15M_mix.xml")
    assert (first["resolution_s"], len(first["points"])) == (900, 23)
    assert first["points"][:3] == [[1, Decimal("55.35")], [5, Decimal("44.22")], [9, Decimal("40.32")]]
    assert (second["resolution_s"], second["points"][-1]) == (900, [93, Decimal("77.18")])
    assert (third["resolution_s"], third["points"][-1]) == (3600, [24, Decimal(50)])


@needs_samples
def test_a_sample_whose_points_are_out_of_order_is_read_in_order():
    first, second = periods_in("BE_15M_avg.xml")
    assert [position for position, _ in first["points"]] == [1, 2, 3, 4, 5, 11]
    assert first["points"][1] == [2, Decimal("40.32")]
    assert (second["resolution_s"], second["points"]) == (3600, [[1, Decimal("64.98")], [3, Decimal("57.86")]])


@needs_samples
@pytest.mark.parametrize("name", ["BE_60M_15M_mix.xml", "BE_15M_avg.xml"])
def test_a_sample_written_again_reads_the_same(name):
    decoded = decode((SAMPLES / name).read_bytes())
    assert decode(encode_prices(decoded.payload)) == decoded


def test_a_curve_of_varying_blocks_leaves_out_what_repeats():
    raw = encode_prices(document())
    assert raw.count(b"<Point>") == 2
    (period,) = decode(raw).payload["series"][0]["periods"]
    assert period["points"] == [[1, Decimal("55.35")], [3, Decimal("-0.01")]]
    assert period["until_us"] == START_US + 3 * SLOT_US


@pytest.mark.parametrize(
    "namespace",
    [
        b"urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:0",
        b"urn:iec62325.351:tc57wg16:451-3:publicationdocument:8:1",
    ],
)
def test_the_version_of_the_namespace_does_not_matter(namespace):
    raw = encode_prices(document()).replace(b"urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3", namespace)
    assert decode(raw).payload == document()


def test_a_prefix_before_the_elements_does_not_matter():
    raw = encode_prices(document())
    for name in (b"Publication_MarketDocument", b"TimeSeries"):
        raw = raw.replace(b"<" + name, b"<p:" + name).replace(b"</" + name, b"</p:" + name)
    raw = raw.replace(b' xmlns="', b' xmlns:p="')
    assert FORMAT.recognise(raw, "a.xml")
    assert decode(raw).payload == document()


def test_several_zones_make_a_document_of_its_sender():
    said = document()
    said["series"].append(said["series"][0] | {"domain": "10YBE----------2", "sequence": 2})
    decoded = decode(encode_prices(said))
    assert decoded.actor == f"energy-market:{EXCHANGE}"
    assert [series["sequence"] for series in decoded.payload["series"]] == [1, 2]


ACKNOWLEDGEMENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:8:1">
<mRID>ack-1</mRID><createdDateTime>2026-10-24T11:06:00Z</createdDateTime>
<sender_MarketParticipant.mRID codingScheme="A01">{EXCHANGE}</sender_MarketParticipant.mRID>
<receiver_MarketParticipant.mRID codingScheme="A01">{EXCHANGE}</receiver_MarketParticipant.mRID>
<received_MarketDocument.mRID>doc-1</received_MarketDocument.mRID>
<Reason><code>999</code><text>No matching data found</text></Reason>
</Acknowledgement_MarketDocument>""".encode()


def test_an_acknowledgement_says_what_it_is_about_and_why():
    decoded = decode(ACKNOWLEDGEMENT)
    assert (decoded.type, decoded.actor) == ("entsoe.acknowledgement", f"energy-market:{EXCHANGE}")
    assert decoded.payload["received"] == {"id": "doc-1", "revision": None, "type": None}
    assert decoded.payload["reasons"] == [{"code": "999", "text": "No matching data found"}]


def test_documents_behind_each_other_are_cut_without_loss():
    documents = [encode_prices(document()), ACKNOWLEDGEMENT + b"\n", encode_prices(document("1"))]
    assert [frame.raw for frame in frames(b"".join(documents))] == documents


@pytest.mark.parametrize(
    "head", [b"", b"{}", b"<html>Publication_MarketDocument</html>", b"<UsagePoints/>", b"Publication_MarketDocument"]
)
def test_other_files_are_not_recognised(head):
    assert not FORMAT.recognise(head, "file.xml")


def test_a_document_in_utf_16_is_recognised_and_read():
    raw = encode_prices(document()).decode().replace('encoding="utf-8"', 'encoding="utf-16"').encode("utf-16")
    assert FORMAT.recognise(raw, "a.xml")
    assert decode(raw).payload == document()


def changed(old, new):
    raw = encode_prices(document())
    assert old in raw
    return raw.replace(old, new)


BAD = [
    (b"", Truncated),
    (encode_prices(document())[:-30], Truncated),
    (b"not xml", BadSyntax),
    (b'<!DOCTYPE a [<!ENTITY b "c">]>' + encode_prices(document()).partition(b"?>")[2], BadSyntax),
    (b"<GL_MarketDocument/>", Unsupported),
    (b"<html/>", Unsupported),
    (changed(b"<type>A44", b"<type>A69"), Unsupported),
    (changed(b"<type>A44</type>", b""), SchemaViolation),
    (changed(b"<mRID>doc-1</mRID>", b""), SchemaViolation),
    (changed(b"<mRID>doc-1<", b"<mRID> <"), SchemaViolation),
    (changed(b"<revisionNumber>1", b"<revisionNumber>one"), SchemaViolation),
    (changed(b"<createdDateTime>2026-10-24T11:05:00Z", b"<createdDateTime>yesterday"), SchemaViolation),
    (changed(b"450</receiver", b"451</receiver"), BadIdentifier),
    (changed(b"10Y1001A1001A82H</in", b"10Y1001A1001A82X</in"), BadIdentifier),
    (
        changed(b'<in_Domain.mRID codingScheme="A01">10Y1001A1001A82H', b'<in_Domain.mRID codingScheme="Z">'),
        SchemaViolation,
    ),
    (changed(b"<curveType>A03", b"<curveType>A02"), Unsupported),
    (changed(b"<resolution>PT15M", b"<resolution>P1D"), Unsupported),
    (changed(b"<resolution>PT15M", b"<resolution>PT0M"), Unsupported),
    (changed(b"<resolution>PT15M", b"<resolution>PT"), Unsupported),
    (changed(b"<resolution>PT15M", b"<resolution>PT60M"), SchemaViolation),
    (changed(b"<end>2026-10-24T22:45Z", b"<end>2026-10-24T21:45Z"), SchemaViolation),
    (changed(b"<end>2026-10-24T22:45Z", b"<end>2126-10-24T22:45Z"), TooLarge),
    (changed(b"<position>1<", b"<position>0<"), SchemaViolation),
    (changed(b"<position>1<", b"<position>-1<"), SchemaViolation),
    (changed(b"<position>1<", b"<position>" + b"9" * 10 + b"<"), SchemaViolation),
    (changed(b"<price.amount>55.35", b"<price.amount>55,35"), SchemaViolation),
    (changed(b"<price.amount>55.35", b"<price.amount>NaN"), SchemaViolation),
    (changed(b"<price.amount>55.35", b"<price.amount>5e9"), SchemaViolation),
    (changed(b"<currency_Unit.name>EUR</currency_Unit.name>", b""), SchemaViolation),
    (changed(b"TimeSeries>", b"Series>"), SchemaViolation),
    (changed(b"Point>", b"Dot>"), SchemaViolation),
    (ACKNOWLEDGEMENT.replace(b"Reason>", b"Because>"), SchemaViolation),
    (ACKNOWLEDGEMENT.replace(b"<code>999</code>", b""), SchemaViolation),
    (encode_prices(document()) + b" " * 2**24, TooLarge),
]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        decode(raw)
    assert type(problem.value) is error
    assert problem.value.detail


amounts = st.decimals(-500, 5000, places=2)
starts = st.integers(0, 10**6).map(lambda slot: slot * SLOT_US)
series = st.builds(
    series_of,
    st.just(ZONE),
    starts,
    st.lists(amounts, min_size=1, max_size=8),
    curve=st.sampled_from(["A01", "A03"]),
    resolution_s=st.sampled_from([900, 1800, 3600]),
)
texts = st.text("aZ<>&'\" ä", min_size=1, max_size=9).filter(lambda text: text == text.strip())
created = st.integers(0, 10**9).map(lambda second: second * 10**6)
documents = st.builds(
    prices_of,
    texts,
    created,
    st.lists(series, min_size=1, max_size=3),
    sender=st.just(EXCHANGE),
    receiver=st.just(ZONE),
)


@given(documents)
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_the_same(said):
    assert decode(encode_prices(said)).payload == said


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_give_named_errors_only(raw):
    with pytest.raises(WireError):
        decode(raw)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_document_decodes_or_gives_a_named_error(data):
    raw = encode_prices(document())
    at = data.draw(st.integers(0, len(raw)))
    raw = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + data.draw(st.integers(0, 20)) :]
    try:
        assert decode(raw).payload["series"]
    except WireError as error:
        assert error.detail  # noqa: PT017 -- a decoded document is as good


def test_a_year_of_quarter_hours_is_read_quickly():
    raw = encode_prices(document(*map(str, range(35_040)), curve="A01"))
    started = time.process_time()
    decoded = decode(raw)
    assert time.process_time() - started < 4
    assert len(decoded.payload["series"][0]["periods"][0]["points"]) == 35_040
