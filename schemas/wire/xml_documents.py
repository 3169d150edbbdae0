"""XML within limits (no document type, no entities; bounded size, depth, number of elements), cut into documents.

What all formats written in XML share. A file may hold one document, or several one behind the other.
"""

from collections.abc import Iterator
from re import Pattern
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge, Truncated, WireError

SIZE_LIMIT: Final = 16 * 1024 * 1024
DEPTH_LIMIT: Final = 32
ELEMENT_LIMIT: Final = 2_000_000

_BORDER_REACH: Final = 256
_CHUNK: Final = 1024 * 1024

_ENDS_EARLY: Final = frozenset({3, 5, 6, 20})
"""Expat's errors for bytes that end too early: no element, unclosed token, partial character, unclosed CDATA."""


def parse(raw: bytes, element_limit: int = ELEMENT_LIMIT) -> Element:
    """The root element.

    Raises:
        TooLarge: bigger, deeper or with more elements than the limits.
        Truncated: the bytes end before the document does.
        BadSyntax: not well-formed, or with a document type or entities.
    """
    if len(raw) > SIZE_LIMIT:
        raise TooLarge(f"a message has at most {SIZE_LIMIT} bytes, this one has {len(raw)}")
    parser = DefusedXMLParser(target=_Bounded(element_limit), forbid_dtd=True)
    try:
        parser.feed(raw)
        root: Element = parser.close()
    except DefusedXmlException as problem:
        words = "document types and entities are not accepted; send the document without its <!DOCTYPE ...>"
        raise BadSyntax(words, max(raw.find(b"<!DOCTYPE"), 0)) from problem
    except ParseError as problem:
        raise _as_wire_error(problem, raw) from problem
    except (ValueError, LookupError) as problem:
        raise BadSyntax(f"the encoding cannot be read: {problem}") from problem
    return root


def documents(stream: BinaryIO, border: Pattern[bytes]) -> Iterator[Frame | Malformed]:
    """One frame per document; a document beyond the limit comes out in malformed stretches.

    ``border`` matches the end of one document and, in its first group, the begin of the next, in at most 256 bytes.
    """
    held, offset, is_too_large = b"", 0, False
    while chunk := stream.read(_CHUNK):
        searched = max(len(held) - _BORDER_REACH, 0)
        held += chunk
        while found := border.search(held, searched):
            end = found.start(1)
            yield _cut(held[:end], offset, is_too_large=is_too_large)
            held, offset, is_too_large, searched = held[end:], offset + end, False, 0
        if len(held) > SIZE_LIMIT + _CHUNK:
            yield _cut(held[:SIZE_LIMIT], offset, is_too_large=True)
            held, offset, is_too_large = held[SIZE_LIMIT:], offset + SIZE_LIMIT, True
    if held.strip() or is_too_large:
        yield _cut(held, offset, is_too_large=is_too_large)


def _cut(raw: bytes, offset: int, *, is_too_large: bool) -> Frame | Malformed:
    if is_too_large or len(raw) > SIZE_LIMIT:
        return Malformed(raw, offset, TooLarge(f"a message has at most {SIZE_LIMIT} bytes"))
    return Frame(raw, offset)


class _Bounded(TreeBuilder):
    def __init__(self, element_limit: int) -> None:
        super().__init__()
        self._limit = element_limit
        self._depth = 0
        self._count = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > DEPTH_LIMIT:
            raise TooLarge(f"elements are nested deeper than {DEPTH_LIMIT}")
        if self._count > self._limit:
            raise TooLarge(f"a message has at most {self._limit} elements")
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _as_wire_error(problem: ParseError, raw: bytes) -> WireError:
    line, column = problem.position
    start = 0
    for _ in range(line - 1):
        start = raw.find(b"\n", start) + 1
    offset = min(start + column, len(raw))
    kind = Truncated if problem.code in _ENDS_EARLY else BadSyntax
    return kind(f"not well-formed XML: {problem}", offset)
