"""Which actor a device is: its address says only who made it.

Discovery and use cases say what a device is. Where they were not heard, the interface has two ends, and who owns the
data of the use cases tells which is which: on 3 the wallbox owns measurements and limits and the energy manager reads
and writes them, on 8 the asset, on 9 the energy manager, and there the control box reads and writes. What is neither
is ``spine:<address>`` until it is known.
"""

from typing import Any, Final

UNKNOWN_KIND: Final = "spine"

_BY_DEVICE_TYPE: Final = {
    "ChargingStation": "evse",
    "EnergyManagementSystem": "hems",
    "ElectricitySupplySystem": "control-box",
    "ElectricityStorageSystem": "asset",
    "Dishwasher": "asset",
    "Dryer": "asset",
    "HeatGenerationSystem": "asset",
    "HeatSinkSystem": "asset",
    "HeatStorageSystem": "asset",
    "HVACController": "asset",
    "Inverter": "asset",
    "PVSystem": "asset",
    "SmartEnergyAppliance": "asset",
    "SubMeterElectricity": "asset",
    "Washer": "asset",
}
"""``deviceType`` of the discovery (SPINE resources 1.3.0, DeviceTypeEnumType)."""

_BY_USE_CASE_ACTOR: Final = {
    "EV": "evse",
    "EVSE": "evse",
    "CEM": "hems",
    "BatterySystem": "asset",
    "Compressor": "asset",
    "HeatPump": "asset",
    "Inverter": "asset",
    "PVSystem": "asset",
    "SmartAppliance": "asset",
}
"""Actors of use cases that say what a device is; a controllable system or an energy guard may be many things."""

_GUARD: Final = "GridGuard"
_MANAGER: Final = "CEM"
_WALLBOX: Final = "EVSE"
"""Entity types of the control box (LPC), of an energy manager, of a wallbox."""

_ENDS: Final = {"3": ("evse", "hems"), "8": ("asset", "hems"), "9": ("hems", "control-box")}
"""By interface: who owns the data, and who reads and writes it."""

_OWNED: Final = frozenset(
    {
        "incentiveTableConstraintsData",
        "incentiveTableData",
        "incentiveTableDescriptionData",
        "timeSeriesConstraintsListData",
        "timeSeriesDescriptionListData",
        "timeSeriesListData",
        "deviceConfigurationKeyValueDescriptionListData",
        "deviceConfigurationKeyValueListData",
        "electricalConnectionCharacteristicListData",
        "electricalConnectionDescriptionListData",
        "electricalConnectionParameterDescriptionListData",
        "electricalConnectionPermittedValueSetListData",
        "identificationListData",
        "loadControlLimitDescriptionListData",
        "loadControlLimitListData",
        "measurementConstraintsListData",
        "measurementDescriptionListData",
        "measurementListData",
    }
)


def is_owned(function: str) -> bool:
    """Whether the data of a function lies with one end of each interface only."""
    return function in _OWNED


def kind_of(described: dict[str, Any], role: str, interface: str) -> str:
    """The kind of a device, from what discovery says of it, its role (owner, client or "") and the interface.

    >>> kind_of({"deviceType": "ChargingStation", "entityTypes": []}, "", "3"), kind_of({}, "client", "9")
    ('evse', 'control-box')
    >>> kind_of({"deviceType": "Generic", "entityTypes": ["GridGuard"]}, "", "9"), kind_of({}, "", "9")
    ('control-box', 'spine')
    """
    types = described.get("entityTypes") or ()
    if _GUARD in types and _MANAGER not in types:
        return "control-box"
    kind = _BY_DEVICE_TYPE.get(described.get("deviceType") or "")
    if kind is not None:
        return kind
    for actor in described.get("actors") or ():
        if actor in _BY_USE_CASE_ACTOR:
            return _BY_USE_CASE_ACTOR[actor]
    if _MANAGER in types:
        return "hems"
    if _WALLBOX in types:
        return "evse"
    if role and interface in _ENDS:
        return _ENDS[interface][role == "client"]
    return UNKNOWN_KIND


def other_end(kind: str, interface: str) -> str:
    """The kind of the device at the other end of an interface, where this one is one of its two.

    >>> other_end("evse", "3"), other_end("evse", "9")
    ('hems', 'spine')
    """
    ends = _ENDS.get(interface, ())
    return ends[1 - ends.index(kind)] if kind in ends else UNKNOWN_KIND
