"""Control messages of our own making, from payloads as the decoder gives them."""

from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from schemas.time import SECOND_US, format_time

_BASE: Final = "/controlMeasures/v1/steuerbefehl/"
_RESULTS: Final = {
    "vorlaeufigePositiveAntwort": ("preliminaryResultPositive", "preliminaryStatePositive"),
    "vorlaeufigeNegativeAntwort": ("resultNegative", "stateNegative"),
    "positiveAntwort": ("resultPositive", "statePositive"),
    "negativeAntwort": ("resultNegative", "stateNegative"),
    "informationAnweisung": ("stateUnknown", "stateUnknown"),
}


_NAMES: Final = {
    "operation": "type",
    "reference": "order",
    "created_us": "time",
    "from_us": "start",
    "until_us": "end",
}


def encode_measure(said: dict[str, Any], host: str = "api.msb.example") -> bytes:
    """The HTTP request of a payload with an operation of controlMeasuresV1."""
    query: dict[str, str] = {"locationId": said["location"]}
    operation = said["operation"]
    if operation in _RESULTS:
        parameter, field = _RESULTS[operation]
        result = {field: said["state"]} | ({"reasonNegative": said["reason"]} if said["reason"] else {})
        query |= {"referenceId": said["reference"], parameter: orjson.dumps(result).decode()}
    else:
        if operation == "information":
            query["partnerId"] = said["partner"]
        command = {"executionTimeFrom": format_time(said["from_us"])}
        if said["limit_w"] is not None:
            command = {"maximumPowerValue": _kilowatts(said["limit_w"]), **command}
        if said["until_us"] is not None:
            command["executionTimeUntil"] = format_time(said["until_us"])
        name = "commandRegular" if said["limit_w"] is None else "commandControl"
        query[name] = orjson.dumps(command).decode()
    headers = [f"transactionId: {said['transaction']}", f"creationDateTime: {format_time(said['created_us'])}"]
    if said["initial_transaction"]:
        headers.append(f"initialTransactionId: {said['initial_transaction']}")
    target = f"{_BASE}{operation}/?{urlencode(query, quote_via=quote)}"
    return "\r\n".join([f"POST {target} HTTP/1.1", f"Host: {host}", *headers, "Content-Length: 0", "", ""]).encode()


def encode_box(said: dict[str, Any]) -> bytes:
    """The JSON message of a payload of the control box."""
    message: dict[str, Any] = {}
    for name, value in said.items():
        if value is None or name in {"order", "context_missing"}:
            continue
        written = _NAMES.get(name, name)
        message[written] = format_time(value) if name.endswith("_us") else value
    if said["operation"] == "command" and message.pop("end", None):
        message["duration_s"] = (said["until_us"] - said["from_us"]) // SECOND_US
    if said["operation"] == "result":
        message["result"] = message.pop("state")
    return orjson.dumps(message)


def _kilowatts(power_w: int) -> str:
    """As the model writes it: kW with up to three decimals.

    >>> _kilowatts(4200), _kilowatts(24123), _kilowatts(0)
    ('4.2', '24.123', '0')
    """
    whole, rest = divmod(power_w, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")
