"""Limitation of power consumption and production (LPC, LPP): the state of a controllable system.

EEBUS use case specifications LPC and LPP 1.0.0, clauses 2.2 and 2.3; both have the same states, their limits differ.
The state is no attribute that messages change in turn: it is a function of what was observed and of the time that is
asked for, so observations may come late, twice and in any order.

====================  ====================  ========================================================  ================
from                  to                    when                                                      limit that holds
====================  ====================  ========================================================  ================
(none)                init                  the system started, or is heard of for the first time     failsafe limit
init                  limited               an active limit is accepted                               the limit
init                  unlimited/controlled  an inactive limit is accepted                             none
init                  unlimited/autonomous  120 s without that                                        none
unlimited/controlled  limited               an active limit is accepted                               the limit
unlimited/controlled  failsafe              no heartbeat for 120 s                                    failsafe limit
limited               unlimited/controlled  the limit is made inactive, or its duration is over       none
limited               failsafe              no heartbeat for 120 s                                    failsafe limit
failsafe              limited               heartbeats are back and an active limit is accepted       the limit
failsafe              unlimited/controlled  heartbeats are back and an inactive limit is accepted     none
failsafe              unlimited/autonomous  the failsafe duration is over, or heartbeats are back and none
                                            no limit follows in 120 s
unlimited/autonomous  limited               an active limit is accepted                               the limit
unlimited/autonomous  unlimited/controlled  an inactive limit is accepted                             none
====================  ====================  ========================================================  ================

Who listens late has missed what was accepted: a system that itself reports an active limit (reply, notification) is
limited by it, and one that reports it inactive is no longer [M]. Except in failsafe: there the report may still be of
the limit from before, so only the standard's ways lead out of it.

Only ``limited`` is an event under section 14a EnWG: in ``failsafe`` and ``init`` the system limits itself.
"""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from schemas.facts import Observation
from schemas.time import HOUR_US, SECOND_US, parse_time
from twin.amounts import Number, number

RULES: Final = "eebus-lpc-lpp/1.0.0"

INIT: Final = "init"
CONTROLLED: Final = "unlimited/controlled"
LIMITED: Final = "limited"
FAILSAFE: Final = "failsafe"
AUTONOMOUS: Final = "unlimited/autonomous"

HEARTBEAT_US: Final = 60 * SECOND_US
"""The longest time between two heartbeats."""

PATIENCE_US: Final = 120 * SECOND_US
"""After so long without a heartbeat, or without a limit, the state changes."""

DEFAULT_FAILSAFE_US: Final = 2 * HOUR_US
"""The shortest failsafe duration minimum; holds where none was observed [M]."""

UseCase = Literal["lpc", "lpp"]

_ORDER: Final = ("failsafe_duration", "_failsafe_limit", "guard_heartbeat", "_limit", "_until", "_active", "_answer")
"""What is observed at the same time counts in this order: what says that a limit holds comes last."""


class Limitation(NamedTuple):
    """The state at a time: what holds (None: no limit, or none was said), since when, until when at the latest."""

    state: str
    limit_w: Number | None
    since_us: int | None
    until_us: int | None = None

    @property
    def is_section_14a(self) -> bool:
        """Whether somebody else limits the system."""
        return self.state == LIMITED


