"""From V2GTP with EXI, or from decoded JSON, to the payload of a message."""

from typing import Any, Final, NamedTuple

from schemas.devices import evse_name
from schemas.time import SECOND_US
from schemas.wire import strict_json
from schemas.wire.contract import (
    BadSyntax,
    Conversation,
    Decoded,
    Frame,
    MissingContext,
    SchemaViolation,
    Truncated,
    Unsupported,
    WireError,
)
from schemas.wire.iso15118 import framing, negotiation, sdp
from schemas.wire.iso15118.codec import (
    CODEC,
    DIN,
    ISO_2,
    ISO_20,
    ISO_20_AC,
    ISO_20_COMMON,
    ISO_20_DC,
    SAP,
    Codec,
    CodecUnavailable,
    NotExi,
)
from schemas.wire.iso15118.quantities import exact

EV, EVSE = "ev", "evse"
_SHORT: Final = {SAP: "sap", DIN: "din", ISO_2: "2"}
_ROOT: Final = "V2G_Message"
_SAP_MESSAGES: Final = frozenset({"supportedAppProtocolReq", "supportedAppProtocolRes"})
_DIN_ONLY: Final = frozenset(
    {
        "ServicePaymentSelectionReq",
        "ServicePaymentSelectionRes",
        "ContractAuthenticationReq",
        "ContractAuthenticationRes",
    }
)
_PREMATURE: Final = ("Premature EOS", "EOFException")
_DETAIL_LIMIT: Final = 300
_EARLIEST_S: Final = 1_000_000_000


class _Said(NamedTuple):
    """A message: its name, header and body."""

    name: str
    header: dict[str, Any]
    body: dict[str, Any]


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """The payload of one message.

    Raises:
        WireError: see :mod:`~schemas.wire.iso15118.framing`, :func:`~schemas.wire.strict_json.parse`; no message of
            its schema; a schema that is not read; no codec.
    """
    if frame.raw[:1] in {b"{", b"["}:
        content = strict_json.parse(frame.raw)
        schema = _schema_of_json(content, frame, conversation)
        return _message(content, schema, frame, conversation, {})
    message = framing.parse(frame.raw)
    kind = message.payload_type
    more = {"payload_type": f"{kind:04X}"}
    if kind in {framing.SDP_REQUEST, framing.SDP_RESPONSE}:
        name, body = sdp.read(message)
        speaker = EV if kind == framing.SDP_REQUEST else EVSE
        payload = {"message": name, "speaker": speaker, **more, "body": body}
        return Decoded(f"iso15118.sdp.{name}", f"connection:{frame.source}", frame.time_us, payload)
    if kind != framing.EXI and kind not in negotiation.STREAMS:
        known = framing.PAYLOAD_TYPES.get(kind, "not of the standards")
        raise Unsupported(f"payload type {kind:04X} ({known}) is not read", 2)
    schema = negotiation.schema_of(message, conversation)
    content = strict_json.parse(_from_exi(message.payload, schema, conversation))
    return _message(content, schema, frame, conversation, more)


def _from_exi(exi: bytes, schema: str, conversation: Conversation) -> bytes:
    codec: Codec | None = conversation.memory.get(CODEC)
    if codec is None:
        raise MissingContext("EXI needs a codec, and none was given; read it through Gegenstrom's commands")
    try:
        return codec.decode(exi, schema)
    except CodecUnavailable as problem:
        raise Unsupported(f"the EXI codec cannot be started: {problem.detail}. Resubmit when it can") from problem
    except NotExi as problem:
        words = problem.detail[:_DETAIL_LIMIT]
        if any(sign in words for sign in _PREMATURE):
            raise Truncated(f"the EXI ends too early for a message of {schema}", framing.HEAD_BYTES) from problem
        raise BadSyntax(f"no EXI message of {schema}: {words}", framing.HEAD_BYTES) from problem


def _schema_of_json(content: Any, frame: Frame, conversation: Conversation) -> str:
    """The schema of a message given as JSON: as the log says, as negotiated, or by its name."""
    if not isinstance(content, dict) or len(content) != 1:
        raise SchemaViolation("a message of ISO 15118 is an object with one member, which names it")
    stated = frame.context.get("namespace")
    name = next(iter(content))
    if name in _SAP_MESSAGES:
        return SAP
    if name == _ROOT:
        for known in (stated, negotiation.chosen_of(conversation)):
            if known in {ISO_2, DIN}:
                return str(known)
        body = content[name].get("Body") if isinstance(content[name], dict) else None
        return DIN if isinstance(body, dict) and _DIN_ONLY & body.keys() else ISO_2
    if isinstance(stated, str) and stated in {ISO_20_COMMON, ISO_20_AC, ISO_20_DC}:
        return stated
    return {"AC_": ISO_20_AC, "DC_": ISO_20_DC}.get(name[:3], ISO_20_COMMON)


