"""What a connection agreed on, and what is known of its session: kept in the conversation, told in every payload.

The schema of ISO 15118-2 and DIN 70121 comes from the SupportedAppProtocol messages (ISO 15118-2, 8.2; -20, 8.2), of
ISO 15118-20 from the payload type.
"""

from collections.abc import Iterator
from typing import Any, Final

from schemas.devices import vehicle_name
from schemas.wire.contract import BadSyntax, Conversation, SchemaViolation
from schemas.wire.iso15118 import framing
from schemas.wire.iso15118.codec import DIN, ISO_2, ISO_20_AC, ISO_20_COMMON, ISO_20_DC, SAP

STREAMS: Final = {
    framing.MAIN: ISO_20_COMMON,
    framing.AC: ISO_20_AC,
    framing.DC: ISO_20_DC,
    framing.RENEGOTIATION: ISO_20_COMMON,
    framing.METERING: ISO_20_COMMON,
}
"""Schema of each payload type of ISO 15118-20."""

_ROOTS: Final = {0x4C: ISO_2, 0x4D: DIN}
"""Code of the root element V2G_Message, the seven bits behind the header of an EXI document, under each schema."""

_SAP_ROOTS: Final = 0x80
_OFFERED, _CHOSEN, _SESSION = "offered", "negotiated", "session"
_OFFERED_MODES: Final = "control modes"
_MODES: Final = {1: "scheduled", 2: "dynamic"}
_IDENTITIES: Final = {
    "SessionSetupReq": {"evcc": "EVCCID"},
    "SessionSetupRes": {"evse": "EVSEID"},
    "PaymentDetailsReq": {"emaid": "eMAID"},
    "ChargingStatusRes": {"evse": "EVSEID"},
    "CurrentDemandRes": {"evse": "EVSEID"},
}
"""Messages that name who takes part, and the elements that do."""

_NO_EVSE: Final = frozenset({"ZZ00000", "5A5A3030303030"})
"""What a station without an identity says (ISO 15118-2, 8.4.3.2.2), also as octets; zeros say the same (DIN 70121)."""

_TEXT_LIMIT: Final = 100
_OFFERS_LIMIT: Final = 20


def schema_of(message: framing.Message, conversation: Conversation) -> str:
    """The namespace by whose grammar an EXI message is to be read.

    Where nobody heard the negotiation, the root element's code tells: it differs between the two schemas that share a
    payload type.

    Raises:
        BadSyntax: no document of any schema.
    """
    if message.payload_type != framing.EXI:
        return STREAMS[message.payload_type]
    if len(message.payload) > 1 and message.payload[1] < _SAP_ROOTS:
        return SAP
    chosen = chosen_of(conversation)
    if chosen in {ISO_2, DIN}:
        return chosen
    root = message.payload[1] >> 1 if len(message.payload) > 1 else None
    if root not in _ROOTS:
        raise BadSyntax(
            "neither a SupportedAppProtocol message nor one of ISO 15118-2 or DIN 70121", framing.HEAD_BYTES
        )
    return _ROOTS[root]


def chosen_of(conversation: Conversation) -> str:
    """The namespace that was negotiated; "" where that is not known."""
    return str(conversation.memory.get(_CHOSEN, {}).get("namespace", ""))


def told(schema: str, conversation: Conversation) -> dict[str, Any]:
    """Schema and what was negotiated, for the payload."""
    chosen = conversation.memory.get(_CHOSEN)
    if schema == SAP:
        return {"schema": schema}
    return {"schema": schema, "negotiated": chosen} if chosen else {"schema": schema, "assumed": True}


def offer(body: dict[str, Any], event: str, conversation: Conversation) -> None:
    """Remember what a vehicle offers."""
    entries = body.get("AppProtocol")
    offered = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    namespaces = {
        schema_id: str(entry.get("ProtocolNamespace"))[:_TEXT_LIMIT]
        for entry in offered
        if (schema_id := _schema_id(entry)) is not None
    }
    conversation.memory[_OFFERED] = (dict(list(namespaces.items())[:_OFFERS_LIMIT]), event)
    # another negotiation is another conversation, also where a log names both by one source
    conversation.memory.pop(_CHOSEN, None)
    conversation.memory.pop(_SESSION, None)


def choose(body: dict[str, Any], event: str, conversation: Conversation) -> None:
    """Remember what the station chose, where the offer was heard."""
    namespaces, offered_by = conversation.memory.get(_OFFERED, ({}, ""))
    schema_id = _schema_id(body)
    if schema_id in namespaces:
        conversation.memory[_CHOSEN] = {
            "namespace": namespaces[schema_id],
            "schema_id": schema_id,
            "offered_by": offered_by,
            "event": event,
        }


def _schema_id(said: dict[str, Any]) -> int | None:
    """The number under which a protocol is offered or chosen; None where there is none."""
    found = said.get("SchemaID")
    return found if isinstance(found, int) else None


def session(
    name: str, header: dict[str, Any], body: dict[str, Any], station: str, conversation: Conversation
) -> dict[str, Any]:
    """What is known of the session behind this message, this message included; for the payload.

    ``station`` is how the connection names the station: its identity where it says that it has none, for all stations
    say that with the same word.

    Raises:
        SchemaViolation: an identity that is no short text.
    """
    known: dict[str, Any] = {} if name == "SessionSetupReq" else dict(conversation.memory.get(_SESSION, {}))
    said = {key: body.get(element) for key, element in _IDENTITIES.get(name, {}).items()}
    said["id"] = header.get("SessionID")
    for key, value in said.items():
        if not _is_none(key, value):
            known[key] = _identity(key, value)
        elif key == "evse" and value is not None and station:
            known.setdefault(key, station)
    if name == "ServiceDetailRes":
        known[_OFFERED_MODES] = known.get(_OFFERED_MODES, {}) | dict(_offered_modes(body))
    elif name == "ServiceSelectionReq":
        selected = body.get("SelectedEnergyTransferService", {})
        service = selected.get("ServiceID")
        known["service"] = service if isinstance(service, int) else None
        known["control_mode"] = known.get(_OFFERED_MODES, {}).get(
            f"{selected.get('ServiceID')}/{selected.get('ParameterSetID')}"
        )
    conversation.memory[_SESSION] = known
    return {key: value for key, value in known.items() if key != _OFFERED_MODES and value is not None}


def _is_none(key: str, value: Any) -> bool:
    """Whether an identity is not said, or is what they say who have none."""
    if not isinstance(value, str):
        return value is None
    return not value.strip("0") or (key == "evse" and value in _NO_EVSE)


def _identity(key: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_LIMIT:
        raise SchemaViolation(f"the {key} of the session is no text of up to {_TEXT_LIMIT} characters")
    return vehicle_name(value) if key == "evcc" else value


def _offered_modes(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The control mode of every parameter set of a service (ISO 15118-20, 8.4.3.2.2)."""
    for entry in body.get("ServiceParameterList", {}).get("ParameterSet", [])[:_OFFERS_LIMIT]:
        for parameter in entry.get("Parameter", []):
            if parameter.get("Name") == "ControlMode" and parameter.get("intValue") in _MODES:
                yield f"{body.get('ServiceID')}/{entry.get('ParameterSetID')}", _MODES[parameter["intValue"]]
