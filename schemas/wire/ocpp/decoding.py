"""From a frame to its payload: parsed, held against its schema, joined with the call it answers.

The payload of a message::

    {"version": "2.0.1", "rpc": 2, "message_id": "19", "action": "Heartbeat", "station": "CP-1", "body": {...},
     "direction": "to_csms" | "to_station" | "",       "" where the log does not say
     "call": {"action", "event", "request"?},          answers: the call, as far as it was seen
     "transaction": {"evse", "event"},                 where a message names its transaction only
     "unknown_fields": {...},                          fields of the body that its schema does not have
     "signed": [{...}],                                signed values, as schemas.wire.ocmf explains them
     "context_missing": "call" | "transaction"}        what would have been needed and never came
"""

from collections.abc import Hashable
from typing import Any, Final

from schemas.wire.contract import BadSyntax, Conversation, Decoded, Frame, SchemaViolation
from schemas.wire.instants import instant
from schemas.wire.ocpp.connection import (
    TO_CSMS,
    TO_STATION,
    UNKNOWN_DIRECTION,
    Connection,
    OpenCall,
    Transaction,
    connection_of,
)
from schemas.wire.ocpp.framing import CALLRESULT, CALLRESULTERROR, NAMES, SEND, Rpc, unpack
from schemas.wire.ocpp.signed import MARKS, explained
from schemas.wire.ocpp.versions import Fit, fitting_request, fitting_result, stated_version, violations_of_type
from schemas.wire.strict_json import parse

UNKNOWN_STATION: Final = "unknown"
"""Stands for the station where neither log nor gateway says which one spoke."""

CHARGING_PROFILE: Final = "ocpp.2.1.ChargingProfile"

_ONLY_2_1: Final = {SEND, CALLRESULTERROR}

_REQUEST_NEEDED: Final = frozenset(
    {
        "Authorize",
        "ChangeAvailability",
        "PullDynamicScheduleUpdate",
        "RemoteStartTransaction",
        "RequestStartTransaction",
        "SetChargingProfile",
        "SetDERControl",
        "StartTransaction",
        "UpdateDynamicSchedule",
    }
)
"""Actions whose answer ("accepted") means nothing without what was asked."""


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """The payload of one frame of OCPP-J, or of a charging profile that stands alone.

    The actor is ``evse:<station>/<EVSE>``, ``evse:<station>`` where no EVSE (1.6: connector above 0) is named.

    Raises:
        Truncated, BadSyntax, TooLarge: see :func:`~schemas.wire.strict_json.parse` and
            :func:`~schemas.wire.ocpp.framing.unpack`.
        SchemaViolation: the body breaks the schema of its message.
        Unsupported: no such action, message type or subprotocol.
    """
    value = parse(frame.raw)
    if isinstance(value, dict):
        return _lone_datatype(value, frame)
    rpc = unpack(value)
    station = frame.source or UNKNOWN_STATION
    connection = connection_of(conversation, station)
    direction = str(frame.context.get("direction") or UNKNOWN_DIRECTION)
    if direction not in {TO_CSMS, TO_STATION, UNKNOWN_DIRECTION}:
        raise BadSyntax(f"the log's direction {direction[:40]!r} is neither {TO_CSMS} nor {TO_STATION}")
    stated = stated_version(frame.context.get("subprotocol"))
    candidates = (stated,) if stated else connection.candidates()
    if rpc.kind in _ONLY_2_1:
        candidates = tuple(version for version in candidates if version == "2.1")
        if not candidates:
            raise SchemaViolation(f"a {NAMES[rpc.kind]} exists in OCPP 2.1 only", 1)
    speech = _Speech(frame, rpc, station, direction, candidates, connection)
    decoded = speech.answer() if rpc.is_answer else speech.request()
    if any(mark in frame.raw for mark in MARKS) and (values := _meter_values(decoded.payload["body"])):
        signed = explained(values, decoded.actor, conversation)
        if signed:
            decoded.payload["signed"] = signed
    return decoded


