"""Logs of programs that speak EEBUS: among other lines, messages with a time, a direction and the peer before them.

Energy managers and test tools write such lines, for example (``HEX`` is the peer's SKI, 40 hexadecimal digits)::

    [eebus ] TRACE 2026/03/29 14:00:00 Recv: HEX {"data":[...]}
    2026-03-29 14:00:00 TRACE HEX Send: HEX {"data":[...]}
    2026-03-29 14:00:00    [Send] HEX{"data":[...]}
    7390 2026/03/29 14:00:00.315139 162336.07 252 ECU1 ... : [Session 38099] Send: {"data":[...]}

- A line with a time or a level and without a message is what the program says of itself: no message, left out.
- The SKI names the connection, the same in both directions.
- Times mostly have no zone (:mod:`~schemas.wire.program_logs`). But the program sends heartbeats with a time in UTC
  (SPINE resources 1.3.0, DeviceDiagnosisHeartbeatData), which tell how far its clock is ahead.
"""

import re
from typing import Final, NamedTuple

from schemas.wire.contract import BadSyntax, Frame, LogLines, Malformed, WireError
from schemas.wire.eebus.forms import SHIP_MESSAGES
from schemas.wire.eebus.moments import absolute_us
from schemas.wire.json_lines import BOM
from schemas.wire.program_lines import BEFORE_LIMIT, OWN_LIMIT, SENT, Beginning, beginning, is_own

_MESSAGE: Final = re.compile(
    rb'[\x01-\x03]?\{\s*"(?:data|datagram|' + "|".join(sorted(SHIP_MESSAGES)).encode() + rb')"\s*:\s*[\[{]'
)
_JSON: Final = re.compile(rb'[\s,\[]*[{"]')
"""How a line begins that is part of a JSON text: an object of a log may hold a message and say which way it went."""

_SKI: Final = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{40}(?![0-9A-Fa-f])")
_SPEAKS: Final = re.compile(rb"\[eebus[\w -]{0,20}\] (?:DEBUG|TRACE) ")
_HEAD: Final = 64 * 1024
_CUT: Final = b'"datagram"'
"""In a line without a whole beginning of a message: it was one."""

_HEARTBEAT: Final = re.compile(rb'"deviceDiagnosisHeartbeatData".{0,200}?"timestamp"\s*:\s*"([^"]{1,40})"', re.DOTALL)


class _Prefix(NamedTuple):
    """What a line says before its message: the peer's SKI, and what every program says."""

    ski: str
    said: Beginning


def is_log(head: bytes) -> bool:
    """Whether a file that starts so is the log of a program, with a message among its first lines."""
    lines = head[:_HEAD].removeprefix(BOM).split(b"\n")
    return any(_prefix(line) is not None or _SPEAKS.search(line[:OWN_LIMIT]) for line in lines)


def cut(line: bytes, offset: int) -> list[Frame | Malformed]:
    """The message of a line; one whose time is none is malformed."""
    content = line.strip()
    at = offset + len(line) - len(line.lstrip())
    prefix = _prefix(content)
    if prefix is None:
        return []
    found = _MESSAGE.search(content)
    assert found is not None
    try:
        time_us = prefix.said.time_us()
    except WireError as error:
        return [Malformed(content, at, error)]
    return [Frame(content[found.start() :], at + found.start(), time_us, prefix.ski, prefix.said.context())]


def refuse(line: bytes, offset: int) -> Malformed | None:
    """A line that neither holds a message, nor says something of its program."""
    content = line.strip()
    if not content or (_CUT not in content and is_own(content)):
        return None
    error = BadSyntax("neither a line with Send or Recv and a message, nor one with a time and a level")
    return Malformed(content, offset + len(line) - len(line.lstrip()), error)


def sent_us(frame: Frame) -> int | None:
    """The time of a heartbeat that the program sent: the other end's clock may go wrong."""
    if frame.context.get("direction") != SENT or b"HeartbeatData" not in frame.raw:
        return None
    found = _HEARTBEAT.search(frame.raw)
    try:
        return None if found is None else absolute_us(found[1].decode())
    except ValueError:
        return None


LINES: Final = LogLines(is_log, cut, refuse, sent_us)


def _prefix(line: bytes) -> _Prefix | None:
    """What stands before the message of a line; None where the line holds none, or nothing says who spoke."""
    found = None if _JSON.match(line) else _MESSAGE.search(line, 0, BEFORE_LIMIT)
    if found is None:
        return None
    before = line[: found.start()]
    said = beginning(before)
    if not said.direction:
        return None
    skis = _SKI.findall(before)
    return _Prefix(skis[-1].decode() if skis else "", said)
