"""Logs of programs, in which messages of one format or of several stand among lines of talk.

The times of such a log mostly have no zone; they are the clock of the house or of a container in it. Where the program
sends messages with a time in UTC, such as the heartbeats of EEBUS, the difference is the clock's, for every line of the
log, whatever its format. What is not known that way has no time, and keeps under ``logged`` what stood there.

A clock may be set while a program runs: in spring it leaps, in autumn it shows an hour twice, and a restart may bring
another zone. What follows a break in the times of a log is therefore held back until the next such message: where that
tells the clock of before, it held all along; where it tells another, the clock was set at the break. Of several breaks
in between nobody knows at which, so the lines up to the last of them have no time, and neither have lines behind a
break that no such message follows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, Final, NamedTuple

from schemas.time import HOUR_US, MINUTE_US
from schemas.wire.contract import Frame, LogLines, Malformed, WireError
from schemas.wire.json_lines import log_time_us, whole_lines
from schemas.wire.program_lines import LOGGED, says_direction
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

_QUARTER_US: Final = 15 * MINUTE_US
"""Zones differ from UTC by quarter hours."""

_FARTHEST_US: Final = 14 * HOUR_US
_LATE_US: Final = MINUTE_US
"""By how much a message's time in UTC and its line's may differ beside the zone, and lines be out of order [M]."""

_HELD_LIMIT_BYTES: Final = FRAME_LIMIT_BYTES
_ITEM_BYTES: Final = 512
"""What an item takes beside its message."""


class Found(NamedTuple):
    """What a line holds, in which format."""

    format: str
    item: Frame | Malformed


class Foreign(NamedTuple):
    """Messages of a format that was not asked for: how many lines, the first of them and where it stands."""

    lines: int
    first: bytes
    offset: int


class MixedLog:
    """A log whose lines are messages of several formats.

    ``others`` gives formats that are known and not asked for; it is called when a line may be theirs. ``foreign`` tells
    what lines of them there were.
    """

    def __init__(self, accepted: Mapping[str, LogLines], others: Callable[[], Mapping[str, LogLines]] = dict) -> None:
        self._accepted = accepted
        self._others = others
        self._heard: dict[str, None] = {}
        self.foreign: dict[str, Foreign] = {}

    def split(self, head: bytes, stream: BinaryIO) -> Iterator[Found]:
        """Its messages in order; ``head`` was read already. The first format asked for has what is too long."""
        self._heard = dict.fromkeys(name for name, lines in self._accepted.items() if lines.is_log(head))
        return _stamped(self._cut(head, stream), self._accepted)

    def _cut(self, head: bytes, stream: BinaryIO) -> Iterator[Found]:
        for part in whole_lines(head, stream):
            if isinstance(part, Malformed):
                yield Found(next(iter(self._heard or self._accepted)), part)
            elif part.content.strip():
                yield from self._line(*part)

    def _line(self, line: bytes, offset: int) -> list[Found]:
        for name, lines in self._accepted.items():
            if items := lines.cut(line, offset):
                self._heard[name] = None
                return [Found(name, item) for item in items]
        if says_direction(line):
            for name, lines in self._others().items():
                if lines.cut(line, offset):
                    before = self.foreign.get(name)
                    self.foreign[name] = before._replace(lines=before.lines + 1) if before else Foreign(1, line, offset)
                    return []
        for name in self._heard:
            if refused := self._accepted[name].refuse(line, offset):
                return [Found(name, refused)]
        return []


def split(head: bytes, stream: BinaryIO, lines: LogLines) -> Iterator[Frame | Malformed]:
    """Cut the log of a program that speaks one format only; ``head`` was read already."""
    return (found.item for found in MixedLog({"": lines}).split(head, stream))


def _stamped(items: Iterable[Found], formats: Mapping[str, LogLines]) -> Iterator[Found]:
    """The same items; those whose lines have a time without a zone are given their time, as far as it is known."""
    clock = _Clock(formats)
    for found in items:
        yield from clock.take(found)
    yield from clock.finish()


class _Clock:
    """The clock of the program that wrote a log: its distance from UTC, and what waits for it to be known."""

    def __init__(self, formats: Mapping[str, LogLines]) -> None:
        self._formats = formats
        self._ahead_us: int | None = None
        self._latest_us: int | None = None
        self._held: list[Found] = []
        self._held_bytes = 0
        self._fresh = 0
        """So many of those held stand before the latest break."""
        self._is_holding = any(lines.sent_us is not None for lines in formats.values())
        """What stands before the first message that tells, waits for it too."""

    def take(self, found: Found) -> Iterator[Found]:
        """What can be told now."""
        shown_us = _shown_us(found.item)
        if shown_us is not None:
            self._look_for_break(shown_us)
        ahead_us = self._told_us(found, shown_us)
        if ahead_us is not None:
            yield from self._release(ahead_us)
        if not self._is_holding:
            yield self._timed(found, shown_us)
            return
        self._held.append(found)
        self._held_bytes += len(found.item.raw) + _ITEM_BYTES
        if self._held_bytes > _HELD_LIMIT_BYTES:
            yield from self.finish()

    def finish(self) -> Iterator[Found]:
        """Nothing tells the time of what is held."""
        held, self._held, self._held_bytes = self._held, [], 0
        if self._is_holding:
            self._is_holding, self._ahead_us = False, None
        yield from held

    def _look_for_break(self, shown_us: int) -> None:
        """Zones differ by quarter hours: a clock that was set shows at least that, beside what lines are late."""
        step_us = shown_us - self._latest_us if self._latest_us is not None else 0
        self._latest_us = shown_us
        if -_LATE_US <= step_us < _QUARTER_US - _LATE_US:
            return
        if self._is_holding:
            self._fresh = len(self._held)
        elif self._ahead_us is not None:
            self._is_holding, self._fresh = True, 0

    def _told_us(self, found: Found, shown_us: int | None) -> int | None:
        """How far the clock is ahead of UTC, where this message tells."""
        tell = self._formats[found.format].sent_us
        if tell is None or shown_us is None or not isinstance(found.item, Frame):
            return None
        sent_us = tell(found.item)
        if sent_us is None:
            return None
        ahead_us = round((shown_us - sent_us) / _QUARTER_US) * _QUARTER_US
        fits = abs(shown_us - sent_us - ahead_us) <= _LATE_US and abs(ahead_us) <= _FARTHEST_US
        return ahead_us if fits else None

    def _release(self, ahead_us: int) -> Iterator[Found]:
        """Hand out what was held: up to the latest break only what the clock of before is known for."""
        unknown = 0 if ahead_us == self._ahead_us else self._fresh
        held, self._held, self._held_bytes = self._held, [], 0
        self._ahead_us, self._fresh, self._is_holding = ahead_us, 0, False
        for place, found in enumerate(held):
            yield found if place < unknown else self._timed(found, _shown_us(found.item))

    def _timed(self, found: Found, shown_us: int | None) -> Found:
        if shown_us is None or self._ahead_us is None or not isinstance(found.item, Frame):
            return found
        return found._replace(item=found.item._replace(time_us=shown_us - self._ahead_us))


def _shown_us(item: Frame | Malformed) -> int | None:
    """What the clock showed, as if it were in UTC; None where the time has a zone, or there is none."""
    logged = item.context.get(LOGGED) if isinstance(item, Frame) and item.time_us is None else None
    try:
        return None if logged is None else log_time_us(f"{logged}Z")
    except WireError:
        return None
