"""Interface 33: what stands behind each connection of the street and who supplies it, since the year began."""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.document import Document
from replay.scenario.names import METERING_OPERATOR, SUPPLIER, SUPPLIER_EIC, Names, names_of
from replay.scenario.truth import Truth
from replay.scenario.writers.aggregator import TECHNICAL
from schemas.calendar import year_slots
from schemas.time import HOUR_US
from schemas.wire.master_data import encode

INTERFACE: Final = "33"

_SENT_BEFORE_US: Final = HOUR_US
_MAKER: Final = "d:_n:Gegenstrom_"
"""How the devices' names begin in EEBUS."""


def documents(truth: Truth) -> Iterator[Document]:
    """One table with a row for each site, an hour before the day."""
    street, day = truth.street, truth.plan.day
    rows = [
        _row(names_of(street, site), day.year, aggregated=street.household(site).aggregated)
        for site in range(street.sites)
    ]
    yield Document(truth.plan.start_us - _SENT_BEFORE_US, INTERFACE, f"locations-{day}.csv", encode(rows), len(rows))


def _row(names: Names, year: int, *, aggregated: bool) -> dict[str, Any]:
    columns: dict[str, list[list[str]]] = {
        "malo": _one(names.malo),
        "feed_in_malo": _one(names.feed_in_malo),
        "meters": _one(names.meter),
        "smgw": _one(names.smgw),
        "evses": [[f"{names.station}/1", f"{_MAKER}{names.station}"]] if names.station else [],
        "hems": [[f"{_MAKER}{names.hems}"]],
        "control_box": [[names.control_box, f"{_MAKER}{names.control_box}"]] if names.control_box else [],
        "resources": _one(names.resource),
        "supplier": _one(SUPPLIER),
        "balance_group": _one(SUPPLIER_EIC),
        "aggregator": _one(TECHNICAL if aggregated else ""),
        "msb": _one(METERING_OPERATOR),
    }
    return {"melo": names.melo, "valid_from_us": year_slots(year)[0], "valid_until_us": None, "columns": columns}


def _one(name: str) -> list[list[str]]:
    return [[name]] if name else []
