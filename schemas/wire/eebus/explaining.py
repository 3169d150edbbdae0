"""What explains the items of a message: each is a number and an id, and its description says what it is.

What nobody has described yet waits, and is told by the message that describes it: a log may begin in the middle of a
connection, and descriptions may come after what they explain.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from schemas.wire.eebus.datagram import Address
from schemas.wire.eebus.descriptions import Descriptions

_PER_PHASE: Final = frozenset({"acCurrent", "acPower", "acVoltage", "overloadProtection", "selfConsumption"})
"""Scopes that mean one phase, which the electrical connection names."""


class _Explained(NamedTuple):
    """Of a function: where its items are, what names one, in which group of the context it is explained, and how."""

    items: str
    ids: tuple[str, ...]
    group: str
    what: str
    find: Callable[..., dict[str, Any] | None]


_EXPLAINED: Final = {
    "measurementListData": _Explained(
        "measurementData", ("measurementId",), "measurements", "measurement", Descriptions.measurement
    ),
    "loadControlLimitListData": _Explained("loadControlLimitData", ("limitId",), "limits", "limit", Descriptions.limit),
    "deviceConfigurationKeyValueListData": _Explained(
        "deviceConfigurationKeyValueData", ("keyId",), "keys", "key", Descriptions.key
    ),
    "timeSeriesListData": _Explained("timeSeriesData", ("timeSeriesId",), "series", "time series", Descriptions.series),
    "electricalConnectionPermittedValueSetListData": _Explained(
        "electricalConnectionPermittedValueSetData",
        ("electricalConnectionId", "parameterId"),
        "parameters",
        "parameter",
        Descriptions.parameter,
    ),
}
_TABLE, _TABLES = "incentiveTableData", "incentiveTable"
_OF_PHASES: Final = frozenset({"measurements", "limits"})
"""Groups whose items may be one phase's."""


class Explanation(NamedTuple):
    """What explains the data of a function, what is missing as phrases, and the items with and without all of it."""

    context: dict[str, Any]
    missing: list[str]
    known: dict[str, Any]
    unknown: dict[str, Any]


def explain(memory: Descriptions, owner: Address, function: str, data: dict[str, Any]) -> Explanation:
    """What a connection has said so far that explains this data of its owner."""
    name = _TABLES if function == _TABLE else _EXPLAINED[function].items if function in _EXPLAINED else ""
    context: dict[str, Any] = {}
    missing: dict[str, None] = {}
    known: list[Any] = []
    unknown: list[Any] = []
    for item in data.get(name, []):
        if function == _TABLE:
            lacking = _explain_table(memory, owner, item, context)
        else:
            lacking = _explain_item(memory, owner, _EXPLAINED[function], item, context)
        missing |= dict.fromkeys(lacking)
        (unknown if lacking else known).append(item)
    if function == "measurementListData":
        identity = memory.known("identity", owner.device, owner.entity)
        if identity is not None:
            context["vehicle"] = {"id": identity.said["identificationValue"], "event": identity.event}
    return Explanation(context, list(missing), {name: known} if known else {}, {name: unknown} if unknown else {})


def _explain_item(
    memory: Descriptions, owner: Address, explained: _Explained, item: dict[str, Any], context: dict[str, Any]
) -> list[str]:
    """Put what explains an item into the context; what is missing for it."""
    ids = tuple(item[name] for name in explained.ids)
    number = "/".join(map(str, ids))
    found = explained.find(memory, owner, *ids)
    if found is None:
        return [f"{explained.what} {number}"]
    context.setdefault(explained.group, {})[number] = found
    if explained.group in _OF_PHASES and found.get("scopeType") in _PER_PHASE and "acMeasuredPhases" not in found:
        return [f"phases of {explained.what} {number}"]
    return []


def _explain_table(memory: Descriptions, owner: Address, table: dict[str, Any], context: dict[str, Any]) -> list[str]:
    explained, missing = memory.tariff(owner, table)
    if explained:
        context.setdefault("tariffs", {})[f"{table['tariff']['tariffId']}"] = explained
    return missing