class _Speech:
    """One message on its connection."""

    def __init__(
        self, frame: Frame, rpc: Rpc, station: str, direction: str, candidates: tuple[str, ...], connection: Connection
    ) -> None:
        self._frame = frame
        self._rpc = rpc
        self._unknown: dict[str, Any] = {}
        self._station = station
        self._direction = direction
        self._candidates = candidates
        self._connection = connection

    def request(self) -> Decoded:
        """A CALL or SEND."""
        connection, is_send = self._connection, self._rpc.kind == SEND
        fit = fitting_request(self._rpc.action, self._rpc.body, self._candidates, send=is_send)
        rpc = self._known(fit)
        time_us = _own_time_us(rpc.body)
        version = connection.narrow(fit.versions)
        payload = self._payload(version, rpc.action)
        evse = self._place(version, payload)
        if not is_send:
            kept = rpc.body if rpc.action in _REQUEST_NEEDED else None
            call = OpenCall(rpc.action, self._frame.event_id, fit.versions, evse, kept)
            connection.called(self._direction, rpc.message_id, call)
        return self._decoded(version, rpc.action, evse, time_us, payload)

    def answer(self) -> Decoded:
        """A CALLRESULT, CALLERROR or CALLRESULTERROR, with the call it belongs to."""
        rpc, connection = self._rpc, self._connection
        kind = "result" if rpc.kind == CALLRESULT else "error"
        find = connection.refused if rpc.kind == CALLRESULTERROR else connection.answered
        call = find(self._direction, rpc.message_id)
        if call is None:
            payload = self._payload(self._candidates[0], "unknown") | {"context_missing": "call"}
            return self._decoded(self._candidates[0], f"unknown.{kind}", None, _answer_time_us(rpc.body), payload)
        fit = Fit(tuple(version for version in self._candidates if version in call.versions) or call.versions)
        if rpc.kind == CALLRESULT:
            fit = fitting_result(call.action, rpc.body, fit.versions)
            rpc = self._known(fit)
        version = connection.narrow(fit.versions)
        payload = self._payload(version, call.action)
        payload["call"] = {"action": call.action, "event": call.event}
        if call.request is not None:
            payload["call"]["request"] = call.request
        if call.action == "StartTransaction" and rpc.kind == CALLRESULT and call.evse:
            connection.takes_place(rpc.body["transactionId"], Transaction(call.evse, call.event))
        return self._decoded(version, f"{call.action}.{kind}", call.evse, _answer_time_us(rpc.body), payload)

    def _known(self, fit: Fit) -> Rpc:
        """The message without the fields that its schema does not have; nothing is read from these."""
        if fit.unknown:
            body = self._rpc.body
            self._unknown = {name: body[name] for name in fit.unknown}
            self._rpc = self._rpc._replace(body={name: body[name] for name in body if name not in self._unknown})
        return self._rpc

    def _place(self, version: str, payload: dict[str, Any]) -> int | None:
        """The EVSE a call is about; where it names only its transaction, the payload says from where it is known."""
        body = self._rpc.body
        named, evse = _named_evse(version, body)
        transaction_id = _transaction_id(body)
        if transaction_id is None:
            return evse
        if named:
            if evse:
                self._connection.takes_place(transaction_id, Transaction(evse, self._frame.event_id))
            return evse
        known = self._connection.transaction(transaction_id)
        if known is None:
            payload["context_missing"] = "transaction"
            return None
        payload["transaction"] = known._asdict()
        return known.evse

    def _payload(self, version: str, action: str) -> dict[str, Any]:
        payload = {
            "version": version,
            "rpc": self._rpc.kind,
            "message_id": self._rpc.message_id,
            "action": action,
            "direction": self._direction,
            "station": self._station,
            "body": self._rpc.body,
        }
        if self._unknown:
            payload["unknown_fields"] = self._unknown
        return payload

    def _decoded(
        self, version: str, name: str, evse: int | None, own_time_us: int | None, payload: dict[str, Any]
    ) -> Decoded:
        logged_us = self._frame.time_us
        # An answer has no time of its own: its "currentTime" is the backend's clock, good only where the log has none.
        from_log = self._rpc.is_answer and logged_us is not None
        time_us = logged_us if from_log or own_time_us is None else own_time_us
        actor = f"evse:{self._station}/{evse}" if evse else f"evse:{self._station}"
        return Decoded(f"ocpp.{version}.{name}", actor, time_us, payload)


def _lone_datatype(value: dict[str, Any], frame: Frame) -> Decoded:
    """A ChargingProfile as it is published or exported, without the message that carries it.

    Fields may be missing; those that are there keep to the schema of 2.1. It has no time of its own: a
    schedule's start is when it shall hold, not when it was said.
    """
    if "chargingSchedule" not in value or not value.keys() & {"chargingProfilePurpose", "chargingProfileKind"}:
        raise BadSyntax("an object is neither a frame of OCPP-J nor a charging profile")
    for violation in violations_of_type("2.1", "SetChargingProfile", "ChargingProfileType", value):
        raise SchemaViolation(f"ChargingProfile of OCPP 2.1: {violation}")
    return Decoded(CHARGING_PROFILE, f"evse:{frame.source or UNKNOWN_STATION}", frame.time_us, value)


def _named_evse(version: str, body: dict[str, Any]) -> tuple[bool, int | None]:
    """Whether the body names an EVSE (1.6: connector), and which; 0 is the whole station and gives None."""
    if version == "1.6":
        place = body.get("connectorId")
    elif "evse" in body:
        place = body["evse"]["id"]
    else:
        place = body.get("evseId")
    if place is None:
        return False, None
    return True, int(place) if place > 0 else None


def _transaction_id(body: dict[str, Any]) -> Hashable:
    info = body.get("transactionInfo")
    identity: Hashable = info["transactionId"] if info is not None else body.get("transactionId")
    return identity


def _own_time_us(body: dict[str, Any]) -> int | None:
    """The time a call itself gives: its time stamp, else that of its latest meter value.

    Raises:
        SchemaViolation: a time stamp that no calendar has, among those of the meter values too.
    """
    meter_us = [_instant(value["timestamp"]) for value in _meter_values(body)]
    stamp = body.get("timestamp") or body.get("generatedAt")
    if stamp is not None:
        return _instant(stamp)
    return max(meter_us, default=None)


def _answer_time_us(body: dict[str, Any]) -> int | None:
    stamp = body.get("currentTime")
    return _instant(stamp) if isinstance(stamp, str) else None


def _meter_values(body: dict[str, Any]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = body.get("meterValue") or body.get("transactionData") or []
    return values


def _instant(stamp: str) -> int:
    try:
        return instant(stamp)
    except ValueError as problem:
        raise SchemaViolation(f"{stamp[:40]!r} is no time stamp: {problem}") from problem
