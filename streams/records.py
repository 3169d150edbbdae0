"""What goes to Kafka: the record of an event, the record of a rejected message."""

import logging
from base64 import b64encode
from typing import Any, NamedTuple
from zlib import compress

import orjson

from schemas.event import Event, json_default, to_record
from schemas.interfaces import QUARANTINE_TOPIC
from schemas.interfaces import interface as interface_of
from schemas.time import format_time
from streams.reader import TOO_LARGE, Rejected
from streams.topics import RECORD_LIMIT_BYTES

UNRECORDABLE = "unrecordable"

# Key, headers and the batch's own frame must fit as well.
_VALUE_LIMIT_BYTES = RECORD_LIMIT_BYTES - 64 * 1024

_log = logging.getLogger(__name__)


class Record(NamedTuple):
    """What goes to Kafka."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def event_record(event: Event, prefix: str = "") -> Record | Rejected:
    """The record of an event, or why it cannot be one."""
    try:
        key, value, headers = to_record(event)
    except (TypeError, ValueError) as problem:
        _log.exception("event %s of type %s does not go into a record", event.id, event.type)
        return _turned_away(event, UNRECORDABLE, f"the payload is not JSON: {problem}")
    if len(value) > _VALUE_LIMIT_BYTES:
        size_mib, limit_mib = len(value) / 2**20, RECORD_LIMIT_BYTES / 2**20
        return _turned_away(event, TOO_LARGE, f"decoded it is {size_mib:.1f} MiB, a record takes {limit_mib:.0f} MiB")
    return Record(prefix + interface_of(event.interface).topic, key, value, headers)


def quarantine_record(rejected: Rejected, prefix: str = "") -> Record:
    """The record of a rejected message; its key is its id, so the same message twice is one.

    A message that would not fit is kept compressed (``raw_zlib``), and one that does not fit even so with its
    first bytes only; ``raw_bytes`` says how long it was.
    """
    body: dict[str, Any] = {
        "id": rejected.id,
        "interface": rejected.interface,
        "source": rejected.source,
        "format": rejected.format,
        "reason": rejected.reason,
        "detail": rejected.detail,
        "offset": rejected.offset,
        "time": None if rejected.time_us is None else format_time(rejected.time_us),
        "context": rejected.context,
        "raw_bytes": len(rejected.raw),
    }
    room = _VALUE_LIMIT_BYTES * 3 // 4 - 1024 * 1024
    if len(rejected.raw) <= room:
        body["raw"] = b64encode(rejected.raw).decode()
    elif len(packed := compress(rejected.raw, 6)) <= room:
        body["raw_zlib"] = b64encode(packed).decode()
    else:
        body["raw"] = b64encode(rejected.raw[:room]).decode()
    headers = [("ce_id", rejected.id.encode()), ("content-type", b"application/json")]
    value = orjson.dumps(body, default=json_default)
    return Record(prefix + QUARANTINE_TOPIC, rejected.id.encode(), value, headers)


def _turned_away(event: Event, reason: str, detail: str) -> Rejected:
    return Rejected(
        event.interface, event.source, event.raw, 0, event.log_time_us, event.format, reason, detail, event.context
    )
