"""A day of the street along the whole road, on real servers: both days on which the clock is changed."""

import csv
from datetime import date

import pytest

from replay.compare import compare
from replay.day import replay_day
from replay.scenario import Faults, write_day
from schemas.calendar import day_slots
from schemas.time import SLOT_US, parse_time
from streams import lag, lookups, sealing, tables
from streams.ingest import send_files
from streams.points import adopt
from streams.sources import find
from twin.slots import best_of, quarter_hours

pytestmark = pytest.mark.whole_day

WH_MWH = 1000
SPOILED = Faults(late_per_million=20_000, twice_per_million=20_000, exchange=True)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=str)
def test_a_day_comes_out_true_and_the_same_however_often_it_is_sent_or_replayed(day, config, worker, tmp_path):
    written = write_day(day, tmp_path / "day", sites=4, faults=SPOILED, ocpp_interval_s=300, sml_interval_s=180)
    ingest(config, written)
    digest = tables.digest(config.database_url, config.schema)
    assert_true(config, day, tmp_path / "day" / "truth")
    assert_true_on_cables(config, day, tmp_path / "day" / "truth")
    assert_replays_equal(config, day)

    ingest(config, written)
    assert tables.digest(config.database_url, config.schema) == digest
    assert_replays_equal(config, day)


def ingest(config, written):
    """The folders in reverse: documents of the day's end come before what was said in the day."""
    for folder in sorted({path.parent for path in written.files}, reverse=True):
        interface = folder.name.lstrip("0")
        adopt([folder], interface)
        sent = send_files(config, find(folder), interface)
        assert (sent.messages, sent.rejects) == (written.messages[interface], 0)
    lag.wait_until_written(config, 60)


def assert_true(config, day, truth):
    slots = day_slots(day)
    with (truth / "quarter_hours.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {
        (quarter.point, quarter.direction, quarter.slot_us): quarter
        for point in {row["point"] for row in rows}
        for quarter in quarters_of(config, point, slots)
    }
    assert {point for point, _, _ in found} == {row["point"] for row in rows}
    exact = 0
    for row in rows:
        quarter = found.get((row["point"], row["direction"], parse_time(row["slot"])))
        if quarter is None or quarter.value_mwh is None:
            continue
        assert abs(quarter.value_mwh - int(row["value_mwh"])) <= int(row["tolerance_mwh"]), quarter
        exact += quarter.value_mwh == int(row["value_mwh"])
    assert exact > 10 * len(slots)
    pool = lookups.twin(config.database_url, config.schema, "technical-aggregator:gegenstrom-fleet")
    assert {"power", "power_setpoint", "power.response_delay"} <= {seen.attribute for seen in pool}


def assert_true_on_cables(config, day, truth):
    """Every quarter hour from the meter readings in charge loops: true but for what whole watt-hours cut off."""
    slots = day_slots(day)
    with (truth / "sites.csv").open(newline="") as file:
        speaking = [site for site in csv.DictReader(file) if site["station"] and "OCPP 2" in site["devices"]]
    with (truth / "quarter_hours.csv").open(newline="") as file:
        values = {
            (r["point"], r["direction"], parse_time(r["slot"])): int(r["value_mwh"]) for r in csv.DictReader(file)
        }
    assert speaking
    for site in speaking:
        found = quarters_of(config, site["evse"], slots)
        assert len(found) == 2 * len(slots)
        for quarter in found:
            true_mwh = values[f"{site['station']}/1", quarter.direction, quarter.slot_us]
            assert abs(quarter.value_mwh - true_mwh) < WH_MWH, quarter


def quarters_of(config, point, slots):
    asked = (config.database_url, config.schema, point, slots[0], slots[-1] + SLOT_US)
    return best_of(quarter_hours(lookups.edges(*asked), slots), lookups.slot_values(*asked))


def assert_replays_equal(config, day):
    sealing.seal(config, day)
    for source in ("facts", "messages"):
        into = f"{config.schema}_{source}"
        assert replay_day(config, day, into, source).read > 1000
        differences = compare(config.database_url, config.schema, into, day)
        assert differences.differing == []
        assert differences.compared["edge"] > 1000
