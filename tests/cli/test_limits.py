"""``twin limits``: the events under section 14a at a house that was limited, as the log tells them."""

import json
from datetime import date

import pytest

from replay.scenario import NO_FAULTS, write_day
from replay.scenario.names import names_of
from replay.scenario.street import Street
from streams.ingest import send_files
from streams.sources import find

DAY = date(2026, 3, 29)
HOUSE = names_of(Street(1, 3), 2)
KINDS = ("9", "10", "15", "20", "29", "33")


@pytest.fixture(scope="module")
def limited(street, tmp_path_factory):
    """The street with a third house, which is limited."""
    out = tmp_path_factory.mktemp("three")
    write_day(DAY, out, sites=3, ocpp_interval_s=900, faults=NO_FAULTS)
    for interface in KINDS:
        send_files(street.config, find(out / f"{int(interface):02d}"), interface)
    street.written()
    return street


def test_an_event_is_shown_with_its_evidence(twin, limited):
    [event] = json.loads(twin("limits", HOUSE.melo, DAY, "--json").stdout)
    assert (event["from"], event["until"]) == ("2026-03-29T16:00:00Z", "2026-03-29T17:00:00Z")
    assert (event["ceiling_mw"], event["guaranteed_mw"], event["loads"], event["breach"]) == (
        4_200_000,
        4_200_000,
        1,
        False,
    )
    assert event["received"] == "2026-03-29T15:55:00Z"
    assert (event["effective"], event["released"]) == ("2026-03-29T16:00:00.200000Z", "2026-03-29T17:00:00Z")
    assert {HOUSE.resource, HOUSE.control_box} < {told["object"] for told in event["told"]}
    assert [quarter["minutes"] for quarter in event["quarter_hours"]] == [15] * 4
    assert event["verdict"] == "kept"


def test_a_person_reads_ceiling_minutes_and_moments(twin, limited):
    shown = twin("limits", HOUSE.resource, DAY).stdout
    assert "limited to 4.200 kW, kept" in shown
    assert "no less than guaranteed: 4.200 kW for 1 loads, by enwg-14a/2024-01" in shown
    assert "received 2026-03-29T15:55:00Z, effective 2026-03-29T16:00:00.200000Z" in shown


def test_a_house_that_was_not_limited_is_one_sentence(twin, limited):
    for name, sentence in (("GS-00000", "no limit under section 14a is known of GS-00000"), ("nobody", "nobody named")):
        refused = twin("limits", name, DAY)
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
        assert sentence in refused.stderr
