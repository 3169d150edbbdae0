"""Relations: who belongs to whom, since when; a function of what was observed, in whatever order.

An attribute whose model says whose name its value is states a relation. It is stated of both ends where both are
actors of a site, and what was stated last of either end holds: a meter that was told to measure a location does so no
longer once that location names another one. Some relations end with something else: a car is gone when its wallbox says
that none is plugged in (:data:`ENDS`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from twin.actors import MODELS, declared
from twin.actors.model import Attribute

MEMBERS: Final = frozenset(
    {"evse", "bev", "session", "meter", "smgw", "melo", "malo", "nelo", "sr", "hems", "asset", "control-box"}
)
"""Kinds of actors that belong to one site; all others, suppliers and operators, have to do with many."""

SAME_AS: Final = "same_as"
"""The attribute by which one device is known under several names."""

_ANY: Final = None
"""Whatever value it has."""

ENDS: Final[Mapping[tuple[str, str], tuple[tuple[str, tuple[object, ...] | None], ...]]] = MappingProxyType(
    {
        ("evse", "ev_id"): (("ev_connected", (False,)), ("connector_status", ("Available",)), ("session_end", _ANY)),
        ("evse", "id_token"): (("session_end", _ANY), ("connector_status", ("Available",))),
        ("session", "evse"): (("status", ("COMPLETED", "INVALID", "BILLED")),),
    }
)
"""By kind and attribute: which attribute of the same actor, with which values, ends what was stated until then."""


class Statement(NamedTuple):
    """An observation that states a relation, or ends one."""

    actor: str
    attribute: str
    value: Any
    time_us: int
    event_id: str


class Edge(NamedTuple):
    """``left`` has ``right`` as its ``relation``; stated by an attribute of ``left`` since ``since_us``."""

    left: str
    relation: str
    right: str
    since_us: int
    event_id: str


def matters(actor: str, attribute: str) -> bool:
    """Whether an attribute of an actor states a relation, or ends one."""
    entry = declared(actor, attribute)
    kind = actor.partition(":")[0]
    return (entry is not None and entry.refers is not None) or any(
        attribute == ending for (of, _), endings in ENDS.items() if of == kind for ending, _ in endings
    )


def partners(actor: str, attribute: str, value: Any) -> list[str]:
    """The actors that a statement names.

    >>> partners("melo:DE1", "meters", "1EMH1 1EMH2"), partners("smgw:A", "melo/DE1", "DE1")
    (['meter:1EMH1', 'meter:1EMH2'], ['melo:DE1'])
    """
    entry = declared(actor, attribute)
    if entry is None or entry.refers is None or not value:
        return []
    names = str(value).split() if entry.refers.several else [str(value)]
    return [f"{entry.refers.kind}:{name}" for name in names]


def edges(statements: Iterable[Statement]) -> list[Edge]:
    """The relations that hold after all statements, each once for every attribute that states it; sorted."""
    history: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for statement in set(statements):
        history[statement.actor, statement.attribute].append(statement)
    stated = {}
    for (actor, attribute), told in history.items():
        entry = declared(actor, attribute)
        if entry is not None and entry.refers is not None:
            stated[actor, attribute] = _Timeline(actor, entry, _with_ends(history, actor, attribute, told))
    exclusive = _exclusive(stated)
    found = (edge for timeline in stated.values() for edge in timeline.edges() if _holds(edge, timeline, exclusive))
    return sorted(found)


class _Timeline:
    """What one attribute of an actor stated, in order of time."""

    def __init__(self, actor: str, entry: Attribute, told: list[Statement]) -> None:
        self.actor, self.entry = actor, entry
        self.told = sorted(told, key=lambda one: (one.time_us, one.value is None, one.event_id))
        self.latest_us = self.told[-1].time_us
        self.now = frozenset(self._partners(self.told[-1]))

    def edges(self) -> Iterator[Edge]:
        """Who is named last, each since the first statement of the unbroken run that names it."""
        for right in sorted(self.now):
            first = self.told[-1]
            for statement in reversed(self.told):
                if right not in self._partners(statement):
                    break
                first = statement
            yield Edge(self.actor, self.told[-1].attribute, right, first.time_us, first.event_id)

    def _partners(self, statement: Statement) -> list[str]:
        return partners(self.actor, statement.attribute, statement.value)


def _with_ends(
    history: Mapping[tuple[str, str], list[Statement]], actor: str, attribute: str, told: list[Statement]
) -> list[Statement]:
    """The statements, and as statements of nobody what ends them."""
    ends = [
        statement._replace(attribute=attribute, value=None)
        for ending, values in ENDS.get((actor.partition(":")[0], attribute), ())
        for statement in history.get((actor, ending), ())
        if values is _ANY or statement.value in values
    ]
    return told + ends


def _exclusive(stated: Mapping[tuple[str, str], _Timeline]) -> dict[tuple[str, str], tuple[frozenset[str], int]]:
    """By actor and kind: all actors of that kind it names now, and when it last named them; where it names them all."""
    found: dict[tuple[str, str], tuple[frozenset[str], int]] = {}
    for (actor, _), timeline in stated.items():
        refers = timeline.entry.refers
        if refers is not None and refers.complete and not timeline.entry.is_family:
            names, latest_us = found.get((actor, refers.kind), (frozenset(), 0))
            found[actor, refers.kind] = (names | timeline.now, max(latest_us, timeline.latest_us))
    return found


def _holds(edge: Edge, timeline: _Timeline, exclusive: Mapping[tuple[str, str], tuple[frozenset[str], int]]) -> bool:
    """Whether the other end does not say otherwise, later."""
    names, latest_us = exclusive.get((edge.right, edge.left.partition(":")[0]), (frozenset(), -1))
    return edge.left in names or latest_us <= timeline.latest_us


def kinds_without_inverse() -> set[tuple[str, str]]:
    """Kinds of members that refer to another kind of members without being referred to by it."""
    refers = {
        (kind, entry.refers.kind)
        for kind, model in MODELS.items()
        for entry in model.attributes().values()
        if entry.refers is not None and entry.refers.complete and {kind, entry.refers.kind} <= MEMBERS
    }
    return {(left, right) for left, right in refers if (right, left) not in refers}
