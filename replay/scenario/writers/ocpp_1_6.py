"""OCPP 1.6 (edition 2): transactions with a number given by the backend, registers in whole watt-hours."""

from typing import Final

from replay.scenario.writers.ocpp_dialect import Call, JsonObject, Meter, Profile, Station, Transaction

_CONNECTOR: Final = 1


class Ocpp16:
    """Version 1.6; it can limit charging, not command discharging."""

    subprotocol = "ocpp1.6"

    def boot(self, station: Station, time: str, *, reason: str = "") -> Call:  # noqa: ARG002 -- 1.6 has no reasons
        """BootNotification."""
        payload = {
            "chargePointVendor": "Gegenstrom",
            "chargePointModel": "Einweg 11 K",
            "chargePointSerialNumber": f"GG{station.site:08d}",
            "firmwareVersion": "1.9.7",
        }
        return Call("BootNotification", payload, {"currentTime": time, "interval": 300, "status": "Accepted"})

    def status(self, time: str, *, occupied: bool) -> Call:
        """StatusNotification of the one connector."""
        state = "Charging" if occupied else "Available"
        payload = {"connectorId": _CONNECTOR, "errorCode": "NoError", "status": state, "timestamp": time}
        return Call("StatusNotification", payload, {})

    def heartbeat(self, time: str) -> Call:
        """Heartbeat, answered with the backend's clock."""
        return Call("Heartbeat", {}, {"currentTime": time})

    def idle(self, meter: Meter) -> Call:
        """MeterValues outside a transaction, on the clock."""
        values = [_meter_value(meter, "Sample.Clock", with_car=False)]
        return Call("MeterValues", {"connectorId": _CONNECTOR, "meterValue": values}, {})

    def started(self, station: Station, transaction: Transaction, meter: Meter) -> Call:
        """StartTransaction; the answer brings the transaction's number."""
        payload = {
            "connectorId": _CONNECTOR,
            "idTag": station.token,
            "meterStart": meter.import_tenth_wh // 10,
            "timestamp": meter.time,
        }
        result = {"transactionId": transaction.number, "idTagInfo": {"status": "Accepted"}}
        return Call("StartTransaction", payload, result)

    def updated(self, transaction: Transaction, meter: Meter) -> Call:
        """MeterValues of the transaction."""
        context = "Sample.Clock" if meter.on_the_clock else "Sample.Periodic"
        payload = {
            "connectorId": _CONNECTOR,
            "transactionId": transaction.number,
            "meterValue": [_meter_value(meter, context, with_car=True)],
        }
        return Call("MeterValues", payload, {})

    def ended(self, station: Station, transaction: Transaction, meter: Meter) -> Call:
        """StopTransaction: the cable is out."""
        payload: JsonObject = {
            "transactionId": transaction.number,
            "idTag": station.token,
            "meterStop": meter.import_tenth_wh // 10,
            "timestamp": meter.time,
            "reason": "EVDisconnected",
        }
        if meter.signed is not None:
            sample = {"value": meter.signed.record, "context": "Transaction.End", "format": "SignedData"}
            payload["transactionData"] = [{"timestamp": meter.time, "sampledValue": [sample]}]
        return Call("StopTransaction", payload, {"idTagInfo": {"status": "Accepted"}})

    def profile(self, transaction: Transaction, profile: Profile) -> Call:
        """SetChargingProfile: of the session from the aggregator, or of the whole station for section 14a."""
        schedule: JsonObject = {
            "startSchedule": profile.start,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": profile.power_w}],
        }
        if profile.seconds is not None:
            schedule["duration"] = profile.seconds
        body: JsonObject = {
            "chargingProfileId": profile.number,
            "stackLevel": 0 if profile.whole_station else 1,
            "chargingProfilePurpose": "ChargePointMaxProfile" if profile.whole_station else "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": schedule,
        }
        if not profile.whole_station:
            body["transactionId"] = transaction.number
        payload = {"connectorId": 0 if profile.whole_station else _CONNECTOR, "csChargingProfiles": body}
        return Call("SetChargingProfile", payload, {"status": "Accepted"})


def _meter_value(meter: Meter, context: str, *, with_car: bool) -> JsonObject:
    samples = [_sample(str(meter.import_tenth_wh // 10), "Energy.Active.Import.Register", "Wh", context)]
    if with_car:
        samples.append(_sample(str(meter.power_w), "Power.Active.Import", "W", context))
        samples.append(_sample(str(meter.soc), "SoC", "Percent", context) | {"location": "EV"})
    return {"timestamp": meter.time, "sampledValue": samples}


def _sample(value: str, measurand: str, unit: str, context: str) -> JsonObject:
    return {"value": value, "context": context, "measurand": measurand, "unit": unit}
