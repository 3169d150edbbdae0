"""Under which identifiers a site and its devices are known; unique for every site, check digits valid."""

from dataclasses import dataclass
from importlib import import_module
from typing import Final

from replay.scenario.street import Street

GRID_OPERATOR: Final = "000562"
POSTCODE: Final = "12043"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one site; "" where it has no such thing.

    ``malo`` is the market location that draws, ``malo_feed_in`` the one that feeds in.
    """

    site: int
    malo: str
    malo_feed_in: str
    melo: str
    meter: str
    smgw: str
    hems: str
    station: str
    token: str
    car: str


def names_of(street: Street, site: int) -> Names:
    """The names of a site.

    >>> names_of(Street(1, 12), 3).station
    'GS-00003'
    """
    with_check_digit = import_module("schemas.identifiers").with_check_digit
    household = street.household(site)
    feeds_in = household.pv or household.bidirectional
    has_wallbox = bool(household.ocpp)
    return Names(
        site=site,
        malo=with_check_digit(f"{5_101_200_000 + site}"),
        malo_feed_in=with_check_digit(f"{5_101_300_000 + site}") if feeds_in else "",
        melo=f"DE{GRID_OPERATOR}{POSTCODE}{site:020d}",
        meter=f"1EMH00{12_000_000 + site:08d}",
        smgw=f"EPPC02{10_000_000 + site:08d}",
        hems=f"HEMS-{site:05d}",
        station=f"GS-{site:05d}" if has_wallbox else "",
        token=f"DEGGSC{site:08d}" if has_wallbox else "",
        car=f"WGGZZZ1BZTA{site:06d}" if has_wallbox else "",
    )
