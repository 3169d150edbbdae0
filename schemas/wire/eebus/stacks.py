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
from typing import Any, BinaryIO, Final, NamedTuple

from schemas.time import HOUR_US, MINUTE_US
from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge, WireError
from schemas.wire.eebus.forms import SHIP_MESSAGES
from schemas.wire.eebus.moments import absolute_us
from schemas.wire.json_lines import BOM, LINE_LIMIT, lines_of, log_time_us

_MESSAGE: Final = re.compile(
    rb'[\x01-\x03]?\{\s*"(?:data|datagram|' + "|".join(sorted(SHIP_MESSAGES)).encode() + rb')"\s*:\s*[\[{]'
)
_TIME: Final = re.compile(
    rb"(?P<date>\d{4}[-/]?\d\d[-/]?\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)"
    rb"(?:[.,](?P<part>\d{1,9}))?(?P<zone>Z|[+-]\d\d:\d\d)?"
)
_DIRECTION: Final = re.compile(rb"\b(?:(?P<sent>send|sent)|recv|received)\b", re.IGNORECASE)
_SKI: Final = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{40}(?![0-9A-Fa-f])")
_OF_THE_PROGRAM: Final = re.compile(
    rb"(?:\[[\w -]{1,30}\] |\d{4}[-/]?\d\d[-/]?\d\d[T ]\d\d:\d\d:\d\d).{0,120}?"
    rb"\b(?:FATAL|ERROR|WARN|WARNING|INFO|DEBUG|TRACE)\b",
    re.IGNORECASE,
)
"""A module in brackets or a time, and a level, as programs begin what they say of themselves."""

_SPEAKS: Final = re.compile(rb"\[eebus[\w -]{0,20}\] (?:DEBUG|TRACE) ")
_BEGINNING: Final = 64 * 1024
_OWN_LIMIT: Final = 300
_PREFIX_LIMIT: Final = 600
"""Octets of a line in which its beginning, and those before a message, are looked for; programs write some dozens."""

_HEARTBEAT: Final = re.compile(rb'"deviceDiagnosisHeartbeatData".{0,200}?"timestamp"\s*:\s*"([^"]{1,40})"', re.DOTALL)
_QUARTER_US: Final = 15 * MINUTE_US
"""Zones differ from UTC by quarter hours."""

_FARTHEST_US: Final = 14 * HOUR_US
_LATE_US: Final = MINUTE_US
"""By how much a heartbeat's time and its line's may differ beside the zone [M]."""


class _Prefix(NamedTuple):
    """What a line says before its message; ``logged`` is the time as it stands there, "" without one."""

    sent: bool
    ski: str
    logged: str
    has_zone: bool


def is_log(head: bytes) -> bool:
    """Whether a file that starts so is the log of a program, with a message among its first lines."""
    lines = head[:_BEGINNING].removeprefix(BOM).split(b"\n")
    return any(_prefix(line) is not None or _SPEAKS.search(line[:_OWN_LIMIT]) for line in lines)


def split(head: bytes, stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut such a log into messages; ``head`` was read already."""
    clock = _Clock(head)
    for line, offset, is_whole in lines_of(head, stream):
        if not is_whole:
            yield Malformed(line, offset, TooLarge(f"a line of a log has at most {LINE_LIMIT} bytes"))
            continue
        at = offset + len(line) - len(line.lstrip())
        content = line.strip()
        prefix = _prefix(content)
        try:
            if prefix is not None:
                yield clock.frame(content, at, prefix)
            elif content and not _is_own(content):
                raise BadSyntax("neither a line with Send or Recv and a message, nor one with a time and a level")
        except WireError as error:
            yield Malformed(content, at, error)


def _is_own(line: bytes) -> bool:
    """Whether a program says this of itself."""
    return b'"datagram"' not in line and _OF_THE_PROGRAM.search(line[:_OWN_LIMIT]) is not None


def _prefix(line: bytes) -> _Prefix | None:
    """What stands before the message of a line; None where the line holds none, or nothing says who spoke."""
    found = None if line.startswith((b"{", b"[{")) else _MESSAGE.search(line, 0, _PREFIX_LIMIT)
    if found is None:
        return None
    before = line[: found.start()]
    directions, skis, times = list(_DIRECTION.finditer(before)), _SKI.findall(before), list(_TIME.finditer(before))
    if not directions:
        return None
    stamp = next((time for time in times if time["zone"]), times[-1] if times else None)
    logged, has_zone = ("", False) if stamp is None else (_written(stamp), bool(stamp["zone"]))
    return _Prefix(bool(directions[-1]["sent"]), skis[-1].decode() if skis else "", logged, has_zone)


def _written(stamp: re.Match[bytes]) -> str:
    """A time of a log as ISO 8601 writes it."""
    parts = {name: (value or b"").decode() for name, value in stamp.groupdict().items()}
    fraction = f".{parts['part'][:6]}" if parts["part"] else ""
    date = re.sub("[-/]", "", parts["date"])
    return f"{date[:4]}-{date[4:6]}-{date[6:]}T{parts['clock']}{fraction}{parts['zone']}"


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
        context: dict[str, Any] = {"direction": "sent" if prefix.sent else "received"}
        time_us: int | None = None
        if prefix.has_zone:
            time_us = log_time_us(prefix.logged)
        elif prefix.logged:
            context["logged"] = prefix.logged
            if self._ahead_us is not None:
                time_us = log_time_us(f"{prefix.logged}Z") - self._ahead_us
        found = _MESSAGE.search(line)
        assert found is not None
        return Frame(line[found.start() :], offset + found.start(), time_us, prefix.ski, context)

    def _learn(self, line: bytes, prefix: _Prefix) -> None:
        """Take the distance from a heartbeat the program sent: the other end's clock may go wrong."""
        found = _HEARTBEAT.search(line) if prefix.sent and prefix.logged and not prefix.has_zone else None
        if found is None:
            return
        try:
            ahead_us = log_time_us(f"{prefix.logged}Z") - absolute_us(found[1].decode())
        except (ValueError, WireError):
            return
        whole_us = round(ahead_us / _QUARTER_US) * _QUARTER_US
        if abs(ahead_us - whole_us) <= _LATE_US and abs(whole_us) <= _FARTHEST_US:
            self._ahead_us = whole_us
