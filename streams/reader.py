"""From files and bytes to events: open, recognise the format, cut into messages, decode.

The log of a program is cut a line at a time, and each line is read in the format that knows it; of lines that belong to
other interfaces it is told how many there were.

Nothing is lost on the way: what cannot be cut or decoded comes out as :class:`Rejected`, with its bytes
and its reason; what has no decoder yet comes out as an event of type ``undecoded``.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from schemas.calendar import Zone, instant_in
from schemas.event import UNDECODED, Event, event_id
from schemas.interfaces import format_of, recognise
from schemas.interfaces import interface as interface_of
from schemas.points import POINTS
from schemas.time import MINUTE_US
from schemas.wire.contract import Conversation, Frame, Malformed, WireError, WireFormat
from schemas.wire.iso15118.codec import CODEC
from schemas.wire.program_lines import LOGGED
from streams.exi import codec
from streams.points import points_of
from streams.program_logs import MixedLog, program_log, told_of
from streams.sources import HEAD_BYTES, MIB, BoundedReader, Meter, Piece, Source, pieces

RAW_LIMIT_BYTES = 12 * MIB
"""The largest message: in base64 and with its payload it must fit into a record of 16 MiB."""

ISO15118 = "iso15118"
"""The format whose messages need a codec."""

UNRECOGNISED = "unrecognised"
DECODER_ERROR = "decoder-error"
TOO_LARGE = "too-large"
OTHER_INTERFACE = "other-interface"
"""Of lines of a log whose messages belong to another interface."""

_UNCUT = "uncut"
"""Mark in the context of a rejected stretch of a log that was never cut into messages."""

_OUT_OF_ORDER_US = MINUTE_US
"""By how much a line of a log may be earlier than one before it [M]."""

_LINE_SUFFIXES = (".jsonl", ".ndjson")

_log = logging.getLogger(__name__)


class Rejected(NamedTuple):
    """A message that did not become an event; it goes to the quarantine and can be resubmitted.

    ``offset`` is where the message starts in its file, ``time_us`` the stamp of the log, ``format`` the
    name of the wire format ("" when none was recognised), ``detail`` a sentence for a person.
    """

    interface: str
    source: str
    raw: bytes
    offset: int
    time_us: int | None
    format: str
    reason: str
    detail: str
    context: dict[str, Any] = {}  # noqa: RUF012 -- a NamedTuple's default, never written to

    @property
    def id(self) -> str:
        """The id the event would have had."""
        return event_id(self.interface, self.source, self.raw, self.time_us)


Outcome = Event | Rejected


class Conversations:
    """What decoders remember, one conversation per (interface, source); the longest silent are forgotten first."""

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._known: OrderedDict[tuple[str, str], Conversation] = OrderedDict()

    def of(self, interface: str, source: str) -> Conversation:
        """The conversation with that source on that interface."""
        key = (interface, source)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Conversation(interface)
            if ISO15118 in interface_of(interface).formats:
                found.memory[CODEC] = codec()
            if points := points_of(interface):
                found.memory[POINTS] = points
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return found


def read(
    what: Path | str | Source | bytes | BinaryIO,
    interface: str,
    source: str = "",
    *,
    conversations: Conversations | None = None,
    meter: Meter | None = None,
    time_us: int | None = None,
    zone: Zone | None = None,
) -> Iterator[Outcome]:
    """Every message in a file, a folder, bytes or a stream, in order.

    Args:
        what: a path, a :class:`~streams.sources.Source`, the bytes themselves, or an open binary stream.
        interface: number of the interface, as text.
        source: who spoke; by default the file's name. Where a log itself says who spoke, that holds.
        conversations: what was said before; given, it is continued.
        meter: counts the bytes taken from disk, for a progress bar.
        time_us: the stamp of messages to which their log gives none.
        zone: whose clock a log shows that gives times without a zone; those times are no stamps otherwise.

    Raises:
        ValueError: no such interface.
        OSError: the file cannot be read.
    """
    interface = interface_of(interface).number
    conversations = Conversations() if conversations is None else conversations
    meter = meter or Meter()
    return _read(what, interface, source, conversations, meter, time_us, zone)


def read_again(kept: Event | Rejected, conversations: Conversations | None = None) -> list[Outcome]:
    """What the decoders of today make of a message that was read before: its bytes, time stamp and context are kept.

    One message, unless it was never cut into messages: an undecoded file, a damaged stretch of a log.
    """
    conversations = Conversations() if conversations is None else conversations
    time_us = kept.log_time_us if isinstance(kept, Event) else kept.time_us
    if kept.format not in interface_of(kept.interface).formats or _UNCUT in kept.context:
        return list(read(kept.raw, kept.interface, kept.source, conversations=conversations, time_us=time_us))
    frame = Frame(kept.raw, 0, time_us, kept.source, kept.context)
    conversation = conversations.of(kept.interface, kept.source)
    return [decode(frame, format_of(kept.format), kept.interface, kept.source, conversation)]


def read_frame(frame: Frame, format_name: str, interface: str, conversations: Conversations) -> Outcome:
    """The event of one message that was cut by whoever heard it, or why there is none.

    ``frame.source`` says who spoke; what it said before is remembered in ``conversations``.

    Raises:
        ValueError: no such interface.
    """
    interface = interface_of(interface).number
    frame = frame._replace(source=_speakable(frame.source))
    if len(frame.raw) > RAW_LIMIT_BYTES:
        detail = _too_large(len(frame.raw))
        return Rejected(
            interface, frame.source, frame.raw, 0, frame.time_us, format_name, TOO_LARGE, detail, frame.context
        )
    conversation = conversations.of(interface, frame.source)
    return decode(frame, format_of(format_name), interface, frame.source, conversation)


def _read(
    what: Path | str | Source | bytes | BinaryIO,
    interface: str,
    source: str,
    conversations: Conversations,
    meter: Meter,
    time_us: int | None,
    zone: Zone | None,
) -> Iterator[Outcome]:
    for piece in pieces(what):
        yield from _Reading(piece, interface, source, conversations, meter, time_us, zone).outcomes()


def decode(frame: Frame, wire_format: WireFormat, interface: str, source: str, conversation: Conversation) -> Outcome:
    """The event of one message, or why there is none. Never raises, whatever the decoder does."""
    raw = frame.raw
    identity = event_id(interface, source, raw, frame.time_us)
    try:
        decoded = wire_format.decode(frame._replace(event_id=identity), conversation)
    except WireError as error:
        reason, detail = error.reason, f"{error.detail} (byte {error.offset})"
    except Exception as error:  # noqa: BLE001 -- one broken decoder must not stop a day's ingest
        _log.exception(
            "decoder %s failed on %s, interface %s, source %s", wire_format.name, identity, interface, source
        )
        reason, detail = DECODER_ERROR, f"{type(error).__name__}: {error}"
    else:
        return Event(
            identity,
            interface,
            source,
            decoded.type,
            decoded.actor,
            decoded.time_us,
            frame.time_us,
            decoded.payload,
            raw,
            frame.context,
        )
    return Rejected(
        interface, source, raw, frame.offset, frame.time_us, wire_format.name, reason, detail, frame.context
    )


class _Reading:
    """One file being read."""

    def __init__(
        self,
        piece: Piece,
        interface: str,
        source: str,
        conversations: Conversations,
        meter: Meter,
        time_us: int | None,
        zone: Zone | None,
    ) -> None:
        self._piece = piece
        self._interface = interface
        self._source = _speakable(source or piece.name)
        # Without a name given by anyone, two files of the same name in two folders are two conversations.
        self._conversation = source or piece.conversation
        self._conversations = conversations
        self._meter = meter
        self._time_us = time_us
        self._zone = zone
        self._latest_us: int | None = None
        self._format = ""
        self._end = 0
        self._log: MixedLog | None = None

    def outcomes(self) -> Iterator[Outcome]:
        """Every message of the file. Only an :class:`OSError` stops it."""
        with self._piece.open(self._meter) as stream:
            try:
                head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
                if head:
                    yield from self._messages(stream, head)
            except WireError as error:
                _log.warning("%s: not read on behind byte %d: %s", self._source, self._end, error.detail)
                yield self._rest(error.reason, error.detail)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 -- a broken splitter stops its file, not the folder
                _log.exception("%s: the splitter of %s failed behind byte %d", self._source, self._format, self._end)
                yield self._rest(DECODER_ERROR, f"{type(error).__name__}: {error}")
        yield from self._foreign()

    def _messages(self, stream: BoundedReader, head: bytes) -> Iterator[Outcome]:
        wire_format = recognise(self._interface, head, self._piece.name)
        names = interface_of(self._interface).formats
        known = {} if wire_format is None else {wire_format.name: wire_format}
        accepted = [known.get(name) or format_of(name) for name in names]
        self._log = program_log(accepted, wire_format, head)
        if self._log is not None:
            for name, item in self._log.split(stream.read(HEAD_BYTES), stream):
                yield self._outcome(item, format_of(name))
        elif wire_format is not None:
            for item in wire_format.split(stream):
                yield self._outcome(item, wire_format)
        else:
            yield from self._without_decoder(stream)
            return
        stream.peek(1)  # where the compression broke off behind the last message, this says so

    def _outcome(self, item: Frame | Malformed, wire_format: WireFormat) -> Outcome:
        self._format = wire_format.name
        self._end = item.offset + len(item.raw)
        if isinstance(item, Frame):
            return self._message(item, wire_format)
        rejected = self._rejected(item.raw, item.offset, item.error.reason, item.error.detail)
        return rejected._replace(context={_UNCUT: True})

    def _foreign(self) -> Iterator[Rejected]:
        """Of each format that a log holds and its interface does not carry, how often, and the first line."""
        for name, found in self._log.foreign.items() if self._log is not None else ():
            self._format, detail = name, told_of(name, found, self._interface)
            yield self._rejected(found.first, found.offset, OTHER_INTERFACE, detail)._replace(context={_UNCUT: True})

    def _message(self, frame: Frame, wire_format: WireFormat) -> Outcome:
        if frame.time_us is None:
            frame = frame._replace(time_us=self._stamp(frame))
        elif self._zone is not None:
            self._latest_us = max(frame.time_us, self._latest_us or frame.time_us)
        source = _speakable(frame.source) or self._source
        if len(frame.raw) > RAW_LIMIT_BYTES:
            detail = _too_large(len(frame.raw))
            return self._rejected(frame.raw, frame.offset, TOO_LARGE, detail)._replace(
                source=source, time_us=frame.time_us, context=frame.context
            )
        conversation = self._conversations.of(self._interface, frame.source or self._conversation)
        return decode(frame._replace(source=source), wire_format, self._interface, source, conversation)

    def _stamp(self, frame: Frame) -> int | None:
        """The time of a message whose log gives none, or none with a zone.

        A log is in order: where clocks show an hour twice and its times begin anew, it is the second.
        """
        logged = frame.context.get(LOGGED)
        if self._zone is None or logged is None:
            return self._time_us
        try:
            time_us, second_us = (instant_in(logged, self._zone, second=second) for second in (False, True))
        except (ValueError, OverflowError):
            return self._time_us
        if self._latest_us is not None and time_us < self._latest_us - _OUT_OF_ORDER_US:
            time_us = max(time_us, second_us)
        self._latest_us = max(time_us, self._latest_us or time_us)
        return time_us

    def _without_decoder(self, stream: BoundedReader) -> Iterator[Outcome]:
        """Bytes nobody reads: kept whole where the interface has no decoder, else rejected, for one should fit."""
        formats = interface_of(self._interface).formats
        lines = self._piece.name.lower().endswith(_LINE_SUFFIXES)
        for raw in stream if lines else [stream.read()]:
            offset, self._end = self._end, self._end + len(raw)
            kept = raw.rstrip(b"\r\n") if lines else raw
            if not kept:
                continue
            if formats:
                names = ", ".join(format_of(known).title for known in formats)
                detail = f"the first bytes fit none of the formats read on interface {self._interface}: {names}"
                yield self._rejected(kept, offset, UNRECOGNISED, detail)
            elif len(kept) > RAW_LIMIT_BYTES:
                yield self._rejected(kept, offset, TOO_LARGE, _too_large(len(kept)))
            else:
                yield self._undecoded(kept)

    def _undecoded(self, raw: bytes) -> Event:
        identity = event_id(self._interface, self._source, raw, self._time_us)
        actor = f"interface:{self._interface}"
        return Event(
            identity, self._interface, self._source, UNDECODED, actor, self._time_us, self._time_us, {}, raw, {}
        )

    def _rejected(self, raw: bytes, offset: int, reason: str, detail: str) -> Rejected:
        return Rejected(self._interface, self._source, raw, offset, self._time_us, self._format, reason, detail)

    def _rest(self, reason: str, detail: str) -> Rejected:
        """What lies behind the last message that could be cut, as far as it can be read and kept."""
        rest = bytearray()
        try:
            with self._piece.open(Meter()) as stream:
                skipped = self._end if self._piece.once else 0
                while skipped < self._end and (passed := stream.read1(min(MIB, self._end - skipped))):
                    skipped += len(passed)
                while len(rest) < RAW_LIMIT_BYTES and (more := stream.read1(MIB)):
                    rest += more
        except (OSError, WireError) as problem:
            _log.debug("%s: the rest ends after %d bytes: %s", self._source, len(rest), problem)
        raw = bytes(rest[:RAW_LIMIT_BYTES])
        detail = f"{detail}; what follows byte {self._end} was not read"
        return self._rejected(raw, self._end, reason, detail)._replace(context={_UNCUT: True})


def _speakable(source: str) -> str:
    """A name that header, JSON and database can hold: file names may be no text at all."""
    return source.encode("utf-8", "replace").decode().replace("\0", "\N{SYMBOL FOR NULL}")


def _too_large(size_bytes: int) -> str:
    return f"a message of {size_bytes / MIB:.1f} MiB; up to {RAW_LIMIT_BYTES // MIB} MiB are taken"
