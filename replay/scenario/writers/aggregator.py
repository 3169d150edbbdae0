"""Interface 23: what the pool of cars can do and at which price (before the day), and what it bought and sold (after).

The technical aggregator says the first in JSON, the commercial one answers with prices in JSON and settles in CSV.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import numpy as np

from replay.scenario.aggregator import intended
from replay.scenario.document import Document
from replay.scenario.truth import Truth
from schemas.time import HOUR_US
from schemas.wire.aggregator import encode_csv, encode_json

INTERFACE: Final = "23"
POOL: Final = "pool-gegenstrom"
TECHNICAL, COMMERCIAL = "gegenstrom-fleet", "gegenstrom-trading"

_OFFERED_BEFORE_US, _PRICED_BEFORE_US, _SETTLED_AFTER_US = 14 * HOUR_US, 11 * HOUR_US, 2 * HOUR_US
_CHARGED, _DISCHARGED = 2, 3
"""Rows of the truth's registers."""
_STEP_MWH: Final = 1000
_KW: Final = -6
"""Power of ten from mW, as from mWh to kWh."""


def documents(truth: Truth) -> Iterator[Document]:
    """The offer, its prices and schedule, and the settlement; nothing where no car is in the pool."""
    if not np.any(truth.street.aggregated):
        return
    plan = truth.plan
    offered_us, priced_us = plan.start_us - _OFFERED_BEFORE_US, plan.start_us - _PRICED_BEFORE_US
    settled_us = plan.end_us + _SETTLED_AFTER_US
    offer = _message("offer", truth, offered_us, TECHNICAL, COMMERCIAL, _possible(truth))
    prices = _message("prices", truth, priced_us, COMMERCIAL, TECHNICAL, _meant(truth))
    settled = _message("settlement", truth, settled_us, COMMERCIAL, TECHNICAL, _traded(truth))
    yield Document(offered_us, INTERFACE, f"offer-{plan.day}.json", encode_json(offer), 1)
    yield Document(priced_us, INTERFACE, f"prices-{plan.day}.json", encode_json(prices), 1)
    yield Document(settled_us, INTERFACE, f"settlement-{plan.day}.csv", encode_csv(settled), 1)


def _possible(truth: Truth) -> list[dict[str, Any]]:
    """What wallboxes and cars could do if all were there."""
    street, count = truth.street, len(truth.plan.slots)
    most = int(np.sum(street.wallbox_mw * street.aggregated))
    least = -int(np.sum(street.discharge_mw * street.aggregated))
    return [_series(truth, "max_power", "kW", [most] * count), _series(truth, "min_power", "kW", [least] * count)]


def _meant(truth: Truth) -> list[dict[str, Any]]:
    """The price of every quarter hour, and what the pool shall do."""
    street, plan = truth.street, truth.plan
    numbers = range(len(plan.slots))
    wanted = [int(np.sum(intended(street, plan, number) * street.aggregated)) for number in numbers]
    prices = [[plan.slots[number], plan.price(number)] for number in numbers]
    priced = {"object": POOL, "kind": "price", "unit": "EUR/MWh", "values": prices}
    return [priced, _series(truth, "schedule_power", "kW", wanted)]


def _traded(truth: Truth) -> list[dict[str, Any]]:
    """What the pool charged and discharged, by its stations' registers."""
    sites = np.flatnonzero(truth.street.aggregated).tolist()
    traded = []
    for kind, row in (("bought", _CHARGED), ("sold", _DISCHARGED)):
        edges = [sum(column) for column in zip(*(truth.edges_mwh(row, s, _STEP_MWH) for s in sites), strict=True)]
        traded.append(_series(truth, kind, "kWh", [after - before for before, after in pairwise(edges)]))
    return traded


def _series(truth: Truth, kind: str, unit: str, amounts: list[int]) -> dict[str, Any]:
    values = [[slot_us, Decimal(amount).scaleb(_KW)] for slot_us, amount in zip(truth.plan.slots, amounts, strict=True)]
    return {"object": POOL, "kind": kind, "unit": unit, "values": values}


def _message(
    kind: str, truth: Truth, time_us: int, sender: str, receiver: str, listed: list[dict[str, Any]]
) -> dict[str, Any]:
    head = {"document": f"{kind}-{truth.plan.day}", "sender": sender, "receiver": receiver, "created_us": time_us}
    return {**head, "series": listed}
