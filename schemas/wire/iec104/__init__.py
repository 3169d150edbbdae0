"""IEC 60870-5-104: telecontrol over TCP (interfaces 21, 24, 25, 43, 51, 52, 53, 54).

A message is an APDU (:mod:`~schemas.wire.iec104.apdu`); an APDU of type I carries an ASDU with one or more information
objects (:mod:`~schemas.wire.iec104.asdu`). What an object means, no message says: it comes from a point list that the
conversation was given (:mod:`schemas.points`) and is written into the payload, object by object.

Payload of an I-frame::

    {"frame": "i", "send": 12, "receive": 3, "type": 36, "name": "M_ME_TF_1", "cause": 3, "cause_name": "spontaneous",
     "negative": false, "test": false, "originator": 0, "station": 7,
     "objects": [{"address": 1001, "value": 49.98, "quality": [], "time": "2026-03-29T01:00:00.250000Z",
                  "point": {"actor": "uenb-control-centre:TSO", "attribute": "frequency", "unit": "Hz", "factor": 1}}]}
"""

from schemas.wire import capture
from schemas.wire.contract import WireFormat
from schemas.wire.iec104.apdu import SPEECH
from schemas.wire.iec104.decoding import decode
from schemas.wire.iec104.writing import encode_command, encode_measurement, encode_setup, encode_supervision

FORMAT = WireFormat(
    name="iec104",
    title="IEC 60870-5-104 APDUs (capture, octets, hex)",
    recognise=lambda head, _name: capture.recognise(head, SPEECH),
    split=lambda stream: capture.split(stream, SPEECH),
    decode=decode,
    next_piece=SPEECH.next_piece,
    log_lines=capture.log_lines(SPEECH),
)

__all__ = ["FORMAT", "encode_command", "encode_measurement", "encode_setup", "encode_supervision"]
