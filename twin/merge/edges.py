"""Register readings to edges: the first and the last reading of a register within each quarter hour.

The merge is a lattice: earliest time for the first, latest for the last, and for claims about the same instant
the smallest value and the spread to the largest. Nothing depends on the order in which readings come.
"""

import numpy as np

from schemas.time import SLOT_US
from twin.merge.columns import NO_EDGES, Edges, Ints, starts_of_groups

_FAR = np.iinfo(np.int64).max


def merge_readings(register_id: Ints, time_us: Ints, value_mwh: Ints, position: Ints) -> Edges:
    """Edges of readings given as columns of equal length, in any order."""
    if len(register_id) == 0:
        return NO_EDGES
    zeros = np.zeros_like(value_mwh)
    slot_us = time_us - time_us % SLOT_US
    return merge_edges(
        Edges(register_id, slot_us, time_us, value_mwh, zeros, position, time_us, value_mwh, zeros, position)
    )


def concatenate(parts: list[Edges]) -> Edges:
    """Edges of several batches behind each other; not merged yet."""
    return Edges(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else NO_EDGES


def merge_edges(edges: Edges) -> Edges:
    """One row per register and slot, sorted, from rows in any order and number."""
    if len(edges.slot_us) == 0:
        return edges
    if not _is_sorted(edges):
        order = np.lexsort((edges.first_us, edges.slot_us, edges.register_id))
        edges = Edges(*(column[order] for column in edges))
    starts = starts_of_groups(edges.register_id, edges.slot_us)
    if len(starts) == len(edges.slot_us):
        return edges
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(edges.slot_us))))
    first = _side(edges.first_us, edges.first_mwh, edges.first_spread_mwh, edges.first_position, starts, group, 1)
    last = _side(edges.last_us, edges.last_mwh, edges.last_spread_mwh, edges.last_position, starts, group, -1)
    return Edges(edges.register_id[starts], edges.slot_us[starts], *first, *last)


def _side(
    time: Ints, value: Ints, spread: Ints, position: Ints, starts: Ints, group: Ints, sign: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Winner of each group: earliest time (``sign`` 1) or latest (-1), smallest value, spread, smallest position."""
    best_time = sign * np.minimum.reduceat(sign * time, starts)
    at_best = time == best_time[group]
    low = np.minimum.reduceat(np.where(at_best, value, _FAR), starts)
    high = np.maximum.reduceat(np.where(at_best, value + spread, -_FAR), starts)
    says_low = at_best & (value == low[group])
    where = np.minimum.reduceat(np.where(says_low, position, _FAR), starts)
    return best_time, low, high - low, where


def _is_sorted(edges: Edges) -> bool:
    register, slot = edges.register_id, edges.slot_us
    same = register[1:] == register[:-1]
    return bool(np.all((register[1:] > register[:-1]) | (same & (slot[1:] >= slot[:-1]))))
