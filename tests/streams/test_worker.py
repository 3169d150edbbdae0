"""The worker as a process, on a real Kafka and a real database: killed, cut off, fed with nonsense."""

import time
from datetime import date
from typing import NamedTuple

import orjson
import pytest
from kafka import KafkaAdminClient, TopicPartition
from worker_process import Road

from schemas.event import Event, event_id, to_record
from schemas.interfaces import QUARANTINE_TOPIC
from schemas.interfaces import interface as interface_of
from schemas.time import SECOND_US, parse_time
from streams import migrate, tables
from streams.dismissals import dismissal_records
from streams.reader import Rejected
from streams.records import event_record, quarantine_record
from tests.scenario_day import StoredRecord, events_of_day, projection_of

pytestmark = pytest.mark.stack

DAY = date(2026, 3, 29)
NOON_US = parse_time("2026-03-29T10:00:00Z")
TOPIC = interface_of("4").topic


class Raw(NamedTuple):
    """A record of any bytes."""

    key: bytes
    value: bytes | None
    topic: str = TOPIC


@pytest.fixture
def road(kafka, database_url, schema, topic_prefix, tmp_path):
    road = Road(kafka, database_url, schema, topic_prefix, tmp_path)
    yield road
    road.close()


def heartbeat(number, **more):
    """An event of its own, of a station that is only here."""
    raw = b'[2,"%d","Heartbeat",{}]' % number
    time_us = NOON_US + number * SECOND_US
    payload = {"rpc": "call", "action": "Heartbeat", "body": {}}
    identity = event_id("4", "test", raw, time_us)
    return Event(identity, "4", "test", "undecoded", f"evse:{number}", time_us, time_us, payload, raw, {})._replace(
        **more
    )


def records_of(events):
    return [event_record(event) for event in events]


def expected_of(events):
    """The digest of the tables that hold these events."""
    stored = [
        StoredRecord(record.topic, 0, offset, 0, record.value) for offset, record in enumerate(records_of(events))
    ]
    return projection_of(stored).digest()


def quarantined(road, reason):
    return road.rows("select source, detail, raw, context from quarantine where reason = %s order by 1, 2", reason)


