"""``twin story``: one time line of a session or a site, over all interfaces, each message with what it changed."""

import csv
import json
from itertools import pairwise

import pytest

from schemas.time import parse_time

EVER = ("--from", "2026-03-28T22:00:00Z", "--to", "2026-04-03T00:00:00Z")


@pytest.fixture(scope="module")
def site(street):
    with (street.files / "truth" / "sites.csv").open(newline="") as file:
        return next(csv.DictReader(file))


@pytest.fixture(scope="module")
def once():
    """Stories that were told already."""
    return {}


@pytest.fixture
def told(twin, once):
    """Function: the story of something on that day, line by line."""

    def tell(what):
        if what not in once:
            shown = twin("story", what, *EVER, "--json")
            assert shown.exit_code == 0, shown.output
            once[what] = [json.loads(line) for line in shown.stdout.splitlines()]
        return once[what]

    return tell


def transaction_of(lines):
    """The transaction that began last."""
    started = [line for line in lines if any(change["attribute"] == "session_start" for change in line["changes"])]
    (tie,) = [name for name in started[-1]["ties"] if name.startswith("transaction:")] or [""]
    return tie.partition(":")[2] or next(
        change["after"] for change in started[-1]["changes"] if change["attribute"] == "transaction_id"
    )


def test_the_story_of_a_site_goes_over_all_its_interfaces_in_order(told, site):
    lines = told(site["station"])
    times = [parse_time(line["time"]) for line in lines]
    assert times == sorted(times)
    assert {"1", "4", "14", "15", "16", "32", "E1"} <= {line["interface"] for line in lines}
    assert len({line["event"] for line in lines}) == len(lines)


def test_a_message_says_what_it_changed_from_what_to_what(told, site):
    changes = [
        change
        for line in told(site["station"])
        for change in line["changes"]
        if (change["actor"], change["attribute"]) == (f"evse:{site['station']}/1", "connector_status")
    ]
    assert len(changes) > 1
    assert all(one["after"] == next_one["before"] for one, next_one in pairwise(changes))
    assert all(change["before"] != change["after"] for change in changes)


def test_a_message_says_which_register_and_which_quarter_hours_it_changed(told, site):
    lines = told(site["station"])
    station = f"{site['station']}/1"
    steps = [change for line in lines for change in line["registers"] if change["point"] == station]
    of_import = [change for change in steps if change["direction"] == "import"]
    assert len(of_import) > 1
    assert all(one["after_mwh"] == next_one["before_mwh"] for one, next_one in pairwise(of_import))
    changed = {}
    for line in lines:
        for change in line["slots"]:
            key = change["series"], change["object"], change["slot"]
            assert changed.get(key) == change["before"], key
            changed[key] = change["after"]
    assert len([key for key in changed if key[:2] == ("energy.import", site["melo"])]) == 92
    assert {"energy.import", "energy.export"} <= {series for series, thing, _ in changed if thing == station}


def test_what_the_story_tells_of_quarter_hours_is_what_the_tables_hold(told, twin, site):
    changed = {}
    for line in told(site["station"]):
        changed |= {(change["object"], change["series"], change["slot"]): change["after"] for change in line["slots"]}
    for point in (site["melo"], f"{site['station']}/1", site["malo"]):
        held = json.loads(twin("slots", point, "2026-03-29", "--json").stdout)["quarter_hours"]
        for quarter in held:
            key = point, f"energy.{quarter['direction']}", quarter["slot"]
            assert changed.get(key) == quarter["value_mwh"], key


def test_the_story_of_a_session_goes_from_plugging_in_to_settlement(told, site):
    transaction = transaction_of(told(site["station"]))
    lines = told(transaction)
    live = [line for line in lines if line["interface"] == "4"]
    assert any(f"transaction:{transaction}" in line["ties"] for line in live)
    assert any(f"contract:{site['token']}" in line["ties"] for line in live)
    assert {"1", "4", "16", "32", "E1"} <= {line["interface"] for line in lines}
    assert lines[-1]["interface"] == "30", "the correction comes last, where the grid operator hands it on"
    assert len(lines) < len(told(site["station"]))
    assert "session_start" not in str(lines[0]["changes"]), "plugging in is told before the transaction begins"


def test_of_another_session_at_the_same_wallbox_no_document_is_told(told, site):
    changes = [change for line in told(site["station"]) for change in line["changes"]]
    first, last = (change["after"] for change in changes if change["attribute"] == "transaction_id")
    for transaction, other in ((first, last), (last, first)):
        named = {name for line in told(transaction) if line["interface"] == "E1" for name in line["ties"]}
        assert any(name.startswith("session:") and name.endswith(transaction) for name in named)
        assert not any(name.startswith("session:") and name.endswith(other) for name in named)


def test_a_person_reads_a_line_a_message_and_a_line_a_change(twin, site):
    shown = twin("story", site["station"], "--from", "2026-03-29T10:00:00Z", "--to", "2026-03-29T18:00:00Z").stdout
    assert f"evse:{site['station']}/1 connector_status: " in shown
    assert " -> " in shown
    assert f".8.0 at {site['melo']}: " in shown or f"{site['meter']} 1-0:1.8.0: " in shown
    assert f"{site['station']}/1 energy.import 2026-03-29T" in shown


@pytest.mark.parametrize(
    ("what", "span", "code", "sentence"),
    [
        ("nobody", EVER, 1, "no actor is named nobody, and no transaction of that time"),
        (
            "GS-00000",
            ("--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z"),
            1,
            "no message belongs to GS-00000",
        ),
        ("GS-00000", (EVER[0], EVER[3], EVER[2], EVER[1]), 2, "--from has to be earlier than --to"),
    ],
)
def test_no_story_is_one_sentence(twin, what, span, code, sentence):
    refused = twin("story", what, *span)
    assert (refused.exit_code, refused.stderr.count("\n")) == (code, 1)
    assert sentence in refused.stderr
