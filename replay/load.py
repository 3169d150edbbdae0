"""Rows into a fresh schema: one COPY stream a table while every key is new, upserts from then on.

What a replay has read of a table is folded in memory. As segments come in the order of their first time, rows before
the next segment's first time are final: they are handed to the COPY and forgotten. So memory does not grow with the
day. Where segments overlap so far that too many rows stay open, they are written too, and the database merges.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self

import psycopg
from psycopg import sql

from replay.columns import AnyRows, joined, picked
from streams import copy_binary as binary
from streams.sink_sql import TABLES, Upsert
from twin.merge.columns import stretch_of

OPEN_ROWS = 125_000
"""Rows of a table held in memory before they are written although more may come for their keys."""

_WRITTEN_ROWS = 50_000
_PIECES_AHEAD = 2
_LOOK_S = 0.1
"""How often whoever waits looks whether the other one is still there."""


_Piece = tuple[bytes, bool]


class _BrokenOffError(Exception):
    """The replay ends before all its rows are there."""


def table(name: str) -> Upsert:
    """The statements of a table."""
    return next(entry for entry in TABLES if entry.name == name)


class TableWriter:
    """Writes one table on a connection and a thread of its own, while the next rows are being read."""

    def __init__(self, url: str, schema: str, name: str) -> None:
        self._url, self._schema, self._table = url, schema, table(name)
        self._pieces: queue.Queue[_Piece | None] = queue.Queue(_PIECES_AHEAD)
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"write-{name}", daemon=True)
        self.rows = 0
        """Rows of the table, once all is written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._trouble = self._trouble or error
        try:
            if self._thread.is_alive():
                if error is None:
                    self._hand(None)
                self._thread.join()
        except BaseException as stopped:
            self._trouble = self._trouble or stopped
            raise
        if error is None and self._trouble is not None:
            raise self._trouble

    def put(self, data: bytes, *, new: bool) -> None:
        """Rows in COPY's binary form; ``new``: none of their keys was or will be written otherwise.

        Raises:
            psycopg.Error: writing failed, now or before.
        """
        if not data:
            return
        if self._thread.ident is None:
            self._thread.start()
        self._hand((data, new))

    def _hand(self, piece: _Piece | None) -> None:
        """Give the thread rows, or None: no more will come."""
        while True:
            if self._trouble is not None:
                raise self._trouble
            with suppress(queue.Full):
                self._pieces.put(piece, timeout=_LOOK_S)
                return

    def _next(self) -> _Piece | None:
        """What the thread is to write next; it ends, too, when the replay is broken off wherever that happens."""
        while self._trouble is None:
            with suppress(queue.Empty):
                return self._pieces.get(timeout=_LOOK_S)
        raise _BrokenOffError

    def _run(self) -> None:
        try:
            with psycopg.connect(self._url) as connection:
                connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(self._schema)))
                connection.execute("set synchronous_commit to off")
                connection.execute(self._table.staging.encode())
                self._write(connection)
        except Exception as problem:  # noqa: BLE001 -- handed to the thread that reads
            self._trouble = self._trouble or problem

    def _write(self, connection: psycopg.Connection[Any]) -> None:
        piece = self._next()
        straight = self._table.copy.replace(f"copy new_{self._table.name} ", f"copy {self._table.name} ").encode()
        if piece is not None and piece[1]:
            with connection.cursor() as cursor:
                with cursor.copy(straight) as copy:
                    copy.write(binary.HEADER)
                    while piece is not None and piece[1]:
                        copy.write(piece[0])
                        piece = self._next()
                    copy.write(binary.TRAILER)
                self.rows = cursor.rowcount
            connection.commit()
        merging = piece is not None
        while piece is not None:
            with connection.cursor() as cursor:
                with cursor.copy(self._table.copy.encode()) as copy:
                    copy.write(binary.HEADER)
                    copy.write(piece[0])
                    copy.write(binary.TRAILER)
                cursor.execute(self._table.upsert.encode())
            connection.commit()
            piece = self._next()
        if merging:  # where rows met, only the table knows how many are left
            counted = connection.execute(f"select count(*) from {self._table.name}".encode()).fetchone()  # noqa: S608 -- a constant
            self.rows = counted[0] if counted else 0


class Folding(Generic[AnyRows]):
    """Rows of one table on their way from segments to the writer."""

    def __init__(
        self,
        writer: TableWriter,
        merge: Callable[[AnyRows], AnyRows],
        layout: Callable[[AnyRows], bytes],
        *,
        seen: Callable[[AnyRows], None] | None = None,
        whole: Callable[[AnyRows, int], int] | None = None,
    ) -> None:
        """``seen`` is told what is written; ``whole`` moves a cut to where it parts nothing."""
        self._writer, self._merge, self._layout, self._seen, self._whole = writer, merge, layout, seen, whole
        self._limit = OPEN_ROWS
        self._parts: list[AnyRows] = []
        self._open = 0
        self._again = False

    def add(self, rows: AnyRows) -> None:
        """Take merged rows of one piece of the archive."""
        if not len(rows[0]):
            return
        self._parts.append(rows)
        self._open += len(rows[0])
        if self._open > self._limit:
            merged = self._fold()
            if self._open > self._limit // 2:
                self._again = True
                self._give(merged)
                self._parts.clear()
                self._open = 0

    def settle(self, before_us: int | None) -> None:
        """No more rows will come for times before this one (None: no more at all)."""
        if not self._open or (before_us is not None and self._open < _WRITTEN_ROWS):
            return
        rows = self._fold()
        if before_us is not None:
            final = rows[1] < before_us
            open_rows = picked(rows, ~final)
            rows = picked(rows, final)
            self._parts, self._open = [open_rows], len(open_rows[0])
        else:
            self._parts, self._open = [], 0
        self._give(rows)

    def _fold(self) -> AnyRows:
        parts, self._parts = self._parts, []
        rows = joined(parts)
        del parts  # they would lie beside what is made of them
        merged = self._merge(rows)
        self._parts, self._open = [merged], len(merged[0])
        return merged

    def _give(self, rows: AnyRows) -> None:
        if self._seen is not None:
            self._seen(rows)
        start, size = 0, len(rows[0])
        while start < size:
            end = min(start + _WRITTEN_ROWS, size)
            if self._whole is not None:
                end = self._whole(rows, end)
            self._writer.put(self._layout(stretch_of(rows, start, end)), new=not self._again)
            start = end
