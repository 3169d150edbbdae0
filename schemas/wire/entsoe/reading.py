"""Elements of a market document to its payload.

Prices::

    {"id": mRID, "revision": 1, "type": "A44", "created_us": ..., "sender": EIC, "receiver": EIC,
     "from_us": ..., "until_us": ...,
     "series": [{"id": "1", "domain": EIC, "contract": "A01", "sequence": 1, "curve": "A03", "currency": "EUR",
                 "measure": "MWH",
                 "periods": [{"from_us": ..., "until_us": ..., "resolution_s": 900,
                              "points": [[position, price], ...]}]}]}

Points are in order of their positions; what a curve leaves out is filled in where it is observed. An acknowledgement::

    {"id", "created_us", "sender", "receiver", "received": {"id", "revision", "type"}, "reasons": [{"code", "text"}]}
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import Element

from schemas.identifiers import parse_eic
from schemas.time import MINUTE_US, SECOND_US, SLOT_US, to_us
from schemas.wire.contract import SchemaViolation, TooLarge, Unsupported

PRICE_DOCUMENT: Final = "A44"
CURVES: Final = ("A01", "A03")
"""Fixed blocks: every point is there; and blocks of varying length: a point holds until the next."""
SLOT_LIMIT: Final = 100_000
"""Quarter hours all periods of a document have together; a year has 35,040."""

ELEMENT_LIMIT: Final = 400_000
"""Elements of a document: three for each quarter hour, and some more."""

_PARTY: Final = "MarketParticipant.mRID"
_EIC_SCHEME: Final = "A01"
_RESOLUTION: Final = re.compile(r"PT(?:([0-9]{1,3})H)?(?:([0-9]{1,4})M)?", re.ASCII)
_PRICE: Final = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)
_INTEGER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


def prices(root: Element) -> dict[str, Any]:
    """What a publication of prices says.

    Raises:
        WireError: not of type A44, a value that is missing or no number, time or EIC, a curve that is not read.
    """
    kind = _text(root, "type")
    if kind != PRICE_DOCUMENT:
        raise Unsupported(f"publications of type {kind[:8]} are not read here; {PRICE_DOCUMENT} (prices) are")
    from_us, until_us = _interval(_child(root, "period.timeInterval"))
    series = [_series(element) for element in _children(root, "TimeSeries")]
    if not series:
        raise SchemaViolation("a publication of prices has at least one TimeSeries")
    spans_us = [period["until_us"] - period["from_us"] for one in series for period in one["periods"]]
    if sum(spans_us) > SLOT_LIMIT * SLOT_US:
        raise TooLarge(f"the periods of a document have at most {SLOT_LIMIT} quarter hours together")
    return {
        "id": _text(root, "mRID"),
        "revision": _integer(root, "revisionNumber"),
        "type": kind,
        "created_us": _instant(root, "createdDateTime"),
        "sender": _party(root, "sender"),
        "receiver": _party(root, "receiver"),
        "from_us": from_us,
        "until_us": until_us,
        "series": series,
    }


def acknowledgement(root: Element) -> dict[str, Any]:
    """What an acknowledgement says: which document was received, and why it was or was not taken.

    Raises:
        WireError: a value that is missing or no time.
    """
    received = {
        "id": _optional(root, "received_MarketDocument.mRID"),
        "revision": _optional(root, "received_MarketDocument.revisionNumber"),
        "type": _optional(root, "received_MarketDocument.type"),
    }
    reasons = [{"code": _text(each, "code"), "text": _optional(each, "text")} for each in _children(root, "Reason")]
    if not reasons:
        raise SchemaViolation("an acknowledgement has at least one Reason")
    return {
        "id": _text(root, "mRID"),
        "created_us": _instant(root, "createdDateTime"),
        "sender": _party(root, "sender"),
        "receiver": _party(root, "receiver"),
        "received": received,
        "reasons": reasons,
    }


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def _series(element: Element) -> dict[str, Any]:
    curve = _optional(element, "curveType") or CURVES[0]
    if curve not in CURVES:
        raise Unsupported(f"curve type {curve[:8]} is not read here; {' and '.join(CURVES)} are")
    sequence = _find(element, "classificationSequence_AttributeInstanceComponent.position")
    return {
        "id": _text(element, "mRID"),
        "domain": _eic(_child(element, "in_Domain.mRID")),
        "contract": _optional(element, "contract_MarketAgreement.type") or "A01",
        "sequence": 1 if sequence is None else _whole(sequence),
        "curve": curve,
        "currency": _text(element, "currency_Unit.name"),
        "measure": _text(element, "price_Measure_Unit.name"),
        "periods": [_period(period) for period in _children(element, "Period")],
    }


def _period(element: Element) -> dict[str, Any]:
    from_us, until_us = _interval(_child(element, "timeInterval"))
    resolution_s = _resolution_s(_text(element, "resolution"))
    if (until_us - from_us) % (resolution_s * SECOND_US):
        raise SchemaViolation(f"a Period is no multiple of its resolution of {resolution_s} s")
    points = sorted(map(_point, _children(element, "Point")))
    if not points:
        raise SchemaViolation("a Period has at least one Point")
    if points[0][0] < 1:
        raise SchemaViolation(f"a Point has position {points[0][0]}; positions begin with 1")
    return {"from_us": from_us, "until_us": until_us, "resolution_s": resolution_s, "points": [*map(list, points)]}


def _point(element: Element) -> tuple[int, Decimal]:
    return _integer(element, "position"), _price(_text(element, "price.amount"))


def _interval(element: Element) -> tuple[int, int]:
    from_us, until_us = _instant(element, "start"), _instant(element, "end")
    if until_us <= from_us:
        raise SchemaViolation(f"{local_name(element)} ends before it begins")
    return from_us, until_us


def _resolution_s(text: str) -> int:
    """Seconds of a duration in whole minutes.

    >>> _resolution_s("PT15M"), _resolution_s("PT60M"), _resolution_s("PT1H")
    (900, 3600, 3600)
    """
    found = _RESOLUTION.fullmatch(text)
    hours, minutes = found.groups(default="0") if found else ("0", "0")
    seconds = (int(hours) * 60 + int(minutes)) * MINUTE_US // SECOND_US
    if not seconds:
        raise Unsupported(f"resolution {text[:20]!r} is not read here; minutes and hours are")
    return seconds


def _price(text: str) -> Decimal:
    if not _PRICE.fullmatch(text):
        raise SchemaViolation(f"price.amount is {text[:40]!r}, not a number")
    return Decimal(text)


def _instant(parent: Element, name: str) -> int:
    text = _text(parent, name)
    try:
        moment = datetime.fromisoformat(text)
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as problem:
        raise SchemaViolation(f"{name} is {text[:40]!r}, not a time ({problem})") from problem


def _party(root: Element, role: str) -> str:
    return _eic(_child(root, f"{role}_{_PARTY}"))


def _eic(element: Element) -> str:
    """The code in an element, checked where its scheme is EIC (or not said)."""
    text = (element.text or "").strip()
    if element.get("codingScheme", _EIC_SCHEME) == _EIC_SCHEME:
        return parse_eic(text)
    if not text:
        raise SchemaViolation(f"{local_name(element)} is empty")
    return text


def _find(parent: Element, name: str) -> Element | None:
    return next((child for child in parent if local_name(child) == name), None)


def _children(parent: Element, name: str) -> list[Element]:
    return [child for child in parent if local_name(child) == name]


def _child(parent: Element, name: str) -> Element:
    found = _find(parent, name)
    if found is None:
        raise SchemaViolation(f"{local_name(parent)} has no {name}")
    return found


def _text(parent: Element, name: str) -> str:
    text = (_child(parent, name).text or "").strip()
    if not text:
        raise SchemaViolation(f"{name} is empty")
    return text


def _optional(parent: Element, name: str) -> str | None:
    found = _find(parent, name)
    return None if found is None else (found.text or "").strip() or None


def _integer(parent: Element, name: str) -> int:
    return _whole(_child(parent, name))


def _whole(element: Element) -> int:
    text = (element.text or "").strip()
    if not _INTEGER.fullmatch(text):
        raise SchemaViolation(f"{local_name(element)} is {text[:40]!r}, not a whole number")
    return int(text)
