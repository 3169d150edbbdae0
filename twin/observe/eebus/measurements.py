"""Measurements (use cases EVCEM, EVSOC, MPC, MGCP and their kin), each explained by its description.

- Power of all phases is ``power`` and, in a message without a register, a sample of the device's metering point. Where
  a device sends its phases one by one, their sum is.
- Consumed and produced energy are registers, import and export. So is what a battery of the house was charged and
  discharged with (VABD); that of a charging session at a wallbox is none, it starts anew.
- SPINE counts positive in ``positiveEnergyDirection`` of the electrical connection: ``consume`` where it does not say
  (all use cases here require it); ``produce`` turns the sign of power and current.
"""

from typing import Any, Final

from schemas.devices import vehicle_name
from schemas.event import Event
from schemas.facts import INDICATIVE, Direction, Facts, Reading, Reject, Sample
from schemas.time import format_time
from twin.amounts import Number, scaled
from twin.observe.eebus.said import PHASES, at, exact, in_unit, owner_of, place_of, tell, whole, words

ENERGY_LIMIT_MWH: Final = 10**15
POWER_LIMIT_MW: Final = 10**9
"""Beyond a billion kilowatt-hours, or a megawatt, nothing here is measured [M]."""

_REGISTERS: Final[dict[str, tuple[str, Direction]]] = {
    "acEnergyConsumed": ("1-0:1.8.0", "import"),
    "gridConsumption": ("1-0:1.8.0", "import"),
    "acEnergyProduced": ("1-0:2.8.0", "export"),
    "acYieldTotal": ("1-0:2.8.0", "export"),
    "gridFeedIn": ("1-0:2.8.0", "export"),
}
_OF_BATTERIES: Final[dict[str, tuple[str, Direction]]] = {
    "charge": ("1-0:1.8.0", "import"),
    "discharge": ("1-0:2.8.0", "export"),
}
"""Scopes that are a register where they are said of a customer's asset."""

_NAMES: Final = {
    "acCurrent": "current",
    "acFrequency": "frequency",
    "acPower": "power",
    "acPowerTotal": "power",
    "acVoltage": "voltage",
    "charge": "session_energy",
    "discharge": "session_energy_discharged",
    "stateOfCharge": "soc",
    "stateOfHealth": "soh",
    "travelRange": "range",
}
_OF_THE_VEHICLE: Final = frozenset({"soc", "soh", "range"})
_SIGNED: Final = frozenset({"acCurrent", "acPower", "acPowerTotal", "dcCurrent", "dcPower", "dcPowerTotal"})
_PER_PHASE: Final = frozenset({"acCurrent", "acPower", "acVoltage"})
_USUAL: Final = frozenset({None, "value"})
_VALID: Final = frozenset({None, "normal"})


def _on_measurements(event: Event, data: dict[str, Any], facts: Facts) -> None:
    explained = event.payload["context"].get("measurements", {})
    message = _Message(event, facts)
    for item in data.get("measurementData", []):
        description = explained.get(f"{item['measurementId']}")
        value = exact(item.get("value"))
        if description is None or value is None:
            continue
        if item.get("valueState") not in _VALID:
            detail = f"{message.actor}: measurement {item['measurementId']} says {item['valueState'][:40]!r} of itself"
            facts.rejects.append(Reject("measurement-state", detail))
        else:
            message.take(item, description, value)
    message.finish()


