"""Files of JSON messages without a log's wrapping: one document, or one message a line."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from schemas.wire.contract import Frame, Malformed, TooLarge
from schemas.wire.json_lines import BOM, is_one_document, lines_of
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
    content = head.removeprefix(BOM)
    if len(head) <= FRAME_LIMIT_BYTES and is_one_document(content, _is_object):
        yield Frame(content.strip(_BLANKS), 0)
        return
    for line, offset, is_whole in lines_of(head, stream):
        if not is_whole or len(line) > FRAME_LIMIT_BYTES:
            yield Malformed(line, offset, TooLarge(f"a message has at most {FRAME_LIMIT_BYTES} bytes"))
        elif line.strip(_BLANKS):
            yield Frame(line.strip(_BLANKS), offset)


def _is_object(line: bytes) -> bool:
    return line.startswith(b"{") and line.endswith(b"}")
