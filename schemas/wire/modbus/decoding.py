"""From ADUs and dumps to payloads: answers with their questions, registers with their meaning."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.points import POINTS, PointList
from schemas.wire.contract import Conversation, Decoded, Frame, SchemaViolation
from schemas.wire.json_messages import looks_like_json
from schemas.wire.modbus import adu as tcp
from schemas.wire.modbus import bits
from schemas.wire.modbus.adu import Adu, Said
from schemas.wire.modbus.bits import Bits
from schemas.wire.modbus.dumps import from_csv, from_json, is_csv
from schemas.wire.modbus.sunspec import BASES, is_base, models_in

OPEN_LIMIT: Final = 1_000
"""Requests of a connection that are remembered."""

REGISTERS_LIMIT: Final = tcp.REGISTERS
"""Registers of a connection that are remembered; beyond it the unit that was silent longest is forgotten."""

_MEMORY: Final = "modbus"
_PROTOCOL: Final = slice(2, 4)


@dataclass(slots=True)
class _Request:
    said: Said | Bits
    function: int
    is_answered: bool = False


@dataclass(slots=True)
class _Link:
    """One connection: its requests by transaction and unit, what is known of the registers of each unit."""

    requests: OrderedDict[tuple[int, int], _Request] = field(default_factory=OrderedDict)
    units: OrderedDict[int, dict[int, int]] = field(default_factory=OrderedDict)

    def ask(self, adu: Adu, said: Said | Bits) -> None:
        """Remember a request."""
        key = (adu.transaction, adu.unit)
        self.requests[key] = _Request(said, adu.function)
        self.requests.move_to_end(key)
        if len(self.requests) > OPEN_LIMIT:
            self.requests.popitem(last=False)

    def remember(self, unit: int, registers: Mapping[int, int]) -> dict[int, int]:
        """Everything known of the unit, with these registers."""
        known = self.units.setdefault(unit, {})
        self.units.move_to_end(unit)
        known.update(registers)
        while len(self.units) > 1 and sum(map(len, self.units.values())) > REGISTERS_LIMIT:
            self.units.popitem(last=False)
        return known


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """What an ADU or a dump says.

    Raises:
        WireError: see :mod:`~schemas.wire.modbus.adu` and :mod:`~schemas.wire.modbus.dumps`.
    """
    link: _Link = conversation.memory.setdefault(_MEMORY, _Link())
    points: PointList = conversation.memory.get(POINTS) or {}
    if frame.raw[_PROTOCOL] != b"\0\0" and (looks_like_json(frame.raw) or is_csv(frame.raw)):
        return _dump(frame, link, points)
    return _adu(frame, link, points)


def _dump(frame: Frame, link: _Link, points: PointList) -> Decoded:
    dump = from_json(frame.raw) if looks_like_json(frame.raw) else from_csv(frame.raw)
    payload = {
        "kind": "dump",
        "unit": dump.unit,
        "address": min(dump.registers),
        "count": len(dump.registers),
        "link": f"{frame.source}/{dump.unit}",
    }
    payload |= _explain(dump.unit, dump.registers, link, points)
    time_us = frame.time_us if dump.time_us is None else dump.time_us
    return Decoded("modbus.dump", _actor(payload), time_us, payload)


def _adu(frame: Frame, link: _Link, points: PointList) -> Decoded:
    adu = tcp.parse(frame.raw)
    key = (adu.transaction, adu.unit)
    request = link.requests.get(key)
    if adu.function in bits.FUNCTIONS:
        return _of_bits(adu, frame, request, link)
    said = tcp.understand(adu)
    kind = _kind(said, frame, request)
    payload = _head(kind, adu, frame)
    if kind == "request":
        link.ask(adu, said)
        payload |= {"address": said.address, "count": said.many}
        if said.registers:
            payload["wanted"] = list(said.registers)
    elif kind == "exception":
        payload |= {"code": said.code, "exception": tcp.EXCEPTIONS.get(said.code, f"exception {said.code}")}
        payload |= _asked(request, adu)
    else:
        payload |= _answer(adu, said, request, link, points)
    return Decoded(f"modbus.{kind}", _actor(payload), frame.time_us, payload)


def _head(kind: str, adu: Adu, frame: Frame) -> dict[str, Any]:
    """What stands in the payload of every ADU."""
    return {
        "kind": kind,
        "transaction": adu.transaction,
        "unit": adu.unit,
        "function": adu.function & ~tcp.EXCEPTION,
        "link": f"{frame.source}/{adu.unit}",
    }


def _of_bits(adu: Adu, frame: Frame, request: _Request | None, link: _Link) -> Decoded:
    """An ADU about coils or discrete inputs."""
    waits = request is not None and not request.is_answered and request.function == adu.function
    if not bits.is_answer(adu, frame.context.get("opener"), is_asked=waits):
        wanted = bits.asked(adu)
        link.ask(adu, wanted)
        payload = _head("request", adu, frame) | {"address": wanted.address, "count": wanted.many}
        if wanted.bits:
            payload["wanted"] = list(wanted.bits)
        return Decoded("modbus.request", _actor(payload), frame.time_us, payload)
    said, known = bits.answered(adu), _asked(request, adu)
    count = known.get("count", said.many)
    if adu.function in bits.READS and count is not None and -(-count // 8) * 8 != len(said.bits):
        raise SchemaViolation(f"{count} bits were asked for, {len(said.bits) // 8} octets came", 8)
    there = said.bits[:count]
    if adu.function == bits.WRITE_MANY and request is not None and request.function == bits.WRITE_MANY:
        assert isinstance(request.said, Bits)
        there = request.said.bits
    payload = _head("response", adu, frame) | {"address": said.address, "count": count} | known | {"bits": list(there)}
    return Decoded("modbus.response", _actor(payload), frame.time_us, payload)


def _kind(said: Said, frame: Frame, request: _Request | None) -> str:
    """Whether it asks or answers. A single write is echoed: the connection tells, else that it was asked already."""
    if said.kind != "either":
        return said.kind
    if "opener" in frame.context:
        return "request" if frame.context["opener"] else "response"
    is_echo = request is not None and not request.is_answered and (request.function, request.said) == (6, said)
    return "response" if is_echo else "request"


def _asked(request: _Request | None, adu: Adu) -> dict[str, Any]:
    """Where the request of an answer stands; that it is missing, where it never came."""
    if request is None or request.function != adu.function & ~tcp.EXCEPTION:
        return {"context_missing": "request"}
    request.is_answered = True
    return {"address": request.said.address, "count": request.said.many}


def _answer(adu: Adu, said: Said, request: _Request | None, link: _Link, points: PointList) -> dict[str, Any]:
    asked = _asked(request, adu)
    address = asked.get("address", said.address)
    if adu.function in tcp.READS:
        if address is None:
            return asked | {"count": said.many}
        if said.many != asked["count"]:
            raise SchemaViolation(f"{asked['count']} registers were asked for, {said.many} came", 8)
        values: tuple[int, ...] = said.registers
    elif request is None or "context_missing" in asked or isinstance(request.said, Bits):
        values = said.registers
    else:
        values = request.said.registers
    asked = {"address": address, "count": said.many} | asked
    return asked | _explain(adu.unit, dict(enumerate(values, address or 0)), link, points)


def _explain(unit: int, registers: dict[int, int], link: _Link, points: PointList) -> dict[str, Any]:
    """What registers mean: SunSpec's models, and the point list."""
    found: dict[str, Any] = {}
    if not registers:
        return found
    known = link.remember(unit, registers)
    base = _base(known, registers)
    if base is not None and (models := models_in(known, base, registers)):
        found["models"] = models
    entries = [
        {
            "address": address,
            "value": value - (1 << 16) if value >> 15 else value,
            "point": {
                "actor": point.actor,
                "attribute": point.attribute,
                "unit": point.unit,
                "factor": point.factor,
            },
        }
        for address, value in registers.items()
        if (point := points.get((unit, address))) is not None
    ]
    if entries:
        found["registers"] = entries
    return found


def _base(known: Mapping[int, int], registers: Iterable[int]) -> int | None:
    """Where the chain of models begins: where the standard says, else where a read began."""
    first = min(registers, default=0)
    return next((at for at in (*BASES, first) if is_base(known, at)), None)


def _actor(payload: dict[str, Any]) -> str:
    """Who the message is about: the device by its serial number, a point's actor, else the unit of the connection."""
    device = next((entry["device"] for entry in payload.get("models", ()) if entry["device"]), "")
    if device:
        return f"asset:{device}"
    points = payload.get("registers")
    return points[0]["point"]["actor"] if points else f"asset:{payload['link']}"