def _message(content: Any, schema: str, frame: Frame, conversation: Conversation, more: dict[str, Any]) -> Decoded:
    said = _said(content, schema)
    try:
        body = exact(said.name, said.body)
    except RecursionError:
        raise SchemaViolation("nested too deep") from None
    if schema == SAP:
        (negotiation.offer if said.name.endswith("Req") else negotiation.choose)(body, frame.event_id, conversation)
        session: dict[str, Any] = {}
    else:
        session = _session(said, _spelled(body, schema), frame, conversation)
    speaker = EV if said.name.endswith("Req") else EVSE
    payload = {
        "message": said.name,
        "speaker": speaker,
        **negotiation.told(schema, conversation),
        **more,
        "session": session,
        "header": said.header,
        "body": body,
    }
    part = "20" if schema.startswith(ISO_20) else _SHORT[schema]
    time_us = _stamp(said.header) if frame.time_us is None else frame.time_us
    return Decoded(f"iso15118.{part}.{said.name}", _actor(speaker, session, frame), time_us, payload)


def _spelled(body: dict[str, Any], schema: str) -> dict[str, Any]:
    """The body with the station's name as text, where DIN SPEC 70121 has octets."""
    octets = body.get("EVSEID")
    return body | {"EVSEID": evse_name(octets)} if schema == DIN and isinstance(octets, str) else body


def _session(said: _Said, body: dict[str, Any], frame: Frame, conversation: Conversation) -> dict[str, Any]:
    try:
        return negotiation.session(said.name, said.header, body, _speaker_of(frame), conversation)
    except WireError:
        raise
    except (AttributeError, TypeError) as problem:  # JSON of others, which no grammar has checked
        raise SchemaViolation(f"{said.name} does not have the form of its schema") from problem


def _said(content: Any, schema: str) -> _Said:
    """Name, header and body of a message.

    Raises:
        SchemaViolation: something else; EXI grammars also hold fragments that are no messages.
    """
    name, inner = next(iter(content.items())) if isinstance(content, dict) and len(content) == 1 else ("", None)
    if schema in {ISO_2, DIN}:
        header, outer = (inner.get("Header"), inner.get("Body")) if isinstance(inner, dict) else (None, None)
        if name != _ROOT or not isinstance(header, dict) or not isinstance(outer, dict) or len(outer) != 1:
            raise SchemaViolation("a V2G_Message has a header, and a body with one message", framing.HEAD_BYTES)
        name, body = next(iter(outer.items()))
    elif not isinstance(inner, dict):
        raise SchemaViolation("a message is an object", framing.HEAD_BYTES)
    elif schema == SAP:
        header, body = {}, inner
    else:
        header, body = inner.get("Header"), {key: value for key, value in inner.items() if key != "Header"}
        if not isinstance(header, dict):
            raise SchemaViolation(f"{name[:40]} has no header: no message", framing.HEAD_BYTES)
    if not name.isascii() or not name.replace("_", "").isalnum() or not name.endswith(("Req", "Res")):
        raise SchemaViolation(f"{name[:40]!r} is no message of {schema}", framing.HEAD_BYTES)
    if not isinstance(body, dict):
        raise SchemaViolation(f"the content of {name[:40]} is no object", framing.HEAD_BYTES)
    return _Said(name, header, body)


def _speaker_of(frame: Frame) -> str:
    """How the connection names who speaks: in a capture by its address, which stays while ports change."""
    address, _, port = str(frame.context.get("from", "")).rpartition(":")
    return address.strip("[]") if address and port.isdecimal() else frame.source


def _actor(speaker: str, session: dict[str, Any], frame: Frame) -> str:
    """Who speaks: by the identity of the session, else by the connection."""
    if speaker == EV:
        return f"bev:{session.get('evcc') or session.get('emaid') or frame.source or 'unknown'}"
    return f"evse:{session.get('evse') or frame.source or 'unknown'}"


def _stamp(header: dict[str, Any]) -> int | None:
    """The time stamp of a header of ISO 15118-20, for a log that has none.

    The clocks of vehicle and station often disagree, so the log's time is preferred.
    """
    return instant_of(header.get("TimeStamp"))


def instant_of(stamp: Any) -> int | None:
    """Microseconds since 1970 of a number that counts seconds, milliseconds or microseconds; None for other ones.

    [M] The standard counts in seconds, stations write all three; the size tells.

    >>> instant_of(1761474994), instant_of(1761474994000), instant_of(1761474994000000), instant_of(0)
    (1761474994000000, 1761474994000000, 1761474994000000, None)
    """
    if type(stamp) is not int:
        return None
    for factor in (SECOND_US, SECOND_US // 1000, 1):
        if _EARLIEST_S <= stamp * factor // SECOND_US < _EARLIEST_S * 10:
            return stamp * factor
    return None
