import gzip
import io
import time
from base64 import encodebytes
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydifact.parser import Parser
from pydifact.tokenizer import Tokenizer

from schemas.calendar import month_slots
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
    Unsupported,
    WireError,
)
from schemas.wire.mscons import FORMAT, cancellation, encode_interchange, message_of, profile, states
from schemas.wire.mscons.interchange import MESSAGE_LIMIT
from schemas.wire.mscons.syntax import SEGMENT_LIMIT, Separators, parse_segment

MSB, SUPPLIER = "9900987654329", "9904628000007"
MALO, MELO, METER = "41373559241", "DE00056266802AO6G56M11SN51G21M24S", "1EMH0012345678"
START_US = parse_time("2026-10-24T22:00:00Z")
SENT_US = parse_time("2026-10-26T04:30:00Z")


def quarter_hours(count, amount="1.234", quality="220"):
    starts = [START_US + n * SLOT_US for n in range(count)]
    return [[quality, Decimal(amount), start_us, start_us + SLOT_US] for start_us in starts]


def profile_message(count=4, *, document="DOC-1", check=13025, obis="1-1:1.29.0"):
    span = (START_US, START_US + count * SLOT_US)
    locations = [profile(MALO, "malo", [(obis, quarter_hours(count))], span)]
    return message_of(check, document, SENT_US, sender=MSB, receiver=SUPPLIER, locations=locations)


def states_message(document="DOC-2"):
    registers = [("1-0:1.8.0", [("220", Decimal("10614.5"), START_US)])]
    locations = [states(MELO, "melo", METER, registers)]
    return message_of(13017, document, SENT_US, sender=MSB, receiver=SUPPLIER, locations=locations)


def interchange(*messages, **more):
    return encode_interchange(messages or [profile_message()], reference="REF-1", **more)


def pieces(raw):
    return list(FORMAT.split(io.BytesIO(raw)))


def decode(frame):
    return FORMAT.decode(frame, Conversation())


def only(raw):
    (frame,) = pieces(raw)
    return decode(frame)


def without_header(payload):
    return {key: value for key, value in payload.items() if key != "interchange"}


# Reading


WRITTEN_BY_HAND = b"""UNA:+.? '
UNB+UNOC:3+9904628000007:500+9900987654329:500+251114:2126+866078753PF++VL'
UNH+866078747PF+MSCONS:D:04B:UN:2.4c'
BGM+7+866078747PF+9'
DTM+137:202511142126?+00:303'
RFF+AGI:ORDER-7'
RFF+Z13:13017'
NAD+MS+9904628000007::293'
CTA+IC+:M. M?+u?'ller ?: S?xohn'
COM+?+49123:TE'
NAD+MR+9900987654329::293'
UNS+D'
NAD+DP'
LOC+172+DE0000801043700000000000011145670'
RFF+MG:31140584'
LIN+1'
PIA+5+1-0?:1.8.0:SRW'
QTY+220:10614,25:KWH'
DTM+9:20251113:102'
DTM+7:202511132300?+00:303'
STS+Z33++Z83'
UNT+20+866078747PF'
UNZ+1+866078753PF'
"""


def test_a_meter_reading_written_by_hand_is_read():
    decoded = only(WRITTEN_BY_HAND)
    assert (decoded.type, decoded.actor) == ("mscons.13017", "melo:DE0000801043700000000000011145670")
    assert decoded.time_us == parse_time("2025-11-14T21:26:00Z")
    payload = decoded.payload
    assert (payload["document"], payload["answers"], payload["function"]) == ("866078747PF", "ORDER-7", "9")
    assert payload["sender"] == {"id": "9904628000007", "agency": "293"}
    (location,) = payload["locations"]
    assert location["device"] == "31140584"
    more = {
        "unit": "KWH",
        "read_day": "20251113",
        "at_us": parse_time("2025-11-13T23:00:00Z"),
        "status": ["Z33++Z83"],
    }
    values = [["220", Decimal("10614.25"), None, None, more]]
    assert location["registers"] == [{"obis": "1-0:1.8.0", "values": values}]
    assert payload["interchange"]["reference"] == "866078753PF"
    assert payload["interchange"]["application"] == "VL"


