"""The projections in memory: the same merges as in the database, on Python dictionaries.

For property tests, for bounded replays of one actor, and for digests: two projections are equal when their
:meth:`Projection.lines` are. Positions are left out of lines: a message that lies twice in the log has two.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from twin.merge.columns import Edges, Merged, SampleRow, SlotValueRow, TwinRow, Twins
from twin.merge.edges import concatenate, merge_edges

Line = tuple[str, ...]


@dataclass(slots=True)
class Projection:
    """All tables, as dictionaries."""

    registers: dict[int, tuple[str, str, str, str, int, str, int]] = field(default_factory=dict)
    signals: dict[int, tuple[str, str]] = field(default_factory=dict)
    series: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    edge_parts: list[Edges] = field(default_factory=list)
    twins: dict[int, TwinRow] = field(default_factory=dict)
    trends: dict[tuple[int, int], tuple[int, str, float, float, float]] = field(default_factory=dict)
    samples: dict[tuple[str, int, int], set[int]] = field(default_factory=dict)
    slot_values: dict[tuple[int, int, str, int, str], int] = field(default_factory=dict)

    def apply(self, merged: Merged) -> None:
        """Merge a batch's rows into the tables."""
        for identity, row in merged.registers.items():
            known = self.registers.get(identity, row)
            self.registers[identity] = (*row[:6], max(row[6], known[6]))
        self.signals.update(merged.signals)
        self.series.update(merged.series)
        self.edge_parts.append(merged.edges)
        for twin in merged.twins.rows():
            self._apply_twin(twin)
        self._apply_trends(merged)
        for sample in merged.samples:
            self.samples.setdefault(sample[:3], set()).update(sample.packed)
        for value in merged.slot_values:
            self.slot_values[value[:5]] = min(value.position, self.slot_values.get(value[:5], value.position))

    def edges(self) -> Edges:
        """Table ``edge``, sorted."""
        self.edge_parts = [merge_edges(concatenate(self.edge_parts))] if self.edge_parts else []
        return concatenate(self.edge_parts)

    def merged(self) -> Merged:
        """All tables as one batch, sorted by key, ready for the sink."""
        trends = sorted(self.trends.items())
        columns = Merged(
            registers=dict(sorted(self.registers.items())),
            signals=dict(sorted(self.signals.items())),
            series=dict(sorted(self.series.items())),
            edges=self.edges(),
            twins=Twins.of([self.twins[key] for key in sorted(self.twins)]),
            samples=[SampleRow(*key, tuple(sorted(self.samples[key]))) for key in sorted(self.samples)],
            slot_values=[SlotValueRow(*key, self.slot_values[key]) for key in sorted(self.slot_values)],
        )
        if trends:
            columns.trends = columns.trends._replace(
                signal_id=np.array([key[0] for key, _ in trends], np.int64),
                minute_us=np.array([key[1] for key, _ in trends], np.int64),
                last_us=np.array([row[0] for _, row in trends], np.int64),
                last_event=[row[1] for _, row in trends],
                last=np.array([row[2] for _, row in trends], np.float64),
                low=np.array([row[3] for _, row in trends], np.float64),
                high=np.array([row[4] for _, row in trends], np.float64),
            )
        return columns

    def lines(self) -> Iterator[Line]:
        """Every row of every table as text, sorted."""
        for identity, register in sorted(self.registers.items()):
            yield "register", str(identity), *map(str, register)
        edges = self.edges()
        without_positions = [column for name, column in edges._asdict().items() if not name.endswith("position")]
        for row in zip(*(column.tolist() for column in without_positions), strict=True):
            yield "edge", *map(str, row)
        for identity, twin in sorted(self.twins.items()):
            name = self.signals[identity]
            yield "twin", *name, twin.value.decode(), twin.unit, str(twin.at_us), twin.event_id
        for key, trend in sorted(self.trends.items()):
            yield "trend", *map(str, key), *map(str, trend)
        for sample, packed in sorted(self.samples.items()):
            yield "sample", *map(str, sample), *map(str, sorted(packed))
        for value in sorted(self.slot_values, key=lambda key: (*key[:4], Decimal(key[4]))):
            yield "slot_value", *map(str, value)

    def digest(self) -> str:
        """SHA-256 of all lines."""
        return digest_of(self.lines())

    def _apply_twin(self, new: TwinRow) -> None:
        old = self.twins.get(new.signal_id)
        if old is None or (new.at_us, new.event_id, -new.position) > (old.at_us, old.event_id, -old.position):
            self.twins[new.signal_id] = new

    def _apply_trends(self, merged: Merged) -> None:
        trends = merged.trends
        for signal, minute, last_at, event, last, low, high in zip(
            trends.signal_id.tolist(),
            trends.minute_us.tolist(),
            trends.last_us.tolist(),
            trends.last_event,
            trends.last.tolist(),
            trends.low.tolist(),
            trends.high.tolist(),
            strict=True,
        ):
            old = self.trends.get((signal, minute))
            if old is None:
                self.trends[signal, minute] = (last_at, event, last, low, high)
                continue
            winner = max((last_at, event, last), old[:3])
            self.trends[signal, minute] = (*winner, min(low, old[3]), max(high, old[4]))


def digest_of(lines: Iterable[Line]) -> str:
    """SHA-256 over lines; equal for equal tables wherever they are stored."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update("\x1f".join(line).encode())
        digest.update(b"\n")
    return digest.hexdigest()
