"""The two JSON forms of SPINE, and the SHIP message around them.

On the wire (SHIP 1.0.1, clause 11, rules from XML to JSON) a sequence of elements is an array of objects with one
member each, so that their order is kept; a repeated element is an array of its values::

    [{"measurementId": 1}, {"value": [{"number": 5}]}]          {"measurementId": 1, "value": {"number": 5}}
    {"entity": [1, 1]}                                          {"entity": [1, 1]}
    {"partial": []}                                             {"partial": {}}

The normalised form, at the right, is what stacks log and what is worked with here. Both are told apart by structure:
an array of objects is a sequence, an array of anything else is a list, and what is a list stays one when it is empty.
An element whose value is null, as some stacks write what they leave out, is not there.
"""

from typing import Any, Final

from schemas.wire.contract import BadSyntax, SchemaViolation

_LISTS: Final = frozenset(
    {
        "activeTierId",
        "boundary",
        "boundaryDescription",
        "cmd",
        "entity",
        "entityInformation",
        "featureInformation",
        "filter",
        "incentive",
        "incentiveDescription",
        "incentiveSlot",
        "incentiveTable",
        "incentiveTableConstraints",
        "incentiveTableDescription",
        "permittedValueSet",
        "scenarioSupport",
        "supportedFunction",
        "timeSeriesSlot",
        "useCaseInformation",
        "useCaseSupport",
    }
)
"""Elements that may be repeated, beside the ``<x>Data`` of every ``<x>ListData``."""

_LIST_DATA: Final = "ListData"

SHIP_MESSAGES: Final = frozenset(
    {
        "accessMethods",
        "accessMethodsRequest",
        "connectionClose",
        "connectionHello",
        "connectionPinError",
        "connectionPinInput",
        "connectionPinState",
        "messageProtocolHandshake",
        "messageProtocolHandshakeError",
    }
)
"""Messages of SHIP itself (SHIP 1.0.1, clause 13.4): they open, guard and close a connection."""


def normalised(value: Any, *, wire: bool = True) -> Any:
    """A value of the wire in the normalised form; of one that is normalised already, lists are made whole.

    Raises:
        BadSyntax: an array of the wire mixes objects with other values.
        SchemaViolation: an element is there twice.

    >>> normalised([{"entity": [1, 1]}, {"value": [{"number": 5}]}, {"partial": []}])
    {'entity': [1, 1], 'value': {'number': 5}, 'partial': {}}
    """
    return (_from_wire if wire else _made_whole)("", "", value)


def on_the_wire(value: Any) -> Any:
    """A normalised value in the form of the wire.

    >>> on_the_wire({"cmd": [{"partial": {}, "x": 1}]})
    [{'cmd': [[{'partial': []}, {'x': 1}]]}]
    """
    if isinstance(value, dict):
        return [{name: on_the_wire(part)} for name, part in value.items()]
    if isinstance(value, list):
        return [on_the_wire(part) for part in value]
    return value


def datagram_of(message: Any) -> tuple[dict[str, Any], str]:
    """The datagram in a message, normalised, and the form it had: ``wire`` or ``normalised``.

    The message is a datagram, or a SHIP data message with one in it.

    Raises:
        BadSyntax: it is neither.
    """
    parts = members(message)
    if "data" in parts:
        payload = members(parts["data"]).get("payload")
        parts = members(payload) if isinstance(payload, list | dict) else {}
    held = parts.get("datagram")
    if not isinstance(held, list | dict):
        raise BadSyntax("neither a SPINE datagram nor a SHIP message with one")
    is_wire = isinstance(held, list)
    datagram = normalised(held, wire=is_wire)
    if not isinstance(datagram, dict):
        raise BadSyntax("a datagram is an object, or an array of objects with one member each")
    return datagram, "wire" if is_wire else "normalised"


def members(value: Any) -> dict[str, Any]:
    """The members of a sequence in either form, their values untouched; none where it is no sequence."""
    if isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for part in value if isinstance(value, list) else []:
        if isinstance(part, dict):
            found.update(part)
    return found


def _is_list(name: str, parent: str) -> bool:
    return name in _LISTS or (parent.endswith(_LIST_DATA) and name == f"{parent.removesuffix(_LIST_DATA)}Data")


def _made_whole(name: str, parent: str, value: Any) -> Any:
    """A normalised value; where a list has one element only, some stacks leave its brackets away."""
    if isinstance(value, list):
        return [_made_whole("", "", part) for part in value]
    if isinstance(value, dict):
        value = {key: _made_whole(key, name, part) for key, part in value.items() if part is not None}
    return [value] if _is_list(name, parent) else value


def _from_wire(name: str, parent: str, value: Any) -> Any:
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return [value] if _is_list(name, parent) else value
    if not value:
        return [] if _is_list(name, parent) else {}
    objects = sum(isinstance(part, dict) for part in value)
    if objects == 0 or (objects == len(value) and _repeats(value)):
        return [_element(name, part) for part in value]
    if objects < len(value):
        raise BadSyntax(f"the array {name[:60]!r} mixes objects with other values")
    sequence = _sequence(name, value)
    return [sequence] if _is_list(name, parent) else sequence


def _element(name: str, value: Any) -> Any:
    """An element of a list: a sequence, or a simple value."""
    if isinstance(value, dict):
        return _sequence(name, [value])
    if isinstance(value, list) and all(isinstance(part, dict) for part in value):
        return _sequence(name, value)
    return _from_wire("", "", value)


def _sequence(name: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if key in found:
                raise SchemaViolation(f"the element {key[:60]!r} is there twice")
            if value is not None:
                found[key] = _from_wire(key, name, value)
    return found


def _repeats(parts: list[dict[str, Any]]) -> bool:
    """Whether objects hold a member twice: then they are no sequence but a list of objects, as some stacks write it."""
    seen: set[str] = set()
    for part in parts:
        if not seen.isdisjoint(part):
            return True
        seen.update(part)
    return False
