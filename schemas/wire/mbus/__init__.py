"""M-Bus answers of meters (EN 13757-2 and -3) on the wire to their gateway (interface 15).

- :mod:`~schemas.wire.octets` cuts streams, hex files and logs, with
- :mod:`~schemas.wire.mbus.link`, which knows frames on the wire;
- :mod:`~schemas.wire.mbus.decoding` reads headers,
- :mod:`~schemas.wire.mbus.records` the variable data structure, with :mod:`~schemas.wire.mbus.values` and
  :mod:`~schemas.wire.mbus.units`;
- :mod:`~schemas.wire.mbus.writing` writes frames.

An answer is ``mbus.data`` about a meter, named after DIN 43863-5: ``{"address", "meter", "number", "manufacturer",
"version", "medium", "access", "status", "records": [...]}``, with ``"signature"`` where an old meter sends one. What a
gateway asks, acknowledgements, and that a meter cannot answer are ``mbus.link``.
"""

from collections.abc import Iterator
from typing import BinaryIO

from schemas.wire import octets
from schemas.wire.contract import Frame, Malformed, WireFormat
from schemas.wire.mbus.decoding import decode
from schemas.wire.mbus.link import STARTS, is_talk, next_piece
from schemas.wire.mbus.writing import encode_frame

__all__ = ["FORMAT", "decode", "encode_frame", "recognise", "split"]


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so holds the start of a long frame, or only short ones, in octets or in hex digits."""
    return octets.looks_like(head, STARTS) or any(map(is_talk, octets.openings(head)))


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut a stream of octets, hex digits, or a log of lines ``TIME SOURCE HEX`` into frames."""
    return octets.split(stream, next_piece)


FORMAT = WireFormat("mbus", "M-Bus (EN 13757)", recognise, split, decode, next_piece)
