"""Replays: readings in Parquet to quarter hours in the database; and whether memory stays flat."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow.parquet as pq

from replay.bench import baselines, replay_once
from replay.bench.archive import make_archive
from replay.bench.catchup import fill
from replay.bench.ground import Ground, Room
from replay.bench.pool import DAY
from replay.bench.usage import Parts
from replay.day import From
from replay.reading import Window, window_of
from streams import migrate

READINGS: Final = 20_000_000
DAYS: Final = {1_000_000: 3, 3_000_000: 1, 10_000_000: 1}
"""Events of the days whose memory is compared, and how often each is run: a peak is the highest of many ups and downs,
so the smallest day is run again to see what is chance."""
_ALWAYS: Final = Window(0, 1 << 52)
_PATIENCE_S: Final = 3_600.0


def readings(ground: Ground) -> dict[str, Any]:
    """A day of readings replayed, and DuckDB's bare sum of the same files."""
    with Room(ground, "readings") as room:
        window = window_of(DAY)
        archive = make_archive(room.home, window, readings=ground.count(READINGS))
        files = [archive.file(manifest.number, "readings") for manifest in archive.manifests()]
        duckdb_s, expected = baselines.bare_sum(files)
        sum_s, total = _sum(files)
        if total != expected:
            raise RuntimeError(f"the sums differ: {total} and {expected}")
        said = _replay(room, window)
        return said | {
            "readings_per_s": round(said["read"] / said["seconds"]),
            "sum_s": round(sum_s, 3),
            "duckdb_s": round(duckdb_s, 3),
        }


def _sum(files: list[Path]) -> tuple[float, int]:
    """The same sum the way the replay reads: a file a time on each of two threads, into numpy."""

    def of(file: Path) -> int:
        with pq.ParquetFile(file, memory_map=True) as opened:
            column = opened.read(columns=["value_mwh"], use_threads=False)[0]
        return int(column.to_numpy().sum(dtype=np.int64))

    best, total = float("inf"), 0
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            started = time.perf_counter()
            total = sum(pool.map(of, files))
            best = min(best, time.perf_counter() - started)
    return best, total


def flat(ground: Ground, load: Path, workers: int) -> dict[str, list[dict[str, float]]]:
    """Peak memory of workers, archiver and replays in each run of days of one, three and ten million events.

    Of a larger day also, as ``1000000 of 3000000``, what it had needed when it was as long as the smallest.
    """
    found: dict[str, list[dict[str, float]]] = {}
    least = ground.count(min(DAYS))
    for day, runs in DAYS.items():
        events = ground.count(day)
        for run in range(runs):
            early, whole = _peaks(ground, load, workers, f"flat{day}_{run}", (least, events))
            found.setdefault(str(events), []).append(whole)
            if events > least:
                found.setdefault(f"{least} of {events}", []).append(early)
    return found


def _peaks(
    ground: Ground, load: Path, workers: int, name: str, counts: tuple[int, int]
) -> tuple[dict[str, float], dict[str, float]]:
    """Peaks by the time that so many events were written and archived, and by the time that all were."""
    with Room(ground, name) as room, ThreadPoolExecutor(1) as beside:
        room.start_workers(workers, all)  # whoever came first would have all partitions for a while
        parts = dict(room.parts)
        filling = beside.submit(fill, room, load, counts[-1])
        early, whole = (_peaks_at(room, parts, events) for events in counts)
        filling.result()
        replays: dict[str, From] = {"replay": "facts", "replay from messages": "messages"}
        return early, whole | {name: _replay(room, _ALWAYS, source)["peak_mib"] for name, source in replays.items()}


def _peaks_at(room: Room, parts: Parts, events: int) -> dict[str, float]:
    room.wait_until_written(events, _PATIENCE_S)
    found = {name: part.peak_mib() for name, part in parts.items()}
    room.wait_until_archived(events, _PATIENCE_S)
    return found | {"archiver": parts["archiver"].peak_mib()}


def _replay(room: Room, window: Window, source: From = "facts") -> dict[str, Any]:
    report, into = room.home / "replayed", f"{room.schema}_again"
    arguments = (room.home, room.ground.database_url, into, *window, report, source)
    try:
        room.run("replay", replay_once.__name__, *map(str, arguments))
        said: dict[str, Any] = orjson.loads(report.read_bytes())
        return said
    finally:
        migrate.drop(room.ground.database_url, into)
