"""Files of JSON messages without a log's wrapping: one document, or one message a line."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from schemas.wire.contract import Frame, Malformed, TooLarge
from schemas.wire.json_lines import BOM, parts_of
from schemas.wire.strict_json import FRAME_LIMIT_BYTES

_BLANKS: Final = b" \t\r\n"


def looks_like_json(head: bytes) -> bool:
    """Whether bytes begin like a JSON object or array."""
    return head.removeprefix(BOM).lstrip(_BLANKS)[:1] in {b"{", b"["}


def messages(stream: BinaryIO, head: bytes = b"") -> Iterator[Frame | Malformed]:
    """One frame for a document, else one for each line; a line beyond the limit comes out in malformed stretches.

    ``head`` is what was read from the stream already.
    """
    head += stream.read(FRAME_LIMIT_BYTES + 1 - len(head))
    for part in parts_of(head, stream, _is_object):
        if isinstance(part, Malformed):
            yield part
        elif len(part.content) > FRAME_LIMIT_BYTES:
            yield Malformed(*part, TooLarge(f"a message has at most {FRAME_LIMIT_BYTES} bytes"))
        else:
            yield Frame(part.content.strip(_BLANKS), part.offset)


def _is_object(line: bytes) -> bool:
    return line.startswith(b"{") and line.endswith(b"}")
