"""What messages of EEBUS SPINE say. Power and current are import positive, whatever direction a device counts positive.

An observer sees one command of a datagram at a time. What is not explained (``context_missing``) says nothing; a
message that describes it later says it (``explains``), at the time at which it was said. Every attribute is listed in
:mod:`twin.actors.eebus`.
"""

from collections.abc import Callable
from typing import Any, Final

from schemas.event import Event
from schemas.facts import Facts
from twin.observe.eebus import configuration, connections, devices, incentives, limits, measurements, planning, results

_ByFunction = dict[str, Callable[[Event, dict[str, Any], Facts], None]]

_SAID: Final[_ByFunction] = {
    **configuration.SAID,
    **connections.SAID,
    **devices.SAID,
    **incentives.SAID,
    **limits.SAID,
    **measurements.SAID,
    **planning.SAID,
}
"""What the owner of the data says of it: replies and notifications."""

_WRITTEN: Final[_ByFunction] = {
    **limits.WRITTEN,
    **configuration.WRITTEN,
    **planning.WRITTEN,
    **incentives.WRITTEN,
}
"""What somebody asks the owner for."""


def observe(event: Event, facts: Facts) -> None:
    """Append to the facts what one message says, and what it explains of earlier ones; without a time, nothing."""
    payload = event.payload
    for earlier in payload.get("explains", ()):
        _observe(event._replace(time_us=earlier["time_us"], payload=earlier), facts)
    _observe(event, facts)


def _observe(event: Event, facts: Facts) -> None:
    payload = event.payload
    if event.time_us is None or "ship" in payload:
        return
    classifier = payload["classifier"]
    if classifier == "result":
        results.observe(event, facts)
        return
    observers = _SAID if classifier in {"reply", "notify"} else _WRITTEN if classifier == "write" else {}
    for command in payload["commands"]:
        observer = observers.get(command["function"])
        if observer is not None:
            observer(event, command["data"], facts)
