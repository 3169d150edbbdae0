"""How observers say things: an observation for each field that is there."""

from typing import Any

from schemas.devices import vehicle_name
from schemas.event import Event
from schemas.facts import Facts, Observation, Reject, Scalar
from schemas.identifiers import parse_emaid
from schemas.wire import instants
from schemas.wire.contract import BadIdentifier
from twin.amounts import number


def fields(body: dict[str, Any], named: dict[str, str], actor: str, time_us: int, facts: Facts) -> None:
    """An observation for each of the named fields that the body has, as sent."""
    for field, attribute in named.items():
        value = body.get(field)
        if value is not None:
            facts.observations.append(Observation(actor, attribute, value, "", time_us))


def quantities(body: dict[str, Any], named: dict[str, tuple[str, str]], actor: str, time_us: int, facts: Facts) -> None:
    """An observation for each of the named numbers that the body has; names are (attribute, unit)."""
    for field, (attribute, unit) in named.items():
        amount = number(body.get(field))
        if amount is not None:
            facts.observations.append(Observation(actor, attribute, amount, unit, time_us))


def one(facts: Facts, actor: str, attribute: str, value: Scalar, time_us: int) -> None:
    """One observation of a text or flag."""
    facts.observations.append(Observation(actor, attribute, value, "", time_us))


def id_token(token: dict[str, Any], actor: str, time_us: int, facts: Facts) -> None:
    """The token of OCPP 2.x a person or car showed, as sent; one that calls itself an EMAID must be one.

    A wrong one is set aside with its reason and the rest of the message counts: it may carry meter values. A car that
    shows the address of its communication controller says which car it is.
    """
    text, kind = token["idToken"], token.get("type")
    one(facts, actor, "id_token", text, time_us)
    if kind == "MacAddress" and "/" in actor:
        vehicle = vehicle_name(text)
        one(facts, actor, "ev_id", vehicle, time_us)
        one(facts, f"bev:{vehicle}", "evse", actor.removeprefix("evse:"), time_us)
    elif kind == "eMAID":
        try:
            parse_emaid(text)
        except BadIdentifier as problem:
            facts.rejects.append(Reject(problem.reason, f"{actor}: {problem.detail}"))


def station_of(event: Event) -> str:
    """The actor of the whole station, whatever EVSE the event is about."""
    return f"evse:{event.payload['station']}"


def instant(stamp: str | None) -> int | None:
    """The instant of a time stamp inside a body; None where there is none, or none that can be counted."""
    try:
        return instants.instant(stamp) if stamp else None
    except ValueError:
        return None
