"""Logs of decoded messages, as charging stacks write them, cut into messages.

A line, a document over several lines, or the elements of an array, each in one of these forms:

- the bare message: ``{"V2G_Message": {"Header": ..., "Body": ...}}``, ``{"AC_ChargeLoopReq": {"Header": ...}}``;
- an object of a log: ``{"time": ..., "source": ..., "direction": ..., "message": {"V2G_Message": ...}}``; of the
  members beside ``message`` none must be there;
- a line of text that ends with a message behind the namespace: ``... (ns=urn:iso:15118:2:2013:MsgDef): {...}``, which
  some stacks call ``Namespace.ISO_V2_MSG_DEF``. Where it has a time with a zone, that is its time. Lines in which a
  program says something else, with a time and a level, are left out.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import orjson

from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge, WireError
from schemas.wire.iso15118.codec import DIN, ISO_2, ISO_20_AC, ISO_20_COMMON, ISO_20_DC, SAP
from schemas.wire.json_lines import BOM, log_time_us, messages_of, place_of
from schemas.wire.program_lines import OWN_LIMIT, beginning, is_own
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

_MESSAGE: Final = re.compile(rb'"(?:V2G_Message|supportedAppProtocolRe[qs]|[A-Z][A-Za-z_]{3,60}Re[qs])"\s*:\s*\{')
_STACK_LINE: Final = re.compile(rb"(?P<before>.*?)\(ns=(?P<namespace>[^\s()]{1,100})\):\s*(?P<message>\{.*)", re.DOTALL)
_NAMED: Final = {
    "SAP": SAP,
    "DIN_MSG_DEF": DIN,
    "ISO_V2_MSG_DEF": ISO_2,
    "ISO_V20_COMMON_MSG": ISO_20_COMMON,
    "ISO_V20_AC": ISO_20_AC,
    "ISO_V20_DC": ISO_20_DC,
}
"""What a stack's log calls the namespaces by, behind ``Namespace.``."""

_WORD_LIMIT: Final = 200


def recognise(head: bytes) -> bool:
    """Whether a file that starts so may be such a log."""
    head = head.removeprefix(BOM).lstrip()
    if _MESSAGE.search(head) is None:
        return False
    return head[:1] in {b"{", b"["} or any(_STACK_LINE.match(line) for line in head.split(b"\n", 20)[:20])


def split(head: bytes, stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """Cut a log into messages; ``head`` was read already. What holds none comes out as a :class:`Malformed`."""
    head += stream.read(FRAME_LIMIT_BYTES + 1 - len(head))
    found = messages_of(head, stream, _cut, lambda line: _MESSAGE.search(line) is not None)
    return (item for item in found if not (isinstance(item, Malformed) and _is_talk(item.raw)))


def _is_talk(line: bytes) -> bool:
    """Whether a line holds no message, nor what is left of one, but what a program says of itself."""
    return not line.startswith((b"{", b"[{")) and b"(ns=" not in line and not _MESSAGE.search(line) and is_own(line)


def _cut(content: bytes, offset: int) -> Frame | Malformed:
    message = content.strip()
    offset += len(content) - len(content.lstrip())
    try:
        return _record(message, offset) if message.startswith(b"{") else _stack_line(message, offset)
    except WireError as error:
        return Malformed(message, offset, error)


def _stack_line(line: bytes, offset: int) -> Frame:
    found = _STACK_LINE.match(line)
    if found is None:
        raise BadSyntax("neither a message as JSON, nor an object of a log, nor a line with (ns=...): and a message")
    said, namespace = beginning(found["before"][:OWN_LIMIT]), found["namespace"].decode("ascii", "replace")
    context = said.context() | {"namespace": _NAMED.get(namespace.removeprefix("Namespace."), namespace)}
    return Frame(found["message"], offset + found.start("message"), said.time_us(), "", context)


def _record(line: bytes, offset: int) -> Frame:
    """A bare message, or the one in an object of a log."""
    try:
        record: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        at = len(problem.doc[: problem.pos].encode("utf-8", "replace"))
        raise BadSyntax(f"not JSON: {problem.msg}", at) from None
    if "message" not in record:
        return Frame(line, offset)
    words = {name: record[name] for name in ("time", "source", "direction", "namespace") if record.get(name)}
    for name, word in words.items():
        if not isinstance(word, str) or len(word) > _WORD_LIMIT:
            raise BadSyntax(f'"{name}" is text of at most {_WORD_LIMIT} characters')
    try:
        begin, end = place_of("message", line)
    except RecursionError:
        raise TooLarge("nested too deep") from None
    time_us = log_time_us(words["time"]) if "time" in words else None
    context: dict[str, Any] = {name: word for name, word in words.items() if name in {"direction", "namespace"}}
    return Frame(line[begin:end], offset + begin, time_us, words.get("source", ""), context)
