"""What the tables show of each fault of the scenario that is switched on by itself."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from replay.scenario import write_day
from replay.scenario.faults import FAULTS, faults_of
from schemas.calendar import day_slots, local_time
from schemas.facts import INDICATIVE, INTERPOLATED, MEASURED, MISSING, Facts, Observation
from schemas.rows import position_of
from schemas.time import SECOND_US, SLOT_US, parse_time
from streams import lookups
from streams.reader import read
from tests.replay.made_days import live
from twin.actors.lpc import CONTROLLED, FAILSAFE, state_now
from twin.merge.batch import Batch, Names
from twin.merge.projection import Projection
from twin.observe import observe
from twin.slots import quarter_hours

pytestmark = pytest.mark.whole_day

DAY = date(2026, 3, 28)
"""Its car of site 0 stays at home."""


@pytest.fixture
def street(tmp_path, database_url, schema):
    """Function: write a day with some faults, and what some of its interfaces say into the tables."""

    def make(faults, *interfaces, sites, before_us=None, sml_s=900, ocpp_s=900):
        folder = tmp_path / faults
        write_day(DAY, folder, sites=sites, faults=faults_of(faults), sml_interval_s=sml_s, ocpp_interval_s=ocpp_s)
        made = Written(folder, database_url, schema)
        said = [entry for entry in made.said(*interfaces) if before_us is None or entry[0].time_us < before_us]
        live(database_url, schema, said)
        return made

    return make


class Written:
    """A written day and the tables it was read into."""

    def __init__(self, folder, url, schema):
        self.folder, self._url, self._schema = folder, url, schema

    def said(self, *interfaces):
        """Every event with its place and its facts; nothing of it is rejected."""
        found = []
        for interface in interfaces:
            for offset, event in enumerate(read(self.folder / interface.zfill(2), interface)):
                facts = Facts()
                observe(event, facts)
                assert facts.rejects == []
                found.append((event, position_of(int(interface), 0, offset), facts))
        return found

    def lines(self, *interfaces):
        """All tables in memory."""
        batch = Batch(Names())
        for event, position, facts in self.said(*interfaces):
            for kind in ("observations", "readings", "samples", "slot_values"):
                getattr(batch.facts, kind).extend(getattr(facts, kind))
            batch.close_event(event.id, position)
        projection = Projection()
        projection.apply(batch.merge())
        return list(projection.lines())

    def quarters(self, point):
        slots = day_slots(DAY)
        return quarter_hours(lookups.edges(self._url, self._schema, point, slots[0], slots[-1] + SLOT_US), slots)

    def twin(self, actor):
        return {seen.attribute: seen.value for seen in lookups.twin(self._url, self._schema, actor)}

    def observations(self, actor):
        """What the twin holds, as it was observed."""
        return [
            Observation(seen.actor, seen.attribute, seen.value, seen.unit, seen.time_us)
            for seen in lookups.twin(self._url, self._schema, actor)
        ]

    def truth(self, point):
        with (self.folder / "truth" / "quarter_hours.csv").open(newline="") as file:
            return {
                (row["direction"], parse_time(row["slot"])): (int(row["value_mwh"]), int(row["tolerance_mwh"]))
                for row in csv.DictReader(file)
                if row["point"] == point
            }

    def off(self, point):
        """Quarter hours with a value that is not exactly the true one, each within the stated bound."""
        truth = self.truth(point)
        found = []
        for quarter in self.quarters(point):
            value_mwh, tolerance_mwh = truth[quarter.direction, quarter.slot_us]
            if quarter.value_mwh not in {None, value_mwh}:
                assert abs(quarter.value_mwh - value_mwh) <= tolerance_mwh
                found.append(quarter)
        return found


def qualities(quarters):
    return Counter(quarter.quality for quarter in quarters)


def test_a_clock_seconds_off_counts_as_on_the_edge_and_one_of_twelve_is_interpolated(street):
    made = street("drift", "15", sites=10, sml_s=180)
    assert qualities(made.quarters("1EMH0012000001")) == {MEASURED: 192}
    assert made.off("1EMH0012000001") == []
    assert qualities(made.quarters("1EMH0012000009")) == {INTERPOLATED: 192}
    assert made.off("1EMH0012000009")


def test_a_gap_is_interpolated_from_its_two_sides_and_adds_up_exactly(street):
    made = street("gaps", "15", sites=7, sml_s=60)
    assert qualities(made.quarters("1EMH0012000005")) == {MEASURED: 192}
    found = [quarter for quarter in made.quarters("1EMH0012000006") if quarter.direction == "import"]
    spoiled = [quarter for quarter in found if quarter.quality == INTERPOLATED]
    assert [f"{local_time(quarter.slot_us):%H:%M}" for quarter in spoiled] == [
        *("10:00", "10:15", "10:30", "10:45", "11:00", "11:15", "11:30")
    ]
    truth = made.truth("1EMH0012000006")
    assert sum(quarter.value_mwh for quarter in spoiled) == sum(truth["import", q.slot_us][0] for q in spoiled)
    assert qualities(found) == {MEASURED: 89, INTERPOLATED: 7}


@pytest.mark.parametrize("fault", ["late", "duplicates"])
def test_late_telegrams_and_repeated_ones_change_no_table(street, fault):
    spoiled, clean = (street(name, sites=4, sml_s=60) for name in (fault, "none"))
    logs = [(made.folder / "15" / "street.sml.log").read_bytes().splitlines() for made in (spoiled, clean)]
    assert logs[0] != logs[1]
    assert set(logs[0]) == set(logs[1])
    assert (len(logs[0]) > len(logs[1])) == (fault == "duplicates")
    assert spoiled.lines("15") == clean.lines("15")


def test_a_station_that_was_away_says_afterwards_what_it_measured_and_nothing_is_missing(street):
    made = street("restart", "4", sites=1, ocpp_s=60)
    away = [parse_time(f"2026-03-28T12:{minute}:00Z") for minute in (37, 52)]
    measured = [event for event, *_ in made.said("4") if event.type.endswith(".TransactionEvent")]
    held = [event for event in measured if away[0] <= event.time_us < away[1]]
    assert len(held) == 15
    assert all(event.log_time_us > away[1] for event in held)
    assert made.off("GS-00000/1") == []
    assert qualities(made.quarters("GS-00000/1")) == {INDICATIVE: 192}
    assert made.twin("evse:GS-00000")["boot_reason"] == "PowerUp"


def test_a_station_without_a_sign_of_life_is_seen_by_its_last_one(street):
    made = street("mute", "4", "5", sites=8, before_us=parse_time("2026-03-28T14:59:00Z"))
    last = {name: parse_time(made.twin(f"evse:{name}")["last_heartbeat"]) for name in ("GS-00007", "GS-00005")}
    assert parse_time("2026-03-28T12:50:00Z") < last["GS-00007"] < parse_time("2026-03-28T13:00:00Z")
    assert last["GS-00005"] > parse_time("2026-03-28T14:50:00Z")
    assert made.off("GS-00007/1") == []


def test_watt_hours_called_kilowatt_hours_are_implausible_on_both_sides_of_the_reading(street):
    made = street("unit", "4", sites=3)
    found = made.quarters("GS-00002/1")
    missing = [quarter for quarter in found if quarter.quality == MISSING]
    assert [f"{local_time(quarter.slot_us):%H:%M}" for quarter in missing] == ["11:45", "12:00"]
    assert [quarter.flags for quarter in missing] == [("implausible",), ("backwards",)]
    assert made.off("GS-00002/1") == []
    assert qualities(found) == {INDICATIVE: 94, MISSING: 2}


def test_a_meter_exchanged_inside_a_quarter_hour_is_counted_on_by_the_other(street):
    made = street("exchange", "15", "16", "33", sites=5)
    melo = f"DE00056212043{3:020d}"
    found = made.quarters(melo)
    assert {(q.direction, q.slot_us): q.value_mwh for q in found} == {
        k: value for k, (value, _) in made.truth(melo).items()
    }
    assert qualities(found) == {MEASURED: 192}
    exchanged = [quarter for quarter in found if quarter.flags]
    assert {(f"{local_time(q.slot_us):%H:%M}", q.flags) for q in exchanged} == {("09:45", ("register-exchange",))}
    for meter, first, last in (("1EMH0012000003", "00:00", "09:45"), ("1EMH0022000003", "09:45", "23:45")):
        there = [quarter for quarter in made.quarters(meter) if quarter.value_mwh is not None]
        times = sorted({f"{local_time(quarter.slot_us):%H:%M}" for quarter in there})
        assert (times[0], times[-1]) == (first, last)
        assert made.off(meter) == []
    assert made.twin(f"melo:{melo}")["meters"] == "1EMH0022000003"
    assert (made.twin("meter:1EMH0012000003")["melo"], made.twin("meter:1EMH0022000003")["melo"]) == (None, melo)


def test_a_control_box_that_fell_silent_leaves_its_energy_manager_in_failsafe(street):
    now_us = parse_time("2026-03-28T10:05:00Z")
    for fault, expected in (("heartbeats", FAILSAFE), ("none", CONTROLLED)):
        made = street(fault, "9", sites=6, before_us=now_us)
        seen = made.observations("hems:d:_n:Gegenstrom_HEMS-00005")
        [heard_us] = [entry.time_us for entry in seen if entry.attribute == "guard_heartbeat"]
        assert state_now(seen, heard_us + 119 * SECOND_US).state == CONTROLLED
        assert state_now(seen, now_us).state == expected
        assert (now_us - heard_us > 240 * SECOND_US) == (fault == "heartbeats")


def test_every_fault_that_can_be_switched_on_has_its_test_here():
    said = Path(__file__).read_text("utf-8")
    assert [name for name in FAULTS if f'"{name}"' not in said] == []