def test_states_of_a_configuration_are_about_that_of_their_sender():
    raw = WRITTEN_BY_HAND.replace(
        b"LOC+172+DE0000801043700000000000011145670'\nRFF+MG:31140584'", b"LOC+172'\nRFF+AGK:K?+7'"
    )
    decoded = only(raw)
    assert (decoded.actor, decoded.payload.get("not_read")) == ("configuration:9904628000007/K+7", None)
    assert [register["obis"] for register in decoded.payload["locations"][0]["registers"]] == ["1-0:1.8.0"]
    assert decode(pieces(interchange(decoded.payload))[0]).payload["locations"] == decoded.payload["locations"]


def test_registers_of_a_location_that_nobody_names_are_not_those_of_the_one_before():
    raw = WRITTEN_BY_HAND.replace(b"RFF+MG:31140584'", b"LOC+172'")
    with pytest.raises(SchemaViolation, match="that nobody names"):
        only(raw)


@pytest.mark.parametrize(("check", "obis"), [(13019, "1-1:1.9.0"), (13016, "1-1:1.6.0")])
def test_what_is_billed_of_a_period_is_read(check, obis):
    period = [["220", Decimal("5669.998"), START_US, START_US + 744 * 4 * SLOT_US, {"status": ["10+Z36"]}]]
    location = profile(MALO, "malo", [(obis, period)], (None, None))
    said = message_of(check, "D", SENT_US, sender=MSB, receiver=SUPPLIER, locations=[location])
    decoded = only(interchange(said))
    assert (decoded.type, decoded.payload["use_case"]) == (f"mscons.{check}", "energy")
    assert without_header(decoded.payload) == said


def test_each_message_carries_the_header_of_its_interchange():
    raw = interchange(profile_message(document="A"), states_message(document="B"))
    frames = pieces(raw)
    assert [frame.source for frame in frames] == [MSB, MSB]
    assert [frame.raw[:5] for frame in frames] == [b"UNH+A", b"UNH+B"]
    assert all(raw[frame.offset :].startswith(frame.raw) for frame in frames)
    assert {frame.context["unb"][:10] for frame in frames} == {"UNB+UNOC:3"}
    assert [decode(frame).payload["document"] for frame in frames] == ["A", "B"]


def test_other_separators_are_honoured():
    separators = Separators(component="|", element="*", release="!", terminator="~")
    message = profile_message() | {"document": "a:b+c?d'e|f*g!h~i"}
    raw = interchange(message, separators=separators)
    assert raw.startswith(b"UNA|*.! ~UNB*UNOC|3*")
    assert without_header(only(raw).payload) == message


def test_without_una_the_usual_separators_hold():
    assert without_header(only(interchange(with_una=False)).payload) == profile_message()


def test_una_without_a_release_character_releases_nothing():
    raw = b"UNA:+.  '" + interchange(with_una=False).replace(b"?+00", b"~00").replace(b"1-1?:1", b"1-1~1")
    (frame,) = pieces(raw)
    assert frame.raw.endswith(b"'")
    with pytest.raises(SchemaViolation):  # its times need a plus, which cannot be written so
        decode(frame)


def test_several_interchanges_in_a_file_keep_their_own_separators():
    other = Separators(terminator="~")
    raw = interchange(profile_message(document="A")) + b"\r\n" + interchange(states_message("B"), separators=other)
    assert [decode(frame).payload["document"] for frame in pieces(raw)] == ["A", "B"]


@pytest.mark.parametrize(("syntax", "encoding"), [("UNOC", "iso8859-1"), ("UNOY", "utf-8"), ("UNOE", "iso8859-5")])
def test_the_character_set_is_the_one_unb_names(syntax, encoding):
    document = "Д-1" if syntax == "UNOE" else "Müller-1"
    raw = interchange(profile_message(document=document), syntax=syntax)
    assert document.encode(encoding) in raw
    assert only(raw).payload["document"] == document


