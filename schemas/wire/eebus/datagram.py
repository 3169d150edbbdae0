"""A SPINE datagram: header, commands, and how one is written (SPINE protocol 1.3.0, clauses 5.2 and 5.3)."""

import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from schemas.event import json_default
from schemas.time import format_time
from schemas.wire.contract import BadSyntax, SchemaViolation, TooLarge
from schemas.wire.eebus.forms import on_the_wire
from schemas.wire.eebus.functions import check
from schemas.wire.eebus.moments import absolute_us

READ: Final = "read"
REPLY: Final = "reply"
NOTIFY: Final = "notify"
WRITE: Final = "write"
CALL: Final = "call"
RESULT: Final = "result"

CLASSIFIERS: Final = frozenset({READ, REPLY, NOTIFY, WRITE, CALL, RESULT})
SPECIFICATION_VERSION: Final = "1.3.0"

_COMMANDS_LIMIT: Final = 10
"""Commands in a datagram; stacks send one."""

_ENTITY_LIMIT: Final = 16
"""Levels of entities; devices have two or three."""

_DEVICE_LIMIT: Final = 256
_COUNTER_LIMIT: Final = 2**63
_BESIDE_DATA: Final = frozenset({"function", "filter", "manufacturerSpecificExtension", "lastUpdateAt"})
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,99}", re.ASCII)


class Address(NamedTuple):
    """Where a feature is: device ("" where it is not said), the path of its entity, the feature's number."""

    device: str
    entity: tuple[int, ...] = ()
    feature: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The address as a header holds it."""
        found: dict[str, Any] = {"device": self.device} if self.device else {}
        found["entity"] = list(self.entity)
        return found if self.feature is None else found | {"feature": self.feature}


class Command(NamedTuple):
    """A function and its data; ``filters`` say which part of the function is meant."""

    function: str
    data: dict[str, Any]
    filters: list[Any]


class Datagram(NamedTuple):
    """What a datagram holds; ``time_us`` is the header's own time, None without one."""

    source: Address
    destination: Address
    counter: int
    reference: int | None
    classifier: str
    time_us: int | None
    commands: list[Command]


def read_datagram(datagram: dict[str, Any]) -> Datagram:
    """The parts of a normalised datagram, checked.

    Raises:
        BadSyntax: header or payload is no sequence of elements.
        SchemaViolation: an element is missing, of the wrong type or out of range.
        TooLarge: more commands or levels of entities than are read.
    """
    header, payload = datagram.get("header"), datagram.get("payload")
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise BadSyntax("a datagram has a header and a payload")
    classifier = header.get("cmdClassifier")
    if not isinstance(classifier, str) or classifier not in CLASSIFIERS:
        raise SchemaViolation(f"cmdClassifier {str(classifier)[:40]!r} is none of {', '.join(sorted(CLASSIFIERS))}")
    return Datagram(
        _address(header, "addressSource"),
        _address(header, "addressDestination"),
        _counter(header, "msgCounter"),
        _counter(header, "msgCounterReference") if "msgCounterReference" in header else None,
        classifier,
        _time_us(header),
        [_command(command) for command in _commands(payload)],
    )


def encode_datagram(datagram: Datagram, *, wire: bool = True, ship: bool = False) -> bytes:
    """The JSON text of a datagram: the wire's form or the normalised one, in a SHIP data message or alone."""
    header: dict[str, Any] = {
        "specificationVersion": SPECIFICATION_VERSION,
        "addressSource": datagram.source.as_json(),
        "addressDestination": datagram.destination.as_json(),
        "msgCounter": datagram.counter,
    }
    if datagram.reference is not None:
        header["msgCounterReference"] = datagram.reference
    header["cmdClassifier"] = datagram.classifier
    if datagram.classifier == WRITE:
        header["ackRequest"] = True
    if datagram.time_us is not None:
        header["timestamp"] = format_time(datagram.time_us)
    commands = [_command_json(command) for command in datagram.commands]
    body: dict[str, Any] = {"header": header, "payload": {"cmd": commands}}
    held: dict[str, Any] = {"datagram": on_the_wire(body) if wire else body}
    if ship:
        data = {"header": {"protocolId": "ee1.0"}}
        held = {"data": [*on_the_wire(data), {"payload": held}] if wire else {**data, "payload": held}}
    return orjson.dumps(held, default=json_default)


