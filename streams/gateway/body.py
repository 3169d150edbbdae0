"""What stands in a request: one body, or many messages as JSON lines."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import orjson

from schemas.time import parse_time
from streams.reader import Conversations, Outcome, Rejected, read
from streams.sources import Meter

NDJSON = "application/x-ndjson"

BAD_LINE = "bad-line"

SOURCE_LIMIT = 256
"""Characters a name of a source may have."""

EXPANDED_LIMIT_BYTES = 64 << 20
"""The most a compressed body may expand to."""

_FIELDS = {"raw", "base64", "time", "source"}


class Part(Protocol):
    """Something the road takes; it knows itself how it is read."""

    @property
    def line(self) -> int:
        """Where it stands in its request, from 1; 0 where it is the whole of it."""

    def outcomes(self, interface: str, conversations: Conversations) -> Iterator[Outcome]:
        """Its messages."""


class Posted(NamedTuple):
    """Bytes of one or several messages as they were posted; ``time_us`` None: nobody knows when they were said."""

    raw: bytes
    source: str
    time_us: int | None
    line: int = 0

    def outcomes(self, interface: str, conversations: Conversations) -> Iterator[Outcome]:
        """Its messages, expanded where they are compressed."""
        meter = Meter(expanded_limit_bytes=EXPANDED_LIMIT_BYTES)
        return read(self.raw, interface, self.source, conversations=conversations, time_us=self.time_us, meter=meter)


class BadLine(NamedTuple):
    """A line that is no message."""

    line: int
    rejected: Rejected

    def outcomes(self, _interface: str, _conversations: Conversations) -> Iterator[Outcome]:
        """Why it is none."""
        yield self.rejected


def json_lines(body: bytes, interface: str, source: str, time_us: int) -> Iterator[Part]:
    """The messages of a body of JSON lines; a line that is none comes out rejected, with its number.

    A line is ``{"raw": "text"}`` or ``{"base64": "..."}``, with ``time`` (ISO 8601) and ``source`` where they
    differ from the request's headers.
    """
    offset = 0
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            try:
                yield _posted(line, source, time_us, number)
            except ValueError as problem:
                rejected = Rejected(interface, source, line, offset, time_us, "", BAD_LINE, str(problem))
                yield BadLine(number, rejected)
        offset += len(line) + 1


def _posted(line: bytes, source: str, time_us: int, number: int) -> Posted:
    fields: Any = orjson.loads(line)
    if not isinstance(fields, dict) or not fields.keys() <= _FIELDS:
        raise ValueError('a line is an object with "raw" or "base64", and may have "time" and "source"')
    if not all(isinstance(value, str) for value in fields.values()):
        raise ValueError("every field of a line is text")
    if len(fields.get("source", "")) > SOURCE_LIMIT:
        raise ValueError(f"source is longer than {SOURCE_LIMIT} characters")
    if ("raw" in fields) == ("base64" in fields):
        raise ValueError('a line has either "raw" or "base64"')
    raw = fields["raw"].encode() if "raw" in fields else b64decode(fields["base64"], validate=True)
    if not raw:
        raise ValueError("the message is empty")
    time = fields.get("time")
    return Posted(raw, fields.get("source") or source, time_us if time is None else parse_time(time), number)