def state_at(observations: Iterable[Observation], time_us: int, use_case: UseCase = "lpc") -> Limitation:
    """The state of a controllable system at a time, from everything observed of it (other attributes are passed over).

    >>> noon = parse_time("2026-03-29T12:00:00Z")
    >>> def seen(attribute, value, second):
    ...     return Observation("hems:A", attribute, value, "", noon + second * SECOND_US)
    >>> story = [seen("lpc_failsafe_limit", 4200, 0), seen("guard_heartbeat", "", 5), seen("guard_heartbeat", "", 65)]
    >>> story += [seen("lpc_limit", 6000, 10), seen("lpc_limit_active", True, 10), seen("lpc_limit_until", None, 10)]
    >>> story += [seen("lpc_limit_answer", "accepted", 10)]
    >>> for second in (7, 10, 184, 185, 7385):
    ...     state = state_at(reversed(story), noon + second * SECOND_US)
    ...     print(second, state.state, state.limit_w, (state.since_us - noon) // SECOND_US)
    7 init 4200 0
    10 limited 6000 10
    184 limited 6000 10
    185 failsafe 4200 185
    7385 unlimited/autonomous None 7385
    """
    machine = _Machine()
    for at_us, _, attribute, value in _in_order(observations, time_us, use_case):
        machine.wait_until(at_us)
        machine.take(attribute, value)
    machine.wait_until(time_us)
    return machine.shown()


def spans_in(
    observations: Iterable[Observation], until_us: int, use_case: UseCase = "lpc"
) -> list[tuple[str, int, int]]:
    """Every state until a time, one after the other: state, since when, and until when."""
    machine = _Machine()
    for at_us, _, attribute, value in _in_order(observations, until_us, use_case):
        machine.wait_until(at_us)
        machine.take(attribute, value)
    machine.wait_until(until_us)
    ends = [since_us for _, since_us in machine.entered[1:]]
    return [(*entered, end_us) for entered, end_us in zip(machine.entered, [*ends, until_us], strict=False)]


def state_now(twin: Iterable[Observation], time_us: int, use_case: UseCase = "lpc") -> Limitation:
    """The state from the latest value of each attribute alone, as a twin holds them.

    It takes heartbeats to have come without a break since the latest answer or report; where they have, it is what
    :func:`state_at` says from the whole history.
    """
    latest: dict[str, tuple[int, str]] = {}
    for at_us, _, attribute, value in _in_order(twin, time_us, use_case):
        latest[attribute] = (at_us, value)
    heard_us = latest.get("guard_heartbeat", (None, ""))[0]
    machine = _Machine()
    starts = [at_us for at_us, _ in latest.values()]
    if starts:
        machine.wait_until(min(starts))
    turns = [name for name in ("_active", "_answer") if name in latest]
    for name in _ORDER:
        if name in latest and name not in {"guard_heartbeat", *turns}:
            machine.take(name, latest[name][1])
    for name in sorted(turns, key=lambda name: latest[name][0]):
        machine.wait_until(latest[name][0])
        machine.heard_us = heard_us if heard_us is not None else machine.heard_us
        machine.take(name, latest[name][1])
    if not turns and heard_us is not None:
        machine.take("guard_heartbeat", "")
    machine.wait_until(time_us)
    return machine.shown()


def _in_order(observations: Iterable[Observation], time_us: int, use_case: UseCase) -> list[tuple[int, int, str, str]]:
    """What was observed until a time and matters: when, its place among equals, attribute without use case, value."""
    found = set()
    for seen in observations:
        if seen.time_us > time_us:
            continue
        name = seen.attribute.removeprefix(use_case)
        if name.startswith("_limit_"):
            name = name.removeprefix("_limit")
        if name in _ORDER:
            found.add((seen.time_us, _ORDER.index(name), name, _text(seen.value)))
        elif name == "started" and isinstance(seen.value, str):
            found.add((seen.time_us, -1, name, seen.value))
    return sorted(_boots(found) | {row for row in found if row[1] >= 0})


def _boots(found: set[tuple[int, int, str, str]]) -> set[tuple[int, int, str, str]]:
    """When the system really started: who was heard before and says so again, within its clock's accuracy, did not."""
    boots, heard_us = set(), -1
    for reported_us, _, name, value in sorted(row for row in found if row[1] < 0):
        started_us = parse_time(value)
        if started_us > heard_us:
            boots.add((started_us, -1, name, value))
        heard_us = reported_us
    return boots


def _text(value: object) -> str:
    return "" if value is None else str(value)


