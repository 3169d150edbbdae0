"""A question about the past asks the archive first and Kafka for the rest."""

from dataclasses import replace

import pytest

from replay import history
from schemas.facts import Observation
from schemas.interfaces import by_topic
from schemas.rows import position_of
from schemas.time import MINUTE_US
from streams import sealing
from streams.archive import observing
from streams.producer import EventProducer
from streams.settings import Secret, Settings
from streams.tail import read_tail
from tests.replay.made_days import DAY, event


@pytest.fixture
def config(tmp_path, kafka, topic_prefix, monkeypatch):
    def observe(made, facts):
        facts.observations.append(Observation(made.actor, "number", made.payload["number"], "", made.time_us))

    monkeypatch.setattr(observing, "observe", observe)
    return Settings(tmp_path, kafka, Secret(""), "live", topic_prefix, "", 0, Secret(""), 0, 0)


def send(config, numbers):
    with EventProducer(config.kafka, prefix=config.topic_prefix) as producer:
        for number in numbers:
            producer.send(event(number, DAY.start_us + number * MINUTE_US))


def test_the_tail_is_what_lies_behind_the_archive(config):
    send(config, range(9))
    sealing.seal(config)
    send(config, range(9, 14))
    archive = sealing.Archive(config.home)
    tail = list(read_tail(config.kafka, config.topic_prefix, archive.next_offsets()))
    assert sorted(made.payload["number"] for made in tail) == [9, 10, 11, 12, 13]
    assert len(list(read_tail(config.kafka, config.topic_prefix, {}))) == 14


def test_archive_and_tail_answer_together(config):
    send(config, range(9))
    sealing.seal(config)
    send(config, range(9, 14))
    assert [row.value for row in history.twin_at(config, "meter:0")] == [12]
    assert [row.value for row in history.twin_at(config, "meter:0", DAY.start_us + 5 * MINUTE_US)] == [3]
    events = history.events_of(config, "meter:0", DAY.start_us, DAY.end_us)
    assert [made.payload["number"] for made in events] == [0, 3, 6, 9, 12]


def test_without_kafka_the_archive_answers_alone(config, caplog):
    send(config, range(9))
    sealing.seal(config)
    away = replace(config, kafka="127.0.0.1:9")
    assert [row.value for row in history.twin_at(away, "meter:0")] == [6]
    assert "only the archive was asked" in caplog.text


def test_events_are_named_from_the_archive_and_from_kafka(config):
    send(config, range(9))
    sealing.seal(config)
    send(config, range(9, 14))
    events = list(read_tail(config.kafka, config.topic_prefix, {}))
    ids = {position_of(by_topic(made.topic).topic_number, made.partition, made.offset): made.id for made in events}
    beyond = max(ids) + 1_000
    assert history.event_ids(config, [*ids, beyond]) == ids
    assert len(history.event_ids(replace(config, kafka="127.0.0.1:9"), ids)) == 9
