"""PostgreSQL's binary COPY format from columns.

Layout (PostgreSQL documentation, COPY, "Binary Format"): a header, then for each row the number of fields and
for each field its length and its bytes, big-endian; ``FF FF`` at the end. Rows of fixed width are laid out by numpy.
"""

import re
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NUL = "\N{SYMBOL FOR NULL}"
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_EPOCH_2000_US = 946_684_800_000_000


def timestamps(time_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """``timestamptz`` values: microseconds since 2000 from microseconds since 1970."""
    return time_us - _EPOCH_2000_US


def timestamp(time_us: int) -> int:
    """One ``timestamptz`` value."""
    return time_us - _EPOCH_2000_US


def fixed_rows(*columns: NDArray[Any]) -> bytes:
    """Rows of fields of fixed width: int64, int32, int16, float64 or bytes (``S16`` for uuid) columns."""
    layout: list[tuple[str, Any]] = [("fields", ">i2")]
    for number, column in enumerate(columns):
        layout += [(f"size{number}", ">i4"), (f"value{number}", column.dtype.newbyteorder(">"))]
    rows = np.zeros(len(columns[0]), np.dtype(layout))
    rows["fields"] = len(columns)
    for number, column in enumerate(columns):
        rows[f"size{number}"] = column.dtype.itemsize
        rows[f"value{number}"] = column
    return rows.tobytes()


def fixed_part(count: int, *columns: tuple[str, Any]) -> list[bytes]:
    """A stretch of fixed width of each row: columns as numpy's type code and a column or one number for all rows."""
    part = np.zeros(count, np.dtype([(f"at{number}", f">{code}") for number, (code, _) in enumerate(columns)]))
    for number, (_, column) in enumerate(columns):
        part[f"at{number}"] = column
    data, width = part.tobytes(), part.dtype.itemsize
    return [data[at : at + width] for at in range(0, len(data), width)]


def field(data: bytes) -> bytes:
    """One field of variable width."""
    return struct.pack(">i", len(data)) + data


def text_field(text: str) -> bytes:
    """A ``text`` field; PostgreSQL cannot hold the character NUL, so its symbol stands for it."""
    return field(text.replace("\0", NUL).encode())


def jsonb_field(data: bytes) -> bytes:
    """A ``jsonb`` field; its format starts with its version."""
    return field(b"\x01" + data)


def json_without_nul(data: bytes) -> bytes:
    r"""JSON text in which the symbol for it stands for the character NUL, which no ``jsonb`` can hold.

    >>> json_without_nul(rb'["a\u0000b", "\\u0000"]').decode()
    '["a␀b", "\\\\u0000"]'
    """
    return _ESCAPED_NUL.sub(rb"\1" + NUL.encode(), data)


def int_field(value: int) -> bytes:
    """A ``bigint`` field."""
    return struct.pack(">iq", 8, value)


def time_field(time_us: int) -> bytes:
    """A ``timestamptz`` field."""
    return struct.pack(">iq", 8, time_us - _EPOCH_2000_US)


def smallint_field(value: int) -> bytes:
    """A ``smallint`` field."""
    return struct.pack(">ih", 2, value)


def bigint_array_field(values: Iterable[int]) -> bytes:
    """A ``bigint[]`` field of one dimension, without nulls."""
    items = list(values)
    body = b"".join(map(int_field, items))
    return field(struct.pack(">iiIii", 1, 0, 20, len(items), 1) + body)


def row(*fields: bytes) -> bytes:
    """A row of fields."""
    return struct.pack(">h", len(fields)) + b"".join(fields)
