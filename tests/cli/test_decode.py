"""``twin decode`` says what messages mean, without any server."""

import gzip
import json
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
import zstandard

from replay.scenario import write_day
from schemas.wire.sml import encode_telegram
from tests.cli.said import CHARGED_TO_300, GOOD, MIXED, SHORT

KEYS = ["interface", "format", "type", "time", "payload", "facts", "error"]
FACTS = {
    "observation": ["kind", "actor", "attribute", "value", "unit", "time"],
    "reading": ["kind", "point", "device", "obis", "direction", "time", "value_mwh", "quality"],
    "sample": ["kind", "point", "power_mw", "time", "quality"],
    "slot": ["kind", "series", "object", "slot", "value", "unit", "quality", "version"],
}


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    out = tmp_path_factory.mktemp("day")
    write_day(date(2026, 3, 29), out, sites=1, ocpp_interval_s=900)
    return out


@pytest.fixture
def decoded(bare):
    """Function: exit code and objects of ``twin decode --json``."""

    def run(*arguments, **more):
        said = bare("decode", *arguments, "--json", **more)
        return said.exit_code, [json.loads(line, parse_float=Decimal) for line in said.stdout.splitlines()]

    return run


@pytest.mark.parametrize("interface", ["4", "15", "16", "47"])
def test_every_message_is_one_object_of_the_promised_shape(decoded, day, interface):
    code, objects = decoded(day / interface.zfill(2), "--interface", interface)
    assert (code, {tuple(entry) for entry in objects}) == (0, {tuple(KEYS)})
    assert {entry["interface"] for entry in objects} == {interface}
    assert all(entry["error"] is None for entry in objects)
    facts = [fact for entry in objects for fact in entry["facts"]]
    assert facts
    for fact in facts:
        assert list(fact) == FACTS[fact["kind"]]
        assert fact.get("time", fact.get("slot")).endswith("Z")
    assert {type(fact["value_mwh"]) for fact in facts if fact["kind"] == "reading"} == {int}


def test_a_message_says_what_it_says(decoded):
    code, [said] = decoded("-", "--interface", "4", stdin=GOOD)
    assert code == 0
    assert (said["type"], said["time"]) == ("ocpp.2.0.1.StatusNotification", "2026-03-29T09:59:59Z")
    assert said["payload"]["body"]["connectorStatus"] == "Occupied"
    assert {
        "kind": "observation",
        "actor": "evse:CS1/1",
        "attribute": "connector_status",
        "value": "Occupied",
        "unit": "",
        "time": "2026-03-29T09:59:59Z",
    } in said["facts"]


def test_a_message_of_no_known_time_says_its_values_without_one(decoded):
    row = ["1-0:1.8.0", 13391, 30, 3, None, None]
    found = {"server": "0A01445A47000282C0B0", "name": None, "time": None, "values": [row]}
    telegram = encode_telegram({"lists": [found]}).hex().encode()
    code, [said] = decoded("-", "--interface", "15", stdin=telegram)
    assert (code, said["time"], said["error"]["reason"]) == (0, None, "no-time")
    assert [(fact["value_mwh"], fact["time"]) for fact in said["facts"]] == [(13_391_000_000, None)]


def test_a_heartbeat_of_no_known_time_says_no_time(decoded):
    heartbeat = b'[2,"1","Heartbeat",{}]\n'
    code, [said] = decoded("-", "--interface", "4", stdin=heartbeat)
    assert (code, said["time"], said["facts"]) == (0, None, [])


def test_what_cannot_be_decoded_is_an_object_too_and_exit_code_3(decoded):
    code, [good, bad] = decoded("-", "--interface", "04", stdin=GOOD + SHORT)
    assert (code, good["error"], list(bad)) == (3, None, KEYS)
    assert (bad["facts"], bad["payload"], bad["type"]) == ([], None, None)
    assert list(bad["error"]) == ["reason", "detail", "offset"]
    assert bad["error"]["reason"] == "bad-syntax"
    assert "a CALL has 4 elements" in bad["error"]["detail"]
    assert len(GOOD) < bad["error"]["offset"] < len(GOOD) + len(SHORT)


def test_what_has_no_decoder_yet_is_kept_and_says_so(decoded):
    code, [said] = decoded("-", "--interface", "13", stdin=b'{"vehicle": 1}')
    assert (code, said["type"], said["time"], said["facts"]) == (3, "undecoded", None, [])
    assert said["error"]["reason"] == "no-decoder"


