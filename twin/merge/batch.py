"""A batch: facts of many events gathered, then merged once, so that one upsert carries what a thousand events said."""

from array import array
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np

from schemas.facts import QUALITIES, Facts
from schemas.time import SLOT_US
from twin.merge.columns import Ints, Merged, SampleRow, SlotValueRow
from twin.merge.edges import merge_readings
from twin.merge.identity import Identities
from twin.merge.observations import decimal_text, merge_observations

NAMES_KEPT = 1_000_000
"""Beyond so many, names are hashed anew: market documents bring new ones every day, and nobody asks for the old."""

QUALITY_RANK = {quality: rank for rank, quality in enumerate(QUALITIES)}
_POWER_ZERO = 1 << 32
_REGISTER_KEY = itemgetter(0, 1, 2, 3, 6, 7)
_SIGNAL_KEY = itemgetter(0, 1)
_TIME, _VALUE, _DIGITS = itemgetter(4), itemgetter(5), itemgetter(8)  # of readings; an observation's time is there too
_OFFSET_SHIFT = 33


@dataclass(slots=True)
class Written:
    """Names that the database has: no batch brings them again. Of registers with the width that is known."""

    registers: dict[int, int] = field(default_factory=dict)
    signals: set[int] = field(default_factory=set)
    series: set[int] = field(default_factory=set)

    def add(self, merged: Merged) -> None:
        """The rows of a batch are committed."""
        for identity, row in merged.registers.items():
            self.registers[identity] = max(row[6], self.registers.get(identity, 0))
        self.signals.update(merged.signals)
        self.series.update(merged.series)


@dataclass(slots=True)
class Names:
    """Identities a process has met; shared by its batches, so that each name is hashed once.

    What is in ``written`` is left out of the rows of a batch.
    """

    registers: Identities = field(default_factory=Identities)
    signals: Identities = field(default_factory=Identities)
    series: Identities = field(default_factory=Identities)
    written: Written = field(default_factory=Written)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.registers) + len(self.signals) + len(self.series)