def test_a_worker_is_killed_another_joins_and_nothing_is_lost_or_doubled(road):
    events = events_of_day(DAY, sites=4)
    third = len(events) // 3
    first, second = road.start(), road.start()
    road.wait_for(lambda: len(shares := road.members()) == 2 and min(shares) > 50)
    road.send(records_of(events[:third]))
    road.wait_for(lambda: road.rows("select count(*) from progress")[0][0] > 2)
    road.send(records_of(events[third : 2 * third]))
    first.kill()
    road.start()
    road.send(records_of([*events[2 * third :], *events[: third // 2]]))
    road.wait_written()
    assert second.process.poll() is None
    assert tables.digest(road.database_url, road.schema) == expected_of(events)
    assert road.rows("select count(*) from quarantine") == [(0,)]


def test_when_its_connection_is_cut_the_worker_goes_on_by_itself(road):
    events = events_of_day(DAY)
    half = len(events) // 2
    worker = road.start()
    road.wait_for(worker.is_ready)
    for part in (events[:half], events[half:]):
        road.send(records_of(part))
        road.wait_for(lambda: cut_connections(road) > 0)
    road.wait_written()
    assert worker.process.poll() is None
    assert tables.digest(road.database_url, road.schema) == expected_of(events)


def cut_connections(road):
    """End the server's side of every connection of the workers; how many there were."""
    query = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = %s"
    return road.rows(query, road.schema)[0][0]


NONSENSE = (
    b"not json",
    b"\xff\xfe\x00",
    b"{}",
    b"[]",
    b"null",
    b'{"id": "\\u0000"}',
    to_record(heartbeat(9, id="not hex"))[1],
    to_record(heartbeat(9))[1].replace(b'"time_us":', b'"time_us":"noon","was":'),
    to_record(heartbeat(9))[1].replace(b'"time_us":1', b'"time_us":9991'),
    orjson.dumps(dict.fromkeys(("id", "interface", "source", "type", "actor", "payload", "raw"), 7)),
)


def test_what_is_no_event_goes_to_the_quarantine_and_the_log_goes_on(road):
    before, after = heartbeat(1), heartbeat(2)
    records = [*records_of([before]), *[Raw(b"evse:1", value) for value in (*NONSENSE, None)], *records_of([after])]
    worker = road.start()
    road.send(records)
    road.wait_for(worker.is_ready)
    road.wait_written()
    kept = quarantined(road, "not-an-event")
    assert {bytes(raw) for _, _, raw, _ in kept} == {*NONSENSE, b""}
    assert all("@" in source for source, *_ in kept)
    assert tables.digest(road.database_url, road.schema) == expected_of([before, after])


def test_what_an_observer_fails_on_goes_to_the_quarantine_and_the_log_goes_on(road):
    before, after = heartbeat(1), heartbeat(2)
    broken = [
        heartbeat(3, actor="evse:\0", type="no-such-format.message"),
        heartbeat(4, type="taf7.readings", payload={}),
    ]
    worker = road.start()
    road.send(records_of([before, *broken, after]))
    road.wait_for(worker.is_ready)
    road.wait_written()
    kept = quarantined(road, "observer-error")
    assert {context["event"] for *_, context in kept} == {event.id for event in broken}
    assert road.rows("select value from twin join signal using (signal_id) where actor = 'interface:4'") == [
        ("2026-03-29T10:00:04Z",)
    ]
    assert worker.process.poll() is None


def test_a_rejected_message_lands_in_the_quarantine_once(road):
    rejected = Rejected("15", "street.log", b"\x1b\x1b", 7, NOON_US, "sml", "truncated", "ends too early", {"line": 3})
    worker = road.start()
    road.wait_for(worker.is_ready)
    road.send(
        [quarantine_record(rejected), *[Raw(b"", value) for value in NONSENSE], quarantine_record(rejected)],
        QUARANTINE_TOPIC,
    )
    last = rejected._replace(raw=b"the last one")
    road.send([quarantine_record(last)], QUARANTINE_TOPIC)
    road.wait_for(lambda: len(quarantined(road, "truncated")) == 2)
    assert {bytes(raw) for _, _, raw, _ in quarantined(road, "not-a-rejection")} == set(NONSENSE)
    assert quarantined(road, "truncated") == sorted(
        (kept.source, kept.detail, kept.raw, kept.context) for kept in (rejected, last)
    )
    assert (
        road.rows("select id, at from quarantine where reason = 'truncated' and raw = %s", rejected.raw)[0][0]
        == rejected.id
    )


def test_a_new_database_gets_the_quarantine_back_although_a_worker_read_it_before(road):
    rejected = Rejected("15", "street.log", b"\x1b\x1b", 7, NOON_US, "sml", "truncated", "ends too early", {"line": 3})
    told = quarantine_record(rejected)
    worker = road.start()
    road.wait_for(worker.is_ready)
    road.send([told, *dismissal_records([rejected.id], "a test")], QUARANTINE_TOPIC)
    road.wait_for(lambda: road.rows("select because from dismissal"))
    before = road.rows("select * from quarantine"), road.rows("select * from dismissal")
    worker.stop()
    migrate.drop(road.database_url, road.schema)

    road.set_up()

    assert (road.rows("select * from quarantine"), road.rows("select * from dismissal")) == before
    assert len(before[0]) == 1


def test_records_that_kafka_no_longer_has_are_named_and_the_rest_is_read(road):
    events = [heartbeat(number, actor="evse:1") for number in range(30)]
    worker = road.start()
    road.send(records_of(events[:10]))
    road.wait_for(worker.is_ready)
    road.wait_written()
    assert worker.stop() == 0
    road.send(records_of(events[10:]))
    (partition,) = road.rows("select partition from progress where next_offset = 10")[0]
    admin = KafkaAdminClient(bootstrap_servers=road.kafka)
    admin.delete_records({TopicPartition(road.prefix + TOPIC, partition): 20})
    admin.close()
    again = road.start()
    road.wait_for(again.is_ready)
    road.wait_written()
    assert f"{TOPIC}/{partition}: records 10 to 20 are gone from Kafka" in again.log()
    assert tables.digest(road.database_url, road.schema) == expected_of([*events[:10], *events[20:]])


def test_a_stopped_worker_has_written_what_it_read_and_ends_without_trouble(road):
    worker = road.start()
    road.wait_for(worker.is_ready)
    road.send(records_of([heartbeat(number) for number in range(2000)]))
    road.wait_for(lambda: road.rows("select coalesce(sum(next_offset), 0) from progress")[0][0] > 0)
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in worker.log()
