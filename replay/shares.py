"""The messages of a day, laid aside in shares that fit into memory: each the whole of some conversations, in order.

However long a day is, the archive is read once for it: its messages go into a file of their own, cut into shares by
what they weigh, and each share is read from there. A conversation that is larger than a share is cut by time, and its
shares follow each other.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from replay.choosing import CONVERSATIONS, Chosen, choose, positions_of, stamps_of
from replay.reading import Window
from streams import memory
from streams.archive.layout import Archive, Manifest
from streams.archive.segment import MESSAGES, picked
from twin.merge.columns import Ints

SHARE_BYTES = 64 << 20
"""What a share weighs, about; more only where a conversation says more in one instant."""

_ASIDE_BYTES = 16 << 20
"""Messages gathered before they are laid aside, a batch for each share."""

_BLOCK_ROWS = 5_000
"""Messages whose batches are joined to one as a share is read."""

_PART_ROWS = 20_000
_SAMPLED_ROWS = 100_000

_FULL = {ENOSPC, EDQUOT, EFBIG}
_CHOSEN = np.dtype([("row", "<u4"), ("conversation", "<u2"), ("stamp_us", "<i8")])
_MESSAGE = pa.schema([entry for entry in MESSAGES if entry.name != "payload"])

_Rows = NDArray[np.void]


class Share(NamedTuple):
    """Messages of some conversations, in order, as tables of a few thousand.

    ``goes_on``: they are of one conversation, and the share before ended within it.
    """

    goes_on: bool
    parts: Iterator[pa.Table]


class Shares:
    """All messages that a day needs."""

    def __init__(self, messages: int, cuts: "_Cuts", batches: dict[int, list[int]], aside: IO[bytes]) -> None:
        self.messages = messages
        """How many they are."""
        self._cuts, self._batches, self._aside = cuts, batches, aside

    def __iter__(self) -> Iterator[Share]:
        """One share after the other; each is to be used before the next."""
        with pa.ipc.open_file(self._aside) as file:
            for share in sorted(self._batches):
                read = (pa.Table.from_batches([file.get_batch(number)]) for number in self._batches[share])
                yield Share(self._cuts.goes_on(share), _in_order(read))


@contextmanager
def shares(archive: Archive, window: Window) -> Iterator[Shares]:
    """The messages a day needs, as long as the context lasts.

    They lie beside the archive; in the folder for temporary files where nobody may write there.

    Raises:
        OSError: the disk is full.
    """
    folder = archive.folder if os.access(archive.folder, os.W_OK) else Path(gettempdir())
    with _scratch(folder) as chosen_file, _scratch(folder) as aside:
        chosen = _AllChosen(chosen_file)
        try:
            for manifest in archive.manifests():
                if (some := choose(archive, manifest, window)) is not None:
                    chosen.add(manifest, some)
            cuts = _cut(chosen)
            batches = _lay_aside(archive, chosen, cuts, aside)
            aside.flush()
        except OSError as problem:
            if problem.errno not in _FULL:
                raise
            hint = f"{problem.strerror}; a replay from messages lays those of its day aside here"
            raise OSError(problem.errno, hint, str(folder)) from problem
        yield Shares(chosen.messages, cuts, batches, aside)


@contextmanager
def _scratch(folder: Path) -> Iterator[IO[bytes]]:
    file = TemporaryFile(dir=folder)  # noqa: SIM115 -- closed below
    try:
        yield file
    finally:
        with suppress(OSError):  # what is thrown away need not be written first
            file.close()


class _AllChosen:
    """Messages that the day needs, by segment. They stand in a file: there may be any number of them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._segments: list[tuple[Manifest, int]] = []
        self.messages = 0
        self.weights = np.zeros(CONVERSATIONS, np.int64)

    def add(self, manifest: Manifest, some: Chosen) -> None:
        """Messages of a segment."""
        rows = np.empty(len(some.rows), _CHOSEN)
        rows["row"], rows["conversation"], rows["stamp_us"] = some.rows, some.conversations, some.stamps_us
        self._file.write(rows.tobytes())
        self._segments.append((manifest, len(rows)))
        self.messages += len(rows)
        np.add.at(self.weights, some.conversations, some.weights)

    def __iter__(self) -> Iterator[tuple[Manifest, _Rows]]:
        self._file.seek(0)
        for manifest, count in self._segments:
            yield manifest, np.frombuffer(self._file.read(count * _CHOSEN.itemsize), _CHOSEN)


class _Cuts(NamedTuple):
    """Which share a message belongs to.

    ``first`` is the first share of each conversation; ``later``, of those with more than one, the stamps at which the
    others begin.
    """

    first: Ints
    later: dict[int, Ints]

    def shares_of(self, chosen: _Rows) -> Ints:
        """The share of each message."""
        found: Ints = self.first[chosen["conversation"]]
        for number, stamps_us in self.later.items():
            mine = chosen["conversation"] == number
            found[mine] += np.searchsorted(stamps_us, chosen["stamp_us"][mine], side="right")
        return found

    def goes_on(self, share: int) -> bool:
        """Whether a share's conversation began in an earlier one."""
        return share not in self.first


