import io
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import HOUR_US, parse_time
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
from schemas.wire.control import FORMAT, SIZE_LIMIT, encode_box, encode_measure
from schemas.wire.control.orders import REMEMBERED, Orders

FIRST, SECOND = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "a81d4fae-7dec-11d0-a765-00a0c91e6bf6"
AT_US = parse_time("2026-10-25T16:55:00Z")
FROM_US = parse_time("2026-10-25T17:00:00Z")

BY_HAND = (
    b"POST /%5BPost%5D/steuerbefehl/konfiguration/?locationId=C0000000011&commandControl="
    + quote('{"maximumPowerValue": "4.2", "executionTimeFrom": "2026-10-25T17:00:00Z"}').encode()
    + b" HTTP/1.1\r\nHost: msb.example\r\ntransactionId: F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6\r\n"
    b"creationDateTime: 2026-10-25T16:55:00.1704Z\r\nContent-Length: 0\r\n\r\n"
)


def order(**changed):
    said = {
        "operation": "konfiguration",
        "location": "C0000000011",
        "kind": "sr",
        "transaction": FIRST,
        "initial_transaction": None,
        "reference": None,
        "created_us": AT_US,
        "state": None,
        "reason": None,
        "partner": None,
        "status": None,
        "limit_w": 4200,
        "from_us": FROM_US,
        "until_us": FROM_US + HOUR_US,
    }
    return said | changed


def answer(operation="positiveAntwort", state="succeeded", **changed):
    said = order(operation=operation, transaction=SECOND, reference=FIRST, state=state, **changed)
    return {name: value for name, value in said.items() if name not in {"limit_w", "from_us", "until_us"}}


def hear(*raws, conversation=None):
    """Payloads of messages of one conversation; their events are numbered."""
    conversation = conversation or Conversation()
    return [
        FORMAT.decode(Frame(raw, 0, event_id=f"event-{number}"), conversation) for number, raw in enumerate(raws, 1)
    ]


def only(raw):
    return hear(raw)[0]


# The market's requests


def test_a_request_written_by_hand_is_read():
    decoded = only(BY_HAND)
    assert (decoded.type, decoded.actor) == ("control.konfiguration", "sr:C0000000011")
    assert decoded.time_us == AT_US + 170_400
    assert decoded.payload == order(created_us=AT_US + 170_400, until_us=None)


@pytest.mark.parametrize(
    "said",
    [
        order(),
        order(until_us=None, limit_w=24_123, location="E0000000019", kind="nelo", initial_transaction=SECOND),
        order(operation="initialZustand", limit_w=None, until_us=None),
        order(operation="information", partner="9900987654329"),
        order(operation="information", partner="9900987654329", limit_w=None, until_us=None),
    ],
    ids=["order", "open end, grid location, retry", "release", "information", "information of a release"],
)
def test_what_is_written_reads_the_same(said):
    assert only(encode_measure(said)).payload == said


@pytest.mark.parametrize(
    ("operation", "state", "reason"),
    [
        ("vorlaeufigePositiveAntwort", "possible", None),
        ("vorlaeufigeNegativeAntwort", "failed", "overload"),
        ("positiveAntwort", "succeeded", None),
        ("negativeAntwort", "failed", "communicationFailure"),
        ("informationAnweisung", "unknown", None),
    ],
)
def test_an_answer_carries_the_order_it_belongs_to(operation, state, reason):
    raw = encode_measure(answer(operation, state, reason=reason))
    _, decoded = hear(encode_measure(order()), raw)
    meant = {"limit_w": 4200, "from_us": FROM_US, "until_us": FROM_US + HOUR_US, "event": "event-1"}
    assert decoded.payload == answer(operation, state, reason=reason) | {"order": meant}


def test_an_answer_to_an_order_that_was_never_heard_says_so():
    assert only(encode_measure(answer())).payload == answer() | {"context_missing": "order"}


def test_a_retry_is_the_order_it_repeats():
    retry = order(transaction=SECOND, initial_transaction=FIRST)
    _, _, decoded = hear(encode_measure(order()), encode_measure(retry), encode_measure(answer()))
    assert decoded.payload["order"]["event"] == "event-1"


def test_the_oldest_orders_are_forgotten():
    orders = Orders(conversation := Conversation(), Frame(b"", 0))
    for number in range(REMEMBERED + 1):
        orders.take(f"{number}", {})
    assert len(conversation.memory["orders"]) == REMEMBERED
    assert orders.answered("0") == {"context_missing": "order"}


