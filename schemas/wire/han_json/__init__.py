"""What a gateway shows the customer on its HAN interface, as JSON (interfaces 16 and 18).

The form is the one of the transparency software TRuDI: the gateway and its version, the contracts evaluated in it
(tariff use case, supplier, consumer, meters, billing periods), and the registers behind one of them (``XmlConfig``,
named like the elements of VDE AR 2418-6). A file is one message.

The payload is ``{"gateway", "contracts", "usage_points"}``; a usage point has the form that TAF 7 readings have
(:mod:`schemas.wire.taf7.usage_point`), so that both say the same facts. Of a register it knows one value: where it
stood when the time asked for began. That is the billing period, where the contract has exactly one; else the value
has no time and is left out. Under ``initial`` it is kept in either case.

Passwords and addresses are not taken over into the payload. The event is about the metering point (``melo:...``), else
about the gateway (``smgw:...``).
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from schemas.wire.contract import Conversation, Decoded, Frame, Malformed, SchemaViolation, TooLarge, WireFormat
from schemas.wire.han_json.contracts import contract, gateway
from schemas.wire.han_json.fields import objects, parse
from schemas.wire.han_json.registers import usage_point
from schemas.wire.han_json.writing import encode_list

__all__ = ["FORMAT", "decode", "encode_list", "recognise", "split"]

SIZE_LIMIT: Final = 4 * 1024 * 1024
_MARKS: Final = (b'"Contracts"', b'"XmlConfig"')


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so is a JSON object with contracts or the registers behind one."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"{") and any(mark in text for mark in _MARKS)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """The file as one frame; beyond the limit it comes out in malformed stretches."""
    offset = 0
    while raw := stream.read(SIZE_LIMIT + 1):
        if offset or len(raw) > SIZE_LIMIT:
            yield Malformed(raw, offset, TooLarge(f"a message has at most {SIZE_LIMIT} bytes"))
        elif raw.strip():
            yield Frame(raw, 0)
        offset += len(raw)


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """Gateway, contracts and registers of a message.

    Raises:
        WireError: not JSON, another document, or a field that is missing or no number, time or text.
    """
    root = parse(frame.raw)
    contracts = [contract(found) for found in objects(root, "Contracts")]
    shown = gateway(root)
    payload: dict[str, Any] = {"gateway": shown, "contracts": contracts, "usage_points": []}
    if point := usage_point(root, contracts, shown):
        payload["usage_points"] = [point]
    if not contracts and not payload["usage_points"]:
        raise SchemaViolation("neither Contracts nor XmlConfig says anything")
    return Decoded("han_json.list", _actor(payload), _time_us(payload, frame), payload)


def _actor(payload: dict[str, Any]) -> str:
    melos = {point["melo"] for point in payload["usage_points"]} | {c["melo"] for c in payload["contracts"]}
    melos -= {""}
    if len(melos) == 1:
        return f"melo:{melos.pop()}"
    if payload["gateway"]["id"]:
        return f"smgw:{payload['gateway']['id']}"
    raise SchemaViolation("neither UsagePointId nor DeviceId says what the message is about")


def _time_us(payload: dict[str, Any], frame: Frame) -> int | None:
    registers = (register for point in payload["usage_points"] for register in point["registers"])
    times = [value[0] for register in registers for value in register["values"]]
    return max(times, default=frame.time_us)


FORMAT = WireFormat("han_json", "HAN list (JSON of TRuDI)", recognise, split, decode)
