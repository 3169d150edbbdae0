"""Price documents of our own making; what is written reads back as the same payload."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape

from schemas.time import SECOND_US, SLOT_US, format_time

_NAMESPACE: Final = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
_MARKET_OPERATOR: Final = "A32"
_INFORMATION_RECEIVER: Final = "A33"
_AUCTION: Final = "A01"
_SPOT_PRICE: Final = "A62"
_SLOT_S: Final = SLOT_US // SECOND_US


def prices_of(
    document: str, created_us: int, series: Iterable[dict[str, Any]], *, sender: str, receiver: str, revision: int = 1
) -> dict[str, Any]:
    """The payload of a publication, over the span of its series."""
    listed = list(series)
    periods = [period for one in listed for period in one["periods"]]
    return {
        "id": document,
        "revision": revision,
        "type": "A44",
        "created_us": created_us,
        "sender": sender,
        "receiver": receiver,
        "from_us": min(period["from_us"] for period in periods),
        "until_us": max(period["until_us"] for period in periods),
        "series": listed,
    }


def series_of(
    zone: str, from_us: int, prices: Iterable[Decimal], *, curve: str = "A03", resolution_s: int = _SLOT_S
) -> dict[str, Any]:
    """Day-ahead prices in EUR/MWh from a time on; curve type A03 leaves out a price that repeats the one before."""
    points: list[list[Any]] = []
    count = 0
    for position, price in enumerate(prices, 1):
        count = position
        if curve == "A01" or not points or points[-1][1] != price:
            points.append([position, price])
    until_us = from_us + count * resolution_s * SECOND_US
    period = {"from_us": from_us, "until_us": until_us, "resolution_s": resolution_s, "points": points}
    return {
        "id": "1",
        "domain": zone,
        "contract": "A01",
        "sequence": 1,
        "curve": curve,
        "currency": "EUR",
        "measure": "MWH",
        "periods": [period],
    }


def encode_prices(said: dict[str, Any]) -> bytes:
    """The document of a payload."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<Publication_MarketDocument xmlns="{_NAMESPACE}">',
        _leaf("mRID", said["id"]),
        _leaf("revisionNumber", said["revision"]),
        _leaf("type", said["type"]),
        *_party("sender", said["sender"], _MARKET_OPERATOR),
        *_party("receiver", said["receiver"], _INFORMATION_RECEIVER),
        _leaf("createdDateTime", format_time(said["created_us"])),
        _interval("period.timeInterval", said),
        *(line for series in said["series"] for line in _series(series)),
        "</Publication_MarketDocument>\n",
    ]
    return "\n".join(lines).encode()


def _series(series: dict[str, Any]) -> Iterator[str]:
    yield "<TimeSeries>"
    yield _leaf("mRID", series["id"])
    yield _leaf("auction.type", _AUCTION)
    yield _leaf("businessType", _SPOT_PRICE)
    for role in ("in", "out"):
        yield _code(f"{role}_Domain.mRID", series["domain"])
    yield _leaf("contract_MarketAgreement.type", series["contract"])
    yield _leaf("currency_Unit.name", series["currency"])
    yield _leaf("price_Measure_Unit.name", series["measure"])
    if series["sequence"] != 1:
        yield _leaf("classificationSequence_AttributeInstanceComponent.position", series["sequence"])
    yield _leaf("curveType", series["curve"])
    for period in series["periods"]:
        yield f"<Period>{_interval('timeInterval', period)}{_leaf('resolution', _duration(period['resolution_s']))}"
        for position, price in period["points"]:
            yield f"<Point>{_leaf('position', position)}{_leaf('price.amount', format(price, 'f'))}</Point>"
        yield "</Period>"
    yield "</TimeSeries>"


def _duration(seconds: int) -> str:
    return f"PT{seconds // 60}M"


def _party(role: str, code: str, market_role: str) -> Iterator[str]:
    yield _code(f"{role}_MarketParticipant.mRID", code)
    yield _leaf(f"{role}_MarketParticipant.marketRole.type", market_role)


def _interval(tag: str, span: dict[str, Any]) -> str:
    """Start and end in whole minutes, as the schema wants them."""
    start, end = (format_time(span[key])[:16] + "Z" for key in ("from_us", "until_us"))
    return f"<{tag}>{_leaf('start', start)}{_leaf('end', end)}</{tag}>"


def _code(tag: str, code: str) -> str:
    return f'<{tag} codingScheme="A01">{escape(code)}</{tag}>'


def _leaf(tag: str, content: object) -> str:
    return f"<{tag}>{escape(str(content))}</{tag}>"