def test_the_misspelling_of_the_model_is_read():
    raw = encode_measure(answer()).replace(b"statePositive", b"statePostive")
    assert only(raw).payload["state"] == "succeeded"


def test_a_request_as_a_json_exchange_is_read():
    exchange = {
        "method": "POST",
        "path": "/steuerbefehl/konfiguration/",
        "query": {
            "locationId": "C0000000011",
            "commandControl": {"maximumPowerValue": "4.2", "executionTimeFrom": "2026-10-25T17:00:00Z"},
        },
        "headers": {"transactionId": FIRST, "creationDateTime": "2026-10-25T16:55:00Z"},
        "status": 202,
    }
    assert only(json.dumps(exchange).encode()).payload == order(until_us=None, status=202)
    body = exchange.pop("query")
    assert only(json.dumps(exchange | {"body": json.dumps(body)}).encode()).payload == order(until_us=None, status=202)


def test_requests_behind_each_other_are_cut_without_loss():
    raws = [encode_measure(order()), BY_HAND, encode_measure(answer())]
    found = list(FORMAT.split(io.BytesIO(b"".join(raws))))
    assert [frame.raw for frame in found] == raws
    assert [frame.offset for frame in found] == [0, len(raws[0]), len(raws[0] + raws[1])]


def test_json_messages_are_one_a_line():
    lines = [encode_box(command()), encode_box(tunnel())]
    assert [frame.raw for frame in FORMAT.split(io.BytesIO(b"\n".join(lines)))] == lines


