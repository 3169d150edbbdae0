"""Merged rows as columns: what a batch of facts says, one row per key, ready for the database.

Times are microseconds since 1970; positions point at events (see :mod:`schemas.rows`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Floats = NDArray[np.float64]

_Rows = TypeVar("_Rows", bound=tuple[Any, ...])

EMPTY: Ints = np.empty(0, np.int64)


class Edges(NamedTuple):
    """Rows of table ``edge``, sorted by register and slot."""

    register_id: Ints
    slot_us: Ints
    first_us: Ints
    first_mwh: Ints
    first_spread_mwh: Ints
    first_position: Ints
    last_us: Ints
    last_mwh: Ints
    last_spread_mwh: Ints
    last_position: Ints


class TwinRow(NamedTuple):
    """A row of table ``twin``: ``value`` is JSON text, ``event_id`` hex."""

    signal_id: int
    value: bytes
    unit: str
    at_us: int
    event_id: str
    position: int


class Twins(NamedTuple):
    """Rows of table ``twin``, sorted by signal; see :class:`TwinRow`."""

    signal_id: Ints
    value: list[bytes]
    unit: list[str]
    at_us: Ints
    event_id: list[str]
    position: Ints

    def rows(self) -> Iterator[TwinRow]:
        """One after the other."""
        ids, times, positions = self.signal_id.tolist(), self.at_us.tolist(), self.position.tolist()
        return map(TwinRow, ids, self.value, self.unit, times, self.event_id, positions)

    @classmethod
    def of(cls, rows: Sequence[TwinRow]) -> Self:
        """The columns of rows."""
        if not rows:
            return cls(EMPTY, [], [], EMPTY, [], EMPTY)
        ids, value, unit, at_us, event_id, position = zip(*rows, strict=True)
        signal_ids, times, positions = (np.array(column, np.int64) for column in (ids, at_us, position))
        return cls(signal_ids, list(value), list(unit), times, list(event_id), positions)


class Trends(NamedTuple):
    """Rows of table ``trend``, sorted by signal and minute; ``last_event`` are event ids as hex."""

    signal_id: Ints
    minute_us: Ints
    last_us: Ints
    last_event: list[str]
    last: Floats
    low: Floats
    high: Floats


class SlotValueRow(NamedTuple):
    """A row of table ``slot_value``; ``value`` is decimal text in canonical form."""

    series_id: int
    slot_us: int
    version: str
    quality: int
    value: str
    position: int


class SampleRow(NamedTuple):
    """A row of table ``sample``; ``packed`` is a sorted set."""

    point: str
    quality: int
    slot_us: int
    packed: tuple[int, ...]


NO_EDGES = Edges(*[EMPTY] * 10)
NO_TWINS = Twins.of([])
NO_TRENDS = Trends(EMPTY, EMPTY, EMPTY, [], *[np.empty(0, np.float64)] * 3)


@dataclass(slots=True)
class Merged:
    """What a batch says, merged; sorted by key, so that two writers never deadlock."""

    registers: dict[int, tuple[str, str, str, str, int, str, int]] = field(default_factory=dict)
    signals: dict[int, tuple[str, str]] = field(default_factory=dict)
    series: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    edges: Edges = NO_EDGES
    twins: Twins = NO_TWINS
    trends: Trends = NO_TRENDS
    slot_values: list[SlotValueRow] = field(default_factory=list)
    samples: list[SampleRow] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Rows by table, for logs and benchmarks."""
        return {
            "edge": len(self.edges.slot_us),
            "twin": len(self.twins.signal_id),
            "trend": len(self.trends.minute_us),
            "slot_value": len(self.slot_values),
            "sample": len(self.samples),
        }


def stretch_of(rows: _Rows, start: int, end: int) -> _Rows:
    """Rows ``[start, end)`` of a tuple of columns."""
    return type(rows)(*(column[start:end] for column in rows))


def starts_of_groups(*sorted_keys: NDArray[Any]) -> Ints:
    """Indices at which a new group begins, for columns that are sorted by these keys."""
    if len(sorted_keys[0]) == 0:
        return EMPTY
    changed = np.zeros(len(sorted_keys[0]), bool)
    changed[0] = True
    for key in sorted_keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)
