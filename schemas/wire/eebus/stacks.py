"""Logs of programs that speak EEBUS: among other lines, messages with a time, a direction and the peer before them.

Energy managers and test tools write such lines, for example (``HEX`` is the peer's SKI, 40 hexadecimal digits)::

    [eebus ] TRACE 2026/03/29 14:00:00 Recv: HEX {"data":[...]}
    2026-03-29 14:00:00 TRACE HEX Send: HEX {"data":[...]}
    2026-03-29 14:00:00    [Send] HEX{"data":[...]}
    7390 2026/03/29 14:00:00.315139 162336.07 252 ECU1 ... : [Session 38099] Send: {"data":[...]}

- A line with a time or a level and without a message is what the program says of itself: no message, left out.
- The SKI names the connection, the same in both directions.
- Times mostly have no zone; they are the clock of the house or of a container in it, and which of the two no line
  says. But the program sends heartbeats with a time in UTC (SPINE resources 1.3.0, DeviceDiagnosisHeartbeatData):
  the difference is the clock's. Before the first heartbeat its clock holds too; without one the messages have no time
  of the log, and ``logged`` in their context keeps what stood there.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from schemas.time import HOUR_US, MINUTE_US
from schemas.wire.contract import BadSyntax, Frame, Malformed, WireError
from schemas.wire.eebus.forms import SHIP_MESSAGES
from schemas.wire.eebus.moments import absolute_us
from schemas.wire.json_lines import BOM, log_time_us, whole_lines
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
_QUARTER_US: Final = 15 * MINUTE_US
"""Zones differ from UTC by quarter hours."""

_FARTHEST_US: Final = 14 * HOUR_US
_LATE_US: Final = MINUTE_US
"""By how much a heartbeat's time and its line's may differ beside the zone [M]."""


class _Prefix(NamedTuple):
    """What a line says before its message: the peer's SKI, and what every program says."""

    ski: str
    said: Beginning


def is_log(head: bytes) -> bool:
    """Whether a file that starts so is the log of a program, with a message among its first lines."""
    lines = head[:_HEAD].removeprefix(BOM).split(b"\n")
    return any(_prefix(line) is not None or _SPEAKS.search(line[:OWN_LIMIT]) for line in lines)


def split(head: bytes, stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut such a log into messages; ``head`` was read already."""
    clock = _Clock(head)
    for part in whole_lines(head, stream):
        if isinstance(part, Malformed):
            yield part
            continue
        line, offset = part
        at = offset + len(line) - len(line.lstrip())
        content = line.strip()
        prefix = _prefix(content)
        try:
            if prefix is not None:
                yield clock.frame(content, at, prefix)
            elif content and (_CUT in content or not is_own(content)):
                raise BadSyntax("neither a line with Send or Recv and a message, nor one with a time and a level")
        except WireError as error:
            yield Malformed(content, at, error)


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


class _Clock:
    """The clock of the program that wrote a log: its distance from UTC, as far as a heartbeat has told it."""

    def __init__(self, head: bytes) -> None:
        self._ahead_us: int | None = None
        for line in head.removeprefix(BOM).split(b"\n"):
            content = line.strip()
            prefix = _prefix(content) if b"HeartbeatData" in content else None
            if prefix is not None:
                self._learn(content, prefix)
            if self._ahead_us is not None:
                return

    def frame(self, line: bytes, offset: int, prefix: _Prefix) -> Frame:
        """The message of a line.

        Raises:
            BadSyntax: its time is none.
        """
        self._learn(line, prefix)
        said, context = prefix.said, prefix.said.context()
        time_us = said.time_us()
        if time_us is None and said.logged and self._ahead_us is not None:
            time_us = log_time_us(f"{said.logged}Z") - self._ahead_us
        found = _MESSAGE.search(line)
        assert found is not None
        return Frame(line[found.start() :], offset + found.start(), time_us, prefix.ski, context)

    def _learn(self, line: bytes, prefix: _Prefix) -> None:
        """Take the distance from a heartbeat the program sent: the other end's clock may go wrong."""
        said = prefix.said
        found = _HEARTBEAT.search(line) if said.direction == SENT and said.logged and not said.has_zone else None
        if found is None:
            return
        try:
            ahead_us = log_time_us(f"{said.logged}Z") - absolute_us(found[1].decode())
        except (ValueError, WireError):
            return
        whole_us = round(ahead_us / _QUARTER_US) * _QUARTER_US
        if abs(ahead_us - whole_us) <= _LATE_US and abs(whole_us) <= _FARTHEST_US:
            self._ahead_us = whole_us
