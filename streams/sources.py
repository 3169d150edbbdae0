"""Where bytes come from: files, folders of files, streams; plain, gzip or zstd.

Compression is told by the first bytes, never by the name alone. What comes out is bounded: a file
that expands without measure, or a line that never ends, is an error and not the end of the memory.
"""

import io
import os
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import zstandard

from schemas.wire.contract import BadSyntax, TooLarge, Truncated, WireError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MIB = 1024 * 1024

HEAD_BYTES = 64 * 1024
"""How much a format gets to see to recognise itself."""

READ_LIMIT_BYTES = 256 * MIB
"""The most that one ``read()`` without a size may return: formats without borders inside (XML) read whole files."""

LINE_LIMIT_BYTES = 64 * MIB
"""The longest line."""

FREE_EXPANSION_BYTES = 256 * MIB
"""Up to here a compressed file may expand as it likes; beyond, :data:`EXPANSION_LIMIT` holds."""

EXPANSION_LIMIT = 500
"""Logs shrink to a tenth, at best to a hundredth; gzip's own limit is 1032, a bomb comes close to it."""

_GZIP_MAGIC = b"\x1f\x8b\x08"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SUFFIXES = (".gz", ".gzip", ".zst", ".zstd")

# A zstd block of 4 bytes can say 128 KiB: small bites keep what one bite expands to below 32 MiB.
_ZSTD_BITE_BYTES = 1024
_GZIP_BITE_BYTES = 64 * 1024


@dataclass(slots=True)
class Meter:
    """How many bytes were taken from the files as they lie on disk (compressed ones counted compressed).

    ``expanded_limit_bytes`` is the most that may come out of one compressed file; None: only the ratio counts.
    """

    read_bytes: int = 0
    expanded_limit_bytes: int | None = None


class Source(NamedTuple):
    """A file to read; ``name`` is its name without folders and without the suffix of a compression."""

    path: Path
    name: str
    size_bytes: int

    def open(self, meter: Meter | None = None) -> "BoundedReader":
        """The file's bytes, expanded.

        Raises:
            OSError: cannot be opened.
        """
        return expand(self.path.open("rb", buffering=0), meter)


def find(path: Path) -> list[Source]:
    """The file, or every file below the folder in sorted order; hidden ones are passed over.

    Raises:
        FileNotFoundError: there is nothing at that path.
    """
    if not path.is_dir():
        # The shell numbers its pipes as they come, and a number says nothing: the same log is to be the same source.
        name = "pipe" if path.name.isdigit() and path.parent.name == "fd" else plain_name(path.name)
        return [Source(path, name, path.stat().st_size)]
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        found += [Source(file, plain_name(file.name), file.stat().st_size) for file in files if file.is_file()]
    return sorted(found)


def plain_name(name: str) -> str:
    """The name before compression, so that a log and its compressed copy are the same source.

    >>> plain_name("street.log.gz"), plain_name("street.log")
    ('street.log', 'street.log')
    """
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def expand(stream: BinaryIO | io.RawIOBase, meter: Meter | None = None, *, keep_open: bool = False) -> "BoundedReader":
    """The stream's bytes, expanded where they are compressed.

    Closing what is returned closes the stream below, unless it is to be kept open.
    """
    return BoundedReader(_Expanding(stream, meter or Meter(), keep_open=keep_open))


class Piece(NamedTuple):
    """One file, or what stands for one; ``open`` may be called again unless it is a pipe."""

    name: str
    open: "Callable[[Meter], BoundedReader]"
    conversation: str = ""
    once: bool = False
    """Opened again, it goes on where it stands."""


def pieces(what: Path | str | Source | bytes | BinaryIO) -> Iterator[Piece]:
    """What is to be read: a path's files, a file, the bytes themselves, or what an open stream still holds.

    Raises:
        OSError: there is nothing at that path, or a pipe cannot be opened.
    """
    if isinstance(what, bytes):
        yield Piece("", lambda meter: expand(io.BytesIO(what), meter))
    elif isinstance(what, Source):
        yield from _piece_of(what)
    elif isinstance(what, (str, Path)):
        for found in find(Path(what)):
            yield from _piece_of(found)
    else:
        yield Piece("", _rewinding(what), once=not what.seekable())


def _piece_of(source: Source) -> Iterator[Piece]:
    if source.path.is_file():
        yield Piece(source.name, source.open, str(source.path))
        return
    # A pipe: opened once, for opening it again would wait for a writer that has gone.
    with source.path.open("rb", buffering=0) as stream:
        yield Piece(source.name, _rewinding(stream), str(source.path), once=True)


def _rewinding(stream: BinaryIO) -> "Callable[[Meter], BoundedReader]":
    """Opens an open stream: from where it stands, and again from there where it can go back."""
    start = stream.tell() if stream.seekable() else None

    def reopen(meter: Meter) -> BoundedReader:
        if start is not None:
            stream.seek(start)
        return expand(stream, meter, keep_open=True)

    return reopen