class _Message:
    """The measurements of one message: what is measured in parts is put together at its end."""

    def __init__(self, event: Event, facts: Facts) -> None:
        self.actor = owner_of(event)
        self._event = event
        self._facts = facts
        self._powers: list[tuple[Number, int]] = []
        self._phases: dict[int, dict[str, Number]] = {}
        self._connected: int = 3
        self._registers = _REGISTERS | _OF_BATTERIES if self.actor.startswith("asset:") else _REGISTERS
        self._readings_before = len(facts.readings)

    def take(self, item: dict[str, Any], description: dict[str, Any], value: Number) -> None:
        """One measurement and what explains it."""
        scope, phases = description.get("scopeType", ""), description.get("acMeasuredPhases")
        self._connected = int(description.get("acConnectedPhases", self._connected))
        time_us = at(self._event, item.get("timestamp"))
        value, unit = in_unit(value, description.get("unit"))
        if scope in _SIGNED and description.get("positiveEnergyDirection") == "produce":
            value = -value
        if scope in _PER_PHASE and phases is None:
            return
        if item.get("valueType") not in _USUAL:
            self._tell(f"{_name(scope, phases)}_{words(item['valueType'])}", value, unit, time_us)
        elif scope in self._registers and unit == "Wh" and (phases in {None, "abc"} or self._connected == 1):
            self._read(scope, value, time_us)
        elif scope in {"acPower", "acPowerTotal"}:
            self._measure_power(phases or "abc" if scope == "acPower" else "abc", value, unit, time_us)
        elif scope == "stateOfCharge" and not 0 <= value <= 100:
            self._refuse("implausible-state-of-charge", f"a battery charged to {value} %", time_us)
        else:
            self._tell(_name(scope, phases), value, unit, time_us)

    def finish(self) -> None:
        """Tell the power of all phases, as a sample where the message has no register."""
        for time_us, phases in self._phases.items():
            if len(phases) == self._connected:
                self._powers.append((sum(phases.values()), time_us))
        as_samples = len(self._facts.readings) == self._readings_before
        for power_w, time_us in self._powers:
            power_mw = scaled(power_w, 1000)
            if abs(power_mw) > POWER_LIMIT_MW:
                self._refuse("implausible-power", f"{power_w} W", time_us)
                continue
            tell(self._facts, self.actor, "power", whole(power_w), "W", time_us)
            if as_samples:
                self._facts.samples.append(Sample(place_of(self.actor), power_mw, time_us, INDICATIVE))

    def _measure_power(self, phases: str, value: Number, unit: str, time_us: int) -> None:
        if phases == "abc":
            self._powers.append((value, time_us))
            return
        self._tell(_name("acPower", phases), value, unit, time_us)
        self._phases.setdefault(time_us, {})[phases] = value

    def _read(self, scope: str, value: Number, time_us: int) -> None:
        obis, direction = self._registers[scope]
        energy_mwh = scaled(value, 1000)
        if 0 <= energy_mwh <= ENERGY_LIMIT_MWH:
            place = place_of(self.actor)
            self._facts.readings.append(Reading(place, place, obis, direction, time_us, energy_mwh, INDICATIVE))
        else:
            self._refuse("implausible-energy", f"register {obis} at {value} Wh", time_us)

    def _tell(self, attribute: str, value: Number, unit: str, time_us: int) -> None:
        """An observation; of a vehicle at a wallbox, as ``ev_...`` and, where its identity is known, of itself."""
        value = whole(value)
        if attribute not in _OF_THE_VEHICLE or not self.actor.startswith("evse:"):
            tell(self._facts, self.actor, attribute, value, unit, time_us)
            return
        tell(self._facts, self.actor, f"ev_{attribute}", value, unit, time_us)
        vehicle = self._event.payload["context"].get("vehicle")
        if vehicle is not None:
            tell(self._facts, f"bev:{vehicle_name(vehicle['id'])}", attribute, value, unit, time_us)

    def _refuse(self, reason: str, what: str, time_us: int) -> None:
        self._facts.rejects.append(Reject(reason, f"{self.actor} at {format_time(time_us)}: {what}"))


def _name(scope: str, phases: str | None) -> str:
    """The attribute of a scope; what is measured of single phases names them."""
    if scope in _NAMES and scope not in _PER_PHASE:
        return _NAMES[scope]
    return _NAMES.get(scope, words(scope) or "measurement") + PHASES.get(phases or "abc", "")


SAID: Final = {"measurementListData": _on_measurements}
