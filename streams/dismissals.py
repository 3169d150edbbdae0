"""Dismissals: that entries of the quarantine need no more attention, and why.

A dismissal is a record in the quarantine's own topic, so the log tells the same story however often the table is made
from it. Table ``dismissal`` is a merge by position: the last one holds, in whatever order they come, and one that comes
before its entry waits for it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson
import psycopg

from schemas.interfaces import QUARANTINE_NUMBER, QUARANTINE_TOPIC
from schemas.rows import position_of
from schemas.time import from_us
from streams.copy_binary import NUL
from streams.records import Record

_IN_A_RECORD = 10_000

_KEEP = """
insert into dismissal (id, because, recorded_at, position)
select distinct entry, %s, %s::timestamptz, %s::bigint from unnest(%s::text[]) as entry
on conflict (id) do update set because = excluded.because, recorded_at = excluded.recorded_at,
    position = excluded.position where dismissal.position < excluded.position
"""


class Dismissal(NamedTuple):
    """The ids of entries, and why they are dismissed."""

    ids: list[str]
    because: str


def dismissal_records(ids: Sequence[str], because: str, prefix: str = "") -> Iterator[Record]:
    """The records that dismiss these entries; the same dismissal twice is one."""
    for start in range(0, len(ids), _IN_A_RECORD):
        value = orjson.dumps({"dismissed": list(ids[start : start + _IN_A_RECORD]), "because": because})
        identity = hashlib.blake2b(value, digest_size=16).hexdigest().encode()
        headers = [("ce_id", identity), ("content-type", b"application/json")]
        yield Record(prefix + QUARANTINE_TOPIC, identity, value, headers)


def dismissal_in(value: bytes | None) -> Dismissal | None:
    """The dismissal that a record of the quarantine's topic carries; None when it is something else."""
    try:
        body = orjson.loads(value or b"")
        ids, because = body["dismissed"], body["because"]
    except (KeyError, TypeError, ValueError):
        return None
    if not isinstance(ids, list) or not all(isinstance(text, str) for text in [*ids, because]):
        return None
    return Dismissal([text.replace("\0", NUL) for text in ids], because.replace("\0", NUL))


async def keep(
    connection: psycopg.AsyncConnection[Any], dismissal: Dismissal, recorded_ms: int, where: tuple[int, int]
) -> None:
    """Write a dismissal down, in the transaction of the caller; ``where`` is its partition and offset."""
    position = position_of(QUARANTINE_NUMBER, *where)
    values = [dismissal.because, from_us(recorded_ms * 1000), position, dismissal.ids]
    await connection.execute(_KEEP, values)