def test_point_and_comma_mark_decimals_alike():
    raw = interchange().replace(b"1.234", b"1,234", 1)
    values = only(raw).payload["locations"][0]["registers"][0]["values"]
    assert [value[1] for value in values] == [Decimal("1.234")] * 4


def test_a_message_with_several_locations_is_about_its_sender():
    message = profile_message()
    message["locations"] += [
        profile(MELO, "melo", [("1-1:2.29.0", quarter_hours(4))], (START_US, START_US + 4 * SLOT_US))
    ]
    decoded = only(interchange(message))
    assert decoded.actor == f"msb:{MSB}"
    assert [location["id"] for location in decoded.payload["locations"]] == [MALO, MELO]


def test_a_cancellation_names_what_it_withdraws():
    decoded = only(interchange(cancellation("DOC-1", "DOC-3", SENT_US, sender=MSB, receiver=SUPPLIER)))
    assert (decoded.type, decoded.actor) == ("mscons.13006", f"msb:{MSB}")
    assert (decoded.payload["cancels"], decoded.payload["function"]) == ("DOC-1", "1")


def test_segments_that_are_not_read_are_named():
    raw = interchange().replace(b"UNS+D'", b"UNS+D'FTX+ACB+++x'").replace(b"UNT+26", b"UNT+27")
    assert only(raw).payload["not_read"] == ["FTX"]


def test_a_message_alone_is_read_too():
    (frame,) = pieces(interchange())
    assert decode(Frame(frame.raw, 0)).payload == profile_message()


# As AS4 carries it


def as4(raw, *, encoding=None, head=True, envelope=True):
    coded = encodebytes(raw) if encoding == "base64" else raw
    transfer = f"Content-Transfer-Encoding: {encoding}\r\n".encode() if encoding else b""
    soap = b"<S:Envelope><eb:MessageId>4711@msb.example</eb:MessageId></S:Envelope>"
    start = b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b1"; type="application/soap+xml"\r\n\r\n'
    return b"".join(
        [
            start if head else b"",
            b"--b1\r\nContent-Type: application/soap+xml\r\n\r\n" + soap + b"\r\n" if envelope else b"",
            b"--b1\r\nContent-Type: application/octet-stream\r\n" + transfer + b"\r\n" + coded + b"\r\n--b1--\r\n",
        ]
    )


@pytest.mark.parametrize(
    "raw",
    [
        as4(interchange()),
        as4(interchange(), head=False),
        as4(interchange(), encoding="base64"),
        as4(gzip.compress(interchange(), mtime=0), encoding="base64"),
        as4(gzip.compress(interchange(), mtime=0), encoding="binary"),
    ],
    ids=["plain", "headers taken off", "base64", "gzip in base64", "gzip"],
)
def test_an_interchange_in_an_as4_message_is_found(raw):
    assert FORMAT.recognise(raw[:65536], "as4.mime")
    (frame,) = pieces(raw)
    assert frame.context["as4_message_id"] == "4711@msb.example"
    assert without_header(decode(frame).payload) == profile_message()


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (as4(interchange()).replace(b"\r\n--b1--\r\n", b""), BadSyntax),
        (as4(gzip.compress(interchange(), mtime=0)[:-20], encoding="base64"), Truncated),
        (as4(gzip.compress(bytes(17 * 2**20), mtime=0), encoding="base64"), TooLarge),
        (as4(b"\x1f\x8bnot gzip", encoding="base64"), BadSyntax),
        (as4(b"<xml/>"), BadSyntax),
        (as4(b"0\x80").replace(b"octet-stream", b"pkcs7-mime"), Unsupported),
        (as4(interchange()) + b"x" * 2**24, TooLarge),
        (as4(interchange()).replace(b"--b1\r\nC", b'--b1\r\nX: boundary="b"\r\nC') + b"boundary=" * 20, TooLarge),
        (as4(b"a\n" * 700_000), TooLarge),
        (as4(b"\r\n--b1\r\n" * 100), TooLarge),
    ],
    ids=range(10),
)
def test_a_damaged_as4_message_is_kept_with_its_reason(raw, error):
    found = pieces(raw)
    assert {(type(piece), type(piece.error)) for piece in found} == {(Malformed, error)}
    assert sum(len(piece.raw) for piece in found) > 0


