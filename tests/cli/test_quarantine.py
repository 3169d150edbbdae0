"""``twin quarantine``: what could not be decoded or believed, why, and again after a fix."""

import json

import pytest

from schemas import interfaces
from schemas.facts import Facts
from schemas.wire.contract import Unsupported
from schemas.wire.ocpp import FORMAT
from tests.cli.said import CHARGED_TO_300, GOOD, SHORT, wait_for
from twin.observe import observe


def entries(twin, *options):
    return [json.loads(line) for line in twin("quarantine", "list", *options, "--json").stdout.splitlines()]


def of_station(twin, station):
    wait_for(lambda: any(entry["source"] == station for entry in entries(twin)))
    return next(entry for entry in entries(twin) if entry["source"] == station)


def test_an_entry_says_what_and_why_and_gives_the_bytes_back(twin):
    twin("ingest", "-", "--interface", "4", stdin=SHORT.replace(b"CS1", b"CS-SHORT"))
    entry = of_station(twin, "CS-SHORT")
    assert (entry["interface"], entry["format"], entry["reason"]) == ("4", "ocpp", "bad-syntax")
    assert entry["position"].startswith("gegenstrom.quarantine/0@")
    assert "a CALL has 4 elements, this one 3" in twin("quarantine", "list").stdout
    shown = twin("quarantine", "show", entry["id"][:10])
    assert "a CALL has 4 elements, this one 3" in shown.stdout
    assert twin("quarantine", "show", entry["id"], "--raw").stdout_bytes == b'[2,"1","StatusNotification"]'
    assert json.loads(twin("quarantine", "show", entry["id"], "--json").stdout)["raw"]


def test_the_list_can_be_narrowed(twin):
    twin("ingest", "-", "--interface", "4", stdin=SHORT.replace(b"CS1", b"CS-NARROW"))
    of_station(twin, "CS-NARROW")
    assert {entry["reason"] for entry in entries(twin, "--reason", "bad-syntax", "--interface", "04")} == {"bad-syntax"}
    assert twin("quarantine", "list", "--interface", "16").stdout == "nothing of that kind is in the quarantine\n"
    assert len(entries(twin, "--limit", "1")) == 1


