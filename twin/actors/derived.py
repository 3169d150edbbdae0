"""What follows from a twin by a rule: no message says it, so it is no attribute but a function of what messages said.

:data:`DERIVED` lists it; every answer names the rule set and its version.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, get_args

from schemas.facts import Observation, Scalar
from schemas.time import format_time
from twin.actors.lpc import AUTONOMOUS, CONTROLLED, FAILSAFE, INIT, LIMITED, UseCase, state_at
from twin.actors.lpc import RULES as LPC_RULES
from twin.amounts import Number
from twin.settlement import section_14a

_LOADS: Final = "loads"
_MANAGER: Final = "hems"
USE_CASES: Final[tuple[UseCase, ...]] = get_args(UseCase)


class Rule(NamedTuple):
    """An attribute that is derived: of which actors, in which unit, what it may be, by which rules."""

    of: str
    attribute: str
    unit: str
    allowed: str
    rules: str
    meaning: str


DERIVED: Final = (
    Rule(
        "who is limited over EEBUS",
        "lpc_state",
        "",
        f"{INIT}, {CONTROLLED}, {LIMITED}, {FAILSAFE}, {AUTONOMOUS}",
        LPC_RULES,
        "state of the limitation of consumption, since when",
    ),
    Rule("the same", "lpc_state_limit", "W", "0 or more", LPC_RULES, "limit that holds in it; not there without one"),
    Rule("the same", "lpc_state_until", "", "ISO 8601, UTC", LPC_RULES, "when it ends by itself at the latest"),
    Rule("the same", "lpp_state", "", "as lpc_state", LPC_RULES, "state of the limitation of production, since when"),
    Rule("the same", "lpp_state_limit", "W", "0 or more", LPC_RULES, "as lpc_state_limit, export counted positive"),
    Rule("the same", "lpp_state_until", "", "ISO 8601, UTC", LPC_RULES, "as lpc_state_until"),
    Rule(
        "metering location with loads",
        "section_14a_minimum",
        "W",
        "0 or more",
        section_14a.RULES,
        "P_min: what its loads may draw at least, all together, while they are limited; each its own where no energy "
        "manager stands before them",
    ),
)


class Derived(NamedTuple):
    """A derived attribute; since when it is so, None where nobody knows."""

    attribute: str
    value: Scalar
    unit: str
    since_us: int | None
    rules: str


def matters(attribute: str) -> bool:
    """Whether something may follow from an attribute.

    >>> [matters(name) for name in ("lpc_limit_active", "guard_heartbeat", "loads", "power")]
    [True, True, True, False]
    """
    return attribute in {_LOADS, _MANAGER, "started", "guard_heartbeat", "failsafe_duration"} or attribute.startswith(
        USE_CASES
    )


def may_follow(attributes: Iterable[str]) -> bool:
    """Whether anything follows from attributes of a twin.

    >>> may_follow(["started", "guard_heartbeat"]), may_follow(["guard_heartbeat", "lpc_limit"])
    (False, True)
    """
    return any(
        name == _LOADS or any(_is_of_the_limited(name, use_case) for use_case in USE_CASES) for name in attributes
    )


def derived(history: Iterable[Observation], time_us: int) -> list[Derived]:
    """What follows at a time from everything that was observed of an actor and :func:`matters`.

    Of what was observed at the same time that holds which stands last in ``history``.
    """
    known = [seen for seen in history if seen.time_us <= time_us]
    found: list[Derived] = []
    for use_case in USE_CASES:
        if any(_is_of_the_limited(seen.attribute, use_case) for seen in known):
            found += _limitation(known, time_us, use_case)
    loads, manager = _last(known, _LOADS), _last(known, _MANAGER)
    if loads is not None and isinstance(loads.value, str):
        owed = section_14a.loads_of(loads.value)
        is_direct = manager is not None and not manager.value
        parts = (
            [section_14a.guaranteed_directly(load) for load in owed] if is_direct else [section_14a.guaranteed(owed)]
        )
        power_w = _watts(sum(part.power_mw for part in parts))
        since_us = loads.time_us if manager is None else max(loads.time_us, manager.time_us)
        found.append(Derived("section_14a_minimum", power_w, "W", since_us, section_14a.RULES))
    return found


def _last(known: Sequence[Observation], attribute: str) -> Observation | None:
    said = (seen for seen in reversed(known) if seen.attribute == attribute)
    return max(said, key=lambda seen: seen.time_us, default=None)


def _is_of_the_limited(attribute: str, use_case: UseCase) -> bool:
    """Whether an attribute is said of who is limited alone; who limits has what it asked for, and the answer."""
    return attribute in {f"{use_case}_limit", f"{use_case}_limit_active", f"{use_case}_failsafe_limit"}


def _limitation(known: list[Observation], time_us: int, use_case: UseCase) -> list[Derived]:
    found = state_at(known, time_us, use_case)
    said: list[tuple[str, Scalar, str]] = [("", found.state, "")]
    if found.limit_w is not None:
        said.append(("_limit", found.limit_w, "W"))
    if found.until_us is not None:
        said.append(("_until", format_time(found.until_us), ""))
    return [Derived(f"{use_case}_state{name}", value, unit, found.since_us, LPC_RULES) for name, value, unit in said]


def _watts(power_mw: int) -> Number:
    whole_w, rest_mw = divmod(power_mw, 1000)
    return whole_w if not rest_mw else Decimal(power_mw).scaleb(-3)
