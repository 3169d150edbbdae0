"""Interchanges to messages: UNA, UNB ... UNZ around UNH ... UNT, cut as the bytes come.

A message's context holds the interchange's header as it was sent (``una``, ``unb``), so that its bytes can be read
alone. What is no message comes out as :class:`~schemas.wire.contract.Malformed`; of header and trailer only those that
are wrong do.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from schemas.wire.contract import (
    BadSyntax,
    Frame,
    Malformed,
    SchemaViolation,
    TooLarge,
    Truncated,
    WireError,
)
from schemas.wire.mscons.syntax import (
    BLANKS,
    SEGMENT_LIMIT,
    Segment,
    Separators,
    charset_of,
    parse_segment,
    segment_pattern,
    separators_of,
)

MESSAGE_LIMIT: Final = 6 * 1024 * 1024
"""Bytes of a message; a year of two registers has five million."""

_STRAY_LIMIT: Final = 1024 * 1024
_UNA_LENGTH: Final = 9
_UNB_LEAST: Final = len("UNB+UNOC:3+a+b+d:t+r'")


class Interchange(NamedTuple):
    """The header of an interchange (UNB). ``prepared`` is date and time as sent: legal time, without a zone."""

    syntax: str
    sender: str
    receiver: str
    prepared: str
    reference: str
    application: str


def read_header(unb: bytes, separators: Separators) -> Interchange:
    """What UNB says.

    Raises:
        BadSyntax: no UNB.
        SchemaViolation: sender, receiver or reference is missing, or an unknown character set.
    """
    segment = parse_segment(unb, separators, "iso8859-1")
    if segment.tag != "UNB":
        raise BadSyntax(f"{segment.tag} is no header of an interchange")
    prepared = f"{segment.at(3)}:{segment.at(3, 1)}"
    found = Interchange(segment.at(0), segment.at(1), segment.at(2), prepared, segment.at(4), segment.at(6))
    charset_of(found.syntax)
    if not (found.sender and found.receiver and found.reference):
        raise SchemaViolation("UNB names sender, receiver and a reference; one of them is missing")
    return found


def cut(chunks: Iterable[bytes], context: dict[str, Any] | None = None) -> Iterator[Frame | Malformed]:
    """Every message of every interchange in a stream of bytes; ``context`` is added to each message's."""
    cutter = _Cutter(context or {})
    for chunk in chunks:
        yield from cutter.feed(chunk)
    yield from cutter.rest()


