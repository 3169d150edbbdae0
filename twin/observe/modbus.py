"""What Modbus says: SunSpec's points as attributes of their device, registers of the point list as theirs.

SunSpec counts what inverters and DER give as positive; here import is positive, so their power changes its sign. Meters
(models 201 to 214) count import positive already. What a battery bank (802) means by the sign of its power, its model
does not say: it is taken from its charge status. Energy registers are readings of the device, indicative.

A model of meters that shares its common model with an inverter or DER measures somewhere else: its attributes begin
with ``meter_``, its device ends with ``/meter``. Where 701 stands beside 101 to 113, both say the same; 701 is heard.

Attributes and their units: :data:`ATTRIBUTES`; interfaces 8 and 9 set them.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import INDICATIVE, Direction, Facts, Observation, Reading, Reject, Scalar
from twin.amounts import Number, number, scaled, times
from twin.observe.obis import ENERGY_LIMIT_MWH, VALUE_LIMIT

_INVERTERS: Final = (101, 102, 103, 111, 112, 113)
_METERS: Final = (201, 202, 203, 204, 211, 212, 213, 214)
_DER: Final = 701
_BATTERY: Final = 802
_SOURCES: Final = frozenset({*_INVERTERS, _DER})
_MWH_PER_WH: Final = 1000
_LIMITS: Final = {"frequency": (0, 100), "soc": (0, 100)}
"""Between which values an attribute lies, where those of its kind do not tell: Hz and %."""

_ENABLED: Final = "ENABLED"
_CHARGING, _DISCHARGING = "CHARGING", "DISCHARGING"
_OBIS: Final[dict[Direction, str]] = {"import": "1-0:1.8.0", "export": "1-0:2.8.0"}


class Said(NamedTuple):
    """How a point is told: its attribute, unit ("" for text and flags), and its sign in ours."""

    attribute: str
    unit: str = ""
    sign: int = 1


_PHASES: Final = (("A", "l1"), ("B", "l2"), ("C", "l3"))
_VOLTAGES: Final = {f"PhVph{letter}": Said(f"voltage_{phase}", "V") for letter, phase in _PHASES}

_COMMON: Final = {
    "Mn": Said("vendor"),
    "Md": Said("model"),
    "Vr": Said("firmware_version"),
    "SN": Said("serial_number"),
}
_INVERTER: Final = {
    "W": Said("power", "W", -1),
    "Hz": Said("frequency", "Hz"),
    "DCW": Said("dc_power", "W", -1),
    "DCV": Said("dc_voltage", "V"),
    "TmpCab": Said("temperature", "°C"),
    "St": Said("operating_state"),
    "Evt1": Said("alarms"),
    **_VOLTAGES,
}
_METER: Final = {
    "W": Said("power", "W"),
    "Hz": Said("frequency", "Hz"),
    "Evt": Said("alarms"),
    **_VOLTAGES,
    **{f"Wph{letter}": Said(f"power_{phase}", "W") for letter, phase in _PHASES},
    **{f"Aph{letter}": Said(f"current_{phase}", "A") for letter, phase in _PHASES},
}
_DER_AC: Final = {
    "W": Said("power", "W", -1),
    "Hz": Said("frequency", "Hz"),
    "TmpCab": Said("temperature", "°C"),
    "InvSt": Said("operating_state"),
    "ConnSt": Said("grid_connection"),
    "Alrm": Said("alarms"),
    **{f"VL{phase}": Said(f"voltage_l{phase}", "V") for phase in (1, 2, 3)},
    **{f"WL{phase}": Said(f"power_l{phase}", "W", -1) for phase in (1, 2, 3)},
    **{f"AL{phase}": Said(f"current_l{phase}", "A", -1) for phase in (1, 2, 3)},
}
_RATINGS: Final = {
    120: {"WRtg": Said("rated_power", "W"), "DERTyp": Said("der_type"), "WHRtg": Said("capacity", "Wh")},
    121: {"WMax": Said("max_export_power", "W")},
    702: {
        "WMaxRtg": Said("rated_power", "W"),
        "WMax": Said("max_export_power", "W"),
        "WChaRteMax": Said("max_charge_power", "W"),
        "WDisChaRteMax": Said("max_discharge_power", "W"),
    },
}
_CONTROLS: Final = {
    123: {
        "Conn": Said("connection_control"),
        "WMaxLimPct": Said("export_limit", "%"),
        "WMaxLim_Ena": Said("export_limit_active"),
    },
    703: {"ES": Said("enter_service")},
    704: {
        "WMaxLimPct": Said("export_limit", "%"),
        "WMaxLimPctEna": Said("export_limit_active"),
        "WSet": Said("power_setpoint", "W", -1),
        "WSetEna": Said("power_setpoint_active"),
    },
}
_STORAGE: Final = {
    124: {
        "WChaMax": Said("max_charge_power", "W"),
        "ChaState": Said("soc", "%"),
        "MinRsvPct": Said("min_reserve", "%"),
        "ChaSt": Said("charge_status"),
        "StorCtl_Mod": Said("storage_control"),
        "InWRte": Said("charge_limit", "%"),
        "OutWRte": Said("discharge_limit", "%"),
    },
    713: {
        "SoC": Said("soc", "%"),
        "SoH": Said("soh", "%"),
        "WHRtg": Said("capacity", "Wh"),
        "WHAvail": Said("energy_available", "Wh"),
        "Sta": Said("storage_status"),
    },
    714: {"DCW": Said("dc_power", "W", -1)},
    _BATTERY: {
        "SoC": Said("soc", "%"),
        "SoH": Said("soh", "%"),
        "WHRtg": Said("capacity", "Wh"),
        "WChaRteMax": Said("max_charge_power", "W"),
        "WDisChaRteMax": Said("max_discharge_power", "W"),
        "ChaSt": Said("charge_status"),
        "State": Said("battery_state"),
        "V": Said("battery_voltage", "V"),
        "Evt1": Said("alarms"),
    },
    803: {"ModTmpMax": Said("battery_temperature", "°C"), "NStrCon": Said("strings_connected")},
}
POINTS: Final[dict[int, dict[str, Said]]] = {
    1: _COMMON,
    **dict.fromkeys(_INVERTERS, _INVERTER),
    **dict.fromkeys(_METERS, _METER),
    _DER: _DER_AC,
    **_RATINGS,
    **_CONTROLS,
    **_STORAGE,
}
"""By model: the points that are told."""

_ENERGY: Final[dict[int, dict[str, Direction]]] = {
    **{inverter: {"WH": "export"} for inverter in _INVERTERS},
    **{meter: {"TotWhImp": "import", "TotWhExp": "export"} for meter in _METERS},
    _DER: {"TotWhAbs": "import", "TotWhInj": "export"},
}
ATTRIBUTES: Final = {said.attribute: said.unit for points in POINTS.values() for said in points.values()} | {
    "battery_power": "W"
}
"""Every attribute with its unit; ``meter_`` stands before those of a meter beside an inverter."""


def observe(event: Event, facts: Facts) -> None:
    """Append what registers say that were read or dumped, or written and confirmed."""
    payload = event.payload
    models, registers = payload.get("models", ()), payload.get("registers", ())
    if not models and not registers:
        return
    if event.time_us is None:
        detail = f"{event.actor}: neither log nor dump says when these registers were read"
        facts.rejects.append(Reject("no-time", detail))
        return
    for found in models:
        if found["id"] in POINTS and not (found["id"] in _INVERTERS and _DER in found["beside"]):
            _Model(found, payload["link"], event.time_us, facts).tell()
    for entry in registers:
        _register(entry, event.time_us, facts)


class _Model:
    """One model of a message, being told."""

    def __init__(self, found: dict[str, Any], link: str, time_us: int, facts: Facts) -> None:
        self._id: int = found["id"]
        self._found, self._time_us, self._facts = found, time_us, facts
        self._device: str = found["device"] or link
        is_beside = self._id in _METERS and bool(_SOURCES.intersection(found["beside"]))
        self._prefix, self._part = ("meter_", "/meter") if is_beside else ("", "")

    def tell(self) -> None:
        """Observations, readings, and what cannot be believed."""
        points = self._found.get("points", {})
        for name, reason in self._found.get("doubtful", {}).items():
            self._reject(f"{name} of model {self._id}: {reason}")
        for name, said in POINTS[self._id].items():
            if name in points:
                self._observe(said, _signed(points[name], said))
        for name, direction in _ENERGY.get(self._id, {}).items():
            if name in points:
                self._reading(points[name], direction)
        if self._id == _BATTERY:
            self._battery(points)

    def _observe(self, said: Said, value: Scalar) -> None:
        found = number(value) if said.unit else None
        least, most = _LIMITS.get(said.attribute, (-VALUE_LIMIT, VALUE_LIMIT))
        if found is not None and not least <= found <= most:
            self._reject(f"{said.attribute} of {found} {said.unit}")
        else:
            attribute = self._prefix + said.attribute
            self._facts.observations.append(
                Observation(f"asset:{self._device}", attribute, value, said.unit, self._time_us)
            )

    def _reading(self, value: Any, direction: Direction) -> None:
        energy_wh = number(value)
        if energy_wh is None:
            return
        energy_mwh: int = scaled(energy_wh, _MWH_PER_WH)
        if not 0 <= energy_mwh <= ENERGY_LIMIT_MWH:
            self._reject(f"a register that stands at {energy_wh} Wh")
            return
        device = self._device + self._part
        obis = _OBIS[direction]
        self._facts.readings.append(Reading(device, device, obis, direction, self._time_us, energy_mwh, INDICATIVE))

    def _battery(self, points: dict[str, Any]) -> None:
        """The power of a battery bank, positive where it is charged; untold where nothing says which way it flows."""
        power_w, status = number(points.get("W")), points.get("ChaSt")
        if power_w is None:
            return
        if power_w and status not in {_CHARGING, _DISCHARGING}:
            return
        magnitude_w = times(power_w, -1) if power_w < 0 else power_w
        self._observe(Said("battery_power", "W"), times(magnitude_w, -1 if status == _DISCHARGING else 1))

    def _reject(self, detail: str) -> None:
        self._facts.rejects.append(Reject("implausible", f"asset:{self._device}: {detail}"))


def _signed(value: Any, said: Said) -> Scalar:
    """A point's value in our sign; lists of flags as text, switches as truth."""
    if said.attribute.endswith("_active"):
        return bool(value == _ENABLED)
    if isinstance(value, list):
        return _listed(value)
    if not said.unit:
        return str(value)
    found: Number | None = number(value)
    return None if found is None else times(found, said.sign)


def _listed(flags: Iterable[str]) -> str:
    return ", ".join(flags) or "none"


def _register(entry: dict[str, Any], time_us: int, facts: Facts) -> None:
    point = entry["point"]
    value = Decimal(entry["value"]) * Decimal(point["factor"])
    exact: Number = int(value) if value == value.to_integral_value() else value.normalize()
    facts.observations.append(Observation(point["actor"], point["attribute"], exact, point["unit"], time_us))
