"""Files of OCPI objects: one object, a response with one or many, or a log with one a line."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import orjson

from schemas.wire.contract import BadSyntax, Frame, Malformed, WireError
from schemas.wire.json_lines import BOM, elements_of, log_time_us, parts_of, place_of
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

_MARK: Final = re.compile(
    rb'"(?:cdr_token|evses|publish|kwh|contract_id|charging_rate_unit|status_code|elements|object)"\s*:'
)


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so may hold objects of OCPI."""
    head = head.removeprefix(BOM).lstrip()
    return head[:1] in {b"{", b"["} and _MARK.search(head) is not None


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut a file into objects, each with its bytes as they were sent."""
    for part in parts_of(stream.read(FRAME_LIMIT_BYTES + 1), stream, lambda line: line.startswith((b"{", b"["))):
        if isinstance(part, Malformed):
            yield part
        else:
            yield from _cut(*part)


def _cut(content: bytes, offset: int) -> Iterator[Frame | Malformed]:
    message = content.strip()
    offset += len(content) - len(content.lstrip())
    try:
        yield from _objects(message, offset)
    except WireError as error:
        yield Malformed(message, offset, error)


def _objects(message: bytes, offset: int) -> list[Frame]:
    try:
        value: Any = orjson.loads(message)
    except orjson.JSONDecodeError as problem:
        raise BadSyntax(f"not JSON: {problem.msg}", problem.pos) from None
    if isinstance(value, list):
        return [Frame(message[start:end], offset + start) for start, end in elements_of(message)]
    if not isinstance(value, dict):
        raise BadSyntax("an object of OCPI, or a list of them, is expected")
    if "status_code" in value and "data" in value:
        start, end = place_of("data", message)
        return _objects(message[start:end], offset + start)
    if "object" in value:
        start, end = place_of("object", message)
        stamp, source = value.get("time"), value.get("source", "")
        if not isinstance(source, str) or not isinstance(stamp, str | None):
            raise BadSyntax('"time" and "source" of a line of a log are text')
        time_us = log_time_us(stamp) if stamp else None
        return [Frame(message[start:end], offset + start, time_us, source)]
    return [Frame(message, offset)]
