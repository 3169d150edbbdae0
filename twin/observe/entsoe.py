"""What market documents say: a price for every quarter hour of a bidding zone.

Series ``price.day-ahead`` (contract type A01; A07 ``price.intraday``, others by their code), object the EIC of the
zone, value a Decimal in the unit the document names, for example ``EUR/MWh``. A further auction of the same day
(sequence 2 and up) is a series of its own, ``price.day-ahead.2``. Version: ``<createdDateTime>|<revision>|<mRID>``.

- The price of a longer interval (PT30M, PT60M) holds for each of its quarter hours. Where a document has a quarter
  hour in several resolutions, the finest holds.
- Curve type A03 leaves out a price that repeats the one before: filled forward. With A01 what is missing is a gap.
- A legal German day that the document covers and that has fewer prices than its 92, 96 or 100 quarter hours is told.
- Equal intervals with different prices are told both: a conflict. A position behind the period's end is set aside.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from schemas.calendar import day_of, day_slots
from schemas.event import Event
from schemas.facts import MEASURED, Facts, Observation, Reject, SlotValue
from schemas.time import SECOND_US, SLOT_US, format_time

PRICE_LIMIT: Final = 20_000
"""EUR/MWh beyond which no price is believed; the harmonised limits of the day-ahead market are -500 and 5,000."""

_CONTRACTS: Final = {"A01": "day-ahead", "A07": "intraday"}
_MEASURES: Final = {"MWH": "MWh", "KWH": "kWh"}

_Key = tuple[str, str, str, int]
"""Series, zone, unit, slot."""


def observe(event: Event, facts: Facts) -> None:
    """Append the prices of a publication, or what an acknowledgement says."""
    said, actor = event.payload, event.actor
    time_us: int = said["created_us"]
    if event.type == "entsoe.acknowledgement":
        _say_acknowledgement(said, actor, time_us, facts)
        return
    version = f"{format_time(time_us)}|{said['revision']:06d}|{said['id']}"
    found = _prices(said, facts)
    for (series, zone, unit, slot_us), prices in sorted(found.items()):
        facts.slot_values += [SlotValue(series, zone, slot_us, price, unit, MEASURED, version) for price in prices]
    facts.rejects.extend(_incomplete_days(said, found))
    facts.observations.append(Observation(actor, "last_document", said["id"], "", time_us))
    until_us = max((slot_us + SLOT_US for _, _, _, slot_us in found), default=said["until_us"])
    facts.observations.append(Observation(actor, "prices_until", format_time(until_us), "", time_us))


def _prices(said: dict[str, Any], facts: Facts) -> dict[_Key, list[Decimal]]:
    """The prices of every quarter hour: one, unless the document contradicts itself."""
    finest: dict[_Key, int] = {}
    found: dict[_Key, list[Decimal]] = {}
    for series in said["series"]:
        name, unit = _name(series), f"{series['currency']}/{_MEASURES.get(series['measure'], series['measure'])}"
        for period in series["periods"]:
            resolution_s: int = period["resolution_s"]
            for slot_us, price in _quarter_hours(series, period, facts):
                key = (name, series["domain"], unit, slot_us)
                if resolution_s < finest.setdefault(key, resolution_s):
                    finest[key], found[key] = resolution_s, []
                if resolution_s == finest[key] and price not in found.setdefault(key, []):
                    found[key].append(price)
    return found


def _name(series: dict[str, Any]) -> str:
    """The series of prices.

    >>> _name({"contract": "A01", "sequence": 1}), _name({"contract": "A01", "sequence": 2})
    ('price.day-ahead', 'price.day-ahead.2')
    """
    name = f"price.{_CONTRACTS.get(series['contract'], series['contract'])}"
    return name if series["sequence"] == 1 else f"{name}.{series['sequence']}"


def _quarter_hours(series: dict[str, Any], period: dict[str, Any], facts: Facts) -> Iterator[tuple[int, Decimal]]:
    """Every quarter hour a period has a price for; what it leaves out is filled in, or told."""
    step_us = period["resolution_s"] * SECOND_US
    where = f"{series['domain']} from {format_time(period['from_us'])} to {format_time(period['until_us'])}"
    if step_us % SLOT_US or period["from_us"] % SLOT_US:
        detail = f"{where}: intervals of {period['resolution_s']} s do not consist of quarter hours"
        facts.rejects.append(Reject("not-a-quarter-hour", detail))
        return
    points = [(position, Decimal(price)) for position, price in period["points"]]
    count = (period["until_us"] - period["from_us"]) // step_us
    is_filled = series["curve"] == "A03"
    told = len({position for position, _ in points})
    if (points[0][0] > 1) if is_filled else (told < count):
        facts.rejects.append(Reject("incomplete-curve", f"{where}: {told} points of {count}, curve {series['curve']}"))
    for (position, price), following in zip(points, [*points[1:], (count + 1, None)], strict=True):
        if position > count:
            detail = f"{where}: position {position} lies behind its end, {count} is the last"
            facts.rejects.append(Reject("outside-the-period", detail))
            continue
        if abs(price) > PRICE_LIMIT:
            facts.rejects.append(Reject("implausible-price", f"{where}: position {position} costs {price}"))
            continue
        end = min(max(following[0], position + 1), count + 1) if is_filled else position + 1
        start_us = period["from_us"] + (position - 1) * step_us
        for slot_us in range(start_us, start_us + (end - position) * step_us, SLOT_US):
            yield slot_us, price


def _incomplete_days(said: dict[str, Any], found: dict[_Key, list[Decimal]]) -> Iterator[Reject]:
    """Legal days within the document's span that lack prices."""
    counts = Counter((series, zone, day_of(slot_us)) for series, zone, _, slot_us in found)
    for (series, zone, day), count in sorted(counts.items()):
        slots = day_slots(day)
        is_covered = said["from_us"] <= slots[0] and slots[-1] + SLOT_US <= said["until_us"]
        if is_covered and count < len(slots):
            detail = f"{series} of {zone}: {count} prices for the {len(slots)} quarter hours of {day}"
            yield Reject("incomplete-day", detail)


def _say_acknowledgement(said: dict[str, Any], actor: str, time_us: int, facts: Facts) -> None:
    reasons = "; ".join(" ".join(filter(None, (each["code"], each["text"]))) for each in said["reasons"])
    facts.observations.append(Observation(actor, "acknowledgement", reasons, "", time_us))
    if said["received"]["id"]:
        facts.observations.append(Observation(actor, "acknowledged_document", said["received"]["id"], "", time_us))
