"""Every written file goes through the real decoders without an error, and says what the truth says."""

import csv
from collections import defaultdict
from datetime import date

import pytest

from replay.scenario import NO_FAULTS, write_day
from schemas.facts import Facts
from schemas.time import SECOND_US, format_time, parse_time
from streams.reader import Rejected, read
from twin.observe import observe

DAYS = [date(2026, 3, 29), date(2026, 10, 25)]
ON_EDGE_US = 9 * SECOND_US


@pytest.fixture(scope="module", params=DAYS, ids=str)
def decoded(request, tmp_path_factory):
    """Folder, events by interface, rejected ones, facts by interface."""
    out = tmp_path_factory.mktemp("day")
    written = write_day(request.param, out)
    events, rejected, facts = defaultdict(list), [], defaultdict(Facts)
    for path in written.files:
        interface = str(int(path.parent.name))
        for outcome in read(path, interface):
            if isinstance(outcome, Rejected):
                rejected.append(outcome)
                continue
            events[interface].append(outcome)
            observe(outcome, facts[interface])
    return out, written, events, rejected, facts


def truth_of(folder, name):
    with (folder / "truth" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_nothing_is_rejected_and_every_message_is_known(decoded):
    _, written, events, rejected, facts = decoded
    assert [(outcome.interface, outcome.reason, outcome.detail) for outcome in rejected[:3]] == []
    assert {interface: len(found) for interface, found in events.items()} == written.messages
    assert not [event for found in events.values() for event in found if event.format == "undecoded"]
    assert [reject for found in facts.values() for reject in found.rejects] == []


@pytest.mark.parametrize("interface", ["4", "15", "16"])
def test_registers_read_on_an_edge_are_the_true_ones(decoded, interface):
    out, _, _, _, facts = decoded
    edges = {(row["point"], row["direction"], row["time"]): row["value_mwh"] for row in truth_of(out, "registers.csv")}
    compared = 0
    for reading in facts[interface].readings:
        edge_us = (reading.time_us + ON_EDGE_US) // (900 * SECOND_US) * 900 * SECOND_US
        if abs(reading.time_us - edge_us) <= ON_EDGE_US:
            assert str(reading.value_mwh) == edges[reading.point, reading.direction, format_time(edge_us)]
            compared += 1
    assert compared > 1000


@pytest.mark.parametrize("interface", ["4", "15", "16"])
def test_quarter_hours_from_the_readings_are_true_within_the_stated_bound(decoded, interface):
    out, _, _, _, facts = decoded
    readings = defaultdict(dict)
    for reading in facts[interface].readings:
        readings[reading.point, reading.direction][reading.time_us] = reading.value_mwh
    compared = bounded = 0
    for row in truth_of(out, "quarter_hours.csv"):
        known = readings.get((row["point"], row["direction"]))
        if known is None:
            continue
        slot_us, tolerance = parse_time(row["slot"]), int(row["tolerance_mwh"])
        begin, end = (edge_value(known, slot_us + late_us) for late_us in (0, 900 * SECOND_US))
        if tolerance == 0:
            assert end - begin == int(row["value_mwh"])
            compared += 1
        elif begin is not None and end is not None:
            assert abs(end - begin - int(row["value_mwh"])) <= tolerance
            bounded += 1
    assert compared > 1000
    assert interface != "15" or bounded > 90


def edge_value(known, edge_us):
    """The reading on the edge, else the line between its neighbours; None where there is none on one side."""
    near = [time_us for time_us in known if abs(time_us - edge_us) <= ON_EDGE_US]
    if near:
        return known[min(near, key=lambda time_us: abs(time_us - edge_us))]
    before = max((time_us for time_us in known if time_us < edge_us), default=None)
    after = min((time_us for time_us in known if time_us > edge_us), default=None)
    if before is None or after is None:
        return None
    return known[before] + (known[after] - known[before]) * (edge_us - before) // (after - before)


def test_without_faults_every_quarter_hour_is_exact(tmp_path):
    write_day(DAYS[0], tmp_path, faults=NO_FAULTS, sites=12)
    assert {row["tolerance_mwh"] for row in truth_of(tmp_path, "quarter_hours.csv")} == {"0"}
