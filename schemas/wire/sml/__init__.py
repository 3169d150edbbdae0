"""SML telegrams: what household meters say over their optical port, their wire and the HAN (interfaces 15 and 47).

Smart Message Language 1.04 (BSI TR-03109-1, annex IV b).

- :mod:`~schemas.wire.octets` cuts streams, hex files and logs, with
- :mod:`~schemas.wire.sml.transport`, which knows start, end, escapes and check sum of a telegram;
- :mod:`~schemas.wire.sml.elements` reads and writes single values;
- :mod:`~schemas.wire.sml.rows` the entries of lists;
- :mod:`~schemas.wire.sml.decoding` the messages;
- :mod:`~schemas.wire.sml.writing` writes telegrams.

The payload is ``{"lists": [{"server", "name", "time", "values": [row, ...]}]}``, see :mod:`~schemas.wire.sml.rows`. The
event is about the meter (``meter:1EMH0012345678``); one that
names none, or zeros, is called as its source. An event's type is ``sml.list``, ``sml.profile`` or
``sml.attention``.
"""

from collections.abc import Iterator
from typing import BinaryIO

from schemas.wire import octets
from schemas.wire.contract import Frame, Malformed, WireFormat
from schemas.wire.sml.decoding import decode
from schemas.wire.sml.transport import STARTS, next_piece
from schemas.wire.sml.writing import encode_telegram

__all__ = ["FORMAT", "decode", "encode_telegram", "recognise", "split"]


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so holds a start sequence, in octets or in hex digits."""
    return octets.looks_like(head, STARTS)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut a stream of octets, hex digits, or a log of lines ``TIME SOURCE HEX`` into telegrams."""
    return octets.split(stream, next_piece)


FORMAT = WireFormat("sml", "SML 1.04 telegrams", recognise, split, decode, next_piece)
