"""Under which identifiers a site and its devices are known; unique for every site, check digits valid."""

from dataclasses import astuple, dataclass
from typing import Final

from replay.scenario.street import Street

GRID_OPERATOR: Final = "000562"
POSTCODE: Final = "12043"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one site; "" where it has no such thing."""

    site: int
    melo: str
    meter: str
    smgw: str
    hems: str
    station: str
    token: str
    car: str

    @property
    def server_id(self) -> bytes:
        """The meter's number in ten bytes, as SML and the gateway carry it (DIN 43863-5, annex)."""
        medium, maker, block, number = self.meter[0], self.meter[1:4], self.meter[4:6], self.meter[6:]
        return bytes([0x0A, int(medium)]) + maker.encode() + bytes([int(block, 16)]) + int(number).to_bytes(4)

    def all(self) -> list[str]:
        """Every name there is."""
        return [value for value in astuple(self)[1:] if value]


def names_of(street: Street, site: int) -> Names:
    """The names of a site.

    >>> names_of(Street(1, 12), 3).station
    'GS-00003'
    """
    household = street.household(site)
    has_wallbox = bool(household.ocpp)
    return Names(
        site=site,
        melo=f"DE{GRID_OPERATOR}{POSTCODE}{site:020d}",
        meter=f"1EMH00{12_000_000 + site:08d}",
        smgw=f"EPPC02{10_000_000 + site:08d}",
        hems=f"HEMS-{site:05d}",
        station=f"GS-{site:05d}" if has_wallbox else "",
        token=f"DEGGSC{site:08d}" if has_wallbox else "",
        car=f"WGGZZZ1BZTA{site:06d}" if has_wallbox else "",
    )
