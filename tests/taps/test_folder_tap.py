"""The watched folder: files of market messages, as partners and AS4 gateways put them there."""

import gzip
import os
import signal
import threading
import time
from decimal import Decimal

import pytest
import zstandard
from click.testing import CliRunner
from tap_process import NOBODY, Tap

from schemas.time import SLOT_US, parse_time
from schemas.wire.mscons import encode_interchange, message_of, profile
from streams.gateway.road import Road
from streams.producer import NotDelivered
from streams.spool import Spool
from streams.taps import inbox
from streams.taps.folder import main
from streams.taps.inbox import Inbox

MSB, SUPPLIER = "9900987654329", "9904628000007"
MALO, MALO_OF_NOBODY = "41373559241", "41373559242"
START_US = parse_time("2026-10-24T22:00:00Z")


def market_message(document, malo=MALO):
    values = [["220", Decimal("1.5"), START_US, START_US + SLOT_US]]
    location = profile(malo, "malo", [("1-1:1.29.0", values)], (START_US, START_US + SLOT_US))
    return message_of(13025, document, START_US, sender=MSB, receiver=SUPPLIER, locations=[location])


def interchange(*messages):
    return encode_interchange(messages, reference="REF-1")


GOOD = interchange(market_message("DOC-1"))
PARTLY = interchange(market_message("DOC-2"), market_message("DOC-3", MALO_OF_NOBODY))


def lie(folder):
    """Names of the files in a folder."""
    return sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.exists() else []


@pytest.fixture
def market(tmp_path):
    """A folder for interface 32."""
    folder = tmp_path / "market"
    (folder / "32 MSB to supplier").mkdir(parents=True)
    return folder / "32 MSB to supplier"


@pytest.fixture
def watched(market, topic_prefix, tmp_path):
    """Function: the tap in a process of its own."""

    def start(kafka):
        return Tap(
            "folder", market.parent, "--settle-s", 0.2,
            kafka=kafka, prefix=topic_prefix, home=tmp_path / "home",
        )  # fmt: skip

    return start


@pytest.mark.stack
def test_each_file_ends_in_done_or_rejected_with_its_reason_beside_it(kafka, market, watched, events_on):
    (market / "good.txt").write_bytes(GOOD)
    (market / "packed.txt.gz").write_bytes(gzip.compress(interchange(market_message("DOC-4"))))
    (market / "packed.txt.zst").write_bytes(zstandard.compress(interchange(market_message("DOC-5"))))
    (market / "partly.txt").write_bytes(PARTLY)
    (market / "noise.txt").write_bytes(b"Dear partner, please find attached")
    with watched(kafka) as tap:
        tap.wait_until(lambda: lie(market) == [])
        assert tap.stop() == 0, tap.said
    assert lie(market / "done") == ["good.txt", "packed.txt.gz", "packed.txt.zst"]
    rejected = market / "rejected"
    assert lie(rejected) == ["noise.txt", "noise.txt.reason.txt", "partly.txt", "partly.txt.reason.txt"]
    reason = (rejected / "partly.txt.reason.txt").read_text()
    assert reason.startswith("1 of 2 messages were taken.")
    assert "bad-identifier" in reason
    assert "fit none of the formats" in (rejected / "noise.txt.reason.txt").read_text()


@pytest.mark.stack
def test_the_same_file_twice_and_a_crash_between_change_nothing(kafka, market, watched, events_on):
    with watched(kafka) as tap:
        (market / "good.txt").write_bytes(GOOD)
        tap.wait_until(lambda: lie(market / "done") == ["good.txt"])
        # As if the tap had been killed after Kafka had the file and before it was moved.
        (market / "done" / "good.txt").rename(market / "good.txt")
        tap.wait_until(lambda: lie(market / "done") == ["good.txt"])
        tap.process.send_signal(signal.SIGKILL)
        tap.process.wait(10)
    (market / "good.txt").write_bytes(GOOD)
    with watched(kafka) as tap:
        tap.wait_until(lambda: lie(market) == [])
        tap.wait_until(lambda: len(events_on("32")) == 3)
    assert lie(market / "done") == ["good.txt"]
    events = events_on("32")
    assert len({event.id for event in events}) == 1
    assert events[0].source == MSB


@pytest.mark.stack
def test_while_kafka_is_away_files_are_done_once_the_disk_has_them(kafka, market, watched, events_on):
    (market / "good.txt").write_bytes(GOOD)
    with watched(NOBODY) as tap:
        tap.wait_until(lambda: lie(market / "done"))
    assert events_on("32") == []
    with watched(kafka) as tap:
        tap.wait_until(lambda: events_on("32"))


@pytest.fixture
def spooling(market, tmp_path):
    """Function: watches the folder until a condition holds, with a Kafka that is away."""

    def away():
        raise NotDelivered("nobody answers")

    def watch(until, *, limit_bytes=1 << 20):
        road = Road(away, Spool(tmp_path / "spool", limit_bytes=limit_bytes), patience_s=0.1)
        box, stopped = Inbox(market.parent, road, settle_s=0.2), threading.Event()
        thread = threading.Thread(target=box.watch, args=(stopped,))
        road.start()
        thread.start()
        deadline = time.monotonic() + 10
        while not until() and time.monotonic() < deadline:
            time.sleep(0.02)
        stopped.set()
        thread.join()
        waiting = road.spooled
        road.stop()
        assert until()
        return waiting

    return watch