# Cutting


def test_a_message_without_end_is_kept_and_the_next_is_read():
    raw = interchange(profile_message(document="A"), profile_message(document="B"))
    broken = raw.replace(b"UNT+26+A'", b"")
    first, second, trailer = pieces(broken)
    assert (first.raw[:5], type(first.error)) == (b"UNH+A", Truncated)
    assert decode(second).payload["document"] == "B"
    assert (trailer.raw, type(trailer.error)) == (b"UNZ+2+REF-1'", SchemaViolation)


@pytest.mark.parametrize(
    ("change", "kept", "error"),
    [
        ((b"UNZ+1+REF-1'", b""), b"UNB+", Truncated),
        ((b"UNZ+1", b"UNZ+2"), b"UNZ+2+REF-1'", SchemaViolation),
        ((b"UNZ+1+REF-1", b"UNZ+1+REF-2"), b"UNZ+1+REF-2'", SchemaViolation),
        ((b"UNB+UNOC", b"UNB+UNOX"), b"UNB+UNOX", SchemaViolation),
        ((b"UNA:+.? '", b"UNA++.? '"), b"UNA++.? '", BadSyntax),
        ((b"UNB+UNOC:3+9900987654329:500+9904628000007:500+261026:0430+REF-1++TL'", b""), b"UNZ+", BadSyntax),
        ((b"UNH+", b"FTX+stray'UNH+"), b"FTX+stray'", BadSyntax),
        ((b"UNZ+1+REF-1'", b"UNZ+1+REF-1'rest"), b"rest", Truncated),
    ],
    ids=range(8),
)
def test_what_is_wrong_with_an_interchange_is_told_and_its_message_is_read(change, kept, error):
    found = pieces(interchange().replace(*change))
    (wrong,) = [piece for piece in found if isinstance(piece, Malformed)]
    assert wrong.raw.startswith(kept)
    assert isinstance(wrong.error, error)
    (frame,) = [piece for piece in found if isinstance(piece, Frame)]
    assert decode(frame).payload["document"] == "DOC-1"


def test_a_message_beyond_the_limit_is_kept_in_pieces_and_the_next_is_read():
    filler = b"FTX+ACB+++" + b"x" * 4000 + b"'"
    raw = interchange(profile_message(document="A"), profile_message(document="B"))
    raw = raw.replace(b"UNT+26+A'", filler * (MESSAGE_LIMIT // len(filler) + 500) + b"UNT+26+A'")
    found = pieces(raw)
    assert [decode(piece).payload["document"] for piece in found if isinstance(piece, Frame)] == ["B"]
    assert sum(len(piece.raw) for piece in found) > MESSAGE_LIMIT
    assert isinstance(found[0].error, TooLarge)


def covered(raw, found):
    """Which bytes come out; headers and trailers that are right are in the context instead."""
    marks = bytearray(len(raw))
    for piece in found:
        marks[piece.offset : piece.offset + len(piece.raw)] = b"\1" * len(piece.raw)
    lost, start = [], None
    for at, mark in enumerate([*marks, 1]):
        if not mark and start is None:
            start = at
        elif mark and start is not None:
            lost.append(raw[start:at])
            start = None
    return lost


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_cutting_damaged_bytes_loses_nothing(data):
    raw = interchange(profile_message(2, document="A"), states_message("B")) + b"\n" + interchange(states_message("C"))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 40))
        raw = raw[:at] + data.draw(st.binary(max_size=6)) + raw[at + length :]
    for lost in covered(raw, pieces(raw)):
        assert lost.strip().startswith((b"UNA", b"UNB", b"UNZ")) or not lost.strip()