class BoundedReader(io.BufferedReader):
    """A buffered reader that refuses to hold more than the limits.

    Raises:
        TooLarge: from ``read()`` without a size and from ``readline()``.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__(raw, HEAD_BYTES)

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to ``size`` bytes; all of them, within the limit, if none is given.

        What came before a compression breaks off is handed out first, and the error comes with the next call.
        """
        if size is not None and size >= 0:
            return self._up_to(size)
        # Asked for all at once, the buffered reader would reserve the whole limit for the smallest message.
        data = bytearray()
        while piece := super().read(MIB):
            data += piece
            if len(data) > READ_LIMIT_BYTES:
                raise TooLarge(f"more than {READ_LIMIT_BYTES // MIB} MiB in one piece; cut the file", 0)
        return bytes(data)

    def _up_to(self, size: int) -> bytes:
        """As ``read(size)`` of the class above, which would forget what it has when an error comes."""
        data = super().read1(size)
        if len(data) in {0, size}:
            return data
        pieces, left = [data], size - len(data)
        with suppress(WireError):
            while left and (piece := super().read1(left)):
                pieces.append(piece)
                left -= len(piece)
        return b"".join(pieces)

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line with its end, within the limit."""
        if size is not None and size >= 0:
            return super().readline(size)
        line = super().readline(LINE_LIMIT_BYTES + 1)
        if len(line) > LINE_LIMIT_BYTES:
            raise TooLarge(f"a line of more than {LINE_LIMIT_BYTES // MIB} MiB", 0)
        return line


class _Expanding(io.RawIOBase):
    """Raw bytes of a stream, expanded; counts what goes in and what comes out."""

    def __init__(self, below: BinaryIO | io.RawIOBase, meter: Meter, *, keep_open: bool) -> None:
        super().__init__()
        self._keep_open = keep_open
        self._below = below
        self._meter = meter
        self._ready = memoryview(b"")
        self._in_bytes = 0
        self._out_bytes = 0
        self._trouble: WireError | None = None
        head = self._take(len(_ZSTD_MAGIC), at_least=True)
        self._pieces = self._expanded(head)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed and not self._keep_open:
            self._below.close()
        super().close()

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        target = memoryview(buffer).cast("B")
        filled = 0
        # Filled to the brim, so that a format sees the whole head of a file at its first look.
        while filled < len(target):
            if not self._ready:
                if self._advance():
                    continue
                break
            step = min(len(self._ready), len(target) - filled)
            target[filled : filled + step] = self._ready[:step]
            self._ready = self._ready[step:]
            filled += step
        if not filled and self._trouble is not None:
            raise self._trouble
        return filled

    def _advance(self) -> bool:
        """Fetch the next piece (it may be empty). Trouble waits until what came before it was handed out."""
        if self._trouble is not None:
            return False
        try:
            piece = next(self._pieces, None)
        except WireError as trouble:
            self._trouble = trouble
            return False
        if piece is None:
            return False
        self._ready = memoryview(piece)
        return True

    def _take(self, size: int, *, at_least: bool = False) -> bytes:
        data = self._below.read(size) or b""
        while at_least and len(data) < size and (more := self._below.read(size - len(data))):
            data += more
        self._in_bytes += len(data)
        self._meter.read_bytes += len(data)
        return data

    def _expanded(self, head: bytes) -> Iterator[bytes]:
        if head.startswith(_GZIP_MAGIC):
            return self._frames(head, "gzip")
        if head.startswith(_ZSTD_MAGIC):
            return self._frames(head, "zstd")
        return self._plain(head)

    def _plain(self, head: bytes) -> Iterator[bytes]:
        piece = head
        while piece:
            yield piece
            piece = self._take(HEAD_BYTES)

    def _frames(self, head: bytes, kind: str) -> Iterator[bytes]:
        """Expanded bytes of one compressed frame after the other."""
        expanded = self._gzip if kind == "gzip" else self._zstd
        waiting = head
        while waiting or (waiting := self._take(_GZIP_BITE_BYTES)):
            waiting = waiting.lstrip(b"\0")  # tapes and block devices pad with zeros
            if not waiting:
                continue
            try:
                waiting = yield from expanded(waiting)
            except (zlib.error, zstandard.ZstdError) as problem:
                raise BadSyntax(f"the {kind} compression is damaged: {problem}", self._out_bytes) from problem

    def _gzip(self, waiting: bytes) -> Generator[bytes, None, bytes]:
        expander = zlib.decompressobj(wbits=31)
        while not expander.eof:
            waiting = waiting or self._more("gzip")
            yield self._counted(expander.decompress(waiting, MIB))
            waiting = expander.unconsumed_tail
        return expander.unused_data

    def _zstd(self, waiting: bytes) -> Generator[bytes, None, bytes]:
        expander = zstandard.ZstdDecompressor().decompressobj()
        while not expander.eof:
            waiting = waiting or self._more("zstd")
            bite, waiting = waiting[:_ZSTD_BITE_BYTES], waiting[_ZSTD_BITE_BYTES:]
            yield self._counted(expander.decompress(bite))
        return expander.unused_data + waiting

    def _more(self, kind: str) -> bytes:
        data = self._take(_GZIP_BITE_BYTES)
        if not data:
            raise Truncated(f"the {kind} compression ends in the middle", self._out_bytes)
        return data

    def _counted(self, piece: bytes) -> bytes:
        self._out_bytes += len(piece)
        limit_bytes = self._meter.expanded_limit_bytes
        if limit_bytes is not None and self._out_bytes > limit_bytes:
            raise TooLarge(f"expands to more than {limit_bytes / MIB:g} MiB", self._out_bytes)
        if self._out_bytes > max(FREE_EXPANSION_BYTES, EXPANSION_LIMIT * self._in_bytes):
            raise TooLarge(
                f"expands to more than {EXPANSION_LIMIT} times its size; expand it by hand if that is right",
                self._out_bytes,
            )
        return piece
