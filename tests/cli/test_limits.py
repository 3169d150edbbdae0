"""``twin limits``: the events under section 14a at a house that was limited, as the log tells them."""

import json
from datetime import date

import pytest

from replay.scenario import NO_FAULTS, write_day
from replay.scenario.names import names_of
from replay.scenario.street import Street
from schemas.time import HOUR_US, SECOND_US, parse_time
from schemas.wire.control import encode_measure
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
    assert "no less than guaranteed: 4.200 kW for 1 load behind an energy manager, by enwg-14a/2024-01" in shown
    assert "received 2026-03-29T15:55:00Z, effective 2026-03-29T16:00:00.200000Z" in shown


DIRECT, RESOURCE, ORDER = "DE0005621204300000000000000007777", "C0000000011", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
FROM_US = parse_time("2026-03-29T12:00:00Z")
UNSAID = ("initial_transaction", "reference", "state", "reason", "partner", "status")


@pytest.fixture(scope="module")
def limited_directly(street, tmp_path_factory):
    """A metering location without an energy manager, whose loads are held to 4.2 kW each."""
    out = tmp_path_factory.mktemp("direct")
    rows = f"valid_from,melo,hems,resources,loads\n2026-01-01T00:00:00Z,{DIRECT},,{RESOURCE},"
    (out / "rows.csv").write_text(f"{rows}wallbox=11000 heat-pump=20000\n")
    spoken = {"operation": "konfiguration", "location": RESOURCE, "kind": "sr", "transaction": ORDER}
    spoken |= {"created_us": FROM_US - 300 * SECOND_US, "from_us": FROM_US, "until_us": FROM_US + HOUR_US}
    (out / "order.http").write_bytes(encode_measure(dict.fromkeys(UNSAID) | spoken | {"limit_w": 4200}))
    send_files(street.config, find(out / "rows.csv"), "33")
    send_files(street.config, find(out / "order.http"), "20")
    street.written()
    return RESOURCE


def test_where_no_energy_manager_stands_before_them_each_load_is_owed_its_own(twin, limited_directly):
    [event] = json.loads(twin("limits", limited_directly, DAY, "--json").stdout)
    assert (event["guaranteed_to"], event["guaranteed_mw"], event["guaranteed_up_to_mw"], event["loads"]) == (
        "each-load",
        4_200_000,
        8_000_000,
        2,
    )
    assert event["breach"] is None, "it depends on whether it is for the wallbox or the heat pump"
    shown = twin("limits", limited_directly, DAY).stdout
    assert "4.200 to 8.000 kW for each of 2 loads, limited one by one, by enwg-14a/2024-01" in shown


@pytest.fixture(scope="module")
def limited_at_two_meters(street, tmp_path_factory):
    """Two metering locations at one gateway, with loads of their own behind one energy manager, which is limited."""
    out = tmp_path_factory.mktemp("two-meters")
    resource, time = "C7777777775", "2026-01-01T00:00:00Z"
    rows = [f"{time},{DIRECT[:-4]}5555,1EMH0099999999,HEMS-TWO,{resource},wallbox=11000"]
    rows += [f"{time},{DIRECT[:-4]}6666,1EMH0099999999,HEMS-TWO,,battery=5000 heat-pump=20000"]
    (out / "rows.csv").write_text("\n".join(["valid_from,melo,smgw,hems,resources,loads", *rows, ""]))
    spoken = {"operation": "konfiguration", "location": resource, "kind": "sr", "transaction": ORDER[:-1] + "7"}
    spoken |= {"created_us": FROM_US - 300 * SECOND_US, "from_us": FROM_US, "until_us": FROM_US + HOUR_US}
    (out / "order.http").write_bytes(encode_measure(dict.fromkeys(UNSAID) | spoken | {"limit_w": 12_000}))
    send_files(street.config, find(out / "rows.csv"), "33")
    send_files(street.config, find(out / "order.http"), "20")
    street.written()
    return resource


def test_the_loads_of_all_metering_locations_behind_one_manager_count(twin, limited_at_two_meters):
    [event] = json.loads(twin("limits", limited_at_two_meters, DAY, "--json").stdout)
    assert (event["guaranteed_mw"], event["loads"], event["breach"]) == (14_300_000, 3, True)


def test_a_quarter_hour_has_one_time_and_it_is_readable(twin, limited):
    [event] = json.loads(twin("limits", HOUSE.melo, DAY, "--json").stdout)
    names = ["slot", "ceiling_mw", "highest_mw", "minutes", "verdict"]
    assert [list(quarter) for quarter in event["quarter_hours"]] == [names] * 4


def test_a_house_that_was_not_limited_is_one_sentence(twin, limited):
    for name, sentence in (("GS-00000", "no limit under section 14a is known of GS-00000"), ("nobody", "nobody named")):
        refused = twin("limits", name, DAY)
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
        assert sentence in refused.stderr


def test_what_was_not_known_yet_is_said_to_be_of_that_time(twin, limited):
    refused = twin("limits", HOUSE.melo, DAY, "--known-at", "2026-03-29T00:00:00Z")
    assert refused.exit_code == 1
    assert f"was known at 2026-03-29T00:00:00Z of {HOUSE.melo} on {DAY}" in refused.stderr
