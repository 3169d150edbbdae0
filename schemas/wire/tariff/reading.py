"""A tariff answer to its prices, whatever its fields are called.

Times are ISO 8601 with a zone, or seconds or milliseconds since 1970. An interval without an end ends where the next
begins; the last is as long as the one before it.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from schemas.identifiers import parse_malo
from schemas.time import SECOND_US, SLOT_US, format_time
from schemas.wire.contract import SchemaViolation, TooLarge
from schemas.wire.instants import instant

PRICE_LIMIT: Final = 40_000
"""Prices of an answer, and quarter hours they hold for together; a year has 35,040."""

_STARTS: Final = (
    "start",
    "startsAt",
    "start_timestamp",
    "startTime",
    "starts_at",
    "from",
    "begin",
    "date",
    "timestamp",
)
_ENDS: Final = ("end", "endsAt", "end_timestamp", "endTime", "ends_at", "until", "to")
_PRICED: Final = {"priceInCentPerKwh": "ct/kWh"}
"""Names of prices that say their unit; it holds whatever else is said."""

_PRICES: Final = (*_PRICED, "price", "total", "value", "marketprice", "amount")
_SUPPLIERS: Final = ("supplier", "provider")
_TARIFFS: Final = ("tariff", "tariffName", "product")
_ISSUED: Final = ("issued", "issuedAt", "createdAt", "created", "publishedAt", "updatedAt")
_UNITS: Final = ("unit", "priceUnit")
_MILLISECONDS_FROM: Final = 10**11
"""Whole numbers from here on are milliseconds: as seconds they lie beyond the year 5000."""
_MONEY: Final = re.compile(r"(?i)(eur|ct|cent|€)\s*/\s*(kwh|mwh)")
_SPELLED: Final = {"eur": "EUR", "€": "EUR", "ct": "ct", "cent": "ct", "kwh": "kWh", "mwh": "MWh"}

_Row = tuple[int, int | None, Decimal | None]
"""Start, end and price of an interval; a price that is null is not there (yet), and leaves a gap."""


def tariff(answer: Any) -> dict[str, Any]:
    """The payload of an answer.

    Raises:
        WireError: see :func:`schemas.wire.tariff.decode`.
    """
    rows: list[_Row] = []
    said: dict[str, Any] = {}
    for thing in _walk(answer):
        if isinstance(thing, dict):
            _note(thing, said)
            rows += _columns(thing)
        elif thing and all(isinstance(item, dict) and _named(item, _STARTS) is not None for item in thing):
            rows += [_row(item) for item in thing]
        if len(rows) > PRICE_LIMIT:
            raise TooLarge(f"an answer has at most {PRICE_LIMIT} prices")
    prices = _closed(rows)
    if not prices:
        raise SchemaViolation("no list of intervals with a start and a price is in the answer")
    if sum(end_us - start_us for start_us, end_us, _ in prices) > PRICE_LIMIT * SLOT_US:
        raise TooLarge(f"the prices of an answer hold for at most {PRICE_LIMIT} quarter hours together")
    issued = said.get("issued")
    return {
        "supplier": str(said.get("supplier") or ""),
        "tariff": str(said.get("tariff") or ""),
        "malo": parse_malo(str(said["malo"])) if said.get("malo") else "",
        "issued_us": None if issued is None else _instant(issued, "when the prices were issued"),
        "unit": _unit(said),
        "prices": prices,
    }


def _walk(value: Any) -> Iterator[Any]:
    """All objects and arrays of an answer, outer ones first."""
    waiting = [value]
    for thing in waiting:
        if isinstance(thing, dict):
            yield thing
            waiting.extend(thing.values())
        elif isinstance(thing, list):
            yield thing
            waiting.extend(thing)


def _note(thing: dict[str, Any], said: dict[str, Any]) -> None:
    """What an object says of all prices; the outermost that says so holds."""
    named = {"supplier": _SUPPLIERS, "tariff": _TARIFFS, "issued": _ISSUED, "unit": _UNITS, "malo": ("malo",)}
    for name, fields in (*named.items(), ("currency", ("currency",))):
        found = _named(thing, fields)
        if found is not None and not isinstance(found, (dict, list)):
            said.setdefault(name, found)
    for field, unit in _PRICED.items():
        if field in thing:
            said["unit"] = unit


def _row(item: dict[str, Any]) -> _Row:
    price = _named(item, _PRICES)
    if price is None and not any(name in item for name in _PRICES):
        raise SchemaViolation(f"an interval has no price; it has {', '.join(sorted(item))[:80]}")
    end = _named(item, _ENDS)
    return (
        _instant(_named(item, _STARTS), "the start of an interval"),
        None if end is None else _instant(end, "the end of an interval"),
        None if price is None else _price(price),
    )


def _columns(thing: dict[str, Any]) -> list[_Row]:
    """Two lists side by side, as Energy-Charts gives them."""
    times, prices = thing.get("unix_seconds"), thing.get("price")
    if not isinstance(times, list) or not isinstance(prices, list):
        return []
    if len(times) != len(prices):
        raise SchemaViolation(f"there are {len(times)} times and {len(prices)} prices")
    return [
        (_instant(at, "a time"), None, None if price is None else _price(price))
        for at, price in zip(times, prices, strict=True)
    ]


def _closed(rows: list[_Row]) -> list[list[Any]]:
    """The intervals that have a price in order, each with its end."""
    rows.sort(key=lambda row: (row[0], row[1] or 0))
    closed: list[list[Any]] = []
    for number, (start_us, end_us, price) in enumerate(rows):
        if end_us is None and number + 1 < len(rows):
            end_us = rows[number + 1][0]  # noqa: PLW2901 -- the end that was left out
        elif end_us is None:
            end_us = start_us + (closed[-1][1] - closed[-1][0] if closed else SLOT_US)  # noqa: PLW2901 -- likewise
        if end_us < start_us:
            raise SchemaViolation("an interval ends before it begins")
        closed.append([start_us, end_us, price])
    return [interval for interval in closed if interval[2] is not None]


def _unit(said: dict[str, Any]) -> str:
    """The unit of the prices; a currency alone means per kWh.

    >>> _unit({"unit": "Eur/MWh"}), _unit({"currency": "EUR"}), _unit({"unit": "ct / kWh"})
    ('EUR/MWh', 'EUR/kWh', 'ct/kWh')
    """
    text = said.get("unit") or (f"{said['currency']}/kWh" if said.get("currency") else "")
    found = _MONEY.fullmatch(str(text).strip())
    if not found:
        raise SchemaViolation(f"the prices are in {str(text)[:20]!r}; EUR or ct per kWh or MWh is needed")
    return "/".join(_SPELLED[part.lower()] for part in found.groups())


def _price(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise SchemaViolation(f"a price is {str(value)[:40]!r}, not a number")
    return Decimal(value)


def _instant(value: Any, what: str) -> int:
    try:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return instant(format_time(value * 1000 if value >= _MILLISECONDS_FROM else value * SECOND_US))
        return instant(str(value))
    except (ValueError, OverflowError) as problem:
        raise SchemaViolation(f"{what} is {str(value)[:40]!r}, not a time with zone ({problem})") from problem


def _named(thing: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these fields that is there."""
    return next((thing[name] for name in names if thing.get(name) is not None), None)
