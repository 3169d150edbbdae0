"""Limits of load control: asked for, answered, in force.

A limit id means what its description says of it:

=====================  ==========  =========  ==============================  =====
scope                  category    direction  use case                        unit
=====================  ==========  =========  ==============================  =====
activePowerLimit       obligation  consume    LPC: ``lpc_limit``              W
activePowerLimit       obligation  produce    LPP: ``lpp_limit``, positive    W
overloadProtection     obligation  -          OPEV: ``opev_limit_l1`` ...     A
selfConsumption        recomm...   -          OSCEV: ``oscev_limit_l1`` ...   A
=====================  ==========  =========  ==============================  =====

A write says what is wanted: ``<limit>_requested``, of both ends. It is in force when the owner accepts it
(:mod:`~twin.observe.eebus.results`) or says so itself: ``<limit>``, ``<limit>_active``, ``<limit>_until``.

An active limit of LPC is told in quarter hours too (:mod:`~twin.observe.ceilings`): series ``limit.14a.requested`` when
it is written and ``limit.14a`` once it is in force, of the system that is limited; of LPP ``limit.feed-in.requested``
and ``limit.feed-in``. Version: ``<time>|lpc``, ``<time>|lpp``.
"""

from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import INDICATIVE, MEASURED, Facts, Reject
from schemas.time import format_time
from schemas.wire.eebus.datagram import deletes, is_partial
from schemas.wire.eebus.moments import moment_us
from twin.amounts import Number
from twin.observe.ceilings import FEED_IN, REQUESTED, SECTION_14A, tell_ceiling
from twin.observe.eebus.said import PHASES, exact, in_unit, magnitude, owner_of, place_of, tell, words

LIMIT_LIMIT: Final = 10**9
"""A limit beyond a gigawatt or a billion amperes limits nothing [M]."""

_OBLIGATION: Final = "obligation"
_BY_SCOPE: Final = {"overloadProtection": "opev_limit", "selfConsumption": "oscev_limit"}
_LPC, _LPP = "lpc_limit", "lpp_limit"
_SERIES: Final = {_LPC: SECTION_14A, _LPP: FEED_IN}


class Limit(NamedTuple):
    """One limit of a message: its attribute, and what is said of it, None where nothing is.

    ``until_us`` is when it ends by itself, None where it does not; of a part that changed nothing may be said of that
    (``says_end``).
    """

    attribute: str
    value: Number | None
    unit: str
    is_active: bool | None
    is_changeable: bool | None
    until_us: int | None
    says_end: bool = True


def limits_in(
    command: dict[str, Any], context: dict[str, Any], actor: str, time_us: int | None, facts: Facts
) -> list[Limit]:
    """The explained limits of a command of ``loadControlLimitListData``; durations count from ``time_us``.

    Of a partial command the end that is not said holds on, where it is not deleted.
    """
    explained, filters = context.get("limits", {}), command.get("filters", [])
    keeps_end = is_partial(filters) and not deletes(filters, "loadControlLimitDataElements", "timePeriod")
    found = []
    for item in command["data"].get("loadControlLimitData", []):
        description = explained.get(f"{item['limitId']}")
        attribute = attribute_of(description) if description is not None else None
        if attribute is None:
            continue
        value, unit = exact(item.get("value")), in_unit(0, description.get("unit"))[1]
        if value is not None:
            value, unit = in_unit(magnitude(value) if attribute == _LPP else value, description.get("unit"))
            if value > LIMIT_LIMIT or (attribute == _LPC and value < 0):
                facts.rejects.append(Reject("implausible-limit", f"{actor}: {attribute} of {value} {unit[:40]}"))
                continue
        end = (item.get("timePeriod") or {}).get("endTime")
        found.append(
            Limit(
                attribute,
                value,
                unit or _usual_unit(attribute),
                item.get("isLimitActive"),
                item.get("isLimitChangeable"),
                moment_us(end, time_us) if end else None,
                "timePeriod" in item or not keeps_end,
            )
        )
    return found


def attribute_of(description: dict[str, Any]) -> str | None:
    """The attribute of a limit; None where its phase is not known.

    >>> attribute_of({"scopeType": "activePowerLimit", "limitCategory": "obligation", "limitDirection": "consume"})
    'lpc_limit'
    >>> attribute_of({"scopeType": "overloadProtection", "limitCategory": "obligation", "acMeasuredPhases": "b"})
    'opev_limit_l2'
    """
    scope, category = description.get("scopeType", ""), description.get("limitCategory", _OBLIGATION)
    direction, phases = description.get("limitDirection"), description.get("acMeasuredPhases")
    if scope == "activePowerLimit" and category == _OBLIGATION and direction in {"consume", "produce"}:
        return _LPC if direction == "consume" else _LPP
    if scope in _BY_SCOPE:
        return None if phases is None else _BY_SCOPE[scope] + PHASES.get(phases, "")
    parts = [words(part) for part in ("limit", scope, category, direction) if part]
    return "_".join(parts) + PHASES.get(phases or "abc", "")


def in_force(limits: list[Limit], actor: str, time_us: int, facts: Facts) -> None:
    """Tell limits that hold now."""
    for limit in limits:
        _tell(limit, limit.attribute, actor, time_us, facts)
        if limit.is_changeable is not None:
            tell(facts, actor, f"{limit.attribute}_changeable", limit.is_changeable, "", time_us)
        _tell_quarters(limit, "", actor, time_us, facts)


def _tell(limit: Limit, attribute: str, actor: str, time_us: int, facts: Facts) -> None:
    if limit.value is not None:
        tell(facts, actor, attribute, limit.value, limit.unit, time_us)
    if limit.is_active is not None:
        tell(facts, actor, f"{attribute}_active", limit.is_active, "", time_us)
    if limit.says_end:
        until = None if limit.until_us is None else format_time(limit.until_us)
        tell(facts, actor, f"{attribute}_until", until, "", time_us)


def _tell_quarters(limit: Limit, suffix: str, actor: str, time_us: int, facts: Facts) -> None:
    series = _SERIES.get(limit.attribute)
    if series is None or not limit.is_active or limit.value is None or limit.unit != "W":
        return
    if limit.until_us is None or limit.until_us > time_us:
        where, said = (series + suffix, place_of(actor)), (time_us, limit.attribute.partition("_")[0])
        quality = INDICATIVE if suffix else MEASURED
        tell_ceiling(facts, where, limit.value, (time_us, limit.until_us), said, quality)


def _usual_unit(attribute: str) -> str:
    return "W" if attribute in {_LPC, _LPP} else ""


def _on_limits(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """The owner says which limits hold."""
    assert event.time_us is not None
    actor, command = owner_of(event), _command_of(event, data)
    in_force(limits_in(command, event.payload["context"], actor, event.time_us, facts), actor, event.time_us, facts)


def _on_write(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """Somebody asks for limits: said of who asks and of who is asked."""
    assert event.time_us is not None
    payload = event.payload
    command = _command_of(event, data)
    for limit in limits_in(command, payload["context"], owner_of(event), event.time_us, facts):
        for end in ("source", "destination"):
            _tell(limit, f"{limit.attribute}_requested", payload[end]["actor"], event.time_us, facts)
        _tell_quarters(limit, REQUESTED, owner_of(event), event.time_us, facts)


def _command_of(event: Event, data: dict[str, Any]) -> dict[str, Any]:
    """The command with these data: beside them its filters stand."""
    command: dict[str, Any] = next(one for one in event.payload["commands"] if one["data"] is data)
    return command


SAID: Final = {"loadControlLimitListData": _on_limits}
WRITTEN: Final = {"loadControlLimitListData": _on_write}
