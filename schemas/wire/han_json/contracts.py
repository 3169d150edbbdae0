"""The gateway and the contracts that are evaluated in it."""

from typing import Any

from schemas.wire.contract import SchemaViolation
from schemas.wire.han_json.fields import Object, inner, instant, integer, objects, text, texts


def gateway(root: Object) -> dict[str, Any]:
    """Who the gateway is and what runs on it."""
    version = inner(root, "Version")
    return {
        "id": text(root, "DeviceId"),
        "component": text(version, "Component"),
        "firmware": text(version, "Version"),
        "hash": text(version, "Hash"),
    }


def contract(found: Object) -> dict[str, Any]:
    """A contract: ``taf`` is the number of its tariff use case, ``billing`` its billing periods as ``[begin, end]``.

    Raises:
        SchemaViolation: without a tariff use case, or with a field of another kind.
    """
    taf = integer(found, "TafId")
    if taf is None or not 1 <= taf <= 14:
        raise SchemaViolation(f"TafId is {taf}; there are tariff use cases 1 to 14")
    return {
        "taf": taf,
        "name": text(found, "TafName"),
        "description": text(found, "Description"),
        "melo": text(found, "MeteringPointId") or "",
        "meters": texts(found, "Meters"),
        "supplier": text(found, "SupplierId"),
        "consumer": text(found, "ConsumerId"),
        "begin_us": instant(found, "Begin"),
        "end_us": instant(found, "End"),
        "billing": [_period(period) for period in objects(found, "BillingPeriods")],
    }


def _period(found: Object) -> list[int | None]:
    begin_us, end_us = instant(found, "Begin"), instant(found, "End")
    if begin_us is None:
        raise SchemaViolation("a billing period has a Begin")
    if end_us is not None and end_us <= begin_us:
        raise SchemaViolation("a billing period ends after it begins")
    return [begin_us, end_us]
