"""What a wire format is, and how it fails.

A format is a module ``schemas/wire/<name>.py`` (or a folder) with a constant ``FORMAT: WireFormat``. Three functions:

- ``recognise(head, name)``: could these first bytes (up to 64 KiB) of a file of that name be in this format?
- ``split(stream)``: cut a log or message file into messages, without loss: what cannot be cut comes out as a
  :class:`Malformed` and the cutting goes on behind it. Never reads the whole of a log that has line or frame borders.
- ``decode(frame, conversation)``: the payload of one message, or a :class:`WireError`.

Payloads are JSON: no floats. A number that is not an integer is a ``Decimal`` (it is stored as decimal text).

Errors::

    WireError               reason, detail, offset in the message
    ├── Truncated           the bytes end too early
    ├── BadChecksum         CRC, check sum or signature of the frame is wrong
    ├── BadSyntax           not the format it claims to be
    ├── SchemaViolation     well-formed, but a field is missing, unknown or out of range
    ├── BadIdentifier       a MaLo, EIC ... with a wrong check digit
    ├── Unsupported         a message of the standard that is not read here
    ├── MissingContext      means nothing without a message that never came
    └── TooLarge            beyond the limits
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, NamedTuple

if TYPE_CHECKING:
    from schemas.wire.octets import NextPiece


class WireError(Exception):
    """A message that cannot be decoded.

    ``detail`` is a sentence for a person, ``offset`` counts bytes in the message.
    """

    reason: ClassVar[str] = "undecodable"

    def __init__(self, detail: str, offset: int = 0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.offset = offset


class Truncated(WireError):
    """The bytes end too early."""

    reason = "truncated"


class BadChecksum(WireError):
    """The frame's own check sum does not fit its bytes."""

    reason = "bad-checksum"


class BadSyntax(WireError):
    """Not the format it claims to be."""

    reason = "bad-syntax"


class SchemaViolation(WireError):
    """Well-formed, but a field is missing, unknown or out of range."""

    reason = "schema-violation"


class BadIdentifier(WireError):
    """An identifier breaks the rule of its kind."""

    reason = "bad-identifier"


class Unsupported(WireError):
    """A message of the standard that is not read here."""

    reason = "unsupported"


class MissingContext(WireError):
    """The message means nothing without another one that never came."""

    reason = "missing-context"


class TooLarge(WireError):
    """Beyond the limits of the format or of Gegenstrom."""

    reason = "too-large"


class Frame(NamedTuple):
    """One message as a log holds it.

    ``raw`` the bytes as they crossed; ``offset`` where they start in the file; ``time_us`` the stamp the log gives
    (None: it gives none); ``source`` who the log says spoke; ``context`` what else the log says
    and decoding needs (it is stored with the event, so that a replay can decode again); ``event_id`` is set by the
    reader before decoding, so that a conversation can point at it.
    """

    raw: bytes
    offset: int
    time_us: int | None = None
    source: str = ""
    context: dict[str, Any] = {}  # noqa: RUF012 -- a NamedTuple's default, never written to
    event_id: str = ""


class Malformed(NamedTuple):
    """A stretch of a log that could not be cut into messages; kept in the quarantine."""

    raw: bytes
    offset: int
    error: WireError


class Decoded(NamedTuple):
    """A decoded message.

    ``type`` is ``<format>.<message>``, ``actor`` the key of its event, ``time_us`` the event time:
    the message's own time, else the frame's, else None.
    """

    type: str
    actor: str
    time_us: int | None
    payload: dict[str, Any]


@dataclass(slots=True)
class Conversation:
    """What a gateway remembers of one connection (one source on one interface), written by decoders only.

    ``interface`` is the interface's number; "" where it is not known.
    """

    interface: str = ""
    memory: dict[str, Any] = field(default_factory=dict)


class LogLines(NamedTuple):
    """How programs log messages of a format: a line each, among lines in which they talk of themselves.

    - ``is_log(head)``: whether a file that starts so is such a log and holds the format;
    - ``cut(line, offset)``: the messages of a line; none where it surely holds none of the format;
    - ``refuse(line, offset)``: of a line without a message, why it is no talk either; None where it is talk;
    - ``sent_us(frame)``: the time in UTC that a message gives which its program sent just then; None without one, and
      no function where no message of the format gives one.
    """

    is_log: Callable[[bytes], bool]
    cut: Callable[[bytes, int], list[Frame | Malformed]]
    refuse: Callable[[bytes, int], Malformed | None]
    sent_us: Callable[[Frame], int | None] | None = None


class WireFormat(NamedTuple):
    """A native format; see the module's docstring.

    ``next_piece`` cuts a stream of octets, as a connection carries it, into messages; None where there is no such
    stream. ``log_lines`` is how it stands in logs that other formats may share; None where it does not.
    """

    name: str
    title: str
    recognise: Callable[[bytes, str], bool]
    split: Callable[[BinaryIO], Iterator[Frame | Malformed]]
    decode: Callable[[Frame, Conversation], Decoded]
    next_piece: "NextPiece | None" = None
    log_lines: LogLines | None = None
