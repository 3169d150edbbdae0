"""Logs of OCPP-J cut into frames, byte for byte as they crossed.

Five forms, all but the last mixed at will, one message a line:

- a JSON object ``{"time", "station", "direction": "to_csms" | "to_station", "subprotocol", "frame"}``, the frame as an
  array or as a string that holds its text; only ``frame`` must be there;
- ``2026-03-29T00:00:00Z CP-1 ocpp1.6 > [2,"19","Heartbeat",{}]``, ``>`` to the backend, ``<`` to the station,
  the subprotocol may be left out;
- what the backends SteVe and evcc, and the library ``ocpp`` (in Home Assistant and elsewhere) write into their logs:
  ``... CP-1: receive message [2,"19","Heartbeat",{}]``. Their times are mostly local ones of no known zone,
  and kept as they stand then (:mod:`~schemas.wire.program_lines`); whatever else they write comes out as no message;
- a bare frame;
- one frame, or one charging profile, over several lines, alone in its file.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import orjson

from schemas.wire.contract import BadSyntax, Frame, LogLines, Malformed, TooLarge, WireError
from schemas.wire.json_lines import BOM, log_time_us, parts_of, place_of, text_of
from schemas.wire.ocpp.connection import TO_CSMS, TO_STATION
from schemas.wire.program_lines import beginning
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

_TEXT_LINE: Final = re.compile(
    rb"(?P<time>\d{4}-\d\d-\d\d[T ]\S+)[ \t]+(?P<station>\S+)[ \t]+(?:(?P<subprotocol>ocpp[\w.]+)[ \t]+)?"
    rb"(?P<direction>[<>])[ \t]*(?P<frame>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_HEARD: Final = tuple(
    re.compile(form + rb"""(?P<frame>\[\s*[2-6]\s*,\s*".*)""", re.DOTALL)
    for form in (
        rb"(?:^|[\s:])(?P<station>[^\s:]+): (?:receive message|send) ",
        rb"\b(?:(?P<heard>recv|received JSON message from)|send|sent|sent JSON message to) (?P<station>\S+): ",
        rb"\[chargeBoxId=(?P<station>[^,\[\]]{1,200}+)[^\[\]]{0,300}+\]\s+(?:(?P<heard>Received)|Sending):\s+",
    )
)
"""How the library ``ocpp``, evcc and SteVe write. Only the latter two are surely backends, which hear what is sent to
them."""

_FRAME_START: Final = re.compile(rb'\s*\[\s*[2-6]\s*,\s*"')
_RECORD: Final = re.compile(rb'"frame"\s*:\s*("\s*)?\[\s*[2-6]\s*,\s*\\?"')
_NO_FRAME: Final = 'neither a frame, nor "TIME STATION [SUBPROTOCOL] > FRAME", nor an object with a frame'
_DIRECTIONS: Final = {b">": TO_CSMS, b"<": TO_STATION}


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so may be a log of OCPP-J: one of its first lines looks like a frame."""
    head = head.removeprefix(BOM)
    if _FRAME_START.match(head) or _is_profile(head) or (head.lstrip().startswith(b"{") and _RECORD.search(head)):
        return True
    lines = [line for line in head.split(b"\n", 20) if line.strip()][:20]
    return any(_looks_like_frame(line.strip()) for line in lines)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut a log into frames; a line that is none comes out as :class:`Malformed`."""
    for part in parts_of(stream.read(FRAME_LIMIT_BYTES + 1), stream, _looks_like_frame):
        yield part if isinstance(part, Malformed) else _cut(*part)


def is_log(head: bytes) -> bool:
    """Whether a file that starts so is the log of a program that is known, with a frame among its first lines."""
    head = head.removeprefix(BOM).lstrip()
    is_json = head.startswith(b"{") or _FRAME_START.match(head)
    return not is_json and any(_heard(line) for line in head.split(b"\n"))


def cut_line(line: bytes, offset: int) -> list[Frame | Malformed]:
    """The frame in a line of such a log."""
    return [_cut(line, offset)] if _looks_like_frame(line.strip()) else []


def refuse(line: bytes, offset: int) -> Malformed:
    """A line of such a log without a frame."""
    found = _cut(line, offset)
    return found if isinstance(found, Malformed) else Malformed(found.raw, found.offset, BadSyntax(_NO_FRAME))


LINES: Final = LogLines(is_log, cut_line, refuse)


def _looks_like_frame(line: bytes) -> bool:
    if line.startswith(b"{"):
        return _RECORD.search(line) is not None
    if _FRAME_START.match(line):
        return True
    found = _TEXT_LINE.match(line) or _heard(line)
    return found is not None and found["frame"].startswith(b"[")


def _heard(line: bytes) -> re.Match[bytes] | None:
    """The frame in a line of a program that is known."""
    return next((found for form in _HEARD if (found := form.search(line))), None)


def _is_profile(head: bytes) -> bool:
    names = (b'"chargingProfilePurpose"', b'"chargingProfileKind"')
    return head.lstrip().startswith(b"{") and b'"chargingSchedule"' in head and any(name in head for name in names)


def _cut(content: bytes, offset: int) -> Frame | Malformed:
    """The one message in a line, or in a document of several lines."""
    message = content.strip()
    offset += len(content) - len(content.lstrip())
    try:
        if message.startswith(b"[") and (_FRAME_START.match(message) or not _heard(message)):
            return Frame(message, offset)
        if message.startswith(b"{"):
            return _record(message, offset)
        return _text_line(message, offset)
    except WireError as error:
        return Malformed(message, offset, error)


def _text_line(line: bytes, offset: int) -> Frame:
    found = _TEXT_LINE.fullmatch(line)
    if found is None and (heard := _heard(line)):
        return _heard_frame(heard, offset)
    if found is None:
        raise BadSyntax(_NO_FRAME)
    context = {"direction": _DIRECTIONS[found["direction"]]}
    if found["subprotocol"]:
        context["subprotocol"] = found["subprotocol"].decode()
    time_us = log_time_us(found["time"].decode("ascii", "replace"))
    return Frame(found["frame"], offset + found.start("frame"), time_us, text_of(found["station"], "station"), context)


def _heard_frame(found: re.Match[bytes], offset: int) -> Frame:
    said = beginning(found.string[: found.start("frame")])._replace(direction="")
    context = said.context()
    if "heard" in found.re.groupindex:
        context["direction"] = TO_CSMS if found["heard"] else TO_STATION
    station = text_of(found["station"], "station")
    return Frame(found["frame"], offset + found.start("frame"), said.time_us(), station, context)


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
            start, end = place_of("frame", line)
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
    time_us = log_time_us(words["time"]) if words["time"] else None
    context = {name: words[name] for name in ("direction", "subprotocol") if words[name]}
    return Frame(raw, offset + start, time_us, words["station"], context)
