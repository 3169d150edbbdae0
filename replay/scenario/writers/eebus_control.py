"""Interface 9: what control boxes and energy managers say to each other over EEBUS (use case LPC).

A control box sends a heartbeat every minute. In the morning it says that nothing is limited, in the section-14a event
what the limit is and for how long; the energy manager accepts. Where the control box falls silent for some minutes, as
one of the faults, it says again what holds when it is back.
"""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.faults import Faults
from replay.scenario.message import Message
from replay.scenario.names import names_of
from replay.scenario.plan import LIMIT_MW, SLOT_MINUTES, DayPlan
from replay.scenario.street import Street
from replay.scenario.world import Quarter
from replay.scenario.writers.eebus_frames import Connection, discovery
from schemas.time import HOUR_US, MINUTE_US, SECOND_US
from schemas.wire.eebus.datagram import NOTIFY, REPLY, RESULT, WRITE, Address, scaled
from schemas.wire.eebus.moments import duration_text

INTERFACE: Final = "9"
FAILSAFE_W: Final = 10_000
"""Failsafe limit of a household: above what its heat pump and appliances draw together."""

FAILSAFE_US: Final = 2 * HOUR_US

_STEP_US: Final = 10_000
_ANSWER_US: Final = 200_000
_LIMIT: Final = {
    "limitId": 0,
    "limitType": "signDependentAbsValueLimit",
    "limitCategory": "obligation",
    "limitDirection": "consume",
    "unit": "W",
    "scopeType": "activePowerLimit",
}
_KEYS: Final = [
    {"keyId": 0, "keyName": "failsafeConsumptionActivePowerLimit", "valueType": "scaledNumber", "unit": "W"},
    {"keyId": 1, "keyName": "failsafeDurationMinimum", "valueType": "duration"},
]
_VALUES: Final = [
    {"keyId": 0, "value": {"scaledNumber": scaled(FAILSAFE_W)}},
    {"keyId": 1, "value": {"duration": duration_text(FAILSAFE_US)}},
]
_DESCRIPTIONS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("loadControlLimitDescriptionListData", {"loadControlLimitDescriptionData": [_LIMIT]}),
    ("deviceConfigurationKeyValueDescriptionListData", {"deviceConfigurationKeyValueDescriptionData": _KEYS}),
    ("deviceConfigurationKeyValueListData", {"deviceConfigurationKeyValueData": _VALUES}),
)


class ControlBoxes:
    """All control boxes of the street through one day."""

    def __init__(self, street: Street, plan: DayPlan, faults: Faults) -> None:
        sites = range(street.sites)
        self._boxes = [_ControlBox(street, plan, site, faults) for site in sites if street.household(site).limited]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said in a quarter hour, not in order."""
        for box in self._boxes:
            yield from box.messages(quarter)


class _ControlBox:
    """One control box and the energy manager it limits."""

    def __init__(self, street: Street, plan: DayPlan, site: int, faults: Faults) -> None:
        self._plan = plan
        names = names_of(street, site)
        self._box = Address(names.control_box, (1,), 1)
        self._hems = Address(f"d:_n:Gegenstrom_{names.hems}", (1,), 1)
        self._connection = Connection(INTERFACE, f"CLS-{site:05d}")
        self._limit_w = LIMIT_MW // 1000 * (1 + street.household(site).heat_pump)
        self._silent = faults.silent_of(site, plan)
        self._beat_us = street.draws.one("heartbeat of control box", 1_000_000, 58_000_000, site)

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What both say in a quarter hour."""
        first, limited = quarter.number * SLOT_MINUTES, self._plan.limit_minutes
        if first == 0:
            yield from self._introduce()
        for minute in range(first, first + SLOT_MINUTES):
            time_us = self._plan.minute_us(minute)
            if minute == limited.start:
                yield from self._limits(time_us, duration_us=len(limited) * MINUTE_US)
            elif minute == limited.stop:
                yield self._tells_the_end(time_us)
            if minute in self._silent:
                continue
            yield self._beats(minute, time_us + self._beat_us)
            if minute in {0, self._silent.stop}:
                yield from self._limits(time_us + self._beat_us + SECOND_US, duration_us=None)

    def _introduce(self) -> Iterator[Message]:
        """What a connection begins with: what both are, and what the energy manager can be told."""
        time_us = self._plan.start_us + _STEP_US
        for place, (speaker, kind, inside) in enumerate(
            ((self._box, "ElectricitySupplySystem", "GridGuard"), (self._hems, "EnergyManagementSystem", "CEM"))
        ):
            entities: dict[tuple[int, ...], str] = {(0,): "DeviceInformation", (1,): inside}
            data = discovery(speaker.device, kind, entities)
            listener = self._hems if speaker is self._box else self._box
            ends = Address(speaker.device, (0,), 0), Address(listener.device, (0,), 0)
            function = "nodeManagementDetailedDiscoveryData"
            yield self._connection.says(time_us + place * _STEP_US, ends, REPLY, function, data)
        for place, (function, data) in enumerate(_DESCRIPTIONS, 2):
            yield self._connection.says(time_us + place * _STEP_US, (self._hems, self._box), REPLY, function, data)

    def _beats(self, minute: int, time_us: int) -> Message:
        data = {"heartbeatCounter": minute, "heartbeatTimeout": "PT60S"}
        return self._connection.says(time_us, (self._box, self._hems), NOTIFY, "deviceDiagnosisHeartbeatData", data)

    def _limits(self, time_us: int, *, duration_us: int | None) -> Iterator[Message]:
        """The limit of the event, or (without a duration) that nothing is limited; and that it is accepted."""
        item: dict[str, Any] = {"limitId": 0, "isLimitActive": duration_us is not None}
        if duration_us is not None:
            item["timePeriod"] = {"endTime": duration_text(duration_us)}
        item["value"] = scaled(self._limit_w)
        data, ends = {"loadControlLimitData": [item]}, (self._box, self._hems)
        yield self._connection.says(time_us, ends, WRITE, "loadControlLimitListData", data)
        reference = self._connection.counter(self._box.device)
        yield self._connection.says(
            time_us + _ANSWER_US,
            (self._hems, self._box),
            RESULT,
            "resultData",
            {"errorNumber": 0},
            reference=reference,
        )

    def _tells_the_end(self, time_us: int) -> Message:
        """The energy manager says that the limit is over."""
        item = {"limitId": 0, "isLimitChangeable": True, "isLimitActive": False, "value": scaled(self._limit_w)}
        data = {"loadControlLimitData": [item]}
        return self._connection.says(
            time_us + _ANSWER_US, (self._hems, self._box), NOTIFY, "loadControlLimitListData", data
        )
