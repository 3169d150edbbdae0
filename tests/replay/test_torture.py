"""The torture itself: it finds what is wrong, and for half a minute nothing is."""

import subprocess
import sys
from collections import Counter
from itertools import islice
from random import Random

import orjson
import pytest

from replay.torture.checks import Broken, Log, acknowledged_is_there
from replay.torture.disorder import days, disordered
from replay.torture.ledger import Ledger, read_ledger
from schemas.interfaces import interface

TOPIC = interface("4").topic
FIRST, SECOND = "00" * 15 + "01", "00" * 15 + "02"


@pytest.fixture
def log():
    return Log(ids={(TOPIC, 3): bytearray.fromhex(FIRST + SECOND)})


@pytest.fixture
def enter(tmp_path):
    def written(*entry):
        path = tmp_path / "some.ledger"
        with Ledger(path) as ledger:
            ledger.enter(*entry)
        return path

    return written


def test_disorder_loses_nothing_and_doubles_some():
    counted = Counter(disordered(range(10_000), Random(1)))
    assert counted.keys() == set(range(10_000))
    assert set(counted.values()) == {1, 2}


def test_disorder_is_the_same_for_the_same_seed():
    assert list(disordered(range(5_000), Random(1))) == list(disordered(range(5_000), Random(1)))
    assert list(disordered(range(5_000), Random(1))) != list(disordered(range(5_000), Random(2)))


def test_days_follow_each_other_with_some_messages_damaged():
    first = list(islice(days(1, 2), 3_000))
    assert first == list(islice(days(1, 2), 3_000))
    assert {"4", "15"} <= {message.interface for message in first}


def test_a_ledger_says_what_was_entered(enter):
    (row,) = read_ledger(enter(SECOND, TOPIC, 3, 1)).tolist()
    assert row == (bytes.fromhex(SECOND), 4, 3, 1)


def test_an_acknowledged_message_is_found_where_kafka_said_it_lies(log, enter):
    assert acknowledged_is_there(log, [enter(SECOND, TOPIC, 3, 1)]) == 1
    assert acknowledged_is_there(log, [enter(FIRST)]) == 2


def test_an_acknowledged_message_that_is_not_there_breaks_the_promise(log, enter):
    with pytest.raises(Broken, match=f"{FIRST} was acknowledged at {TOPIC}/3@1"):
        acknowledged_is_there(log, [enter(FIRST, TOPIC, 3, 1)])
    with pytest.raises(Broken, match="not there now"):
        acknowledged_is_there(log, [enter(FIRST, TOPIC, 3, 9)])


def test_a_posted_message_that_is_nowhere_breaks_the_promise(log, enter):
    with pytest.raises(Broken, match="not in the log"):
        acknowledged_is_there(log, [enter("ff" * 16)])


@pytest.mark.stack
@pytest.mark.timeout(700)
def test_half_a_minute_of_torture_breaks_no_promise(tmp_path):
    command = [sys.executable, "-P", "-m", "replay.torture", "--duration=30", "--seed=11", "--workers=2", "--rate=800"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    counted = orjson.loads((tmp_path / "build" / "torture.json").read_bytes())
    assert sum(counted["deeds"].values()) >= 3
    assert counted["acknowledged_found"] == counted["sender"]["acknowledged"] + counted["poster"]["acknowledged"]
    assert counted["log"]["records"] >= counted["sender"]["sent"]
    assert not list((tmp_path / "build").glob("torture-*"))
