"""Facts as columns: gathered event by event, sorted when a segment closes.

Readings are sorted by register, observations by actor and attribute, slot values by series, samples by point, each then
by time: what is said of one of them lies in few row groups, and a replay of readings merges without sorting. Names
stand in every row as dictionary columns, and once more in a small file of their own, so that a replay reads integers
only.
"""

from array import array
from collections.abc import MutableSequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.facts import Facts
from schemas.time import SLOT_US, format_time
from twin.merge.batch import QUALITY_RANK, Names
from twin.merge.columns import Ints, starts_of_groups
from twin.merge.identity import Identities
from twin.merge.observations import canonical, decimal_text

RegisterName = tuple[str, str, str, str, str, str]
"""Point, device, obis, direction, quality, document."""

NamesById = dict[int, tuple[str | int, ...]]

REGISTER = ("point", "device", "obis", "direction", "quality", "document")
SIGNAL = ("actor", "attribute")
SERIES = ("series", "object", "unit")

KINDS = ("readings", "observations", "samples", "slot_values", "registers", "signals", "series")
"""The files of facts in a segment; the last three hold the names of the first."""


@dataclass(slots=True)
class FactColumns:
    """Facts of one segment. ``facts`` is filled by observers; :meth:`close_event` says whose they were.

    ``said`` counts those that are packed; ``names`` are the identities that the process has met.
    """

    names: Names = field(default_factory=Names)
    facts: Facts = field(default_factory=Facts)
    said: int = 0
    _ids: list[str] = field(default_factory=list)
    _positions: MutableSequence[int] = field(default_factory=lambda: array("q"))
    _recorded: MutableSequence[int] = field(default_factory=lambda: array("q"))
    _counts: MutableSequence[int] = field(default_factory=lambda: array("q"))
    _parts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _registers: dict[int, tuple[RegisterName, int]] = field(default_factory=dict)
    _latest: dict[tuple[str, int], tuple[int, str, int, int]] = field(default_factory=dict)

    def close_event(self, event_id: str, position: int, recorded_us: int, interface: str, time_us: int | None) -> None:
        """All facts appended since the last call were said by this event, which crossed that interface."""
        self._ids.append(event_id)
        self._positions.append(position)
        self._recorded.append(recorded_us)
        self._counts.extend(self.facts.counts())
        if time_us is not None:
            key = (interface, time_us - time_us % SLOT_US)
            latest = (time_us, event_id, position, recorded_us)
            if key not in self._latest or latest > self._latest[key]:
                self._latest[key] = latest

    def pack(self) -> None:
        """Turn what was gathered into columns, which take a tenth of the memory."""
        if not self._ids:
            return
        bounds = np.array(self._counts, np.int64).reshape(-1, 4)
        counts = np.diff(bounds, axis=0, prepend=np.zeros((1, 4), np.int64))
        events = np.arange(len(self._ids))
        ranks = np.frombuffer(bytes.fromhex("".join(self._ids)), "V16")
        said_by = {
            "position": np.array(self._positions, np.int64),
            "recorded_us": np.array(self._recorded, np.int64),
            "event_id": ranks,
        }
        for kind, gather in enumerate((self._observations, self._readings, self._samples, self._slot_values)):
            index = np.repeat(events, counts[:, kind])
            self.said += len(index)
            if len(index):
                gather({name: column[index] for name, column in said_by.items()})
        self.facts = Facts()
        self._ids.clear()
        for gathered in (self._positions, self._recorded, self._counts):
            del gathered[:]

    def tables(self) -> dict[str, pa.Table]:
        """Every kind as a sorted table."""
        self.pack()
        self._add_latest()
        signals = self._named("observations", "signal_id", self.names.signals)
        series = self._named("slot_values", "series_id", self.names.series)
        return {
            "readings": self._reading_table(),
            "observations": self._observation_table(signals),
            "samples": self._sample_table(),
            "slot_values": self._slot_value_table(series),
            "registers": self._register_names(),
            "signals": _names("signal_id", SIGNAL, signals),
            "series": _names("series_id", SERIES, series),
        }

    def _readings(self, said_by: dict[str, NDArray[Any]]) -> None:
        point, device, obis, direction, time, value, quality, document, digits = zip(*self.facts.readings, strict=True)
        keys = list(zip(point, device, obis, direction, quality, document, strict=True))
        ids = [self.names.registers[key] for key in keys]
        for identity, key, width in set(zip(ids, keys, digits, strict=True)):
            known = self._registers.get(identity)
            self._registers[identity] = (key, max(width, known[1]) if known else width)
        self._keep(
            "readings",
            register_id=np.array(ids, np.int64),
            time_us=np.array(time, np.int64),
            value_mwh=np.array(value, np.int64),
            position=said_by["position"],
            recorded_us=said_by["recorded_us"],
        )

    def _observations(self, said_by: dict[str, NDArray[Any]]) -> None:
        actor, attribute, value, unit, time = zip(*self.facts.observations, strict=True)
        ids = [self.names.signals[key] for key in zip(actor, attribute, strict=True)]
        self._keep(
            "observations",
            signal_id=np.array(ids, np.int64),
            value_json=pa.array([canonical(item) for item in value], pa.string()),
            unit=pa.array(unit, pa.string()),
            time_us=np.array(time, np.int64),
            **said_by,
        )

    def _samples(self, said_by: dict[str, NDArray[Any]]) -> None:
        point, power, time, quality = zip(*self.facts.samples, strict=True)
        self._keep(
            "samples",
            point=pa.array(point, pa.string()),
            power_mw=np.array(power, np.int64),
            time_us=np.array(time, np.int64),
            quality=pa.array(quality, pa.string()),
            position=said_by["position"],
            recorded_us=said_by["recorded_us"],
        )

    def _slot_values(self, said_by: dict[str, NDArray[Any]]) -> None:
        series, thing, slot, value, unit, quality, version = zip(*self.facts.slot_values, strict=True)
        ids = [self.names.series[key] for key in zip(series, thing, unit, strict=True)]
        self._keep(
            "slot_values",
            series_id=np.array(ids, np.int64),
            slot_us=np.array(slot, np.int64),
            value=pa.array([decimal_text(item) for item in value], pa.string()),
            quality=pa.array(quality, pa.string()),
            version=pa.array(version, pa.string()),
            position=said_by["position"],
            recorded_us=said_by["recorded_us"],
        )

    def _keep(self, kind: str, **columns: Any) -> None:
        self._parts.setdefault(kind, []).append(columns)

    def _add_latest(self) -> None:
        """The latest message of each interface within each quarter hour, as the live projector says it.

        So a cut at any quarter hour, and every day starts at one, needs no look at the messages.
        """
        rows = [(interface, *latest) for (interface, _), latest in sorted(self._latest.items())]
        if not rows:
            return
        interface, time, event_id, position, recorded = zip(*rows, strict=True)
        ids = [self.names.signals[f"interface:{number}", "last_message"] for number in interface]
        self._keep(
            "observations",
            signal_id=np.array(ids, np.int64),
            value_json=pa.array([canonical(format_time(time_us)) for time_us in time], pa.string()),
            unit=pa.array([""] * len(rows), pa.string()),
            time_us=np.array(time, np.int64),
            position=np.array(position, np.int64),
            recorded_us=np.array(recorded, np.int64),
            event_id=np.frombuffer(bytes.fromhex("".join(event_id)), "V16"),
        )
        self._latest.clear()

    def _joined(self, kind: str) -> dict[str, Any]:
        parts = self._parts.pop(kind, [])
        if not parts:
            return {}
        joined = {}
        for name in list(parts[0]):
            pieces = [part.pop(name) for part in parts]
            joined[name] = np.concatenate(pieces) if isinstance(pieces[0], np.ndarray) else pa.concat_arrays(pieces)
        return joined

    def _reading_table(self) -> pa.Table:
        columns = self._joined("readings")
        if not columns:
            return READINGS.empty_table()
        ids = columns["register_id"]
        sort = np.lexsort((columns["time_us"], ids))
        ids = ids[sort]
        codes, distinct = _codes(ids)
        names = [self._registers[identity] for identity in distinct]
        arrays = {name: _spread([key[place] for key, _ in names], codes) for place, name in enumerate(REGISTER)}
        digits = np.array([width for _, width in names], np.int8)[codes]
        del columns["register_id"]
        return _table(READINGS, {"register_id": ids, **arrays, "digits": digits, **_sorted(columns, sort)})

    def _named(self, kind: str, column: str, known: Identities) -> NamesById:
        """What the facts of a kind are about: names by identity."""
        ids = [part[column] for part in self._parts.get(kind, [])]
        used = set(np.unique(np.concatenate(ids)).tolist()) if ids else set()
        return {identity: key for key, identity in known.items() if identity in used}

    def _observation_table(self, signals: NamesById) -> pa.Table:
        columns = self._joined("observations")
        if not columns:
            return OBSERVATIONS.empty_table()
        names = sorted((key, identity) for identity, key in signals.items())
        identities = np.array([identity for _, identity in names], np.int64)
        by_identity = np.argsort(identities)
        codes = by_identity[np.searchsorted(identities[by_identity], columns["signal_id"])]
        words = columns["event_id"].view(">u8").reshape(-1, 2)
        sort = np.lexsort((-columns["position"], words[:, 1], words[:, 0], columns["time_us"], codes))
        codes = codes[sort]
        arrays = {name: _spread([str(key[place]) for key, _ in names], codes) for place, name in enumerate(SIGNAL)}
        return _table(OBSERVATIONS, arrays | _sorted(columns, sort))

    def _sample_table(self) -> pa.Table:
        columns = self._joined("samples")
        if not columns:
            return SAMPLES.empty_table()
        points = columns["point"].dictionary_encode()
        places = np.argsort(np.argsort(np.array(points.dictionary.to_pylist(), object)))
        sort = np.lexsort((columns["time_us"], places[points.indices.to_numpy()]))
        return _table(SAMPLES, _sorted(columns, sort))

    def _slot_value_table(self, series: NamesById) -> pa.Table:
        columns = self._joined("slot_values")
        if not columns:
            return SLOT_VALUES.empty_table()
        ids = columns["series_id"]
        sort = np.lexsort((columns["slot_us"], ids))
        ids = ids[sort]
        names = _spread_names(SERIES, series, ids)
        del columns["series_id"]
        return _table(SLOT_VALUES, {"series_id": ids, **names, **_sorted(columns, sort)})

    def _register_names(self) -> pa.Table:
        rows = sorted(self._registers.items())
        columns: dict[str, Any] = {"register_id": [identity for identity, _ in rows]}
        for place, name in enumerate(REGISTER):
            columns[name] = [key[place] for _, (key, _) in rows]
        columns["digits"] = [width for _, (_, width) in rows]
        return pa.table(columns, schema=REGISTERS)


