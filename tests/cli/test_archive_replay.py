"""``twin archive``, ``twin replay``, ``twin compare``: a day sealed, run again, held against live, sent again."""

import json
import signal
import time
from contextlib import suppress

import psycopg
import pytest

from replay import from_facts
from replay.publish import PREFIX
from schemas.event import from_record
from schemas.interfaces import interface as interface_of
from streams import migrate
from tests.cli.said import started

DAY = "2026-03-29"


@pytest.fixture
def again(street, database_url):
    """The name of a schema for a replay."""
    name = f"{street.config.schema}_again"
    yield name
    migrate.drop(database_url, name)


def exists(url, schema):
    with psycopg.connect(url) as connection:
        return connection.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchone() is not None


def test_an_archived_day_has_its_manifest(twin, street):
    said = twin("archive", DAY, "--json")
    segments = json.loads(said.stdout)
    assert sum(segment["events"] for segment in segments) >= sum(street.messages.values())
    for segment in segments:
        assert {"offsets", "time_us", "recorded_us"} <= set(segment)
        assert all(len(part["sha256"]) == 64 for part in segment["files"].values())
    manifest = json.loads((street.config.archive / "days" / f"{DAY}.json").read_text())
    assert (manifest["day"], manifest["end"]) == (DAY, "2026-03-29T22:00:00Z")
    assert " events in " in twin("archive", DAY).stdout


def test_a_day_without_events_archives_nothing_and_says_so(twin):
    said = twin("archive", "2020-01-01")
    assert said.exit_code == 0
    assert "0 events" in said.stdout


@pytest.mark.parametrize("source", ["facts", "messages"])
def test_a_replayed_day_equals_live(twin, again, source, database_url):
    assert twin("archive", DAY).exit_code == 0
    done = json.loads(twin("replay", DAY, "--into", again, "--from", source, "--json").stdout)
    assert (done["into"], done["read"] > 0, done["rows"]["edge"] > 0) == (again, True, True)
    with psycopg.connect(database_url) as connection:
        counted = {
            name: connection.execute(f"select count(*) from {again}.{name}").fetchone()[0] for name in done["rows"]
        }
    assert done["rows"] == counted
    same = twin("compare", "live", again, "--day", DAY)
    assert (same.exit_code, same.stdout) == (0, "")
    assert ": 0 differ\n" in same.stderr


