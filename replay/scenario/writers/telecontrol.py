"""Interfaces 21, 24, 25, 43 and 51 to 54: what control rooms say to each other over IEC 60870-5-104.

Each link says its values regularly, states when they change. On 25 the transmission operator calls the pool of cars for
the power it means to have in a quarter hour, some seconds before; the pool confirms, and for a minute says every four
seconds what it draws. On 52 the feed-in of all roofs is capped at noon, above what the sky lets them give.
"""

from collections.abc import Iterator
from operator import itemgetter
from typing import Any, Final

import numpy as np

from replay.scenario.draws import Ints
from replay.scenario.grid import frequency_mhz
from replay.scenario.message import Message
from replay.scenario.plan import LIMIT_MW, SLOT_MINUTES, DayPlan
from replay.scenario.street import MINUTE_S, Street
from replay.scenario.world import Quarter, plugged_in
from replay.scenario.writers.point_lists import CALLED, LINKS, POOL_POWER, Moment, kilowatts, station_of
from schemas.time import MINUTE_US, SECOND_US, SLOT_US, format_time
from schemas.wire.iec104 import encode_command, encode_measurement, encode_setup, encode_supervision

_HEARD_US: Final = 50_000
"""From the stamp of a value to when it is in the log."""
_CYCLE_S: Final = 4
_HELD_BACK_US: Final = 2 * MINUTE_US
"""A call comes before its quarter hour: what is said is held back so long, for the numbers of frames follow time."""
_ACKNOWLEDGED: Final = 8
"""After so many frames the receiver says that it has them (IEC 60870-5-104, 5.5: w)."""
_CAP_MINUTES: Final = (11 * 60, 15 * 60)
_CAP_PERMILLE, _WHOLE = 950, 1000
"""Roofs never give more than 92 % of their peak, see :mod:`replay.scenario.world`."""
_NOMINAL_MV, _PER_MEAN_KW_MV = 231_000, 500

_FLOAT, _SINGLE, _SET_POINT = 36, 30, 63
_PERIODIC, _SPONTANEOUS, _ACTIVATED, _CONFIRMED = 1, 3, 6, 7

_Due = tuple[int, int, str, dict[str, Any]]
"""When a frame is in the log, its place among equals, its interface, what is said."""


