"""Signed meter values inside OCPP messages: OCMF records, explained where they ride.

OCPP 1.6: a sampled value of format ``SignedData`` whose text is the record. OCPP 2.x: ``signedMeterValue`` with the
record in base64 and the public key, which a station may send once and then leave out; it is remembered.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final

from schemas.wire.contract import Conversation, WireError
from schemas.wire.ocmf import explain
from schemas.wire.ocmf.record import PREFIX

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
            text = sample.get("value")
            if sample.get("format") == "SignedData" and isinstance(text, str) and text.startswith("OCMF|"):
                yield text.encode(), ""
            signed = sample.get("signedMeterValue")
            if signed is None:
                continue
            octets = _decoded(signed["signedMeterData"])
            if octets.startswith(PREFIX):
                yield octets, _key(signed.get("publicKey") or "")


def _decoded(text: str) -> bytes:
    """Octets in base64; some stations send the record as it is."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()


def _key(text: str) -> str:
    octets = _decoded(text)
    if octets.startswith(_KEY_PREFIX):
        return octets.removeprefix(_KEY_PREFIX).decode("ascii", "replace")
    return text
