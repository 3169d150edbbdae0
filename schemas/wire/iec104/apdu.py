"""The APDU: start octet 68H, length, four control octets, for I-frames an ASDU (IEC 60870-5-104, clause 5)."""

import re
from typing import Any, Final, NamedTuple

from schemas.wire.capture import Speech
from schemas.wire.contract import BadSyntax, Truncated
from schemas.wire.octets import Piece

START: Final = 0x68
_SHORTEST, _LONGEST = 4, 253
_SETUP: Final = {
    0x07: "STARTDT act",
    0x0B: "STARTDT con",
    0x13: "STOPDT act",
    0x23: "STOPDT con",
    0x43: "TESTFR act",
    0x83: "TESTFR con",
}


class Apdu(NamedTuple):
    """Control field and content. ``kind`` is ``i``, ``s`` or ``u``; ``setup`` what a U-frame asks or confirms."""

    kind: str
    send: int
    receive: int
    setup: str
    asdu: bytes

    def payload(self) -> dict[str, Any]:
        """What of it stands in every payload."""
        if self.kind == "u":
            return {"frame": "u", "setup": self.setup}
        if self.kind == "s":
            return {"frame": "s", "receive": self.receive}
        return {"frame": "i", "send": self.send, "receive": self.receive}


def next_piece(held: bytes, at: int, is_end: bool) -> Piece | None:
    """The next APDU of a stream; octets that are none reach up to the next that can be one."""
    start = at
    while True:
        start = held.find(START, start)
        if start < 0:
            return Piece(len(held) - at, BadSyntax("these bytes are no APDU: none of them is the start octet 68H"))
        fits = _fits(held, start)
        if fits is False:
            start += 1
            continue
        if start > at:
            return Piece(start - at, BadSyntax("these bytes stand between APDUs"))
        if fits:
            return Piece(held[at + 1] + 2)
        if not is_end:
            return None
        return Piece(len(held) - at, Truncated("the APDU is shorter than its length octet says", len(held) - at))


def _fits(held: bytes, start: int) -> bool | None:
    """Whether an APDU stands there; None: more octets are needed to tell."""
    if start + 1 >= len(held):
        return None
    length = held[start + 1]
    if not _SHORTEST <= length <= _LONGEST:
        return False
    if start + 3 <= len(held) and held[start + 2] & 0x01 and length != _SHORTEST:
        return False  # S- and U-frames have no content
    return True if start + 2 + length <= len(held) else None


def parse(raw: bytes) -> Apdu:
    """Take an APDU apart.

    Raises:
        Truncated: shorter than it says.
        BadSyntax: no APDU.
    """
    if len(raw) < 2 + _SHORTEST:
        raise Truncated("an APDU has at least six octets", len(raw))
    if raw[0] != START:
        raise BadSyntax(f"an APDU starts with 68H, not with {raw[0]:02X}H")
    if raw[1] != len(raw) - 2:
        problem = Truncated if raw[1] > len(raw) - 2 else BadSyntax
        raise problem(f"the length octet says {raw[1]}, and {len(raw) - 2} octets follow it", 1)
    first = raw[2]
    send, receive = (int.from_bytes(raw[at : at + 2], "little") >> 1 for at in (2, 4))
    if not first & 0x01:
        if len(raw) < 2 + _SHORTEST + 1:
            raise Truncated("an I-frame without an ASDU", len(raw))
        return Apdu("i", send, receive, "", raw[6:])
    if len(raw) != 2 + _SHORTEST:
        raise BadSyntax("only I-frames have content behind the control field", 6)
    if not first & 0x02:
        return Apdu("s", 0, receive, "", b"")
    if first not in _SETUP:
        raise BadSyntax(f"the control octet {first:02X}H asks for no known function, or for several", 2)
    return Apdu("u", 0, 0, _SETUP[first], b"")


def frame(control: bytes, asdu: bytes = b"") -> bytes:
    """An APDU with these four control octets.

    Raises:
        ValueError: more content than the length octet can say.
    """
    if len(control) + len(asdu) > _LONGEST:
        raise ValueError(f"an APDU has at most {_LONGEST} octets behind its length; send the objects in several")
    return bytes((START, len(control) + len(asdu))) + control + asdu


SPEECH: Final = Speech(
    "IEC 60870-5-104", next_piece, re.compile(rb"\x68[\x04-\xfd]", re.DOTALL), ports=frozenset({2404, 19998})
)
