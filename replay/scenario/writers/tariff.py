"""Interface 45: the supplier's dynamic tariff as an energy manager asks for it, on the afternoon before."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from replay.scenario.document import Document
from replay.scenario.names import SUPPLIER
from replay.scenario.truth import Truth
from schemas.time import HOUR_US
from schemas.wire.tariff import encode_tariff, tariff_of

INTERFACE: Final = "45"
TARIFF: Final = "gegenstrom-dynamic"

_ISSUED_BEFORE_US: Final = 10 * HOUR_US
_FEES_CT: Final = Decimal("16.50")
_TAX: Final = Decimal("1.19")
_CT_PER_KWH: Final = Decimal("0.1")
"""What one EUR/MWh is in ct/kWh."""


def consumer_price(market_price: Decimal) -> Decimal:
    """Cent per kWh that a household pays when a MWh costs so many EUR at the exchange: with fees and tax.

    >>> consumer_price(Decimal("80.00")), consumer_price(Decimal("-45.00"))
    (Decimal('29.1550'), Decimal('14.2800'))
    """
    return ((market_price * _CT_PER_KWH + _FEES_CT) * _TAX).quantize(Decimal("0.0001"))


def documents(truth: Truth) -> Iterator[Document]:
    """One answer with the price of every quarter hour of the day."""
    plan = truth.plan
    issued_us = plan.start_us - _ISSUED_BEFORE_US
    prices = (consumer_price(plan.price(number)) for number in range(len(plan.slots)))
    said = tariff_of(plan.start_us, prices, supplier=SUPPLIER, tariff=TARIFF, issued_us=issued_us, unit="ct/kWh")
    yield Document(issued_us, INTERFACE, f"tariff-{plan.day}.json", encode_tariff(said), 1)
