"""Interfaces 16 and 18: the registers of the day, tariff use case 7 (BSI TR-03109-1).

Each gateway delivers its own; the administrator hands those of many on to the metering point operator.
"""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.document import Document
from replay.scenario.names import SUPPLIER, names_of
from replay.scenario.truth import BILLING_STEP_MWH, Meter, Truth
from schemas.time import HOUR_US
from schemas.wire.taf7 import encode_readings, readings_of, register_of

DELIVERED: Final = "16"
HANDED_OVER: Final = "18"

_DELIVERED_AFTER_US: Final = HOUR_US
_HANDED_OVER_AFTER_US: Final = 3 * HOUR_US
_POINTS_IN_A_FILE: Final = 100
_PTB_NO_ERROR: Final = 0
_FNN_RELEVANT: Final = "A000000020000000"
"""Gateway and meter identified, relevant for billing, no error (FNN Lastenheft Smart Meter Gateway)."""

_REGISTERS: Final = ((0, "1-0:1.8.0"), (1, "1-0:2.8.0"))


def documents(truth: Truth) -> Iterator[Document]:
    """One message per metering location, an hour after the day's end: both registers at both edges of every slot.

    Where the meter was exchanged, both registers of both meters, also at the moment of the exchange.
    """
    sent_us = truth.plan.end_us + _DELIVERED_AFTER_US
    for site in range(truth.street.sites):
        name = f"{names_of(truth.street, site).melo}.xml"
        yield Document(sent_us, DELIVERED, name, encode_readings([_point(truth, site)]), 1)


def handed_over(truth: Truth) -> Iterator[Document]:
    """The same values two hours later, many metering locations in one message."""
    sent_us = truth.plan.end_us + _HANDED_OVER_AFTER_US
    for first in range(0, truth.street.sites, _POINTS_IN_A_FILE):
        sites = range(first, min(first + _POINTS_IN_A_FILE, truth.street.sites))
        raw = encode_readings(_point(truth, site) for site in sites)
        yield Document(sent_us, HANDED_OVER, f"{truth.plan.day}-{first:05d}.xml", raw, 1)


def _point(truth: Truth, site: int) -> dict[str, Any]:
    names = names_of(truth.street, site)
    return readings_of(
        melo=names.melo,
        smgw=names.smgw,
        customer=f"customer-{site:05d}",
        invoicing_party=SUPPLIER,
        tariff="TAF 7",
        registers=[
            _register(meter, obis) for row, obis in _REGISTERS for meter in truth.meters_of(row, site, BILLING_STEP_MWH)
        ],
    )


def _register(meter: Meter, obis: str) -> dict[str, Any]:
    values: list[list[Any]] = [
        [time_us, value_mwh // BILLING_STEP_MWH, _PTB_NO_ERROR, _FNN_RELEVANT] for time_us, value_mwh in meter.readings
    ]
    return register_of(obis=obis, device=meter.names.server_id.hex().upper(), values=values)
