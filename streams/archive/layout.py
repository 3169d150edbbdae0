"""Where the archive lies and what its manifests say; the only module that knows its folders.

::

    archive/
        segments/00000000/   messages.parquet, readings.parquet, ..., manifest.json (last)
        days/2026-03-29.json a sealed day: its segments, counts and checksums
        seal.request         asks the archiver to write what it has
        lock                 held by the one archiver of this folder
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple, Self

import orjson

FORMAT = 1
"""Version of files and manifest; a reader refuses a higher one."""

Partition = tuple[str, int]

MANIFEST = "manifest.json"


class ArchiveBusy(Exception):
    """Another archiver works on this folder."""


class Range(NamedTuple):
    """Offsets ``[start, end)`` of one partition; the topic without its prefix."""

    topic: str
    partition: int
    start: int
    end: int


class Bounds(NamedTuple):
    """The smallest and the largest of some times, both included."""

    first_us: int
    last_us: int

    def touches(self, start_us: int, end_us: int) -> bool:
        """Whether a time in ``[start_us, end_us)`` may be among them."""
        return self.first_us < end_us and self.last_us >= start_us


class Part(NamedTuple):
    """One file of a segment; ``time_us`` bounds the event times in it (None: it has none)."""

    rows: int
    bytes: int
    sha256: str
    time_us: Bounds | None

    def touches(self, start_us: int, end_us: int) -> bool:
        """Whether the file may hold something of ``[start_us, end_us)``."""
        return self.time_us is not None and self.time_us.touches(start_us, end_us)


class Manifest(NamedTuple):
    """What a segment holds.

    ``time_us`` bounds event times and the stamps of the events' logs, ``recorded_us`` when they were recorded.
    ``gaps`` are offsets that Kafka no longer had when they were wanted, ``undecoded`` counts events without a decoder.
    """

    number: int
    events: int
    undecoded: int
    offsets: tuple[Range, ...]
    gaps: tuple[Range, ...]
    time_us: Bounds | None
    recorded_us: Bounds | None
    files: dict[str, Part]
    versions: dict[str, str]

    def part(self, kind: str) -> Part:
        """The file of a kind, for example ``readings``."""
        return self.files[kind]

    def to_json(self) -> bytes:
        """As it stands in ``manifest.json``."""
        return orjson.dumps(
            {
                "format": FORMAT,
                "number": self.number,
                "events": self.events,
                "undecoded": self.undecoded,
                "offsets": [entry._asdict() for entry in self.offsets],
                "gaps": [entry._asdict() for entry in self.gaps],
                "time_us": self.time_us,
                "recorded_us": self.recorded_us,
                "files": {kind: part._asdict() for kind, part in self.files.items()},
                "versions": self.versions,
            },
            default=list,  # of named tuples
            option=orjson.OPT_INDENT_2,
        )

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read back.

        Raises:
            ValueError: written by a newer Gegenstrom, or damaged.
        """
        body = orjson.loads(data)
        try:
            if body["format"] > FORMAT:
                raise ValueError(
                    f"segment {body['number']} has format {body['format']}, this Gegenstrom reads {FORMAT}"
                )
            return cls(
                body["number"],
                body["events"],
                body["undecoded"],
                _ranges(body["offsets"]),
                _ranges(body["gaps"]),
                _bounds(body["time_us"]),
                _bounds(body["recorded_us"]),
                {
                    kind: Part(part["rows"], part["bytes"], part["sha256"], _bounds(part["time_us"]))
                    for kind, part in body["files"].items()
                },
                body["versions"],
            )
        except (KeyError, TypeError) as problem:
            raise ValueError(f"not a manifest of the archive: {problem!r}") from problem


class Archive:
    """A folder of segments."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "archive"
        self._segments = self.folder / "segments"
        self._read: dict[int, Manifest] = {}

    @property
    def seal_request(self) -> Path:
        """The file that asks the archiver to write what it has."""
        return self.folder / "seal.request"

    def manifests(self) -> list[Manifest]:
        """Manifests of all complete segments, in order of number; each is read once."""
        found = set(self._numbers())
        for number in self._read.keys() - found:
            del self._read[number]
        for number in found - self._read.keys():
            if self._is_complete(number):
                self._read[number] = self._manifest(number)
        return [self._read[number] for number in sorted(self._read)]

    def count(self) -> int:
        """How many segments there are, without reading their manifests."""
        return len(list(self._segments.iterdir())) if self._segments.is_dir() else 0

    def file(self, number: int, kind: str) -> Path:
        """The Parquet file of a kind in a segment."""
        return self.segment(number) / f"{kind}.parquet"

    def segment(self, number: int) -> Path:
        """The folder of a segment."""
        return self._segments / f"{number:08}"

    def day_file(self, day: str) -> Path:
        """The manifest of a sealed day."""
        return self.folder / "days" / f"{day}.json"

    def next_offsets(self) -> dict[Partition, int]:
        """For each partition the first offset that is not archived.

        No manifest stays in memory for it: an archiver, which asks for it, works for years.
        """
        numbers = filter(self._is_complete, self._numbers())
        return next_offsets(self._read.get(number) or self._manifest(number) for number in numbers)

    def next_number(self) -> int:
        """The number of the next segment."""
        return next(filter(self._is_complete, sorted(self._numbers(), reverse=True)), -1) + 1

    def clean(self) -> list[int]:
        """Remove attempts that crashed, and give their numbers. Only under :meth:`locked`."""
        crashed = sorted(number for number in self._numbers() if not self._is_complete(number))
        for number in crashed:
            shutil.rmtree(self.segment(number))
        return crashed

    def _numbers(self) -> list[int]:
        """The numbers of all segments, complete or not, in any order."""
        if not self._segments.is_dir():
            return []
        names = [entry.name for entry in self._segments.iterdir()]
        return [int(name) for name in names if name.isdigit() and name == self.segment(int(name)).name]

    def _is_complete(self, number: int) -> bool:
        return (self.segment(number) / MANIFEST).is_file()

    def _manifest(self, number: int) -> Manifest:
        return Manifest.from_json((self.segment(number) / MANIFEST).read_bytes())

    def seal_segment(self, manifest: Manifest) -> None:
        """Make a segment complete: its manifest appears whole or not at all, and survives a power cut."""
        folder = self.segment(manifest.number)
        for kind in manifest.files:
            _sync(self.file(manifest.number, kind))
        write_whole(folder / MANIFEST, manifest.to_json())
        _sync(self._segments)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, as the only archiver.

        Raises:
            ArchiveBusy: another process holds it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise ArchiveBusy(f"another archiver works on {self.folder}") from problem
            yield


def next_offsets(manifests: Iterable[Manifest]) -> dict[Partition, int]:
    """For each partition the first offset behind these segments."""
    ends: dict[Partition, int] = {}
    for manifest in manifests:
        for topic, partition, _, end in manifest.offsets:
            ends[topic, partition] = max(end, ends.get((topic, partition), 0))
    return ends


def write_whole(file: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    with new.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
    _sync(file.parent)


def sha256_of(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ranges(entries: list[dict[str, Any]]) -> tuple[Range, ...]:
    """Ranges of a manifest; a topic's name is in memory once, not once a segment."""
    return tuple(Range(intern(entry["topic"]), entry["partition"], entry["start"], entry["end"]) for entry in entries)


def _bounds(value: Any) -> Bounds | None:
    return None if value is None else Bounds(*value)
