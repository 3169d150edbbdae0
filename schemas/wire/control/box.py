"""Messages between metering point operator, aEMT system, control box and energy manager, as JSON (29, 10, 9).

Each is an object with a ``type``:

========================  ==================================================================================
``command``               ``order``, ``box``, ``time``, ``limit_w`` (null: release), ``start``; optional
                          ``duration_s``, ``reason``, ``location``
``acknowledgement``       ``order``, ``box``, ``time``, ``accepted``; optional ``reason``
``result``                ``order``, ``box``, ``time``, ``result`` (succeeded, failed); optional ``reason``
``status``                ``box``, ``time``, ``state`` (unlimited, limited, failsafe, disturbed); optional ``limit_w``
``tunnel``                ``box``, ``time``, ``smgw``, ``state`` (opened, closed): the CLS tunnel through the gateway
``channel``               ``order``, ``box``, ``time``, ``channel``, ``start``; optional ``end``: booked for a command
========================  ==================================================================================

Times are ISO 8601 with a zone. The payload has the same names, times as ``created_us``, ``from_us``, ``until_us``.
"""

from collections.abc import Callable
from typing import Any, Final

from schemas.time import SECOND_US
from schemas.wire.contract import Decoded, SchemaViolation, Unsupported
from schemas.wire.control.fields import location, moment, one_of, optional_moment, text
from schemas.wire.control.orders import Orders

STATES: Final = ("unlimited", "limited", "failsafe", "disturbed")
LIMIT_W: Final = 1_000_000_000
DURATION_S: Final = 366 * 86_400


def read_box(said: dict[str, Any], orders: Orders) -> Decoded:
    """The event of a message.

    Raises:
        WireError: another type, or a value that is missing or against the table.
    """
    kind = said.get("type")
    read = _TYPES.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise Unsupported(f"messages of type {str(kind)[:40]!r} are not read here; {', '.join(_TYPES)} are")
    box = text(said.get("box"), "box")
    payload: dict[str, Any] = {"operation": kind, "box": box, "created_us": moment(said.get("time"), "time")}
    payload |= read(said)
    if kind == "command":
        orders.take(payload["reference"], {name: payload[name] for name in ("limit_w", "from_us", "until_us")})
    elif kind in {"acknowledgement", "result"}:
        payload |= orders.answered(payload["reference"])
    return Decoded(f"control.{kind}", f"control-box:{box}", payload["created_us"], payload)


def _command(said: dict[str, Any]) -> dict[str, Any]:
    from_us = moment(said.get("start"), "start")
    duration_s = _whole(said.get("duration_s"), "duration_s", DURATION_S)
    place = said.get("location")
    return {
        "reference": text(said.get("order"), "order"),
        "limit_w": _whole(said.get("limit_w"), "limit_w", LIMIT_W),
        "from_us": from_us,
        "until_us": None if duration_s is None else from_us + duration_s * SECOND_US,
        "reason": _note(said),
        "location": None if place is None else location(place, "location")[1],
    }


def _acknowledgement(said: dict[str, Any]) -> dict[str, Any]:
    accepted = said.get("accepted")
    if not isinstance(accepted, bool):
        raise SchemaViolation("accepted is true or false")
    return {"reference": text(said.get("order"), "order"), "accepted": accepted, "reason": _note(said)}


def _result(said: dict[str, Any]) -> dict[str, Any]:
    state = one_of(said.get("result"), "result", ("succeeded", "failed"))
    return {"reference": text(said.get("order"), "order"), "state": state, "reason": _note(said)}


def _status(said: dict[str, Any]) -> dict[str, Any]:
    state = one_of(said.get("state"), "state", STATES)
    return {"state": state, "limit_w": _whole(said.get("limit_w"), "limit_w", LIMIT_W)}


def _tunnel(said: dict[str, Any]) -> dict[str, Any]:
    return {"smgw": text(said.get("smgw"), "smgw"), "state": one_of(said.get("state"), "state", ("opened", "closed"))}


def _channel(said: dict[str, Any]) -> dict[str, Any]:
    return {
        "reference": text(said.get("order"), "order"),
        "channel": text(said.get("channel"), "channel"),
        "from_us": moment(said.get("start"), "start"),
        "until_us": optional_moment(said.get("end"), "end"),
    }


def _whole(value: Any, name: str, limit: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise SchemaViolation(f"{name} is {str(value)[:20]!r}; a whole number from 0 to {limit} is needed")
    return value


def _note(said: dict[str, Any]) -> str | None:
    return None if said.get("reason") is None else text(said["reason"], "reason")


_TYPES: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "command": _command,
    "acknowledgement": _acknowledgement,
    "result": _result,
    "status": _status,
    "tunnel": _tunnel,
    "channel": _channel,
}
