"""What stands at which address on the links of the control rooms, and the point lists that tell it to a reader.

A list holds for every street and day. Power goes over the wire in kW; what generates and what is called counts as the
partners of that link count it, the list's factor turns it into W, import positive.
"""

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from replay.scenario.document import Document
from replay.scenario.names import GRID_OPERATOR, TRANSMISSION_OPERATOR
from replay.scenario.writers.aggregator import COMMERCIAL, TECHNICAL
from schemas.points import COLUMNS


class Moment(NamedTuple):
    """What is known of the whole street in a minute: power import positive, ``setpoint_mw`` as the pool was called."""

    frequency_mhz: int
    voltage_mv: int
    grid_mw: int
    pool_mw: int
    generated_mw: int
    setpoint_mw: int
    limited: bool


class Listed(NamedTuple):
    """A point of a list. ``what`` gives its value on the wire; None: it is a set point, said when it changes."""

    address: int
    actor: str
    attribute: str
    unit: str
    what: Callable[[Moment], Decimal | bool] | None
    factor: int = 1
    answers: int | None = None


class Link(NamedTuple):
    """Who is connected, every how many minutes values are said at least, and the points; ``cause`` 1 is periodic."""

    source: str
    every_minutes: int
    points: tuple[Listed, ...]


def kilowatts(power_mw: int) -> Decimal:
    """Power as it goes over the wire: kW to the whole watt."""
    return Decimal(power_mw // 1000).scaleb(-3)


def _frequency(moment: Moment) -> Decimal:
    return Decimal(moment.frequency_mhz).scaleb(-3)


def _generated(moment: Moment) -> Decimal:
    return -kilowatts(-moment.generated_mw)


def _pool(moment: Moment) -> Decimal:
    return kilowatts(moment.pool_mw)


_TSO: Final = f"uenb-control-centre:{TRANSMISSION_OPERATOR}"
_PLANT: Final = "plant-operator:roofs"
_TRADER: Final = f"trading-system:{COMMERCIAL}"
CALLED: Final = 3001
"""Address of the set point, on links that have one."""
POOL_POWER: Final = 1002
"""Address of what answers it on interface 25."""

_AGREED: Final = Listed(1001, _TSO, "frequency", "Hz", _frequency)
LINKS: Final[dict[str, Link]] = {
    "21": Link(
        "dso-tso",
        15,
        (
            Listed(
                1001,
                f"vnb-control-centre:{GRID_OPERATOR}",
                "exchange_power",
                "W",
                lambda moment: kilowatts(moment.grid_mw),
                1000,
            ),
        ),
    ),
    "24": Link(
        "tso-trading",
        1,
        (
            _AGREED,
            Listed(
                1002,
                f"commercial-aggregator:{COMMERCIAL}",
                "balancing_setpoint",
                "W",
                lambda moment: kilowatts(moment.setpoint_mw),
                1000,
            ),
        ),
    ),
    "25": Link(
        "tso-fleet",
        1,
        (
            _AGREED,
            Listed(POOL_POWER, f"technical-aggregator:{TECHNICAL}", "power", "W", _pool, 1000, answers=CALLED),
            Listed(CALLED, f"technical-aggregator:{TECHNICAL}", "power_setpoint", "W", None, 1000),
        ),
    ),
    "43": Link(
        "transformer-dso",
        1,
        (
            Listed(1001, "low-voltage-grid:street", "power", "W", lambda moment: kilowatts(moment.grid_mw), 1000),
            Listed(
                1002, "low-voltage-grid:street", "voltage", "V", lambda moment: Decimal(moment.voltage_mv).scaleb(-3)
            ),
            Listed(2001, "low-voltage-grid:street", "section_14a_active", "", lambda moment: moment.limited),
        ),
    ),
    "51": Link("tso-plant", 15, (Listed(1001, _PLANT, "power", "W", _generated, -1000),)),
    "52": Link(
        "dso-plant",
        15,
        (
            Listed(1001, _PLANT, "power", "W", _generated, -1000),
            Listed(CALLED, _PLANT, "max_export_power", "W", None, 1000),
        ),
    ),
    "53": Link("trading-reserve", 15, (_AGREED, Listed(1002, _TRADER, "pool_power", "W", _pool, 1000))),
    "54": Link("trading-spot", 15, (Listed(1002, _TRADER, "pool_power", "W", _pool, 1000),)),
}
"""By interface."""


def station_of(interface: str) -> int:
    """The common address on the link of an interface."""
    return int(interface)


def point_lists() -> list[Document]:
    """The list of each interface, as ``twin`` takes it (:mod:`schemas.points`)."""
    return [Document(0, interface, f"{interface}.csv", _csv(interface, link), 0) for interface, link in LINKS.items()]


def _csv(interface: str, link: Link) -> bytes:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS)
    station = station_of(interface)
    for point in link.points:
        answers = "" if point.answers is None else point.answers
        writer.writerow((station, point.address, point.actor, point.attribute, point.unit, point.factor, answers))
    return sink.getvalue().encode()
