"""The event: one message that crossed an interface, as one Kafka record.

Attributes follow CloudEvents 1.0 and stand in the record's headers (Kafka protocol binding, binary
content mode), for any consumer. The record's key is the actor the message is about; its value is JSON with the decoded
payload, the raw bytes and their SHA-256, and the attributes once more, so that the value alone is the whole event and
who reads thousands at once need not look into headers.
"""

import hashlib
from base64 import b64encode
from binascii import a2b_base64
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from schemas.time import format_time

UNDECODED = "undecoded"
"""Type of an event whose format has no decoder yet; a later replay decodes it from its bytes."""

SPEC_VERSION = b"1.0"

_ID_BYTES = 16
_END_OF_TIME_US = 253_370_764_800_000_000
"""The year 9999, which is the last that clocks and databases agree on."""


class Event(NamedTuple):
    """What is known of one message.

    ``type`` is ``<format>.<message>``, for example ``sml.list`` or ``ocpp.2.0.1.MeterValues``; the part before
    the first dot names the modules ``schemas/wire/<format>`` and ``twin/observe/<format>``.
    ``time_us`` is when it happened (None: neither message nor log says), ``log_time_us`` the stamp of the
    log or gateway, ``recorded_us`` when the log of Gegenstrom took it (the record's own time stamp).
    ``context`` is what the log knew beside the bytes (direction, subprotocol, interchange header).
    """

    id: str
    interface: str
    source: str
    type: str
    actor: str
    time_us: int | None
    log_time_us: int | None
    payload: dict[str, Any]
    raw: bytes
    context: dict[str, Any]
    recorded_us: int = 0
    topic: str = ""
    partition: int = 0
    offset: int = 0

    @property
    def format(self) -> str:
        """The name of the wire format."""
        return self.type.partition(".")[0]


def event_id(interface: str, source: str, raw: bytes, log_time_us: int | None) -> str:
    """Identity of a message: 32 hex digits from interface, source, content and the stamp its log gives it.

    >>> event_id("15", "street.log", b"abc", None) == event_id("15", "street.log", b"abc", None)
    True
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in (interface.encode(), source.encode(), str(log_time_us).encode(), raw):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def json_default(value: object) -> str:
    """Decimals in a payload become decimal text, exactly; for ``orjson.dumps(default=...)``.

    Raises:
        TypeError: not a Decimal.
    """
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in a payload")


def to_record(event: Event) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers of the Kafka record."""
    value: dict[str, Any] = {
        "id": event.id,
        "interface": event.interface,
        "source": event.source,
        "type": event.type,
        "actor": event.actor,
        "time_us": event.time_us,
        "log_time_us": event.log_time_us,
        "payload": event.payload,
        "raw": b64encode(event.raw).decode(),
        "sha256": hashlib.sha256(event.raw).hexdigest(),
    }
    if event.context:
        value["context"] = event.context
    headers = [
        ("ce_specversion", SPEC_VERSION),
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.type.encode()),
        ("ce_subject", event.actor.encode()),
        ("ce_interface", event.interface.encode()),
        ("content-type", b"application/json"),
    ]
    if event.time_us is not None:
        headers.append(("ce_time", format_time(event.time_us).encode()))
    return event.actor.encode(), orjson.dumps(value, default=json_default), headers


def from_record(
    value: bytes,
    *,
    recorded_us: int = 0,
    topic: str = "",
    partition: int = 0,
    offset: int = 0,
    with_raw: bool = True,
) -> Event:
    """The event in the value of a Kafka record; ``with_raw=False`` leaves the raw bytes out, for who needs facts only.

    Raises:
        ValueError: not a record of Gegenstrom (malformed, or a part of it is missing).
    """
    try:
        body = orjson.loads(value)
        _check(body["id"], body["time_us"])
        return Event(
            body["id"],
            body["interface"],
            body["source"],
            body["type"],
            body["actor"],
            body["time_us"],
            body["log_time_us"],
            body["payload"],
            a2b_base64(body["raw"]) if with_raw else b"",
            body.get("context") or {},
            recorded_us,
            topic,
            partition,
            offset,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise ValueError(f"{topic}/{partition}@{offset} is not an event of Gegenstrom: {problem!r}") from problem


def _check(identity: str, time_us: int | None) -> None:
    """What batches are merged by; a record of a stranger must not stop them."""
    if len(bytes.fromhex(identity)) != _ID_BYTES:
        raise ValueError(f"the id {identity!r} is not 32 hex digits")
    if time_us is not None and not 0 <= time_us < _END_OF_TIME_US:
        raise ValueError(f"the time {time_us!r} is not between the years 1970 and 9999")
