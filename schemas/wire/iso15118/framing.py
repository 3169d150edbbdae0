"""V2GTP: the head of eight octets before every message (ISO 15118-2, 7.8.3; -20, 7.8.3; DIN SPEC 70121, 8.7.3).

Protocol version 01H, its complement FEH, two octets of payload type, four of payload length.
"""

import re
import struct
from typing import Final, NamedTuple

from schemas.wire.capture import Speech
from schemas.wire.contract import BadSyntax, TooLarge, Truncated
from schemas.wire.octets import Piece

HEAD_BYTES: Final = 8
PAYLOAD_LIMIT_BYTES: Final = 64 * 1024
"""[M] The length field goes to 4 GiB; the longest messages, with chains of certificates, stay below 20 KiB."""

_START: Final = b"\x01\xfe"
_SDP_PORT: Final = 15118

EXI: Final = 0x8001
MAIN: Final = 0x8002
AC: Final = 0x8003
DC: Final = 0x8004
RENEGOTIATION: Final = 0x8101
METERING: Final = 0x8102
SDP_REQUEST: Final = 0x9000
SDP_RESPONSE: Final = 0x9001

PAYLOAD_TYPES: Final = {
    EXI: "SupportedAppProtocol, ISO 15118-2 or DIN 70121",
    MAIN: "ISO 15118-20 main stream",
    AC: "ISO 15118-20 AC stream",
    DC: "ISO 15118-20 DC stream",
    0x8005: "ISO 15118-20 ACDP stream",
    0x8006: "ISO 15118-20 WPT stream",
    RENEGOTIATION: "ISO 15118-20 schedule renegotiation",
    METERING: "ISO 15118-20 metering confirmation",
    0x8103: "ISO 15118-20 ACDP system status",
    0x8104: "ISO 15118-20 parking status",
    SDP_REQUEST: "SDP request",
    SDP_RESPONSE: "SDP response",
    0x9002: "SDP request, wireless",
    0x9003: "SDP response, wireless",
}


class Message(NamedTuple):
    """A V2GTP message taken apart."""

    payload_type: int
    payload: bytes


def next_piece(held: bytes, at: int, is_end: bool) -> Piece | None:
    """The next V2GTP message of a stream; octets that are none reach up to the next that can be one."""
    if not held.startswith(_START, at):
        return _skip(held, at, is_end, "these octets are no V2GTP message, which starts with 01 FE")
    if len(held) - at < HEAD_BYTES:
        return Piece(len(held) - at, Truncated("a V2GTP message ends within its head")) if is_end else None
    length = int.from_bytes(held[at + 4 : at + HEAD_BYTES], "big")
    if length > PAYLOAD_LIMIT_BYTES:
        piece = _skip(held, at, is_end, "")
        return piece and piece._replace(error=TooLarge(_too_large(length), 4))
    end = at + HEAD_BYTES + length
    if end <= len(held):
        return Piece(end - at)
    return Piece(len(held) - at, Truncated(_too_short(length, len(held) - at), 4)) if is_end else None


def _skip(held: bytes, at: int, is_end: bool, why: str) -> Piece | None:
    found = held.find(_START, at + 1)
    if found < 0:
        # the last octet may be the first of the next head
        found = len(held) - (not is_end and held.endswith(_START[:1]))
    return Piece(found - at, BadSyntax(why)) if found > at else None


def parse(raw: bytes) -> Message:
    """Take a V2GTP message apart.

    Raises:
        Truncated: shorter than it says.
        BadSyntax: no V2GTP message, or octets behind its end.
        TooLarge: it says to be beyond :data:`PAYLOAD_LIMIT_BYTES`.
    """
    if not raw.startswith(_START[: len(raw)]):
        raise BadSyntax(f"a V2GTP message starts with 01 FE, not with {raw[:2].hex(' ').upper()}")
    if len(raw) < HEAD_BYTES:
        raise Truncated(f"a V2GTP message has a head of {HEAD_BYTES} octets", len(raw))
    payload_type, length = struct.unpack_from(">HI", raw, 2)
    if length > PAYLOAD_LIMIT_BYTES:
        raise TooLarge(_too_large(length), 4)
    if len(raw) - HEAD_BYTES < length:
        raise Truncated(_too_short(length, len(raw)), len(raw))
    if len(raw) - HEAD_BYTES > length:
        raise BadSyntax(f"{len(raw) - HEAD_BYTES - length} octets behind the end of the message", HEAD_BYTES + length)
    return Message(payload_type, raw[HEAD_BYTES:])


def frame(payload_type: int, payload: bytes) -> bytes:
    """The V2GTP message with this payload.

    >>> frame(SDP_REQUEST, bytes((0x10, 0x00))).hex()
    '01fe9000000000021000'
    """
    return _START + struct.pack(">HI", payload_type, len(payload)) + payload


def _too_large(length: int) -> str:
    return f"the message says its payload has {length} octets; up to {PAYLOAD_LIMIT_BYTES} are read"


def _too_short(length: int, held: int) -> str:
    return f"the message says its payload has {length} octets; {max(0, held - HEAD_BYTES)} follow its head"


SPEECH: Final = Speech(
    "V2GTP (ISO 15118, DIN 70121)",
    next_piece,
    re.compile(rb"\x01\xfe[\x80\x81\x90]", re.DOTALL),
    datagram_ports=frozenset({_SDP_PORT}),
)
