import gzip
import threading
import time
from types import SimpleNamespace

import orjson
import pytest
from starlette.testclient import TestClient

from schemas.event import from_record
from schemas.interfaces import QUARANTINE_TOPIC
from schemas.interfaces import interface as interface_of
from schemas.wire.contract import BadSyntax, Decoded, Frame, WireFormat
from streams import reader
from streams.gateway.app import Gateway
from streams.gateway.road import Road, pack, unpack
from streams.producer import EventProducer, NotDelivered, Refused
from streams.records import Record
from streams.spool import Spool

ARRIVAL_US = 1_774_746_000_000_000


class Kafka:
    """Stands for Kafka: takes records, or is away; every producer made here writes into the same log."""

    def __init__(self):
        self.away = False
        self.fails_after = None
        self.log = []

    def connect(self):
        if self.away:
            raise NotDelivered("nobody answers")
        return KafkaOfTest(self)

    def quarantined(self):
        return [orjson.loads(record.value) for record in self.log if record.topic.endswith(QUARANTINE_TOPIC)]

    def texts(self):
        events = [from_record(record.value) for record in self.log if b"payload" in record.value]
        return [event.payload["text"] for event in events]


class KafkaOfTest:
    """A producer of :class:`Kafka`: what was not flushed is gone with it."""

    def __init__(self, broker):
        self.broker = broker
        self.waiting = []

    def send_record(self, record):
        self.waiting.append(record)

    def flush(self, _timeout_s):
        if self.broker.away:
            raise NotDelivered("nobody confirms")
        if any(b"refuse me" in record.value for record in self.waiting):
            raise Refused("too large for this topic")
        if self.broker.fails_after is not None:
            self.broker.log += self.waiting[: self.broker.fails_after]
            self.broker.away, self.broker.fails_after = True, None
            raise NotDelivered("away in the middle")
        self.broker.log += self.waiting
        self.waiting = []

    def abandon(self):
        self.waiting = []


def split(stream):
    offset = 0
    for line in stream:
        if line.strip():
            yield Frame(line.strip(), offset)
        offset += len(line)


def decode(frame, conversation):
    if frame.raw.startswith(b"wrong"):
        raise BadSyntax("wrong is wrong")
    return Decoded("memo.note", "actor", None, {"text": frame.raw.decode()})


MEMO = WireFormat("memo", "Memo", lambda _head, _name: True, split, decode)


@pytest.fixture(autouse=True)
def catalogue(monkeypatch):
    monkeypatch.setattr(reader, "interface_of", lambda number: SimpleNamespace(number=number, formats=("memo",)))
    monkeypatch.setattr(reader, "recognise", lambda *_: MEMO)


@pytest.fixture
def broker():
    return Kafka()


@pytest.fixture
def client(broker, tmp_path):
    with gateway(broker, tmp_path) as client:
        yield client


def gateway(broker, folder, *, spool_bytes=1 << 20, **options):
    road = Road(
        broker.connect, Spool(folder / "spool", limit_bytes=spool_bytes), prefix="t.", patience_s=0.5, retry_s=0.02
    )
    options.setdefault("clock", lambda: ARRIVAL_US)
    return TestClient(Gateway(road, lambda: not broker.away, **options).app())


def post(client, body, **headers):
    return client.post("/interfaces/4/messages", content=body, headers=headers)


def lines(*messages):
    return b"\n".join(orjson.dumps(message) for message in messages)


def wait_for(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come true within 5 s")


def test_a_message_is_answered_when_kafka_has_it(client, broker):
    answer = post(client, b"hello", **{"X-Source": "street", "X-Time": "2026-03-29T03:00:00+02:00"})
    (record,) = broker.log
    event = from_record(record.value)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "events": [event.id], "rejected": []})
    assert record.topic == "t." + interface_of("4").topic
    assert (event.source, event.raw, event.log_time_us) == ("street", b"hello", ARRIVAL_US)


@pytest.mark.parametrize("number", ["04", "4", "if.04.evse-cpo"])
def test_a_number_may_be_written_as_people_do(client, broker, number):
    assert client.post(f"/interfaces/{number}/messages", content=b"a").status_code == 200
    assert from_record(broker.log[0].value).interface == "4"


def test_a_body_may_hold_many_messages(client, broker):
    assert post(client, b"a\nb\nc\n").json()["accepted"] == 3
    assert broker.texts() == ["a", "b", "c"]