class _Machine:
    """The states in order of time. ``heard_us`` is the latest heartbeat, ``resumed_us`` the first one in failsafe."""

    def __init__(self) -> None:
        self.state = INIT
        self.since_us: int | None = None
        self.entered: list[tuple[str, int]] = []
        self.heard_us: int | None = None
        self.resumed_us: int | None = None
        self._now_us = 0
        self._limit_w: Number | None = None
        self._active = False
        self._until_us: int | None = None
        self._failsafe_w: Number | None = None
        self._failsafe_us = DEFAULT_FAILSAFE_US

    def wait_until(self, time_us: int) -> None:
        """Let time pass: what happens by itself until then, happens."""
        while (due := self._due()) and due[0] <= time_us:
            self._enter(due[1], due[0])
        self._now_us = max(self._now_us, time_us)

    def take(self, attribute: str, value: str) -> None:
        """Something is observed now."""
        if self.since_us is None or attribute == "started":
            self._enter(INIT, self._now_us)
            self.heard_us = None
        if attribute == "guard_heartbeat":
            self.heard_us = self._now_us
            if self.state == FAILSAFE and self.resumed_us is None:
                self.resumed_us = self._now_us
        elif attribute == "_limit":
            self._limit_w = number(value)
        elif attribute == "_active":
            self._active = value == "True"
            self._believe()
        elif attribute == "_until":
            self._until_us = parse_time(value) if value else None
        elif attribute == "_failsafe_limit":
            self._failsafe_w = number(value)
        elif attribute == "failsafe_duration":
            seconds = number(value)
            self._failsafe_us = int(seconds * SECOND_US) if seconds is not None else DEFAULT_FAILSAFE_US
        elif attribute == "_answer" and value == "accepted":
            self._obey()

    def shown(self) -> Limitation:
        """The state as it is asked for."""
        if self.state == LIMITED:
            return Limitation(LIMITED, self._limit_w, self.since_us, self._until_us)
        holds = self._failsafe_w if self.state in {INIT, FAILSAFE} and self.since_us is not None else None
        return Limitation(self.state, holds, self.since_us)

    def _believe(self) -> None:
        """The system says itself whether a limit holds."""
        if (self._holds() and self.state != FAILSAFE) or (not self._active and self.state == LIMITED):
            self._obey()

    def _holds(self) -> bool:
        return self._active and (self._until_us is None or self._until_us > self._now_us)

    def _obey(self) -> None:
        """A limit is accepted: who accepts it has heard the guard, even where no heartbeat was observed."""
        if self.heard_us is None or self._now_us - self.heard_us >= PATIENCE_US:
            self.heard_us = self._now_us
        wanted = LIMITED if self._holds() else CONTROLLED
        if wanted != self.state:
            self._enter(wanted, self._now_us)

    def _enter(self, state: str, time_us: int) -> None:
        self.state, self.since_us, self.resumed_us = state, time_us, None
        self.entered.append((state, time_us))
        self._now_us = max(self._now_us, time_us)

    def _due(self) -> tuple[int, str] | None:
        """What happens next by itself, and when."""
        due: list[tuple[int, str]] = []
        if self.since_us is None:
            return None
        if self.state == INIT:
            due.append((self.since_us + PATIENCE_US, AUTONOMOUS))
        if self.state == LIMITED and self._until_us is not None:
            due.append((self._until_us, CONTROLLED))
        if self.state in {LIMITED, CONTROLLED} and self.heard_us is not None:
            due.append((self.heard_us + PATIENCE_US, FAILSAFE))
        if self.state == FAILSAFE:
            due.append((self.since_us + self._failsafe_us, AUTONOMOUS))
            if self.resumed_us is not None:
                due.append((self.resumed_us + PATIENCE_US, AUTONOMOUS))
        at_us, state = min(due, key=lambda one: one[0], default=(0, ""))
        return (max(at_us, self._now_us), state) if state else None
