"""A register over time: what it showed at an instant, and how much went through between two."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from schemas.facts import INTERPOLATED, PRELIMINARY, QUALITIES
from schemas.rows import Edge
from twin.slots.rules import (
    BACKWARDS,
    CONFLICT,
    GAP,
    IMPLAUSIBLE,
    ROLLOVER,
    UNKNOWN_WIDTH,
    Rules,
    merged,
    rollover_mwh,
    worst,
)


class RegisterReading(NamedTuple):
    """A reading a quarter hour rests on; ``spread_mwh`` is not 0 where other values are claimed for the instant."""

    device: str
    obis: str
    time_us: int
    value_mwh: int
    spread_mwh: int
    quality: str
    document: str
    position: int


class State(NamedTuple):
    """What a register showed at an instant; ``value_mwh`` None: not known, the flags say why."""

    value_mwh: int | None
    quality: str
    readings: tuple[RegisterReading, ...]
    flags: tuple[str, ...]


class Step(NamedTuple):
    """Energy between two states of a register; None: refused, the flags say why."""

    energy_mwh: int | None
    flags: tuple[str, ...]


class Counter:
    """One register of one device, with its readings in order.

    Args:
        readings: At least one; claims about the same instant are settled here (see :func:`settled`).
        digits: Digits before the decimal point in kWh, 0 when not known.
        rules: Tolerance, reach and limits.
    """

    def __init__(self, readings: Iterable[RegisterReading], digits: int, rules: Rules) -> None:
        self.readings = settled(readings)
        self.digits = digits
        self._rules = rules
        self._times = [reading.time_us for reading in self.readings]

    @property
    def first_us(self) -> int:
        """Time of the first reading."""
        return self._times[0]

    @property
    def last_us(self) -> int:
        """Time of the last reading."""
        return self._times[-1]

    def on_edge(self, time_us: int) -> RegisterReading | None:
        """The reading that counts as taken at the instant, if one is within the tolerance.

        Best quality first, then the nearest; of two as near the one at or after the instant.
        """
        reach = self._rules.on_edge_tolerance_us
        near = self.readings[bisect_left(self._times, time_us - reach) : bisect_right(self._times, time_us + reach)]
        return min(
            near,
            key=lambda r: (QUALITIES.index(_quality(r)), abs(r.time_us - time_us), r.time_us < time_us),
            default=None,
        )

    def state(self, time_us: int, *, exactly: bool = False) -> State:
        """What the register showed at an instant.

        A reading on the edge counts with its value as it is; else the line between the neighbours, rounded once,
        half to even, as a state of the register: so the parts of an interval add up to the whole.
        ``exactly`` leaves the tolerance out.
        """
        if not exactly and (reading := self.on_edge(time_us)):
            return _state_of(reading)
        after = bisect_left(self._times, time_us)
        if after < len(self._times) and self._times[after] == time_us:
            return _state_of(self.readings[after])
        if after in {0, len(self._times)}:
            return State(None, INTERPOLATED, (), ())
        return self._between(self.readings[after - 1], self.readings[after], time_us)

    def step(self, start_mwh: int, end_mwh: int, elapsed_us: int) -> Step:
        """Energy from one value of the register to a later one, through a rollover where that explains a fall."""
        rules = self._rules
        energy = end_mwh - start_mwh
        if energy >= 0:
            return Step(energy, ()) if rules.is_plausible(energy, elapsed_us) else Step(None, (IMPLAUSIBLE,))
        narrowest = max(len(str(start_mwh)) - len(str(rollover_mwh(0))) + 1, 1)
        around = energy + rollover_mwh(self.digits or narrowest)
        if around < 0 or not rules.is_plausible(around, elapsed_us):
            return Step(None, (BACKWARDS,))
        return Step(around, (ROLLOVER,)) if self.digits else Step(None, (UNKNOWN_WIDTH,))

    def _between(self, before: RegisterReading, after: RegisterReading, time_us: int) -> State:
        elapsed = after.time_us - before.time_us
        energy, flags = self.step(before.value_mwh, after.value_mwh, elapsed)
        if energy is not None and energy > 0 and elapsed > self._rules.max_interpolation_us:
            energy, flags = None, (GAP,)
        if energy is None:
            return State(None, INTERPOLATED, (before, after), flags)
        value = rounded(before.value_mwh * elapsed + energy * (time_us - before.time_us), elapsed)
        if ROLLOVER in flags:
            value %= rollover_mwh(self.digits)
        contested = tuple({CONFLICT for reading in (before, after) if reading.spread_mwh})
        return State(
            value, worst(INTERPOLATED, _quality(before), _quality(after)), (before, after), merged(flags, contested)
        )


def counter_of(edges: Iterable[Edge], rules: Rules) -> Counter:
    """The counter that edges of one register, at whatever quality and from whatever document, speak of."""
    rows = list(edges)
    readings = {reading for edge in rows for reading in _readings_of(edge)}
    return Counter(readings, max(edge.register.digits for edge in rows), rules)


def settled(readings: Iterable[RegisterReading]) -> list[RegisterReading]:
    """One reading per instant, in order of time.

    Of market documents the latest counts, whatever its quality: it corrects the others. Among live readings of an
    instant the best quality counts. What is left with different values is a conflict: the smallest value, the
    distance to the largest, and the worst quality.
    """
    in_order = sorted(readings, key=lambda r: (r.time_us, r.value_mwh, r.position))
    return [_settle(list(claims)) for _, claims in groupby(in_order, key=lambda r: r.time_us)]


def _settle(claims: list[RegisterReading]) -> RegisterReading:
    if len(claims) == 1:
        return claims[0]
    latest = max(_document_time(claim) for claim in claims)
    valid = [claim for claim in claims if _document_time(claim) == latest]
    if not latest:
        best = min(QUALITIES.index(claim.quality) for claim in valid)
        valid = [claim for claim in valid if QUALITIES.index(claim.quality) == best]
    highest = max(claim.value_mwh + claim.spread_mwh for claim in valid)
    return valid[0]._replace(
        spread_mwh=highest - valid[0].value_mwh, quality=worst(*(claim.quality for claim in valid))
    )


def rounded(numerator: int, denominator: int) -> int:
    """The quotient as the nearest integer, a half to the even one.

    >>> [rounded(n, 2) for n in (1, 2, 3, 5)]
    [0, 1, 2, 2]
    """
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1))


def _readings_of(edge: Edge) -> tuple[RegisterReading, RegisterReading]:
    register = edge.register
    return (
        RegisterReading(
            register.device,
            register.obis,
            edge.first_us,
            edge.first_mwh,
            edge.first_spread_mwh,
            register.quality,
            register.document,
            edge.first_position,
        ),
        RegisterReading(
            register.device,
            register.obis,
            edge.last_us,
            edge.last_mwh,
            edge.last_spread_mwh,
            register.quality,
            register.document,
            edge.last_position,
        ),
    )


def _document_time(reading: RegisterReading) -> str:
    return reading.document.partition("|")[0]


def _quality(reading: RegisterReading) -> str:
    """A contested reading is preliminary at best, until a correction settles it."""
    return worst(reading.quality, PRELIMINARY) if reading.spread_mwh else reading.quality


def _state_of(reading: RegisterReading) -> State:
    return State(reading.value_mwh, _quality(reading), (reading,), (CONFLICT,) if reading.spread_mwh else ())
