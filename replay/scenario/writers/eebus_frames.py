"""Datagrams of SPINE on a connection between two devices, and lines of a log of them."""

from typing import Any, Final

import orjson

from replay.scenario.message import Message
from schemas.time import format_time
from schemas.wire.eebus.datagram import Address, Command, Datagram, encode_datagram

_PARTIAL: Final[list[Any]] = [{"cmdControl": {"partial": {}}}]


class Connection:
    """A SHIP connection: who speaks counts its own messages; ``name`` is what the log calls the connection."""

    def __init__(self, interface: str, name: str) -> None:
        self._interface = interface
        self._name = name
        self._counters: dict[str, int] = {}

    def says(
        self,
        time_us: int,
        ends: tuple[Address, Address],
        classifier: str,
        function: str,
        data: dict[str, Any],
        *,
        reference: int | None = None,
    ) -> Message:
        """A message from the first end to the second, as it goes over the wire in a SHIP data message."""
        source, destination = ends
        counter = self._counters[source.device] = self._counters.get(source.device, 0) + 1
        command = Command(function, data, _PARTIAL if classifier == "write" else [])
        datagram = Datagram(source, destination, counter, reference, classifier, time_us, [command])
        return Message(time_us, self._interface, self._name, encode_datagram(datagram, ship=True), {})

    def counter(self, device: str) -> int:
        """The number of the latest message of a device, as an answer to it names it."""
        return self._counters[device]


def line_of(message: Message) -> bytes:
    """The message as a line of the log."""
    line = {"time": format_time(message.time_us), "source": message.source, "frame": orjson.Fragment(message.raw)}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def discovery(device: str, device_type: str, entities: dict[tuple[int, ...], str]) -> dict[str, Any]:
    """What a device is and which entities it has (``nodeManagementDetailedDiscoveryData``)."""
    return {
        "specificationVersionList": {"specificationVersion": ["1.3.0"]},
        "deviceInformation": {"description": {"deviceAddress": {"device": device}, "deviceType": device_type}},
        "entityInformation": [entity(device, path, kind) for path, kind in entities.items()],
    }


def entity(device: str, path: tuple[int, ...], kind: str, **more: str) -> dict[str, Any]:
    """One entity of a discovery."""
    address = {"device": device, "entity": list(path)}
    return {"description": {"entityAddress": address, "entityType": kind, **more}}
