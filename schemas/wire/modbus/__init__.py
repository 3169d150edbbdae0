"""Modbus/TCP frames and register dumps, with the models of SunSpec (interfaces 8 and 9).

Three kinds of files: captures and logs of octets with ADUs (:mod:`~schemas.wire.modbus.adu`), dumps of registers as
JSON or CSV (:mod:`~schemas.wire.modbus.dumps`). A response says no address: it is matched with its request by
transaction and unit. What was read of a unit is remembered, so that several reads together show the chain of SunSpec
models (:mod:`~schemas.wire.modbus.sunspec`); a message's payload holds only what that message itself said, with the
scale factors and the identity known by then. What a confirmed write wrote is what the device holds then.

Coils and discrete inputs are kept as bits (:mod:`~schemas.wire.modbus.bits`).

A register outside SunSpec means what the point list of the interface says (station is the unit, address the
register's, counted from 0 as on the wire); it is taken as a signed number of 16 bits [M].

Payload::

    {"kind": "response", "transaction": 7, "unit": 1, "function": 3, "address": 40069, "count": 52,
     "link": "10.0.0.2:50000-10.0.0.3:502/1",
     "models": [{"id": 103, "name": "inverter_three_phase", "at": 40069, "device": "SN-1", "beside": [1, 103],
                 "points": {"W": -1500, "Hz": 49.98, "St": "MPPT"}}],
     "registers": [{"address": 5, "value": -3, "point": {"actor", "attribute", "unit", "factor"}}],
     "context_missing": "request"}          where the request never came
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from schemas.wire import capture
from schemas.wire.capture import logs
from schemas.wire.contract import Frame, Malformed, TooLarge, WireFormat
from schemas.wire.json_messages import looks_like_json, messages
from schemas.wire.modbus.adu import SPEECH
from schemas.wire.modbus.decoding import decode
from schemas.wire.modbus.dumps import SIZE_LIMIT_BYTES, is_csv, is_json_dump
from schemas.wire.modbus.writing import (
    encode_dump,
    encode_exception,
    encode_read,
    encode_registers,
    encode_response,
    encode_write,
    encode_written,
)

__all__ = [
    "FORMAT",
    "encode_dump",
    "encode_exception",
    "encode_read",
    "encode_registers",
    "encode_response",
    "encode_write",
    "encode_written",
]

_HEAD: Final = 64 * 1024


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so is a dump, a capture, or octets that begin like an ADU."""
    return is_json_dump(head) or is_csv(head) or capture.recognise(head, SPEECH)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """JSON as one frame for a document or for each line, CSV as one, everything else as octets."""
    head = stream.read(_HEAD)
    if is_csv(head):
        yield from _whole(head, stream)
    elif looks_like_json(head) and b"\0" not in head and not logs.is_log(head, SPEECH.starts):
        yield from messages(stream, head)
    else:
        yield from capture.split(stream, SPEECH, head)


def _whole(head: bytes, stream: BinaryIO) -> Iterator[Frame | Malformed]:
    raw, offset = head + stream.read(SIZE_LIMIT_BYTES + 1 - len(head)), 0
    if len(raw) <= SIZE_LIMIT_BYTES:
        yield Frame(raw, 0)
        return
    while raw:
        yield Malformed(raw, offset, TooLarge(f"a dump has at most {SIZE_LIMIT_BYTES} bytes"))
        offset += len(raw)
        raw = stream.read(SIZE_LIMIT_BYTES)


FORMAT = WireFormat(
    "modbus",
    "Modbus/TCP, SunSpec (capture, octets, register dump)",
    recognise,
    split,
    decode,
    SPEECH.next_piece,
    capture.log_lines(SPEECH, is_csv),
)