class ControlRooms:
    """All links of the control rooms through one day; values at least every ``interval_s``, not below a minute."""

    def __init__(self, street: Street, plan: DayPlan, *, interval_s: int) -> None:
        self._street, self._plan = street, plan
        self._every = max(1, interval_s // MINUTE_S)
        self._lines = {interface: _Line(interface) for interface in LINKS}
        self._called_mw: int | None = None
        self._states: dict[tuple[str, int], bool] = {}
        self._due: list[_Due] = []
        self._count = 0

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said until two minutes before the end of a quarter hour, and with the last up to its end."""
        if quarter.number == 0:
            for line in self._lines.values():
                yield from line.starts(quarter.start_us)
        self._calls(quarter)
        for column in range(SLOT_MINUTES):
            self._minute(quarter, column)
        self._caps(quarter)
        is_last = quarter.number == len(self._plan.slots) - 1
        until_us = quarter.start_us + SLOT_US - (0 if is_last else _HELD_BACK_US)
        self._due.sort(key=itemgetter(0, 1))
        ready = [due for due in self._due if due[0] < until_us or is_last]
        self._due = [due for due in self._due if due[0] >= until_us and not is_last]
        for time_us, _, interface, said in ready:
            yield from self._lines[interface].says(time_us, **said)

    def _calls(self, quarter: Quarter) -> None:
        """The transmission operator's call where it is another than before."""
        wanted_mw = int(np.sum(self._meant(quarter)))
        if wanted_mw != self._called_mw:
            self._called_mw = wanted_mw
            lead_s = self._street.draws.one("call", 15, 46, self._plan.day.toordinal(), quarter.number)
            time_us = max(quarter.start_us - lead_s * SECOND_US, self._plan.start_us + SECOND_US)
            self._set("25", time_us, wanted_mw)
            for since_s in range(_CYCLE_S, MINUTE_S, _CYCLE_S):
                moment_us = quarter.start_us + since_s * SECOND_US
                self._values("25", moment_us, self._seen(quarter, 0), _SPONTANEOUS, {POOL_POWER})

    def _meant(self, quarter: Quarter) -> Ints:
        """What every car of the pool that is plugged in is meant to draw, within section 14a."""
        street = self._street
        ceiling = np.where(quarter.limited == 1, np.minimum(street.wallbox_mw, LIMIT_MW), street.wallbox_mw)
        here = street.aggregated * plugged_in(self._plan, quarter.number * SLOT_MINUTES)
        return np.clip(quarter.setpoint_mw, -street.discharge_mw, ceiling) * here

    def _minute(self, quarter: Quarter, column: int) -> None:
        """Values that are due, states that changed."""
        minute = quarter.number * SLOT_MINUTES + column
        seen = self._seen(quarter, column)
        time_us = self._plan.minute_us(minute)
        for interface, link in LINKS.items():
            if minute % max(self._every, link.every_minutes) == 0:
                numbers = {point.address for point in link.points}
                self._values(interface, time_us, seen, _PERIODIC, numbers)
            for point in link.points:
                state = point.what(seen) if point.what else None
                if isinstance(state, bool) and self._states.get((interface, point.address)) != state:
                    self._states[interface, point.address] = state
                    self._say(interface, time_us, _SINGLE, [(point.address, state)], _SPONTANEOUS)

    def _seen(self, quarter: Quarter, column: int) -> Moment:
        street, grid_mw = self._street, int(np.sum(quarter.grid_mw[:, column]))
        pool = (quarter.charge_mw[:, column] - quarter.discharge_mw[:, column]) * street.aggregated
        minute = quarter.number * SLOT_MINUTES + column
        return Moment(
            frequency_mhz=frequency_mhz(street, self._plan, minute),
            voltage_mv=_NOMINAL_MV - grid_mw // street.sites * _PER_MEAN_KW_MV // 1_000_000,
            grid_mw=grid_mw,
            pool_mw=int(np.sum(pool)),
            generated_mw=int(np.sum(quarter.pv_mw[:, column])),
            setpoint_mw=self._called_mw or 0,
            limited=self._plan.limited(minute),
        )

    def _values(self, interface: str, time_us: int, seen: Moment, cause: int, numbers: set[int]) -> None:
        said = [
            (point.address, value)
            for point in LINKS[interface].points
            if point.address in numbers and point.what and not isinstance(value := point.what(seen), bool)
        ]
        self._say(interface, time_us, _FLOAT, said, cause)

    def _caps(self, quarter: Quarter) -> None:
        """The distribution operator's cap on the roofs, and its end."""
        peak_mw = int(np.sum(self._street.pv_peak_mw))
        for clock_minute, permille in zip(_CAP_MINUTES, (_CAP_PERMILLE, _WHOLE), strict=True):
            minute = int(np.flatnonzero(self._plan.local_minute == clock_minute)[0])
            if minute // SLOT_MINUTES == quarter.number:
                self._set("52", self._plan.minute_us(minute), peak_mw * permille // _WHOLE)

    def _set(self, interface: str, time_us: int, power_mw: int) -> None:
        """A set point and its confirmation, which repeats the time of the call."""
        drawn = self._street.draws.one("confirmation", 80_000, 400_000, time_us // SECOND_US)
        for late_us, cause in ((0, _ACTIVATED), (drawn, _CONFIRMED)):
            self._say(interface, time_us, _SET_POINT, [(CALLED, kilowatts(power_mw))], cause, late_us)

    def _say(self, interface: str, time_us: int, kind: int, objects: list[Any], cause: int, late_us: int = 0) -> None:
        said = {"kind": kind, "objects": objects, "cause": cause, "stamp_us": time_us}
        self._count += 1
        self._due.append((time_us + _HEARD_US + late_us, self._count, interface, said))


class _Line:
    """One connection: each end numbers its frames; who is called answers with values, so both directions speak."""

    def __init__(self, interface: str) -> None:
        self._interface, self._station, self._source = interface, station_of(interface), LINKS[interface].source
        self._sent = {True: 0, False: 0}
        """By whether the controlling end sent them."""

    def starts(self, time_us: int) -> Iterator[Message]:
        """What a connection begins with."""
        for place, function in enumerate(("STARTDT act", "STARTDT con")):
            yield self._message(time_us + place * 10_000, encode_setup(function))

    def says(self, time_us: int, *, kind: int, objects: list[Any], cause: int, stamp_us: int) -> Iterator[Message]:
        """A frame; after some of them the other end acknowledges."""
        is_call = kind == _SET_POINT and cause == _ACTIVATED
        numbers = (self._sent[is_call], self._sent[not is_call])
        self._sent[is_call] += 1
        if kind == _SET_POINT:
            [(address, value)] = objects
            raw = encode_command(kind, self._station, address, value, cause=cause, time_us=stamp_us, numbers=numbers)
        else:
            raw = encode_measurement(kind, self._station, objects, cause=cause, time_us=stamp_us, numbers=numbers)
        yield self._message(time_us, raw)
        if self._sent[is_call] % _ACKNOWLEDGED == 0:
            yield self._message(time_us + 10_000, encode_supervision(self._sent[is_call]))

    def _message(self, time_us: int, raw: bytes) -> Message:
        return Message(time_us, self._interface, self._source, raw, {})


def line_of(message: Message) -> bytes:
    """The frame as a line of the log: time, connection, hex."""
    return f"{format_time(message.time_us)} {message.source} {message.raw.hex()}\n".encode()