_NAME = pa.dictionary(pa.int32(), pa.string())
_WHERE = [("position", pa.int64()), ("recorded_us", pa.int64())]

READINGS = pa.schema(
    [
        ("register_id", pa.int64()),
        *[(name, _NAME) for name in REGISTER],
        ("digits", pa.int8()),
        ("time_us", pa.int64()),
        ("value_mwh", pa.int64()),
        *_WHERE,
    ]
)
OBSERVATIONS = pa.schema(
    [
        ("signal_id", pa.int64()),
        *[(name, _NAME) for name in SIGNAL],
        ("value_json", pa.string()),
        ("unit", pa.string()),
        ("time_us", pa.int64()),
        ("event_id", pa.binary(16)),
        *_WHERE,
    ]
)
SAMPLES = pa.schema(
    [("point", pa.string()), ("power_mw", pa.int64()), ("time_us", pa.int64()), ("quality", pa.string()), *_WHERE]
)
SLOT_VALUES = pa.schema(
    [
        ("series_id", pa.int64()),
        *[(name, _NAME) for name in SERIES],
        ("slot_us", pa.int64()),
        ("value", pa.string()),
        ("quality", pa.string()),
        ("version", pa.string()),
        *_WHERE,
    ]
)
REGISTERS = pa.schema([("register_id", pa.int64()), *[(name, pa.string()) for name in REGISTER], ("digits", pa.int8())])