def test_json_lines_carry_their_own_source_and_time(client, broker):
    body = lines({"raw": "a"}, {"base64": "Yg==", "source": "other", "time": "2026-03-29T01:00:01Z"}, {"raw": "c\nd"})
    answer = post(client, body, **{"Content-Type": "application/x-ndjson; charset=utf-8", "X-Source": "street"})
    events = [from_record(record.value) for record in broker.log]
    assert answer.json()["events"] == [event.id for event in events]
    assert [event.payload["text"] for event in events] == ["a", "b", "c", "d"]
    assert [event.source for event in events] == ["street", "other", "street", "street"]
    assert [event.log_time_us - ARRIVAL_US for event in events] == [0, 1_000_000, 0, 0]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"raw": 1}',
        b'{"raw": ""}',
        b'{"raw": "a", "base64": "Yg=="}',
        b'{"base64": "?"}',
        b'{"raw": "a", "time": "noon"}',
        b'{"raw": "a", "time": "2026-03-29T01:00:00"}',
        b'{"raw": "a", "colour": "red"}',
        b'{"raw": "a", "source": "' + b"s" * 300 + b'"}',
    ],
)
def test_a_bad_line_goes_to_the_quarantine_and_the_others_through(client, broker, line):
    answer = post(client, b'{"raw": "good"}\n' + line, **{"Content-Type": "application/x-ndjson"})
    (rejected,) = answer.json()["rejected"]
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert (rejected["line"], rejected["reason"], rejected["offset"]) == (2, "bad-line", 16)
    assert broker.quarantined()[0]["raw_bytes"] == len(line)


def test_a_wrong_message_beside_a_good_one_is_named_and_kept(client, broker):
    answer = post(client, b"good\nwrong")
    assert answer.status_code == 200
    assert answer.json()["rejected"] == [{"offset": 5, "reason": "bad-syntax", "detail": "wrong is wrong (byte 0)"}]
    assert [entry["reason"] for entry in broker.quarantined()] == ["bad-syntax"]


def test_nothing_but_wrong_messages_is_unprocessable_but_not_lost(client, broker):
    assert post(client, b"wrong\nwrong again").status_code == 422
    assert len(broker.quarantined()) == 2


def test_an_unknown_interface_is_not_found(client):
    assert client.post("/interfaces/999/messages", content=b"a").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "code"), [("GET", "/interfaces/4/messages", 405), ("POST", "/nowhere", 404)]
)
def test_what_is_not_served_says_where_the_help_is(client, method, path, code):
    answer = client.request(method, path)
    assert answer.status_code == code
    assert answer.json() == {"error": f"{method} {path} is not served here; GET / says what is"}
    assert answer.headers.get("allow") == ("POST" if code == 405 else None)


@pytest.mark.parametrize(
    "headers", [{"X-Time": "yesterday"}, {"X-Time": "2026-03-29T01:00:00"}, {"X-Source": "s" * 300}]
)
def test_bad_headers_are_a_bad_request(client, broker, headers):
    assert post(client, b"a", **headers).status_code == 400
    assert broker.log == []


def test_an_empty_body_is_a_bad_request(client):
    answer = post(client, b" \n")
    assert answer.status_code == 400
    assert "native format" in answer.json()["error"]


def test_a_large_body_is_refused_while_it_comes(broker, tmp_path):
    sent = []

    def endless():
        for _ in range(1000):
            sent.append(1)
            yield b"x" * 100

    with gateway(broker, tmp_path, limit_bytes=1000) as client:
        assert post(client, b"x" * 1001).status_code == 413
        assert post(client, endless()).status_code == 413
        assert post(client, b"x" * 1000).status_code == 200


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic secret"}])
def test_without_the_configured_token_nothing_is_taken(broker, tmp_path, given):
    with gateway(broker, tmp_path, token="secret") as client:
        assert post(client, b"a", **given).status_code == 401
    assert broker.log == []


def test_with_the_token_messages_are_taken(broker, tmp_path):
    with gateway(broker, tmp_path, token="s\u00e9cret") as client:
        assert post(client, b"a", Authorization="Bearer s\u00e9cret".encode()).status_code == 200


def test_while_kafka_is_away_messages_wait_on_disk_and_follow_in_order(client, broker):
    assert post(client, b"before").status_code == 200
    broker.away = True
    answers = [post(client, b"away %d" % number) for number in range(5)]
    assert [answer.status_code for answer in answers] == [202] * 5
    assert client.get("/health").json() == {"kafka": False, "direct": False, "spooled": 5}
    broker.away = False
    wait_for(lambda: client.get("/health").json() == {"kafka": True, "direct": True, "spooled": 0})
    assert post(client, b"after").status_code == 200
    assert broker.texts() == ["before", *[f"away {number}" for number in range(5)], "after"]


