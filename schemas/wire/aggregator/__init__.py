"""Quarter-hour series between commercial and technical aggregator, both ways, as JSON or CSV (interface 23).

No standard holds here; a file is one message, JSON also one a line. JSON::

    {"document": "F-17", "created": "2026-10-24T10:00:00Z", "sender": "vpp-1", "receiver": "fleet-1",
     "series": [{"kind": "max_power", "object": "pool-1", "unit": "kW", "start": "2026-10-25T00:00:00+02:00",
                 "values": [11.0, null, 7.5]}]}

``null`` is a gap. CSV has a header, a row for each quarter hour, ``,`` or tab between the columns or ``;`` with a
decimal comma; either one value a row (``start,object,kind,unit,value``), or a column for each kind
(``start,object,max_power [kW],price [EUR/MWh]``); ``document``, ``created``, ``sender`` and ``receiver`` may be columns
too and are then the same in every row. Kinds and units: :data:`schemas.wire.aggregator.reading.KINDS`.

The payload is the same for both: names as in JSON, ``created_us``, and values as ``[slot_us, value]``. The event is
about its sender: ``technical-aggregator:...`` where it only says what is possible, else ``commercial-aggregator:...``.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from schemas.wire.aggregator.reading import POSSIBLE, from_csv, from_json, is_csv
from schemas.wire.aggregator.writing import encode_csv, encode_json
from schemas.wire.contract import Conversation, Decoded, Frame, Malformed, TooLarge, WireFormat
from schemas.wire.json_messages import looks_like_json, messages
from schemas.wire.strict_json import FRAME_LIMIT_BYTES, parse

__all__ = ["FORMAT", "decode", "encode_csv", "encode_json", "recognise", "split"]

_HEAD: Final = 4096


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so is JSON, or CSV with the columns of a series."""
    return looks_like_json(head) or is_csv(head)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """CSV as one frame, JSON as one for a document or for each line."""
    head = stream.read(_HEAD)
    if looks_like_json(head):
        yield from messages(stream, head)
        return
    raw, offset = head + stream.read(FRAME_LIMIT_BYTES + 1 - len(head)), 0
    if len(raw) <= FRAME_LIMIT_BYTES and raw.strip():
        yield Frame(raw, 0)
    while len(raw) > FRAME_LIMIT_BYTES or (offset and raw):
        yield Malformed(raw, offset, TooLarge(f"a message has at most {FRAME_LIMIT_BYTES} bytes"))
        offset += len(raw)
        raw = stream.read(FRAME_LIMIT_BYTES + 1)


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """The series of a message.

    Raises:
        WireError: neither JSON nor CSV, or a field that is missing, unknown or no number or time.
    """
    payload = from_json(parse(frame.raw)) if looks_like_json(frame.raw) else from_csv(frame.raw)
    role = "technical" if all(series["kind"] in POSSIBLE for series in payload["series"]) else "commercial"
    time_us = frame.time_us if payload["created_us"] is None else payload["created_us"]
    sender = payload["sender"] or frame.source or "unknown"
    return Decoded("aggregator.series", f"{role}-aggregator:{sender}", time_us, payload)


FORMAT = WireFormat("aggregator", "aggregator quarter-hour series (JSON, CSV)", recognise, split, decode)
