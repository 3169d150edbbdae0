"""Logs of EEBUS cut into messages, byte for byte as they crossed.

A message is a SPINE datagram in either form, alone or in a SHIP data message, or another message of SHIP; the type byte
that SHIP sends before its JSON may stand before it. Logs hold them in these forms:

- a JSON object ``{"time", "source", "direction", "datagram" | "data" | "frame"}`` a line, in which ``frame`` holds the
  message as an object or as text that holds it; nothing else must be there;
- ``2026-03-29T00:00:00Z EVSE-1 > {"datagram": ...}`` a line, ``<`` for what was received;
- a bare message a line;
- one message over several lines, or a JSON array of messages or objects of a log, alone in its file;
- what programs log that speak EEBUS (:mod:`~schemas.wire.eebus.stacks`).

``source`` names the connection, the same in both directions: descriptions that one side sent explain what the other
side writes. Who speaks to whom stands in the datagram.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import orjson

from schemas.wire import program_logs
from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge, WireError
from schemas.wire.eebus import stacks
from schemas.wire.eebus.forms import SHIP_MESSAGES
from schemas.wire.json_lines import (
    BOM,
    log_time_us,
    messages_of,
    place_of,
    text_of,
)
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

SHIP_TYPES: Final = frozenset(b"\x01\x02\x03")
"""The byte before the JSON of a SHIP message: control, data, end (SHIP 1.0.1, clause 13.4.1)."""

SENT: Final = "sent"
RECEIVED: Final = "received"

_MESSAGE: Final = re.compile(rb'\\?"(?:datagram|' + "|".join(sorted(SHIP_MESSAGES)).encode() + rb')\\?"\s*:\s*[\[{]')
_TEXT_LINE: Final = re.compile(
    rb"(?P<time>\d{4}-\d\d-\d\d[T ]\S+)[ \t]+(?P<source>\S+)[ \t]+(?P<direction>[<>])[ \t]*(?P<frame>[\x01-\x03]?\{.*)",
    re.DOTALL,
)
_DIRECTIONS: Final = {b">": SENT, b"<": RECEIVED}
_WORD_LIMIT: Final = 200


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so may be a log of EEBUS."""
    head = head.removeprefix(BOM).lstrip()
    if _MESSAGE.search(head) is not None and (head[:1] in {b"{", b"["} or _looks_like_message(head)):
        return True
    return stacks.is_log(head)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut a log into messages; a line that holds none comes out as :class:`~schemas.wire.contract.Malformed`."""
    head = stream.read(FRAME_LIMIT_BYTES + 1)
    if stacks.is_log(head):
        return program_logs.split(head, stream, stacks.LINES)
    return messages_of(head, stream, _cut, _looks_like_message)


def _looks_like_message(line: bytes) -> bool:
    if line[:1] and line[0] in SHIP_TYPES:
        line = line[1:]
    return (line.startswith(b"{") or _TEXT_LINE.match(line) is not None) and _MESSAGE.search(line) is not None


def _cut(content: bytes, offset: int) -> Frame | Malformed:
    """The one message in a line, in an element of a list, or in a document."""
    message = content.strip()
    offset += len(content) - len(content.lstrip())
    try:
        if message[:1] and message[0] in SHIP_TYPES:
            return Frame(message, offset)
        if message.startswith(b"{"):
            return _record(message, offset)
        return _text_line(message, offset)
    except WireError as error:
        return Malformed(message, offset, error)


def _text_line(line: bytes, offset: int) -> Frame:
    found = _TEXT_LINE.fullmatch(line)
    if found is None:
        raise BadSyntax('neither a message of EEBUS, nor "TIME SOURCE > MESSAGE", nor an object of a log')
    time_us = log_time_us(found["time"].decode("ascii", "replace"))
    context = {"direction": _DIRECTIONS[found["direction"]]}
    return Frame(found["frame"], offset + found.start("frame"), time_us, text_of(found["source"], "source"), context)


def _record(line: bytes, offset: int) -> Frame:
    """A bare message, or the one in an object of a log."""
    try:
        record: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        at = len(problem.doc[: problem.pos].encode("utf-8", "replace"))
        raise BadSyntax(f"not JSON: {problem.msg}", at) from None
    words = {name: record[name] for name in ("time", "source", "direction") if record.get(name) is not None}
    if "frame" not in record and not words:
        return Frame(line, offset)
    for name, word in words.items():
        if not isinstance(word, str) or len(word) > _WORD_LIMIT:
            raise BadSyntax(f'"{name}" is text of at most {_WORD_LIMIT} characters')
    raw, start = _message_in(record, line)
    time_us = log_time_us(words["time"]) if words.get("time") else None
    context = {"direction": words["direction"]} if words.get("direction") else {}
    return Frame(raw, offset + start, time_us, words.get("source", ""), context)


def _message_in(record: dict[str, Any], line: bytes) -> tuple[bytes, int]:
    """The bytes of the message in an object of a log, and where they start in its line."""
    frame = record.get("frame")
    if isinstance(frame, str):
        return frame.encode(), 0
    name = "frame" if isinstance(frame, dict) else next((name for name in ("datagram", "data") if name in record), "")
    if not name:
        raise BadSyntax('an object of a log holds its message as "frame", "datagram" or "data"')
    try:
        start, end = place_of(name, line)
    except RecursionError:
        raise TooLarge("nested too deep") from None
    if name == "frame":
        return line[start:end], start
    # The bytes of the message are those of its value, in an object of its own.
    return b'{"%s":%s}' % (name.encode(), line[start:end]), start
