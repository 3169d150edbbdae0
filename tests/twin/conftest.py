"""Readings to edges for tests: the same rows that the merge makes of facts, made the slow and plain way."""

from itertools import groupby

import pytest

from schemas.rows import Edge, Register
from schemas.time import slot_of


@pytest.fixture(scope="session")
def edges_of():
    """Function: edges of readings; an event's position is the number of its reading, from 1."""

    def edges(readings):
        numbered = [(_register(reading), reading, number) for number, reading in enumerate(readings, 1)]
        numbered.sort(key=lambda row: (row[0], row[1].time_us, row[1].value_mwh, row[2]))
        groups = groupby(numbered, key=lambda row: (row[0], slot_of(row[1].time_us)))
        return [_edge(register, slot_us, list(rows)) for (register, slot_us), rows in groups]

    return edges


def _register(reading):
    return Register(
        reading.point,
        reading.device,
        reading.obis,
        reading.direction,
        reading.quality,
        reading.document,
        reading.digits,
    )


def _edge(register, slot_us, rows):
    sides = []
    for end in (0, -1):
        time_us = rows[end][1].time_us
        claims = [(reading.value_mwh, position) for _, reading, position in rows if reading.time_us == time_us]
        (value_mwh, position), (highest, _) = claims[0], claims[-1]
        sides += [time_us, value_mwh, highest - value_mwh, position]
    return Edge(register, slot_us, *sides)
