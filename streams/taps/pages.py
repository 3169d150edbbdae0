"""What a tap heard, on the way from the process that passes it on to the process that records it: small files.

The tap notes a message in memory, which takes a microsecond and never waits. A thread writes what was noted onto a
page, a file of messages, puts it on the disk and only then gives it its name; whoever records reads pages in the order
of their names and deletes them. So either side may be slow, die or start again. Where many pages wait, fewer and
larger ones are written; what stands on one without a name yet is on the disk all the same.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from shutil import copyfile
from typing import Any, NamedTuple

import orjson

from schemas.wire.contract import Frame
from streams.reader import Conversations, Outcome, Rejected, read_frame
from streams.spool import HEADER_BYTES, block_of, claim, next_payload, sync_folder, write_through

NOT_RECORDED = "not-recorded"

_SUFFIX = ".page"
_PAGE_BYTES = 4 << 20
_TURN_S = 0.05
_LATE_PAGES = 100
_LATE_PAGE_S = 2.0

_log = logging.getLogger(__name__)


class Note(NamedTuple):
    """One message a tap heard, already cut; a part of what goes along the road.

    ``format`` names its wire format, ``source`` is who spoke, ``context`` what decoding needs beside the bytes.
    """

    format: str
    source: str
    time_us: int
    raw: bytes
    context: dict[str, Any]

    @property
    def line(self) -> int:
        """A message has no lines."""
        return 0

    def outcomes(self, interface: str, conversations: Conversations) -> Iterator[Outcome]:
        """The message, decoded."""
        if self.format == NOT_RECORDED:
            detail = f"{self.context['count']} messages were passed on from here on and could not be kept: no room"
            yield Rejected(interface, self.source, b"", 0, self.time_us, "", NOT_RECORDED, detail, self.context)
        else:
            frame = Frame(self.raw, 0, self.time_us, self.source, self.context)
            yield read_frame(frame, self.format, interface, conversations)

    def packed(self) -> bytes:
        """The message as a page holds it."""
        head = orjson.dumps([self.format, self.source, self.time_us, self.context])
        return len(head).to_bytes(4, "big") + head + self.raw


def unpacked(payload: bytes) -> Note:
    """A message of a page."""
    end = 4 + int.from_bytes(payload[:4], "big")
    name, source, time_us, context = orjson.loads(payload[4:end])
    return Note(name, source, time_us, payload[end:], context)


class Pages:
    """Takes notes and writes them onto pages in a folder; one process at a time.

    Where the disk takes nothing more, notes wait in memory; where that is full too, messages still pass, and how many
    were not kept is noted as soon as there is room again.

    Args:
        folder: of the pages.
        limit_bytes: the most that pages may take on disk.
        held_limit_bytes: the most that may wait in memory.

    Raises:
        SpoolTaken: another process writes there.
        OSError: the folder cannot be written.
    """

    _page: FileIO | None = None  # written on; it has no name yet

    def __init__(self, folder: Path, *, limit_bytes: int = 1 << 30, held_limit_bytes: int = 64 << 20) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._held_limit_bytes = held_limit_bytes
        self._claim = claim(folder / "lock")
        for unfinished in folder.glob("*.part"):
            unfinished.rename(unfinished.with_suffix(_SUFFIX))  # read as far as it is whole
        self._number = max((int(page.stem) for page in pages_in(folder)), default=0)
        self._page_bytes = 0
        self._begun_s = 0.0
        self._notes: deque[Note] = deque()
        self._noted_bytes = 0  # counted by who notes
        self._written_bytes = 0  # counted by who writes
        self._missed: Note | None = None
        self._in_trouble = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what was noted, and let go; nothing may be noted any more."""
        if self._missed is not None:
            self._notes.append(self._missed)
        self._stopping.set()
        self._thread.join()
        self._claim.close()

    def note(self, note: Note) -> None:
        """Keep a message; for one thread. Never waits, never raises."""
        held_bytes = self._noted_bytes - self._written_bytes
        if held_bytes + len(note.raw) > self._held_limit_bytes:
            self._miss(note)
            return
        if self._missed is not None:
            self._notes.append(self._missed)
            self._missed = None
        self._noted_bytes += len(note.raw)
        self._notes.append(note)

    def _miss(self, note: Note) -> None:
        if self._missed is None:
            _log.error("no room for what is heard: messages pass on and are not recorded")
            self._missed = Note(NOT_RECORDED, note.source, note.time_us, b"", {"count": 0})
        self._missed.context["count"] += 1
        self._missed.context["until_us"] = note.time_us

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopping.wait(_TURN_S)
            try:
                while self._write_some():
                    self._finish_page(is_last=is_last)
                self._finish_page(is_last=is_last)
            except OSError as problem:
                self._say_trouble(f"what is heard cannot be written down: {problem}")
        if self._notes:
            _log.error("%d messages were passed on and are lost: they could not be written down", len(self._notes))

    def _write_some(self) -> bool:
        """Write notes onto the page; False when there is nothing more to write, or no room."""
        notes, size = [], 0
        for note in list(self._notes):
            notes.append(note)
            size += len(note.raw)
            if size >= _PAGE_BYTES:
                break
        if not notes:
            return False
        block = block_of([note.packed() for note in notes])
        waiting_bytes = self._page_bytes + sum(map(_size_of, pages_in(self._folder)))
        if waiting_bytes + len(block) > self._limit_bytes:
            self._say_trouble(f"{self._folder} holds {waiting_bytes} bytes, its limit; is the recorder at work?")
            return False
        self._put(block)
        self._in_trouble = False
        for _ in notes:
            self._notes.popleft()
        self._written_bytes += size
        return True

    def _put(self, block: bytes) -> None:
        if self._page is None:
            self._page = self._part().open("wb", buffering=0)
            self._page_bytes, self._begun_s = 0, time.monotonic()
        try:
            write_through(self._page, block)
        except OSError:
            self._page.truncate(self._page_bytes)
            self._page.seek(self._page_bytes)
            raise
        self._page_bytes += len(block)

    def _finish_page(self, *, is_last: bool) -> None:
        """Give the page its name, at once or, where many wait already, when it is large or a while old."""
        if self._page is None or not self._page_bytes:
            return
        is_young = self._page_bytes < _PAGE_BYTES and time.monotonic() - self._begun_s < _LATE_PAGE_S
        if is_young and not is_last and len(pages_in(self._folder)) > _LATE_PAGES:
            return
        self._part().rename(self._part().with_suffix(_SUFFIX))
        self._page.close()
        self._page, self._page_bytes = None, 0
        self._number += 1
        sync_folder(self._folder)

    def _part(self) -> Path:
        return self._folder / f"{self._number + 1:012d}.part"

    def _say_trouble(self, sentence: str) -> None:
        if not self._in_trouble:
            _log.error("%s", sentence)
        self._in_trouble = True


def pages_in(folder: Path) -> list[Path]:
    """The pages that wait, oldest first."""
    return sorted(folder.glob(f"*{_SUFFIX}"))


def _size_of(page: Path) -> int:
    """How large a page is; 0 once it was read and deleted."""
    try:
        return page.stat().st_size
    except FileNotFoundError:
        return 0


def read_page(page: Path) -> list[Note]:
    """The messages of a page, as far as it is whole."""
    with page.open("rb") as file:
        payloads = list(iter(lambda: next_payload(file), None))
    left_bytes = page.stat().st_size - sum(HEADER_BYTES + len(payload) for payload in payloads)
    if left_bytes:
        kept = page.with_suffix(".damaged")
        copyfile(page, kept)
        _log.warning("the last %d bytes of a page are no message; it is kept as %s", left_bytes, kept)
    return [unpacked(payload) for payload in payloads]
