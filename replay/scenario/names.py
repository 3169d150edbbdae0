"""Under which identifiers a site and its devices are known; unique for every site, check digits valid."""

from dataclasses import astuple, dataclass, replace
from typing import Final

from replay.scenario.street import Household, Street
from schemas.identifiers import make_bdew_code, make_eic, make_malo, make_resource

GRID_OPERATOR: Final = "000562"
POSTCODE: Final = "12043"
CPO_COUNTRY, CPO_PARTY = "DE", "GGS"
"""Who operates the charging stations."""
CPO_NUMBER: Final = "49*811"
"""The same in numbers: country and operator (DIN SPEC 91286)."""
METERING_OPERATOR: Final = make_bdew_code("990012345600")
GRID_BILLING: Final = make_bdew_code("990005620000")
MARKET_DESK: Final = make_bdew_code("990077777000")
"""Who settles balance groups on the market."""
VALUE_SERVICE: Final = make_bdew_code("990055555000")
"""A passive external market participant: it is sent values and hands on the state of the grid."""
TRADING_DESK: Final = make_bdew_code("990044444000")
"""The commercial aggregator, as market messages name it."""
TRANSMISSION_OPERATOR: Final = "TSO"
SUPPLIER: Final = "9900987654329"
SUPPLIER_EIC: Final = make_eic("11XGEGENSTROM-1")
PRICE_PUBLISHER: Final = "10X1001A1001A450"
"""ENTSO-E."""
BIDDING_ZONE: Final = "10Y1001A1001A82H"
"""Germany and Luxembourg."""
SPEAKING_HOUSES: Final = 24
"""So many houses have devices that are read over Modbus or M-Bus, or a battery that speaks EEBUS."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one site; "" where it has no such thing.

    ``nelo`` is its connection to the grid, ``malo`` the market location of what it draws, ``feed_in_malo`` that of what
    it gives back. ``resource`` is what the grid operator limits under section 14a (SR-ID), ``control_box`` the device
    that is told. The wallbox is a ``station`` for its backend and an ``evse`` for vehicles and roaming partners;
    ``charge_meter`` counts in it.

    Only the first houses of a street (:data:`SPEAKING_HOUSES`) have four more: ``submeter`` is an M-Bus meter in
    front of the wallbox, ``inverter`` and ``storage`` are what the energy manager reads over Modbus: the roof, and the
    car at a bidirectional wallbox. ``home_battery`` is the house's own, as it is called over Modbus or EEBUS.
    """

    site: int
    melo: str
    malo: str
    feed_in_malo: str
    meter: str
    smgw: str
    hems: str
    station: str
    token: str
    car: str
    resource: str
    control_box: str
    nelo: str
    evse: str
    charge_meter: str
    submeter: str
    inverter: str
    storage: str
    home_battery: str

    @property
    def car_address(self) -> str:
        """The address of the car's communication controller (EUI-48), by which wallbox and energy manager know it."""
        return f"02000000{self.site:04X}"

    @property
    def evse_number(self) -> str:
        """The wallbox as vehicles know it that speak DIN SPEC 70121: by digits alone (DIN SPEC 91286)."""
        return f"{CPO_NUMBER}*{self.site:05d}*1"

    @property
    def server_id(self) -> bytes:
        """The meter's number in ten bytes, as SML and the gateway carry it (DIN 43863-5, annex)."""
        medium, maker, block, number = self.meter[0], self.meter[1:4], self.meter[4:6], self.meter[6:]
        return bytes([0x0A, int(medium)]) + maker.encode() + bytes([int(block, 16)]) + int(number).to_bytes(4)

    def exchanged(self) -> "Names":
        """The same with the meter that comes when this one is taken off."""
        return replace(self, meter=f"1EMH00{22_000_000 + self.site:08d}")

    def all(self) -> list[str]:
        """Every name there is."""
        return [value for value in astuple(self)[1:] if value]


def names_of(street: Street, site: int) -> Names:
    """The names of a site.

    >>> names_of(Street(1, 12), 3).station
    'GS-00003'
    """
    household = street.household(site)
    has_wallbox, speaks = bool(household.ocpp), site < SPEAKING_HOUSES
    return Names(
        site=site,
        melo=f"DE{GRID_OPERATOR}{POSTCODE}{site:020d}",
        malo=make_malo(f"41{site:08d}"),
        feed_in_malo=make_malo(f"42{site:08d}") if household.pv or household.bidirectional else "",
        meter=f"1EMH00{12_000_000 + site:08d}",
        smgw=f"EPPC02{10_000_000 + site:08d}",
        hems=f"HEMS-{site:05d}",
        station=f"GS-{site:05d}" if has_wallbox else "",
        token=f"DEGGSC{site:08d}" if has_wallbox else "",
        car=f"WGGZZZ1BZTA{site:06d}" if has_wallbox else "",
        resource=make_resource(f"C{site:09d}") if household.limited else "",
        control_box=f"d:_n:Gegenstrom_CLS-{site:05d}" if household.limited else "",
        nelo=make_resource(f"E{site:09d}"),
        evse=f"{CPO_COUNTRY}*{CPO_PARTY}*E{site:05d}*1" if has_wallbox else "",
        charge_meter=f"1GGS00{site:08d}" if has_wallbox else "",
        submeter=f"1NZR01{30_000_000 + site:08d}" if speaks and household.heat_pump and household.bidirectional else "",
        inverter=f"PV-{site:05d}" if speaks and household.pv else "",
        storage=f"BAT-{site:05d}" if speaks and household.pv and household.bidirectional else "",
        home_battery=_home_battery(site, household) if speaks else "",
    )


def _home_battery(site: int, household: Household) -> str:
    """A serial number over Modbus, the address of the device over EEBUS."""
    number = f"HB-{site:05d}"
    return {"": "", "Modbus": number, "EEBUS": f"d:_n:Gegenstrom_{number}"}[household.battery]
