"""What devices say of themselves: what they are and support, how they are, that they are there, who is plugged in."""

from typing import Any, Final

from schemas.devices import vehicle_name
from schemas.event import Event
from schemas.facts import Facts
from schemas.time import SECOND_US, format_time
from schemas.wire.eebus.moments import duration_us
from twin.observe.eebus.said import owner_of, place_of, tell

_MANUFACTURER: Final = {
    "deviceName": "name",
    "deviceCode": "model",
    "serialNumber": "serial_number",
    "softwareRevision": "firmware_version",
    "hardwareRevision": "hardware_version",
    "vendorName": "vendor",
    "vendorCode": "vendor_code",
    "brandName": "brand",
    "powerSource": "power_source",
}
_STATE: Final = {
    "operatingState": "operating_state",
    "vendorStateCode": "vendor_state_code",
    "lastErrorCode": "last_error_code",
}
_GUARD: Final = {"3": "hems", "8": "hems", "9": "control-box"}
"""By interface who sends limits: its heartbeat is the one that the other end waits for (LPC 1.0.0, scenario 3)."""

_EV: Final = "EV"


def _on_discovery(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """What the device is; at a wallbox, whether a vehicle is plugged in."""
    assert event.time_us is not None
    actor = owner_of(event)
    device_type = data.get("deviceInformation", {}).get("description", {}).get("deviceType")
    if device_type:
        tell(facts, actor, "device_type", device_type, "", event.time_us)
    entities = [item.get("description", {}) for item in data.get("entityInformation", [])]
    vehicles = [item for item in entities if item.get("entityType") == _EV]
    for vehicle in vehicles:
        path = vehicle.get("entityAddress", {}).get("entity") or [1]
        kind, place = actor.partition(":")[0], place_of(actor).partition("/")[0]
        there = f"{kind}:{place}/{path[0]}" if path[0] > 1 else f"{kind}:{place}"
        tell(facts, there, "ev_connected", vehicle.get("lastStateChange") != "removed", "", event.time_us)
    if not vehicles and event.payload["classifier"] == "reply" and actor.startswith("evse:"):
        tell(facts, actor, "ev_connected", False, "", event.time_us)


def _on_use_cases(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """Each supported use case with its version, None where it is not available, and its scenarios."""
    assert event.time_us is not None
    actor = owner_of(event)
    for item in data.get("useCaseInformation", []):
        for support in item.get("useCaseSupport", []):
            name = support.get("useCaseName")
            if not name:
                continue
            attribute = f"use_case/{item.get('actor', '')}/{name}"
            version = support.get("useCaseVersion", "") if support.get("useCaseAvailable", True) else None
            tell(facts, actor, attribute, version, "", event.time_us)
            scenarios = " ".join(str(number) for number in support.get("scenarioSupport", []))
            tell(facts, actor, f"{attribute}/scenarios", scenarios or None, "", event.time_us)


def _on_manufacturer(event: Event, data: dict[str, Any], facts: Facts) -> None:
    _fields(event, data, _MANUFACTURER, facts)


def _on_state(event: Event, data: dict[str, Any], facts: Facts) -> None:
    assert event.time_us is not None
    _fields(event, data, _STATE, facts)
    if "upTime" in data:
        started_us = event.time_us - duration_us(data["upTime"])
        if 0 <= started_us <= event.time_us:
            tell(facts, owner_of(event), "started", format_time(started_us), "", event.time_us)


def _on_heartbeat(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """A heartbeat: said of who sends it, and of who waits for it."""
    assert event.time_us is not None
    time_us, payload = event.time_us, event.payload
    sender, listener = payload["source"]["actor"], payload["destination"]["actor"]
    beat = format_time(time_us)
    tell(facts, sender, "last_heartbeat", beat, "", time_us)
    if "heartbeatTimeout" in data:
        tell(facts, sender, "heartbeat_timeout", duration_us(data["heartbeatTimeout"]) // SECOND_US, "s", time_us)
    if listener.partition(":")[0] != _GUARD.get(event.interface):
        tell(facts, listener, "guard_heartbeat", beat, "", time_us)


def _on_identification(event: Event, data: dict[str, Any], facts: Facts) -> None:
    """The identity of a vehicle at a wallbox (EVCC), of another device its own."""
    assert event.time_us is not None
    actor, time_us = owner_of(event), event.time_us
    for item in data.get("identificationData", []):
        identity = item.get("identificationValue")
        if not identity:
            continue
        if not actor.startswith("evse:"):
            tell(facts, actor, "identification", identity, "", time_us)
            continue
        vehicle = vehicle_name(identity)
        tell(facts, actor, "ev_id", vehicle, "", time_us)
        if "identificationType" in item:
            tell(facts, actor, "ev_id_type", item["identificationType"], "", time_us)
        tell(facts, f"bev:{vehicle}", "evse", place_of(actor), "", time_us)


def _fields(event: Event, data: dict[str, Any], named: dict[str, str], facts: Facts) -> None:
    assert event.time_us is not None
    for field, attribute in named.items():
        if field in data:
            tell(facts, owner_of(event), attribute, data[field], "", event.time_us)


SAID: Final = {
    "nodeManagementDetailedDiscoveryData": _on_discovery,
    "nodeManagementUseCaseData": _on_use_cases,
    "deviceClassificationManufacturerData": _on_manufacturer,
    "deviceDiagnosisStateData": _on_state,
    "deviceDiagnosisHeartbeatData": _on_heartbeat,
    "identificationListData": _on_identification,
}
