"""Results: what was written is in force when its owner accepts it (SPINE protocol 1.3.0, clause 5.2.5)."""

from typing import Any, Final

from schemas.event import Event
from schemas.facts import Facts
from twin.observe.eebus import incentives, planning
from twin.observe.eebus.configuration import settings_in
from twin.observe.eebus.limits import in_force, limits_in
from twin.observe.eebus.said import tell

ACCEPTED, REJECTED = "accepted", "rejected"

_ANSWERED: Final = {
    "timeSeriesListData": (planning.answered, "cevc_limit"),
    "incentiveTableData": (incentives.answered, "incentive_price"),
}
"""What tells that something written holds, by function, and whose answer it is."""


def observe(event: Event, facts: Facts) -> None:
    """A result; without the write it answers it says nothing."""
    call = event.payload["context"].get("call")
    if call is None or event.time_us is None:
        return
    for command in event.payload["commands"]:
        if command["function"] == "resultData":
            _on_result(event, call, int(command["data"]["errorNumber"]), facts)


def _on_result(event: Event, call: dict[str, Any], error: int, facts: Facts) -> None:
    time_us, owner = event.time_us, call["owner"]["actor"]
    assert time_us is not None
    if call["function"] == "loadControlLimitListData":
        limits = limits_in(call, call["context"], owner, call["time_us"], facts)
        for limit in limits:
            for actor in {owner: None, event.payload["destination"]["actor"]: None}:
                tell(facts, actor, f"{limit.attribute}_answer", ACCEPTED if error == 0 else REJECTED, "", time_us)
                tell(facts, actor, f"{limit.attribute}_error", error, "", time_us)
        if error == 0:
            in_force(limits, owner, time_us, facts)
    elif call["function"] in _ANSWERED:
        answered, name = _ANSWERED[call["function"]]
        if answered(event, call, facts, accepted=error == 0):
            tell(facts, owner, f"{name}_answer", ACCEPTED if error == 0 else REJECTED, "", time_us)
            tell(facts, owner, f"{name}_error", error, "", time_us)
    elif call["function"] == "deviceConfigurationKeyValueListData":
        for setting in settings_in(call["data"], call["context"], owner, facts):
            tell(facts, owner, f"{setting.attribute}_error", error, "", time_us)
            if error == 0:
                tell(facts, owner, setting.attribute, setting.value, setting.unit, time_us)
