"""The load of the benchmark is what the street says, and Kafka takes it; the figures have their names."""

import io
import time

import numpy as np
import orjson
import pytest
from rich.console import Console

from replay.bench import decoders
from replay.bench.live import _quantiles
from replay.bench.pool import ROUND_US, round_of, templates
from replay.bench.prepared import prepare, slices
from replay.bench.report import _spread, figures
from replay.bench.stations import stations
from replay.bench.wire import Connection
from schemas.event import from_record
from schemas.facts import Facts
from schemas.interfaces import by_topic_number
from twin.observe import observe


@pytest.fixture(scope="module")
def known():
    return templates(sites=3)


def said(values):
    facts = Facts()
    for value in values:
        observe(from_record(value), facts)
    return facts


def test_a_round_says_the_same_five_minutes_later_under_other_ids(known):
    first, second = (list(round_of(known, number)) for number in (0, 1))
    assert not {from_record(made.value).id for made in first} & {from_record(made.value).id for made in second}
    earlier, later = said(made.value for made in first), said(made.value for made in second)
    assert [reading._replace(time_us=reading.time_us + ROUND_US) for reading in earlier.readings] == later.readings
    assert len(later.readings) > 20


def test_headers_and_value_of_a_made_record_agree(known):
    for made in round_of(known, 3):
        assert dict(made.headers)["ce_id"].decode() == orjson.loads(made.value)["id"]


def test_kafka_takes_prepared_batches_with_the_time_they_are_stamped_with(
    known, kafka, topic_prefix, records_of, tmp_path
):
    # the topics of a test have fewer partitions than those that the load is prepared for
    prepare(tmp_path / "load", known, len(known), "zstd")
    connection = Connection(kafka, topic_prefix)
    stamp_ms = time.time_ns() // 1_000_000
    sent, confirmed = {}, []
    for batches in slices(tmp_path / "load"):
        mine = [batch for batch in batches if batch.partition == 0]
        for batch in mine:
            batch.stamp(stamp_ms)
            sent[batch.topic] = sent.get(batch.topic, 0) + batch.records
        if mine:
            confirmed += connection.send(mine, stamp_ms)
    confirmed += connection.finish()
    connection.close()
    assert sum(batch.records for batch in confirmed) == sum(sent.values()) > 0
    for number, count in sent.items():
        records = records_of(topic_prefix + by_topic_number(number).topic)
        assert [record.timestamp for record in records] == [stamp_ms] * count
        assert all(from_record(record.value).id for record in records)


def test_delay_is_from_the_stamp_to_the_first_look_that_finds_the_record():
    sent = np.array([[1_000, 4, 0, 9, 10], [2_000, 4, 0, 19, 10]])
    seen = {(4, 0): [(0.0, 0), (1.5, 10), (4.0, 20)]}
    found = _quantiles(sent, seen)
    assert (found["events"], found["p50_s"], found["max_s"]) == (20, 1.25, 2.0)


def test_every_station_costs_something(known):
    assert all(used >= 0 for used in stations(known).values())


def test_every_decoder_is_measured_beside_its_library_or_with_the_reason_why_there_is_none():
    measured = decoders.measure_all(scale=0.01)
    assert set(measured) == set(decoders.formats())
    for name, found in measured.items():
        assert found["messages_per_s"] > 0, name
        has_library = name in decoders.LIBRARIES and found["library"] != decoders.NOT_HERE
        assert (found["library_messages_per_s"] is None, found["of_library"] is None) == (not has_library,) * 2, name
        assert found["library"].startswith("none") != has_library, name
    assert measured["ocpp"]["messages"] > 100
    printed = Console(width=200, record=True, file=io.StringIO())
    printed.print(decoders.table(measured))
    said = printed.export_text()
    assert all(name in said for name in measured)


def test_the_figures_have_the_names_that_others_rely_on():
    found = {
        "live": {
            "events_per_s": 50_000,
            "archived_per_s": 20_000,
            "peak_mib": {"broker": 1.0},
            "cpu_us_per_event": {"broker": 3.0},
        },
        "latency": {"p50_s": 0.05, "p99_s": 0.2},
        "catchup": {"events_per_s": 60_000},
        "readings": {"seconds": 8.0, "readings_per_s": 2_500_000, "sum_s": 0.5, "duckdb_s": 0.4, "peak_mib": 900.0},
        "plain": {"events_per_s": 5_000},
        "one_upsert_s": 0.001,
        "flat": {"1000000": [{"worker-1": 300.0}, {"worker-1": 299.0}], "10000000": [{"worker-1": 301.0}]},
        "stations": {"decode": 5.0},
        "decoders": {"ocpp": {"messages_per_s": 25_000, "library": "ocpp", "library_messages_per_s": 15_000}},
    }
    said_of = figures(found)
    assert {
        "live_events_per_s",
        "live_archived_events_per_s",
        "live_p50_s",
        "live_p99_s",
        "catchup_events_per_s",
        "replay_readings_per_s",
        "replay_s",
        "duckdb_s",
        "plain_faust_events_per_s",
    } <= said_of.keys()
    assert said_of["decoders"]["ocpp"]["messages_per_s"] == 25_000
    assert said_of["ratios"]["live_to_plain_faust"] == 10.0
    assert said_of["ratios"]["sum_to_duckdb"] == 1.25


def test_of_a_day_that_ran_several_times_the_least_and_the_most_memory_are_printed():
    runs = [{"archiver": 290.5}, {"archiver": 281.0}, {"archiver": 292.1}]
    assert [_spread(runs, "archiver"), _spread(runs[:1], "archiver"), _spread(runs, "replay")] == [
        "281.0 to 292.1",
        "290.5",
        "",
    ]
