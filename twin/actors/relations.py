"""Relations: who belongs to whom, since when; a function of what was observed, in whatever order.

An attribute whose model says whose name its value is states a relation. It is stated of both ends where both are
actors of a site, and what was stated last of either end holds: a meter that was told to measure a location does so no
longer once that location names another one. Some relations end with something else: a car is gone when its wallbox says
that none is plugged in (:data:`ENDS`), and where it comes back it is there since then.

One device has as many names as there are interfaces on which it speaks. Two names are of one device where master data
say so (``same_as``), or where a common session does: a vehicle that is said to be at two EVSEs within
:data:`TOGETHER_US` is at one that has two names. What is said of one name then ends, and does not contradict, what is
said of the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.time import MINUTE_US
from twin.actors import MODELS, declared
from twin.actors.model import Attribute

MEMBERS: Final = frozenset(
    {"evse", "bev", "session", "meter", "smgw", "melo", "malo", "nelo", "sr", "hems", "asset", "control-box"}
)
"""Kinds of actors that belong to one site; all others, suppliers and operators, have to do with many."""

SAME_AS: Final = "same_as"
"""The attribute by which one device is known under several names."""

TOGETHER_US: Final = MINUTE_US
"""No vehicle is unplugged at one EVSE and plugged in at another so soon [M]."""

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
    ties = _common_sessions(history)
    aliases = _Aliases(history, ties)
    stated = {}
    for (actor, attribute), told in history.items():
        entry = declared(actor, attribute)
        if entry is not None and entry.refers is not None:
            stated[actor, attribute] = _Timeline(actor, entry, _with_ends(history, aliases, actor, attribute, told))
    exclusive = _exclusive(stated, aliases)
    found = [
        _since_return(edge, history, aliases)
        for timeline in stated.values()
        for edge in timeline.edges(aliases)
        if _holds(edge, timeline, exclusive)
    ]
    known = {edge[:3] for edge in found}
    return sorted([*found, *(tie for tie in ties if tie[:3] not in known)])


def _order(one: Statement) -> tuple[int, bool, str, str]:
    """In which order statements count: what ends a relation comes last at its time."""
    return one.time_us, one.value is None, one.event_id, str(one.value)


class _Aliases(dict[str, frozenset[str]]):
    """All names of a device, by each of them; a name that is not known has itself alone."""

    def __init__(self, history: Mapping[tuple[str, str], Sequence[Statement]], ties: Iterable[Edge]) -> None:
        super().__init__()
        for (actor, attribute), told in history.items():
            if attribute == SAME_AS:
                for other in partners(actor, SAME_AS, max(told, key=_order).value):
                    self._unite(actor, other)
        for tie in ties:
            self._unite(tie.left, tie.right)

    def __missing__(self, name: str) -> frozenset[str]:
        return frozenset({name})

    def _unite(self, one: str, other: str) -> None:
        names = self[one] | self[other]
        self.update(dict.fromkeys(names, names))


def _common_sessions(history: Mapping[tuple[str, str], Iterable[Statement]]) -> list[Edge]:
    """Two names of one EVSE, each of the other, since a vehicle was said to be at both within a moment."""
    first: dict[tuple[str, str], Statement] = {}
    for (actor, attribute), told in history.items():
        if (actor.partition(":")[0], attribute) != ("bev", "evse"):
            continue
        in_order = sorted((one for one in told if one.value), key=_order)
        for earlier, later in pairwise(in_order):
            pair = f"evse:{earlier.value}", f"evse:{later.value}"
            if earlier.value == later.value or later.time_us - earlier.time_us > TOGETHER_US:
                continue
            for key in (pair, pair[::-1]):
                known = first.get(key)
                if known is None or _order(later) < _order(known):
                    first[key] = later
    return [Edge(left, SAME_AS, right, one.time_us, one.event_id) for (left, right), one in first.items()]


class _Timeline:
    """What one attribute of an actor stated, in order of time."""

    def __init__(self, actor: str, entry: Attribute, told: list[Statement]) -> None:
        self.actor, self.entry = actor, entry
        self.told = sorted(told, key=_order)
        self.latest_us = self.told[-1].time_us
        self.now = frozenset(self._partners(self.told[-1]))

    def edges(self, aliases: Mapping[str, frozenset[str]]) -> Iterator[Edge]:
        """Who is named last, each since the first statement of the unbroken run that names it, by whichever name."""
        for right in sorted(self.now):
            first, names = self.told[-1], aliases[right]
            for statement in reversed(self.told):
                if names.isdisjoint(self._partners(statement)):
                    break
                first = statement
            yield Edge(self.actor, self.told[-1].attribute, right, first.time_us, first.event_id)

    def _partners(self, statement: Statement) -> list[str]:
        return partners(self.actor, statement.attribute, statement.value)


def _with_ends(
    history: Mapping[tuple[str, str], list[Statement]],
    aliases: Mapping[str, frozenset[str]],
    actor: str,
    attribute: str,
    told: list[Statement],
) -> list[Statement]:
    """The statements, and as statements of nobody what ends them, under whichever name of the actor it was said."""
    ends = [
        statement._replace(actor=actor, attribute=attribute, value=None)
        for ending, values in ENDS.get((actor.partition(":")[0], attribute), ())
        for name in aliases[actor]
        for statement in history.get((name, ending), ())
        if values is _ANY or statement.value in values
    ]
    return told + ends


def _since_return(
    edge: Edge, history: Mapping[tuple[str, str], list[Statement]], aliases: Mapping[str, frozenset[str]]
) -> Edge:
    """The edge, since either end said so again after the other end said that it was over.

    A vehicle that comes back to its wallbox names the same one as before; only the wallbox said that it was gone.
    """
    back = _attribute_back(edge.left.partition(":")[0], edge.right.partition(":")[0])
    if back is None:
        return edge
    ends = _with_ends(history, aliases, edge.right, back, [])
    over_us = max((end.time_us for end in ends), default=edge.since_us - 1)
    if over_us < edge.since_us:
        return edge
    here, there = aliases[edge.left], aliases[edge.right]
    again = [
        statement
        for names, others, attribute in ((here, there, edge.relation), (there, here, back))
        for name in names
        for statement in history.get((name, attribute), ())
        if statement.time_us > over_us and not others.isdisjoint(partners(name, attribute, statement.value))
    ]
    first = min(again, key=_order, default=None)
    return edge if first is None else edge._replace(since_us=first.time_us, event_id=first.event_id)


@lru_cache(maxsize=1000)
def _attribute_back(kind: str, other: str) -> str | None:
    """By which attribute the other kind names this one, where something else ends that."""
    for of, attribute in ENDS:
        entry = declared(f"{of}:", attribute)
        if of == other and entry is not None and entry.refers is not None and entry.refers.kind == kind:
            return attribute
    return None


def _exclusive(
    stated: Mapping[tuple[str, str], _Timeline], aliases: Mapping[str, frozenset[str]]
) -> dict[tuple[str, str], tuple[frozenset[str], int]]:
    """By actor and kind: all actors of that kind it names now, and when it last named them; where it names them all."""
    found: dict[tuple[str, str], tuple[frozenset[str], int]] = {}
    for (actor, _), timeline in stated.items():
        refers = timeline.entry.refers
        if refers is not None and refers.complete and not timeline.entry.is_family:
            names, latest_us = found.get((actor, refers.kind), (frozenset(), 0))
            named = names.union(*(aliases[name] for name in timeline.now))
            found[actor, refers.kind] = (named, max(latest_us, timeline.latest_us))
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
