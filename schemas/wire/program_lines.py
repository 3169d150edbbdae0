"""Lines that programs log: what they say before a message in it, and lines that hold none.

Programs begin a line with a time, a level, a module, and say whether they sent or received what follows. The time
mostly has no zone: it is the clock of the house or of a container in it, and which of the two no line says. Such a time
is kept as it stands there, under ``logged`` in the context of a frame.
"""

import re
from typing import Any, Final, NamedTuple

from schemas.wire.json_lines import log_time_us

LOGGED: Final = "logged"
"""Under this key a frame's context keeps the time its log gives, where that has no zone."""

SENT: Final = "sent"
RECEIVED: Final = "received"

OWN_LIMIT: Final = 300
"""Octets of a line in which its beginning is looked for."""

BEFORE_LIMIT: Final = 600
"""Octets before a message in its line that are looked at; programs write some dozens."""

_TIME: Final = re.compile(
    rb"(?P<date>\d{4}[-/]?\d\d[-/]?\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)"
    rb"(?:[.,](?P<part>\d{1,9}))?(?P<zone>Z| ?[+-]\d\d:?\d\d(?!\d))?"
)
_DIRECTION: Final = re.compile(
    rb"\b(?:(?P<sent>send|sent|sending|responding|tx)|recv|received|receiving|rx)\b", re.IGNORECASE
)
_OWN: Final = re.compile(
    rb"(?:\[[\w -]{1,30}\] |\d{4}[-/]?\d\d[-/]?\d\d[T ]\d\d:\d\d:\d\d).{0,120}?"
    rb"\b(?:FATAL|ERROR|ERRO|WARN|WARNING|INFO|DEBUG|DEBG|TRACE|TRAC)\b"
    rb"|(?:CRITICAL|ERROR|WARNING|INFO|DEBUG) +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    re.IGNORECASE,
)
"""A module in brackets or a time, and a level, as programs begin what they say of themselves."""


class Beginning(NamedTuple):
    """What stands before a message: its direction ("" where nothing says), its time as written ("" without one)."""

    direction: str
    logged: str
    has_zone: bool

    def time_us(self) -> int | None:
        """The time, where it has a zone.

        Raises:
            BadSyntax: it is none.
        """
        return log_time_us(self.logged) if self.has_zone else None

    def context(self) -> dict[str, Any]:
        """What of it belongs into the context of a frame."""
        found: dict[str, Any] = {"direction": self.direction} if self.direction else {}
        return found if self.has_zone or not self.logged else found | {LOGGED: self.logged}


def beginning(before: bytes) -> Beginning:
    """What the part of a line before its message says. Of several times the first with a zone counts, else the last.

    >>> beginning(b"[x ] TRACE 2026/03/29 14:00:00 Recv: ")
    Beginning(direction='received', logged='2026-03-29T14:00:00', has_zone=False)
    """
    before = before[-BEFORE_LIMIT:]
    directions, times = list(_DIRECTION.finditer(before)), list(_TIME.finditer(before))
    direction = "" if not directions else SENT if directions[-1]["sent"] else RECEIVED
    stamp = next((time for time in times if time["zone"]), times[-1] if times else None)
    return Beginning(direction, _written(stamp), bool(stamp and stamp["zone"]))


def says_direction(line: bytes) -> bool:
    """Whether the beginning of a line says that something was sent or received."""
    return _DIRECTION.search(line[:BEFORE_LIMIT]) is not None


def is_own(line: bytes) -> bool:
    """Whether a line begins as programs begin what they say of themselves; asked of lines that hold no message."""
    return _OWN.search(line[:OWN_LIMIT]) is not None


def _written(stamp: re.Match[bytes] | None) -> str:
    """A time of a log as ISO 8601 writes it."""
    if stamp is None:
        return ""
    parts = {name: (value or b"").decode() for name, value in stamp.groupdict().items()}
    fraction = f".{parts['part'][:6]}" if parts["part"] else ""
    date = re.sub("[-/]", "", parts["date"])
    return f"{date[:4]}-{date[4:6]}-{date[6:]}T{parts['clock']}{fraction}{parts['zone'].strip()}"
