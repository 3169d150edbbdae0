"""What a connection has described so far: measurements, limits, keys, devices, identities, open writes.

A measurement is a number and an id; what it measures was said once, in another message. Everything that explains a
message is written into it, with the ids of the events it came from. What is remembered is bounded: the oldest is
forgotten first.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.wire.contract import Conversation
from schemas.wire.eebus.datagram import NOTIFY, REPLY, WRITE, Address, Command, is_partial
from schemas.wire.eebus.tariffs import described_incentives, explain, scope_of

DESCRIPTIONS: Final = 50_000
OPEN_WRITES: Final = 1_000
WAITING_LIMIT_BYTES: Final = 256 * 1024
"""Of messages that nobody has described yet, on one connection."""

_TYPES_LIMIT: Final = 100
"""Types of entities and actors of use cases kept for a device."""

_EVENTS_LIMIT: Final = 10
"""Events kept of a description that is told in parts."""

_MEMORY: Final = "eebus"
_REMOVED: Final = "removed"

_EXPLAINING: Final = frozenset(
    {
        "acConnectedPhases",
        "acMeasuredInReferenceTo",
        "acMeasuredPhases",
        "acMeasurementType",
        "electricalConnectionId",
        "keyName",
        "limitCategory",
        "limitDirection",
        "limitType",
        "measurementId",
        "measurementType",
        "positiveEnergyDirection",
        "powerSupplyType",
        "scopeType",
        "timeSeriesType",
        "unit",
        "valueType",
    }
)
"""Fields of descriptions that explain; labels and hints are left where they are."""


class Known(NamedTuple):
    """What was said, and the ids of the events that said so, the latest last."""

    said: dict[str, Any]
    events: tuple[str, ...]

    @property
    def event(self) -> str:
        """The event that said so last."""
        return self.events[-1]


class OpenWrite(NamedTuple):
    """A write or call that waits for its result: its event and time, its command, and what explains it."""

    event: str
    time_us: int | None
    owner: Address
    command: Command
    context: dict[str, Any]


class Waiting(NamedTuple):
    """Items of a message that nobody has described yet.

    ``said`` is what a payload would hold beside them and their context; ``size`` the bytes of the message.
    """

    owner: Address
    function: str
    data: dict[str, Any]
    said: dict[str, Any]
    size: int
    filters: list[Any]


@dataclass(slots=True)
class Descriptions:
    """The memory of a connection."""

    _known: OrderedDict[tuple[Any, ...], Known] = field(default_factory=OrderedDict)
    _open: OrderedDict[Hashable, OpenWrite] = field(default_factory=OrderedDict)
    _waiting: OrderedDict[tuple[str, str], Waiting] = field(default_factory=OrderedDict)
    _waiting_bytes: int = 0
    _has_learnt: bool = False
    _is_partial: bool = False
    """Whether what is learnt now tells only what has changed."""

    def learn(self, command: Command, classifier: str, owner: Address, event: str) -> None:
        """Remember what a reply or notification of the owner describes, or what a write describes to it."""
        learn = _LEARN.get(command.function)
        if learn is not None and (classifier in {REPLY, NOTIFY} or (learn is _learn_tariffs and classifier == WRITE)):
            self._is_partial = is_partial(command.filters)
            learn(self, command.data, owner, event)
            self._is_partial = False
            self._has_learnt = True

    def wait(self, waiting: Waiting) -> None:
        """Remember what is to be explained later."""
        key = (waiting.said["event"], waiting.function)
        if key not in self._waiting:
            self._waiting_bytes += waiting.size
        self._waiting[key] = waiting
        while self._waiting_bytes > WAITING_LIMIT_BYTES:
            self._waiting_bytes -= self._waiting.popitem(last=False)[1].size

    def waiting_for(self, device: str) -> list[Waiting]:
        """What waits for descriptions of a device, where something was learnt since this was asked last."""
        has_learnt, self._has_learnt = self._has_learnt, False
        return [one for one in self._waiting.values() if one.owner.device == device] if has_learnt else []

    def told(self, waiting: Waiting, unknown: dict[str, Any]) -> None:
        """Some of what waited is explained, and the rest waits on."""
        key = (waiting.said["event"], waiting.function)
        if unknown:
            self._waiting[key] = waiting._replace(data=unknown)
        else:
            self._waiting_bytes -= self._waiting.pop(key).size

    def keep(self, key: tuple[Any, ...], said: dict[str, Any], event: str) -> None:
        """Remember what was said last of something; of a part that changed, the rest holds on."""
        before = self._known.get(key) if self._is_partial else None
        if before is None:
            self._known[key] = Known(said, (event,))
        else:
            events = dict.fromkeys([*before.events, event])
            self._known[key] = Known(before.said | said, tuple(events)[-_EVENTS_LIMIT:])
        self._known.move_to_end(key)
        if len(self._known) > DESCRIPTIONS:
            self._known.popitem(last=False)

    def known(self, *key: Hashable) -> Known | None:
        """What was said last of something."""
        return self._known.get(key)

    def forget(self, device: str, entities: set[tuple[int, ...]]) -> None:
        """Forget entities that have left, for example a vehicle."""
        gone = [key for key in self._known if len(key) > 2 and key[1] == device and key[2] in entities]
        for key in gone:
            del self._known[key]
        for waiting in list(self._waiting.values()):
            if waiting.owner.device == device and waiting.owner.entity in entities:
                self.told(waiting, {})

    def opened(self, sender: str, counter: int, write: OpenWrite) -> None:
        """Remember a write until its result comes."""
        self._open[sender, counter] = write
        self._open.move_to_end((sender, counter))
        if len(self._open) > OPEN_WRITES:
            self._open.popitem(last=False)

    def answered(self, sender: str, reference: int | None) -> OpenWrite | None:
        """The write of this sender that a result refers to; the same again when the result comes twice."""
        return self._open.get((sender, reference))

    # What explains an item, in one object with the ids of the events ("events") it was taken from.

    def measurement(self, owner: Address, measurement_id: int) -> dict[str, Any] | None:
        """What a measurement measures: its description, the phases, which direction counts positive."""
        found = self.known("measurement", owner.device, owner.entity, owner.feature, measurement_id)
        return None if found is None else _joined(found, *self._connection(owner, measurement_id))

    def limit(self, owner: Address, limit_id: int) -> dict[str, Any] | None:
        """What a limit limits."""
        found = self.known("limit", owner.device, owner.entity, owner.feature, limit_id)
        if found is None:
            return None
        measured = found.said.get("measurementId")
        return _joined(found, *(self._connection(owner, measured) if measured is not None else ()))

    def key(self, owner: Address, key_id: int) -> dict[str, Any] | None:
        """What a key of the device configuration stands for."""
        found = self.known("key", owner.device, owner.entity, owner.feature, key_id)
        return None if found is None else _joined(found)

    def parameter(self, owner: Address, connection_id: int, parameter_id: int) -> dict[str, Any] | None:
        """What a parameter of an electrical connection is, with the measurement it belongs to."""
        found = self.known("parameter", owner.device, owner.entity, connection_id, parameter_id)
        if found is None:
            return None
        measured = self.known("measured", owner.device, owner.entity, found.said.get("measurementId"))
        connection = self.known("connection", owner.device, owner.entity, connection_id)
        return _joined(found, *(other for other in (measured, connection) if other is not None))

    def series(self, owner: Address, series_id: int) -> dict[str, Any] | None:
        """What a time series is about."""
        found = self.known("series", owner.device, owner.entity, owner.feature, series_id)
        return None if found is None else _joined(found)

    def tariff(self, owner: Address, table: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """What explains the incentives of a table, empty where nothing does, and what is missing for it."""
        place = (owner.device, owner.entity, owner.feature, table["tariff"]["tariffId"])
        scope, described = self.known("tariff", *place), self.known("incentives", *place)
        known = [part for part in (scope, described) if part is not None]
        if not known:
            return {}, [f"tariff {place[-1]}"]
        found, missing = explain(table, scope.said if scope else {}, described.said if described else {})
        events = list(dict.fromkeys(event for part in known for event in part.events))
        return {"incentives": found, "events": events} if found else {}, missing

    def _connection(self, owner: Address, measurement_id: int) -> list[Known]:
        """Parameter and electrical connection that a measurement belongs to, as far as they are known."""
        parameter = self.known("parameter of", owner.device, owner.entity, measurement_id)
        if parameter is None:
            return []
        number = parameter.said["electricalConnectionId"]
        connection = self.known("connection", owner.device, owner.entity, number)
        return [parameter] if connection is None else [parameter, connection]


def descriptions_of(conversation: Conversation) -> Descriptions:
    """The memory of a conversation."""
    found: Descriptions = conversation.memory.setdefault(_MEMORY, Descriptions())
    return found


def _joined(*parts: Known) -> dict[str, Any]:
    """The explaining fields of several descriptions, those of the first before those of the next."""
    joined: dict[str, Any] = {}
    for part in reversed(parts):
        joined |= {name: value for name, value in part.said.items() if name in _EXPLAINING}
    joined["events"] = list(dict.fromkeys(event for part in parts for event in part.events))
    return joined


def _learn_measurements(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    for item in data.get("measurementDescriptionData", []):
        place = (owner.device, owner.entity)
        memory.keep(("measurement", *place, owner.feature, item["measurementId"]), item, event)
        memory.keep(("measured", *place, item["measurementId"]), item, event)


def _learn_connections(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    for item in data.get("electricalConnectionDescriptionData", []):
        memory.keep(("connection", owner.device, owner.entity, item["electricalConnectionId"]), item, event)


def _learn_parameters(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    for item in data.get("electricalConnectionParameterDescriptionData", []):
        place = (owner.device, owner.entity)
        memory.keep(("parameter", *place, item["electricalConnectionId"], item["parameterId"]), item, event)
        if "measurementId" in item:
            memory.keep(("parameter of", *place, item["measurementId"]), item, event)


def _learn_limits(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    for item in data.get("loadControlLimitDescriptionData", []):
        memory.keep(("limit", owner.device, owner.entity, owner.feature, item["limitId"]), item, event)


def _learn_keys(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    for item in data.get("deviceConfigurationKeyValueDescriptionData", []):
        memory.keep(("key", owner.device, owner.entity, owner.feature, item["keyId"]), item, event)


def _learn_series(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    for item in data.get("timeSeriesDescriptionData", []):
        memory.keep(("series", owner.device, owner.entity, owner.feature, item["timeSeriesId"]), item, event)


def _learn_tariffs(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    """Scope and incentives are kept apart: who owns a table often says the one, who writes it the other."""
    for item in data.get("incentiveTableDescription", []):
        place = (owner.device, owner.entity, owner.feature, item["tariffDescription"]["tariffId"])
        for group, said in (("tariff", scope_of(item)), ("incentives", described_incentives(item))):
            if said:
                memory.keep((group, *place), said, event)


def _learn_identity(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    for item in data.get("identificationData", []):
        if item.get("identificationValue"):
            memory.keep(("identity", owner.device, owner.entity), item, event)


def _learn_devices(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    """Discovery: what the device is, and which of its entities have left."""
    kind = data.get("deviceInformation", {}).get("description", {}).get("deviceType")
    entities = [item["description"] for item in data.get("entityInformation", []) if "description" in item]
    types = {item["entityType"] for item in entities if "entityType" in item}
    _describe(memory, owner.device, event, {"deviceType": kind, "entityTypes": sorted(types)})
    left = {
        tuple(item.get("entityAddress", {}).get("entity", []))
        for item in entities
        if item.get("lastStateChange") == _REMOVED
    }
    if left:
        memory.forget(owner.device, left)


def _learn_use_cases(memory: Descriptions, data: dict[str, Any], owner: Address, event: str) -> None:
    actors = {item["actor"] for item in data.get("useCaseInformation", []) if "actor" in item}
    _describe(memory, owner.device, event, {"actors": sorted(actors)})


def _describe(memory: Descriptions, device: str, event: str, said: dict[str, Any]) -> None:
    """What says of a device what it is, is kept; a notice of a change lists only what changed."""
    before = memory.known("device", device)
    known = before.said if before else {}
    merged = known | {name: value for name, value in said.items() if value}
    for name in ("entityTypes", "actors"):
        merged[name] = sorted({*known.get(name, ()), *merged.get(name, ())})[:_TYPES_LIMIT]
    if device and merged != known:
        memory.keep(("device", device), merged, event)


_LEARN: Final = {
    "measurementDescriptionListData": _learn_measurements,
    "electricalConnectionDescriptionListData": _learn_connections,
    "electricalConnectionParameterDescriptionListData": _learn_parameters,
    "loadControlLimitDescriptionListData": _learn_limits,
    "deviceConfigurationKeyValueDescriptionListData": _learn_keys,
    "timeSeriesDescriptionListData": _learn_series,
    "incentiveTableDescriptionData": _learn_tariffs,
    "identificationListData": _learn_identity,
    "nodeManagementDetailedDiscoveryData": _learn_devices,
    "nodeManagementUseCaseData": _learn_use_cases,
}
