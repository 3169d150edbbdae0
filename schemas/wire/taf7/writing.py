"""Usage points back to XML, in the order AR_2418-6.xsd asks for.

What it writes reads back as the same dictionaries, as long as they are of the kind :mod:`schemas.wire.taf7.usage_point`
makes and have no flags for unread elements.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

from schemas.time import format_time
from schemas.wire.taf7.usage_point import UNITS

_UNIT_CODES: Final = {unit: code for code, unit in UNITS.items()}
_ROOT: Final = '<UsagePoints xmlns="http://vde.de/AR_2418-6.xsd" xmlns:espi="http://naesb.org/espi">'


def encode_readings(usage_points: Iterable[dict[str, Any]]) -> bytes:
    """A message with these usage points, as :func:`readings_of` makes them or a decoded payload holds them."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', _ROOT]
    for point in usage_points:
        lines.extend(_usage_point(point))
    lines.append("</UsagePoints>\n")
    return "\n".join(lines).encode()


def readings_of(
    *, melo: str, smgw: str, customer: str, invoicing_party: str, tariff: str, registers: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """A usage point with registers, without log and certificate, for :func:`encode_readings`."""
    return {
        "melo": melo,
        "flags": [],
        "service": 0,
        "customer": customer,
        "invoicing_party": invoicing_party,
        "tariff": tariff,
        "smgw": {"id": smgw, "certificates": [], "manufacturer": None, "firmware": None, "system_time_us": None},
        "certificate": None,
        "registers": list(registers),
        "log": [],
    }


def register_of(
    *, obis: str, device: str, values: Iterable[list[Any]], scaler: int = 0, unit: str = "Wh", reading_id: str = ""
) -> dict[str, Any]:
    """A register with values ``[time_us, value, statusPTB, statusFNN]`` in ``10 ** scaler`` units."""
    return {
        "obis": obis,
        "device": device,
        "reading_id": reading_id or f"{device}.{obis}",
        "unit": unit,
        "multiplier": 0,
        "scaler": scaler,
        "converter_factor": None,
        "accumulation": None,
        "period_s": None,
        "description": None,
        "public_key": None,
        "values": list(values),
    }


def obis_hex(obis: str) -> str:
    """The six bytes of an OBIS code in hex.

    >>> obis_hex("1-0:1.8.0"), obis_hex("1-0:1.8.0*1")
    ('0100010800ff', '010001080001')
    """
    head, _, stored = obis.partition("*")
    medium, _, rest = head.partition("-")
    channel, _, groups = rest.partition(":")
    return bytes([int(medium), int(channel), *map(int, groups.split(".")), int(stored or 255)]).hex()


def _usage_point(point: dict[str, Any]) -> Iterator[str]:
    yield "<UsagePoint>"
    if point["service"] is not None:
        yield f"<espi:ServiceCategory>{_leaf('espi:kind', point['service'])}</espi:ServiceCategory>"
    yield _leaf("usagePointId", point["melo"] or None)
    yield _within("Customer", _leaf("customerId", point["customer"]))
    yield _within("InvoicingParty", _leaf("invoicingPartyId", point["invoicing_party"]))
    yield _gateway(point["smgw"])
    yield _certificate(point["certificate"])
    yield _leaf("tariffName", point["tariff"])
    for entry in point["log"]:
        yield from _log_entry(entry)
    for register in point["registers"]:
        yield from _meter_reading(register)
    yield "</UsagePoint>"


def _gateway(gateway: dict[str, Any] | None) -> str:
    if gateway is None:
        return ""
    certificates = [_leaf("certId", number) for number in gateway["certificates"]]
    return _within(
        "SMGW",
        *certificates,
        _leaf("smgwId", gateway["id"]),
        _leaf("Manufacturer", gateway["manufacturer"]),
        _leaf("FirmwareVersion", gateway["firmware"]),
        _time("SystemTime", gateway["system_time_us"]),
    )


def _certificate(certificate: dict[str, Any] | None) -> str:
    if certificate is None:
        return ""
    names = {"certId": "id", "certType": "type", "parentCertId": "parent", "certContent": "content"}
    return _within("Certificate", *(_leaf(tag, certificate[key]) for tag, key in names.items()))


def _log_entry(entry: dict[str, Any]) -> Iterator[str]:
    yield "<LogEntry>"
    yield _leaf("parentRecordNumber", entry["parent"])
    yield _leaf("recordNumber", entry["record"])
    yield _leaf("repetitionCounter", entry["repetition"])
    for event in entry["events"]:
        leaves = (_leaf(tag, event[tag]) for tag in ("level", "text", "outcome"))
        yield f"<LogEvent>{''.join(leaves)}{_time('timestamp', event['time_us'])}</LogEvent>"
    yield "</LogEntry>"


def _meter_reading(register: dict[str, Any]) -> Iterator[str]:
    code = obis_hex(register["obis"])
    unit = register["unit"]
    yield "<MeterReading>"
    yield _within("Meter", _leaf("meterId", register["device"]), _leaf("publicKey", register["public_key"]))
    yield _leaf("meterReadingId", register["reading_id"])
    yield _within(
        "ReadingType",
        _leaf("espi:accumulationBehaviour", register["accumulation"]),
        _leaf("espi:powerOfTenMultiplier", register["multiplier"]),
        _leaf("espi:uom", None if unit is None else _UNIT_CODES.get(unit) or unit.removeprefix("uom ")),
        _leaf("converterFactor", register["converter_factor"]),
        _leaf("scaler", register["scaler"]),
        _leaf("obisCode", code),
        _leaf("qualifiedLogicalName", f"{code}.{register.get('derived') or register['device']}.sm"),
        _leaf("description", register["description"]),
        _leaf("measurementPeriod", register["period_s"]),
    )
    if values := register["values"]:
        duration_s = (values[-1][0] - values[0][0]) // 1_000_000
        yield f"<IntervalBlock>{_interval('interval', values[0][0], max(duration_s, 0))}"
        yield from (_interval_reading(*value) for value in values)
        yield "</IntervalBlock>"
    yield "</MeterReading>"


def _interval_reading(
    time_us: int, value: int, ptb: int | None, fnn: str | None, more: dict[str, Any] | None = None
) -> str:
    more = more or {}
    qualities = (
        f"<espi:ReadingQuality>{_leaf('espi:quality', q)}</espi:ReadingQuality>" for q in more.get("qualities", [])
    )
    return _within(
        "IntervalReading",
        _leaf("espi:cost", more.get("cost")),
        *qualities,
        _leaf("espi:value", value),
        *(_leaf(f"espi:{tag}", more.get(tag)) for tag in ("consumptionTier", "tou", "cpp")),
        _interval("timePeriod", time_us, more.get("duration_s", 0)),
        _time("targetTime", more.get("target_us")),
        *(_leaf(tag, more.get(tag)) for tag in ("certId", "meterSig", "signature")),
        _leaf("statusFNN", fnn),
        _leaf("statusPTB", ptb),
    )


def _interval(tag: str, start_us: int, duration_s: int) -> str:
    return f"<{tag}><duration>{duration_s}</duration><start>{format_time(start_us)}</start></{tag}>"


def _time(tag: str, time_us: int | None) -> str:
    return _leaf(tag, None if time_us is None else format_time(time_us))


def _leaf(tag: str, content: object) -> str:
    return "" if content is None else f"<{tag}>{escape(str(content))}</{tag}>"


def _within(tag: str, *parts: str) -> str:
    inside = "".join(parts)
    return f"<{tag}>{inside}</{tag}>" if inside else ""
