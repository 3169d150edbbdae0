"""Where interfaces disagree about an attribute: who wins, who says otherwise, and from which messages both come.

What an interface says of an attribute is its latest observation, by the rule of the twin itself (latest event time,
ties by event id). So the order in which messages came does not matter, nor how often. The latest of all wins; whoever
says something else beyond the tolerance of the model, and not too long before, is a runner-up
(:class:`~twin.actors.model.Tolerance`).
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.interfaces import INTERFACES
from twin.actors import declared
from twin.actors.model import STATED, Tolerance
from twin.actors.relations import partners
from twin.amounts import number, size


class Claim(NamedTuple):
    """What one interface says of an attribute. ``actor`` may be another name of the same device."""

    actor: str
    attribute: str
    interface: str
    value: Any
    unit: str
    time_us: int
    event_id: str
    position: int

    @property
    def rank(self) -> tuple[int, str, int]:
        """Of two claims the greater one holds."""
        return self.time_us, self.event_id, -self.position


class Dispute(NamedTuple):
    """An attribute about which interfaces disagree; runners-up from the latest to the oldest."""

    winner: Claim
    runners_up: tuple[Claim, ...]


def disputes(claims: Iterable[Claim], names: Mapping[str, Collection[str]] = MappingProxyType({})) -> list[Dispute]:
    """The disputes among claims about one actor, by attribute.

    ``names`` are other names of actors that claims name: who says another name of the same device says nothing else.

    >>> by_ocpp = Claim("evse:A", "power", "4", 11000, "W", 5, "a", 1)
    >>> by_eebus = Claim("evse:A", "power", "3", 7000, "W", 4, "b", 2)
    >>> [(one.winner.interface, one.runners_up[0].value) for one in disputes([by_ocpp, by_eebus, by_eebus])]
    [('4', 7000)]
    """
    latest: dict[str, dict[tuple[str, str], Claim]] = {}
    for claim in claims:
        told = latest.setdefault(claim.attribute, {})
        old = told.get((claim.interface, claim.actor))
        if old is None or claim.rank > old.rank:
            told[claim.interface, claim.actor] = claim
    found = []
    for _, told in sorted(latest.items()):
        winner, *others = sorted(told.values(), key=lambda claim: claim.rank, reverse=True)
        runners_up = tuple(
            claim for claim in others if claim.interface != winner.interface and _differ(winner, claim, names)
        )
        if runners_up:
            found.append(Dispute(winner, runners_up))
    return found


def may_be_disputed(actor: str, attribute: str) -> bool:
    """Whether more than one interface may set an attribute."""
    told = {name for name in INTERFACES if declared(actor, attribute, name) is not None}
    return len(told) > 1


def _differ(winner: Claim, other: Claim, names: Mapping[str, Collection[str]]) -> bool:
    tolerance = _tolerance(winner)
    if tolerance.window_us is not None and winner.time_us - other.time_us > tolerance.window_us:
        return False
    if winner.unit != other.unit:
        return True
    here, there = (partners(claim.actor, claim.attribute, claim.value) for claim in (winner, other))
    if here and there and set(there) <= {*here, *(name for one in here for name in names.get(one, ()))}:
        return False
    one, two = number(winner.value), number(other.value)
    if one is None or two is None or isinstance(winner.value, str):
        return bool(winner.value != other.value)
    distance, larger = size(one - two), max(size(one), size(two))
    return distance > tolerance.distance and 100 * distance > tolerance.share_percent * larger


def _tolerance(claim: Claim) -> Tolerance:
    entry = declared(claim.actor, claim.attribute, claim.interface)
    return STATED if entry is None else entry.tolerance
