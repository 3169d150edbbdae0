"""Interface 3: what the street's wallboxes and their energy managers say to each other over EEBUS.

A wallbox says what it is, which vehicle is plugged in (use case EVCC), every five minutes its power and the vehicle's
state of charge (EVCEM, EVSOC); in the section-14a event its energy manager caps its currents (OPEV).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from replay.scenario.message import Message
from replay.scenario.names import names_of
from replay.scenario.plan import LIMIT_MW, NO_TRIP, SLOT_MINUTES, DayPlan
from replay.scenario.street import Street
from replay.scenario.world import Quarter
from replay.scenario.writers.eebus_frames import Connection, discovery, entity
from schemas.time import SECOND_US
from schemas.wire.eebus.datagram import NOTIFY, REPLY, RESULT, WRITE, Address, scaled

INTERFACE: Final = "3"
EVERY_MINUTES: Final = 5
CAP_A: Final = Decimal(LIMIT_MW // (3 * 23)).scaleb(-4)
"""What three phases of 230 V may carry each in the section-14a event."""

_STEP_US: Final = 10_000
"""Between two messages that follow each other."""

_POWER, _SOC = 0, 1
_PHASES: Final = ("a", "b", "c")
_CURRENTS: Final = (2, 3, 4)
"""Measurement ids: power of all phases, state of charge, current of each phase."""

_MEASUREMENTS: Final = [
    {"measurementId": _POWER, "measurementType": "power", "unit": "W", "scopeType": "acPowerTotal"},
    {"measurementId": _SOC, "measurementType": "percentage", "unit": "pct", "scopeType": "stateOfCharge"},
]
_PARAMETERS: Final = [
    {"electricalConnectionId": 0, "parameterId": 0, "measurementId": _POWER, "acMeasuredPhases": "abc"},
    *(
        {"electricalConnectionId": 0, "parameterId": number, "measurementId": number, "acMeasuredPhases": phase}
        for number, phase in zip(_CURRENTS, _PHASES, strict=True)
    ),
]
_CONNECTION: Final = {
    "electricalConnectionId": 0,
    "powerSupplyType": "ac",
    "acConnectedPhases": 3,
    "positiveEnergyDirection": "consume",
}
_LIMITS: Final = [
    {
        "limitId": limit,
        "limitType": "maxValueLimit",
        "limitCategory": "obligation",
        "measurementId": number,
        "unit": "A",
        "scopeType": "overloadProtection",
    }
    for limit, number in enumerate(_CURRENTS)
]
_DESCRIPTIONS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("measurementDescriptionListData", {"measurementDescriptionData": _MEASUREMENTS}),
    ("electricalConnectionDescriptionListData", {"electricalConnectionDescriptionData": [_CONNECTION]}),
    ("electricalConnectionParameterDescriptionListData", {"electricalConnectionParameterDescriptionData": _PARAMETERS}),
    ("loadControlLimitDescriptionListData", {"loadControlLimitDescriptionData": _LIMITS}),
)


class Wallboxes:
    """All wallboxes of the street through one day."""

    def __init__(self, street: Street, plan: DayPlan) -> None:
        self._boxes = [_Box(street, plan, site) for site in range(street.sites) if street.household(site).ocpp]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said in a quarter hour, not in order."""
        for box in self._boxes:
            yield from box.messages(quarter)


