"""Incentive tables: what energy costs when, told to who plans with it (coordinated charging, time-of-use tariffs).

A table has slots, a slot has tiers (ranges of power), a tier has incentives. What an incentive is, its description says
(``incentiveType``, SPINE resources 1.3.0, IncentiveTable), which in coordinated charging the energy manager writes:

=========================  ==================================  ======================================================
type                       unit                                series
=========================  ==================================  ======================================================
absoluteCost               currency, and per unit of energy    ``price.incentive/tier-<id>``, currency per kWh
renewableEnergyPercentage  pct                                 ``share.renewable/tier-<id>``, %
=========================  ==================================  ======================================================

A price whose description names no currency, no unit of energy, or whose table no scope, is no price of anything: it
stays in the payload, and ``context_missing`` names it. So do other types, whose units no rule fixes.

The price at the beginning of a table, in its lowest tier, is told of the owner as ``incentive_price``, with
``incentive_prices_until``; ``_requested`` where it is written, of both ends. Series hold the value at the beginning of
every quarter hour, for a week at most; those asked for end with ``.requested``. Version:
``<time>|<tariff>|<incentive>``.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import INDICATIVE, Facts, Reject, SlotValue
from schemas.time import SLOT_US, format_time
from schemas.wire.eebus.moments import absolute_us, moment_us
from schemas.wire.eebus.tariffs import COST, RENEWABLE, incentive_key, incentives_of
from twin.amounts import Number, size, times
from twin.observe.ceilings import REQUESTED, SLOT_LIMIT
from twin.observe.eebus.said import exact, owner_of, place_of, tell, whole

PRICE_LIMITS: Final = {"EUR": 20}
"""Beyond it no price of a kWh is believed, as for dynamic tariffs; other currencies are of other sizes."""

_PRICE_LIMIT: Final = 10_000
_PER_KWH: Final[dict[str, Number]] = {"Wh": 1000, "kWh": 1, "MWh": Decimal("0.001")}
_PRICE, _SHARE = "price.incentive", "share.renewable"
_NAME: Final = "incentive_price"


class _Value(NamedTuple):
    """What holds from when until when (None: nobody says) in one tier."""

    start_us: int
    end_us: int | None
    tariff: int
    tier: int
    incentive: int
    kind: str
    amount: Number
    unit: str


def _on_table(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """The owner says which incentives it plans with."""
    assert event.time_us is not None
    _tell(event, _values(event, data, event.payload["context"], event.time_us, facts), (owner_of(event),), "", facts)


def _on_write(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """Incentives are given to the owner: said of both ends."""
    assert event.time_us is not None
    ends = tuple(event.payload[end]["actor"] for end in ("destination", "source"))
    _tell(event, _values(event, data, event.payload["context"], event.time_us, facts), ends, REQUESTED, facts)


def answered(event: Event, call: dict[str, Any], facts: Facts, *, accepted: bool) -> bool:
    """Incentives that were written hold, where their owner accepted them; whether the call had any that are known."""
    values = _values(event, call["data"], call["context"], call["time_us"], facts)
    if accepted:
        _tell(event, values, (call["owner"]["actor"],), "", facts)
    return bool(values)


def _tell(event: Event, values: list[_Value], actors: tuple[str, ...], suffix: str, facts: Facts) -> None:
    """Values of every one of the actors; quarter hours of the first, which is to plan with them."""
    assert event.time_us is not None
    prices = [value for value in values if value.kind == COST]
    if prices:
        first = min(prices, key=lambda value: (value.start_us, value.tariff, value.tier))
        ends = [value.end_us for value in prices if value.end_us is not None]
        until = format_time(max(ends)) if len(ends) == len(prices) else None
        for actor in dict.fromkeys(actors):
            tell(facts, actor, _NAME + suffix.replace(".", "_"), first.amount, first.unit, event.time_us)
            tell(facts, actor, f"incentive_prices_until{suffix.replace('.', '_')}", until, "", event.time_us)
    told: dict[str, int] = {}
    for value in values:
        series = f"{_PRICE if value.kind == COST else _SHARE}/tier-{value.tier}{suffix}"
        version = f"{format_time(event.time_us)}|{value.tariff}|{value.incentive}"
        first_us = -(-value.start_us // SLOT_US) * SLOT_US
        end_us = first_us if value.end_us is None else value.end_us
        slots = range(first_us, end_us, SLOT_US)[: SLOT_LIMIT - told.get(series, 0)]
        told[series] = told.get(series, 0) + len(slots)
        facts.slot_values += [
            SlotValue(series, place_of(actors[0]), slot_us, value.amount, value.unit, INDICATIVE, version)
            for slot_us in slots
        ]


def _values(
    event: Event, data: dict[str, Any], context: dict[str, Any], base_us: int | None, facts: Facts
) -> list[_Value]:
    """The values of a table whose meaning is known; of a table in which one cannot be believed, none."""
    found: list[_Value] = []
    for table in data.get("incentiveTable", []):
        tariff = table["tariff"]["tariffId"]
        known = context.get("tariffs", {}).get(f"{tariff}")
        if known is None:
            continue
        values = list(_of_table(table, known, base_us))
        doubt = next((doubt for value in values if (doubt := _doubt(value))), "")
        if doubt:
            facts.rejects.append(Reject("implausible-incentive", f"{owner_of(event)}: tariff {tariff} with {doubt}"))
        else:
            found += values
    return found


def _of_table(table: dict[str, Any], known: dict[str, Any], base_us: int | None) -> Iterator[_Value]:
    tariff, slots = table["tariff"]["tariffId"], table.get("incentiveSlot", [])
    starts = _starts(slots, base_us)
    for place, slot in enumerate(slots):
        start_us, end_us = starts[place], _edge_us(slot, "endTime", base_us)
        if start_us is None:
            return
        if end_us is None and place + 1 < len(slots) and "startTime" in slots[place + 1].get("timeInterval", {}):
            end_us = starts[place + 1]
        for tier, incentive in incentives_of(slot):
            said = known["incentives"].get(incentive_key(tier, incentive))
            amount = exact(incentive.get("value"))
            if said is None or amount is None:
                continue
            meant = _meant(said, amount)
            if meant is not None:
                yield _Value(start_us, end_us, tariff, tier, incentive["incentiveId"], said["incentiveType"], *meant)


def _starts(slots: list[dict[str, Any]], base_us: int | None) -> list[int | None]:
    """When each slot begins: it says so itself, else with the end of the one before; the first now."""
    found: list[int | None] = []
    before_us = base_us
    for slot in slots:
        start_us = _edge_us(slot, "startTime", base_us)
        found.append(before_us if start_us is None else start_us)
        before_us = _edge_us(slot, "endTime", base_us)
    return found


def _edge_us(slot: dict[str, Any], edge: str, base_us: int | None) -> int | None:
    """A border of a slot: absolute, or counted from when the table was said."""
    said = slot.get("timeInterval", {}).get(edge, {})
    if "dateTime" in said:
        return absolute_us(said["dateTime"])
    return moment_us(said["relative"], base_us) if "relative" in said else None


def _meant(said: dict[str, Any], amount: Number) -> tuple[Number, str] | None:
    """Amount and unit of an incentive; None where its description does not say what it counts."""
    if said["incentiveType"] == COST and "currency" in said and said.get("unit") in _PER_KWH:
        return whole(times(amount, _PER_KWH[said["unit"]])), f"{said['currency']}/kWh"
    if said["incentiveType"] == RENEWABLE and said.get("unit") == "pct":
        return amount, "%"
    return None


def _doubt(value: _Value) -> str:
    """Why a value is not believed, as a phrase; empty where it is."""
    if value.end_us is not None and value.end_us < value.start_us:
        return "a slot that ends before it begins"
    if value.kind == COST:
        limit = PRICE_LIMITS.get(value.unit.partition("/")[0], _PRICE_LIMIT)
        return f"a price of {value.amount} {value.unit}" if size(value.amount) > limit else ""
    return "" if 0 <= value.amount <= 100 else f"{value.amount} % of renewable energy"


SAID: Final = {"incentiveTableData": _on_table}
WRITTEN: Final = {"incentiveTableData": _on_write}
