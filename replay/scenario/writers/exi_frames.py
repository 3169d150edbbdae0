"""Messages of ISO 15118 on the cable between a vehicle and its wallbox: V2GTP with EXI in it."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import orjson

from replay.scenario.message import Message
from schemas.time import SECOND_US
from schemas.wire.iso15118 import frame
from schemas.wire.iso15118 import framing as v2gtp
from schemas.wire.iso15118.codec import ISO_2, ISO_20_AC, ISO_20_COMMON, SAP
from streams.exi import codec

INTERFACE: Final = "1"

STEP_US: Final = 60_000
"""Between two messages that follow each other."""

_PAYLOAD_TYPES: Final = {SAP: v2gtp.EXI, ISO_2: v2gtp.EXI, ISO_20_COMMON: v2gtp.MAIN, ISO_20_AC: v2gtp.AC}
_NO_SESSION: Final = "0" * 16
_ADDRESS: Final = bytes.fromhex("fe80000000000000020000fffe000001")
_PORT: Final = 55118
_NO_TLS, _TCP = 0x10, 0x00


class Said(NamedTuple):
    """A message: the schema it is written by, its name and what is in it beside the header."""

    schema: str
    name: str
    body: dict[str, Any]


class Cable:
    """The cable of a wallbox; over it goes one session after the other."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._session = _NO_SESSION

    def finds(self, time_us: int) -> Iterator[Message]:
        """SDP: the vehicle asks who is there, the wallbox says where it listens."""
        asked = bytes((_NO_TLS, _TCP))
        answer = _ADDRESS + _PORT.to_bytes(2) + asked
        yield self._message(time_us, frame(v2gtp.SDP_REQUEST, asked))
        yield self._message(time_us + STEP_US, frame(v2gtp.SDP_RESPONSE, answer))
        self._session = hashlib.blake2b(f"{self._station}/{time_us}".encode(), digest_size=8).hexdigest().upper()

    def says(self, time_us: int, conversation: Iterable[Said]) -> Iterator[Message]:
        """What both say in turn, from a time on."""
        for place, said in enumerate(conversation):
            at_us = time_us + place * STEP_US
            exi = codec().encode(orjson.dumps(self._whole(said, at_us)), said.schema)
            yield self._message(at_us, frame(_PAYLOAD_TYPES[said.schema], exi))

    def _whole(self, said: Said, time_us: int) -> dict[str, Any]:
        """The message as its schema wants it; the session has a number from the wallbox's first answer on."""
        if said.schema == SAP:
            return {said.name: said.body}
        header: dict[str, Any] = {"SessionID": _NO_SESSION if said.name == "SessionSetupReq" else self._session}
        if said.schema == ISO_2:
            return {"V2G_Message": {"Header": header, "Body": {said.name: said.body}}}
        return {said.name: {"Header": header | {"TimeStamp": time_us // SECOND_US}, **said.body}}

    def _message(self, time_us: int, raw: bytes) -> Message:
        return Message(time_us, INTERFACE, self._station, raw, {})


def offer(*namespaces: str) -> tuple[Said, Said]:
    """The vehicle offers these schemas, the one it prefers first; the wallbox takes it."""
    entries = [
        {
            "ProtocolNamespace": namespace,
            "VersionNumberMajor": 2 if namespace == ISO_2 else 1,
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
