"""Commands of section 14a EnWG on their whole way: grid operator, metering point operator, control box (20, 29, 10).

Between market partners (20, and where it is passed on, 29) the "API-Webdienste zur prozessualen Abwicklung von
Steuerungshandlungen" of EDI@Energy hold (controlMeasuresV1, release 1.0.0): POST requests whose command is a parameter.
They are read as HTTP/1.1 (a file holds one request or more), or as JSON exchanges
``{"method", "path", "query", "headers", "body", "status"}``, one a line or one a file. See
:mod:`schemas.wire.control.measures`.

What routes a command to the control box, what the box answers, and what it passes on where it does not speak EEBUS
(29, 10, 9), has no public model; it is read as JSON messages with a ``type``. See :mod:`schemas.wire.control.box`.

An answer means nothing without its order: the payload of an answer holds the order it belongs to, with the id of its
event, or ``"context_missing": "order"``. The event is about the location (``sr:...``, ``nelo:...``) or the control box
(``control-box:...``).
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO, Final

from schemas.wire.contract import BadSyntax, Conversation, Decoded, Frame, Malformed, TooLarge, WireFormat
from schemas.wire.control.box import read_box
from schemas.wire.control.measures import read_measure
from schemas.wire.control.orders import Orders
from schemas.wire.control.request import from_exchange, from_http, is_exchange
from schemas.wire.control.writing import encode_box, encode_measure
from schemas.wire.json_messages import looks_like_json, messages
from schemas.wire.strict_json import parse

__all__ = ["FORMAT", "decode", "encode_box", "encode_measure", "recognise", "split"]

SIZE_LIMIT: Final = 1024 * 1024
"""Bytes of a file of HTTP requests; one has less than two thousand."""
_REQUEST: Final = re.compile(rb"^POST /", re.MULTILINE)


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so is JSON or an HTTP POST."""
    return looks_like_json(head) or head.startswith(b"POST /")


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """A frame for each HTTP request, or for each JSON message."""
    head = stream.read(len(b"POST /"))
    if not head.startswith(b"POST /"):
        yield from messages(stream, head)
        return
    raw = head + stream.read(SIZE_LIMIT - len(head) + 1)
    if len(raw) > SIZE_LIMIT:
        yield from _too_large(raw, stream)
        return
    borders = [*(found.start() for found in _REQUEST.finditer(raw)), len(raw)]
    yield from (Frame(raw[start:end], start) for start, end in pairwise(borders))


def _too_large(raw: bytes, stream: BinaryIO) -> Iterator[Malformed]:
    offset = 0
    while raw:
        yield Malformed(raw, offset, TooLarge(f"a file of HTTP requests has at most {SIZE_LIMIT} bytes"))
        offset += len(raw)
        raw = stream.read(SIZE_LIMIT)


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """A command, or what was answered.

    Raises:
        WireError: no request and no message of that kind, or a value that is missing or against the model.
    """
    orders = Orders(conversation, frame)
    if frame.raw.startswith(b"POST "):
        return read_measure(from_http(frame.raw), orders)
    said = parse(frame.raw)
    if not isinstance(said, dict):
        raise BadSyntax("a JSON message is an object")
    if is_exchange(said):
        return read_measure(from_exchange(said), orders)
    return read_box(said, orders)


FORMAT = WireFormat("control", "control commands (controlMeasuresV1, control box)", recognise, split, decode)
