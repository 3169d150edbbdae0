"""Frames to payloads: who answers, and its records (EN 13757-3, clauses 5 and 6)."""

from typing import Any, Final, NamedTuple

from schemas.wire.contract import (
    BadSyntax,
    Conversation,
    Decoded,
    Frame,
    MissingContext,
    Truncated,
    Unsupported,
    WireError,
)
from schemas.wire.mbus.link import ACKNOWLEDGED, unwrap
from schemas.wire.mbus.records import records_of

LONG_HEADER, LONG_HEADER_BIG, SHORT_HEADER, SHORT_HEADER_BIG, NO_HEADER = 0x72, 0x76, 0x7A, 0x7E, 0x78
NO_MAKER: Final = "@@@"
"""The code 0000 in letters: there are meters that were never given their maker's."""

RESPONSE: Final = 0x08
"""Control field of an answer with data, whatever the meter says of itself in bits 4 and 5."""

_LONG_OCTETS, _SHORT_OCTETS = 12, 4
_CONTENT: Final = 6
"""Where the content starts in a long frame: behind its head, control and address field."""
_CONTROLS: Final = {0x40: "SND_NKE", 0x4B: "REQ_SKE", 0x5A: "REQ_UD1", 0x5B: "REQ_UD2", 0x53: "SND_UD"}
_APPLICATION_ERROR: Final = 0x70
_ERRORS: Final = {
    0: "unspecified",
    1: "control-information-unknown",
    2: "buffer-too-long",
    3: "too-many-records",
    4: "record-ends-early",
    5: "too-many-dife",
    6: "too-many-vife",
    8: "busy",
    9: "too-many-readouts",
}
"""What a meter says instead of an answer (EN 13757-3, table of application errors)."""
_FRAME_COUNT_BIT: Final = 0x20
_ENCRYPTION: Final = 0x1F00
_MODES: Final = 16
"""Modes of encryption that there are or may be (EN 13757-7). The rest is reserved: who sends such a word is of an older
edition, in which it was called signature and had no meaning."""
_ADDRESSES: Final = "addresses"

_MEDIA: Final = {2: "1", 3: "7", 4: "6", 6: "9", 7: "8", 8: "4", 10: "5", 11: "5", 12: "6", 13: "6", 21: "9", 22: "8"}
"""From the medium of the M-Bus to the one of DIN 43863-5; what is not here is 0, "other"."""


class _Header(NamedTuple):
    """The fixed start of an answer: who speaks ({} where it is not said), what else is said, how long it is."""

    who: dict[str, Any]
    said: dict[str, Any]
    octets: int


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """What a frame says: ``mbus.data`` about a meter, or ``mbus.link`` about the gateway that asks.

    Raises:
        WireError: damaged, no frame, encrypted, or from a meter that never said its name.
    """
    if frame.raw == ACKNOWLEDGED:
        return _link({"kind": "acknowledgement"}, frame)
    link = unwrap(frame.raw)
    if link.content is None:
        kind = _CONTROLS.get(link.control & ~_FRAME_COUNT_BIT, _CONTROLS.get(link.control, f"{link.control:02x}"))
        return _link({"kind": kind, "address": link.address}, frame)
    if link.control & 0x4F != RESPONSE:
        raise Unsupported(f"control field {link.control:02x}: only answers of meters are read, no commands to them", 4)
    if link.content[0] == _APPLICATION_ERROR:
        code = link.content[1] if len(link.content) > 1 else 0
        error = _ERRORS.get(code, f"error {code}")
        return _link({"kind": "application-error", "address": link.address, "error": error}, frame)
    try:
        payload = _answer(link.address, link.content, conversation)
    except WireError as error:
        error.offset += _CONTENT
        raise
    return Decoded("mbus.data", f"meter:{payload['meter']}", frame.time_us, payload)


def meter_name(medium: int, manufacturer: str, version: int, number: str) -> str:
    """The meter as its nameplate says (DIN 43863-5): the secondary address of the M-Bus says the same.

    >>> meter_name(2, "NZR", 1, "30100608")
    '1NZR0130100608'
    """
    return f"{_MEDIA.get(medium, '0')}{manufacturer}{version:02X}{number}"


def maker_name(code: int) -> str:
    """Three letters of a maker, from five bits each (EN 13757-3, clause 5.6).

    >>> maker_name(0x3B52)
    'NZR'
    """
    return "".join(chr((code >> shift & 0x1F) + 0x40) for shift in (10, 5, 0))


def _link(payload: dict[str, Any], frame: Frame) -> Decoded:
    return Decoded("mbus.link", f"smgw:{frame.source}", frame.time_us, payload)


def _answer(address: int, content: bytes, conversation: Conversation) -> dict[str, Any]:
    kind = content[0]
    is_big = kind in {LONG_HEADER_BIG, SHORT_HEADER_BIG}
    if kind in {LONG_HEADER, LONG_HEADER_BIG}:
        header = _long_header(content, is_big=is_big)
        conversation.memory.setdefault(_ADDRESSES, {})[address] = header.who
    elif kind in {SHORT_HEADER, SHORT_HEADER_BIG}:
        header = _short_header(content, 1, is_big=is_big)
    elif kind == NO_HEADER:
        header = _Header({}, {}, 1)
    else:
        raise Unsupported(f"control information {kind:02x}: only the variable data structure is read")
    who = header.who or conversation.memory.get(_ADDRESSES, {}).get(address)
    if not who:
        raise MissingContext(
            f"the meter at address {address} does not say its number here, nor did it before; an answer with a "
            "long header (72) says it"
        )
    try:
        records = records_of(content[header.octets :], is_big=is_big)
    except WireError as error:
        error.offset += header.octets
        raise
    return {"address": address, **who, **header.said, **records}


def _long_header(content: bytes, *, is_big: bool) -> _Header:
    """Number, maker, version, medium; then what stands in a short header."""
    head = content[1 : 1 + _LONG_OCTETS]
    if len(head) < _LONG_OCTETS:
        raise Truncated(f"a header of {_LONG_OCTETS} bytes, of which {len(head)} are there", len(content))
    number, code = head[0:4], head[4:6]
    if not is_big:
        number, code = number[::-1], code[::-1]
    digits = number.hex().upper()
    maker = maker_name(int.from_bytes(code))
    if maker != NO_MAKER and not (maker.isascii() and maker.isalpha() and maker.isupper()):
        raise BadSyntax(f"the maker's code {code.hex()} stands for no three letters", 5)
    version, medium = head[6], head[7]
    short = _short_header(content, 9, is_big=is_big)
    meter = meter_name(medium, maker, version, digits)
    who = {"meter": meter, "number": digits, "manufacturer": maker, "version": version, "medium": medium}
    return _Header(who, short.said, short.octets)


def _short_header(content: bytes, at: int, *, is_big: bool) -> _Header:
    """Access counter, status, and the word that says whether records are encrypted."""
    head = content[at : at + _SHORT_OCTETS]
    if len(head) < _SHORT_OCTETS:
        raise Truncated(f"a header of {_SHORT_OCTETS} bytes, of which {len(head)} are there", len(content))
    configuration = int.from_bytes(head[2:4], "big" if is_big else "little")
    mode = (configuration & _ENCRYPTION) >> 8
    if 0 < mode < _MODES:
        raise Unsupported(f"the records are encrypted (mode {mode}); they are read where the key is", at + 2)
    signature = {"signature": configuration} if mode else {}
    return _Header({}, {"access": head[0], "status": head[1], **signature}, at + _SHORT_OCTETS)