def _cut(chosen: _AllChosen) -> _Cuts:
    """Fill one share after the other with conversations; one that is larger than a share has some for itself."""
    first, later = np.zeros(CONVERSATIONS, np.int64), _later(chosen)
    share, filled = 0, 0
    for number in np.flatnonzero(chosen.weights).tolist():
        weight = int(chosen.weights[number])
        if filled and filled + weight > SHARE_BYTES:
            share, filled = share + 1, 0
        first[number] = share
        share += len(later.get(number, ()))
        filled += weight
    return _Cuts(first, later)


def _later(chosen: _AllChosen) -> dict[int, Ints]:
    """Where to cut the conversations that are larger than a share, judged by some of their messages."""
    large = np.flatnonzero(chosen.weights > SHARE_BYTES)
    step = 1 + chosen.messages // _SAMPLED_ROWS
    sampled = np.concatenate([some[::step] for _, some in chosen]) if len(large) else np.empty(0, _CHOSEN)
    found = {}
    for number in large.tolist():
        stamps_us = np.sort(sampled["stamp_us"][sampled["conversation"] == number])
        pieces = -int(-chosen.weights[number] // SHARE_BYTES)
        if len(stamps_us):
            begun_us = np.unique(stamps_us[len(stamps_us) * np.arange(1, pieces) // pieces])
            found[number] = begun_us[begun_us > stamps_us[0]]  # the first share has what comes before
    return found


def _lay_aside(archive: Archive, chosen: _AllChosen, cuts: _Cuts, aside: IO[bytes]) -> dict[int, list[int]]:
    """Write the messages into a file of batches, each of one share; the batches of each share are given back."""
    batches: defaultdict[int, list[int]] = defaultdict(list)
    written = 0
    with pa.ipc.new_file(aside, _MESSAGE, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
        for table, owners in _gathered(archive, chosen, cuts):
            order = np.argsort(owners, kind="stable")
            messages = table.take(pa.array(order)).combine_chunks()
            present, starts, counts = np.unique(owners[order], return_index=True, return_counts=True)
            for share, start, count in zip(present.tolist(), starts.tolist(), counts.tolist(), strict=True):
                file.write_table(messages.slice(start, count))
                batches[share].append(written)
                written += 1
            memory.give_back()
    return batches


def _gathered(archive: Archive, chosen: _AllChosen, cuts: _Cuts) -> Iterator[tuple[pa.Table, Ints]]:
    """All messages, some row groups at a time, with the share of each."""
    tables: list[pa.Table] = []
    owners: list[Ints] = []
    size = 0
    for manifest, some in chosen:
        whose = cuts.shares_of(some)
        for table, mine in _row_groups(archive, manifest, some["row"]):
            tables.append(table)
            owners.append(whose[mine])
            size += table.nbytes
            if size >= _ASIDE_BYTES:
                yield pa.concat_tables(tables), np.concatenate(owners)
                tables, owners, size = [], [], 0
    if tables:
        yield pa.concat_tables(tables), np.concatenate(owners)


def _row_groups(archive: Archive, manifest: Manifest, rows: Any) -> Iterator[tuple[pa.Table, slice]]:
    """Some messages of a segment, a row group at a time, and which of ``rows``, in order, these are."""
    with pq.ParquetFile(archive.file(manifest.number, "messages"), memory_map=True) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        start = 0
        for group, end in enumerate(np.cumsum(sizes).tolist()):
            stop = int(np.searchsorted(rows, end))
            if stop > start:
                table = file.read_row_group(group, columns=_MESSAGE.names, use_threads=False)
                yield table.take(pa.array(rows[start:stop] - np.uint32(end - sizes[group]))), slice(start, stop)
            start = stop


def _in_order(read: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The messages of a share in the order of their log's time stamps."""
    table = _joined(read)
    order = np.lexsort((positions_of(table), table["recorded_us"].to_numpy(), stamps_of(table)))
    for start in range(0, len(order), _PART_ROWS):
        yield picked(table, order[start : start + _PART_ROWS])


def _joined(parts: Iterator[pa.Table]) -> pa.Table:
    """Tables as one of few chunks: the longer a day, the more parts has a share, and the smaller they are."""
    blocks: list[pa.Table] = []
    waiting: list[pa.Table] = []
    rows = 0
    for part in parts:
        waiting.append(part)
        rows += part.num_rows
        if rows >= _BLOCK_ROWS:
            blocks.append(pa.concat_tables(waiting).combine_chunks())
            waiting, rows = [], 0
            memory.give_back()
    blocks += waiting
    memory.give_back()
    return pa.concat_tables(blocks)
