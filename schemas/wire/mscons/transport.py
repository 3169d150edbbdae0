"""What an interchange travels in: a part of a MIME message, as AS4 sends it, or a file of its own.

AS4 (the BDEW's profile of the OASIS standard, with "SwA" attachments) puts the interchange into a part of its own,
often compressed with gzip, behind a SOAP envelope with the message's id. Parts may be base64 or quoted-printable.
"""

import re
import zlib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from itertools import chain
from typing import Any, BinaryIO, Final

from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge, Truncated, Unsupported, WireError
from schemas.wire.mscons.interchange import cut
from schemas.wire.mscons.syntax import BLANKS

SIZE_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a MIME message, and of an interchange that was compressed in it."""

_HEAD: Final = 64 * 1024
_CHUNK: Final = 256 * 1024
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_PART_LIMIT: Final = 16
_BORDER_LIMIT: Final = 64
"""Lines that may be a border between parts."""
_LINE_LIMIT: Final = 600_000
"""Lines of a MIME message; an interchange at the limit with a segment a line has fewer."""
_BOUNDARY: Final = re.compile(rb"--([^\r\n]{1,200})\r?\nContent-", re.IGNORECASE)
_HEADERS: Final = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n")
_IS_CARRIER: Final = re.compile(rb"^(?:MIME-Version|Content-Type):", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID: Final = re.compile(rb"<(?:\w+:)?MessageId>\s*([^<\s]{1,255})\s*</")
_INTERCHANGE: Final = (b"UNA", b"UNB")
_GZIP: Final = b"\x1f\x8b"
_ENCRYPTED: Final = ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted")


def is_interchange(head: bytes) -> bool:
    """Whether bytes begin like an interchange, or like one of its messages."""
    return head.removeprefix(_BYTE_ORDER_MARK).lstrip(BLANKS).startswith((*_INTERCHANGE, b"UNH"))


def is_mime(head: bytes) -> bool:
    """Whether bytes begin like a MIME message, or like the body of one, whose headers HTTP took off."""
    start = head.lstrip(BLANKS)
    headers = _HEADERS.match(start)
    return bool(_BOUNDARY.match(start) or (headers and _IS_CARRIER.search(headers.group())))


def unwrap(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """The messages in a file, out of the MIME message it may be."""
    head = stream.read(_HEAD)
    if not is_mime(head):
        rest = iter(lambda: stream.read(_CHUNK), b"")
        yield from cut(chain([head.removeprefix(_BYTE_ORDER_MARK)], rest))
        return
    raw = head + stream.read(SIZE_LIMIT + 1 - len(head))
    if len(raw) > SIZE_LIMIT:
        error = TooLarge(f"a MIME message has at most {SIZE_LIMIT} bytes; send the interchange as a file of its own")
        yield Malformed(raw, 0, error)
        yield from _remainder(stream, len(raw), error)
        return
    try:
        parts = _parts(raw)
    except WireError as error:
        yield Malformed(raw, 0, error)
        return
    context = _envelope(parts)
    for part in parts:
        yield from _part(part, context)


def _remainder(stream: BinaryIO, offset: int, error: WireError) -> Iterator[Malformed]:
    while chunk := stream.read(SIZE_LIMIT // 16):
        yield Malformed(chunk, offset, error)
        offset += len(chunk)


def _parts(raw: bytes) -> list[Message]:
    """The leaves of a MIME message.

    Raises:
        BadSyntax: it cannot be taken apart without loss.
        TooLarge: more parts than any sender makes.
    """
    body = _BOUNDARY.match(raw.lstrip(BLANKS))
    if body:
        raw = b'Content-Type: multipart/related; boundary="' + body[1].strip() + b'"\r\n\r\n' + raw.lstrip(BLANKS)
    if raw.lower().count(b"boundary=") > _PART_LIMIT or raw.count(b"\n--") > _BORDER_LIMIT:
        raise TooLarge(f"a MIME message with more than {_PART_LIMIT} parts is not taken apart")
    if raw.count(b"\n") > _LINE_LIMIT:
        raise TooLarge(f"a MIME message has at most {_LINE_LIMIT} lines; send the interchange as a file of its own")
    whole = message_from_bytes(raw)
    parts = list(whole.walk())
    defects = [type(defect).__name__ for part in parts for defect in part.defects]
    if defects:
        raise BadSyntax(f"the MIME message is damaged: {', '.join(sorted(set(defects)))}")
    leaves = [part for part in parts if not part.is_multipart()]
    if len(leaves) > _PART_LIMIT:
        raise TooLarge(f"a MIME message has at most {_PART_LIMIT} parts, this one has {len(leaves)}")
    return leaves


def _envelope(parts: list[Message]) -> dict[str, Any]:
    """What the SOAP envelope says of the message: its id."""
    for part in parts:
        if _is_envelope(part) and (found := _MESSAGE_ID.search(_payload(part))):
            return {"as4_message_id": found[1].decode("ascii", "replace")}
    return {}


def _is_envelope(part: Message) -> bool:
    return part.get_content_type() in {"application/soap+xml", "text/xml"}


def _part(part: Message, context: dict[str, Any]) -> Iterator[Frame | Malformed]:
    """The messages in a part; what is no interchange is kept as it is."""
    if _is_envelope(part):
        return
    content = _payload(part)
    if content.startswith(_GZIP):
        try:
            content = _unzipped(content)
        except WireError as error:
            yield Malformed(content, 0, error)
            return
    if is_interchange(content):
        yield from cut([content], context)
    elif content.strip(BLANKS):
        yield Malformed(content, 0, _why_not(part.get_content_type()))


def _why_not(kind: str) -> WireError:
    if kind in _ENCRYPTED:
        return Unsupported(f"the part ({kind}) is encrypted; give it decrypted")
    return BadSyntax(f"the part ({kind}) holds no interchange")


def _payload(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _unzipped(content: bytes) -> bytes:
    """Content of a gzip file.

    Raises:
        TooLarge: beyond the limit.
        Truncated: it ends too early.
        BadSyntax: damaged.
    """
    unzip = zlib.decompressobj(wbits=31)
    try:
        found = unzip.decompress(content, SIZE_LIMIT + 1)
    except zlib.error as problem:
        raise BadSyntax(f"the part is damaged gzip: {problem}") from problem
    if len(found) > SIZE_LIMIT:
        raise TooLarge(f"an interchange unpacked from a part has at most {SIZE_LIMIT} bytes")
    if not unzip.eof:
        raise Truncated("the part is gzip that ends too early")
    return found
