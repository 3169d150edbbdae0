"""Logs in which programs write the octets they send and receive, at the ends of lines.

Energy managers and charging stacks write such lines, for example::

    [sunspec] TRACE 2026/03/29 14:00:00 modbus: send 00 93 00 00 00 06 01 03 9c fe 00 69
    [EVSE] In state WaitForServiceDiscoveryRequest, received (22bytes) = 01 FE 80 01 00 00 00 0E 80 9A ...

A line with a direction and octets that begin like a message of the protocol holds one, or several. Other lines are what
the program says of itself and are left out; but one with a direction and octets that begin like no message is kept as
unreadable. The module in brackets names the connection, where there is one.
"""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from schemas.wire.contract import BadSyntax, Frame, LogLines, Malformed, WireError
from schemas.wire.json_lines import BOM
from schemas.wire.octets import Cutter, NextPiece
from schemas.wire.program_lines import BEFORE_LIMIT, beginning

_BACKWARDS: Final = re.compile(rb"(?:[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2}){5,}+|(?:[0-9A-Fa-f]{2}){6,}+)(?=[\s=:\]])")
"""Octets at the end of a line that is read backwards: so a long line is looked at once."""

_SOME: Final = re.compile(rb"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2} ){4}")
"""Octets of a message that was damaged, or of another protocol."""

_MODULE: Final = re.compile(rb"(?:^|\s)\[([A-Za-z][\w .-]{0,40}?) *\]")


class _Line(NamedTuple):
    """A line with octets: where they stand, and the octets."""

    at: int
    octets: bytes


def is_log(head: bytes, starts: re.Pattern[bytes]) -> bool:
    """Whether one of the first lines holds octets that begin like a message, and who says them."""
    return any(_octets_of(line, starts) is not None for line in head.removeprefix(BOM).split(b"\n"))


def lines_of(
    starts: re.Pattern[bytes], next_piece: NextPiece, is_else: Callable[[bytes], bool] = lambda _head: False
) -> LogLines:
    """How messages of a protocol stand in such logs; a file for which ``is_else`` holds is read in another way."""

    def cut(line: bytes, offset: int) -> list[Frame | Malformed]:
        found = _octets_of(line, starts)
        try:
            return [] if found is None else list(_frames(line, offset, found, next_piece))
        except WireError as error:
            return [_refused(line, offset, error)]

    return LogLines(lambda head: not is_else(head) and is_log(head, starts), cut, _refuse)


def _refuse(line: bytes, offset: int) -> Malformed | None:
    some = _SOME.search(line)
    if some is None or not beginning(line[: some.start()]).direction:
        return None
    error = BadSyntax("the octets in this line of a log begin like no message, or are followed by others")
    return _refused(line, offset, error)


def _refused(line: bytes, offset: int, error: WireError) -> Malformed:
    return Malformed(line.strip(), offset + len(line) - len(line.lstrip()), error)


def _octets_of(line: bytes, starts: re.Pattern[bytes]) -> _Line | None:
    """The octets at the end of a line; None where there are none, none of the protocol, or nothing says which way."""
    found = _BACKWARDS.match(line.rstrip()[::-1])
    if found is None:
        return None
    at = len(line.rstrip()) - found.end()
    octets = bytes.fromhex(line[at:].decode())
    return _Line(at, octets) if starts.match(octets) and beginning(line[:at]).direction else None


def _frames(line: bytes, offset: int, found: _Line, next_piece: NextPiece) -> Iterator[Frame]:
    """The messages of a line; octets that are none are a frame too, which keeps time and source, and is refused."""
    before = line[: found.at]
    said, module = beginning(before), _MODULE.search(before[-BEFORE_LIMIT:])
    source = module[1].decode("utf-8", "replace").strip() if module else ""
    cutter = Cutter(next_piece)
    time_us = said.time_us()
    for cut in chain(cutter.feed(found.octets), cutter.finish()):
        yield Frame(cut.raw, offset + found.at, time_us, source, said.context())
