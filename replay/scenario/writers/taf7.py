"""Interface 16: the registers of the day as each gateway delivers them, tariff use case 7 (BSI TR-03109-1)."""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.document import Document
from replay.scenario.names import Names, names_of
from replay.scenario.truth import BILLING_STEP_MWH, Truth
from schemas.time import HOUR_US
from schemas.wire.taf7 import encode_readings, readings_of, register_of

INTERFACE: Final = "16"

_SENT_AFTER_US: Final = HOUR_US
_SUPPLIER: Final = "9900987654329"
_PTB_NO_ERROR: Final = 0
_FNN_RELEVANT: Final = "A000000020000000"
"""Gateway and meter identified, relevant for billing, no error (FNN Lastenheft Smart Meter Gateway)."""

_REGISTERS: Final = ((0, "1-0:1.8.0"), (1, "1-0:2.8.0"))


def documents(truth: Truth) -> Iterator[Document]:
    """One message per metering location, an hour after the day's end: both registers at both edges of every slot."""
    times = [*truth.plan.slots, truth.plan.end_us]
    sent_us = truth.plan.end_us + _SENT_AFTER_US
    for site in range(truth.street.sites):
        names = names_of(truth.street, site)
        registers = [_register(truth, names, times, row, obis) for row, obis in _REGISTERS]
        point = readings_of(
            melo=names.melo,
            smgw=names.smgw,
            customer=f"customer-{site:05d}",
            invoicing_party=_SUPPLIER,
            tariff="TAF 7",
            registers=registers,
        )
        yield Document(sent_us, INTERFACE, f"{names.melo}.xml", encode_readings([point]), 1)


def _register(truth: Truth, names: Names, times: list[int], row: int, obis: str) -> dict[str, Any]:
    edges_mwh = truth.edges_mwh(row, names.site, BILLING_STEP_MWH)
    values: list[list[Any]] = [
        [time_us, edge_mwh // BILLING_STEP_MWH, _PTB_NO_ERROR, _FNN_RELEVANT]
        for time_us, edge_mwh in zip(times, edges_mwh, strict=True)
    ]
    return register_of(obis=obis, device=names.server_id.hex().upper(), values=values)
