"""What answers say: registration, authorisation, the number of a transaction, commands that were accepted."""

from schemas.event import Event
from schemas.facts import Facts
from twin.observe.ocpp.said import one


def _on_boot(event: Event, facts: Facts) -> None:
    if event.time_us is not None:
        one(facts, event.actor, "registration_status", event.payload["body"]["status"], event.time_us)


def _on_start(event: Event, facts: Facts) -> None:
    """StartTransaction of 1.6: the backend gives the transaction its number."""
    if event.time_us is None:
        return
    body = event.payload["body"]
    one(facts, event.actor, "transaction_id", body["transactionId"], event.time_us)
    one(facts, event.actor, "id_token_status", body["idTagInfo"]["status"], event.time_us)


def _on_token(event: Event, facts: Facts) -> None:
    body = event.payload["body"]
    info = body.get("idTagInfo") or body.get("idTokenInfo")
    if info is not None and event.time_us is not None:
        one(facts, event.actor, "id_token_status", info["status"], event.time_us)


def _on_availability(event: Event, facts: Facts) -> None:
    """ChangeAvailability that was accepted, at once or for later."""
    if event.time_us is None or event.payload["body"]["status"] == "Rejected":
        return
    request = event.payload["call"]["request"]
    wanted = request.get("operationalStatus") or request.get("type")
    one(facts, event.actor, "availability", wanted, event.time_us)


def _on_der_control(event: Event, facts: Facts) -> None:
    """SetDERControl that was accepted (2.1, block R)."""
    if event.time_us is not None and event.payload["body"]["status"] == "Accepted":
        request = event.payload["call"]["request"]
        one(facts, event.actor, "der_control_set", f"{request['controlType']} {request['controlId']}", event.time_us)


RESULTS = {
    "BootNotification": _on_boot,
    "StartTransaction": _on_start,
    "StopTransaction": _on_token,
    "TransactionEvent": _on_token,
    "Authorize": _on_token,
    "ChangeAvailability": _on_availability,
    "SetDERControl": _on_der_control,
}
