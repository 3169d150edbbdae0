"""Interface 8 again: what batteries of houses say to their energy managers over EEBUS.

A battery says what it is and which use case it supports (visualisation of aggregated battery data), then at every edge
of a quarter hour its power, what it has taken and given so far, and its state of charge. Of the first houses of the
street.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from replay.scenario.message import Message
from replay.scenario.names import SPEAKING_HOUSES, names_of
from replay.scenario.plan import SLOT_MINUTES, DayPlan
from replay.scenario.street import MWS_PER_WH, Street
from replay.scenario.world import Quarter
from replay.scenario.writers.eebus_frames import Connection, discovery
from schemas.time import SLOT_US, format_time
from schemas.wire.eebus.datagram import NOTIFY, REPLY, Address, scaled

INTERFACE: Final = "8"
LOG: Final = "8 eebus"

_STEP_US: Final = 10_000
_AFTER_US: Final = 300_000
"""Behind the edge of a quarter hour, when it says what it measured there."""

_POWER, _CHARGED, _DISCHARGED, _SOC = range(4)
_MEASUREMENTS: Final = [
    {"measurementId": _POWER, "measurementType": "power", "unit": "W", "scopeType": "acPowerTotal"},
    {"measurementId": _CHARGED, "measurementType": "energy", "unit": "Wh", "scopeType": "charge"},
    {"measurementId": _DISCHARGED, "measurementType": "energy", "unit": "Wh", "scopeType": "discharge"},
    {"measurementId": _SOC, "measurementType": "percentage", "unit": "pct", "scopeType": "stateOfCharge"},
]
_CONNECTION: Final = {
    "electricalConnectionId": 0,
    "powerSupplyType": "ac",
    "acConnectedPhases": 3,
    "positiveEnergyDirection": "consume",
}
_PARAMETER: Final = {
    "electricalConnectionId": 0,
    "parameterId": 0,
    "measurementId": _POWER,
    "acMeasuredPhases": "abc",
}
_SUPPORT: Final = {
    "useCaseName": "visualizationOfAggregatedBatteryData",
    "useCaseVersion": "1.0.0",
    "useCaseAvailable": True,
    "scenarioSupport": [1, 2, 3, 4],
}
_DESCRIPTIONS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("measurementDescriptionListData", {"measurementDescriptionData": _MEASUREMENTS}),
    ("electricalConnectionDescriptionListData", {"electricalConnectionDescriptionData": [_CONNECTION]}),
    (
        "electricalConnectionParameterDescriptionListData",
        {"electricalConnectionParameterDescriptionData": [_PARAMETER]},
    ),
)


class Batteries:
    """All batteries of the street that speak EEBUS, through one day."""

    def __init__(self, street: Street, plan: DayPlan) -> None:
        sites = range(min(street.sites, SPEAKING_HOUSES))
        self._batteries = [_Battery(street, plan, site) for site in sites if street.household(site).battery == "EEBUS"]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said in a quarter hour."""
        for battery in self._batteries:
            yield from battery.messages(quarter)


class _Battery:
    """One battery and its energy manager."""

    def __init__(self, street: Street, plan: DayPlan, site: int) -> None:
        names = names_of(street, site)
        self._site, self._plan = site, plan
        self._capacity_mws = int(street.home_battery_mws[site])
        self._device = names.home_battery
        self._battery, self._hems = Address(self._device, (1,), 1), Address(f"d:_n:Gegenstrom_{names.hems}", (1,), 1)
        self._connection = Connection(INTERFACE, names.hems)

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What it says in a quarter hour, and at the end of the last."""
        if quarter.number == 0:
            yield from self._introduces(quarter.start_us + _STEP_US)
        yield self._measures(quarter, 0, quarter.start_us)
        if quarter.number == len(self._plan.slots) - 1:
            yield self._measures(quarter, SLOT_MINUTES, quarter.start_us + SLOT_US)

    def _introduces(self, time_us: int) -> Iterator[Message]:
        """What a connection begins with: what the battery is and can, and what its measurements mean."""
        management = Address(self._device, (0,), 0)
        entities: dict[tuple[int, ...], str] = {(0,): "DeviceInformation", (1,): "BatterySystem"}
        serial = self._device.rpartition("_")[2]
        address = {"device": self._device, "entity": [1], "feature": 1}
        use_case = {"address": address, "actor": "BatterySystem", "useCaseSupport": [_SUPPORT]}
        said: tuple[tuple[str, dict[str, Any]], ...] = (
            ("nodeManagementDetailedDiscoveryData", discovery(self._device, "ElectricityStorageSystem", entities)),
            ("nodeManagementUseCaseData", {"useCaseInformation": [use_case]}),
            ("deviceClassificationManufacturerData", {"serialNumber": serial, "brandName": "Gegenstrom"}),
        )
        for place, (function, data) in enumerate(said):
            yield self._says(time_us + place * _STEP_US, function, data, management, REPLY)
        for place, (function, data) in enumerate(_DESCRIPTIONS, len(said)):
            yield self._says(time_us + place * _STEP_US, function, data, self._battery, REPLY)

    def _measures(self, quarter: Quarter, column: int, time_us: int) -> Message:
        site = self._site
        power_w = quarter.stored_w(site, min(column, SLOT_MINUTES - 1))
        values = {
            _POWER: power_w,
            _CHARGED: int(quarter.home_charged_mws[site, column]) // MWS_PER_WH,
            _DISCHARGED: int(quarter.home_discharged_mws[site, column]) // MWS_PER_WH,
            _SOC: int(quarter.home_stored_mws[site, column]) * 100 // self._capacity_mws,
        }
        items = [
            {
                "measurementId": number,
                "valueType": "value",
                "timestamp": format_time(time_us),
                "value": scaled(Decimal(value)),
            }
            for number, value in values.items()
        ]
        data = {"measurementData": items}
        return self._says(time_us + _AFTER_US, "measurementListData", data, self._battery, NOTIFY)

    def _says(self, time_us: int, function: str, data: dict[str, Any], speaker: Address, kind: str) -> Message:
        return self._connection.says(time_us, (speaker, self._hems), kind, function, data)._replace(log=LOG)