def test_every_difference_is_listed_and_exit_code_1(twin, again, database_url):
    twin("replay", DAY, "--into", again)
    with psycopg.connect(database_url) as connection:
        connection.execute(f"delete from {again}.edge where slot = '2026-03-29T10:00:00Z'")
        connection.execute(f"update {again}.trend set high = high + 1 where minute = '2026-03-29T11:00:00Z'")
    differing = twin("compare", "live", again, "--day", DAY)
    assert differing.exit_code == 1
    assert "GS-00000/1" in differing.stdout
    found = json.loads(twin("compare", "live", again, "--day", DAY, "--json").stdout)["differing"]
    assert {(entry["kind"], entry["time"]) for entry in found} == {
        ("edge", "2026-03-29T10:00:00Z"),
        ("trend", "2026-03-29T11:00:00Z"),
    }
    assert {entry["right"] for entry in found if entry["kind"] == "edge"} == {None}


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["compare", "live", "nobody", "--day", DAY], 2, "there is no run named nobody in the database"),
        (["compare", "live", "live", "--day", "2020-01-01"], 2, "live and live hold nothing of 2020-01-01"),
        (["replay", "2020-01-01", "--into", "test_nobody"], 1, "`twin archive DAY` writes what is in Kafka"),
        (["replay", "2020-01-01", "--publish"], 1, "`twin archive 2020-01-01` writes what is in Kafka"),
        (["replay", DAY, "--into", "live"], 2, "live is where the workers write; choose another name"),
        (["replay", DAY, "--into", "public"], 1, "public is in use and no earlier replay"),
        (["replay", DAY, "--into", "Robert'); drop table"], 2, "may have small letters, digits and _"),
        (["replay", DAY, "--publish", "--speed", "0"], 2, "0.0 is not in the range x>0"),
        (["replay", DAY, "--publish", "--into", "again"], 2, "leave --into and --from away"),
        (["replay", DAY, "--into", "again", "--speed", "60"], 2, "--speed is for --publish"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(twin, arguments, code, sentence):
    refused = twin(*arguments)
    assert (refused.exit_code, refused.stdout) == (code, "")
    assert sentence in refused.stderr


def test_a_replay_that_was_killed_is_not_compared(twin, again, monkeypatch):
    whole = from_facts.run

    def killed(*arguments, **rest):
        whole(*arguments, **rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(from_facts, "run", killed)
    monkeypatch.setattr(migrate, "drop", lambda *_: None)  # who is killed drops nothing
    assert twin("replay", DAY, "--into", again).exit_code == 130
    refused = twin("compare", "live", again, "--day", DAY)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"{again} holds a replay that was broken off; `twin replay {DAY} --into NAME` makes one" in refused.stderr


def test_a_replay_of_another_day_is_not_compared(twin, again):
    assert twin("replay", DAY, "--into", again).exit_code == 0
    refused = twin("compare", "live", again, "--day", "2026-03-30")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"{again} is a replay of {DAY}, and holds no other day" in refused.stderr


def test_the_schema_of_live_workers_is_never_emptied_whatever_it_is_called(twin, street, database_url):
    refused = twin("replay", DAY, "--into", street.config.schema, TWIN_SCHEMA="test_somebody_else")
    assert "is in use and no earlier replay" in refused.stderr
    assert exists(database_url, street.config.schema)


def test_a_replay_that_is_stopped_leaves_no_half_day(twin, again, database_url, monkeypatch):
    whole = from_facts.run

    def stopped(*arguments, **rest):
        whole(*arguments, **rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(from_facts, "run", stopped)
    broken_off = twin("replay", DAY, "--into", again)
    assert (broken_off.exit_code, broken_off.stderr) == (130, "stopped\n")
    assert not exists(database_url, again)


def test_a_published_day_is_the_same_events_in_order_of_time_in_topics_of_their_own(twin, street, records_of):
    said = json.loads(twin("replay", DAY, "--publish", "--speed", "1e9", "--json").stdout)
    topic = f"{street.config.topic_prefix}{PREFIX}{interface_of('4').topic}"
    records = records_of(topic)
    assert said["topics"][topic] == len(records)
    again = [from_record(record.value) for record in records]
    live = {
        event.id: event for event in map(value_of, records_of(street.config.topic_prefix + interface_of("4").topic))
    }
    ids = {event.id for event in again}
    assert ids == {key for key, event in live.items() if said["first"] >= "2026-03-28T23" and of_the_day(event)}
    assert all(event == live[event.id] for event in again)
    for partition in {record.partition for record in records}:
        times = [event.time_us for event, record in zip(again, records, strict=True) if record.partition == partition]
        assert times == sorted(times)
    assert {"ce_id", "ce_time", "ce_recordedtime"} <= {name for name, _ in records[0].headers}


def test_publishing_stops_cleanly_with_ctrl_c(street):
    process = started(street, "replay", DAY, "--publish", "--speed", "1")
    assert "into the topics" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert (process.returncode, rest) == (130, "stopped\n")


@pytest.mark.parametrize("later_s", [0, 4], ids=["beginning", "waiting for the database"])
@pytest.mark.parametrize("source", ["facts", "messages"])
def test_a_replay_stops_cleanly_with_ctrl_c(twin, street, again, database_url, source, later_s):
    assert twin("archive", DAY).exit_code == 0
    process = started(street, "replay", DAY, "--into", again, "--from", source)
    with psycopg.connect(database_url, autocommit=True) as watching, psycopg.connect(database_url) as holding:
        while watching.execute("select to_regclass(%s)", [f"{again}.edge"]).fetchone()[0] is None:
            assert process.poll() is None
        with suppress(psycopg.errors.LockNotAvailable):  # it writes already
            holding.execute(f"lock table {again}.edge in share mode nowait")  # it cannot end before it is stopped
            time.sleep(later_s)
        process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert (process.returncode, rest) == (130, "stopped\n")
    assert not exists(database_url, again)


def value_of(record):
    return from_record(record.value)


def of_the_day(event):
    return 1_774_738_800_000_000 <= event.time_us < 1_774_821_600_000_000