@pytest.mark.parametrize("filler", [b"UNB", b"UNB'", b"UNA", b"UNA:+.? '", b"'", b"?", b"UNH+'", b"x", b"UNZ'"])
def test_hostile_bytes_take_no_longer_than_their_length(filler):
    raw = filler * (2**19 // len(filler))
    started = time.process_time()
    found = pieces(raw)
    assert time.process_time() - started < 3
    assert b"".join(piece.raw for piece in found).replace(b"UNA:+.? '", b"").strip() in {raw, b""}


# Bad input


def message(old=b"", new=b"", *, count=26):
    (frame,) = pieces(interchange())
    raw = frame.raw.replace(old, new, 1) if old else frame.raw
    return raw.replace(b"UNT+26", b"UNT+%d" % count)


BAD = [
    (b"", BadSyntax),
    (b"UNH", Truncated),
    (b"UNZ+1+2'", BadSyntax),
    (b"nonsense'", BadSyntax),
    (b":'", BadSyntax),
    (b"+'", BadSyntax),
    (message()[:-10], Truncated),
    (message(b"UNT+26+DOC-1'", b""), Truncated),
    (message(count=25), SchemaViolation),
    (message(b"UNT+26+DOC-1", b"UNT+26+DOC-2"), SchemaViolation),
    (message(b"MSCONS", b"UTILMD"), Unsupported),
    (message(b"13025", b"13002"), Unsupported),
    (message(b"13025", b"55001"), SchemaViolation),
    (message(b"13025", b"1302x"), SchemaViolation),
    (message(b"RFF+Z13:13025'", b"", count=25), SchemaViolation),
    (message(b"BGM+Z48+DOC-1+9'", b"", count=25), SchemaViolation),
    (message(b"DTM+137:202610260430?+00:303'", b"", count=25), SchemaViolation),
    (message(b"DTM+137:202610260430?+00:303", b"DTM+137:202610260430:203"), SchemaViolation),
    (message(b"DTM+137:202610260430", b"DTM+137:202613260430"), SchemaViolation),
    (message(b"NAD+MR+9904628000007::293'", b"", count=25), SchemaViolation),
    (message(b"NAD+MS+9900987654329", b"NAD+MS+9900987654320"), BadIdentifier),
    (message(b"NAD+MS+9900987654329::293", b"NAD+MS+9900987654329::9"), BadIdentifier),
    (message(b"NAD+MS+9900987654329::293", b"NAD+MS+990098765432x::332"), BadIdentifier),
    (message(b"41373559241", b"41373559242"), BadIdentifier),
    (message(b"41373559241", b"DE41373559241"), BadIdentifier),
    (message(b"41373559241", b"E0000000010"), BadIdentifier),
    (message(b"41373559241", b"10Y1001A1001A82X"), BadIdentifier),
    (message(b"LOC+172+41373559241'", b"", count=25), SchemaViolation),
    (message(b"PIA+5+1-1?:1.29.0:SRW'", b"", count=25), SchemaViolation),
    (message(b"1.234", b"1.2.3"), SchemaViolation),
    (message(b"1.234", b"1e3"), SchemaViolation),
    (message(b"1.234", b""), SchemaViolation),
    (message(b"1.234", b"9" * 19), SchemaViolation),
    (message(b"UNS+D'", b"UNS+D?\n'"), BadSyntax),
    (message(b"UNS+D'", b"UNS+\0'"), BadSyntax),
    (message(b"UNS+D'", b"FTX+" + b"x" * SEGMENT_LIMIT + b"'"), TooLarge),
    (message(b"UNS+D'", b"FTX+" + b":" * 250 + b"'"), TooLarge),
    (message(b"UNS+D'", b"UNS+D'" * 250_000), TooLarge),
]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        decode(Frame(raw, 0))
    assert type(problem.value) is error
    assert problem.value.detail


def test_an_error_says_at_which_segment():
    raw = message(b"41373559241", b"41373559242")
    with pytest.raises(BadIdentifier, match="should be 1") as problem:
        decode(Frame(raw, 0))
    assert raw[problem.value.offset :].startswith(b"LOC+172")


def test_a_cancellation_of_nothing_is_refused():
    (frame,) = pieces(interchange(cancellation("DOC-1", "DOC-3", SENT_US, sender=MSB, receiver=SUPPLIER)))
    raw = frame.raw.replace(b"RFF+ACW:DOC-1'", b"").replace(b"UNT+11", b"UNT+10")
    with pytest.raises(SchemaViolation, match="ACW"):
        decode(Frame(raw, 0))


@pytest.mark.parametrize("head", [b"", b"{}", b"<?xml?>", b"Content: yes\n\nUNA", b"UN", b"--", b"[2,"])
def test_other_files_are_not_recognised(head):
    assert not FORMAT.recognise(head, "file.txt")


@pytest.mark.parametrize(
    "head", [b"UNB+UNOC:3+", b"\xef\xbb\xbfUNA:+.? '", b"\r\nUNA:+.? 'UNB+UNOC", b"UNH+1+MSCONS:D"]
)
def test_interchanges_are_recognised(head):
    assert FORMAT.recognise(head, "file.edi")


# Laws

texts = st.text("aZ9:+?' ,.-_äß", min_size=1, max_size=12).filter(lambda text: text == text.strip())
instants = st.integers(0, 2**31).map(lambda minute: minute * 60 * 10**6)
amounts = st.decimals(0, 10**9, places=3)
mores = st.dictionaries(st.sampled_from(["unit", "read_day"]), st.sampled_from(["KWH", "20261024"]), max_size=2)
values = st.tuples(st.sampled_from(["220", "67", "Z18"]), amounts, st.none() | instants, st.none() | instants).map(list)
registers = st.lists(st.tuples(st.sampled_from(["1-1:1.29.0", "1-0:2.8.1"]), st.lists(values, max_size=3)), max_size=2)
locations = st.builds(profile, st.just(MALO), st.just("malo"), registers, st.tuples(instants, instants))
messages = st.builds(
    message_of,
    st.sampled_from([13017, 13018, 13025, 13027]),
    texts,
    instants,
    sender=st.just(MSB),
    receiver=st.just(SUPPLIER),
    locations=st.lists(locations, min_size=1, max_size=2),
)


@given(st.lists(messages, min_size=1, max_size=3), st.sampled_from([Separators(), Separators("|", "*", "!", "~")]))
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_the_same(payloads, separators):
    frames = pieces(interchange(*payloads, separators=separators))
    assert [without_header(decode(frame).payload) for frame in frames] == payloads


pieces_of_segments = st.lists(st.sampled_from(["a", "Z9", "+", ":", "??", "?+", "?:", "?'", " ", "ä"]), max_size=20)


@given(pieces_of_segments.map("".join))
@settings(max_examples=200, deadline=None)
def test_the_parts_of_a_segment_are_those_that_pydifact_reads(text):
    whole = f"ABC+{text}'"
    found = parse_segment(whole.encode(), Separators(), "utf-8")
    ((tag, *elements),) = Parser().convert_tokens_to_raw_segments(Tokenizer().get_tokens(whole))
    assert (found.tag, list(map(_short, found.elements))) == (tag, elements)


def _short(components):
    """An element as pydifact gives it: one component is a text, empty ones at the end are left out."""
    while len(components) > 1 and not components[-1]:
        components = components[:-1]
    return components[0] if len(components) == 1 else components


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_give_named_errors_only(raw):
    with pytest.raises(WireError):
        decode(Frame(raw, 0))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_message_decodes_or_gives_a_named_error(data):
    raw = message()
    at = data.draw(st.integers(0, len(raw)))
    raw = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + data.draw(st.integers(0, 20)) :]
    try:
        assert decode(Frame(raw, 0)).payload["check"]
    except WireError as error:
        assert error.detail  # noqa: PT017 -- a decoded message is as good


def test_a_month_of_two_registers_is_read_quickly():
    slots = month_slots(2026, 10)
    rows = [["220", Decimal("0.125"), start_us, start_us + SLOT_US] for start_us in slots]
    span = (slots[0], slots[-1] + SLOT_US)
    locations = [profile(MALO, "malo", [("1-1:1.29.0", rows), ("1-1:2.29.0", rows)], span)]
    raw = interchange(message_of(13025, "D", SENT_US, sender=MSB, receiver=SUPPLIER, locations=locations))
    started = time.process_time()
    decoded = only(raw)
    assert time.process_time() - started < 4
    assert [len(register["values"]) for register in decoded.payload["locations"][0]["registers"]] == [2980, 2980]
