"""What the road is held against: a plain Faust agent, a single upsert, and a bare sum of the same files."""

import statistics
import time
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson
import psycopg

from replay.bench import faust_agent
from replay.bench.catchup import fill
from replay.bench.ground import Ground, Room

_AGENT_EVENTS: Final = 400_000
_AGENT_S: Final = 20.0
_UPSERTS: Final = 200
_PATIENCE_S: Final = 240.0


def plain_faust(ground: Ground, load: Path) -> dict[str, Any]:
    """Events a second of one agent with an upsert an event, from the first one on."""
    with Room(ground, "plain") as room:
        fill(room, load, _AGENT_EVENTS)
        report = room.home / "report"
        process = room.start("agent", faust_agent.__name__, str(ground.seconds(_AGENT_S)), str(report))
        deadline = time.monotonic() + _PATIENCE_S
        while not report.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the Faust agent says nothing: {room.log_of('agent')}")
            time.sleep(0.1)
        said = orjson.loads(report.read_bytes())
        return {"events_per_s": round(said["events"] / said["seconds"])}


def one_upsert(ground: Ground) -> float:
    """Seconds until one row is committed and on the disk, the median of some."""
    with psycopg.connect(ground.database_url, autocommit=True) as connection:
        connection.execute("create table if not exists public.bench_one (id int primary key, value int)")
        taken = []
        for value in range(_UPSERTS):
            started = time.perf_counter()
            connection.execute(
                "insert into public.bench_one values (1, %s) on conflict (id) do update set value = excluded.value",
                [value],
            )
            taken.append(time.perf_counter() - started)
        connection.execute("drop table public.bench_one")
    return statistics.median(taken)


def bare_sum(files: list[Path]) -> tuple[float, int]:
    """DuckDB's sum of a column over all files: seconds, the best of three, and the sum."""
    query = "select sum(value_mwh)::hugeint from read_parquet(?)"
    best, total = float("inf"), 0
    for _ in range(3):
        started = time.perf_counter()
        row = duckdb.execute(query, [[str(file) for file in files]]).fetchone()
        best, total = min(best, time.perf_counter() - started), int(row[0])
    return best, total
