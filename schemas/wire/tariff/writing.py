"""Tariff answers of our own making; what is written reads back as the same payload."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import orjson

from schemas.time import SLOT_US, format_time


def tariff_of(
    from_us: int, prices: Iterable[Decimal], *, supplier: str, tariff: str, issued_us: int, unit: str, malo: str = ""
) -> dict[str, Any]:
    """The payload of an answer with a price for each quarter hour from a time on."""
    starts = ((from_us + number * SLOT_US, price) for number, price in enumerate(prices))
    return {
        "supplier": supplier,
        "tariff": tariff,
        "malo": malo,
        "issued_us": issued_us,
        "unit": unit,
        "prices": [[start_us, start_us + SLOT_US, price] for start_us, price in starts],
    }


def encode_tariff(said: dict[str, Any]) -> bytes:
    """The answer of a payload; prices keep their digits."""
    head = {name: said[name] for name in ("supplier", "tariff", "malo", "unit") if said[name]}
    if said["issued_us"] is not None:
        head["issued"] = format_time(said["issued_us"])
    rows = [
        {"start": format_time(start_us), "end": format_time(end_us), "price": orjson.Fragment(format(price, "f"))}
        for start_us, end_us, price in said["prices"]
    ]
    return orjson.dumps({**head, "prices": rows})
