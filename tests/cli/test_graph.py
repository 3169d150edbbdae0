"""``twin graph``: who belongs to a site, whoever of it is named, since when."""

import csv
import json

import pytest

from replay.scenario import NO_FAULTS, Setting
from replay.scenario.day import Day
from replay.scenario.names import names_of
from replay.scenario.writers import master_data
from tests.cli.conftest import DAY
from tests.cli.said import GOOD

AT = ("--at", "2026-03-29T16:00:00Z")


@pytest.fixture(scope="module")
def sites(street):
    with (street.files / "truth" / "sites.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def graph(twin, name, *options):
    shown = twin("graph", name, *(options or AT), "--json")
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.stdout)


def relations(found):
    return {(edge["from"], edge["relation"], edge["to"]): edge["since"] for edge in found["relations"]}


def test_a_site_is_what_the_truth_says_of_it(twin, sites):
    site = sites[0]
    found = graph(twin, site["station"])
    names = {member.partition(":")[2] for member in found["members"]}
    true = {site[kind] for kind in ("melo", "malo", "feed_in_malo", "meter", "smgw", "station") if site[kind]}
    assert true < names
    assert not {other[kind] for other in sites[1:] for kind in ("melo", "malo", "meter", "station")} & names


def test_every_member_names_the_same_site(twin, sites):
    site = sites[0]
    members = graph(twin, site["melo"])["members"]
    assert len(members) > 5
    for name in (site["station"], f"evse:{site['station']}/1", site["meter"], site["malo"], site["smgw"]):
        assert graph(twin, name)["members"] == members


def test_relations_say_since_when_and_who_supplies(twin, sites):
    site = sites[0]
    found = relations(graph(twin, site["melo"]))
    year = "2025-12-31T23:00:00Z"
    assert found[f"melo:{site['melo']}", "evses", f"evse:{site['station']}/1"] == year
    assert found[f"meter:{site['meter']}", "melo", f"melo:{site['melo']}"] == year
    assert found[f"malo:{site['malo']}", "supplier", "supplier:9900987654329"] == year
    assert (f"malo:{site['malo']}", "balance_group", "balance-group:11XGEGENSTROM-1W") in found
    assert found[f"evse:{site['station']}/1", "part_of", f"evse:{site['station']}"] is None


def test_what_is_read_over_m_bus_and_modbus_stands_behind_the_connection(twin, sites):
    site = sites[0]
    found = relations(graph(twin, site["nelo"]))
    here, year = f"melo:{site['melo']}", "2025-12-31T23:00:00Z"
    assert found[here, "nelo", f"nelo:{site['nelo']}"] == year
    for relation, device in (
        ("submeters", f"meter:{site['submeter']}"),
        ("assets", f"asset:{site['inverter']}"),
        ("assets", f"asset:{site['storage']}"),
    ):
        assert found[here, relation, device] == year
        assert found[device, "melo", here] == year


def test_so_does_the_battery_of_a_house_and_its_wallbox_under_every_name(twin, street):
    day = Day(DAY, Setting(9, 1, 900, 900, NO_FAULTS, iso15118_cars=0))
    [listed] = master_data.documents(day.truth)
    head, *rows = listed.raw.splitlines(keepends=True)
    assert twin("ingest", "-", "--interface", "33", stdin=b"".join([head, rows[6], rows[8]])).exit_code == 0
    street.written()
    for number, device, others in (
        (6, "asset:HB-00006", {"asset:PV-00006"}),
        (8, "asset:d:_n:Gegenstrom_HB-00008", {"asset:PV-00008", "evse:GS-00008/1", "evse:49*811*00008*1"}),
    ):
        names = names_of(day.street, number)
        found = graph(twin, device)
        assert {device, f"melo:{names.melo}", f"meter:{names.meter}", f"nelo:{names.nelo}"} | others <= set(
            found["members"]
        )
        assert (f"melo:{names.melo}", "assets", device) in relations(found)


def test_a_token_is_at_the_wallbox_while_its_session_lasts(twin, sites):
    site = sites[0]
    key = (f"evse:{site['station']}/1", "id_token", f"contract:{site['token']}")
    began = relations(graph(twin, site["station"], "--at", "2026-03-29T21:00:00Z"))[key]
    assert "2026-03-29T12:00:00Z" < began < "2026-03-29T18:00:00Z"
    assert key not in relations(graph(twin, site["station"], "--at", "2026-03-29T10:00:00Z"))


def test_before_anything_was_recorded_nobody_belonged_to_anybody(twin, sites):
    found = graph(twin, sites[0]["meter"], *AT, "--known-at", "2026-03-29T12:00:00Z")
    assert found["members"] == [f"meter:{sites[0]['meter']}"]
    assert found["relations"] == []


def test_what_is_not_archived_yet_counts(twin, street):
    table = b"valid_from,melo,evses\n2026-02-01T00:00:00Z,DE0005621204300000000000000009999,CS-NEW/1\n"
    assert twin("ingest", "-", "--interface", "33", stdin=table).exit_code == 0
    street.written()
    assert graph(twin, "CS-NEW/1")["members"] == [
        "evse:CS-NEW",
        "evse:CS-NEW/1",
        "melo:DE0005621204300000000000000009999",
    ]


def test_people_read_a_table_and_graphviz_a_graph(twin, sites):
    site = sites[0]
    assert "2025-12-31T23:00:00Z" in twin("graph", site["station"], *AT).stdout
    drawn = twin("graph", site["station"], *AT, "--dot").stdout
    assert drawn.startswith(f'digraph "{site["station"]}" {{')
    assert f'"meter:{site["meter"]}" -> "melo:{site["melo"]}" [label="melo\\n2025-12-31T23:00:00Z"];' in drawn
    assert '"supplier:9900987654329" [shape=ellipse];' in drawn


def test_a_name_that_nobody_has_is_one_sentence(twin):
    refused = twin("graph", "nobody")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "twin: nobody named nobody was ever observed; `twin actors` lists who there is\n",
    )


def test_a_member_of_no_known_relation_is_said_to_be_alone(twin, street):
    assert twin("ingest", "-", "--interface", "4", stdin=GOOD.replace(b"CS1", b"CS-LONE")).exit_code == 0
    street.written()
    lone = twin("graph", "CS-LONE/1", *AT).stdout
    assert "part_of" in lone
