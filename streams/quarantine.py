"""The quarantine: rejected messages kept with their bytes and reason, listed, shown and sent again."""

import hashlib
import zlib
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from schemas.interfaces import QUARANTINE_NUMBER, QUARANTINE_TOPIC
from schemas.rows import position_of
from schemas.time import from_us, parse_time, to_us
from streams import dismissals
from streams.copy_binary import NUL, json_without_nul
from streams.reader import Conversations, Outcome, Rejected, read_again

NOT_A_REJECTION = "not-a-rejection"
"""Reason of a record in the quarantine's topic that no gateway wrote."""


class Entry(NamedTuple):
    """A rejected message, or part of one (then ``raw`` is empty, and ``context`` and ``position`` name its event)."""

    id: str
    interface: str
    source: str
    format: str
    at: Any
    recorded_at: Any
    reason: str
    detail: str
    raw: bytes
    context: dict[str, Any]
    position: int
    dismissed: str | None
    """Why somebody dismissed it; None: nobody did."""

    @property
    def is_part(self) -> bool:
        """Whether it is something implausible inside a message that could be read."""
        return not self.raw and "event" in self.context


_COLUMNS = "id, interface, source, format, at, recorded_at, reason, detail, raw, context, position"
_DISMISSED = "(select because from dismissal where dismissal.id = quarantine.id)"
_WANTED = f"""({_DISMISSED} is not null) = %(dismissed)s and (%(reason)s = '' or reason = %(reason)s)
    and (%(interface)s = '' or interface = %(interface)s) and (%(source)s = '' or source = %(source)s)"""


async def store(
    connection: psycopg.AsyncConnection[Any], value: bytes | None, recorded_ms: int, where: tuple[int, int]
) -> None:
    """Keep a record of the quarantine's topic, entry or dismissal; keeping it twice changes nothing.

    ``where`` is its partition and offset.
    """
    dismissal = dismissals.dismissal_in(value)
    if dismissal is not None:
        await dismissals.keep(connection, dismissal, recorded_ms, where)
        await connection.commit()
        return
    await connection.execute(
        f"insert into quarantine ({_COLUMNS}) "  # noqa: S608
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (id) do nothing",
        _row(value, recorded_ms, where),
    )
    await connection.commit()


def _row(value: bytes | None, recorded_ms: int, where: tuple[int, int]) -> list[Any]:
    """The row of a record; one that is no rejected message is kept as what it is."""
    position = position_of(QUARANTINE_NUMBER, *where)
    recorded_at = from_us(recorded_ms * 1000)
    try:
        body = orjson.loads(value or b"")
        raw = b64decode(body["raw"]) if "raw" in body else zlib.decompress(b64decode(body["raw_zlib"]))
        names = [_text(body[name]) for name in ("id", "interface", "source", "format")]
        at = None if body["time"] is None else from_us(parse_time(body["time"]))
        said = [_text(body[name]) for name in ("reason", "detail")]
        context = json_without_nul(orjson.dumps(body["context"])).decode()
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, zlib.error) as problem:
        identity = hashlib.blake2b(value or b"", digest_size=16).hexdigest()
        source = f"{QUARANTINE_TOPIC}/{where[0]}@{where[1]}"
        return [
            identity,
            "",
            source,
            "",
            None,
            recorded_at,
            NOT_A_REJECTION,
            repr(problem),
            value or b"",
            "{}",
            position,
        ]
    return [*names, at, recorded_at, *said, raw, context, position]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value.replace("\0", NUL)


class Choice(NamedTuple):
    """Which entries; an empty text is any."""

    reason: str = ""
    interface: str = ""
    source: str = ""
    dismissed: bool = False
    """Those that were dismissed, or those that were not."""


EVERYTHING = Choice()


def entries(url: str, schema: str, choice: Choice = EVERYTHING, limit: int = 100) -> list[Entry]:
    """The newest entries, without more than ``limit``."""
    with _connect(url, schema) as connection:
        rows = connection.execute(
            f"select {_COLUMNS}, {_DISMISSED} from quarantine where {_WANTED} "  # noqa: S608
            "order by recorded_at desc, id limit %(limit)s",
            choice._asdict() | {"limit": limit},
        )
        return [Entry(*row) for row in rows]


def count(url: str, schema: str, choice: Choice) -> int:
    """How many entries there are of a choice."""
    with _connect(url, schema) as connection:
        counted = connection.execute(f"select count(*) from quarantine where {_WANTED}", choice._asdict())  # noqa: S608
        return int(next(counted)[0])


def entry(url: str, schema: str, identity: str) -> Entry:
    """The one entry whose id starts so.

    Raises:
        LookupError: none does, or several do.
    """
    with _connect(url, schema) as connection:
        rows = connection.execute(
            f"select {_COLUMNS}, {_DISMISSED} from quarantine where starts_with(id, %s) limit 2",  # noqa: S608
            [identity],
        ).fetchall()
    if len(rows) != 1:
        found = "no message" if not rows else "more than one message"
        raise LookupError(
            f"{found} in the quarantine has an id that starts with {identity!r}; see `twin quarantine list`"
        )
    return Entry(*rows[0])


def identities(url: str, schema: str, choice: Choice = EVERYTHING) -> list[str]:
    """The ids of all entries of a choice, oldest first, so that a call comes before its answer."""
    with _connect(url, schema) as connection:
        rows = connection.execute(
            f"select id from quarantine where {_WANTED} "  # noqa: S608
            "order by coalesce(at, recorded_at), recorded_at, id",
            choice._asdict(),
        )
        return [row[0] for row in rows]


def dismissed_of(url: str, schema: str, ids: Sequence[str], because: str) -> int:
    """How many of these ids the table has as dismissed in these words."""
    with _connect(url, schema) as connection:
        query = "select count(*) from dismissal where because = %s and id = any(%s)"
        return int(next(connection.execute(query, [because, list(ids)]))[0])


def decode_again(kept: Entry, conversations: Conversations | None = None) -> list[Outcome]:
    """What the decoders of today make of a rejected message; its own rejection where it belongs to no interface."""
    time_us = None if kept.at is None else to_us(kept.at)
    rejected = Rejected(
        kept.interface, kept.source, kept.raw, 0, time_us, kept.format, kept.reason, kept.detail, kept.context
    )
    return read_again(rejected, conversations) if kept.interface else [rejected]


def note(url: str, schema: str, identity: str, reason: str, detail: str) -> None:
    """Write down why an entry still cannot be decoded or believed."""
    with _connect(url, schema) as connection:
        connection.execute(
            "update quarantine set reason = %s, detail = %s where id = %s", [reason, _storable(detail), identity]
        )


def release(url: str, schema: str, identity: str) -> None:
    """Take an entry out, after its message went into the log."""
    with _connect(url, schema) as connection:
        connection.execute("delete from quarantine where id = %s", [identity])


def _storable(text: str) -> str:
    return text.replace("\0", "\N{SYMBOL FOR NULL}")


def _connect(url: str, schema: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url, connect_timeout=5, row_factory=namedtuple_row)
    connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(schema)))
    return connection