def test_a_file_that_is_still_being_written_is_left_alone(market, spooling):
    slow = market / "slow.txt"
    slow.write_bytes(b"")
    (market / "other.txt.part").write_bytes(GOOD)
    (market / ".hidden").write_bytes(GOOD)

    def write():
        with slow.open("ab") as file:
            for at in range(0, len(GOOD), 50):
                file.write(GOOD[at : at + 50])
                file.flush()
                time.sleep(0.1)

    writing = threading.Thread(target=write)
    writing.start()
    assert spooling(lambda: lie(market / "done") == ["slow.txt"]) == 1
    writing.join()
    assert (market / "done" / "slow.txt").read_bytes() == GOOD
    assert lie(market) == [".hidden", "other.txt.part"]


def test_what_lies_in_the_wrong_place_is_left_there_and_said_once(market, spooling, caplog):
    (market.parent / "99").mkdir()
    for name in ("loose.txt", "more.txt", "99/wrong.txt"):
        (market.parent / name).write_bytes(GOOD)
    (market / "a.txt").write_bytes(GOOD)
    spooling(lambda: lie(market / "done") == ["a.txt"])
    assert lie(market.parent) == ["loose.txt", "more.txt"]
    said = [record.getMessage() for record in caplog.records if "passed over" in record.getMessage()]
    assert len(said) == 2
    assert "loose.txt is passed over: it lies in no subfolder named by the number of an interface" in said[1]
    assert "there is no interface '99'" in said[0]


def test_a_file_that_somebody_takes_away_holds_up_no_other(market, spooling, caplog, monkeypatch):
    for name in ("a.txt", "b.txt"):
        (market / name).write_bytes(GOOD)
    take = Inbox._take

    def take_away_first(self, interface, file):
        if file.name == "a.txt":
            file.unlink()
        take(self, interface, file)

    monkeypatch.setattr(Inbox, "_take", take_away_first)
    spooling(lambda: lie(market / "done") == ["b.txt"])
    assert "a.txt was taken away by somebody else" in caplog.text


def test_a_file_that_makes_its_reader_fail_is_rejected_and_holds_up_no_other(market, spooling, monkeypatch):
    def fail(*_, **__):
        raise RecursionError("too deep")

    monkeypatch.setattr(inbox, "read", fail)
    for name in ("a.txt", "b.txt"):
        (market / name).write_bytes(GOOD)
    spooling(lambda: len(lie(market / "rejected")) == 4)
    assert "made its reader fail: RecursionError: too deep" in (market / "rejected" / "a.txt.reason.txt").read_text()


def test_what_is_no_file_is_left_there_and_said_once(market, spooling, caplog):
    (market / "folder").mkdir()
    (market / "link").symlink_to("nowhere")
    os.mkfifo(market / "pipe")
    (market / "a.txt").write_bytes(GOOD)
    spooling(lambda: lie(market / "done") == ["a.txt"])
    said = [record.getMessage() for record in caplog.records if "it is no file" in record.getMessage()]
    assert [sentence.split(" is passed")[0].rpartition("/")[2] for sentence in said] == ["folder", "link", "pipe"]


def test_another_file_of_the_same_name_lies_beside_the_first(market, spooling):
    (market / "a.txt").write_bytes(GOOD)
    spooling(lambda: lie(market / "done") == ["a.txt"])
    (market / "a.txt").write_bytes(interchange(market_message("DOC-9")))
    spooling(lambda: lie(market / "done") == ["a.txt", "a.txt.2"])
    (market / "a.txt").write_bytes(GOOD)
    spooling(lambda: lie(market) == [])
    assert lie(market / "done") == ["a.txt", "a.txt.2"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file holds no message."),
        (b"x" * 2000, "Send it with: twin ingest FILE --interface 32"),
        (gzip.compress(GOOD)[:-9], "the gzip compression ends in the middle"),
    ],
)
def test_a_file_without_messages_says_why(market, spooling, monkeypatch, content, sentence):
    monkeypatch.setattr(inbox, "FILE_LIMIT_BYTES", 1000)
    (market / "a.txt").write_bytes(content)
    spooling(lambda: lie(market / "rejected") == ["a.txt", "a.txt.reason.txt"])
    assert sentence in (market / "rejected" / "a.txt.reason.txt").read_text()


def test_where_the_disk_is_full_files_wait_where_they_are(market, spooling, caplog):
    (market / "a.txt").write_bytes(GOOD)
    spooling(lambda: "files wait where they are" in caplog.text, limit_bytes=10)
    assert lie(market) == ["a.txt"]
    assert spooling(lambda: lie(market / "done") == ["a.txt"]) == 1


def test_subfolders_are_named_by_interface(tmp_path, market):
    for name in ("E1", "46-prices", "99", "notes", ".git"):
        (tmp_path / "market" / name).mkdir()
    found = Inbox(tmp_path / "market", None).subfolders()
    assert [(number, folder.name) for number, folder in found] == [
        ("32", "32 MSB to supplier"),
        ("46", "46-prices"),
        ("E1", "E1"),
    ]


def test_a_folder_that_is_not_there_is_said_in_a_sentence(tmp_path):
    environment = {"TWIN_KAFKA": NOBODY, "TWIN_HOME": str(tmp_path)}
    result = CliRunner().invoke(main, [str(tmp_path / "nowhere")], env=environment)
    assert result.exit_code == 2
    assert "does not exist" in result.output
