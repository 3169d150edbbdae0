"""Payloads back to JSON.

What it writes reads back as the same payload, as long as that has at most one usage point, of the kind
:mod:`schemas.wire.han_json.registers` makes.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from schemas.time import format_time
from schemas.wire.taf7.usage_point import UNITS
from schemas.wire.taf7.writing import obis_hex

_UNIT_CODES: Final = {unit: code for code, unit in UNITS.items()}


def encode_list(payload: Mapping[str, Any]) -> bytes:
    """The message that says what a decoded payload says; numbers are written as text, as TRuDI writes them."""
    gateway = payload["gateway"]
    said = {
        "DeviceId": gateway["id"],
        "Version": {"Component": gateway["component"], "Version": gateway["firmware"], "Hash": gateway["hash"]},
        "Contracts": [_contract(found) for found in payload["contracts"]],
    }
    for point in payload["usage_points"]:
        said["XmlConfig"] = _point(point)
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def _contract(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "TafId": str(found["taf"]),
        "TafName": found["name"],
        "Description": found["description"],
        "MeteringPointId": found["melo"],
        "Meters": found["meters"],
        "SupplierId": found["supplier"],
        "ConsumerId": found["consumer"],
        "Begin": _time(found["begin_us"]),
        "End": _time(found["end_us"]),
        "BillingPeriods": [{"Begin": _time(begin_us), "End": _time(end_us)} for begin_us, end_us in found["billing"]],
    }


def _point(point: dict[str, Any]) -> dict[str, Any]:
    certificate = point["certificate"]
    return {
        "UsagePointId": point["melo"],
        "TariffName": point["tariff"],
        "TariffId": None if point["taf"] is None else f"Taf{point['taf']}",
        "CustomerId": point["customer"],
        "InvoicingPartyId": point["invoicing_party"],
        "SmgwId": point["smgw"]["id"],
        "ServiceCategoryKind": _text(point["service"]),
        "Certificates": [] if certificate is None else [_certificate(certificate)],
        "MeterReadingConfigs": [_register(register) for register in point["registers"]],
        "TariffStageConfigs": [_tariff_register(register) for register in point["tariff_registers"]],
    }


def _register(register: dict[str, Any]) -> dict[str, Any]:
    unit = register["unit"]
    return {
        "MeterId": register["device"],
        "MeterReadingId": register["reading_id"],
        "IsOML": "true",
        "OMLInitValue": _text(register["initial"]),
        "PeriodSeconds": _text(register["period_s"]),
        "PowerOfTenMultiplier": str(register["multiplier"]),
        "Uom": None if unit is None else str(_UNIT_CODES.get(unit) or unit.removeprefix("uom ")),
        "Scaler": str(register["scaler"]),
        "ObisCode": obis_hex(register["obis"]),
    }


def _tariff_register(register: dict[str, Any]) -> dict[str, Any]:
    return {
        "TariffNumber": _text(register["tariff"]),
        "Description": register["description"],
        "ObisCode": obis_hex(register["obis"]),
    }


def _certificate(certificate: dict[str, Any]) -> dict[str, Any]:
    names = {"CertId": "id", "CertType": "type", "ParentCertId": "parent"}
    return {
        "Certificate": {name: _text(certificate[key]) for name, key in names.items()},
        "CertContent": certificate["content"],
    }


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(time_us)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
