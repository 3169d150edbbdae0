"""``twin ingest`` sends field logs into Kafka; the same again changes nothing."""

import gzip
import json
import os
import signal
from decimal import Decimal

import pytest

from schemas.time import parse_time
from schemas.wire.iec104 import encode_measurement
from streams import tables
from streams.settings import SettingsError
from tests.cli.said import GOOD, MIXED, SHORT, started


@pytest.fixture
def ingested(twin, street):
    """Function: exit code and counts of ``twin ingest --json``, once the tables have it all."""

    def run(*arguments, **more):
        said = twin("ingest", *arguments, "--json", **more)
        street.written()
        counts = json.loads(said.stdout)
        return said.exit_code, counts["messages"], counts["rejects"]

    return run


def test_the_same_folder_again_changes_no_table(ingested, street):
    before = list(tables.lines(street.config.database_url, street.config.schema))
    assert ingested(street.files / "04", "--interface", "4") == (0, street.messages["4"], 0)
    assert list(tables.lines(street.config.database_url, street.config.schema)) == before


def test_a_compressed_copy_is_the_same_file(ingested, street, tmp_path):
    before = list(tables.lines(street.config.database_url, street.config.schema))
    copy = tmp_path / "street.ocpp.jsonl.gz"
    copy.write_bytes(gzip.compress((street.files / "04" / "street.ocpp.jsonl").read_bytes()))
    assert ingested(copy, "--interface", "4") == (0, street.messages["4"], 0)
    assert list(tables.lines(street.config.database_url, street.config.schema)) == before


def test_what_cannot_be_read_goes_to_the_quarantine_and_exit_code_3(ingested):
    assert ingested("-", "--interface", "4", stdin=SHORT.replace(b"CS1", b"CS-INGEST")) == (3, 1, 1)


def test_of_a_log_of_several_protocols_those_of_the_interface_go_in_and_others_are_counted(ingested, twin):
    assert ingested("-", "--interface", "9", "--zone", "Europe/Berlin", stdin=MIXED) == (3, 3, 1)
    said = twin("quarantine", "list", "--reason", "other-interface", "--json").stdout
    listed = [json.loads(line) for line in said.splitlines()]
    assert [(entry["interface"], entry["format"]) for entry in listed] == [("9", "ocpp")]


def test_a_source_can_be_named_where_the_log_names_none(ingested, twin):
    assert ingested("-", "--interface", "13", "--source", "fleet-7", stdin=b'{"vehicle": 7}') == (0, 1, 0)
    # an undecoded message has no time of its own: it counts when it was recorded
    listed = twin("events", "interface:13", "--from", "2026-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z", "--json")
    assert "fleet-7" in {json.loads(line)["source"] for line in listed.stdout.splitlines()}


def test_a_person_reads_messages_rate_and_rejects(twin):
    said = twin("ingest", "-", "--interface", "4", stdin=GOOD.replace(b"CS1", b"CS-PERSON"))
    assert said.exit_code == 0
    assert said.stdout.startswith("1 message in ")
    assert said.stdout.endswith("/s), 0 rejected\n")


def test_a_person_is_told_that_addresses_have_no_meaning_yet(twin, bare, tmp_path):
    frame = encode_measurement(36, 7, [(1001, Decimal("49.98"))], time_us=parse_time("2026-05-05T12:00:00Z"))
    log, home = tmp_path / "desk.log", tmp_path / "home"
    log.write_text(f"2026-05-05T12:00:00.1Z desk {frame.hex()}\n")
    said = twin("ingest", log, "--interface", "53", TWIN_HOME=str(home))
    told = "".join(said.stderr.split())
    assert (said.exit_code, "".join(f"write {home / 'points' / '53.csv'} and send".split()) in told) == (0, True)
    decoded = bare("decode", log, "--interface", "53", TWIN_HOME=str(home)).stdout
    assert "no-meaning: no point list, it belongs into points/53.csv of the home folder (.twin): 1001" in decoded


def test_a_point_list_beside_the_log_is_taken_over_and_a_person_is_told(twin, street, tmp_path):
    frame = encode_measurement(36, 7, [(1001, Decimal("49.98"))], time_us=parse_time("2026-05-05T12:00:00Z"))
    for name, content in (
        ("54/desk.log", f"2026-05-05T12:00:00.1Z desk {frame.hex()}\n"),
        ("points/54.csv", "station,address,actor,attribute,unit\n7,1001,trading-system:DESK,frequency,Hz\n"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content)
    said = twin("ingest", tmp_path / "54", "--interface", "54", TWIN_HOME=str(tmp_path / "home"))
    assert (said.exit_code, said.stdout.startswith("1 message ")) == (0, True)
    assert "what addresses mean on interface 54 is now told by" in " ".join(said.stderr.split())
    assert (tmp_path / "home" / "points" / "54.csv").exists()
    street.written()
    shown = twin("show", "trading-system:DESK").stdout
    assert "frequency" in shown
    assert "49.98" in shown


def test_a_broker_that_is_away_is_one_sentence(twin, street):
    refused = twin("ingest", street.files / "16", "--interface", "16", TWIN_KAFKA="127.0.0.1:9")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith("twin: Kafka at 127.0.0.1:9 does not answer")


def test_without_a_stack_the_sentence_says_how_to_get_one(bare, street, tmp_path):
    refused = bare("ingest", street.files / "16", "--interface", "16", TWIN_HOME=str(tmp_path))
    assert refused.exit_code == 1
    assert "start it with `twin up`, or set TWIN_KAFKA and TWIN_DATABASE_URL" in refused.stderr


def test_a_wrong_number_of_an_interface_is_one_sentence(bare, street):
    refused = bare("ingest", street.files, "--interface", "0")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "there is no interface '0'" in refused.stderr


def test_ctrl_c_stops_cleanly_and_the_same_again_completes_the_day(twin, street, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = started(street, "ingest", pipe, "--interface", "4")
    with pipe.open("wb") as inlet:
        inlet.write(GOOD.replace(b"CS1", b"CS-STOPPED") * 100)
        inlet.flush()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert (process.returncode, rest) == (130, "stopped\n")
    assert twin("ingest", "-", "--interface", "4", stdin=GOOD.replace(b"CS1", b"CS-STOPPED")).exit_code == 0
    street.written()
    assert twin("show", "evse:CS-STOPPED/1").exit_code == 0


def test_debug_shows_where_an_error_comes_from(twin, street):
    refused = twin("--debug", "ingest", street.files / "16", "--interface", "16", TWIN_KAFKA="nowhere")
    assert isinstance(refused.exception, SettingsError)


def test_a_reader_that_goes_away_is_no_trouble(street):
    process = started(street, "decode", street.files / "04", "--interface", "4", "--json")
    assert process.stdout.readline().startswith('{"interface":"4"')
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(30)
