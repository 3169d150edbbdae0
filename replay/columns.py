"""The merges of :mod:`twin.merge` on columns alone, for a replay: no Python object per fact.

Twins and trends are decided as everywhere: the latest event time wins, ties by event id. Each kind of rows is a
tuple of columns of equal length whose second column is the time by which it belongs to a quarter hour or minute.
"""

from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from schemas.time import MINUTE_US, SLOT_US
from twin.merge.columns import EMPTY, Floats, Ints, SampleRow, Words, starts_of_groups

AnyRows = TypeVar("AnyRows", bound=tuple[Any, ...])


class TrendRows(NamedTuple):
    """Rows of table ``trend``; ``high_word`` and ``low_word`` are the two halves of the event's id."""

    signal_id: Ints
    minute_us: Ints
    last_us: Ints
    high_word: Words
    low_word: Words
    last: Floats
    low: Floats
    high: Floats

    def event_ids(self) -> bytes:
        """The ids behind each other, 16 bytes each."""
        return _ids(self.high_word, self.low_word)


class SampleRows(NamedTuple):
    """Samples as table ``sample`` packs them; ``key`` numbers point and quality."""

    key: Ints
    slot_us: Ints
    packed: Ints


class TwinRows(NamedTuple):
    """Candidates for rows of table ``twin``, as columns; value and unit as Arrow text."""

    signal_id: Ints
    time_us: Ints
    high_word: Words
    low_word: Words
    position: Ints
    value_json: pa.Array
    unit: pa.Array

    def event_ids(self) -> bytes:
        """The ids behind each other, 16 bytes each."""
        return _ids(self.high_word, self.low_word)


_NO_WORDS = np.empty(0, np.uint64)
_NO_FLOATS = np.empty(0, np.float64)
NO_TRENDS = TrendRows(EMPTY, EMPTY, EMPTY, _NO_WORDS, _NO_WORDS, _NO_FLOATS, _NO_FLOATS, _NO_FLOATS)
NO_SAMPLES = SampleRows(EMPTY, EMPTY, EMPTY)


def joined(parts: list[AnyRows]) -> AnyRows:
    """Rows behind each other; not merged yet."""
    columns = [
        np.concatenate(column) if isinstance(column[0], np.ndarray) else pa.concat_arrays(column)
        for column in zip(*parts, strict=True)
    ]
    return type(parts[0])(*columns)


def picked(rows: AnyRows, which: Any) -> AnyRows:
    """Some of the rows, by a mask or by indices."""
    columns = []
    for column in rows:
        if isinstance(column, np.ndarray):
            columns.append(column[which])
        else:
            chosen = pa.array(which)
            columns.append(column.filter(chosen) if chosen.type == pa.bool_() else column.take(chosen))
    return type(rows)(*columns)


def merge_trends(rows: TrendRows) -> TrendRows:
    """One row per signal and minute, sorted, from rows in any order and number."""
    if not len(rows.signal_id):
        return rows
    order = np.lexsort((rows.last, rows.low_word, rows.high_word, rows.last_us, rows.minute_us, rows.signal_id))
    starts = starts_of_groups(rows.signal_id[order], rows.minute_us[order])
    merged = picked(rows, order[np.append(starts[1:], len(order)) - 1])
    low, high = np.minimum.reduceat(rows.low[order], starts), np.maximum.reduceat(rows.high[order], starts)
    return merged._replace(low=low, high=high)


def trends_of(twins: TwinRows, values: Floats) -> TrendRows:
    """Trend rows of numeric observations."""
    minute = twins.time_us - twins.time_us % MINUTE_US
    return merge_trends(
        TrendRows(twins.signal_id, minute, twins.time_us, twins.high_word, twins.low_word, values, values, values)
    )


def merge_twins(rows: TwinRows) -> TwinRows:
    """The winner of each signal, sorted by signal; a message that lies twice in the log counts where it lies first."""
    if not len(rows.signal_id):
        return rows
    order = np.lexsort((-rows.position, rows.low_word, rows.high_word, rows.time_us, rows.signal_id))
    ends = np.append(starts_of_groups(rows.signal_id[order])[1:], len(order)) - 1
    return picked(rows, order[ends])


def merge_samples(rows: SampleRows) -> SampleRows:
    """Each sample once, sorted by point, quality and time."""
    order = np.lexsort((rows.packed, rows.slot_us, rows.key))
    rows = picked(rows, order)
    return picked(rows, starts_of_groups(*rows))


def sample_rows(rows: SampleRows, keys: list[tuple[str, int]]) -> list[SampleRow]:
    """Merged samples as rows of table ``sample``."""
    starts = starts_of_groups(rows.key, rows.slot_us)
    ends = np.append(starts[1:], len(rows.key))
    packed = rows.packed.tolist()
    spans = zip(rows.key[starts].tolist(), rows.slot_us[starts].tolist(), starts.tolist(), ends.tolist(), strict=True)
    return [
        SampleRow(point, quality, slot, tuple(packed[start:end]))
        for (point, quality), slot, start, end in ((keys[key], *rest) for key, *rest in spans)
    ]


def _ids(high: Words, low: Words) -> bytes:
    return np.stack([high, low], axis=1).astype(">u8").tobytes()


def slot_start(time_us: Ints) -> Ints:
    """Start of the quarter hour of each time."""
    return time_us - time_us % SLOT_US