class _Cutter:
    """Bytes in, messages out. Holds one message, or one stretch that is none, between ``_start`` and ``_at``."""

    def __init__(self, context: dict[str, Any]) -> None:
        self._context = context
        self._held = b""
        self._offset = 0  # of the first held byte in the stream
        self._start = 0  # where what is being read begins
        self._at = 0  # up to where it was read
        self._in_message = False
        self._stray: WireError | None = None  # why what is being read belongs to no message
        self._separators = Separators()
        self._una = ""
        self._unb: tuple[bytes, int] | None = None
        self._header: Interchange | None = None
        self._messages = 0

    def feed(self, chunk: bytes) -> Iterator[Frame | Malformed]:
        """What the next bytes complete."""
        self._held = self._held[self._start :] + chunk
        self._offset += self._start
        self._at -= self._start
        self._start = 0
        while True:
            end = self._segment_end()
            if end:
                yield from self._take(end)
            elif len(self._held) - self._at > SEGMENT_LIMIT:
                yield from self._resume()
            else:
                return

    def rest(self) -> Iterator[Frame | Malformed]:
        """What lies behind the last complete segment, and the interchange that never ended."""
        if self._held[self._start :].strip(BLANKS):
            yield from self._drop(
                len(self._held), self._stray or Truncated("the file ends within a message or segment")
            )
        yield from self._unclosed()

    def _segment_end(self) -> int:
        """Where the next segment ends; 0 where more bytes are needed."""
        while self._at < len(self._held) and self._held[self._at] in BLANKS:
            self._at += 1
        if not self._in_message and self._stray is None:
            self._start = self._at
        if self._held.startswith(b"UNA", self._at):
            end = self._at + _UNA_LENGTH
            return end if end <= len(self._held) else 0
        found = segment_pattern(self._separators).match(self._held, self._at, self._at + SEGMENT_LIMIT)
        return found.end() if found else 0

    def _take(self, end: int) -> Iterator[Frame | Malformed]:
        tag = self._held[self._at : self._at + 3]
        is_service = self._is_service(tag, end)
        if is_service and self._in_message:
            yield from self._drop(self._at, Truncated(f"the message has no UNT before {tag.decode()}"))
        elif is_service and self._stray:
            yield from self._drop(self._at, self._stray)
        if is_service and tag == b"UNH":
            self._in_message, self._at = True, end
        elif is_service:
            yield from self._service(tag, *self._pass(end))
        elif self._in_message:
            yield from self._inside(tag, end)
        else:
            self._stray = self._stray or BadSyntax(f"segment {tag!r} stands outside of a message and interchange")
            self._at = end
            if end - self._start > _STRAY_LIMIT:
                yield from self._drop(end, self._stray)

    def _is_service(self, tag: bytes, end: int) -> bool:
        """Whether a segment begins or ends something; one that cannot is a stray one, of which many cost little."""
        if tag == b"UNA":
            try:
                separators_of(self._held[self._at : end].decode("iso8859-1"))
            except WireError as error:
                self._stray = self._stray or (None if self._in_message else error)
                return False
        if tag == b"UNB":
            return end - self._at >= _UNB_LEAST
        return tag in {b"UNH", b"UNA"} or (tag == b"UNZ" and self._unb is not None)

    def _inside(self, tag: bytes, end: int) -> Iterator[Frame | Malformed]:
        self._at = end
        if tag == b"UNT":
            raw, offset = self._pass(end)
            self._in_message = False
            self._messages += 1
            yield Frame(raw, offset, source=self._header.sender if self._header else "", context=self._named())
        elif end - self._start > MESSAGE_LIMIT:
            yield from self._drop(end, TooLarge(f"a message has at most {MESSAGE_LIMIT} bytes"))

    def _named(self) -> dict[str, Any]:
        """The context of a message: the header of its interchange."""
        header: dict[str, Any] = {"una": self._una} if self._una else {}
        if self._unb and self._header:
            header["unb"] = self._unb[0].decode("iso8859-1")
        return self._context | header

    def _service(self, tag: bytes, raw: bytes, offset: int) -> Iterator[Malformed]:
        try:
            if tag == b"UNZ":
                self._close(parse_segment(raw, self._separators, "iso8859-1"))
                return
            yield from self._unclosed()
            self._header, self._messages = None, 0
            if tag == b"UNA":
                self._una = raw.decode("iso8859-1")
                self._separators = separators_of(self._una)
            else:
                self._unb = raw, offset
                self._header = read_header(raw, self._separators)
        except WireError as error:
            yield Malformed(raw, offset, error)

    def _close(self, segment: Segment) -> None:
        """Hold UNZ against what was there; messages count, whatever it says."""
        header, messages = self._header, self._messages
        self._unb, self._header, self._messages = None, None, 0
        if segment.at(0) != str(messages):
            raise SchemaViolation(f"UNZ says {segment.at(0)[:12]!r} messages, the interchange has {messages}")
        if header and segment.at(1) != header.reference:
            raise SchemaViolation(f"UNZ closes {segment.at(1)[:20]!r}, UNB opened {header.reference[:20]!r}")

    def _unclosed(self) -> Iterator[Malformed]:
        """The header of an interchange that never ended; its messages were given."""
        if self._unb:
            (raw, offset), self._unb = self._unb, None
            yield Malformed(raw, offset, Truncated(f"the interchange has no UNZ; {self._messages} messages were read"))

    def _resume(self) -> Iterator[Malformed]:
        """Behind a segment without end: go on at the last header in sight, so that hostile bytes cost no more."""
        first, end = self._at + 1, self._at + SEGMENT_LIMIT
        header = self._held.rfind(b"UNA", first, end)
        if header < 0:
            header = max(self._held.rfind(tag, first, end) for tag in (b"UNB", b"UNH"))
        error = self._stray or TooLarge(f"no segment ends within {SEGMENT_LIMIT} bytes")
        yield from self._drop(header if header > 0 else end - 2, error)

    def _drop(self, end: int, error: WireError) -> Iterator[Malformed]:
        """Give what is held up to ``end`` as no message."""
        raw, offset = self._pass(end)
        self._in_message, self._stray = False, None
        if raw:
            yield Malformed(raw, offset, error)

    def _pass(self, end: int) -> tuple[bytes, int]:
        """What is being read up to ``end``, and where in the stream it begins; the next begins at its end."""
        raw, offset = self._held[self._start : end], self._offset + self._start
        self._start = self._at = end
        return raw, offset
