"""Cases as an auditor reads them: ``slots/<case>/given.csv`` are readings, ``then.csv`` every quarter hour of the span.

``values.csv``, where it stands, are values from market messages. ``#comment`` says why a row is there.
"""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.facts import Reading, SlotValue
from schemas.time import SLOT_US, format_time, parse_time
from twin.slots import best_of, quarter_hours

CASES = sorted(path.parent for path in Path(__file__).parent.glob("slots/*/then.csv"))


def rows_of(path):
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reading_of(row):
    value_mwh = Decimal(row["value_kwh"]).scaleb(6)
    return Reading(
        row["point"],
        row["device"],
        row["obis"],
        row["direction"],
        parse_time(row["time"]),
        int(value_mwh),
        row["quality"],
        row["document"],
        int(row["digits"]),
    )


def value_of(row):
    key = (row["series"], row["object"], parse_time(row["slot"]))
    return SlotValue(*key, int(row["value_mwh"]), "mWh", row["quality"], row["version"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_readings_become_the_quarter_hours_of_the_case(case, edges_of):
    then = rows_of(case / "then.csv")
    starts = [parse_time(row["slot"]) for row in then]
    slots = range(min(starts), max(starts) + SLOT_US, SLOT_US)
    edges = edges_of([reading_of(row) for row in rows_of(case / "given.csv")])
    found = best_of(quarter_hours(edges, slots), [value_of(row) for row in rows_of(case / "values.csv")], slots=slots)
    assert [
        (q.point, q.direction, format_time(q.slot_us), q.value_mwh, q.quality, " ".join(q.flags)) for q in found
    ] == [
        (
            row["point"],
            row["direction"],
            format_time(parse_time(row["slot"])),
            int(row["value_mwh"]) if row["value_mwh"] else None,
            row["quality"],
            row["flags"],
        )
        for row in then
    ]


def test_there_are_cases():
    assert len(CASES) >= 15
