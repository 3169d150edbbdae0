"""What Modbus says of a customer's asset: points of SunSpec and registers of the operator's point list.

:mod:`twin.observe.modbus` says it. Power and current are import positive, whatever direction SunSpec counts positive; a
test holds units and names to the points that are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.facts import Scalar
from twin.actors.model import Twin, anything, carrying, flag, quantity, text
from twin.actors.values import Numbers, at_most
from twin.amounts import Number

MODBUS: Final = carrying("modbus")

_A_MEGAWATT: Final = at_most(10**6)
_POSITIVE: Final = Numbers(0)
_PERCENT: Final = Numbers(0, 100)
_FLAGS: Final = "none, or names of SunSpec"


@dataclass(frozen=True, kw_only=True)
class Listed(Twin):
    """An actor of the point list that registers are read by (:mod:`schemas.points`)."""

    point: Mapping[str, Scalar] = anything(
        MODBUS, "a register of the point list, as an attribute of the list's name and unit", name="*", hint="as read"
    )


@dataclass(frozen=True, kw_only=True)
class SunSpec(Twin):
    """What the information models of SunSpec say beside what EEBUS says too."""

    alarms: str | None = text(MODBUS, "alarms", hint=_FLAGS)
    temperature: Number | None = quantity("°C", MODBUS, "temperature of cabinet or ambient", Numbers(-100, 1000))
    grid_connection: str | None = text(
        MODBUS, "whether it is connected to the grid (701)", hint="CONNECTED, DISCONNECTED"
    )
    dc_power: Number | None = quantity("W", MODBUS, "power on the side of direct current", _A_MEGAWATT)
    dc_voltage: Number | None = quantity("V", MODBUS, "voltage on the side of direct current", _POSITIVE)
    rated_power: Number | None = quantity("W", MODBUS, "power it is built for", _POSITIVE)
    der_type: str | None = text(MODBUS, "what kind of source it is (120)", hint="PV, PV_STOR")
    max_export_power: Number | None = quantity("W", MODBUS, "most it is set to feed in", _POSITIVE)
    connection_control: str | None = text(MODBUS, "whether it shall be connected (123)", hint="CONNECT, DISCONNECT")
    enter_service: str | None = text(MODBUS, "whether it may enter service (703)", hint="ENABLED, DISABLED")
    export_limit: Number | None = quantity("%", MODBUS, "limit of feeding in, of the power it is set to", _PERCENT)
    export_limit_active: bool | None = flag(MODBUS, "whether that limit is to be kept")
    power_setpoint: Number | None = quantity("W", MODBUS, "set point, import positive", _A_MEGAWATT)
    power_setpoint_active: bool | None = flag(MODBUS, "whether that set point is to be kept")
    capacity: Number | None = quantity("Wh", MODBUS, "energy a battery can hold", _POSITIVE)
    energy_available: Number | None = quantity("Wh", MODBUS, "energy that a battery holds", _POSITIVE)
    min_reserve: Number | None = quantity("%", MODBUS, "share of the battery that is kept", _PERCENT)
    charge_status: str | None = text(
        MODBUS, "what the battery does", hint="OFF, EMPTY, DISCHARGING, CHARGING, FULL, HOLDING, TESTING"
    )
    storage_control: str | None = text(
        MODBUS, "which limits of the storage hold (124)", hint="none, CHARGE, DISCHARGE, both"
    )
    charge_limit: Number | None = quantity("%", MODBUS, "limit of charging, of the largest power", Numbers(-100, 100))
    discharge_limit: Number | None = quantity(
        "%", MODBUS, "limit of discharging, of the largest power", Numbers(-100, 100)
    )
    storage_status: str | None = text(MODBUS, "how the storage is (713)", hint="OK, WARNING, ERROR")
    battery_state: str | None = text(MODBUS, "how the battery bank is (802)", hint="CONNECTED, STANDBY, FAULT ...")
    battery_voltage: Number | None = quantity("V", MODBUS, "voltage of the battery bank", _POSITIVE)
    battery_power: Number | None = quantity("W", MODBUS, "power of the battery bank, charging positive", _A_MEGAWATT)
    battery_temperature: Number | None = quantity("°C", MODBUS, "hottest module", Numbers(-100, 1000))
    strings_connected: str | None = text(MODBUS, "how many strings are connected (803)", hint="number")
    meter_power: Number | None = quantity("W", MODBUS, "power at the meter beside it, import positive", _A_MEGAWATT)
    meter_frequency: Number | None = quantity("Hz", MODBUS, "frequency at that meter", Numbers(0, 100))
    meter_alarms: str | None = text(MODBUS, "alarms of that meter", hint=_FLAGS)
    meter_voltage: Mapping[str, Number] = quantity("V", MODBUS, "voltage of a phase there", name="meter_voltage_l?")
    meter_power_of_phase: Mapping[str, Number] = quantity(
        "W", MODBUS, "power of a phase there, import positive", name="meter_power_l?"
    )
    meter_current: Mapping[str, Number] = quantity(
        "A", MODBUS, "current of a phase there, import positive", name="meter_current_l?"
    )
