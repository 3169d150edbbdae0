"""Signed meter values inside OCPP messages: OCMF records, explained where they ride.

OCPP 1.6: a sampled value of format ``SignedData`` whose text is the record, or JSON that says of it what 2.x says
(white paper "Signed meter values in OCPP" of the Open Charge Alliance). OCPP 2.x: ``signedMeterValue`` with the record
in base64 and the public key, which a station may send once and then leave out; it is remembered.
"""

import base64
from collections.abc import Iterator
from typing import Any, Final

from schemas.wire.contract import Conversation, WireError
from schemas.wire.ocmf import explain
from schemas.wire.ocmf.record import PREFIX
from schemas.wire.strict_json import parse

MARKS: Final = (b"SignedData", b"signedMeterValue")
"""One of them stands in every message with a signed value."""

_KEY_PREFIX: Final = b"oca:base16:asn1:"
"""How the Open Charge Alliance writes a public key (white paper "Signed meter values in OCPP")."""


def explained(values: list[dict[str, Any]], place: str, conversation: Conversation) -> list[dict[str, Any]]:
    """What the records in some meter values say, in order; one that cannot be read says ``{"error": {...}}``."""
    found = []
    for octets, key in _records(values):
        keys: dict[str, str] = conversation.memory.setdefault("public_keys", {})
        if key:
            keys[place] = key
        try:
            found.append(explain(octets, key or keys.get(place, ""), conversation))
        except WireError as error:
            found.append({"error": {"reason": error.reason, "detail": error.detail}})
    return found


def _records(values: list[dict[str, Any]]) -> Iterator[tuple[bytes, str]]:
    """Records with the public keys that came with them ("" without one)."""
    for value in values:
        for sample in value["sampledValue"]:
            signed = sample.get("signedMeterValue")
            if signed is None and sample.get("format") == "SignedData":
                signed = _in_text(sample["value"])
            if signed is None:
                continue
            octets = _decoded(signed["signedMeterData"])
            if octets.startswith(PREFIX):
                yield octets, _key(signed.get("publicKey") or "")


def _in_text(text: Any) -> dict[str, str] | None:
    """What the text of a signed value of 1.6 says, as 2.x says it; None where it is neither record nor such JSON."""
    if not isinstance(text, str):
        return None
    if not text.startswith("{"):
        return {"signedMeterData": text}
    try:
        said = parse(text.encode())
    except WireError:
        return None
    fields = {name: said.get(name, "") for name in ("signedMeterData", "publicKey")}
    return fields if all(isinstance(field, str) for field in fields.values()) else None


def _decoded(text: str) -> bytes:
    """Octets in base64; some stations send the record as it is."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


def _key(text: str) -> str:
    octets = _decoded(text)
    if octets.startswith(_KEY_PREFIX):
        return octets.removeprefix(_KEY_PREFIX).decode("ascii", "replace")
    return text
