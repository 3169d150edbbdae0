"""A queue on disk: what a gateway has promised to deliver while Kafka is away.

Append-only segment files of ``length (4 bytes, big endian) | CRC32 (4 bytes) | payload``; ``append`` returns when
the bytes are on the disk. A torn tail, left by a crash in the middle of an append that was never answered,
is cut off on opening and kept beside. A small cursor file says how far the queue was emptied; a crash between
delivery and cursor delivers again, and the same message twice is the same event.
"""

import fcntl
import logging
import os
import struct
import threading
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zlib import crc32

_HEADER = struct.Struct(">II")
_SUFFIX = ".spool"
HEADER_BYTES = _HEADER.size

_log = logging.getLogger(__name__)


class SpoolFull(Exception):
    """Neither limit nor disk allow another message."""


class SpoolTaken(Exception):
    """Another process uses that folder."""


class Place(NamedTuple):
    """A place in the queue: number of the segment, byte in it."""

    segment: int
    byte: int


class Chunk(NamedTuple):
    """The oldest messages, and the place behind them."""

    payloads: list[bytes]
    end: Place


class Spool:
    """The queue in one folder; one process at a time, any number of its threads.

    Raises:
        SpoolTaken: another process has it open.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path, *, limit_bytes: int = 4 << 30, segment_bytes: int = 64 << 20) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._claim = claim(folder / "lock")
        self._start = _read_cursor(folder / "cursor")
        self._waiting = 0
        self._bytes = 0
        self._recover()

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return self._waiting

    @property
    def is_open(self) -> bool:
        """Whether it takes anything; one whose limit is 0 only gives back what it holds."""
        return self._limit_bytes > 0

    @property
    def size_bytes(self) -> int:
        """What the segments take on disk."""
        return self._bytes

    def append(self, payloads: Iterable[bytes]) -> None:
        """Take messages at the end of the queue, all or none; on disk when this returns.

        Raises:
            SpoolFull: the limit is reached or the disk is full; nothing was taken.
        """
        payloads = list(payloads)
        block = block_of(payloads)
        with self._lock:
            if self._bytes + len(block) > self._limit_bytes:
                raise SpoolFull(f"the spool in {self._folder} holds {self._bytes} bytes, its limit")
            if self._end >= self._segment_bytes:
                self._next_segment()
            try:
                write_through(self._file, block)
            except OSError as problem:
                self._file.truncate(self._end)
                raise SpoolFull(f"the spool in {self._folder} cannot be written: {problem}") from problem
            self._end += len(block)
            self._bytes += len(block)
            self._waiting += len(payloads)

    def oldest(self, limit: int = 500, limit_bytes: int = 16 << 20) -> Chunk:
        """The oldest messages, at least one if any waits; they stay until :meth:`drop`."""
        with self._lock:
            payloads: list[bytes] = []
            place, size = self._start, 0
            for number in [number for number in self._segments() if number >= place.segment]:
                place = place if number == place.segment else Place(number, 0)
                with _path(self._folder, number).open("rb") as file:
                    file.seek(place.byte)
                    while len(payloads) < limit and (size < limit_bytes or not payloads):
                        payload = next_payload(file)
                        if payload is None:
                            break
                        payloads.append(payload)
                        size += len(payload)
                        place = Place(number, file.tell())
                    else:
                        break
            return Chunk(payloads, place)

    def drop(self, chunk: Chunk) -> None:
        """Forget the messages of a chunk: they were delivered."""
        with self._lock:
            _write_cursor(self._folder / "cursor", chunk.end)
            self._start = chunk.end
            self._waiting -= len(chunk.payloads)
            if not self._waiting and self._end:
                self._next_segment()
                self._start = Place(self._last, 0)
            self._delete_behind()

    def set_aside(self, chunk: Chunk) -> Path:
        """Take messages out of the queue that can never be delivered, and keep them in a file beside it."""
        path = self._folder / f"{chunk.end.segment:012d}-{chunk.end.byte}.refused"
        with path.open("wb", buffering=0) as file:
            write_through(file, block_of(chunk.payloads))
        self.drop(chunk)
        return path

    def close(self) -> None:
        """Let go of the folder."""
        with self._lock:
            self._file.close()
            self._claim.close()

    def _recover(self) -> None:
        numbers = self._segments()
        for number in numbers:
            path = _path(self._folder, number)
            waiting, whole = _measure(path, self._start)
            if whole < path.stat().st_size:
                _cut(path, whole)
            self._bytes += whole
            self._waiting += waiting
        self._open_segment(max([*numbers, self._start.segment]))
        if Place(self._last, self._end) < self._start:
            # The cursor stands behind the end (the segment was damaged or taken away): a message put here would
            # pass for delivered.
            self._next_segment()
            self._start = Place(self._last, 0)
        self._delete_behind()

    def _next_segment(self) -> None:
        self._file.close()
        self._open_segment(self._last + 1)

    def _open_segment(self, number: int) -> None:
        self._last = number
        self._file = _path(self._folder, number).open("ab", buffering=0)
        self._end = self._file.seek(0, os.SEEK_END)
        sync_folder(self._folder)

    def _delete_behind(self) -> None:
        for number in self._segments():
            if number < self._start.segment:
                path = _path(self._folder, number)
                self._bytes -= path.stat().st_size
                path.unlink()

    def _segments(self) -> list[int]:
        return sorted(int(path.stem) for path in self._folder.glob(f"*{_SUFFIX}"))


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:012d}{_SUFFIX}"


def block_of(payloads: list[bytes]) -> bytes:
    """Messages as they stand in a segment."""
    return b"".join(_HEADER.pack(len(payload), crc32(payload)) + payload for payload in payloads)


def write_through(file: FileIO, block: bytes) -> None:
    """Write all of it; on the disk when this returns."""
    left = memoryview(block)
    while left:
        left = left[file.write(left) :]
    os.fsync(file.fileno())


def next_payload(file: BinaryIO) -> bytes | None:
    """The message at the file's place; None at the end or where the bytes are not whole."""
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    length, checksum = _HEADER.unpack(header)
    payload = file.read(length)
    if len(payload) < length or crc32(payload) != checksum:
        return None
    return payload


def _measure(path: Path, start: Place) -> tuple[int, int]:
    """How many messages of a segment wait, and where its whole messages end."""
    number, waiting, whole = int(path.stem), 0, 0
    with path.open("rb") as file:
        while next_payload(file) is not None:
            waiting += Place(number, whole) >= start
            whole = file.tell()
    return waiting, whole


def _cut(path: Path, whole: int) -> None:
    """Cut off what is not whole, and keep it beside for whoever wants to look."""
    with path.open("r+b") as file:
        file.seek(whole)
        tail = file.read()
        path.with_suffix(f".cut-at-{whole}").write_bytes(tail)
        file.truncate(whole)
        os.fsync(file.fileno())
    _log.warning("cut %d bytes that are not whole messages from %s", len(tail), path)


def claim(path: Path) -> BinaryIO:
    """Hold a lock file as long as what is returned stays open.

    Raises:
        SpoolTaken: another process holds it.
    """
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        file.close()
        raise SpoolTaken(f"another gateway or tap uses the folder {path.parent}; give this one its own") from problem
    return file


def _read_cursor(path: Path) -> Place:
    try:
        segment, byte = path.read_text().split()
    except FileNotFoundError:
        return Place(1, 0)
    return Place(int(segment), int(byte))


def _write_cursor(path: Path, place: Place) -> None:
    """Replace the cursor in one step, on the disk before anything it points behind is deleted."""
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(f"{place.segment} {place.byte}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder onto the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
