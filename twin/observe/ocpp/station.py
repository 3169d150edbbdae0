"""What a station says of itself: status, identity, firmware, alarms, variables."""

from collections.abc import Callable
from typing import Any

from schemas.event import Event
from schemas.facts import Facts, Observation
from schemas.time import SECOND_US, format_time
from twin.amounts import number, scaled
from twin.observe.ocpp.said import fields, instant, one, station_of

_YEARS_S = 10**9
"""Seconds no stream of events lasts."""

_MODEM = {"iccid": "iccid", "imsi": "imsi"}
_STATION_1_6 = {
    "chargePointVendor": "vendor",
    "chargePointModel": "model",
    "firmwareVersion": "firmware_version",
    "meterType": "meter_type",
    "meterSerialNumber": "meter_serial_number",
    **_MODEM,
}
_STATION_2 = {
    "vendorName": "vendor",
    "model": "model",
    "firmwareVersion": "firmware_version",
    "serialNumber": "serial_number",
}
_STATUS_1_6 = {"errorCode": "error_code", "vendorErrorCode": "vendor_error_code", "info": "status_info"}


def _on_status(event: Event, facts: Facts) -> None:
    """The state of a connector; of 1.6 with connector 0, of the station.

    The first connector of an EVSE gives ``connector_status``, a further one ``connector_status_2`` and so on.
    """
    body, actor, time_us = event.payload["body"], event.actor, event.time_us
    if time_us is None:
        return
    if event.payload["version"] == "1.6":
        one(facts, actor, "connector_status" if "/" in _place(event) else "status", body["status"], time_us)
        fields(body, _STATUS_1_6, actor, time_us, facts)
    else:
        connector = int(number(body["connectorId"]) or 0)
        attribute = f"connector_status_{connector}" if connector > 1 else "connector_status"
        one(facts, actor, attribute, body["connectorStatus"], time_us)


def _place(event: Event) -> str:
    """What the actor's name has behind the station's: ``/1``, or nothing."""
    return event.actor.removeprefix(station_of(event))


def _on_boot(event: Event, facts: Facts) -> None:
    body, actor, time_us = event.payload["body"], event.actor, event.time_us
    if time_us is None:
        return
    if event.payload["version"] == "1.6":
        fields(body, _STATION_1_6, actor, time_us, facts)
        serial = body.get("chargePointSerialNumber") or body.get("chargeBoxSerialNumber")
        if serial:
            one(facts, actor, "serial_number", serial, time_us)
        return
    fields(body["chargingStation"], _STATION_2, actor, time_us, facts)
    fields(body["chargingStation"].get("modem") or {}, _MODEM, actor, time_us, facts)
    one(facts, actor, "boot_reason", body["reason"], time_us)


def _on_heartbeat(event: Event, facts: Facts) -> None:
    if event.time_us is not None:
        one(facts, event.actor, "last_heartbeat", format_time(event.time_us), event.time_us)


def _on_event(event: Event, facts: Facts) -> None:
    """NotifyEvent: each variable at its own time, on the EVSE of its component."""
    for item in event.payload["body"]["eventData"]:
        time_us = instant(item["timestamp"])
        if time_us is not None:
            _variable(event, item, item["actualValue"], time_us, facts)


def _on_report(event: Event, facts: Facts) -> None:
    """NotifyReport: the actual values of the device model."""
    if event.time_us is None:
        return
    for item in event.payload["body"].get("reportData") or []:
        for held in item["variableAttribute"]:
            if held.get("type", "Actual") == "Actual" and "value" in held:
                _variable(event, item, held["value"], event.time_us, facts)


def _variable(event: Event, item: dict[str, Any], value: str, time_us: int, facts: Facts) -> None:
    """A variable of the device model as ``variable:<Component>.<Variable>``, instances in brackets."""
    component, variable = item["component"], item["variable"]
    evse = int(number((component.get("evse") or {}).get("id")) or 0)
    actor = f"{station_of(event)}/{evse}" if evse > 0 else station_of(event)
    name = ".".join(
        f"{part['name']}[{part['instance']}]" if part.get("instance") else part["name"]
        for part in (component, variable)
    )
    one(facts, actor, f"variable:{name}", value, time_us)


def _on_stream(event: Event, facts: Facts) -> None:
    """NotifyPeriodicEventStream: values of a stream, seconds after its base time."""
    body = event.payload["body"]
    base_us = instant(body["basetime"])
    if base_us is None:
        return
    for element in body["data"]:
        after_s = number(element["t"])
        if after_s is not None and -_YEARS_S < after_s < _YEARS_S:
            time_us = base_us + scaled(after_s, SECOND_US)
            one(facts, event.actor, f"stream_{body['id']}", element["v"], time_us)


def _says(**named: str) -> Callable[[Event, Facts], None]:
    """An observer of messages that consist of fields, each an attribute."""

    def observer(event: Event, facts: Facts) -> None:
        if event.time_us is not None:
            fields(event.payload["body"], named, event.actor, event.time_us, facts)

    return observer


def _on_charging_limit(event: Event, facts: Facts) -> None:
    if event.time_us is None:
        return
    limit = event.payload["body"]["chargingLimit"]
    one(facts, event.actor, "external_limit_source", limit["chargingLimitSource"], event.time_us)
    if "isGridCritical" in limit:
        one(facts, event.actor, "external_limit_grid_critical", limit["isGridCritical"], event.time_us)


def _on_limit_cleared(event: Event, facts: Facts) -> None:
    if event.time_us is not None:
        facts.observations.append(Observation(event.actor, "external_limit_source", None, "", event.time_us))


CALLS: dict[str, Callable[[Event, Facts], None]] = {
    "StatusNotification": _on_status,
    "BootNotification": _on_boot,
    "Heartbeat": _on_heartbeat,
    "NotifyEvent": _on_event,
    "NotifyReport": _on_report,
    "NotifyPeriodicEventStream": _on_stream,
    "NotifyChargingLimit": _on_charging_limit,
    "ClearedChargingLimit": _on_limit_cleared,
    "FirmwareStatusNotification": _says(status="firmware_status"),
    "SignedFirmwareStatusNotification": _says(status="firmware_status"),
    "DiagnosticsStatusNotification": _says(status="diagnostics_status"),
    "LogStatusNotification": _says(status="log_status"),
    "SecurityEventNotification": _says(type="security_event", techInfo="security_event_info"),
    "ReservationStatusUpdate": _says(reservationId="reservation_id", reservationUpdateStatus="reservation_status"),
    "NotifyDERAlarm": _says(controlType="der_alarm", gridEventFault="der_alarm_fault", alarmEnded="der_alarm_ended"),
    "NotifyDERStartStop": _says(controlId="der_control", started="der_control_started"),
    "NotifyPriorityCharging": _says(activated="priority_charging"),
    "AFRRSignal": _says(signal="afrr_signal"),
}
