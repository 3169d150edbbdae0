"""How messages of one charging session, or one site, are tied together: a table of what names what in which message.

A message belongs to a conversation when its actor, or what one of these rules finds in it, belongs to it. The table is
data (:data:`TIES`); ``docs/twins.md`` prints it.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.devices import device_name, vehicle_name
from schemas.event import Event
from schemas.facts import Facts, Scalar
from schemas.time import SLOT_US, parse_time

TRANSACTION: Final = "transaction"
"""Kind of the name of a transaction between a station and its backend."""


class Tie(NamedTuple):
    """In events of these types (``*``: any text) a path in the payload, through lists, leads to a name of this kind.

    No kind: what is there is the whole name of an actor, ``evse:...``.
    """

    types: str
    path: str
    kind: str
    meaning: str


_SPELLING: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType({"meter": device_name, "bev": vehicle_name})
"""Kinds whose names are written in several ways, and how they are written here."""

TIES: Final = (
    Tie("ocpp.*", "body.transactionInfo.transactionId", TRANSACTION, "transaction of OCPP 2.x"),
    Tie("ocpp.*", "body.transactionId", TRANSACTION, "transaction of 1.6, and of meter values"),
    Tie("ocpp.*", "call.request.chargingProfile.transactionId", TRANSACTION, "transaction a profile is for"),
    Tie("ocpp.*", "body.chargingProfile.transactionId", TRANSACTION, "transaction a profile is for"),
    Tie("ocpp.*", "body.idToken.idToken", "contract", "token of OCPP 2.x, an EMAID or a card"),
    Tie("ocpp.*", "body.idTag", "contract", "token of 1.6"),
    Tie("eebus.*", "source.actor", "", "who speaks"),
    Tie("eebus.*", "destination.actor", "", "who is spoken to"),
    Tie("eebus.*", "commands.data.identificationData.identificationValue", "bev", "vehicle that is plugged in"),
    Tie("iso15118.*", "session.evcc", "bev", "vehicle (EVCC id)"),
    Tie("iso15118.*", "session.evse", "evse", "EVSE"),
    Tie("iso15118.*", "session.emaid", "contract", "contract of the vehicle"),
    Tie("ocpi.*", "object.evse_uid", "evse", "EVSE, as its operator names it"),
    Tie("ocpi.*", "object.cdr_location.evse_id", "evse", "EVSE, by its public name"),
    Tie("ocpi.*", "object.cdr_token.contract_id", "contract", "contract the session is billed to"),
    Tie("taf7.*", "usage_points.melo", "melo", "metering location"),
    Tie("taf7.*", "usage_points.registers.device", "meter", "meter"),
    Tie("han_json.*", "usage_points.melo", "melo", "metering location"),
    Tie("han_json.*", "usage_points.registers.device", "meter", "meter"),
    Tie("mscons.*", "locations.id", "melo", "metering location"),
    Tie("mscons.*", "locations.id", "malo", "market location"),
    Tie("mscons.*", "locations.device", "meter", "meter"),
    Tie("control.*", "smgw", "smgw", "gateway the tunnel goes through"),
    Tie("master_data.*", "melo", "melo", "metering location"),
)


class Part(Enum):
    """When messages about a kind of actors of a site belong to a session at it."""

    DURING = "from plugging in to plugging out"
    AFTER = "from plugging in on: documents come when it is over; not those that tell of another time alone"


PARTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        **dict.fromkeys(("evse", "bev", "hems", "asset", "meter", "control-box", "sr", "nelo"), Part.DURING),
        **dict.fromkeys(("smgw", "melo", "malo", "session", "msb"), Part.AFTER),
    }
)
"""By kind of actor. A message that names the session itself belongs to it whenever it comes."""


class Change(NamedTuple):
    """An attribute of an actor before and after a message; ``before`` is None where nothing was known."""

    actor: str
    attribute: str
    before: Scalar
    after: Scalar
    unit: str


def names_in(event: Event) -> set[str]:
    """What a message is about: its actor, and every name that a rule finds in it, with its kind.

    >>> token = {"body": {"idTag": "DEGGSC00000000"}}
    >>> sorted(names_in(Event("", "4", "", "ocpp.1.6.Authorize", "evse:A", 0, 0, token, b"", {})))
    ['contract:DEGGSC00000000', 'evse:A']
    """
    found = {event.actor}
    for path, kind in _rules_of(event.type):
        for value in _at(event.payload, path):
            if isinstance(value, (str, int)) and value != "" and not isinstance(value, bool):
                name = _SPELLING.get(kind, str)(str(value))
                found.add(f"{kind}:{name}" if kind else name)
    return found


def time_told(event: Event, facts: Facts) -> tuple[int, int] | None:
    """From when to when a document tells: of a charging session, or in a series of readings or quarter hours.

    None: of no time, or of a moment, such as the reading of a month's end.
    """
    told = {seen.attribute: seen.value for seen in facts.observations if seen.actor == event.actor}
    if event.actor.startswith("session:") and (start := told.get("start")):
        start_us = parse_time(str(start))
        end = told.get("end")
        return start_us, max(start_us, (event.time_us or start_us) if end is None else parse_time(str(end)))
    times = {reading.time_us for reading in facts.readings}
    times |= {value.slot_us + end_us for value in facts.slot_values for end_us in (0, SLOT_US)}
    return (min(times), max(times)) if len(times) > 1 else None


class Telling:
    """Tells what messages change, one after the other; ``known`` are values by actor and attribute before the first."""

    def __init__(self, known: Mapping[tuple[str, str], tuple[int, str, Scalar]]) -> None:
        self._known = dict(known)

    def changes(self, event_id: str, facts: Facts, members: frozenset[str]) -> list[Change]:
        """What a message changes of the members: by the twin's own rule, so one that comes late may change nothing."""
        found = []
        for seen in facts.observations:
            key = (seen.actor, seen.attribute)
            old = self._known.get(key)
            if seen.actor not in members or (old is not None and (seen.time_us, event_id) < old[:2]):
                continue
            self._known[key] = (seen.time_us, event_id, seen.value)
            if old is None or old[2] != seen.value:
                found.append(Change(*key, None if old is None else old[2], seen.value, seen.unit))
        return found


@lru_cache(maxsize=4096)
def _rules_of(event_type: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    return tuple((tuple(tie.path.split(".")), tie.kind) for tie in TIES if fnmatchcase(event_type, tie.types))


def _at(part: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What lies at a path, in every element of the lists on its way."""
    if isinstance(part, list):
        for element in part:
            yield from _at(element, path)
    elif not path:
        yield part
    elif isinstance(part, dict) and path[0] in part:
        yield from _at(part[path[0]], path[1:])
