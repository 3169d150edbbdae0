"""Logs that hold one JSON message a line, or one over several lines: what the logs of all JSON protocols share."""

import io
from collections.abc import Callable, Iterator
from json import JSONDecoder
from typing import BinaryIO, Final, NamedTuple

import orjson

from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge
from schemas.wire.instants import instant
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

LINE_LIMIT: Final = FRAME_LIMIT_BYTES + 64 * 1024
"""A line is a frame and what the log says about it; as escaped text a frame near its limit may be longer."""

BOM: Final = b"\xef\xbb\xbf"

_BETWEEN: Final = b", \t\r\n"
"""What may follow an element of a list that has one element a line."""

_scan: Final = JSONDecoder(parse_int=str, parse_float=str).raw_decode
"""Finds the end of a JSON value; numbers are left as they are, some are too long to be converted."""


class Part(NamedTuple):
    """A stretch of a log that should hold messages."""

    content: bytes
    offset: int


def messages_of(
    head: bytes,
    stream: BinaryIO,
    cut: Callable[[bytes, int], Frame | Malformed],
    looks_like_message: Callable[[bytes], bool],
) -> Iterator[Frame | Malformed]:
    """Cut a log that is a list of messages, one message over several lines, or one message a line.

    ``head`` is the log's beginning, already read, one byte more than a frame may have or all there is; ``cut`` makes
    the one message of a stretch and its offset.
    """
    start = len(BOM) if head.startswith(BOM) else 0
    content = head[start:]
    if len(head) <= FRAME_LIMIT_BYTES and content.lstrip().startswith(b"[") and is_json(content):
        try:
            places = list(elements_of(content))
        except RecursionError:
            yield Malformed(content, start, TooLarge("nested too deep"))
            return
        for begin, end in places:
            yield cut(content[begin:end], start + begin)
        return
    for part in parts_of(head, stream, looks_like_message):
        if isinstance(part, Malformed):
            yield part
        elif part.content.strip().strip(b"[],"):
            yield cut(part.content.rstrip(_BETWEEN), part.offset)


def parts_of(head: bytes, stream: BinaryIO, looks_like_message: Callable[[bytes], bool]) -> Iterator[Part | Malformed]:
    """The whole of a log that is one message over several lines, else each of its lines that is not blank.

    ``head`` is as in :func:`messages_of`; a line that is too long comes out in malformed stretches.
    """
    start = len(BOM) if head.startswith(BOM) else 0
    if len(head) <= FRAME_LIMIT_BYTES and is_one_document(head[start:], looks_like_message):
        yield Part(head[start:], start)
        return
    for part in whole_lines(head, stream):
        if isinstance(part, Malformed) or part.content.strip():
            yield part


def whole_lines(head: bytes, stream: BinaryIO) -> Iterator[Part | Malformed]:
    """Each line of a log with its end; a line that is too long comes out in malformed stretches."""
    for line, offset, is_whole in lines_of(head, stream):
        if is_whole:
            yield Part(line, offset)
        else:
            yield Malformed(line, offset, TooLarge(f"a line of a log has at most {LINE_LIMIT} bytes"))


def lines_of(head: bytes, stream: BinaryIO) -> Iterator[tuple[bytes, int, bool]]:
    """Lines with their offsets; False marks the parts of a line that is too long."""
    beginning = io.BytesIO(head)
    offset = beginning.seek(len(BOM) if head.startswith(BOM) else 0)
    continues = False
    while True:
        line = beginning.readline(LINE_LIMIT)
        if len(line) < LINE_LIMIT and not line.endswith(b"\n"):
            line += stream.readline(LINE_LIMIT - len(line))
        if not line:
            return
        is_cut = len(line) == LINE_LIMIT and not line.endswith(b"\n")
        yield line, offset, not (is_cut or continues)
        continues = is_cut
        offset += len(line)


def is_one_document(content: bytes, looks_like_message: Callable[[bytes], bool]) -> bool:
    """Whether it is one JSON text over several lines, even one that ends too early."""
    first, _, others = content.strip().partition(b"\n")
    if not others or first[:1] not in {b"[", b"{"} or is_json(first):
        return False
    return is_json(content) or not any(looks_like_message(line.strip()) for line in others.split(b"\n"))


def is_json(content: bytes) -> bool:
    """Whether it is one whole JSON text."""
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


def place_of(name: str, line: bytes) -> tuple[int, int]:
    """Where the value of a member stands in the text of an object; of equal names the last, as in any JSON reader.

    As latin-1 every byte is one character, so positions in the text are positions in the bytes.
    """
    text = line.decode("latin-1")
    found = (0, len(text))
    position = _skip(text, 1)
    while text[position] != "}":
        key, position = _scan(text, position)
        start = _skip(text, _skip(text, position) + 1)
        _, position = _scan(text, start)
        if key == name:
            found = (start, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return found


def elements_of(content: bytes) -> Iterator[tuple[int, int]]:
    """Where the elements of an array stand in its text, which is known to be JSON."""
    text = content.decode("latin-1")
    position = _skip(text, _skip(text, 0) + 1)
    while text[position] != "]":
        _, end = _scan(text, position)
        yield position, end
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    """The position behind white space."""
    while text[position] in " \t\r\n":
        position += 1
    return position


def log_time_us(stamp: str) -> int:
    """Microseconds of the time stamp a log gives.

    Raises:
        BadSyntax: see :func:`~schemas.wire.instants.instant`.
    """
    try:
        return instant(stamp)
    except ValueError as problem:
        raise BadSyntax(f"{stamp[:40]!r} is no time stamp: {problem}") from None


def text_of(word: bytes, name: str) -> str:
    """A word of a log as text; ``name`` says what it is.

    Raises:
        BadSyntax: not UTF-8.
    """
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise BadSyntax(f"the {name} is not UTF-8") from None
