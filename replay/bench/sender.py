"""The load, a process of its own: ``python -m replay.bench.sender KAFKA PREFIX FILE LOG [options]``.

It sends prepared slices at a rate, or as fast as the tables follow, or as fast as the broker takes them, and writes
into LOG what was confirmed: five integers a batch, see :class:`replay.bench.wire.Confirmed`.
"""

import argparse
import itertools
import sys
import time
from array import array
from pathlib import Path

import psycopg
from psycopg import sql

from replay.bench.prepared import Batch, slices
from replay.bench.wire import Confirmed, Connection

_LOOK_S = 0.02


class Tables:
    """How many records the tables have, asked now and then."""

    def __init__(self, url: str, schema: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._query = sql.SQL("select coalesce(sum(next_offset), 0)::bigint from {}.progress").format(
            sql.Identifier(schema)
        )
        self._looked = 0.0
        self._written = 0

    def written(self) -> int:
        """As of at most 20 ms ago."""
        if time.monotonic() - self._looked > _LOOK_S:
            row = self._connection.execute(self._query).fetchone()
            self._written = row[0] if row else 0
            self._looked = time.monotonic()
        return self._written


def main() -> int:
    """Send until the file or the time is over."""
    parser = argparse.ArgumentParser()
    for name in ("kafka", "prefix", "file", "log"):
        parser.add_argument(name)
    parser.add_argument("--rate", type=float, default=0.0, help="records a second")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--records", type=int, default=0)
    parser.add_argument("--ahead", type=int, default=0, help="records that may be in the log and not in the tables")
    parser.add_argument("--url", default="")
    parser.add_argument("--schema", default="")
    chosen = parser.parse_args()
    connection = Connection(chosen.kafka, chosen.prefix)
    tables = Tables(chosen.url, chosen.schema) if chosen.ahead else None
    confirmed = array("q")
    sent = 0
    started = time.monotonic()
    for batches in slices(Path(chosen.file)):
        size = sum(batch.records for batch in batches)
        while tables is not None and sent + size - tables.written() > chosen.ahead:
            _enter(confirmed, connection.finish())
            time.sleep(_LOOK_S / 4)
        if chosen.rate:
            time.sleep(max(0.0, started + sent / chosen.rate - time.monotonic()))
        if time.monotonic() - started > chosen.seconds or (chosen.records and sent >= chosen.records):
            break
        _enter(confirmed, connection.send(batches, _stamped(batches)))
        if chosen.rate:
            _enter(confirmed, connection.finish())
        sent += size
    _enter(confirmed, connection.finish())
    Path(chosen.log).write_bytes(confirmed.tobytes())
    return 0


def _stamped(batches: list[Batch]) -> int:
    now_ms = time.time_ns() // 1_000_000
    for batch in batches:
        batch.stamp(now_ms)
    return now_ms


def _enter(log: "array[int]", confirmed: list[Confirmed]) -> None:
    log.extend(itertools.chain.from_iterable(confirmed))


if __name__ == "__main__":
    sys.exit(main())
