"""The lines of a trace: CSV under its head, or JSON."""

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge
from schemas.wire.json_lines import BOM, lines_of
from schemas.wire.json_messages import looks_like_json

COLUMNS: Final = ("time", "evse", "state", "duty_cycle", "voltage")
NEEDED: Final = frozenset({"time", "state"})
LINE_LIMIT_BYTES: Final = 4096

_HEAD_BYTES: Final = 64 * 1024


def recognise(head: bytes) -> bool:
    """Whether a file that starts so may be a trace."""
    head = head.removeprefix(BOM)
    if looks_like_json(head):
        first = head.lstrip().split(b"\n", 1)[0]
        return b'"state"' in first and (b'"duty_cycle"' in first or b'"voltage"' in first)
    return NEEDED | {"duty_cycle"} <= set(_columns(head.split(b"\n", 1)[0]))


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """A frame for each line; of CSV, its context holds the head's columns."""
    head = stream.read(_HEAD_BYTES)
    context: dict[str, Any] | None = {} if looks_like_json(head) else None
    for line, offset, is_whole in lines_of(head, stream):
        if not is_whole or len(line) > LINE_LIMIT_BYTES:
            yield Malformed(line, offset, TooLarge(f"a line of a trace has at most {LINE_LIMIT_BYTES} bytes"))
        elif context is None:
            context = {"columns": _columns(line)}
        elif line.strip():
            yield Frame(line.rstrip(b"\r\n"), offset, context=context)


def fields_of(line: bytes, columns: list[str]) -> dict[str, str]:
    """The fields of a line of CSV that are not empty.

    Raises:
        BadSyntax: not UTF-8, or not so many fields as the head has.
    """
    try:
        (values,) = csv.reader(io.StringIO(line.decode()), strict=True)
    except (UnicodeDecodeError, ValueError, csv.Error):
        raise BadSyntax("not a line of CSV in UTF-8") from None
    if len(values) != len(columns):
        raise BadSyntax(f"the line has {len(values)} fields, the head of the table {len(columns)}")
    return {name: value.strip() for name, value in zip(columns, values, strict=True) if value.strip()}


def _columns(line: bytes) -> list[str]:
    return [name.strip().strip('"').lower() for name in line.decode("utf-8", "replace").split(",")]
