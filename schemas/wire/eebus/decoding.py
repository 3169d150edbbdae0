"""From a message to its payload: read in either form, checked, joined with what explains it.

The payload of a datagram::

    {"form": "wire" | "normalised", "classifier": "notify", "counter": 10, "reference"?: 7,
     "source": {"actor": "evse:d:_i:1_A", "device", "entity", "feature"?}, "destination": {...},
     "owner": "source" | "destination" | "",                  whose data it is, as far as classifier and function say
     "commands": [{"function", "data": {...}, "filters"?}],   normalised
     "context": {"measurements" | "limits" | "keys" | "parameters" | "series": {"<id>": {..., "events": [...]}},
                 "tariffs": {"<id>": {"incentives": {"<tier>/<id>": {...}}, "events": [...]}},
                 "vehicle": {"id", "event"}, "kinds": {"<device>": "<event>"},
                 "call": {"function", "data", "filters"?, "context", "owner": {...}, "time_us", "event"}},
     "context_missing"?: ["measurement 5", "call 12", ...],   what would have been needed and had not come

     "explains"?: [{"event", "time_us", "classifier", "source", "destination", "owner", "commands", "context"}]}
                                                              items of earlier messages that this one describes

and of a message of SHIP itself ``{"ship": "connectionHello", "data": {...}}``.
"""

from typing import Any, Final

from schemas.time import MINUTE_US
from schemas.wire.contract import BadSyntax, Conversation, Decoded, Frame
from schemas.wire.eebus.datagram import (
    CALL,
    NOTIFY,
    REPLY,
    RESULT,
    WRITE,
    Address,
    Command,
    Datagram,
    read_datagram,
)
from schemas.wire.eebus.descriptions import Descriptions, OpenWrite, Waiting, descriptions_of
from schemas.wire.eebus.explaining import explain
from schemas.wire.eebus.forms import SHIP_MESSAGES, datagram_of, members, normalised
from schemas.wire.eebus.kinds import UNKNOWN_KIND, is_owned, kind_of, other_end
from schemas.wire.eebus.logs import SHIP_TYPES
from schemas.wire.eebus.moments import moment_us
from schemas.wire.strict_json import parse

_LATE_US: Final = 10 * MINUTE_US
"""For so long what is said later explains what was said before [M]; a device that starts anew may number anew."""

SOURCE: Final = "source"
DESTINATION: Final = "destination"


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """The payload of one message of EEBUS.

    The actor is the one whose data it is (see :mod:`~schemas.wire.eebus.kinds`); the time the header's own, else the
    latest of its data, else the log's.

    Raises:
        Truncated, BadSyntax, TooLarge, SchemaViolation: see :func:`~schemas.wire.strict_json.parse`,
            :func:`~schemas.wire.eebus.forms.datagram_of` and :func:`~schemas.wire.eebus.datagram.read_datagram`.
    """
    raw = frame.raw[1:] if frame.raw[:1] and frame.raw[0] in SHIP_TYPES else frame.raw
    message = parse(raw)
    if not isinstance(message, dict):
        raise BadSyntax("a message of EEBUS is an object")
    name = next(iter(message), "")
    if len(message) == 1 and name in SHIP_MESSAGES:
        said = members(normalised(message[name]))
        return Decoded(f"eebus.{name}", f"{UNKNOWN_KIND}:{frame.source}", frame.time_us, {"ship": name, "data": said})
    held, form = datagram_of(message)
    return _Speech(frame, read_datagram(held), form, conversation).decoded()


