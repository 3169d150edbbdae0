"""A day of the street along the whole road, on real servers: both days on which the clock is changed."""

import csv
import os
import subprocess
import sys
import time
from datetime import date

import pytest

from replay.compare import compare
from replay.day import replay_day
from replay.scenario import Faults, write_day
from schemas.calendar import day_slots
from schemas.time import SLOT_US, parse_time
from streams import lag, lookups, migrate, sealing, tables
from streams.ingest import send_files
from streams.settings import settings
from streams.sources import find
from twin.slots import best_of, quarter_hours

SPOILED = Faults(late_per_million=20_000, twice_per_million=20_000)


@pytest.fixture
def config(tmp_path, kafka, database_url, topic_prefix, schema, monkeypatch):
    monkeypatch.setenv("TWIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWIN_KAFKA", kafka)
    monkeypatch.setenv("TWIN_DATABASE_URL", database_url)
    monkeypatch.setenv("TWIN_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("TWIN_SCHEMA", schema)
    yield settings()
    for name in (f"{schema}_facts", f"{schema}_messages"):
        migrate.drop(database_url, name)


@pytest.fixture
def worker(config, tmp_path):
    """The worker as it runs in the stack."""
    ready = tmp_path / "worker.ready"
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams.worker"],
            env={**os.environ, "TWIN_READY_FILE": str(ready)},
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 60
    while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ready.exists(), (tmp_path / "worker.log").read_text()[-2000:]
    yield process
    process.terminate()
    process.wait(20)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=str)
def test_a_day_comes_out_true_and_the_same_however_often_it_is_sent_or_replayed(day, config, worker, tmp_path):
    written = write_day(day, tmp_path / "day", sites=4, faults=SPOILED, ocpp_interval_s=300, sml_interval_s=180)
    ingest(config, written)
    digest = tables.digest(config.database_url, config.schema)
    assert_true(config, day, tmp_path / "day" / "truth")
    assert_replays_equal(config, day)

    ingest(config, written)
    assert tables.digest(config.database_url, config.schema) == digest
    assert_replays_equal(config, day)


def ingest(config, written):
    """The folders in reverse: documents of the day's end come before what was said in the day."""
    for folder in sorted({path.parent for path in written.files}, reverse=True):
        sent = send_files(config, find(folder), str(int(folder.name)))
        assert (sent.messages, sent.rejects) == (written.messages[str(int(folder.name))], 0)
    lag.wait_until_written(config, 60)


def assert_true(config, day, truth):
    slots = day_slots(day)
    with (truth / "quarter_hours.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {
        (quarter.point, quarter.direction, quarter.slot_us): quarter
        for point in {row["point"] for row in rows}
        for quarter in quarters_of(config, point, slots)
    }
    exact = 0
    for row in rows:
        quarter = found.get((row["point"], row["direction"], parse_time(row["slot"])))
        if quarter is None or quarter.value_mwh is None:
            continue
        assert abs(quarter.value_mwh - int(row["value_mwh"])) <= int(row["tolerance_mwh"]), quarter
        exact += quarter.value_mwh == int(row["value_mwh"])
    assert exact > 10 * len(slots)


def quarters_of(config, point, slots):
    asked = (config.database_url, config.schema, point, slots[0], slots[-1] + SLOT_US)
    return best_of(quarter_hours(lookups.edges(*asked), slots), lookups.slot_values(*asked))


def assert_replays_equal(config, day):
    sealing.seal(config, day)
    for source in ("facts", "messages"):
        into = f"{config.schema}_{source}"
        assert replay_day(config, day, into, source).read > 1000
        differences = compare(config.database_url, config.schema, into, day)
        assert differences.differing == []
        assert differences.compared["edge"] > 1000
