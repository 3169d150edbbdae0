"""How observers say things: an observation for each field that is there."""

from typing import Any

from schemas.event import Event
from schemas.facts import Facts, Observation, Scalar
from schemas.wire.ocpp import instants
from twin.observe.ocpp.amounts import number


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


def station_of(event: Event) -> str:
    """The actor of the whole station, whatever EVSE the event is about."""
    return f"evse:{event.payload['station']}"


def instant(stamp: str | None) -> int | None:
    """The instant of a time stamp inside a body; None where there is none, or none that can be counted."""
    try:
        return instants.instant(stamp) if stamp else None
    except ValueError:
        return None
