"""Frames of the M-Bus on the wire (EN 13757-2, clause 5.2): long and short frames, and the acknowledgement.

::

    68 LL LL 68  CC AA CI ... SS 16   long: LL octets from CC on, SS their sum
    10 CC AA SS 16                    short: a request
    e5                                acknowledgement
"""

import re
from typing import Final, NamedTuple

from schemas.wire.contract import BadChecksum, BadSyntax, Truncated
from schemas.wire.octets import Piece

STARTS: Final = re.compile(rb"(?:\xe5|\x10...\x16)*\x68([\x03-\xff])\1\x68", re.DOTALL)
"""How a stream of frames begins."""

ACKNOWLEDGED: Final = b"\xe5"
_LONG: Final = re.compile(rb"\x68([\x03-\xff])\1\x68", re.DOTALL)
_LONG_START, _SHORT_START, _STOP = 0x68, 0x10, 0x16
_LONG_HEAD: Final = 4
_AROUND: Final = 6
"""Octets of a long frame that its length does not count."""
_SHORT_OCTETS: Final = 5


class Link(NamedTuple):
    """A frame taken apart: control and address field, and what a long frame carries (None in a short one)."""

    control: int
    address: int
    content: bytes | None


def next_piece(held: bytes, at: int, is_end: bool) -> Piece | None:
    """The next frame of a stream, or what lies before it (see :data:`schemas.wire.octets.NextPiece`)."""
    if held.startswith(ACKNOWLEDGED, at):
        return Piece(1)
    if held[at] == _SHORT_START:
        if len(held) - at < _SHORT_OCTETS and not is_end:
            return None
        if _is_short(held[at : at + _SHORT_OCTETS]):
            return Piece(_SHORT_OCTETS)
    if found := _LONG.match(held, at):
        return _long(held, at, held[at + 1] + _AROUND, found.end(), is_end=is_end)
    if len(held) - at < _LONG_HEAD and not is_end:
        return None
    following = _LONG.search(held, at + 1)
    end = following.start() if following else len(held) - (0 if is_end else _LONG_HEAD - 1)
    return Piece(max(end - at, 1), BadSyntax("these bytes belong to no frame (a long frame starts with 68 LL LL 68)"))


def is_talk(octets: bytes) -> bool:
    r"""Whether octets are nothing but short frames, one at least, and acknowledgements; the last may be cut.

    >>> is_talk(bytes.fromhex("10400141 16 e5 105b01")), is_talk(b"\xe5"), is_talk(bytes.fromhex("1040014216"))
    (True, False, False)
    """
    found, at = False, 0
    while at < len(octets):
        frame = octets[at : at + _SHORT_OCTETS]
        if octets.startswith(ACKNOWLEDGED, at):
            at += 1
        elif _is_short(frame):
            found, at = True, at + _SHORT_OCTETS
        else:
            return found and len(frame) < _SHORT_OCTETS and frame[0] == _SHORT_START
    return found


def _is_short(frame: bytes) -> bool:
    is_framed = len(frame) == _SHORT_OCTETS and frame[0] == _SHORT_START and frame[4] == _STOP
    return is_framed and sum(frame[1:3]) & 0xFF == frame[3]


def _long(held: bytes, at: int, size: int, behind_head: int, *, is_end: bool) -> Piece | None:
    """A long frame, or as much of one as is there."""
    if len(held) < at + size and not is_end:
        return None
    if len(held) >= at + size and held[at + size - 1] == _STOP:
        return Piece(size)
    following = _LONG.search(held, behind_head)
    end = min(at + size, len(held), following.start() if following else len(held))
    return Piece(end - at, Truncated(f"a frame of {size} bytes breaks off, or does not end with 16", end - at))


def unwrap(raw: bytes) -> Link:
    """A frame taken apart.

    Raises:
        Truncated, BadSyntax: no frame.
        BadChecksum: the sum does not fit.
    """
    if len(raw) == _SHORT_OCTETS and raw[0] == _SHORT_START:
        inside, content = raw[1:3], None
    elif _LONG.match(raw):
        size = raw[1] + _AROUND
        if len(raw) < size:
            raise Truncated(f"a frame of {size} bytes, of which {len(raw)} are there", len(raw))
        inside = raw[_LONG_HEAD : size - 2]
        content = inside[2:]
        if len(raw) > size:
            raise BadSyntax("something stands behind the end of the frame", size)
    else:
        raise BadSyntax("a frame starts with 68 LL LL 68, a short one is 10 CC AA SS 16")
    if raw[-1] != _STOP:
        raise BadSyntax("a frame ends with 16", len(raw) - 1)
    if sum(inside) & 0xFF != raw[-2]:
        raise BadChecksum(
            f"the frame's sum is {raw[-2]:02x}, of its bytes it is {sum(inside) & 0xFF:02x}", len(raw) - 2
        )
    return Link(inside[0], inside[1], content)


def wrap(control: int, address: int, content: bytes) -> bytes:
    """A long frame.

    Raises:
        ValueError: more than a frame can hold.
    """
    inside = bytes([control, address]) + content
    return b"\x68%c%c\x68%b%c\x16" % (len(inside), len(inside), inside, sum(inside) & 0xFF)
