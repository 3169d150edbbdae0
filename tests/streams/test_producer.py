from base64 import b64decode
from decimal import Decimal
from uuid import uuid4
from zlib import decompress

import orjson
import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from schemas.event import Event, event_id, from_record
from schemas.interfaces import QUARANTINE_TOPIC
from schemas.interfaces import interface as interface_of
from streams import records
from streams.producer import BulkProducer, EventProducer, NotDelivered
from streams.reader import Rejected
from streams.records import event_record, quarantine_record
from streams.topics import TopicsMissing, ensure_topics

NOW_US = 1_774_746_000_123_456
PRODUCERS = [EventProducer, BulkProducer]


def note(text="note", actor="actor", interface="4"):
    raw = text.encode()
    identity = event_id(interface, "street", raw, 5)
    return Event(identity, interface, "street", "memo.note", actor, None, 5, {"text": text}, raw, {"line": 1})


def rejected(raw=b"wrong", **changes):
    return Rejected("4", "street", raw, 3, 5, "memo", "bad-syntax", "wrong is wrong", {"line": 1})._replace(**changes)


def attempt(make, kafka, prefix, **options):
    producer = make(kafka, prefix=prefix, **options)
    try:
        producer.send(note())
        producer.flush(5)
    finally:
        producer.abandon()


PATIENCE = {EventProducer: {"connect_timeout_s": 0.5}, BulkProducer: {"delivery_timeout_s": 0.5}}


def test_a_payload_that_is_not_json_is_turned_away_with_its_bytes():
    turned = event_record(note()._replace(payload={"set": {1}}))
    assert (turned.reason, turned.raw, turned.id) == ("unrecordable", b"note", note().id)


def test_half_a_character_in_a_payload_is_turned_away():
    assert event_record(note()._replace(payload={"text": "\ud800"})).reason == "unrecordable"


def test_decimals_in_a_payload_are_recorded_exactly():
    record = event_record(note()._replace(payload={"price": Decimal("0.10")}))
    assert orjson.loads(record.value)["payload"] == {"price": "0.10"}


def test_an_event_that_outgrows_a_record_is_turned_away():
    turned = event_record(note()._replace(payload={"text": "x" * (17 << 20)}))
    assert turned.reason == "too-large"
    assert "17.0 MiB" in turned.detail


def test_the_quarantine_keeps_bytes_reason_and_place():
    record = quarantine_record(rejected(), "p.")
    body = orjson.loads(record.value)
    assert (record.topic, record.key) == ("p." + QUARANTINE_TOPIC, rejected().id.encode())
    assert b64decode(body["raw"]) == b"wrong"
    assert (body["reason"], body["detail"], body["offset"]) == ("bad-syntax", "wrong is wrong", 3)
    assert (body["interface"], body["source"], body["format"]) == ("4", "street", "memo")
    assert (body["time"], body["context"]) == ("1970-01-01T00:00:00.000005Z", {"line": 1})


def test_a_large_rejected_message_is_kept_whole_in_less_room():
    raw = b"12 MiB of this" * (13 << 16)
    body = orjson.loads(quarantine_record(rejected(raw)).value)
    assert decompress(b64decode(body["raw_zlib"])) == raw


def test_a_rejected_message_without_end_is_kept_by_its_beginning(monkeypatch):
    monkeypatch.setattr(records, "compress", lambda raw, _level: raw)
    body = orjson.loads(quarantine_record(rejected(bytes(20 << 20))).value)
    assert body["raw_bytes"] == 20 << 20
    assert 10 << 20 < len(b64decode(body["raw"])) < 12 << 20


@pytest.mark.parametrize("make", PRODUCERS)
def test_nobody_at_the_address_is_said(make):
    with pytest.raises(NotDelivered):
        attempt(make, "127.0.0.1:9", "", **PATIENCE[make])


def test_topics_of_nobody_are_missing():
    with pytest.raises(TopicsMissing, match="does not answer"):
        ensure_topics("127.0.0.1:9", timeout_s=0.5)


@pytest.mark.stack
def test_topics_are_made_once_with_what_they_promise(kafka, topic_prefix):
    assert ensure_topics(kafka, prefix=topic_prefix) == 0
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    topic = topic_prefix + interface_of("4").topic
    config = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
    admin.close()
    assert "16777216" in str(config)
    assert "CreateTime" in str(config)


@pytest.mark.stack
@pytest.mark.parametrize("make", PRODUCERS)
def test_an_event_comes_back_as_it_went_in(kafka, topic_prefix, records_of, make):
    with make(kafka, prefix=topic_prefix, clock=lambda: NOW_US) as producer:
        assert producer.send(note()) is None
    (record,) = records_of(topic_prefix + interface_of("4").topic)
    assert from_record(record.value) == note()
    assert (record.key, record.timestamp) == (b"actor", NOW_US // 1000)


@pytest.mark.stack
def test_both_producers_choose_the_same_partition(kafka, topic_prefix, records_of):
    events = [note(actor=f"actor {number} \N{GREEK SMALL LETTER OMEGA}") for number in range(50)]
    for make in PRODUCERS:
        with make(kafka, prefix=topic_prefix) as producer:
            for event in events:
                producer.send(event)
    partitions = {}
    for record in records_of(topic_prefix + interface_of("4").topic):
        partitions.setdefault(record.key, []).append(record.partition)
    assert all(len(found) == 2 and len(set(found)) == 1 for found in partitions.values())
    assert len({found[0] for found in partitions.values()}) > 1


@pytest.mark.stack
@pytest.mark.parametrize("make", PRODUCERS)
def test_what_does_not_fit_and_what_was_rejected_meet_in_the_quarantine(kafka, topic_prefix, records_of, make):
    with make(kafka, prefix=topic_prefix) as producer:
        turned = producer.send(note()._replace(payload={"text": "x" * (17 << 20)}))
        producer.send_rejected(rejected())
    keys = {record.key for record in records_of(topic_prefix + QUARANTINE_TOPIC)}
    assert keys == {turned.id.encode(), rejected().id.encode()}


@pytest.mark.stack
@pytest.mark.parametrize("make", PRODUCERS)
def test_the_largest_message_goes_through(kafka, topic_prefix, records_of, make):
    raw = b"x" * 12_400_000
    with make(kafka, prefix=topic_prefix) as producer:
        assert producer.send(note()._replace(raw=raw)) is None
    (record,) = records_of(topic_prefix + interface_of("4").topic)
    assert from_record(record.value).raw == raw


@pytest.mark.stack
@pytest.mark.parametrize("make", PRODUCERS)
def test_a_topic_that_is_not_there_is_not_delivered(kafka, make):
    with pytest.raises(NotDelivered):
        attempt(make, kafka, f"{uuid4()}.", **PATIENCE[make])
