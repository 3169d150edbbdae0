"""Messages and interchanges of our own making.

What :func:`encode_interchange` writes reads back as the same payloads, as long as these are of the kind that
:mod:`schemas.wire.mscons.message` makes, and their values in the order it gives.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from pydifact.segments import Segment as Written
from pydifact.serializer import Serializer

from schemas.time import format_time
from schemas.wire.mscons.message import CANCELLATION, ENERGY, PROFILE, STATES, USE_CASES
from schemas.wire.mscons.syntax import Separators, charset_of

_DOCUMENT_KINDS: Final = {
    13006: "7",
    13016: "Z28",
    13017: "7",
    13018: "7",
    13019: "7",
    13025: "Z48",
    13027: "Z83",
}
_ORIGINAL: Final = "9"
_WITHDRAWS: Final = "1"
_APPLICATIONS: Final = {PROFILE: "TL", STATES: "VL", ENERGY: "EM", CANCELLATION: "VL"}
_AGENCY: Final = "293"
_AGENCY_IN_UNB: Final = "500"

_Parts = list[str | list[str]]


def message_of(
    check: int, document: str, document_time_us: int, *, sender: str, receiver: str, locations: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """The payload of a message with values, as the decoder would give it."""
    return {
        "reference": document,
        "release": "2.4c",
        "cancels": None,
        "answers": None,
        "sender": {"id": sender, "agency": _AGENCY},
        "receiver": {"id": receiver, "agency": _AGENCY},
        "document_kind": _DOCUMENT_KINDS[check],
        "document": document,
        "function": _ORIGINAL,
        "document_time_us": document_time_us,
        "check": check,
        "use_case": USE_CASES[check],
        "locations": list(locations),
    }


def profile(
    location: str, kind: str, registers: Iterable[tuple[str, Iterable[list[Any]]]], span_us: tuple[int, int]
) -> dict[str, Any]:
    """A location with load profiles (OBIS code, values ``[quality, amount, from_us, until_us]``) within a span."""
    said = [{"obis": obis, "values": list(values)} for obis, values in registers]
    from_us, until_us = span_us
    return {"id": location, "kind": kind, "from_us": from_us, "until_us": until_us, "device": "", "registers": said}


def states(
    location: str, kind: str, device: str, registers: Iterable[tuple[str, Iterable[tuple[str, Decimal, int]]]]
) -> dict[str, Any]:
    """A location with states of a meter's registers (OBIS code, values (quality, amount, time))."""
    said = [
        {"obis": obis, "values": [[quality, amount, None, None, {"at_us": at_us}] for quality, amount, at_us in values]}
        for obis, values in registers
    ]
    return {"id": location, "kind": kind, "from_us": None, "until_us": None, "device": device, "registers": said}


def cancellation(cancels: str, document: str, document_time_us: int, *, sender: str, receiver: str) -> dict[str, Any]:
    """The payload of a message that withdraws a document of the same sender."""
    said = message_of(13006, document, document_time_us, sender=sender, receiver=receiver, locations=())
    return said | {"cancels": cancels, "function": _WITHDRAWS}


def encode_interchange(
    payloads: Iterable[dict[str, Any]],
    *,
    reference: str,
    separators: Separators = Separators(),  # noqa: B008 -- a NamedTuple is never written to
    syntax: str = "UNOC",
    with_una: bool = True,
) -> bytes:
    """An interchange with these messages, of the first one's sender to its receiver, prepared when it was written.

    Raises:
        ValueError: no message, or a text that the character set does not have.
    """
    messages = list(payloads)
    if not messages:
        raise ValueError("an interchange holds at least one message")
    first = messages[0]
    prepared = format_time(max(message["document_time_us"] for message in messages))
    parties: _Parts = [[first[role]["id"], _AGENCY_IN_UNB] for role in ("sender", "receiver")]
    when = [prepared[2:10].replace("-", ""), prepared[11:16].replace(":", "")]
    head = Written("UNB", [syntax, "3"], *parties, when, reference, "", _APPLICATIONS[first["use_case"]])
    segments = [head, *(segment for message in messages for segment in _message(message))]
    segments.append(Written("UNZ", str(len(messages)), reference))
    text: str = Serializer(separators.characters).serialize(segments, with_una_header=False)
    return ((separators.una if with_una else "") + text).encode(charset_of(syntax))


def _message(said: dict[str, Any]) -> list[Written]:
    inside = [Written(tag, *parts) for tag, *parts in _segments(said)]
    head = Written("UNH", said["reference"], ["MSCONS", "D", "04B", "UN", said["release"]])
    return [head, *inside, Written("UNT", str(len(inside) + 2), said["reference"])]


def _segments(said: dict[str, Any]) -> Iterator[_Parts]:
    yield ["BGM", said["document_kind"], said["document"], said["function"]]
    yield _dtm("137", said["document_time_us"])
    if said["answers"] is not None:
        yield ["RFF", ["AGI", said["answers"]]]
    if said["cancels"] is not None:
        yield ["RFF", ["ACW", said["cancels"]]]
    yield ["RFF", ["Z13", str(said["check"])]]
    for role, qualifier in (("sender", "MS"), ("receiver", "MR")):
        yield ["NAD", qualifier, [said[role]["id"], "", said[role]["agency"]]]
    yield ["UNS", "D"]
    yield ["NAD", "DP"]
    if not said["locations"]:
        yield ["LOC", "172"]
    for location in said["locations"]:
        yield from _location(location)


def _location(location: dict[str, Any]) -> Iterator[_Parts]:
    if location["kind"] == "configuration":
        yield ["LOC", "172"]
        yield ["RFF", ["AGK", location["id"].partition("/")[2]]]
    else:
        yield ["LOC", "172", location["id"]]
    for qualifier, key in (("163", "from_us"), ("164", "until_us")):
        if location[key] is not None:
            yield _dtm(qualifier, location[key])
    if location["device"]:
        yield ["RFF", ["MG", location["device"]]]
    for number, register in enumerate(location["registers"], 1):
        yield ["LIN", str(number)]
        yield ["PIA", "5", [register["obis"], "SRW"]]
        for value in register["values"]:
            yield from _value(*value)


def _value(
    quality: str, amount: Decimal, from_us: int | None, until_us: int | None, more: dict[str, Any] | None = None
) -> Iterator[_Parts]:
    more = more or {}
    yield ["QTY", [quality, format(amount, "f"), *([more["unit"]] if "unit" in more else [])]]
    for qualifier, time_us in (
        ("163", from_us),
        ("164", until_us),
        ("9", more.get("read_us")),
        ("7", more.get("at_us")),
    ):
        if time_us is not None:
            yield _dtm(qualifier, time_us)
    if "read_day" in more:
        yield ["DTM", ["9", more["read_day"], "102"]]
    for qualifier, text in more.get("times", {}).items():
        yield ["DTM", [qualifier, text, "102"]]
    for status in more.get("status", []):
        yield ["STS", *(part.split(":") for part in status.split("+"))]


def _dtm(qualifier: str, time_us: int) -> _Parts:
    digits = format_time(time_us)[:16].translate({ord(mark): None for mark in "-T:"})
    return ["DTM", [qualifier, f"{digits}+00", "303"]]
