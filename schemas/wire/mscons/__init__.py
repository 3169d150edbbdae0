"""MSCONS, the EDIFACT message in which metered values change hands (interfaces 19, 22, 30, 32, 35).

A file is one or more interchanges (UNA, UNB ... UNZ), or a MIME message as AS4 carries them. Each message from UNH to
UNT is a message of its own; its context is the header of its interchange (``una``, ``unb``).

What is read and how: :mod:`schemas.wire.mscons.message`. The event is about the location, or about the sender
(``msb:...``) where a message names several or none. Event time is the document's own (DTM+137).
"""

from schemas.wire.contract import Conversation, Decoded, Frame, WireFormat
from schemas.wire.mscons.interchange import read_header
from schemas.wire.mscons.message import read_message
from schemas.wire.mscons.syntax import Separators, charset_of, separators_of
from schemas.wire.mscons.transport import is_interchange, is_mime, unwrap
from schemas.wire.mscons.writing import cancellation, encode_interchange, message_of, profile, states

__all__ = [
    "FORMAT",
    "cancellation",
    "decode",
    "encode_interchange",
    "message_of",
    "profile",
    "recognise",
    "states",
]


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so is an EDIFACT interchange, or a MIME message that may hold one."""
    return is_interchange(head) or is_mime(head)


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """The payload of one message.

    Raises:
        WireError: not whole, not well-formed, or not of the use cases that are read.
    """
    una, unb = frame.context.get("una"), frame.context.get("unb")
    separators = separators_of(una) if una else Separators()
    header = read_header(unb.encode("iso8859-1"), separators) if unb else None
    payload = read_message(frame.raw, separators, charset_of(header.syntax if header else ""))
    if header:
        payload["interchange"] = header._asdict()
    locations = {f"{location['kind']}:{location['id']}" for location in payload["locations"]}
    actor = locations.pop() if len(locations) == 1 else f"msb:{payload['sender']['id']}"
    return Decoded(f"mscons.{payload['check']}", actor, payload["document_time_us"], payload)


FORMAT = WireFormat("mscons", "MSCONS (EDIFACT, EDI@Energy)", recognise, unwrap, decode)
