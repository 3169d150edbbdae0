"""A folder into which others put files: each is taken once it is whole, and then moved to ``done`` or ``rejected``.

::

    DIR/32/MSCONS_20260329.txt          waits, or is still being written
    DIR/32/done/...                     every message of it is in Kafka, or on disk for Kafka
    DIR/32/rejected/NAME                something in it could not be read; the rest is in Kafka all the same
    DIR/32/rejected/NAME.reason.txt     what, where and why

A subfolder's name begins with the number of its interface (``32``, ``32 MSB to supplier``, ``E1``). A file is whole
when nobody has changed it for a while; ``.part``, ``.tmp`` and hidden ones are left alone until they get their real
name. A file is moved after it was brought, so whatever happens between is made up for by bringing it again, which
changes nothing: the same content under the same name is the same events.
"""

import filecmp
import logging
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from schemas.interfaces import interface as interface_of
from streams.gateway.body import EXPANDED_LIMIT_BYTES
from streams.gateway.road import Answer, Road
from streams.reader import Conversations, Outcome, read
from streams.sources import MIB, Meter, Source, plain_name
from streams.spool import SpoolFull

FILE_LIMIT_BYTES: Final = 16 * MIB
"""The largest file as it lies there; compressed ones may expand to four times that."""

DONE: Final = "done"
REJECTED: Final = "rejected"

_UNFINISHED: Final = (".part", ".tmp", ".filepart", ".crdownload")
_REASON: Final = ".reason.txt"
_REASONS: Final = 100
_NUMBER: Final = re.compile(r"(E?[0-9]+)(?![0-9A-Za-z])", re.IGNORECASE)
_TURN_S: Final = 0.5

_log = logging.getLogger(__name__)


class Dropped(NamedTuple):
    """A file that goes along the road."""

    file: Source

    @property
    def line(self) -> int:
        """A file is no line."""
        return 0

    def outcomes(self, interface: str, conversations: Conversations) -> Iterator[Outcome]:
        """Its messages; the source is its name."""
        meter = Meter(expanded_limit_bytes=EXPANDED_LIMIT_BYTES)
        return read(self.file, interface, conversations=conversations, meter=meter)


class Inbox:
    """Takes files out of a folder.

    Args:
        folder: the folder.
        road: takes the files.
        settle_s: for how long a file must not have changed.
    """

    def __init__(self, folder: Path, road: Road, *, settle_s: float = 2.0) -> None:
        self._folder = folder
        self._road = road
        self._settle_s = settle_s
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._passed_over: set[Path] = set()

    def watch(self, stopped: threading.Event) -> None:
        """Take what comes until stopped; the file that is being taken is finished.

        Raises:
            OSError: the folder is not there, or files cannot be moved in it.
        """
        while not stopped.is_set():
            for interface, file in self._whole():
                if stopped.is_set():
                    return
                try:
                    self._take(interface, file)
                except SpoolFull as problem:
                    _log.warning("%s; files wait where they are", problem)
                    break
                except FileNotFoundError:
                    if not file.parent.is_dir():
                        raise
                    _log.warning("%s was taken away by somebody else", file)
            stopped.wait(min(_TURN_S, self._settle_s))

    def subfolders(self) -> list[tuple[str, Path]]:
        """The subfolders that belong to an interface, with its number."""
        found = []
        for folder in sorted(self._folder.iterdir()):
            if folder.name.startswith("."):
                continue
            if not folder.is_dir():
                self._pass_over(folder, "it lies in no subfolder named by the number of an interface", self._folder)
                continue
            number = _NUMBER.match(folder.name)
            try:
                found.append((interface_of(number[1] if number else folder.name).number, folder))
            except ValueError as problem:
                self._pass_over(folder, str(problem))
        return found

    def _pass_over(self, path: Path, why: str, like: Path | None = None) -> None:
        """Say once why a path is not looked at, or once for all ``like`` it."""
        known = like or path
        if known not in self._passed_over:
            self._passed_over.add(known)
            _log.warning("%s is passed over: %s", path, why)

    def _whole(self) -> list[tuple[str, Path]]:
        """Files that nobody has changed for a while."""
        now_s = time.monotonic()
        seen: dict[Path, tuple[tuple[int, int], float]] = {}
        whole = []
        for interface, folder in self.subfolders():
            for file in sorted(folder.iterdir()):
                if file.name.startswith(".") or file.name.endswith(_UNFINISHED) or file.name in {DONE, REJECTED}:
                    continue
                if not file.is_file():
                    if file.exists() or file.is_symlink():
                        self._pass_over(file, "it is no file")
                    continue
                try:
                    stat = file.stat()
                except FileNotFoundError:
                    continue  # taken away this moment
                state = (stat.st_size, stat.st_mtime_ns)
                before, since_s = self._seen.get(file, (None, now_s))
                seen[file] = (state, since_s if state == before else now_s)
                if now_s - seen[file][1] >= self._settle_s:
                    whole.append((interface, file))
        self._seen = seen
        return whole

    def _take(self, interface: str, file: Path) -> None:
        size = file.stat().st_size
        if size > FILE_LIMIT_BYTES:
            limit = f"{FILE_LIMIT_BYTES // MIB} MiB"
            reason = f"The file has more than {limit}. Send it with: twin ingest FILE --interface {interface}"
        else:
            answer = self._road.submit(interface, [Dropped(Source(file, plain_name(file.name), size))], size)
            try:
                reason = reason_of(answer.result())
            except FileNotFoundError:
                raise
            except OSError as problem:
                reason = f"The file cannot be read: {problem}"
            except SpoolFull:
                raise
            except Exception as problem:  # noqa: BLE001 -- one file must not hold up all that follow
                _log.exception("%s made its reader fail", file)
                reason = f"The file made its reader fail: {type(problem).__name__}: {problem}"
        if reason:
            _log.warning("%s: %s", file, reason.partition("\n")[0])
            moved = _free(file.parent / REJECTED, file)
            moved.with_name(moved.name + _REASON).write_text(reason + "\n", "utf-8")
        else:
            moved = _free(file.parent / DONE, file)
            _log.info("%s is done", file)
        file.replace(moved)


def reason_of(answer: Answer) -> str:
    """Why a file is rejected, for a person; empty where all of it was taken.

    >>> rejected = {"offset": 7, "reason": "bad-syntax", "detail": "no segment (byte 0)"}
    >>> print(reason_of(Answer(["id"], [rejected], spooled=False)))
    1 of 2 messages were taken. These were not, and are in the quarantine:
    byte 7: bad-syntax: no segment (byte 0)
    """
    if not answer.rejected:
        return "" if answer.events else "The file holds no message."
    taken, count = len(answer.events), len(answer.events) + len(answer.rejected)
    if taken:
        head = f"{taken} of {count} messages were taken. These were not, and are in the quarantine:"
    else:
        head = "Nothing of the file could be read; it is in the quarantine:"
    more = [f"... and {len(answer.rejected) - _REASONS} more"] if len(answer.rejected) > _REASONS else []
    return "\n".join([head, *map(_worded, answer.rejected[:_REASONS]), *more])


def _worded(rejected: dict[str, Any]) -> str:
    return f"byte {rejected['offset']}: {rejected['reason']}: {rejected['detail']}"


def _free(folder: Path, file: Path) -> Path:
    """Where a file can go: its name, or with a number where another one of that name lies there."""
    folder.mkdir(exist_ok=True)
    candidate, number = folder / file.name, 1
    while candidate.exists() and not filecmp.cmp(candidate, file, shallow=False):
        number += 1
        candidate = folder / f"{file.name}.{number}"
    return candidate
