"""Interface 33: what stands behind each connection of the street and who supplies it, since the year began.

Where a meter is exchanged, the location has two rows: until then with the old one, from then on with the new one.
"""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.document import Document
from replay.scenario.names import METERING_OPERATOR, SUPPLIER, SUPPLIER_EIC, Names
from replay.scenario.street import Household, Street
from replay.scenario.truth import BILLING_STEP_MWH, Truth
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
    rows = [row for site in range(street.sites) for row in _rows(truth, site)]
    yield Document(truth.plan.start_us - _SENT_BEFORE_US, INTERFACE, f"locations-{day}.csv", encode(rows), len(rows))


def _rows(truth: Truth, site: int) -> Iterator[dict[str, Any]]:
    """One row, or one for each meter that stood there."""
    from_us = year_slots(truth.plan.day.year)[0]
    meters = truth.meters_of(0, site, BILLING_STEP_MWH)
    for meter, following in zip(meters, [*meters[1:], None], strict=True):
        until_us = None if following is None else following.readings[0][0]
        columns = _columns(meter.names, truth.street, site)
        yield {"melo": meter.names.melo, "valid_from_us": from_us, "valid_until_us": until_us, "columns": columns}
        from_us = until_us or from_us


def _columns(names: Names, street: Street, site: int) -> dict[str, list[list[str]]]:
    return {
        "malo": _one(names.malo),
        "feed_in_malo": _one(names.feed_in_malo),
        "nelo": _one(names.nelo),
        "meters": _one(names.meter),
        "smgw": _one(names.smgw),
        "evses": [_evse(names, street.household(site))] if names.station else [],
        "hems": [[f"{_MAKER}{names.hems}"]],
        "control_box": _one(names.control_box),
        "resources": _one(names.resource),
        "submeters": _one(names.submeter),
        "assets": [[name] for name in (names.inverter, names.storage, names.home_battery) if name],
        "loads": _loads(street, site),
        "supplier": _one(SUPPLIER),
        "balance_group": _one(SUPPLIER_EIC),
        "aggregator": _one(TECHNICAL if street.household(site).aggregated else ""),
        "msb": _one(METERING_OPERATOR),
    }


def _evse(names: Names, household: Household) -> list[str]:
    """The wallbox as backend, energy manager, vehicles and partners call it."""
    known = [f"{names.station}/1", f"{_MAKER}{names.station}", names.evse]
    return [*known, names.evse_number] if household.direct_current else known


def _loads(street: Street, site: int) -> list[list[str]]:
    """What can be limited under section 14a: wallbox, heat pump and battery."""
    ratings_mw = {
        "wallbox": int(street.wallbox_mw[site]),
        "heat-pump": int(street.heat_pump_mw[site]),
        "battery": int(street.home_battery_mw[site]),
    }
    return [[kind, str(rating_mw // 1000)] for kind, rating_mw in ratings_mw.items() if rating_mw]


def _one(name: str) -> list[list[str]]:
    return [[name]] if name else []
