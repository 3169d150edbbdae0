"""What messages of OCPP-J say. Actors are ``evse:<station>`` and ``evse:<station>/<EVSE>``; power is import positive.

A message whose place is not known (``context_missing``) says nothing until a replay fills its context in.
"""

from collections.abc import Callable
from typing import Final

from schemas.event import Event
from schemas.facts import Facts, Reject
from twin.observe import ocmf
from twin.observe.ocpp import answers, profiles, station, transactions, vehicle

_ByAction = dict[str, Callable[[Event, Facts], None]]

_CALLS: Final[_ByAction] = {**station.CALLS, **transactions.CALLS, **vehicle.CALLS}
_RESULTS: Final[_ByAction] = {**answers.RESULTS, **profiles.RESULTS}
_CALL_KINDS: Final = {2, 6}
_RESULT_KIND: Final = 3


def observe(event: Event, facts: Facts) -> None:
    """Append to the facts what one message says; an event without a time says nothing timed."""
    payload = event.payload
    kind = payload.get("rpc")
    if kind is None:
        profiles.lone_profile(event, facts)
        return
    if "context_missing" in payload:
        return
    if kind in _CALL_KINDS:
        observer = _CALLS.get(payload["action"])
    else:
        observer = _RESULTS.get(payload["action"]) if kind == _RESULT_KIND else None
    if observer is not None:
        observer(event, facts)
    for said in payload.get("signed", ()):
        if "error" in said:
            reason, detail = said["error"]["reason"], said["error"]["detail"]
            facts.rejects.append(Reject(reason, f"{event.actor}: signed value: {detail}"))
        else:
            ocmf.tell(said, event.actor, event.time_us, facts)
