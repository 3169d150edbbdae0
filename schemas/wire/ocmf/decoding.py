"""From a record to its payload."""

from typing import Any

from schemas.time import parse_time
from schemas.wire.contract import Conversation, Decoded, Frame
from schemas.wire.ocmf.checks import check, energy_of, meter_of, place_of
from schemas.wire.ocmf.record import parse_record, readings_of
from schemas.wire.ocmf.signature import verify


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """The payload of one record. The event's actor is the charging point, else the gateway or meter by serial number.

    Raises:
        WireError: see :func:`~schemas.wire.ocmf.record.parse_record`.
    """
    said = explain(frame.raw, str(frame.context.get("public_key") or ""), conversation)
    times = [parse_time(reading["time"]) for reading in said["readings"]]
    actor = f"evse:{place_of(said['record']) or frame.source or 'unknown'}"
    return Decoded("ocmf.record", actor, max(times, default=frame.time_us), said)


def explain(octets: bytes, public_key: str, conversation: Conversation) -> dict[str, Any]:
    """What is in a record and what of it holds; see the module :mod:`schemas.wire.ocmf`.

    Args:
        octets: The record, exactly as it came.
        public_key: The meter's, in hex or base64; "" where it is not known.
        conversation: What the station said before, for pages and transactions over several records.

    Raises:
        WireError: it cannot be read.
    """
    record = parse_record(octets)
    readings = readings_of(record.payload)
    verdict = verify(record.signed, record.signature, public_key)
    found = list(check(record.payload, readings, conversation))
    energy, against = energy_of(record.payload, readings, conversation)
    said: dict[str, Any] = {
        "record": record.payload,
        "readings": readings,
        "meter": meter_of(record.payload),
        "signature": verdict._asdict(),
        "checks": [{"reason": reason, "detail": detail} for reason, detail in found + against],
    }
    if energy and not against:
        said["energy"] = energy
    return said