TIME_COLUMN = {"readings": "time_us", "observations": "time_us", "samples": "time_us", "slot_values": "slot_us"}
"""The column by which a kind belongs to a day."""


def quality_ranks(qualities: pa.Array) -> Ints:
    """Places in the quality order of a column of quality words."""
    encoded = qualities.dictionary_encode() if not pa.types.is_dictionary(qualities.type) else qualities
    ranks = np.array([QUALITY_RANK[word] for word in encoded.dictionary.to_pylist()], np.int64)
    indices: Ints = encoded.indices.to_numpy()
    return ranks[indices]


def _codes(sorted_ids: Ints) -> tuple[Ints, list[int]]:
    """For each row the number of its id among the distinct ones, and these."""
    starts = starts_of_groups(sorted_ids)
    return np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(sorted_ids)))), sorted_ids[starts].tolist()


def _spread(names: list[str], codes: Ints) -> pa.DictionaryArray:
    """A name for each row, as a dictionary column."""
    distinct = pa.array(names, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(pa.array(distinct.indices.to_numpy()[codes]), distinct.dictionary)


def _spread_names(columns: tuple[str, ...], names: NamesById, sorted_ids: Ints) -> dict[str, pa.DictionaryArray]:
    codes, distinct = _codes(sorted_ids)
    return {
        name: _spread([str(names[identity][place]) for identity in distinct], codes)
        for place, name in enumerate(columns)
    }


def _names(identity: str, columns: tuple[str, ...], names: NamesById) -> pa.Table:
    schema = pa.schema([(identity, pa.int64()), *[(name, pa.string()) for name in columns]])
    data: dict[str, Any] = {identity: sorted(names)}
    for place, name in enumerate(columns):
        data[name] = [names[number][place] for number in data[identity]]
    return pa.table(data, schema=schema)


def _sorted(columns: dict[str, Any], order: Ints) -> dict[str, Any]:
    """The columns in this order; each one given goes as soon as its sorted one is there."""
    found = {}
    for name in list(columns):
        column = columns.pop(name)
        found[name] = column[order] if isinstance(column, np.ndarray) else column.take(pa.array(order))
    return found


def _table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    arrays = []
    for entry in schema:
        column = columns[entry.name]
        if isinstance(column, np.ndarray) and column.dtype.kind == "V":
            column = pa.Array.from_buffers(entry.type, len(column), [None, pa.py_buffer(np.ascontiguousarray(column))])
        arrays.append(column if isinstance(column, pa.Array) else pa.array(column, entry.type))
    return pa.Table.from_arrays(arrays, schema=schema)
