"""Live: a producer outside sends, workers write; how many a second, and how late."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg
from psycopg import sql

from replay.bench import sender
from replay.bench.ground import Ground, Room
from replay.bench.usage import Clock, watched
from schemas.interfaces import by_topic
from streams.lag import end_offsets

WARM_S: Final = 10.0
SUSTAINED_S: Final = 60.0
AHEAD: Final = 120_000
"""Records that may wait: the sender holds back when the tables do not follow, so the lag cannot grow."""

LATENCY_RATE: Final = 10_000
LATENCY_S: Final = 30.0
_LOOK_S = 0.01


def sustained(ground: Ground, load: Path, workers: int) -> dict[str, Any]:
    """Events a second from the producer into the tables, for a minute, with archiver and all on this machine."""
    with Room(ground, "live") as room:
        room.start_workers(workers)
        log = room.home / "confirmed"
        arguments = [f"--ahead={AHEAD}", f"--url={ground.database_url}", f"--schema={room.schema}"]
        producer = _sender(room, load, log, *arguments)
        time.sleep(ground.seconds(WARM_S))
        parts = ground.servers | room.parts
        with watched(parts):
            lag_before, archived_before = _behind(room), room.archived()
            before, clock = room.written(), Clock(parts)
            while clock.seconds() < ground.seconds(SUSTAINED_S):
                if producer.poll() is not None:
                    raise RuntimeError(f"the producer has ended: {room.log_of('producer') or 'the load is too small'}")
                time.sleep(0.25)
            written, took_s = room.written() - before, clock.seconds()
            cpu = clock.cpu_us_per(written)
            lag_after, archived = _behind(room), room.archived() - archived_before
        return {
            "events_per_s": round(written / took_s),
            "archived_per_s": round(archived / took_s),
            "seconds": round(took_s, 1),
            "lag_before": lag_before,
            "lag_after": lag_after,
            "cpu_us_per_event": cpu,
            "peak_mib": {name: part.peak_mib() for name, part in parts.items()},
        }


def _behind(room: Room) -> int:
    """Records in the log that are not in the tables."""
    ends = end_offsets(room.ground.kafka, room.prefix)
    return sum(ends.values()) - room.written()


def _sender(room: Room, load: Path, log: Path, *options: str) -> subprocess.Popen[bytes]:
    return room.start("producer", sender.__name__, room.ground.kafka, room.prefix, str(load), str(log), *options)


def latency(ground: Ground, load: Path, workers: int) -> dict[str, float]:
    """From append to visible at a steady rate, in seconds."""
    with Room(ground, "latency") as room:
        room.start_workers(workers)
        log = room.home / "confirmed"
        seconds = ground.seconds(WARM_S) + ground.seconds(LATENCY_S)
        with _progress(room) as seen:
            producer = _sender(room, load, log, f"--rate={LATENCY_RATE}", f"--seconds={seconds}")
            producer.wait()
            sent = np.fromfile(log, np.int64).reshape(-1, 5)
            room.wait_until_written(int(sent[:, 4].sum()), 120)
            time.sleep(10 * _LOOK_S)
        warm_ms = sent[0, 0] + ground.seconds(WARM_S) * 1000
        return _quantiles(sent[sent[:, 0] >= warm_ms], seen)


@contextmanager
def _progress(room: Room) -> Iterator[dict[tuple[int, int], list[tuple[float, int]]]]:
    """When the tables had how much of each partition, looked at a hundred times a second."""
    seen: dict[tuple[int, int], list[tuple[float, int]]] = {}
    over = threading.Event()
    query = sql.SQL("select topic, partition, next_offset from {}.progress").format(sql.Identifier(room.schema))

    def look() -> None:
        with psycopg.connect(room.ground.database_url, autocommit=True) as connection:
            while not over.wait(_LOOK_S):
                rows = connection.execute(query).fetchall()
                now_s = time.time()
                for topic, partition, offset in rows:
                    steps = seen.setdefault((by_topic(topic).topic_number, partition), [(0.0, 0)])
                    if steps[-1][1] != offset:
                        steps.append((now_s, offset))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _quantiles(sent: Any, seen: dict[tuple[int, int], list[tuple[float, int]]]) -> dict[str, float]:
    delays, weights = [], []
    for (topic, partition), steps in seen.items():
        mine = sent[(sent[:, 1] == topic) & (sent[:, 2] == partition)]
        offsets = np.array([offset for _, offset in steps])
        times = np.array([moment for moment, _ in steps])
        delays.append(times[np.searchsorted(offsets, mine[:, 3], side="right")] - mine[:, 0] / 1000)
        weights.append(mine[:, 4])
    values = np.repeat(np.concatenate(delays), np.concatenate(weights))
    return {
        "events": len(values),
        "p50_s": round(float(np.quantile(values, 0.5)), 4),
        "p99_s": round(float(np.quantile(values, 0.99)), 4),
        "max_s": round(float(values.max()), 4),
    }
