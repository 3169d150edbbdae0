"""Observations in the archive: all that is said of some actors, or the last of each attribute, from few row groups.

The file of observations is sorted by actor, attribute, time and event, so what is said of an actor lies together, and
the last row of an attribute is what holds. Which rows are wanted, the columns of names tell alone; the others are read
only of row groups that hold a wanted one.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from replay.filtered import Cut, chosen_rows, tuples, value_of
from replay.reading import whole
from streams.archive.layout import Archive, Manifest
from streams.lookups import Attribute
from twin.merge.observations import canonical

KIND = "observations"
_NAMES = ("actor", "attribute")
_COLUMNS = (*_NAMES, "value_json", "unit", "time_us", "event_id", "position")

Wants = Callable[[str, str], bool]
"""Whether an attribute of an actor is asked for."""


def observed(
    archive: Archive,
    manifest: Manifest,
    actors: Collection[str],
    cut: Cut,
    wants: Wants | None = None,
    *,
    latest: bool = False,
) -> Iterator[Attribute]:
    """Observations of actors within a cut; ``wants`` says of which attributes, None: of all.

    ``latest``: of each attribute only what came last; it may come once more where it lies in several row groups.
    """
    if not actors or not cut.may_touch(manifest, KIND):
        return

    def wanted(names: pa.Table) -> NDArray[np.bool_]:
        return _wanted(names, frozenset(actors), wants)

    for table in _tables(archive, manifest, cut, sorted(actors), wanted):
        yield from _attributes(_last_of_each(table) if latest else table)


def who_said(archive: Archive, manifest: Manifest, attribute: str, values: Collection[Any], cut: Cut) -> set[str]:
    """The actors of whom it was said, within a cut, that an attribute has one of some values."""
    if not cut.may_touch(manifest, KIND):
        return set()
    texts = pa.array([canonical(value) for value in values], pa.string())

    def wanted(names: pa.Table) -> NDArray[np.bool_]:
        said = _by_name(names["attribute"], lambda name: name == attribute)
        if said.any():
            said &= pc.is_in(names["value_json"], value_set=texts).to_numpy().astype(np.bool_)
        return said

    names = ("attribute", "value_json")
    tables = _tables(archive, manifest, cut, None, wanted, names)
    return {seen.actor for table in tables for seen in _attributes(table)}


def _tables(
    archive: Archive,
    manifest: Manifest,
    cut: Cut,
    actors: list[str] | None,
    wanted: Callable[[pa.Table], NDArray[np.bool_]],
    names: tuple[str, ...] = _NAMES,
) -> Iterator[pa.Table]:
    """The wanted rows within a cut, a row group at a time."""
    file = archive.file(manifest.number, KIND)
    for table in chosen_rows(file, names, wanted, (*_COLUMNS, "recorded_us"), within=("actor", actors)):
        yield cut.of(table, "time_us")


def _wanted(names: pa.Table, actors: frozenset[str], wants: Wants | None) -> NDArray[np.bool_]:
    of_actors = _by_name(names["actor"], actors.__contains__)
    if wants is None or not of_actors.any():
        return of_actors
    actor, attribute = (whole(names[name]) for name in _NAMES)
    codes = [column.indices.to_numpy().astype(np.int64) for column in (actor, attribute)]
    pairs = codes[0] * len(attribute.dictionary) + codes[1]
    who, what = actor.dictionary.to_pylist(), attribute.dictionary.to_pylist()
    asked = [
        pair for pair in np.unique(pairs[of_actors]).tolist() if wants(who[pair // len(what)], what[pair % len(what)])
    ]
    return of_actors & np.isin(pairs, asked)


def _by_name(column: pa.ChunkedArray, test: Callable[[str], bool]) -> NDArray[np.bool_]:
    """A test of names for each row of a dictionary column, made once for each name."""
    names = whole(column)
    passed = np.fromiter((test(name) for name in names.dictionary.to_pylist()), np.bool_, len(names.dictionary))
    rows: NDArray[np.bool_] = passed[names.indices.to_numpy()]
    return rows


def _last_of_each(table: pa.Table) -> pa.Table:
    """The last row of each actor and attribute, of rows that are sorted by them."""
    if not table.num_rows:
        return table
    codes = [whole(table[name]).indices.to_numpy() for name in _NAMES]
    ends = (codes[0][1:] != codes[0][:-1]) | (codes[1][1:] != codes[1][:-1])
    return table.filter(pa.array(np.append(ends, True)))


def _attributes(table: pa.Table) -> Iterator[Attribute]:
    for actor, attribute, value, unit, time_us, event_id, position in tuples(table, _COLUMNS):
        yield Attribute(actor, attribute, value_of(value), unit, time_us, event_id.hex(), position)
