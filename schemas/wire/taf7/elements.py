"""Bytes to XML elements within limits: no document type, no entities, bounded size, depth and number of elements."""

from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from schemas.wire.contract import BadSyntax, TooLarge, Truncated, WireError

AR: Final = "{http://vde.de/AR_2418-6.xsd}"
"""Namespace of VDE AR 2418-6, in which readings leave the gateway."""
ESPI: Final = "{http://naesb.org/espi}"
"""Namespace of the standard it is derived from (NAESB REQ.21)."""

SIZE_LIMIT: Final = 16 * 1024 * 1024
DEPTH_LIMIT: Final = 32
ELEMENT_LIMIT: Final = 2_000_000

_ENDS_EARLY: Final = frozenset({3, 5, 6, 20})
"""Expat's errors for bytes that end too early: no element, unclosed token, partial character, unclosed CDATA."""


def parse(raw: bytes) -> Element:
    """The root element.

    Raises:
        TooLarge: bigger, deeper or with more elements than the limits.
        Truncated: the bytes end before the document does.
        BadSyntax: not well-formed, or with a document type or entities.
    """
    if len(raw) > SIZE_LIMIT:
        raise TooLarge(f"a message has at most {SIZE_LIMIT} bytes, this one has {len(raw)}")
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(raw)
        root: Element = parser.close()
    except DefusedXmlException as problem:
        raise BadSyntax(f"document types and entities are not accepted: {problem}") from problem
    except ParseError as problem:
        raise _as_wire_error(problem, raw) from problem
    except (ValueError, LookupError) as problem:
        raise BadSyntax(f"the encoding cannot be read: {problem}") from problem
    return root


class _Bounded(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._count = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > DEPTH_LIMIT:
            raise TooLarge(f"elements are nested deeper than {DEPTH_LIMIT}")
        if self._count > ELEMENT_LIMIT:
            raise TooLarge(f"a message has at most {ELEMENT_LIMIT} elements")
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