class _Speech:
    """One datagram on its connection."""

    def __init__(self, frame: Frame, datagram: Datagram, form: str, conversation: Conversation) -> None:
        self._frame = frame
        self._datagram = datagram
        self._form = form
        self._interface = conversation.interface
        self._memory: Descriptions = descriptions_of(conversation)
        self._owner_end = _owner_end(datagram)
        self._owner = datagram.destination if self._owner_end == DESTINATION else datagram.source
        self._context: dict[str, Any] = {}
        self._missing: dict[str, None] = {}

    def decoded(self) -> Decoded:
        """The event's parts; the memory has learnt from them."""
        datagram, event = self._datagram, self._frame.event_id
        for command in datagram.commands:
            self._memory.learn(command, datagram.classifier, self._owner, event)
        self._learn_roles()
        source, destination = datagram.source, datagram.destination
        ends = {SOURCE: self._end(source, destination), DESTINATION: self._end(destination, source)}
        for command in datagram.commands:
            self._explain(command, ends)
        if datagram.classifier == RESULT:
            self._find_call()
        if datagram.classifier in {WRITE, CALL}:
            write = OpenWrite(event, self._time_us(), self._owner, datagram.commands[0], dict(self._context))
            self._memory.opened(datagram.source.device, datagram.counter, write)
        payload: dict[str, Any] = {
            "form": self._form,
            "classifier": datagram.classifier,
            "counter": datagram.counter,
            **ends,
            "owner": self._owner_end,
            "commands": [_command_json(command) for command in datagram.commands],
            "context": self._context,
        }
        if datagram.reference is not None:
            payload["reference"] = datagram.reference
        if late := self._explained_late():
            payload["explains"] = late
        if self._missing:
            payload["context_missing"] = list(self._missing)
        actor = ends[self._owner_end or SOURCE]["actor"]
        return Decoded(f"eebus.{datagram.commands[0].function}", actor, self._time_us(), payload)

    def _time_us(self) -> int | None:
        """The header's own time, else the latest of its data, else the log's."""
        if self._datagram.time_us is not None:
            return self._datagram.time_us
        stamps = [stamp for command in self._datagram.commands for stamp in _stamps(command)]
        logged_us = self._frame.time_us
        moments = [moment for stamp in stamps if (moment := moment_us(stamp, logged_us)) is not None]
        return max(moments, default=logged_us)

    def _learn_roles(self) -> None:
        """Who owns data of the use cases and who reads or writes it: that tells both ends of an interface apart."""
        if self._owner_end and any(is_owned(command.function) for command in self._datagram.commands):
            ends = self._datagram.source.device, self._datagram.destination.device
            client = ends[0] if self._owner_end == DESTINATION else ends[1]
            for device, role in ((self._owner.device, "owner"), (client, "client")):
                if device and self._memory.known("role", device) is None:
                    self._memory.keep(("role", device), {"role": role}, self._frame.event_id)

    def _kind(self, device: str) -> tuple[str, str]:
        """The kind of a device, and the event it is known from."""
        described, role = self._memory.known("device", device), self._memory.known("role", device)
        kind = kind_of(described.said if described else {}, "", "")
        if described is not None and kind != UNKNOWN_KIND:
            return kind, described.event
        if role is not None:
            return kind_of({}, role.said["role"], self._interface), role.event
        return UNKNOWN_KIND, ""

    def _end(self, address: Address, other: Address) -> dict[str, Any]:
        """An end of the datagram with its actor; the context says from which event its kind is known."""
        device = address.device
        kind, event = self._kind(device)
        if kind == UNKNOWN_KIND:
            opposite, event = self._kind(other.device)
            kind = other_end(opposite, self._interface)
        if kind == UNKNOWN_KIND:
            self._missing[f"kind of {device or 'an unnamed device'}"] = None
        elif event != self._frame.event_id:
            self._context.setdefault("kinds", {})[device] = event
        top = address.entity[0] if address.entity else 0
        place = f"{device or 'unknown'}/{top}" if top > 1 else device or "unknown"
        return {"actor": f"{kind}:{place}", **address.as_json()}

    def _explain(self, command: Command, ends: dict[str, Any]) -> None:
        """Note of every item that a description belongs to what it is; what nobody has described yet, waits."""
        found = explain(self._memory, self._owner, command.function, command.data)
        self._context |= found.context
        self._missing |= dict.fromkeys(found.missing)
        time_us = self._time_us()
        if found.unknown and time_us is not None and self._datagram.classifier in {REPLY, NOTIFY, WRITE}:
            said = {
                "event": self._frame.event_id,
                "time_us": time_us,
                "classifier": self._datagram.classifier,
                "owner": self._owner_end,
                **ends,
            }
            size = len(self._frame.raw)
            self._memory.wait(Waiting(self._owner, command.function, found.unknown, said, size, command.filters))

    def _explained_late(self) -> list[dict[str, Any]]:
        """What was said before and is explained only now, as the parts of the payloads it would have been."""
        told: list[dict[str, Any]] = []
        now_us = self._time_us()
        for waiting in self._memory.waiting_for(self._owner.device):
            found = explain(self._memory, waiting.owner, waiting.function, waiting.data)
            is_old = now_us is not None and now_us - waiting.said["time_us"] > _LATE_US
            if is_old or not found.known:
                continue
            self._memory.told(waiting, found.unknown)
            command = _command_json(Command(waiting.function, found.known, waiting.filters))
            told.append({**waiting.said, "commands": [command], "context": found.context})
        return told

    def _find_call(self) -> None:
        """The write that a result answers."""
        datagram = self._datagram
        write = self._memory.answered(datagram.destination.device, datagram.reference)
        if write is None:
            self._missing[f"call {datagram.reference if datagram.reference is not None else 'without number'}"] = None
            return
        self._context["call"] = {
            **_command_json(write.command),
            "context": self._context_of(write),
            "owner": self._end(write.owner, datagram.destination),
            "time_us": write.time_us,
            "event": write.event,
        }

    def _context_of(self, write: OpenWrite) -> dict[str, Any]:
        """What explains a write: what was known when it was written, and what was described since."""
        since = explain(self._memory, write.owner, write.command.function, write.command.data).context
        return since | {group: {**since.get(group, {}), **known} for group, known in write.context.items()}


def _owner_end(datagram: Datagram) -> str:
    """Whose data a datagram is about: a reply or notification comes from the owner, a read or write goes to it."""
    if datagram.classifier in {REPLY, NOTIFY}:
        return SOURCE
    return "" if datagram.classifier == RESULT else DESTINATION


def _command_json(command: Command) -> dict[str, Any]:
    found: dict[str, Any] = {"function": command.function, "data": command.data}
    return found | {"filters": command.filters} if command.filters else found


def _stamps(command: Command) -> list[str]:
    """The time stamps that the data of a function read here gives."""
    data = command.data
    if command.function == "measurementListData":
        return [item["timestamp"] for item in data.get("measurementData", []) if "timestamp" in item]
    if command.function in {"deviceDiagnosisHeartbeatData", "deviceDiagnosisStateData"} and "timestamp" in data:
        return [data["timestamp"]]
    return []
