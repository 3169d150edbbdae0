"""The operations of controlMeasuresV1 (EDI@Energy, API-Webdienste Strom, release 1.0.0) to their payloads.

::

    {"operation": "konfiguration", "location": "C0000000011", "kind": "sr", "transaction": UUID,
     "initial_transaction": UUID or None, "reference": UUID or None, "created_us": ...,
     "limit_w": 4200, "from_us": ..., "until_us": ... or None,           a command, and who is informed of one
     "state": "succeeded", "reason": None, "partner": None, "status": 202,
     "order": {"limit_w", "from_us", "until_us", "event"}}              an answer: the order, as far as it was heard

``maximumPowerValue`` is kW as text with up to three decimals, so watts are whole. A release (initialZustand) has no
limit: ``limit_w`` is None. The model's own misspelling ``statePostive`` is read too.
"""

import re
from typing import Any, Final

from schemas.wire.contract import Decoded, SchemaViolation, Unsupported
from schemas.wire.control.fields import location, moment, one_of, optional_moment, text, uuid
from schemas.wire.control.orders import Orders
from schemas.wire.control.request import Request

REASONS: Final = ("communicationFailure", "overload", "unable")

_ANSWERS: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    "vorlaeufigePositiveAntwort": (
        "preliminaryResultPositive",
        ("preliminaryStatePositive", "preliminaryStatePostive"),
        "possible",
    ),
    "vorlaeufigeNegativeAntwort": ("resultNegative", ("stateNegative",), "failed"),
    "positiveAntwort": ("resultPositive", ("statePositive", "statePostive"), "succeeded"),
    "negativeAntwort": ("resultNegative", ("stateNegative",), "failed"),
    "informationAnweisung": ("stateUnknown", ("stateUnknown",), "unknown"),
}
"""By operation: the parameter, its field, and the one value the model allows."""

OPERATIONS: Final = ("konfiguration", "initialZustand", *_ANSWERS, "information")
_BY_SMALL: Final = {name.lower(): name for name in OPERATIONS}
_POWER: Final = re.compile(r"([0-9]{0,6})(?:\.([0-9]{1,3}))?", re.ASCII)


def read_measure(request: Request, orders: Orders) -> Decoded:
    """The event of a request.

    Raises:
        WireError: another operation, or a value that is missing or against the model.
    """
    operation = _BY_SMALL.get(request.operation.lower())
    if operation is None:
        raise Unsupported(f"operation {request.operation[:40]!r} is not read here; {', '.join(OPERATIONS)} are")
    headers = request.headers
    kind, identity = location(request.said("locationId") or request.said("locationID"), "locationId")
    initial = headers.get("initialtransactionid")
    said: dict[str, Any] = {
        "operation": operation,
        "location": identity,
        "kind": kind,
        "transaction": uuid(headers.get("transactionid"), "header transactionId"),
        "initial_transaction": uuid(initial, "header initialTransactionId") if initial else None,
        "reference": None,
        "created_us": moment(headers.get("creationdatetime"), "header creationDateTime"),
        "state": None,
        "reason": None,
        "partner": None,
        "status": request.status,
    }
    if operation in _ANSWERS:
        said |= _answer(operation, request)
        said |= orders.answered(said["reference"])
    else:
        said |= _command(operation, request)
        if operation != "information":
            order = {name: said[name] for name in ("limit_w", "from_us", "until_us")}
            orders.take(said["initial_transaction"] or said["transaction"], order)
            orders.take(said["transaction"], order)
    return Decoded(f"control.{operation}", f"{kind}:{identity}", said["created_us"], said)


def _command(operation: str, request: Request) -> dict[str, Any]:
    control, regular = request.said("commandControl"), request.said("commandRegular")
    partner = request.said("partnerId") if operation == "information" else None
    more = {} if operation != "information" else {"partner": _partner(partner)}
    if operation == "konfiguration" or (operation == "information" and control is not None):
        if not isinstance(control, dict):
            raise SchemaViolation("commandControl is missing or no object")
        span = _span(control, "commandControl")
        return {**more, "limit_w": power_w(control.get("maximumPowerValue")), **span}
    if not isinstance(regular, dict):
        raise SchemaViolation("commandRegular is missing or no object")
    return {**more, "limit_w": None, **_span(regular, "commandRegular")}


def _span(command: dict[str, Any], name: str) -> dict[str, Any]:
    from_us = moment(command.get("executionTimeFrom"), f"{name}.executionTimeFrom")
    until_us = optional_moment(command.get("executionTimeUntil"), f"{name}.executionTimeUntil")
    if until_us is not None and until_us <= from_us:
        raise SchemaViolation(f"{name} ends before it begins")
    return {"from_us": from_us, "until_us": until_us}


def power_w(value: Any) -> int:
    """Watts of a maximumPowerValue.

    Raises:
        SchemaViolation: no text of kilowatts with up to three decimals.

    >>> power_w("24.123"), power_w("4.2"), power_w(".5")
    (24123, 4200, 500)
    """
    found = _POWER.fullmatch(value) if isinstance(value, str) and value else None
    if not found:
        raise SchemaViolation(f"maximumPowerValue is {str(value)[:20]!r}; kW as text is needed, for example '4.2'")
    return int(found[1] or 0) * 1000 + int((found[2] or "").ljust(3, "0"))


def _answer(operation: str, request: Request) -> dict[str, Any]:
    parameter, fields, allowed = _ANSWERS[operation]
    result = request.said(parameter)
    if isinstance(result, str):
        result = {fields[0]: result}
    if not isinstance(result, dict):
        raise SchemaViolation(f"{parameter} is missing or no object")
    state = next((result[field] for field in fields if result.get(field) is not None), None)
    said = {
        "reference": uuid(request.said("referenceId"), "referenceId"),
        "state": one_of(state, fields[0], (allowed,)),
    }
    if allowed == "failed":
        said["reason"] = one_of(result.get("reasonNegative"), "reasonNegative", REASONS)
    return said


def _partner(value: Any) -> str:
    """Who ordered the command: thirteen digits, as a number or a text."""
    found = str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value, "partnerId")
    if not (len(found) == 13 and found.isascii() and found.isdigit()):
        raise SchemaViolation(f"partnerId is {found[:20]!r}; it has thirteen digits")
    return found
