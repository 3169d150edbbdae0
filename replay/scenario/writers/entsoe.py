"""Interface 46: the day-ahead prices of the bidding zone, published at noon of the day before."""

from collections.abc import Iterator
from typing import Final

from replay.scenario.document import Document
from replay.scenario.names import BIDDING_ZONE, PRICE_PUBLISHER, SUPPLIER_EIC
from replay.scenario.truth import Truth
from schemas.time import HOUR_US
from schemas.wire.entsoe import encode_prices, prices_of, series_of

INTERFACE: Final = "46"

_PUBLISHED_BEFORE_US: Final = 11 * HOUR_US


def documents(truth: Truth) -> Iterator[Document]:
    """One publication (A44) with the price of every quarter hour of the day."""
    plan = truth.plan
    created_us = plan.start_us - _PUBLISHED_BEFORE_US
    prices = series_of(BIDDING_ZONE, plan.start_us, map(plan.price, range(len(plan.slots))))
    said = prices_of(f"day-ahead-{plan.day}", created_us, [prices], sender=PRICE_PUBLISHER, receiver=SUPPLIER_EIC)
    yield Document(created_us, INTERFACE, f"A44_{BIDDING_ZONE}_{plan.day}.xml", encode_prices(said), 1)
