"""Calls and their answers as frames of OCPP-J, and as lines of a log that says who spoke."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count

import orjson

from replay.scenario.message import Message
from replay.scenario.writers.ocpp_dialect import Call
from schemas.time import SECOND_US, format_time

_MILLISECOND_US = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """The connection of a station, or of who speaks for it, to a backend; its calls are numbered in turn."""

    interface: str
    station: str
    site: int
    subprotocol: str
    _numbers: "count[int]" = field(default_factory=count, repr=False, compare=False)

    def calls(self, time_us: int, call: Call, *, from_backend: bool = False) -> Iterator[Message]:
        """The call and its answer, a little later each, as the backend's log stamps them."""
        asks, answers = ("to_station", "to_csms") if from_backend else ("to_csms", "to_station")
        identity = f"{'b' if from_backend else 's'}{time_us:x}-{next(self._numbers)}"
        at_us = time_us + (35 + (self.site * 7919 + time_us // SECOND_US * 104_729) % 180) * _MILLISECOND_US
        yield self._message(at_us, asks, [2, identity, call.action, call.payload])
        yield self._message(at_us + 12 * _MILLISECOND_US, answers, [3, identity, call.result])

    def _message(self, time_us: int, direction: str, frame: list[object]) -> Message:
        context = _context(direction, self.subprotocol)
        return Message(time_us, self.interface, self.station, orjson.dumps(frame), context)


@cache
def _context(direction: str, subprotocol: str) -> dict[str, str]:
    return {"direction": direction, "subprotocol": subprotocol}


def line_of(message: Message) -> bytes:
    """The message as a line of the log."""
    line = {
        "time": format_time(message.time_us),
        "station": message.source,
        **message.context,
        "frame": orjson.Fragment(message.raw),
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