def test_what_cannot_be_believed_is_named_and_the_rest_is_kept(decoded):
    code, [said] = decoded("-", "--interface", "4", stdin=CHARGED_TO_300)
    assert (code, said["error"]["reason"]) == (0, "implausible-state-of-charge")
    assert [fact["value_mwh"] for fact in said["facts"] if fact["kind"] == "reading"] == [7_000_500]
    assert not any(fact.get("attribute") == "ev_soc" for fact in said["facts"])


def test_of_a_log_of_several_protocols_every_message_is_said_and_what_belongs_elsewhere_is_named(decoded):
    code, said = decoded("-", "--interface", "9", stdin=MIXED)
    assert (code, [one["type"] for one in said[:2]]) == (3, ["modbus.request", "eebus.loadControlLimitListData"])
    (other,) = said[2:]
    assert (other["format"], other["error"]["reason"]) == ("ocpp", "other-interface")
    assert "one of 4, 5, 14" in other["error"]["detail"]


def test_folders_gzip_zstd_and_pipes_say_the_same(decoded, tmp_path):
    (tmp_path / "plain.jsonl").write_bytes(GOOD)
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(GOOD))
    (tmp_path / "squeezed.jsonl.zst").write_bytes(zstandard.compress(GOOD))
    (tmp_path / ".hidden").write_bytes(b"nothing to read here")
    code, objects = decoded(tmp_path, "--interface", "4")
    _, piped = decoded("-", "--interface", "4", stdin=GOOD)
    assert (code, objects) == (0, piped * 3)


def test_a_named_pipe_is_read_to_its_end(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "cli.main", "decode", tmp_path / "pipe", "--interface", "4", "--json"],
        stdout=subprocess.PIPE,
    )
    (tmp_path / "pipe").write_bytes(GOOD)
    output, _ = reader.communicate(timeout=30)
    assert (reader.returncode, json.loads(output)["type"]) == (0, "ocpp.2.0.1.StatusNotification")


def test_a_person_reads_the_same_without_json(bare):
    said = bare("decode", "-", "--interface", "4", stdin=GOOD + SHORT)
    assert "ocpp.2.0.1.StatusNotification  2026-03-29T09:59:59Z  evse:CS1/1" in said.stdout
    assert "attribute=connector_status  value=Occupied" in said.stdout
    assert "bad-syntax  at byte" in said.stdout


def test_a_message_does_not_steer_the_terminal(bare):
    said = bare("decode", "-", "--interface", "4", stdin=GOOD.replace(b"CS1", b"CS\\u001b[31m"))
    assert "\x1b" not in said.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["decode", ".", "--interface", "99"], "there is no interface '99'; they are 1 to 54 and E1 to E4"),
        (["decode", "no-such-file", "--interface", "4"], "'no-such-file' does not exist"),
        (["decode", "--interface", "4"], "Missing argument 'FILES...'"),
        (["decode", "."], "Missing option '--interface'"),
    ],
)
def test_a_wrong_call_is_one_sentence(bare, arguments, sentence):
    refused = bare(*arguments)
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert sentence in refused.stderr


def test_an_empty_folder_is_said_to_be_empty(bare, tmp_path):
    (tmp_path / ".hidden").write_bytes(GOOD)
    refused = bare("decode", tmp_path, "--interface", "4")
    assert refused.exit_code == 1
    assert refused.stderr == f"twin: there is no file in {tmp_path}; hidden ones are passed over\n"


def test_an_empty_file_is_said_to_hold_no_message(bare, tmp_path):
    (tmp_path / "empty.jsonl").touch()
    said = bare("decode", tmp_path, "--interface", "4", "--json")
    assert (said.exit_code, said.stdout, said.stderr) == (0, "", "there is no message in it\n")


def test_whose_clock_a_log_shows_is_said_by_who_knows_it(decoded, bare):
    log = b"[box] TRACE 2026/03/29 14:00:00 rx 68 04 43 00 00 00\n"
    arguments = ("-", "--interface", "43")
    assert [said["time"] for said in decoded(*arguments, stdin=log)[1]] == [None]
    assert [said["time"] for said in decoded(*arguments, "--zone", "Europe/Berlin", stdin=log)[1]] == [
        "2026-03-29T12:00:00Z"
    ]
    refused = bare("decode", *arguments, "--zone", "Germany", stdin=log)
    assert refused.exit_code != 0
    assert "'Germany' is no time zone" in refused.stderr
