"""Catching up: a backlog that lay in the log before any worker ran."""

from pathlib import Path
from typing import Any, Final

from replay.bench import sender
from replay.bench.ground import Ground, Room
from replay.bench.usage import Clock, watched

BACKLOG: Final = 2_000_000
_PATIENCE_S = 1_800.0


def backlog(ground: Ground, load: Path, workers: int, records: int) -> dict[str, Any]:
    """Events a second from a backlog into the tables, from the moment the first worker reads."""
    with Room(ground, "catchup") as room:
        fill(room, load, records)
        room.start_workers(workers)
        parts = ground.servers | room.parts
        with watched(parts):
            began, before = Clock(parts), room.written()
            room.wait_until_written(records, _PATIENCE_S)
            took_s = began.seconds()
            return {
                "events": records,
                "seconds": round(took_s, 1),
                "events_per_s": round((records - before) / took_s),
                "cpu_us_per_event": began.cpu_us_per(records - before),
                "peak_mib": {name: part.peak_mib() for name, part in parts.items()},
            }


def fill(room: Room, load: Path, records: int) -> None:
    """Pour prepared records into the topics of a room."""
    log = room.home / "confirmed"
    room.run("filler", sender.__name__, room.ground.kafka, room.prefix, str(load), str(log), f"--records={records}")