def test_the_ids_of_waiting_messages_are_those_that_arrive(client, broker):
    broker.away = True
    told = post(client, b"a\nb").json()["events"]
    broker.away = False
    wait_for(lambda: len(broker.log) == 2)
    assert [from_record(record.value).id for record in broker.log] == told


def test_a_group_that_kafka_took_in_part_is_sent_whole_again(client, broker):
    post(client, b"connected")
    broker.fails_after = 1
    assert post(client, b"a\nb\nc").status_code == 202
    broker.away = False
    wait_for(lambda: len(broker.log) == 5)
    assert broker.texts() == ["connected", "a", "a", "b", "c"]


def test_a_message_that_kafka_refuses_holds_up_no_other(client, broker, tmp_path):
    post(client, b"connected")
    assert post(client, b"a\nrefuse me\nb").status_code == 202
    wait_for(lambda: client.get("/health").json()["direct"])
    assert broker.texts() == ["connected", "a", "b"]
    (kept,) = (tmp_path / "spool").glob("*.refused")
    assert b"refuse me" in kept.read_bytes()


def test_wrong_messages_wait_too(client, broker):
    broker.away = True
    assert post(client, b"wrong").status_code == 422
    broker.away = False
    wait_for(broker.quarantined)


def test_what_waits_survives_a_restart(broker, tmp_path):
    broker.away = True
    with gateway(broker, tmp_path) as client:
        assert post(client, b"before the restart").status_code == 202
    broker.away = False
    with gateway(broker, tmp_path):
        wait_for(lambda: broker.texts() == ["before the restart"])


def test_a_full_spool_asks_to_come_again(broker, tmp_path):
    broker.away = True
    with gateway(broker, tmp_path, spool_bytes=2000) as client:
        answers = [post(client, b"x" * 300) for _ in range(5)]
    assert answers[0].status_code == 202
    assert answers[-1].status_code == 503
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("spool_bytes", "code", "become"), [(1 << 20, 202, "go to the spool"), (0, 503, "are not taken")]
)
def test_what_becomes_of_messages_without_kafka_is_said_as_it_is(broker, tmp_path, caplog, spool_bytes, code, become):
    with gateway(broker, tmp_path, spool_bytes=spool_bytes) as client:
        post(client, b"connected")
        broker.away = True
        assert post(client, b"late").status_code == code
    assert f"Kafka is away, messages {become}" in caplog.text


def test_too_much_at_once_asks_to_come_again(broker, tmp_path):
    with gateway(broker, tmp_path, held_bytes=10) as client:
        assert post(client, b"x" * 11).status_code == 503
        assert post(client, b"x" * 10).status_code == 200


def test_posts_from_many_threads_all_arrive_once_across_an_outage(client, broker):
    def work(name):
        for number in range(20):
            assert post(client, f"{name} {number}".encode()).status_code in {200, 202}

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    broker.away = True
    time.sleep(0.05)
    broker.away = False
    for thread in threads:
        thread.join()
    wait_for(lambda: len(broker.log) == 80)
    for name in "abcd":
        assert [text for text in broker.texts() if text[0] == name] == [f"{name} {number}" for number in range(20)]


def test_a_compressed_body_is_expanded_within_limits(client, broker):
    assert post(client, gzip.compress(b"a\nb")).json()["accepted"] == 2
    answer = post(client, gzip.compress(bytes(80 << 20), 9))
    assert (answer.status_code, answer.json()["rejected"][-1]["reason"]) == (422, "too-large")


@pytest.mark.stack
def test_kafka_itself_has_what_was_answered(kafka, topic_prefix, records_of, tmp_path):
    spool = Spool(tmp_path / "spool")
    road = Road(lambda: EventProducer(kafka, prefix=topic_prefix), spool, prefix=topic_prefix)
    with TestClient(Gateway(road, lambda: True).app()) as client:
        answers = [post(client, f"note {number}\nwrong {number}".encode()) for number in range(20)]
    told = [identity for answer in answers for identity in answer.json()["events"]]
    records = records_of(topic_prefix + interface_of("4").topic)
    assert {answer.status_code for answer in answers} == {200}
    assert [from_record(record.value).id for record in records] == told
    assert len(records_of(topic_prefix + QUARANTINE_TOPIC)) == 20


def test_the_help_needs_no_token(broker, tmp_path):
    with gateway(broker, tmp_path, token="secret") as client:
        assert "POST /interfaces/{n}/messages" in client.get("/").text
        assert client.get("/health").status_code == 200


def test_a_record_survives_the_way_over_the_disk():
    record = Record("topic", b"key", b"\0value", [("ce_id", b"1"), ("empty", b"")])
    assert unpack(pack(record)) == record
