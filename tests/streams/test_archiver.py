"""The archiver writes the whole log, goes on where the manifests end, and seals when asked."""

import asyncio
import threading
from datetime import date

import orjson
import pyarrow.parquet as pq
import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from schemas.facts import Reading
from schemas.interfaces import interface
from schemas.time import MINUTE_US
from streams import archiver, sealing
from streams.archive import observing
from streams.archive.layout import Archive, Range
from streams.lag import end_offsets
from streams.producer import EventProducer
from streams.settings import Secret, Settings
from tests.replay.made_days import DAY, event

TOPIC = interface("15").topic


@pytest.fixture(autouse=True)
def facts_of_made_up_events(monkeypatch):
    def observe(made, facts):
        if made.payload["number"] == 13:
            facts.readings.append(None)
            raise KeyError("thirteen")
        facts.readings.append(
            Reading(made.actor, "device", "1-0:1.8.0", "import", made.time_us, made.payload["number"], "measured")
        )

    monkeypatch.setattr(observing, "observe", observe)


@pytest.fixture
def config(tmp_path, kafka, topic_prefix):
    return Settings(tmp_path, kafka, Secret(""), "live", topic_prefix, "", 0, Secret(""), 0, 0)


def send(config, numbers):
    with EventProducer(config.kafka, prefix=config.topic_prefix) as producer:
        for number in numbers:
            producer.send(event(number, DAY.start_us + number * MINUTE_US))


def archived(config, kind="messages"):
    archive = Archive(config.home)
    return [row for entry in archive.manifests() for row in pq.read_table(archive.file(entry.number, kind)).to_pylist()]


def test_everything_in_kafka_is_sealed_without_an_archiver(config):
    send(config, range(40))
    assert sum(manifest.events for manifest in sealing.seal(config)) == 40
    assert sorted(orjson.loads(row["payload"])["number"] for row in archived(config)) == list(range(40))
    assert Archive(config.home).next_offsets() == {
        part: end for part, end in end_offsets(config.kafka, config.topic_prefix).items() if end
    }


def test_an_event_that_cannot_be_observed_says_nothing_and_is_kept(config):
    send(config, range(12, 15))
    sealing.seal(config)
    assert len(archived(config)) == 3
    assert sorted(row["value_mwh"] for row in archived(config, "readings")) == [12, 14]


def test_sealing_again_adds_only_what_is_new(config):
    send(config, range(10))
    sealing.seal(config)
    assert len(sealing.seal(config)) == 1
    send(config, range(10, 15))
    assert [manifest.events for manifest in sealing.seal(config)] == [10, 5]
    assert len({(row["partition"], row["offset"]) for row in archived(config)}) == 15


def test_a_crashed_attempt_is_read_again(config):
    send(config, range(10))
    half = Archive(config.home).segment(0)
    half.mkdir(parents=True)
    (half / "messages.parquet").write_bytes(b"half")
    assert [manifest.events for manifest in sealing.seal(config)] == [10]


def test_a_running_archiver_seals_when_asked(config):
    running = archiver.Archiver(Archive(config.home), config.kafka, prefix=config.topic_prefix)
    with Archive(config.home).locked():
        thread = threading.Thread(target=lambda: asyncio.run(running.run()))
        thread.start()
        try:
            send(config, range(20))
            assert sum(manifest.events for manifest in sealing.seal(config, timeout_s=30)) == 20
        finally:
            running.stop()
            thread.join(30)
    assert not thread.is_alive()


def test_segments_close_at_their_limit(config):
    send(config, range(30))
    limits = archiver.Limits(events=10, chunk_records=5)
    ends = end_offsets(config.kafka, config.topic_prefix)
    archive = Archive(config.home)
    asyncio.run(archiver.Archiver(archive, config.kafka, prefix=config.topic_prefix, limits=limits).run(until=ends))
    assert [manifest.events for manifest in archive.manifests()] == [10, 10, 10]


def test_a_process_that_has_grown_closes_its_segments_earlier_but_not_at_nothing(config):
    send(config, range(40))
    ends = end_offsets(config.kafka, config.topic_prefix)
    grown = archiver.Limits(bytes=400, memory_bytes=1, chunk_records=5)
    archive = Archive(config.home)

    asyncio.run(archiver.Archiver(archive, config.kafka, prefix=config.topic_prefix, limits=grown).run(until=ends))

    weights = [
        sum(len(row["raw"]) + len(row["payload"]) + len(row["context"]) for row in rows)
        for rows in (pq.read_table(archive.file(entry.number, "messages")).to_pylist() for entry in archive.manifests())
    ]
    assert len(weights) > 2
    assert min(weights[:-1]) >= 100
    assert max(weights) < 400


def test_a_record_that_is_no_event_is_kept_as_bytes(config):
    producer = KafkaProducer(bootstrap_servers=config.kafka)
    producer.send(config.topic_prefix + TOPIC, b"\xffnothing", headers=[("who", b"me")]).get(10)
    producer.close()
    sealing.seal(config)
    row = archived(config)[0]
    assert (row["type"], row["raw"], row["context"]) == ("not-an-event", b"\xffnothing", '{"headers":{"who":"me"}}')


def test_what_kafka_has_deleted_is_a_gap_in_the_manifest(config):
    send(config, range(30))
    full = config.topic_prefix + TOPIC
    part, end = max(end_offsets(config.kafka, config.topic_prefix).items(), key=lambda item: item[1])
    admin = KafkaAdminClient(bootstrap_servers=config.kafka)
    admin.delete_records({TopicPartition(full, part[1]): 3})
    admin.close()
    manifest = sealing.seal(config)[0]
    assert manifest.gaps == (Range(TOPIC, part[1], 0, 3),)
    assert (manifest.events, Archive(config.home).next_offsets()[part]) == (27, end)


def test_another_log_than_the_archived_one_is_refused(config, kafka):
    send(config, range(5))
    sealing.seal(config)
    beyond = archiver.OpenSegment()
    beyond.cover(TOPIC, 0, 0, 99)
    beyond.write(Archive(config.home), 1)
    send(config, range(5, 20))
    with pytest.raises(archiver.ArchiveAhead, match="another log"):
        sealing.seal(config)


def test_a_sealed_day_has_its_own_manifest(config):
    send(config, [0, 1, 1, 5, 23 * 60 + 5])
    assert len(sealing.seal(config, date(2026, 3, 29))) == 1
    body = orjson.loads(Archive(config.home).day_file("2026-03-29").read_bytes())
    assert (body["events"], body["distinct_events"]) == (4, 3)
    assert body["segments"][0]["files"]["messages"]["sha256"]
    assert sealing.seal(config, date(2026, 3, 1)) == []