def scaled(value: int | Decimal) -> dict[str, int]:
    """A ``ScaledNumber`` of exactly this value.

    >>> scaled(4200), scaled(Decimal("6.25"))
    ({'number': 4200, 'scale': 0}, {'number': 625, 'scale': -2})
    """
    if isinstance(value, int):
        return {"number": value, "scale": 0}
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is no number")  # noqa: TRY004 -- a NaN is a Decimal of a wrong value
    number = int("".join(map(str, digits)))
    return {"number": -number if sign else number, "scale": exponent}


def _address(header: dict[str, Any], name: str) -> Address:
    found = header.get(name)
    if not isinstance(found, dict):
        raise SchemaViolation(f"the header has no {name}")
    device, entity, feature = found.get("device", ""), found.get("entity", []), found.get("feature")
    if not isinstance(device, str) or len(device) > _DEVICE_LIMIT:
        raise SchemaViolation(f"the device of {name} is text of at most {_DEVICE_LIMIT} characters")
    if not isinstance(entity, list) or not all(_is_number(part) for part in entity):
        raise SchemaViolation(f"the entity of {name} is a list of numbers")
    if len(entity) > _ENTITY_LIMIT:
        raise TooLarge(f"the entity of {name} has more than {_ENTITY_LIMIT} levels")
    if feature is not None and not _is_number(feature):
        raise SchemaViolation(f"the feature of {name} is a number")
    return Address(device, tuple(entity), feature)


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value < _COUNTER_LIMIT


def _counter(header: dict[str, Any], name: str) -> int:
    counter = header.get(name)
    if type(counter) is int and 0 <= counter < _COUNTER_LIMIT:
        return counter
    raise SchemaViolation(f"{name} is a whole number, not {str(counter)[:40]!r}")


def _time_us(header: dict[str, Any]) -> int | None:
    stamp = header.get("timestamp")
    if stamp is None:
        return None
    try:
        return absolute_us(stamp)
    except (TypeError, ValueError) as problem:
        raise SchemaViolation(f"the header's timestamp {str(stamp)[:40]!r} is none: {problem}") from None


def _commands(payload: dict[str, Any]) -> list[dict[str, Any]]:
    commands = payload.get("cmd")
    if not isinstance(commands, list) or not commands:
        raise SchemaViolation("the payload has no cmd")
    if len(commands) > _COMMANDS_LIMIT:
        raise TooLarge(f"{len(commands)} commands, a datagram has at most {_COMMANDS_LIMIT}")
    if not all(isinstance(command, dict) for command in commands):
        raise SchemaViolation("a cmd is a sequence of elements")
    return commands


def _command(command: dict[str, Any]) -> Command:
    """A command: the element beside function and filter is the data; a read may name its function only."""
    names = [name for name in command if name not in _BESIDE_DATA]
    function = command.get("function", names[0] if names else None)
    if not isinstance(function, str) or not _NAME.fullmatch(function):
        raise SchemaViolation(f"a cmd names no function of SPINE: {str(function)[:60]!r}")
    if any(name != function for name in names):
        raise SchemaViolation(f"a cmd of {function} holds {names[0][:60]!r}")
    data = command.get(function, {})
    if not isinstance(data, dict):
        raise SchemaViolation(f"the data of {function} is a sequence of elements")
    check(function, data)
    filters = command.get("filter", [])
    return Command(function, data, filters if isinstance(filters, list) else [filters])


def is_partial(filters: list[Any]) -> bool:
    """Whether a command tells only what has changed, and the rest holds on (cmdControl of SPINE protocol 1.3.0).

    >>> is_partial([{"cmdControl": {"partial": {}}}]), is_partial([])
    (True, False)
    """
    return any("partial" in _control(part) for part in filters)


def deletes(filters: list[Any], elements: str, name: str) -> bool:
    """Whether a command deletes an element before it tells the rest, of whatever items it selects.

    >>> deletes([{"cmdControl": {"delete": {}}, "xElements": {"timePeriod": {}}}], "xElements", "timePeriod")
    True
    """
    parts = [part for part in filters if "delete" in _control(part)]
    return any(isinstance(part.get(elements), dict) and name in part[elements] for part in parts)


def _control(part: Any) -> dict[str, Any]:
    control = part.get("cmdControl") if isinstance(part, dict) else None
    return control if isinstance(control, dict) else {}


def _command_json(command: Command) -> dict[str, Any]:
    beside: dict[str, Any] = {"function": command.function, "filter": command.filters} if command.filters else {}
    return beside | {command.function: command.data}
