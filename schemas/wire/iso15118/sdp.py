"""SDP: how a vehicle finds the charging station's address (ISO 15118-2, 7.10.1; -20, 7.10.1)."""

from ipaddress import IPv6Address
from typing import Any, Final

from schemas.wire.contract import BadSyntax, Truncated
from schemas.wire.iso15118 import framing

_SECURITY: Final = {0x00: "tls", 0x10: "none"}
_TRANSPORT: Final = {0x00: "tcp", 0x10: "udp"}
_REQUEST_BYTES, _RESPONSE_BYTES = 2, 20


def read(message: framing.Message) -> tuple[str, dict[str, Any]]:
    """Name and content of an SDP message.

    Raises:
        Truncated, BadSyntax: not of the length SDP messages have.
    """
    name, size = (
        ("SDPRequest", _REQUEST_BYTES)
        if message.payload_type == framing.SDP_REQUEST
        else ("SDPResponse", _RESPONSE_BYTES)
    )
    payload = message.payload
    if len(payload) != size:
        problem = Truncated if len(payload) < size else BadSyntax
        raise problem(f"an {name} has {size} octets, here are {len(payload)}", framing.HEAD_BYTES)
    body: dict[str, Any] = {
        "security": _SECURITY.get(payload[-2], f"reserved {payload[-2]:02X}"),
        "transport": _TRANSPORT.get(payload[-1], f"reserved {payload[-1]:02X}"),
    }
    if name == "SDPResponse":
        body = {"address": str(IPv6Address(payload[:16])), "port": int.from_bytes(payload[16:18], "big")} | body
    return name, body