class _Box:
    """One wallbox and its energy manager."""

    def __init__(self, street: Street, plan: DayPlan, site: int) -> None:
        names = names_of(street, site)
        self._site, self._plan = site, plan
        self._station = names.station
        self._device, self._hems = f"d:_n:Gegenstrom_{names.station}", Address(f"d:_n:Gegenstrom_{names.hems}", (1,), 1)
        self._vehicle = Address(self._device, (1, 1), 1)
        self._vehicle_id = bytes.fromhex(names.car_address).hex("-")
        self._connection = Connection(INTERFACE, names.station)
        self._limited = street.household(site).limited
        self._battery_mws = int(street.battery_mws[site])
        self._away = range(int(plan.away_from[site]), int(plan.away_until[site]))
        if self._away.start == NO_TRIP:
            self._away = range(0)
        self._lag_us = street.draws.one("eebus lag", 100_000, 5_000_000, site)

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What both say in a quarter hour."""
        first = quarter.number * SLOT_MINUTES
        if first == 0:
            yield from self._introduces(self._plan.start_us + self._lag_us)
        for minute in range(first, first + SLOT_MINUTES):
            time_us = self._plan.minute_us(minute) + self._lag_us + SECOND_US
            plugged = minute not in self._away
            if minute == self._away.start and self._away:
                yield self._notices(time_us, "removed")
            elif minute == self._away.stop and self._away:
                yield from self._is_plugged_in(time_us)
            if plugged and self._limited and minute in {self._plan.limit_minutes.start, self._plan.limit_minutes.stop}:
                yield from self._is_capped(time_us, active=minute == self._plan.limit_minutes.start)
            if plugged and minute % EVERY_MINUTES == 0:
                yield self._measures(quarter, minute - first, time_us + 20 * _STEP_US)

    def _introduces(self, time_us: int) -> Iterator[Message]:
        """What a connection begins with: what the wallbox is, and the vehicle that is plugged in."""
        entities: dict[tuple[int, ...], str] = {(0,): "DeviceInformation", (1,): "EVSE"}
        management = Address(self._device, (0,), 0)
        data = discovery(self._device, "ChargingStation", entities)
        yield self._says(time_us, "nodeManagementDetailedDiscoveryData", data, management, REPLY)
        maker = {"deviceName": self._station, "serialNumber": self._station, "brandName": "Gegenstrom"}
        yield self._says(time_us + _STEP_US, "deviceClassificationManufacturerData", maker, management, REPLY)
        if 0 not in self._away:
            yield from self._is_plugged_in(time_us + 2 * _STEP_US)

    def _is_plugged_in(self, time_us: int) -> Iterator[Message]:
        yield self._notices(time_us, "added")
        identity = {
            "identificationId": 0,
            "identificationType": "eui48",
            "identificationValue": self._vehicle_id,
        }
        yield self._says(time_us + _STEP_US, "identificationListData", {"identificationData": [identity]})
        for place, (function, data) in enumerate(_DESCRIPTIONS, 2):
            yield self._says(time_us + place * _STEP_US, function, data, kind=REPLY)

    def _notices(self, time_us: int, change: str) -> Message:
        seen = entity(self._device, (1, 1), "EV", lastStateChange=change)
        management = Address(self._device, (0,), 0)
        return self._says(time_us, "nodeManagementDetailedDiscoveryData", {"entityInformation": [seen]}, management)

    def _measures(self, quarter: Quarter, column: int, time_us: int) -> Message:
        site = self._site
        power_mw = quarter.drawn_mw(site, column)
        soc = int(quarter.soc_mws[site, column]) * 100 // self._battery_mws
        items = [
            {"measurementId": _POWER, "valueType": "value", "value": scaled(Decimal(power_mw).scaleb(-3))},
            {"measurementId": _SOC, "valueType": "value", "value": scaled(soc)},
        ]
        return self._says(time_us, "measurementListData", {"measurementData": items})

    def _is_capped(self, time_us: int, *, active: bool) -> Iterator[Message]:
        """The energy manager caps all phases, or lets them go; the wallbox accepts."""
        time_us += 10 * _STEP_US
        items = [{"limitId": number, "isLimitActive": active, "value": scaled(CAP_A)} for number in range(3)]
        to_box, to_hems = (self._hems, self._vehicle), (self._vehicle, self._hems)
        data = {"loadControlLimitData": items}
        yield self._connection.says(time_us, to_box, WRITE, "loadControlLimitListData", data)
        reference = self._connection.counter(self._hems.device)
        done = {"errorNumber": 0}
        yield self._connection.says(time_us + _STEP_US, to_hems, RESULT, "resultData", done, reference=reference)

    def _says(
        self, time_us: int, function: str, data: dict[str, Any], speaker: Address | None = None, kind: str = NOTIFY
    ) -> Message:
        return self._connection.says(time_us, (speaker or self._vehicle, self._hems), kind, function, data)
