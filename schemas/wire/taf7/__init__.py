"""TAF 7 readings as a smart meter gateway delivers them: XML after VDE AR 2418-6 (interfaces 16 and 18).

The same schema carries tariff use cases 9, 10 and 14: other registers, the same elements. A file is one message, also
with several usage points in it, because no part of an XML document is the message as it crossed. Documents that
stand one behind the other in a file are cut where the next XML declaration begins.

The payload is ``{"usage_points": [...]}``, see :mod:`schemas.wire.taf7.usage_point`. The event is about the metering
point (``melo:...``); where the message names none or several, about the gateway (``smgw:...``), without one about the
first meter.
Event time is the time of the last value.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from schemas.devices import device_name
from schemas.wire.contract import (
    BadSyntax,
    Conversation,
    Decoded,
    Frame,
    Malformed,
    SchemaViolation,
    WireFormat,
)
from schemas.wire.taf7.elements import AR, parse
from schemas.wire.taf7.usage_point import usage_point
from schemas.wire.taf7.writing import encode_readings, readings_of, register_of
from schemas.wire.xml_documents import documents

__all__ = ["FORMAT", "decode", "encode_readings", "readings_of", "recognise", "register_of", "split"]

_BORDER: Final = re.compile(rb"UsagePoints?\s*>\s*((?:\xef\xbb\xbf)?<\?xml\s)")
"""The end of one document and the declaration of the next."""
_NAMESPACE: Final = AR.strip("{}")


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so is XML and names the schema."""
    for encoding in ("utf-8", "utf-16"):
        text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
        if text.startswith("<") and _NAMESPACE in text:
            return True
    return False


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """One frame per document; a document beyond the limit comes out in malformed stretches."""
    return documents(stream, _BORDER)


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """The usage points of a message.

    Raises:
        WireError: not well-formed, beyond the limits, another document, or against its schema.
    """
    root = parse(frame.raw)
    if root.tag == AR + "UsagePoints":
        elements = root.findall(AR + "UsagePoint")
    elif root.tag == AR + "UsagePoint":
        elements = [root]
    else:
        raise BadSyntax(f"the root element is {root.tag[:80]}, not UsagePoints of {_NAMESPACE}")
    if not elements:
        raise SchemaViolation("a message holds at least one UsagePoint")
    points = [usage_point(element) for element in elements]
    contradictions = [detail for point in points for detail in point.get("contradictions", ())]
    if contradictions and not any(point["registers"] for point in points):
        raise SchemaViolation(contradictions[0])
    return Decoded("taf7.readings", _actor(points), _time_us(points, frame), {"usage_points": points})


def _actor(points: list[dict[str, Any]]) -> str:
    melos = {point["melo"] for point in points}
    if len(melos) == 1 and (melo := melos.pop()):
        return f"melo:{melo}"
    for point in points:
        if point["smgw"] and point["smgw"]["id"]:
            return f"smgw:{point['smgw']['id']}"
    for register in (register for point in points for register in point["registers"]):
        return f"meter:{device_name(register['device'])}"
    raise SchemaViolation("neither usagePointId nor smgwId nor a register says what the message is about")


def _time_us(points: list[dict[str, Any]], frame: Frame) -> int | None:
    values = (value[0] for point in points for register in point["registers"] for value in register["values"])
    logged = (event["time_us"] for point in points for entry in point["log"] for event in entry["events"])
    system = (point["smgw"]["system_time_us"] for point in points if point["smgw"])
    for times in (values, system, logged):
        known: list[int] = [time_us for time_us in times if time_us is not None]
        if known:
            return max(known)
    return frame.time_us


FORMAT = WireFormat("taf7", "TAF 7 readings (VDE AR 2418-6)", recognise, split, decode)
