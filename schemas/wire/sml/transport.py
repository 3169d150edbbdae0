"""SML transport protocol, version 1: a telegram between escape sequences (BSI TR-03109-1, annex IV b, clause 8).

::

    1b1b1b1b 01010101   start
    ...                 messages; 1b1b1b1b among them is written twice
    00 ...              up to the next multiple of four
    1b1b1b1b 1a NN CCCC end: how many octets were filled up, check sum of everything before it
"""

import re
from typing import Final

from schemas.wire.contract import BadChecksum, BadSyntax, TooLarge, Truncated
from schemas.wire.octets import Piece
from schemas.wire.sml.checksums import crc_x25, kind_of

TELEGRAM_LIMIT_BYTES: Final = 256 * 1024
"""A meter's telegram has some hundred octets, a long load profile some ten thousand [M]."""

_ESCAPE: Final = b"\x1b\x1b\x1b\x1b"
_START: Final = _ESCAPE + b"\x01\x01\x01\x01"
_END: Final = 0x1A
_SEQUENCE: Final = 8
_FILL_LIMIT: Final = 4
"""One octet more than needed: there are meters that fill up a whole four."""

STARTS: Final = re.compile(re.escape(_START))


def next_piece(held: bytes, at: int, is_end: bool) -> Piece | None:
    """The next telegram of a stream, or what lies before it (see :data:`schemas.wire.octets.NextPiece`)."""
    start = held.find(_START, at)
    if start != at:
        return _between(held, at, start, is_end=is_end)
    scan = at + _SEQUENCE
    while (found := held.find(_ESCAPE, scan)) >= 0 and len(held) >= found + _SEQUENCE:
        follows = held[found + 4 : found + _SEQUENCE]
        if follows[0] == _END:
            return Piece(found + _SEQUENCE - at)
        if held.startswith(_START, found):
            return Piece(found - at, Truncated("the telegram breaks off where the next one starts", found - at))
        # An octet 1b right before an escape sequence is found as its first octet.
        scan = found + (_SEQUENCE if follows == _ESCAPE else 1)
    if len(held) - at > TELEGRAM_LIMIT_BYTES:
        error = TooLarge(f"a telegram has at most {TELEGRAM_LIMIT_BYTES} bytes, and this one has not ended yet")
        return Piece(len(held) - at, error)
    return Piece(len(held) - at, Truncated("the telegram has no end sequence", len(held) - at)) if is_end else None


def _between(held: bytes, at: int, start: int, *, is_end: bool) -> Piece | None:
    """Octets that belong to no telegram."""
    end = start
    if start < 0:
        end = len(held) if is_end else len(held) - _SEQUENCE + 1
    if end <= at:
        return None
    return Piece(end - at, BadSyntax("these bytes stand outside of any telegram (no start sequence before them)"))


def unwrap(raw: bytes) -> tuple[bytes, str]:
    """The messages inside a telegram, and which check sum it bears.

    Raises:
        Truncated: no end sequence.
        BadSyntax: no start sequence, or an escape sequence that means nothing.
        BadChecksum: the check sum does not fit.
    """
    if not raw.startswith(_START):
        raise BadSyntax(f"a telegram starts with {_START.hex()}")
    end = len(raw) - _SEQUENCE
    if end < _SEQUENCE or raw[end : end + 4] != _ESCAPE or raw[end + 4] != _END:
        raise Truncated("the telegram does not end with 1b1b1b1b1a, the fill count and the check sum", len(raw))
    checksum = kind_of(raw[:-2], raw[-2:])
    if checksum is None:
        expected = crc_x25(raw[:-2]).hex()
        raise BadChecksum(f"the telegram's check sum is {raw[-2:].hex()}, of its bytes it is {expected}", len(raw) - 2)
    filled = raw[-3]
    if filled > _FILL_LIMIT or any(raw[max(end - filled, _SEQUENCE) : end]) or end - filled < _SEQUENCE:
        raise BadSyntax(f"the last {filled} bytes before the end should fill the telegram up and be zero", len(raw) - 3)
    content = raw[_SEQUENCE : end - filled]
    if _ESCAPE not in content:
        return content, checksum
    parts = content.split(_ESCAPE + _ESCAPE)
    for number, part in enumerate(parts):
        if _ESCAPE in part:
            offset = _SEQUENCE + len((_ESCAPE + _ESCAPE).join(parts[:number])) + part.find(_ESCAPE)
            raise BadSyntax("an escape sequence inside the telegram that means nothing", offset)
    return _ESCAPE.join(parts), checksum


def wrap(content: bytes) -> bytes:
    """A telegram that holds these messages."""
    if _ESCAPE in content:
        content = content.replace(_ESCAPE, _ESCAPE + _ESCAPE)
    filled = -len(content) % 4
    telegram = b"%b%b%b%b\x1a%c" % (_START, content, bytes(filled), _ESCAPE, filled)
    return telegram + crc_x25(telegram)
