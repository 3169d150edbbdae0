"""Logs of the parts: their size, their end, and the last complaint in them."""

import re
from pathlib import Path

_TAIL_BYTES = 65_536
_KEPT_BYTES = 20 << 20
_LINE = 300
LINE_BREAK = " | "
"""Between lines of a log that stand on one."""
# ECMA-48: CSI sequences, other escapes, and the control characters that move a terminal's cursor
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f]")
# Behind the time stamp: of Python and Kafka the level, of PostgreSQL its process and the level. Kafka's WARN is no
# error: it warns at every start. PostgreSQL's ERROR is that of a statement, often a slip of whoever typed it; those
# that are the server's own are told by their words.
_COMPLAINT = re.compile(
    r"[\dT:,.\- ]+ (WARNING|ERROR|CRITICAL|FATAL) "
    r"|[\d:.\- ]+ [A-Z]+ \[\d+\] ((WARNING|FATAL|PANIC): |ERROR: +(could not (access|create|extend|fsync|open|read|"
    r"resize|write) |out of memory|out of shared memory|invalid page |disk full))"
)
# What is said though nothing is wrong: while a server starts or stops, under load, or when a client starts over.
_HARMLESS = re.compile(
    r" ERROR kafka\.server\.ControllerApis: .*CONTROLLER_REGISTRATION|\.EventPerformanceMonitor: "
    r"| ERROR asyncio: Unclosed | mode\.timers: Timer .* is overlapping| group_id is None: "
    r"|FATAL: +(the database system is |terminating connection |.* authentication failed)"
    r"|FATAL: +(database|role) .* does not exist"
    r"|WARNING: +(there is (no|already a) transaction in progress|you don't own a lock)"
)


def begin(log: Path) -> int:
    """Where a new run's lines will begin; a log that has grown large is put aside as ``.1`` first."""
    if size(log) > _KEPT_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    return size(log)


def size(log: Path) -> int:
    """Bytes written so far."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def last_lines(log: Path, start: int = 0, count: int = 5) -> str:
    """The last lines written behind byte ``start``, on one line."""
    return LINE_BREAK.join(line.strip() for line in _lines(log, start)[-count:])


def last_complaint(log: Path, start: int = 0) -> str:
    """The last line behind byte ``start`` that says something is wrong with the part itself; empty if there is none."""
    lines = reversed(_lines(log, start))
    return next((line for line in lines if _COMPLAINT.match(line) and not _HARMLESS.search(line)), "")


def _lines(log: Path, start: int) -> list[str]:
    """What people can read of the end of a log: no terminal sequences, no empty lines, no endless ones."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - _TAIL_BYTES, start if start <= end else 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    lines = (_CONTROL.sub("", line).rstrip() for line in text.split("\n"))
    return [line if len(line) <= _LINE else f"{line[:_LINE]}..." for line in lines if line]
