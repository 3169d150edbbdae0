"""ISO 15118-2, ISO 15118-20 and DIN SPEC 70121: what vehicle and charging station say (interface 1).

A message is a V2GTP frame (:mod:`~schemas.wire.iso15118.framing`) with EXI in it, from captures, streams, hex and logs
of them; or the same message as decoded JSON (:mod:`~schemas.wire.iso15118.logs`). EXI is read by a codec that the
conversation was given (:mod:`~schemas.wire.iso15118.codec`), by the schema that the connection negotiated
(:mod:`~schemas.wire.iso15118.negotiation`). SDP, over UDP, is read too.

Payload::

    {"message": "AC_ChargeLoopReq", "speaker": "ev", "schema": "urn:iso:std:iso:15118:-20:AC",
     "negotiated": {"namespace": "urn:iso:std:iso:15118:-20:AC", "schema_id": 1, "offered_by": ID, "event": ID},
     "payload_type": "8003", "session": {"id": "242633A465952FF6", "evcc": "WMIV1234567890ABCDEX",
     "evse": "DE*ICE*E45B*78C", "service": 5, "control_mode": "scheduled"}, "header": {...},
     "body": {"DisplayParameters": {"PresentSOC": 10, ...},
              "BPT_Scheduled_AC_CLReqControlMode": {"EVPresentActivePower": {"value": -7400, "unit": "W"}}}}

``assumed`` stands instead of ``negotiated`` where the negotiation was not heard. Types are
``iso15118.<part>.<message>`` with the part ``sap``, ``din``, ``2``, ``20`` or ``sdp``.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from schemas.wire import capture
from schemas.wire.contract import Frame, Malformed, WireFormat
from schemas.wire.iso15118 import logs
from schemas.wire.iso15118.decoding import decode
from schemas.wire.iso15118.framing import SPEECH, frame

_HEAD_BYTES: Final = 64 * 1024


def _recognise(head: bytes, _name: str) -> bool:
    return logs.recognise(head) or capture.recognise(head, SPEECH)


def _split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    head = stream.read(_HEAD_BYTES)
    if logs.recognise(head):
        return logs.split(head, stream)
    return capture.split(stream, SPEECH, head)


FORMAT = WireFormat(
    name="iso15118",
    title="ISO 15118-2, -20 and DIN 70121 (V2GTP in a capture, octets, hex; decoded JSON)",
    recognise=_recognise,
    split=_split,
    decode=decode,
    next_piece=SPEECH.next_piece,
    log_lines=capture.log_lines(SPEECH, logs.recognise),
)

__all__ = ["FORMAT", "frame"]