class Batch:
    """Gathers the facts of events; :meth:`merge` gives the rows."""

    __slots__ = ("_counts", "_ids", "_names", "_positions", "facts")

    def __init__(self, names: Names) -> None:
        self.facts = Facts()
        self._names = names
        self._ids: list[str] = []
        self._positions = array("q")
        self._counts = array("q")

    def __len__(self) -> int:
        """How many events are in it."""
        return len(self._ids)

    def close_event(self, event_id: str, position: int) -> None:
        """All facts appended to :attr:`facts` since the last call were said by this event."""
        facts = self.facts
        self._ids.append(event_id)
        self._positions.append(position)
        self._counts.extend(facts.counts())

    def closed(self) -> tuple[int, int, int, int]:
        """How many facts belong to closed events, by kind as :meth:`Facts.counts` says it."""
        observations, readings, samples, slot_values = self._counts[-4:] or (0, 0, 0, 0)
        return observations, readings, samples, slot_values

    def merge(self) -> Merged:
        """The rows of everything gathered."""
        bounds = np.array(self._counts, np.int64).reshape(-1, 4)
        counts = np.diff(bounds, axis=0, prepend=np.zeros((1, 4), np.int64))
        events = np.arange(len(self._ids))
        positions = np.array(self._positions, np.int64)
        merged = Merged()
        self._merge_readings(merged, np.repeat(positions, counts[:, 1]))
        self._merge_observations(merged, np.repeat(events, counts[:, 0]), positions)
        self._merge_samples(merged)
        self._merge_slot_values(merged, np.repeat(positions, counts[:, 3]).tolist())
        return merged

    def _merge_readings(self, merged: Merged, positions: Ints) -> None:
        readings = self.facts.readings
        if not readings:
            return
        keys = list(map(_REGISTER_KEY, readings))
        ids = np.array(list(map(self._names.registers.__getitem__, keys)), np.int64)
        unique, first = np.unique(ids, return_index=True)
        written = self._names.written.registers
        for identity, index in zip(unique.tolist(), first.tolist(), strict=True):
            if identity not in written:
                merged.registers[identity] = _register_row(keys[index], readings[index].digits)
        self._widen(merged, ids, keys)
        merged.edges = merge_readings(
            ids,
            np.array(list(map(_TIME, readings)), np.int64),
            np.array(list(map(_VALUE, readings)), np.int64),
            positions,
        )

    def _widen(self, merged: Merged, ids: Ints, keys: list[tuple[str, ...]]) -> None:
        """Of all widths claimed for a register the largest."""
        digits = np.array(list(map(_DIGITS, self.facts.readings)), np.int64)
        for index in np.flatnonzero(digits).tolist():
            identity, width = int(ids[index]), int(digits[index])
            row = merged.registers.get(identity)
            if width > (self._names.written.registers[identity] if row is None else row[6]):
                merged.registers[identity] = _register_row(keys[index], width)

    def _merge_observations(self, merged: Merged, events: Ints, positions: Ints) -> None:
        observations = self.facts.observations
        if not observations:
            return
        keys = list(map(_SIGNAL_KEY, observations))
        ids = np.array(list(map(self._names.signals.__getitem__, keys)), np.int64)
        unique, first = np.unique(ids, return_index=True)
        written = self._names.written.signals
        merged.signals = {
            identity: keys[index]
            for identity, index in zip(unique.tolist(), first.tolist(), strict=True)
            if identity not in written
        }
        ranks = np.frombuffer(bytes.fromhex("".join(self._ids)), ">u8").astype(np.uint64).reshape(-1, 2)
        merged.twins, merged.trends = merge_observations(
            ids,
            np.array(list(map(_TIME, observations)), np.int64),
            ranks[events],
            events,
            observations,
            self._ids,
            positions,
        )

    def _merge_samples(self, merged: Merged) -> None:
        sets: dict[tuple[str, int, int], set[int]] = {}
        for sample in self.facts.samples:
            offset_us = sample.time_us % SLOT_US
            key = (sample.point, QUALITY_RANK[sample.quality], sample.time_us - offset_us)
            sets.setdefault(key, set()).add(pack_sample(offset_us, sample.power_mw))
        merged.samples = [SampleRow(*key, tuple(sorted(sets[key]))) for key in sorted(sets)]

    def _merge_slot_values(self, merged: Merged, positions: list[int]) -> None:
        rows: dict[tuple[int, int, str, int, str], int] = {}
        identities = self._names.series
        for value, position in zip(self.facts.slot_values, positions, strict=True):
            name = (value.series, value.object, value.unit)
            identity = identities[name]
            if identity not in self._names.written.series:
                merged.series[identity] = name
            row = (identity, value.slot_us, value.version, QUALITY_RANK[value.quality], decimal_text(value.value))
            rows[row] = min(position, rows.get(row, position))
        merged.series = dict(sorted(merged.series.items()))
        merged.slot_values = [SlotValueRow(*row, rows[row]) for row in sorted(rows)]


def _register_row(key: tuple[str, ...], digits: int) -> tuple[str, str, str, str, int, str, int]:
    point, device, obis, direction, quality, document = key
    return point, device, obis, direction, QUALITY_RANK[quality], document, digits


def pack_sample(offset_us: int, power_mw: int) -> int:
    """One integer for a sample within its quarter hour; sorts by time.

    Raises:
        ValueError: power beyond +-4.29 MW, which no low-voltage connection carries.
    """
    if not -_POWER_ZERO <= power_mw < _POWER_ZERO:
        raise ValueError(f"a sample of {power_mw} mW is beyond +-4.29 MW")
    return (offset_us << _OFFSET_SHIFT) | (power_mw + _POWER_ZERO)


def unpack_sample(packed: int) -> tuple[int, int]:
    """Microseconds since the start of the quarter hour, and power in mW.

    >>> unpack_sample(pack_sample(1_000_000, -3_700_000))
    (1000000, -3700000)
    """
    return packed >> _OFFSET_SHIFT, (packed & ((1 << _OFFSET_SHIFT) - 1)) - _POWER_ZERO
