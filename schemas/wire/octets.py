"""Logs of octets, as meters speak them on a wire, cut into telegrams. For all protocols whose telegrams are bytes.

Three forms:

- the bare stream of octets, as a serial port or a tunnel gives it;
- hex digits, with white space and line breaks anywhere;
- lines ``2026-03-29T00:00:00Z SOURCE 1b1b1b1b01010101...``: a time with zone, who spoke, and what was heard as hex
  digits, which may have space between them. Who spoke may be left out where they have none.

How telegrams lie in a stream is the protocol's matter: it gives a :data:`NextPiece`.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import BinaryIO, Final, NamedTuple

from schemas.wire.contract import BadSyntax, Frame, Malformed, TooLarge, WireError
from schemas.wire.instants import instant

LINE_LIMIT_BYTES: Final = 1024 * 1024
"""The longest line of a text."""

_CHUNK_BYTES: Final = 64 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_CONTROL: Final = bytes(range(32)).translate(None, b"\t\n\r")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]*")
_HEX_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")
_LOG_LINE: Final = re.compile(rb"\s*\d{4}-\d\d-\d\d")


class Piece(NamedTuple):
    """The next octets of a stream: a telegram, or with an error octets that are none."""

    length: int
    error: WireError | None = None


NextPiece = Callable[[bytes, int, bool], Piece | None]
"""``(held, at, is_end)``: the piece of ``held`` that starts at ``at``. None: more octets are needed to tell, which
may only be said where ``is_end`` is false. Never longer than what is held, never empty."""


class Cut(NamedTuple):
    """A piece with its octets; ``offset`` is where they start in the stream."""

    raw: bytes
    offset: int
    error: WireError | None


class Cutter:
    """Cuts a stream that comes in parts."""

    def __init__(self, next_piece: NextPiece) -> None:
        self._next_piece = next_piece
        self._held = b""
        self._offset = 0

    def feed(self, octets: bytes) -> Iterator[Cut]:
        """The pieces that are whole now; to be taken before more is fed."""
        self._held += octets
        return self._pieces(is_end=False)

    def finish(self) -> Iterator[Cut]:
        """What is still held; nothing comes after."""
        return self._pieces(is_end=True)

    def _pieces(self, *, is_end: bool) -> Iterator[Cut]:
        held, at = self._held, 0
        while at < len(held) and (piece := self._next_piece(held, at, is_end)):
            yield Cut(held[at : at + piece.length], self._offset + at, piece.error)
            at += piece.length
        self._held = held[at:]
        self._offset += at


def looks_like(head: bytes, starts: re.Pattern[bytes]) -> bool:
    """Whether a file that starts so holds, as octets or as hex digits, what matches at the start of a telegram.

    A stream may begin anywhere, so the match may be anywhere.
    """
    return any(map(starts.search, openings(head)))


def openings(head: bytes) -> Iterator[bytes]:
    """The octets with which a file that starts so may begin: as they are, or those of hex digits, by line and whole."""
    head = head.removeprefix(_BOM)
    if not _is_text(head):
        yield head
        return
    for line in _first_lines(head):
        digits = line.split(None, 2)[-1] if _LOG_LINE.match(line) and len(line.split(None, 2)) > 1 else line
        yield _leading_octets(digits)
    yield _leading_octets(head)


def split(stream: BinaryIO, next_piece: NextPiece) -> Iterator[Frame | Malformed]:
    """Cut a file in one of the three forms."""
    head = stream.read(_CHUNK_BYTES)
    chunks = chain([head], iter(lambda: stream.read(_CHUNK_BYTES), b""))
    if not _is_text(head.removeprefix(_BOM)):
        return _from_octets(chunks, next_piece)
    lines = _lines(chunks)
    if any(map(_LOG_LINE.match, _first_lines(head))):
        return _from_log(lines, next_piece)
    return _Hex(next_piece).pieces(lines)


def _first_lines(head: bytes) -> list[bytes]:
    return head.removeprefix(_BOM).split(b"\n", 20)[:20]


def _is_text(head: bytes) -> bool:
    """Telegrams begin or end with control characters, texts hold none."""
    return not head[:4096].translate(None, bytes(set(range(256)) - set(_CONTROL)))


def _leading_octets(digits: bytes) -> bytes:
    """The first octets of hex digits, as far as they are hex digits."""
    found = _HEX.match(b"".join(digits.split()))
    text = found.group() if found else b""
    return bytes.fromhex(text[: len(text) // 2 * 2].decode())


def _from_octets(chunks: Iterable[bytes], next_piece: NextPiece) -> Iterator[Frame | Malformed]:
    cutter = Cutter(next_piece)
    for chunk in chunks:
        yield from map(_kept, cutter.feed(chunk))
    yield from map(_kept, cutter.finish())


def _kept(cut: Cut) -> Frame | Malformed:
    return Frame(cut.raw, cut.offset) if cut.error is None else Malformed(cut.raw, cut.offset, cut.error)


class _Line(NamedTuple):
    text: bytes
    offset: int
    is_whole: bool


def _lines(chunks: Iterable[bytes]) -> Iterator[_Line]:
    """Lines without their ends; one beyond the limit comes in parts that are not whole."""
    held, offset, is_whole = b"", 0, True
    for chunk in chunks:
        lines = (held + chunk).split(b"\n")
        held = lines.pop()
        for line in lines:
            yield _Line(line, offset, is_whole)
            offset, is_whole = offset + len(line) + 1, True
        if len(held) > LINE_LIMIT_BYTES:
            yield _Line(held, offset, is_whole=False)
            held, offset, is_whole = b"", offset + len(held), False
    if held:
        yield _Line(held, offset, is_whole)


def _from_log(lines: Iterable[_Line], next_piece: NextPiece) -> Iterator[Frame | Malformed]:
    for line in lines:
        text, offset = _without_bom(line)
        if not line.is_whole:
            yield Malformed(text, offset, TooLarge(f"a line of a log has at most {LINE_LIMIT_BYTES} bytes"))
        elif text and not text.isspace():
            try:
                yield from _log_line(text, offset, next_piece)
            except WireError as error:
                yield Malformed(text, offset, error)


def _log_line(line: bytes, offset: int, next_piece: NextPiece) -> list[Frame]:
    """The telegrams of a line; what is none there is a frame too, which keeps time and source, and fails to decode."""
    words = line.split(None, 2)
    if len(words) < 2:
        raise BadSyntax("a line of a log is TIME SOURCE HEX")
    time_us = _time_us(words[0])
    try:
        raw = bytes.fromhex(words[-1].decode("ascii"))
        source = words[1].decode() if len(words) == 3 else ""
    except UnicodeDecodeError:
        raise BadSyntax("a line of a log is TIME SOURCE HEX in UTF-8; this one is not") from None
    except ValueError:
        raise BadSyntax("behind time and source stand hex digits, two for each byte; here are others") from None
    if not raw:
        raise BadSyntax("the line holds no message")
    offset += line.rindex(words[-1])
    piece = next_piece(raw, 0, True)
    if piece is None or piece.length == len(raw):
        return [Frame(raw, offset, time_us, source)]
    cutter = Cutter(next_piece)
    return [Frame(cut.raw, offset, time_us, source) for cut in chain(cutter.feed(raw), cutter.finish())]


@lru_cache(maxsize=1024)
def _time_us(word: bytes) -> int:
    try:
        return instant(word.decode("ascii"))
    except (ValueError, OverflowError) as problem:
        raise BadSyntax(f"{word[:40].decode('ascii', 'replace')!r} is no time with zone: {problem}") from None


class _Hex:
    """A stream of octets written as hex digits; ``offset`` of what comes out is where its first digit stands."""

    def __init__(self, next_piece: NextPiece) -> None:
        self._next_piece = next_piece
        self._restart()

    def pieces(self, lines: Iterable[_Line]) -> Iterator[Frame | Malformed]:
        """The pieces of a text; a line that holds other than hex digits comes out as it is."""
        for line in lines:
            text, offset = _without_bom(line)
            digits = b"".join(text.split())
            if _HEX.fullmatch(digits):
                yield from self._take(text, offset, digits)
            else:
                yield from self._finish()
                yield Malformed(text, offset, BadSyntax("hex digits stand in this file, and here are others"))
        yield from self._finish()

    def _restart(self) -> None:
        self._cutter = Cutter(self._next_piece)
        self._half = b""
        self._digits = 0
        self._places: deque[tuple[int, int, bytes]] = deque()
        self._reached: tuple[int, int] | None = None
        """The digit asked for last, and where it stands in the first text: what comes next is sought from there."""

    def _take(self, text: bytes, offset: int, digits: bytes) -> Iterator[Frame | Malformed]:
        if not digits:
            return
        self._places.append((self._digits, offset, text))
        self._digits += len(digits)
        digits = self._half + digits
        even = len(digits) // 2 * 2
        self._half = digits[even:]
        yield from map(self._kept, self._cutter.feed(bytes.fromhex(digits[:even].decode())))

    def _finish(self) -> Iterator[Frame | Malformed]:
        yield from map(self._kept, self._cutter.finish())
        if self._half:
            yield Malformed(self._half, self._place(self._digits - 1), BadSyntax("half a byte: one hex digit"))
        self._restart()

    def _kept(self, cut: Cut) -> Frame | Malformed:
        return _kept(cut._replace(offset=self._place(cut.offset * 2)))

    def _place(self, digit: int) -> int:
        """Where a digit stands in the file; digits are asked for in order."""
        while len(self._places) > 1 and self._places[1][0] <= digit:
            self._places.popleft()
            self._reached = None
        start, offset, text = self._places[0]
        number, reached = self._reached or (start, 0)
        digits = (place for place in range(reached, len(text)) if text[place] in _HEX_DIGITS)
        place = next(islice(digits, digit - number, None))
        self._reached = (digit, place)
        return offset + place


def _without_bom(line: _Line) -> tuple[bytes, int]:
    if line.offset == 0 and line.text.startswith(_BOM):
        return line.text[len(_BOM) :], len(_BOM)
    return line.text, line.offset
