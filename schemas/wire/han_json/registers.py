"""The registers behind a contract (``XmlConfig``), in the form of a usage point of TAF 7."""

import re
from typing import Any, Final

from schemas.wire.contract import SchemaViolation
from schemas.wire.han_json.fields import Object, inner, integer, objects, text
from schemas.wire.taf7.usage_point import EXPONENT_LIMIT, UNITS, melo_flags, obis_of

_TARIFF: Final = re.compile(r"taf([0-9]{1,2})", re.IGNORECASE)


def usage_point(root: Object, contracts: list[dict[str, Any]], gateway: dict[str, Any]) -> dict[str, Any] | None:
    """The metering point and its registers; None where the message has none.

    Raises:
        SchemaViolation: a register without meter or OBIS code, or a field of another kind.
    """
    config = inner(root, "XmlConfig")
    if not config:
        return None
    melo = text(config, "UsagePointId") or ""
    start_us = _start_us(config, contracts)
    certificates = [_certificate(found) for found in objects(config, "Certificates")]
    return {
        "melo": melo,
        "flags": sorted(melo_flags(melo)),
        "service": integer(config, "ServiceCategoryKind"),
        "customer": text(config, "CustomerId"),
        "invoicing_party": text(config, "InvoicingPartyId"),
        "tariff": text(config, "TariffName"),
        "taf": _taf(config),
        "smgw": {
            "id": text(config, "SmgwId") or gateway["id"],
            "certificates": [],
            "manufacturer": None,
            "firmware": gateway["firmware"],
            "system_time_us": None,
        },
        "certificate": certificates[0] if certificates else None,
        "registers": [_register(found, start_us) for found in objects(config, "MeterReadingConfigs")],
        "tariff_registers": [_tariff_register(found) for found in objects(config, "TariffStageConfigs")],
        "log": [],
    }


def _start_us(config: Object, contracts: list[dict[str, Any]]) -> int | None:
    """When the time begins that registers are shown for: with the only billing period of the contract."""
    taf = _taf(config)
    periods = [period for found in contracts if found["taf"] == taf for period in found["billing"]]
    return periods[0][0] if len(periods) == 1 else None


def _taf(config: Object) -> int | None:
    named = _TARIFF.fullmatch(text(config, "TariffId") or "")
    return int(named[1]) if named else None


def _register(found: Object, start_us: int | None) -> dict[str, Any]:
    device = text(found, "MeterId")
    if not device:
        raise SchemaViolation("a register names no meter (MeterId)")
    unit = integer(found, "Uom")
    initial = integer(found, "OMLInitValue")
    has_value = initial is not None and start_us is not None
    return {
        "obis": obis_of(text(found, "ObisCode"), None),
        "device": device,
        "reading_id": text(found, "MeterReadingId"),
        "unit": UNITS.get(unit, f"uom {unit}") if unit is not None else None,
        "multiplier": _exponent(found, "PowerOfTenMultiplier"),
        "scaler": _exponent(found, "Scaler"),
        "converter_factor": None,
        "accumulation": None,
        "period_s": integer(found, "PeriodSeconds"),
        "description": None,
        "public_key": None,
        "initial": initial,
        "values": [[start_us, initial, None, None]] if has_value else [],
    }


def _exponent(found: Object, name: str) -> int:
    exponent = integer(found, name) or 0
    if abs(exponent) > EXPONENT_LIMIT:
        raise SchemaViolation(f"{name} is {exponent}, beyond {EXPONENT_LIMIT}")
    return exponent


def _tariff_register(found: Object) -> dict[str, Any]:
    return {
        "tariff": integer(found, "TariffNumber"),
        "description": text(found, "Description"),
        "obis": obis_of(text(found, "ObisCode"), None),
    }


def _certificate(found: Object) -> dict[str, Any]:
    kind = inner(found, "Certificate")
    return {
        "id": integer(kind, "CertId"),
        "type": integer(kind, "CertType"),
        "parent": integer(kind, "ParentCertId"),
        "content": text(found, "CertContent"),
    }