def test_what_is_still_bad_stays_with_todays_reason(twin, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(interfaces, "format_of", lambda _: broken_decoder())
        twin("ingest", "-", "--interface", "4", stdin=SHORT.replace(b"CS1", b"CS-STAYS"))
    entry = of_station(twin, "CS-STAYS")
    assert entry["reason"] == "unsupported"
    again = twin("quarantine", "resubmit", entry["id"])
    assert again.exit_code == 3
    assert "0 resubmitted, 1 stay" in again.stdout
    assert of_station(twin, "CS-STAYS")["reason"] == "bad-syntax"


def test_what_decodes_after_a_fix_goes_into_the_tables_and_leaves(twin, street, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(interfaces, "format_of", lambda _: broken_decoder())
        assert twin("ingest", "-", "--interface", "4", stdin=GOOD.replace(b"CS1", b"CS-FIXED")).exit_code == 3
    entry = of_station(twin, "CS-FIXED")
    again = twin("quarantine", "resubmit", entry["id"][:12], "--json")
    assert (again.exit_code, json.loads(again.stdout)) == (0, {"resubmitted": 1, "stayed": 0})
    assert twin("quarantine", "show", entry["id"]).exit_code == 1
    street.written()
    now = json.loads(twin("show", "evse:CS-FIXED/1", "--json").stdout)
    assert ("connector_status", "Occupied", entry["id"]) in {
        (seen["attribute"], seen["value"], seen["event"]) for seen in now
    }


def test_a_part_that_could_not_be_believed_goes_when_it_can_be(twin, monkeypatch):
    twin("ingest", "-", "--interface", "4", stdin=CHARGED_TO_300.replace(b"CS1", b"CS-FULL"))
    entry = of_station(twin, "CS-FULL")
    assert entry["reason"] == "implausible-state-of-charge"
    assert entry["position"].startswith("if.04.evse-cpo/")
    assert entry["context"]["event"] in twin("quarantine", "show", entry["id"]).stdout
    stays = twin("quarantine", "resubmit", entry["id"])
    assert (stays.exit_code, "0 resubmitted, 1 stay" in stays.stdout) == (3, True)

    def mended(event, facts):
        seen = Facts()
        observe(event, seen)
        facts.readings += seen.readings

    monkeypatch.setattr("replay.resubmit.observe", mended)
    goes = twin("quarantine", "resubmit", entry["id"], "--json")
    assert (goes.exit_code, json.loads(goes.stdout)) == (0, {"resubmitted": 1, "stayed": 0})


def test_what_is_dismissed_is_left_out_and_counted_and_nothing_is_lost(twin):
    bad = SHORT.replace(b"CS1", b"CS-WRONG")
    twin("ingest", "-", "--interface", "4", stdin=bad + bad.replace(b'"1"', b'"2"'))
    wait_for(lambda: len(of_source(twin, "CS-WRONG")) == 2)
    ids = [entry["id"] for entry in of_source(twin, "CS-WRONG")]
    dismissed = twin("quarantine", "dismiss", "--source", "CS-WRONG", "--because", "sent to 4", "--json")
    assert (dismissed.exit_code, json.loads(dismissed.stdout)) == (0, {"dismissed": 2})
    assert of_source(twin, "CS-WRONG") == []
    shown = twin("quarantine", "list", "--source", "CS-WRONG").stdout
    assert shown.splitlines() == [
        "nothing of that kind is in the quarantine",
        "2 dismissed are left out; --dismissed shows them",
    ]
    assert {entry["dismissed"] for entry in of_source(twin, "CS-WRONG", "--dismissed")} == {"sent to 4"}
    assert "sent to 4" in twin("quarantine", "list", "--dismissed").stdout
    assert twin("quarantine", "show", ids[0], "--raw").stdout_bytes
    assert "0 resubmitted, 0 stay" in twin("quarantine", "resubmit", "--source", "CS-WRONG").stdout
    assert "0 resubmitted, 1 stay" in twin("quarantine", "resubmit", ids[0]).stdout
    assert twin("quarantine", "dismiss", ids[0][:12], "--because", "other words").stdout == "1 dismissed\n"
    words = {entry["id"]: entry["dismissed"] for entry in of_source(twin, "CS-WRONG", "--dismissed")}
    assert words == {ids[0]: "other words", ids[1]: "sent to 4"}


def of_source(twin, source, *options):
    return entries(twin, "--source", source, *options)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["show", "ffffffffffff"], 1, "no message in the quarantine has an id that starts with 'ffffffffffff'"),
        (["resubmit", "ffffffffffff"], 1, "no message in the quarantine has an id"),
        (["resubmit"], 2, "give the IDs to resubmit, or --all, --reason, --interface or --source"),
        (["resubmit", "--all", "ffff"], 2, "give the IDs to resubmit, or --all, --reason, --interface or --source"),
        (["dismiss", "ffff"], 2, "Missing option '--because'"),
        (["dismiss", "ffff", "--because", " "], 2, "say why in a few words"),
        (["dismiss", "--because", "w"], 2, "give the IDs to dismiss, or --all, --reason, --interface or --source"),
        (["dismiss", "ffff", "--because", "w"], 1, "no message in the quarantine has an id"),
        (["list", "--limit", "0"], 2, "0 is not in the range x>=1"),
    ],
)
def test_a_wrong_call_is_one_sentence(twin, arguments, code, sentence):
    refused = twin("quarantine", *arguments)
    assert (refused.exit_code, refused.stderr.count("\n")) == (code, 1)
    assert sentence in refused.stderr


def broken_decoder():
    """OCPP as a version of Gegenstrom that cannot decode yet."""

    def decode(_frame, _conversation):
        raise Unsupported("not read by this version")

    return FORMAT._replace(decode=decode)
