"""From an APDU to its payload: objects with their meaning, set points with what answered them."""

from decimal import Decimal
from typing import Any, Final

from schemas.calendar import instant_in
from schemas.points import POINTS, Point, PointList
from schemas.time import SLOT_US, format_time, parse_time
from schemas.wire.contract import Conversation, Decoded, Frame, WireError
from schemas.wire.iec104 import apdu as apci
from schemas.wire.iec104 import asdu as content
from schemas.wire.iec104.asdu import ACTIVATION, COMMANDS, CONFIRMATION, MEASURED, SET_POINTS, STEPS, Asdu, Fields

REACHED: Final = Decimal("0.05")
"""[M] A set point counts as reached when the answering measurement is within 5 % of it, or of the step to it from the
one before: zero is reached where a plant still draws a little."""

AHEAD_US: Final = SLOT_US
"""[M] By how much a time tag may lie behind the moment it was heard: clocks drift, a wrong zone is hours."""

NO_POINT: Final = "the point list has no such address"

NO_LIST: Final = "no point list, it belongs into points/{interface}.csv of the home folder (.twin)"

_OPEN: Final = "open"
_LATEST: Final = "latest"
_OPEN_LIMIT: Final = 10_000
_ASDU_AT: Final = 6


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """The payload of one APDU.

    Raises:
        WireError: see :mod:`~schemas.wire.iec104.apdu` and :mod:`~schemas.wire.iec104.asdu`.
    """
    unit = apci.parse(frame.raw)
    payload = unit.payload()
    if unit.kind != "i":
        name = "supervision" if unit.kind == "s" else unit.setup.replace(" ", "-").lower()
        return Decoded(f"iec104.{name}", f"connection:{frame.source}", frame.time_us, payload)
    try:
        said = content.parse(unit.asdu)
    except WireError as error:
        raise type(error)(error.detail, error.offset + _ASDU_AT) from None
    points: PointList | None = conversation.memory.get(POINTS)
    _explain(said, points or {}, NO_POINT if points else NO_LIST.format(interface=conversation.interface))
    if frame.time_us is not None:
        _doubt(said, frame.time_us)
    times = [parse_time(entry["time"]) for entry in said.objects if entry.get("time") and "ahead_us" not in entry]
    time_us = max(times) if times else frame.time_us
    _follow(said, time_us if times else frame.time_us, frame, conversation)
    payload |= {
        "type": said.type,
        "name": said.name,
        "cause": said.cause,
        "cause_name": content.cause_name(said.cause),
        "negative": said.negative,
        "test": said.test,
        "originator": said.originator,
        "station": said.station,
        "objects": said.objects,
    }
    return Decoded(f"iec104.{said.name}", _actor(said), time_us, payload)


def _explain(said: Asdu, points: PointList, missing: str) -> None:
    """Write the meaning of every object into it, or why none is known."""
    if said.type not in MEASURED | COMMANDS | STEPS:
        return
    for entry in said.objects:
        point = points.get((said.station, entry["address"]))
        if point is None:
            entry["missing"] = missing
        else:
            entry["point"] = {
                "actor": point.actor,
                "attribute": point.attribute,
                "unit": point.unit,
                "factor": point.factor,
            }
            if point.zone is not None and entry.get("time"):
                second = content.SUMMER not in entry.get("time_flags", ())
                instant_us = instant_in(entry["time"].removesuffix("Z"), point.zone, second=second)
                entry["time"] = format_time(instant_us)


def _doubt(said: Asdu, heard_us: int) -> None:
    """Note by how much a time tag is ahead of when it was heard, where that cannot be."""
    for entry in said.objects:
        ahead_us = parse_time(entry["time"]) - heard_us if entry.get("time") else 0
        if ahead_us > AHEAD_US:
            entry["ahead_us"] = ahead_us


def _actor(said: Asdu) -> str:
    """Who the message is about: the first known actor, else the station by its number."""
    known = [entry["point"]["actor"] for entry in said.objects if "point" in entry]
    return known[0] if known else f"station:{said.station}"


def _follow(said: Asdu, time_us: int | None, frame: Frame, conversation: Conversation) -> None:
    """Measure from the call of a set point to its confirmation, and to the measurement that reaches it."""
    if time_us is None:
        return
    waiting: dict[tuple[int, int], dict[str, Any]] = conversation.memory.setdefault(_OPEN, {})
    latest: dict[tuple[int, int], dict[str, Any]] = conversation.memory.setdefault(_LATEST, {})
    points: PointList = conversation.memory.get(POINTS) or {}
    for entry in said.objects:
        key = (said.station, entry["address"])
        stamp = parse_time(entry["time"]) if entry.get("time") else time_us
        if "ahead_us" in entry and frame.time_us is not None:
            stamp = frame.time_us  # whatever its clock shows, it was heard then
        if said.type in SET_POINTS and said.cause == ACTIVATION and not entry["select"]:
            call = {"time_us": stamp, "event": frame.event_id, "value": entry["value"], "heard_us": frame.time_us}
            before = latest[key]["value"] if key in latest else None
            if before != entry["value"]:  # said again, as every few seconds in balancing, it asks for nothing new
                _keep(waiting, key, call | {"before": before})
            _keep(latest, key, call)
        elif said.type in SET_POINTS and said.cause == CONFIRMATION and not entry["select"]:
            _answer(entry, latest.get(key), stamp, frame)
        elif said.type in MEASURED and (point := points.get(key)) is not None and point.answers is not None:
            _reach(entry, point, (said.station, point.answers), waiting, stamp, points)


def _keep(kept: dict[tuple[int, int], Any], key: tuple[int, int], value: Any) -> None:
    """Keep a value as the latest; the oldest of too many is forgotten."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > _OPEN_LIMIT:
        del kept[next(iter(kept))]


def _answer(entry: Fields, call: dict[str, Any] | None, stamp: int, frame: Frame) -> None:
    """The delay of a confirmation; it often repeats the call's time, then the log's stamps tell."""
    if call is None:
        return
    later = stamp
    since = call["time_us"]
    if stamp <= since and frame.time_us is not None and call["heard_us"] is not None:
        later, since = frame.time_us, call["heard_us"]
    if later >= since:
        entry["confirms"] = {"event": call["event"], "delay_us": later - since}


def _reach(
    entry: Fields,
    point: Point,
    key: tuple[int, int],
    waiting: dict[tuple[int, int], dict[str, Any]],
    stamp: int,
    points: PointList,
) -> None:
    call = waiting.get(key)
    if call is None or stamp < call["time_us"] or not _is_number(entry["value"]) or not _is_number(call["value"]):
        return
    factor = points[key].factor if key in points else 1
    wanted, found = call["value"] * factor, entry["value"] * point.factor
    step = abs(wanted - call["before"] * factor) if _is_number(call["before"]) else 0
    if abs(found - wanted) <= max(abs(wanted), step) * REACHED:
        entry["reaches"] = {"event": call["event"], "delay_us": stamp - call["time_us"]}
        del waiting[key]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
