"""OCPP 2.0.1 and 2.1: transactions as events (OCPP 2.0.1 edition 3, part 2, use cases B01, E, G01, J, K)."""

import base64
from typing import Final

from replay.scenario.writers.ocmf import METHOD, Signed
from replay.scenario.writers.ocpp_dialect import (
    Call,
    JsonObject,
    Meter,
    Profile,
    Station,
    Transaction,
    number,
    tenths,
)

_EVSE: Final = {"id": 1, "connectorId": 1}


class Ocpp2:
    """Version 2.0.1, or 2.1 with its set points and operation modes.

    A set point below zero is a ``setpoint`` in 2.1. Version 2.0.1 has no word for it; as stations in the
    field do, a negative ``limit`` stands for it.
    """

    def __init__(self, *, is_2_1: bool) -> None:
        self._is_2_1 = is_2_1
        self.subprotocol = "ocpp2.1" if is_2_1 else "ocpp2.0.1"

    def boot(self, station: Station, time: str, *, reason: str = "ApplicationReset") -> Call:
        """BootNotification; by default the controller's software started anew while power stayed on."""
        model = "Zweiweg 11 S" if station.bidirectional else "Einweg 11"
        device = {
            "model": model,
            "vendorName": "Gegenstrom Geraetebau",
            "serialNumber": f"GG{station.site:08d}",
            "firmwareVersion": "2.4.1",
        }
        payload = {"reason": reason, "chargingStation": device}
        return Call("BootNotification", payload, {"currentTime": time, "interval": 300, "status": "Accepted"})

    def status(self, time: str, *, occupied: bool) -> Call:
        """StatusNotification of the one connector."""
        state = "Occupied" if occupied else "Available"
        return Call(
            "StatusNotification", {"timestamp": time, "connectorStatus": state, "evseId": 1, "connectorId": 1}, {}
        )

    def heartbeat(self, time: str) -> Call:
        """Heartbeat, answered with the backend's clock."""
        return Call("Heartbeat", {}, {"currentTime": time})

    def idle(self, meter: Meter) -> Call:
        """MeterValues outside a transaction, on the clock."""
        return Call(
            "MeterValues", {"evseId": 1, "meterValue": [_meter_value(meter, "Sample.Clock", with_car=False)]}, {}
        )

    def started(self, station: Station, transaction: Transaction, meter: Meter) -> Call:
        """TransactionEvent Started: plugged in and known by its contract."""
        payload = self._event("Started", "CablePluggedIn", transaction, meter, "Transaction.Begin", "EVConnected")
        payload["idToken"] = {"idToken": station.token, "type": "eMAID"}
        return Call("TransactionEvent", payload, {"idTokenInfo": {"status": "Accepted"}})

    def updated(self, transaction: Transaction, meter: Meter) -> Call:
        """TransactionEvent Updated with the meter."""
        trigger, context = ("Clock", "Sample.Clock") if meter.on_the_clock else ("Periodic", "Sample.Periodic")
        state = "Charging" if meter.power_w else "SuspendedEV" if meter.wanted else "SuspendedEVSE"
        payload = self._event("Updated", f"MeterValue{trigger}", transaction, meter, context, state)
        return Call("TransactionEvent", payload, {})

    def ended(self, station: Station, transaction: Transaction, meter: Meter) -> Call:
        """TransactionEvent Ended: the cable is out."""
        payload = self._event("Ended", "EVDeparted", transaction, meter, "Transaction.End", "Idle")
        payload["transactionInfo"]["stoppedReason"] = "EVDisconnected"
        payload["idToken"] = {"idToken": station.token, "type": "eMAID"}
        return Call("TransactionEvent", payload, {"idTokenInfo": {"status": "Accepted"}})

    def profile(self, transaction: Transaction, profile: Profile) -> Call:
        """SetChargingProfile: of the session from the aggregator, or of the whole station for section 14a."""
        period: JsonObject = {"startPeriod": 0}
        if self._is_2_1 and not profile.whole_station:
            period |= {"setpoint": profile.power_w, "operationMode": "CentralSetpoint"}
        else:
            period["limit"] = profile.power_w
        schedule: JsonObject = {
            "id": profile.number,
            "startSchedule": profile.start,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [period],
        }
        if profile.seconds is not None:
            schedule["duration"] = profile.seconds
        body: JsonObject = {
            "id": profile.number,
            "stackLevel": 0 if profile.whole_station else 1,
            "chargingProfilePurpose": "ChargingStationMaxProfile" if profile.whole_station else "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": [schedule],
        }
        if not profile.whole_station:
            body["transactionId"] = transaction.name
        payload = {"evseId": 0 if profile.whole_station else 1, "chargingProfile": body}
        return Call("SetChargingProfile", payload, {"status": "Accepted"})

    def _event(
        self, kind: str, trigger: str, transaction: Transaction, meter: Meter, context: str, state: str
    ) -> JsonObject:
        info: JsonObject = {"transactionId": transaction.name, "chargingState": state}
        if self._is_2_1:
            info["operationMode"] = "CentralSetpoint"
        return {
            "eventType": kind,
            "timestamp": meter.time,
            "triggerReason": trigger,
            "seqNo": transaction.sequence,
            "transactionInfo": info,
            "evse": _EVSE,
            "meterValue": [_meter_value(meter, context, with_car=True)],
        }


def _meter_value(meter: Meter, context: str, *, with_car: bool) -> JsonObject:
    samples = [_sample(tenths(meter.import_tenth_wh), "Energy.Active.Import.Register", "Wh", context)]
    if meter.export_tenth_wh is not None:
        samples.append(_sample(tenths(meter.export_tenth_wh), "Energy.Active.Export.Register", "Wh", context))
    if meter.signed is not None:
        samples[0]["signedMeterValue"] = _signed(meter.signed)
    if with_car:
        samples.append(_sample(str(max(meter.power_w, 0)), "Power.Active.Import", "W", context))
        if meter.export_tenth_wh is not None:
            samples.append(_sample(str(max(-meter.power_w, 0)), "Power.Active.Export", "W", context))
        samples.append(_sample(str(meter.soc), "SoC", "Percent", context) | {"location": "EV"})
    return {"timestamp": meter.time, "sampledValue": samples}


def _sample(value: str, measurand: str, unit: str, context: str) -> JsonObject:
    return {"value": number(value), "context": context, "measurand": measurand, "unitOfMeasure": {"unit": unit}}


def _signed(signed: Signed) -> JsonObject:
    """The record as it rides in a sampled value (OCA, Signed meter values in OCPP, 2024)."""
    key = f"oca:base16:asn1:{signed.public_key}"
    return {
        "signedMeterData": base64.b64encode(signed.record.encode()).decode(),
        "signingMethod": METHOD,
        "encodingMethod": "OCMF",
        "publicKey": base64.b64encode(key.encode()).decode(),
    }
