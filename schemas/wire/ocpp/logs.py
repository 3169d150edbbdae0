"""Logs of OCPP-J cut into frames, byte for byte as they crossed.

Four forms, the first three mixed at will, one message a line:

- a JSON object ``{"time", "station", "direction": "to_csms" | "to_station", "subprotocol", "frame"}``, the frame as an
  array or as a string that holds its text; only ``frame`` must be there;
- ``2026-03-29T00:00:00Z CP-1 ocpp1.6 > [2,"19","Heartbeat",{}]``, ``>`` to the backend, ``<`` to the station,
  the subprotocol may be left out;
- a bare frame;
- one frame, or one charging profile, over several lines, alone in its file.
"""

import io
import re
from collections.abc import Iterator
from json import JSONDecoder
from typing import Any, BinaryIO, Final

import orjson

from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge, WireError
from schemas.wire.ocpp.connection import TO_CSMS, TO_STATION
from schemas.wire.ocpp.instants import instant
from schemas.wire.ocpp.strict_json import FRAME_LIMIT_BYTES

_LINE_LIMIT: Final = FRAME_LIMIT_BYTES + 64 * 1024
"""A line is a frame and what the log says about it; as escaped text a frame near its limit may be longer."""

_BOM: Final = b"\xef\xbb\xbf"
_TEXT_LINE: Final = re.compile(
    rb"(?P<time>\d{4}-\d\d-\d\d[T ]\S+)[ \t]+(?P<station>\S+)[ \t]+(?:(?P<subprotocol>ocpp[\w.]+)[ \t]+)?"
    rb"(?P<direction>[<>])[ \t]*(?P<frame>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_FRAME_START: Final = re.compile(rb'\s*\[\s*[2-6]\s*,\s*"')
_RECORD: Final = re.compile(rb'"frame"\s*:\s*("\s*)?\[\s*[2-6]\s*,\s*\\?"')
_DIRECTIONS: Final = {b">": TO_CSMS, b"<": TO_STATION}
_scan: Final = JSONDecoder(parse_int=str, parse_float=str).raw_decode
"""Finds the end of a JSON value; numbers are left as they are, some are too long to be converted."""


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so may be a log of OCPP-J: one of its first lines looks like a frame."""
    head = head.removeprefix(_BOM)
    if _FRAME_START.match(head) or _is_profile(head) or (head.lstrip().startswith(b"{") and _RECORD.search(head)):
        return True
    lines = [line for line in head.split(b"\n", 20) if line.strip()][:20]
    return any(_looks_like_frame(line.strip()) for line in lines)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut a log into frames; a line that is none comes out as :class:`Malformed`."""
    head = stream.read(FRAME_LIMIT_BYTES + 1)
    start = len(_BOM) if head.startswith(_BOM) else 0
    if len(head) <= FRAME_LIMIT_BYTES and _is_one_document(head[start:]):
        yield _cut(head[start:], start)
        return
    for line, offset, is_whole in _lines(head, stream):
        if not is_whole:
            yield Malformed(line, offset, TooLarge(f"a line of a log has at most {_LINE_LIMIT} bytes"))
        elif line.strip():
            yield _cut(line, offset)


def _lines(head: bytes, stream: BinaryIO) -> Iterator[tuple[bytes, int, bool]]:
    """Lines with their offsets; False marks the parts of a line that is too long."""
    beginning = io.BytesIO(head)
    offset = beginning.seek(len(_BOM) if head.startswith(_BOM) else 0)
    continues = False
    while True:
        line = beginning.readline(_LINE_LIMIT)
        if len(line) < _LINE_LIMIT and not line.endswith(b"\n"):
            line += stream.readline(_LINE_LIMIT - len(line))
        if not line:
            return
        is_cut = len(line) == _LINE_LIMIT and not line.endswith(b"\n")
        yield line, offset, not (is_cut or continues)
        continues = is_cut
        offset += len(line)


def _is_one_document(content: bytes) -> bool:
    """Whether it is one JSON text over several lines, even one that ends too early."""
    first, _, others = content.strip().partition(b"\n")
    if not others or first[:1] not in {b"[", b"{"} or _is_json(first):
        return False
    return _is_json(content) or not any(_looks_like_frame(line.strip()) for line in others.split(b"\n"))


def _is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


def _looks_like_frame(line: bytes) -> bool:
    if line.startswith(b"["):
        return _FRAME_START.match(line) is not None
    if line.startswith(b"{"):
        return _RECORD.search(line) is not None
    found = _TEXT_LINE.match(line)
    return found is not None and found["frame"].startswith(b"[")


def _is_profile(head: bytes) -> bool:
    names = (b'"chargingProfilePurpose"', b'"chargingProfileKind"')
    return head.lstrip().startswith(b"{") and b'"chargingSchedule"' in head and any(name in head for name in names)


def _cut(content: bytes, offset: int) -> Frame | Malformed:
    """The one message in a line, or in a document of several lines."""
    message = content.strip()
    offset += len(content) - len(content.lstrip())
    try:
        if message.startswith(b"["):
            return Frame(message, offset)
        if message.startswith(b"{"):
            return _record(message, offset)
        return _text_line(message, offset)
    except WireError as error:
        return Malformed(message, offset, error)


def _text_line(line: bytes, offset: int) -> Frame:
    found = _TEXT_LINE.fullmatch(line)
    if found is None:
        raise BadSyntax('neither a frame, nor "TIME STATION [SUBPROTOCOL] > FRAME", nor an object with a frame')
    context = {"direction": _DIRECTIONS[found["direction"]]}
    if found["subprotocol"]:
        context["subprotocol"] = found["subprotocol"].decode()
    time_us = _time_us(found["time"].decode("ascii", "replace"))
    return Frame(found["frame"], offset + found.start("frame"), time_us, _text(found["station"], "station"), context)


def _record(line: bytes, offset: int) -> Frame:
    """The frame in an object of a log; a charging profile is its own frame."""
    try:
        record: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        raise BadSyntax(
            f"not JSON: {problem.msg}", len(problem.doc[: problem.pos].encode("utf-8", "replace"))
        ) from None
    frame = record.get("frame")
    if isinstance(frame, str):
        raw, start = frame.encode(), 0
    elif isinstance(frame, list):
        try:
            start, end = _place_of("frame", line)
        except RecursionError:
            raise TooLarge("nested too deep") from None
        raw = line[start:end]
    elif frame is None and _is_profile(line):
        return Frame(line, offset)
    else:
        raise BadSyntax('an object of a log holds its "frame" as an array or as text')
    words = {name: record.get(name) or "" for name in ("time", "station", "direction", "subprotocol")}
    for name, word in words.items():
        if not isinstance(word, str):
            raise BadSyntax(f'"{name}" is text')
    if words["direction"] not in {"", TO_CSMS, TO_STATION}:
        raise BadSyntax(f'"direction" is {TO_CSMS} or {TO_STATION}, not {words["direction"][:40]!r}')
    time_us = _time_us(words["time"]) if words["time"] else None
    context = {name: words[name] for name in ("direction", "subprotocol") if words[name]}
    return Frame(raw, offset + start, time_us, words["station"], context)


def _place_of(name: str, line: bytes) -> tuple[int, int]:
    """Where the value of a member stands in the text of an object; of equal names the last, as in any JSON reader.

    As latin-1 every byte is one character, so positions in the text are positions in the bytes.
    """
    text = line.decode("latin-1")
    found = (0, len(text))
    position = _skip(text, 1)
    while text[position] != "}":
        key, position = _scan(text, position)
        start = _skip(text, _skip(text, position) + 1)
        _, position = _scan(text, start)
        if key == name:
            found = (start, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return found


def _skip(text: str, position: int) -> int:
    """The position behind white space."""
    while text[position] in " \t\r\n":
        position += 1
    return position


def _time_us(stamp: str) -> int:
    try:
        return instant(stamp)
    except ValueError as problem:
        raise BadSyntax(f"{stamp[:40]!r} is no time stamp: {problem}") from None


def _text(word: bytes, name: str) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise BadSyntax(f"the {name} is not UTF-8") from None
