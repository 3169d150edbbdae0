"""Messages of ISO 15118 on the cable between a vehicle and its wallbox: V2GTP with EXI in it.

Over the cable both talk IPv6. Of some cables the packets are recorded (:mod:`replay.scenario.writers.captures`), of
the others the wallbox itself logs the messages.
"""

import hashlib
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address
from typing import Any, Final, NamedTuple

import orjson

from replay.scenario.message import Message
from replay.scenario.names import Names
from replay.scenario.writers.captures import CLOSES, log_of, station_address
from schemas.time import SECOND_US
from schemas.wire.iso15118 import frame
from schemas.wire.iso15118 import framing as v2gtp
from schemas.wire.iso15118.codec import DIN, ISO_2, ISO_20_AC, ISO_20_COMMON, SAP
from streams.exi import codec

INTERFACE: Final = "1"

STEP_US: Final = 60_000
"""Between two messages that follow each other."""

_PAYLOAD_TYPES: Final = {
    SAP: v2gtp.EXI,
    DIN: v2gtp.EXI,
    ISO_2: v2gtp.EXI,
    ISO_20_COMMON: v2gtp.MAIN,
    ISO_20_AC: v2gtp.AC,
}
_NO_SESSION: Final = "0" * 16
_EVERYONE: Final = "[ff02::1]:15118"
"""Whom a vehicle asks who is there: all nodes of the link, on the port of SDP."""

_OWN_PORTS: Final = 49_152
"""From here on up to the end, ports belong to nobody (RFC 6335)."""
_NO_TLS, _TCP = 0x10, 0x00


class Said(NamedTuple):
    """A message: the schema it is written by, its name and what is in it beside the header."""

    schema: str
    name: str
    body: dict[str, Any]


class Cable:
    """The cable of a wallbox; over it goes one session after the other, each in a connection of its own."""

    def __init__(self, names: Names) -> None:
        self._station, self._log = names.station, log_of(names)
        self._car = IPv6Address(station_address(bytes.fromhex(names.car_address)))
        self._box = IPv6Address(station_address(bytes.fromhex(f"0247{names.site:08X}")))
        self._session = _NO_SESSION
        self._ends = ("", "")

    def finds(self, time_us: int) -> Iterator[Message]:
        """SDP: the vehicle asks who is there, the wallbox says where it listens."""
        drawn = hashlib.blake2b(f"{self._station}/{time_us}".encode(), digest_size=8).digest()
        asking, car_port, box_port = (
            _OWN_PORTS + int.from_bytes(drawn[at : at + 2]) % (65_536 - _OWN_PORTS) for at in (0, 2, 4)
        )
        asker, asked = f"[{self._car}]:{asking}", bytes((_NO_TLS, _TCP))
        answer = self._box.packed + box_port.to_bytes(2) + asked
        yield self._message(time_us, frame(v2gtp.SDP_REQUEST, asked), (asker, _EVERYONE))
        answering = (f"[{self._box}]:15118", asker)
        yield self._message(time_us + STEP_US, frame(v2gtp.SDP_RESPONSE, answer), answering)
        self._session = drawn.hex().upper()
        self._ends = (f"[{self._car}]:{car_port}", f"[{self._box}]:{box_port}")

    def says(self, time_us: int, conversation: Iterable[Said]) -> Iterator[Message]:
        """What both say in turn, from a time on."""
        for place, said in enumerate(conversation):
            at_us = time_us + place * STEP_US
            exi = codec().encode(orjson.dumps(self._whole(said, at_us)), said.schema)
            raw = frame(_PAYLOAD_TYPES[said.schema], exi)
            yield self._message(at_us, raw, self._ends, said.name)

    def _whole(self, said: Said, time_us: int) -> dict[str, Any]:
        """The message as its schema wants it; the session has a number from the wallbox's first answer on."""
        if said.schema == SAP:
            return {said.name: said.body}
        header: dict[str, Any] = {"SessionID": _NO_SESSION if said.name == "SessionSetupReq" else self._session}
        if said.schema in {DIN, ISO_2}:
            return {"V2G_Message": {"Header": header, "Body": {said.name: said.body}}}
        return {said.name: {"Header": header | {"TimeStamp": time_us // SECOND_US}, **said.body}}

    def _message(self, time_us: int, raw: bytes, ends: tuple[str, str], name: str = "") -> Message:
        """A message as its log names it: by the wallbox, or by the two ends of a connection, who opened it first."""
        if not self._log:
            return Message(time_us, INTERFACE, self._station, raw, {})
        is_answer = name.endswith("Res")
        sender, receiver = reversed(ends) if is_answer else ends
        said: dict[str, Any] = {"from": sender, "to": receiver, "opener": not is_answer}
        if name == "SessionStopRes":
            said[CLOSES] = True
        return Message(time_us, INTERFACE, "-".join(ends), raw, said, self._log)


def offer(*namespaces: str) -> tuple[Said, Said]:
    """The vehicle offers these schemas, the one it prefers first; the wallbox takes it."""
    entries = [
        {
            "ProtocolNamespace": namespace,
            "VersionNumberMajor": 2 if namespace in {DIN, ISO_2} else 1,
            "VersionNumberMinor": 0,
            "SchemaID": number,
            "Priority": number,
        }
        for number, namespace in enumerate(namespaces, 1)
    ]
    return (
        Said(SAP, "supportedAppProtocolReq", {"AppProtocol": entries}),
        Said(SAP, "supportedAppProtocolRes", {"ResponseCode": "OK_SuccessfulNegotiation", "SchemaID": 1}),
    )