def test_too_many_requests_for_one_file_are_kept_in_stretches():
    raw = BY_HAND * (2 * SIZE_LIMIT // len(BY_HAND))
    found = list(FORMAT.split(io.BytesIO(raw)))
    assert b"".join(piece.raw for piece in found) == raw
    assert {(type(piece), type(piece.error)) for piece in found} == {(Malformed, TooLarge)}


# The control box


def command(**changed):
    said = {
        "operation": "command",
        "box": "CB-7",
        "created_us": AT_US,
        "reference": FIRST,
        "limit_w": 4200,
        "from_us": FROM_US,
        "until_us": FROM_US + HOUR_US,
        "reason": "section-14a",
        "location": "C0000000011",
    }
    return said | changed


def tunnel(state="opened"):
    return {"operation": "tunnel", "box": "CB-7", "created_us": AT_US, "smgw": "EPPC0210000001", "state": state}


BOX = [
    command(),
    command(limit_w=None, until_us=None, reason=None, location=None),
    {"operation": "status", "box": "CB-7", "created_us": AT_US, "state": "limited", "limit_w": 4200},
    {"operation": "status", "box": "CB-7", "created_us": AT_US, "state": "failsafe", "limit_w": None},
    tunnel(),
    {
        "operation": "channel",
        "box": "CB-7",
        "created_us": AT_US,
        "reference": FIRST,
        "channel": "cls-3",
        "from_us": FROM_US,
        "until_us": None,
    },
]


@pytest.mark.parametrize("said", BOX, ids=[f"{said['operation']}-{n}" for n, said in enumerate(BOX)])
def test_a_message_of_the_box_reads_as_it_was_written(said):
    decoded = only(encode_box(said))
    assert (decoded.type, decoded.actor) == (f"control.{said['operation']}", "control-box:CB-7")
    assert decoded.payload == said


@pytest.mark.parametrize(
    "said",
    [
        {"operation": "acknowledgement", "accepted": True, "reason": None},
        {"operation": "acknowledgement", "accepted": False, "reason": "busy"},
        {"operation": "result", "state": "failed", "reason": "relay"},
    ],
)
def test_an_answer_of_the_box_carries_its_command(said):
    said = said | {"box": "CB-7", "created_us": AT_US, "reference": FIRST}
    _, decoded = hear(encode_box(command()), encode_box(said))
    meant = {"limit_w": 4200, "from_us": FROM_US, "until_us": FROM_US + HOUR_US, "event": "event-1"}
    assert decoded.payload == said | {"order": meant}


# Bad input


def bad(old, new):
    raw = encode_measure(order(until_us=None))
    assert old in raw
    return raw.replace(old, new)


def box(**changed):
    said = json.loads(encode_box(command())) | changed
    return json.dumps({name: value for name, value in said.items() if value != "-"}).encode()


VALUE = quote('"4.2"').encode()
BAD = [
    (b"", Truncated),
    (b"{", Truncated),
    (b"[]", BadSyntax),
    (b"GET / HTTP/1.1\r\n\r\n", BadSyntax),
    (b"POST /x", Truncated),
    (b"POST /x\r\n\r\n", BadSyntax),
    (b"POST /x FTP/1.1\r\n\r\n", BadSyntax),
    (b"POST /\xff HTTP/1.1\r\n\r\n", BadSyntax),
    (b"POST /konfiguration HTTP/1.1\r\nno header\r\n\r\n", BadSyntax),
    (b"POST //[/ HTTP/1.1\r\n\r\n", BadSyntax),
    (b"POST /x?" + b"a=1&" * 200 + b" HTTP/1.1\r\n\r\n", BadSyntax),
    (b"POST /x HTTP/1.1\r\n\r\n[1]", SchemaViolation),
    (b"POST /x HTTP/1.1\r\n\r\n{", Truncated),
    (b"POST /x HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, TooLarge),
    (bad(b"/konfiguration/", b"/loeschen/"), Unsupported),
    (bad(b"C0000000011", b"C0000000010"), BadIdentifier),
    (bad(b"C0000000011", b"D0000000010"), BadIdentifier),
    (bad(b"locationId", b"location"), SchemaViolation),
    (bad(b"transactionId: ", b"transaction: "), SchemaViolation),
    (bad(b"transactionId: f8", b"transactionId: g8"), SchemaViolation),
    (bad(b"creationDateTime: 2026-10-25T16:55:00Z", b"creationDateTime: 2026-10-25T16:55:00"), SchemaViolation),
    (bad(b"commandControl", b"commandRegular"), SchemaViolation),
    (bad(b"commandControl=", b"commandControl=x"), SchemaViolation),
    (bad(b"%7D", b""), SchemaViolation),
    (bad(VALUE, b"4.2"), SchemaViolation),
    (bad(VALUE, quote('"4,2"').encode()), SchemaViolation),
    (bad(VALUE, quote('"4.2345"').encode()), SchemaViolation),
    (bad(VALUE, quote('""').encode()), SchemaViolation),
    (bad(VALUE, quote('"-1"').encode()), SchemaViolation),
    (bad(b"executionTimeFrom", b"executionTime"), SchemaViolation),
    (encode_measure(order(until_us=FROM_US)), SchemaViolation),
    (encode_measure(answer(state="perhaps")), SchemaViolation),
    (encode_measure(answer("negativeAntwort", "failed", reason="tired")), SchemaViolation),
    (encode_measure(answer("negativeAntwort", "failed")), SchemaViolation),
    (encode_measure(answer()).replace(b"referenceId", b"reference"), SchemaViolation),
    (encode_measure(order(operation="information", partner="99")), SchemaViolation),
    (b'{"path": 1}', SchemaViolation),
    (b'{"path": "/konfiguration", "method": "GET"}', SchemaViolation),
    (b'{"path": "/konfiguration", "headers": []}', SchemaViolation),
    (b"{}", Unsupported),
    (box(type="reboot"), Unsupported),
    (box(type=[]), Unsupported),
    (box(box="-"), SchemaViolation),
    (box(box=" "), SchemaViolation),
    (box(time="noon"), SchemaViolation),
    (box(limit_w=-1), SchemaViolation),
    (box(limit_w=4.2), SchemaViolation),
    (box(limit_w=True), SchemaViolation),
    (box(limit_w=10**10), SchemaViolation),
    (box(duration_s=10**9), SchemaViolation),
    (box(start="-"), SchemaViolation),
    (box(location="C0000000010"), BadIdentifier),
    (box(type="acknowledgement", accepted="yes"), SchemaViolation),
    (box(type="status", state="tired"), SchemaViolation),
    (box(type="tunnel", state="opened"), SchemaViolation),
    (box(type="result", result="perhaps"), SchemaViolation),
]


@pytest.mark.parametrize(("raw", "error"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(raw, error):
    with pytest.raises(WireError) as problem:
        only(raw)
    assert type(problem.value) is error
    assert problem.value.detail


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1", b"<xml/>", b"POST"])
def test_other_files_are_not_recognised(head):
    assert not FORMAT.recognise(head, "file")


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_give_named_errors_only(raw):
    for start in (b"", b"POST /"):
        with pytest.raises(WireError):
            only(start + raw)


@given(st.sampled_from([BY_HAND, encode_measure(answer()), encode_box(command())]), st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_message_decodes_or_gives_a_named_error(raw, data):
    at = data.draw(st.integers(0, len(raw)))
    raw = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + data.draw(st.integers(0, 20)) :]
    try:
        assert only(raw).payload["operation"]
    except WireError as error:
        assert error.detail  # noqa: PT017 -- a decoded message is as good
