"""What a gateway's HAN list says: who is behind a metering point, which contracts are evaluated, where registers began.

Metering point, gateway and registers are told as TAF 7 tells them (:mod:`twin.observe.taf7`); the value at which a
register began has no status, so it is preliminary. A contract is told of its metering point, where there is one, else
of the gateway, and holds since it began: ``taf7`` is its name, ``taf7/supplier`` who supplies under it. A billing
period holds since its own beginning.
"""

from typing import Any

from schemas.devices import device_name
from schemas.event import Event
from schemas.facts import Facts, Observation, Scalar
from schemas.time import format_time
from twin.observe import taf7


def observe(event: Event, facts: Facts) -> None:
    """Append what the list says; contracts without a beginning hold since the event, if that has a time."""
    payload = event.payload
    taf7.observe(event, facts)
    gateway = payload["gateway"]
    for contract in payload["contracts"]:
        time_us = contract["begin_us"] if contract["begin_us"] is not None else event.time_us
        if time_us is not None:
            _tell(contract, _actor(contract, payload), time_us, facts)
    if gateway["id"] and gateway["firmware"] and event.time_us is not None and not payload["usage_points"]:
        told = Observation(f"smgw:{gateway['id']}", "firmware", gateway["firmware"], "", event.time_us)
        facts.observations.append(told)


def _actor(contract: dict[str, Any], payload: dict[str, Any]) -> str:
    """The metering point of a contract: its own, else the one whose meters it names, else the gateway."""
    if contract["melo"]:
        return f"melo:{contract['melo']}"
    meters = set(contract["meters"])
    for point in payload["usage_points"]:
        if point["melo"] and meters & {register["device"] for register in point["registers"]}:
            return f"melo:{point['melo']}"
    return f"smgw:{payload['gateway']['id']}"


def _tell(contract: dict[str, Any], actor: str, time_us: int, facts: Facts) -> None:
    name = f"taf{contract['taf']}"
    said: list[tuple[str, Scalar, int]] = [
        (name, contract["name"] or name, time_us),
        (f"{name}/supplier", contract["supplier"], time_us),
        (f"{name}/consumer", contract["consumer"], time_us),
        (f"{name}/meters", " ".join(sorted(map(device_name, contract["meters"]))) or None, time_us),
        (f"{name}/end", _day(contract["end_us"]), time_us),
    ]
    for begin_us, end_us in contract["billing"]:
        said.append((f"{name}/billing_begin", _day(begin_us), begin_us))
        said.append((f"{name}/billing_end", _day(end_us), begin_us))
    facts.observations += [
        Observation(actor, what, value, "", at_us) for what, value, at_us in said if value is not None
    ]


def _day(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(time_us)
