"""What stands in a request: one body, or many messages as JSON lines."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from schemas.time import parse_time
from streams.reader import Rejected

NDJSON = "application/x-ndjson"

BAD_LINE = "bad-line"

SOURCE_LIMIT = 256
"""Characters a name of a source may have."""

_FIELDS = {"raw", "base64", "time", "source"}


class Posted(NamedTuple):
    """Bytes of one or several messages as they were posted; ``line`` counts from 1, 0 for a whole body."""

    raw: bytes
    source: str
    time_us: int
    line: int = 0


Part = Posted | tuple[int, Rejected]
"""Something to read, or a line that is none, with its number."""


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
                yield number, Rejected(interface, source, line, offset, time_us, "", BAD_LINE, str(problem))
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
