"""EDIFACT syntax (ISO 9735, version 3): separators, segments, character sets, numbers and times.

Segments are cut by a regular expression over bytes, which is linear and knows the release character; the parts of a
segment by another. That pydifact, which goes from character to character, reads the same parts is a law of the tests.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from pydifact.control import Characters

from schemas.time import HOUR_US, to_us
from schemas.wire.contract import BadSyntax, SchemaViolation, TooLarge, Truncated

SEGMENT_LIMIT: Final = 16 * 1024
"""Bytes of a segment; the longest of an MSCONS has a few hundred."""
PART_LIMIT: Final = 200
"""Elements and components of a segment; the longest of an MSCONS has some thirty."""
BLANKS: Final = b"\r\n\t "
"""What may stand between segments."""

_NOT_USED: Final = "\0"
"""Stands for a release character that UNA says is not used."""
_SEPARATORS_KEPT: Final = 64
"""For so many different separators patterns are kept; senders have one or two, and there are a million."""

_CHARSETS: Final = {
    "UNOA": "iso8859-1",
    "UNOB": "iso8859-1",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOW": "utf-8",
    "UNOY": "utf-8",
}
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:[.,][0-9]{1,12})?", re.ASCII)
_INSTANT_LENGTH: Final = len("202610242200+00")
_INSTANT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([+-][0-9]{2})", re.ASCII)


class Separators(NamedTuple):
    """The four characters that separate, as UNA names them; its other two (decimal mark, reserved) decide nothing.

    ISO 9735 lets point and comma mark decimals alike, whatever UNA says.
    """

    component: str = ":"
    element: str = "+"
    release: str = "?"
    terminator: str = "'"

    @property
    def una(self) -> str:
        """The service string advice that names them."""
        return f"UNA{self.component}{self.element}.{self.release.replace(_NOT_USED, ' ')} {self.terminator}"

    @property
    def characters(self) -> Characters:
        """The same for pydifact."""
        return Characters(self.component, self.element, ".", self.release, " ", self.terminator)


class Segment(NamedTuple):
    """A segment: its tag, its elements as lists of components, the byte of the message where it begins."""

    tag: str
    elements: list[list[str]]
    offset: int

    def at(self, element: int, component: int = 0) -> str:
        """A component, counted from 0; "" where there is none."""
        if element < len(self.elements) and component < len(self.elements[element]):
            return self.elements[element][component]
        return ""


def separators_of(una: str) -> Separators:
    """The separators a service string advice (``UNA`` and six characters) names.

    Raises:
        BadSyntax: not nine characters, or characters that cannot separate.

    >>> separators_of("UNA:+.? '") == Separators()
    True
    """
    used = [una[3:4], una[4:5], una[6:7].replace(" ", _NOT_USED), una[8:9]]
    separate = una.isascii() and len(una) == 9 and len(set(used)) == 4
    if not (separate and una.startswith("UNA")) or any(c.isalnum() or c.isspace() for c in used):
        raise BadSyntax(f"{una[:9]!r} is no UNA: four different ASCII characters that separate are needed")
    return Separators(*used)


def charset_of(syntax: str) -> str:
    """The encoding that a syntax identifier of UNB means; ISO 8859-1 where there is none.

    Raises:
        SchemaViolation: no such identifier.
    """
    if not syntax:
        return "iso8859-1"
    try:
        return _CHARSETS[syntax]
    except KeyError:
        raise SchemaViolation(f"UNB names the syntax {syntax[:8]!r}; UNOA to UNOK, UNOW and UNOY are known") from None


@lru_cache(maxsize=_SEPARATORS_KEPT)
def segment_pattern(separators: Separators) -> re.Pattern[bytes]:
    """Matches a segment with its terminator; a released character never ends it."""
    end, release = (re.escape(c.encode()) for c in (separators.terminator, separators.release))
    if separators.release == _NOT_USED:
        return re.compile(b"[^%b]*+%b" % (end, end), re.DOTALL)
    return re.compile(b"(?:[^%b%b]++|%b.)*+%b" % (end, release, release, end), re.DOTALL)


def segments_of(raw: bytes, separators: Separators, charset: str) -> Iterator[Segment]:
    """The segments of a message in order.

    Raises:
        Truncated: the last segment has no terminator.
        TooLarge: a segment beyond the limit.
        BadSyntax: bytes that are no text, or no segment.
    """
    pattern = segment_pattern(separators)
    component, element = separators.component.encode(), separators.element.encode()
    at = _skip_blanks(raw, 0)
    while at < len(raw):
        found = pattern.match(raw, at)
        if found is None:
            raise Truncated(f"the message ends within a segment that begins {raw[at : at + 20]!r}", at)
        if found.end() - at > SEGMENT_LIMIT:
            raise TooLarge(f"a segment has at most {SEGMENT_LIMIT} bytes, this one has {found.end() - at}", at)
        segment = found.group()
        if segment.count(component) + segment.count(element) > PART_LIMIT:
            raise TooLarge(f"a segment has at most {PART_LIMIT} parts", at)
        yield parse_segment(segment, separators, charset, at)
        at = _skip_blanks(raw, found.end())


def parse_segment(raw: bytes, separators: Separators, charset: str, offset: int = 0) -> Segment:
    """One segment, with its terminator.

    Raises:
        BadSyntax: bytes that are no text of that encoding, or no segment.
    """
    try:
        text = raw.decode(charset)
    except UnicodeDecodeError as problem:
        raise BadSyntax(f"the bytes are no {charset} text: {problem.reason}", offset + problem.start) from problem
    if _NOT_USED in text:
        raise BadSyntax("a segment holds a NUL character", offset)
    if f"{separators.release}\n" in text:
        raise BadSyntax("a line break stands behind a release character", offset)
    (tag, *more), *elements = _elements(text, separators)
    if more or len(tag) != 3:
        raise BadSyntax(f"{text[:20]!r} is no segment: a tag of three letters comes first", offset)
    return Segment(tag, elements, offset)


def _elements(text: str, separators: Separators) -> list[list[str]]:
    """The components of each element of a segment, its tag being the first."""
    pattern, release, element = _part_pattern(separators), separators.release, separators.element
    elements: list[list[str]] = [[]]
    for part, end in pattern.findall(text):
        elements[-1].append(_released(part, release) if release in part else part)
        if end == element:
            elements.append([])
    return elements


@lru_cache(maxsize=_SEPARATORS_KEPT)
def _part_pattern(separators: Separators) -> re.Pattern[str]:
    """Matches a component and what ends it."""
    ends = "".join(map(re.escape, (separators.component, separators.element, separators.terminator)))
    if separators.release == _NOT_USED:
        return re.compile(f"([^{ends}]*+)([{ends}])", re.DOTALL)
    release = re.escape(separators.release)
    return re.compile(f"((?:[^{ends}{release}]++|{release}.)*+)([{ends}])", re.DOTALL)


def _released(part: str, release: str) -> str:
    """A component without its release characters; of two in a row the second stays."""
    if release + release not in part:
        return part.replace(release, "")
    return release.join([piece.replace(release, "") for piece in part.split(release + release)])


def number(text: str, segment: Segment) -> Decimal:
    """A number; point and comma mark decimals alike.

    Raises:
        SchemaViolation: no number, or one of more than 18 digits.
    """
    if not _NUMBER.fullmatch(text):
        raise SchemaViolation(f"{segment.tag} says {text[:40]!r}, not a number", segment.offset)
    return Decimal(text.replace(",", "."))


def instant(segment: Segment) -> int:
    """The time in microseconds that a DTM in format 303 says (``202610242200+00``).

    Raises:
        SchemaViolation: another format, or no such time. One without zone (203) is ambiguous and so no time.
    """
    text, style = segment.at(0, 1), segment.at(0, 2)
    time_us = _instant_us(text) if style == "303" and len(text) == _INSTANT_LENGTH else None
    if time_us is not None:
        return time_us
    raise SchemaViolation(
        f"DTM+{segment.at(0)} says {text[:40]!r} in format {style[:8]!r}; a time in format 303 with zone is needed, "
        "for example 202610242200?+00:303",
        segment.offset,
    )


@lru_cache(maxsize=8192)
def _instant_us(text: str) -> int | None:
    """A time with its zone, None where it is none. Where one value ends the next begins, and of each register again."""
    found = _INSTANT.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, zone = map(int, found.groups())
    try:
        return to_us(datetime(year, month, day, hour, minute, tzinfo=UTC)) - zone * HOUR_US
    except ValueError:
        return None


def _skip_blanks(raw: bytes, at: int) -> int:
    while at < len(raw) and raw[at] in BLANKS:
        at += 1
    return at
