"""Transactions: TransactionEvent (2.x), StartTransaction, StopTransaction (1.6), and MeterValues of both."""

from schemas.event import Event
from schemas.facts import Facts
from schemas.time import format_time
from twin.amounts import number
from twin.observe.ocpp.meter_values import meter_values, register_reading
from twin.observe.ocpp.said import fields, id_token, one

_EVENT = {"triggerReason": "trigger_reason", "numberOfPhasesUsed": "phases_used", "reservationId": "reservation_id"}
_INFO = {
    "transactionId": "transaction_id",
    "chargingState": "charging_state",
    "stoppedReason": "stop_reason",
    "operationMode": "operation_mode",
    "remoteStartId": "remote_start_id",
}


def _on_meter_values(event: Event, facts: Facts) -> None:
    body = event.payload["body"]
    meter_values(body["meterValue"], event.actor, event.time_us, facts, is_1_6=event.payload["version"] == "1.6")
    if event.time_us is not None and "transactionId" in body:
        one(facts, event.actor, "transaction_id", body["transactionId"], event.time_us)


def _on_transaction_event(event: Event, facts: Facts) -> None:
    body, actor, time_us = event.payload["body"], event.actor, event.time_us
    if "meterValue" in body:
        meter_values(body["meterValue"], actor, time_us, facts, is_1_6=False)
    if time_us is None:
        return
    fields(body, _EVENT, actor, time_us, facts)
    fields(body["transactionInfo"], _INFO, actor, time_us, facts)
    if "idToken" in body:
        id_token(body["idToken"], actor, time_us, facts)
    if body["eventType"] == "Started":
        one(facts, actor, "session_start", format_time(time_us), time_us)
    elif body["eventType"] == "Ended":
        one(facts, actor, "session_end", format_time(time_us), time_us)


def _on_start(event: Event, facts: Facts) -> None:
    body, actor, time_us = event.payload["body"], event.actor, event.time_us
    if time_us is None:
        return
    register_reading(actor, number(body["meterStart"]) or 0, time_us, facts)
    fields(body, {"idTag": "id_token", "reservationId": "reservation_id"}, actor, time_us, facts)
    one(facts, actor, "session_start", format_time(time_us), time_us)


def _on_stop(event: Event, facts: Facts) -> None:
    body, actor, time_us = event.payload["body"], event.actor, event.time_us
    if "transactionData" in body:
        meter_values(body["transactionData"], actor, time_us, facts, is_1_6=True)
    if time_us is None:
        return
    register_reading(actor, number(body["meterStop"]) or 0, time_us, facts)
    named = {"idTag": "id_token", "reason": "stop_reason", "transactionId": "transaction_id"}
    fields(body, named, actor, time_us, facts)
    one(facts, actor, "session_end", format_time(time_us), time_us)


CALLS = {
    "MeterValues": _on_meter_values,
    "TransactionEvent": _on_transaction_event,
    "StartTransaction": _on_start,
    "StopTransaction": _on_stop,
}
