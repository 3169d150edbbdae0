"""What the control pilot shows of an EVSE (IEC 61851-1:2017, annex A).

| attribute | unit | what it may be |
|---|---|---|
| ``pilot_state`` | | A, B, C, D, E, F |
| ``pilot_duty_cycle`` | % | 0 to 100 |
| ``pilot_current_limit`` | A | 0 to 80, per phase; nothing where digital communication tells the limit |
| ``pilot_voltage`` | V | -20 to 20, the pilot's upper level |
| ``ev_connected`` | | true or false; not said in states E and F |
| ``ev_ready`` | | true or false; likewise |
| ``digital_communication`` | | true or false: whether the duty cycle asks for it |
"""

from typing import Final

from schemas.event import Event
from schemas.facts import Facts, Observation, Scalar
from twin.amounts import number

_CONNECTED: Final = {"A": False, "B": True, "C": True, "D": True}
_READY: Final = {"A": False, "B": False, "C": True, "D": True}


def observe(event: Event, facts: Facts) -> None:
    """Append what one sample says; without the EVSE's name it says nothing."""
    payload, time_us = event.payload, event.time_us
    if time_us is None or not payload["evse"]:
        return
    state = payload["state"]
    said: list[tuple[str, Scalar, str]] = [("pilot_state", state, "")]
    if state in _CONNECTED:
        said += [("ev_connected", _CONNECTED[state], ""), ("ev_ready", _READY[state], "")]
    if "duty_cycle" in payload:
        limit = payload["current_limit"]
        said += [
            ("pilot_duty_cycle", number(payload["duty_cycle"]), "%"),
            ("pilot_current_limit", None if limit is None else number(limit), "A"),
            ("digital_communication", limit is None, ""),
        ]
    if "voltage" in payload:
        said.append(("pilot_voltage", number(payload["voltage"]), "V"))
    facts.observations += [Observation(event.actor, name, value, unit, time_us) for name, value, unit in said]
