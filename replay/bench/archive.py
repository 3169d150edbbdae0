"""A made-up archive for benchmarks: many readings of many registers, in the order in which a live log has them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from replay.reading import Window
from schemas.interfaces import interface as interface_of
from schemas.rows import position_of
from streams.archive.facts import READINGS, REGISTER, FactColumns
from streams.archive.layout import Archive, Bounds, Manifest, Range
from streams.archive.segment import MESSAGES, write_file
from twin.merge.identity import identity_of

_TOPIC = interface_of("15").topic
_SEGMENT_READINGS = 500_000


def make_archive(home: Path, window: Window, *, readings: int = 20_000_000, registers: int = 20_000) -> Archive:
    """Write an archive of the readings of meters that all speak equally often through the day.

    Two registers a meter, import and export; each counts up by a seeded random amount. Its segments hold facts and no
    messages: it serves a replay from facts and nothing else.
    """
    archive = Archive(home)
    rng = np.random.default_rng(20_260_329)
    names = [
        (f"1EMH{number // 2:010}", f"1EMH{number // 2:010}", obis, direction, "measured", "")
        for number in range(registers)
        for obis, direction in [(("1-0:1.8.0", "import"), ("1-0:2.8.0", "export"))[number % 2]]
    ]
    identities = np.array([identity_of(name) for name in names], np.int64)
    rank = np.argsort(identities)
    counters = rng.integers(0, 10**9, registers)
    each = readings // registers
    step_us = (window.end_us - window.start_us) // each
    rounds = max(1, _SEGMENT_READINGS // registers)
    for first in range(0, each, rounds):
        count = min(rounds, each - first)
        values = counters[:, None] + np.cumsum(rng.integers(0, 40_000, (registers, count)), axis=1)
        counters = values[:, -1]
        times = window.start_us + (first + np.arange(count)) * step_us + (np.arange(registers)[:, None] * 997 % step_us)
        offsets = (first + np.arange(count)) * registers + np.arange(registers)[:, None]
        codes = np.repeat(rank, count)
        table = _table(names, identities, codes, times[rank].ravel(), values[rank].ravel(), offsets[rank].ravel())
        _write(
            archive, names, identities, rank, table, Range(_TOPIC, 0, first * registers, (first + count) * registers)
        )
    return archive


def _table(
    names: Sequence[tuple[str, ...]],
    identities: np.ndarray,
    codes: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    offsets: np.ndarray,
) -> pa.Table:
    columns: dict[str, pa.Array] = {"register_id": pa.array(identities[codes])}
    for place, name in enumerate(REGISTER):
        encoded = pa.array([key[place] for key in names]).dictionary_encode()
        columns[name] = pa.DictionaryArray.from_arrays(
            pa.array(encoded.indices.to_numpy()[codes], pa.int32()), encoded.dictionary
        )
    columns["digits"] = pa.array(np.full(len(codes), 6, np.int8))
    columns["time_us"], columns["value_mwh"] = pa.array(times), pa.array(values)
    columns["position"] = pa.array(position_of(15, 0, 0) + offsets)
    columns["recorded_us"] = pa.array(times + 400_000)
    return pa.table(columns, schema=READINGS)


def _write(
    archive: Archive,
    names: Sequence[tuple[str, ...]],
    identities: np.ndarray,
    rank: np.ndarray,
    table: pa.Table,
    span: Range,
) -> None:
    number = archive.next_number()
    archive.segment(number).mkdir(parents=True)
    tables = {"messages": MESSAGES.empty_table()} | FactColumns().tables() | {"readings": table}
    tables["registers"] = pa.table(
        {
            "register_id": identities[rank],
            **{name: [names[code][place] for code in rank.tolist()] for place, name in enumerate(REGISTER)},
            "digits": np.full(len(rank), 6, np.int8),
        },
        schema=tables["registers"].schema,
    )
    files = {kind: write_file(archive, number, kind, content) for kind, content in tables.items()}
    times = files["readings"].time_us
    assert times is not None
    recorded = Bounds(times.first_us + 400_000, times.last_us + 400_000)
    archive.seal_segment(Manifest(number, 0, 0, (span,), (), None, recorded, files, {}))
