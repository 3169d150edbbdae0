"""The messages of one protocol in a capture, or in a log of octets."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, BinaryIO, Final, NamedTuple, cast

from schemas.wire import program_logs
from schemas.wire.capture import logs
from schemas.wire.capture.packets import is_capture, packets_of
from schemas.wire.capture.tcp import Heard, heard
from schemas.wire.contract import BadSyntax, Frame, LogLines, Malformed, Truncated, Unsupported
from schemas.wire.octets import Cut, Cutter, NextPiece, looks_like
from schemas.wire.octets import split as split_octets

_HEAD_BYTES: Final = 64 * 1024
_NAMED: Final = 5
_TLS: Final = re.compile(rb"\x16\x03[\x00-\x04]")


class Speech(NamedTuple):
    """How a protocol is told among others on a network.

    ``next_piece`` cuts a stream (see :mod:`schemas.wire.octets`); ``starts`` matches the beginning of a message;
    ``ports`` are the protocol's registered ones, on which a conversation may also be caught in the middle of a message;
    over ``datagram_ports`` it speaks UDP, a message a datagram.
    """

    title: str
    next_piece: NextPiece
    starts: re.Pattern[bytes]
    ports: frozenset[int] = frozenset()
    datagram_ports: frozenset[int] = frozenset()


def recognise(head: bytes, speech: Speech) -> bool:
    """Whether a file that starts so may hold the protocol: any capture, or octets that begin like a message."""
    return is_capture(head) or looks_like(head, speech.starts) or logs.is_log(head, speech.starts)


def log_lines(speech: Speech, is_else: Callable[[bytes], bool] = lambda _head: False) -> LogLines:
    """How programs log the protocol's octets; no log is a capture, nor a file for which ``is_else`` holds."""
    return logs.lines_of(speech.starts, speech.next_piece, lambda head: is_capture(head) or is_else(head))


def split(stream: BinaryIO, speech: Speech, head: bytes = b"") -> Iterator[Frame | Malformed]:
    """Cut a capture, a stream of octets, hex digits or a log into messages; ``head`` was read already."""
    head += stream.read(max(0, _HEAD_BYTES - len(head)))
    whole = cast("BinaryIO", _Joined(head, stream))
    if is_capture(head):
        return frames_of(whole, speech)
    if logs.is_log(head, speech.starts):
        return program_logs.split(head, stream, logs.lines_of(speech.starts, speech.next_piece))
    return split_octets(whole, speech.next_piece)


def frames_of(stream: BinaryIO, speech: Speech) -> Iterator[Frame | Malformed]:
    """The messages of one protocol in a capture.

    A frame's source is the connection, so that what one end said can be matched with what the other answered; its
    context says ``from`` and ``to`` (address and port), and ``opener`` whether it comes from who opened the connection.
    A TLS session is named once, as unreadable. A capture in which nobody speaks the protocol is one :class:`Malformed`.
    """
    listening = _Listening(speech)
    for item in heard(packets_of(stream)):
        if isinstance(item, Malformed):
            listening.found = True
            yield item
        else:
            yield from listening.hear(item)
    yield from listening.finish()


class _Way:
    """One direction of a connection that speaks the protocol."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._cutter = Cutter(speech.next_piece)
        self._last: Heard | None = None

    def take(self, said: Heard) -> Iterator[Frame | Malformed]:
        if said.lost_bytes:
            yield from self.finish()
            self._cutter = Cutter(self._speech.next_piece)
        self._last = said
        for cut in self._cutter.feed(said.octets):
            yield _frame(cut, said)

    def finish(self) -> Iterator[Frame | Malformed]:
        if self._last is not None:
            for cut in self._cutter.finish():
                yield _frame(cut, self._last)


class _Listening:
    """Everything of a capture that was heard so far."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._ways: dict[tuple[str, bool], _Way | None] = {}
        self._foreign: list[str] = []
        self._last_offset = 0
        self.found = False

    def hear(self, said: Heard) -> Iterator[Frame | Malformed]:
        """What can be cut now."""
        self._last_offset = said.offset
        if said.is_datagram:
            yield from self._datagram(said)
            return
        key = (said.connection, said.opened)
        if said.is_first:
            if (old := self._ways.get(key)) is not None:
                yield from old.finish()
            self._ways[key] = _Way(self._speech) if self._speaks(said) else None
            if _TLS.match(said.octets):
                yield from self._encrypted(said)
        way = self._ways.get(key)
        if way is not None:
            self.found = True
            yield from way.take(said)

    def finish(self) -> Iterator[Frame | Malformed]:
        """What was not complete, and a word where there was nothing at all."""
        for way in self._ways.values():
            if way is not None:
                yield from way.finish()
        if not self.found:
            heard_of = ", ".join(self._foreign[:_NAMED]) or "no connection at all"
            detail = f"the capture holds no {self._speech.title}; it has {heard_of}"
            yield Malformed(b"", self._last_offset, Unsupported(detail))

    def _speaks(self, said: Heard) -> bool:
        if _TLS.match(said.octets):
            return False
        ports = {int(end.rpartition(":")[2]) for end in (said.sender, said.receiver)}
        speaks = bool(ports & self._speech.ports) or self._speech.starts.match(said.octets) is not None
        if not speaks:
            self._foreign.append(said.connection)
        return speaks

    def _datagram(self, said: Heard) -> Iterator[Frame | Malformed]:
        ports = {int(end.rpartition(":")[2]) for end in (said.sender, said.receiver)}
        if ports & self._speech.datagram_ports:
            self.found = True
            way = _Way(self._speech)
            yield from chain(way.take(said), way.finish())

    def _encrypted(self, said: Heard) -> Iterator[Malformed]:
        other = self._ways.get((said.connection, not said.opened), ...)
        if other is not ...:  # the session was named when its other end spoke
            return
        self.found = True
        detail = (
            f"{said.connection} is a TLS session: encrypted, not broken. "
            "Log its messages at one of the ends, or record without TLS"
        )
        yield Malformed(said.octets[:_NAMED], said.offset, Unsupported(detail))


def _frame(cut: Cut, said: Heard) -> Frame | Malformed:
    if cut.error is None:
        context: dict[str, Any] = {"from": said.sender, "to": said.receiver, "opener": said.opened}
        return Frame(cut.raw, said.offset, said.time_us, said.connection, context)
    error = cut.error
    if isinstance(error, (BadSyntax, Truncated)):
        error = type(error)(f"{error.detail} ({said.sender} to {said.receiver})", error.offset)
    return Malformed(cut.raw, said.offset, error)


class _Joined:
    """A beginning that was read already, and the stream it came from."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes; fewer only at the end."""
        if size < 0:
            taken, self._head = self._head, b""
            return taken + self._stream.read()
        taken, self._head = self._head[:size], self._head[size:]
        return taken + self._stream.read(size - len(taken)) if len(taken) < size else taken
