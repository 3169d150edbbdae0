"""What OBIS codes of electricity mean (IEC 62056-6-1), for all formats that carry them: SML, TAF 7, the HAN interface.

Codes are written ``A-B:C.D.E``, with ``*F`` where F is not 255. Groups C.D.E alone are the keys here.
"""

from decimal import Decimal
from typing import Final

from schemas.facts import Direction

DIRECTIONS: Final[dict[str, Direction]] = {"1": "import", "2": "export"}
"""OBIS group C: active energy towards the customer and from it."""

STATE: Final = "8"
"""OBIS group D: the state of a register."""

MWH_EXPONENT: Final = 3
"""From Wh and W to the thousandth part."""

ENERGY_LIMIT_MWH: Final = 10**15
"""A register beyond a billion kilowatt-hours is no reading [M]."""

POWER_LIMIT_MW: Final = 10**9
"""No meter that is read directly carries a megawatt; more is a mix-up of units [M]."""

VALUE_LIMIT: Final = 10**15
"""Nothing else that is measured at a connection of a customer goes beyond that, in the unit itself [M]."""

MOMENTARY: Final = {
    "16.7.0": "power",
    "36.7.0": "power_l1",
    "56.7.0": "power_l2",
    "76.7.0": "power_l3",
    "1.7.0": "power_import",
    "21.7.0": "power_import_l1",
    "41.7.0": "power_import_l2",
    "61.7.0": "power_import_l3",
    "2.7.0": "power_export",
    "22.7.0": "power_export_l1",
    "42.7.0": "power_export_l2",
    "62.7.0": "power_export_l3",
    "13.7.0": "power_factor",
    "14.7.0": "frequency",
    "32.7.0": "voltage_l1",
    "52.7.0": "voltage_l2",
    "72.7.0": "voltage_l3",
    "31.7.0": "current_l1",
    "51.7.0": "current_l2",
    "71.7.0": "current_l3",
    "91.7.0": "current_n",
    "81.7.1": "angle_voltage_l2_l1",
    "81.7.2": "angle_voltage_l3_l1",
    "81.7.4": "angle_l1",
    "81.7.15": "angle_l2",
    "81.7.26": "angle_l3",
}
"""Momentary values, as attributes of the meter; the angle of a phase is the one of current to voltage."""


def scaled(value: int, exponent: int) -> int:
    """``value * 10 ** exponent`` as an integer; what is finer than a unit goes to the nearest, a half to the even one.

    >>> scaled(639108, 2), scaled(15, -1), scaled(25, -1)
    (63910800, 2, 2)
    """
    if exponent >= 0:
        product: int = value * 10**exponent
        return product
    return round(Decimal(value).scaleb(exponent))


def amount(value: int, exponent: int) -> int | Decimal:
    """``value * 10 ** exponent``, exactly.

    >>> amount(2344, -1), amount(137, 0), amount(5, 3)
    (Decimal('234.4'), 137, 5000)
    """
    return value * 10**exponent if exponent >= 0 else Decimal(value).scaleb(exponent)
