"""A ``UsagePoint`` element to a dictionary: who, which registers, every value with its status, the gateway's log.

Element names are those of AR_2418-6.xsd version 1.2; times become microseconds, numbers integers. What the schema does
not know is passed over and named among the flags, since vendors extend it.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from xml.etree.ElementTree import Element

from schemas.devices import device_name
from schemas.identifiers import parse_bdew_code, parse_melo
from schemas.time import SECOND_US, parse_time
from schemas.wire.contract import BadIdentifier, SchemaViolation
from schemas.wire.taf7.elements import AR, ESPI

UNITS: Final = {72: "Wh", 71: "VAh", 73: "varh", 38: "W", 61: "VA", 63: "var", 29: "V", 5: "A", 33: "Hz", 65: "cosphi"}
"""``uom`` of espi_derived.xsd, as far as electricity meters have registers for it."""

MELO_LENGTH: Final = 33
EXPONENT_LIMIT: Final = 12
"""Beyond 10^12 and 10^-12 a multiplier or scaler is no unit's any more."""

_METER: Final = re.compile(r"[0-9][A-Z]{3}[0-9A-F]{2}[0-9]{8}")
_NO_LETTER: Final = re.compile(r"[^0-9A-Za-z]")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,15}")
_OBIS: Final = re.compile(r"([0-9A-Fa-f]{2}){6}")
_KNOWN_IN_POINT: Final = frozenset(
    [AR + name for name in ("usagePointId", "Customer", "InvoicingParty", "SMGW", "Certificate", "tariffName")]
    + [AR + name for name in ("LogEntry", "MeterReading")]
    + [ESPI + name for name in ("ServiceCategory", "roleFlags", "status")]
)


class Contradiction(SchemaViolation):
    """A register has two names, and they are those of different ones; which it is, nobody can tell."""


def usage_point(element: Element) -> dict[str, Any]:
    """What a usage point says; of a register that contradicts itself only that.

    Raises:
        SchemaViolation: a value that is missing, no number, no time, or contradicts another.
    """
    melo = text(element, AR + "usagePointId") or ""
    party = text(element.find(AR + "InvoicingParty"), AR + "invoicingPartyId")
    registers: list[dict[str, Any]] = []
    contradictions: list[str] = []
    for reading in element.findall(AR + "MeterReading"):
        try:
            registers.append(register(reading))
        except Contradiction as problem:
            contradictions.append(problem.detail)
    said = {
        "melo": melo,
        "flags": sorted({*melo_flags(melo), *_party_flags(party), *_unknown(element, _KNOWN_IN_POINT)}),
        "service": integer(element.find(f"{ESPI}ServiceCategory"), ESPI + "kind"),
        "customer": text(element.find(AR + "Customer"), AR + "customerId"),
        "invoicing_party": party,
        "tariff": text(element, AR + "tariffName"),
        "smgw": _gateway(element.find(AR + "SMGW")),
        "certificate": _certificate(element.find(AR + "Certificate")),
        "registers": registers,
        "log": [_log_entry(entry) for entry in element.findall(AR + "LogEntry")],
    }
    return said | ({"contradictions": contradictions} if contradictions else {})


def register(element: Element) -> dict[str, Any]:
    """What a ``MeterReading`` says: one register of one meter and its values.

    A value is ``[time_us, value, statusPTB, statusFNN]``, followed by a dictionary of what else it says, if anything.
    In the unit named it is ``value * 10 ** (multiplier + scaler)``.

    ``derived``, where it is there, is the evaluation profile of the gateway that made the register out of the meter's,
    for example the energy since the start of a billing period (tariff use cases 1 and 2); such a register bears the
    meter's OBIS code, but its qualified logical name names the profile instead of the meter.
    """
    kind = element.find(AR + "ReadingType")
    if kind is None:
        raise SchemaViolation("a MeterReading without ReadingType has no register")
    name = text(kind, AR + "qualifiedLogicalName")
    unit = integer(kind, ESPI + "uom")
    said: dict[str, Any] = {
        "obis": obis_of(text(kind, AR + "obisCode"), name),
        "device": text(element.find(AR + "Meter"), AR + "meterId") or _device_in(name),
        "reading_id": text(element, AR + "meterReadingId"),
        "unit": UNITS.get(unit, f"uom {unit}") if unit is not None else None,
        "multiplier": _exponent(kind, ESPI + "powerOfTenMultiplier"),
        "scaler": _exponent(kind, AR + "scaler"),
        "converter_factor": integer(kind, AR + "converterFactor"),
        "accumulation": integer(kind, ESPI + "accumulationBehaviour"),
        "period_s": integer(kind, AR + "measurementPeriod") or integer(kind, ESPI + "intervalLength"),
        "description": text(kind, AR + "description"),
        "public_key": text(element.find(AR + "Meter"), AR + "publicKey"),
    }
    if not said["device"]:
        raise SchemaViolation("a MeterReading names no meter, neither in Meter nor in qualifiedLogicalName")
    if (named := _device_in(name)) and not _is_meter(named) and _plain(named) != _plain(said["device"]):
        said["derived"] = named
    blocks = element.findall(AR + "IntervalBlock")
    return {**said, "values": [value for block in blocks for value in _values(block, said["period_s"])]}


def text(parent: Element | None, tag: str) -> str | None:
    """Text of a child, without space around it; None where there is none."""
    return None if parent is None else (parent.findtext(tag) or "").strip() or None


def integer(parent: Element | None, tag: str) -> int | None:
    """Number in a child; None where there is none.

    Raises:
        SchemaViolation: not a whole number.
    """
    found = text(parent, tag)
    return None if found is None else _integer(found, tag)


def instant(parent: Element | None, tag: str) -> int | None:
    """Time in a child as microseconds; None where there is none.

    Raises:
        SchemaViolation: not a date and time with zone.
    """
    found = text(parent, tag)
    return None if found is None else _instant(found, tag)


def _integer(found: str, tag: str) -> int:
    if not _INTEGER.fullmatch(found):
        raise SchemaViolation(f"{_local(tag)} is {found[:40]!r}, not a whole number")
    return int(found)


def _instant(found: str, tag: str) -> int:
    try:
        return parse_time(found)
    except (ValueError, OverflowError) as problem:
        raise SchemaViolation(f"{_local(tag)} is {found[:40]!r}, not a time with zone ({problem})") from problem


def _exponent(kind: Element, tag: str) -> int:
    exponent = integer(kind, tag) or 0
    if abs(exponent) > EXPONENT_LIMIT:
        raise SchemaViolation(f"{_local(tag)} is {exponent}, beyond {EXPONENT_LIMIT}")
    return exponent


def _values(block: Element, period_s: int | None) -> Iterator[list[Any]]:
    """Values of an interval block; one without a time of its own follows the one before by the period."""
    next_us = instant(block.find(AR + "interval"), AR + "start")
    for reading in block.iterfind(AR + "IntervalReading"):
        value = _value(reading, next_us)
        if value is None:
            raise SchemaViolation("an IntervalReading has no time, and its block no start and period")
        next_us = value[0] + period_s * SECOND_US if period_s else None
        yield value


def _value(reading: Element, expected_us: int | None) -> list[Any] | None:
    said: dict[str, str] = {}
    more: dict[str, Any] = {}
    time_us = expected_us
    for child in reading:
        if child.tag == AR + "timePeriod":
            start_us = instant(child, AR + "start")
            time_us = expected_us if start_us is None else start_us
            if duration_s := integer(child, AR + "duration"):
                more["duration_s"] = duration_s
        elif child.tag == ESPI + "ReadingQuality":
            more.setdefault("qualities", []).append(integer(child, ESPI + "quality"))
        else:
            said[child.tag] = (child.text or "").strip()
    found = said.pop(ESPI + "value", "")
    if not found:
        raise SchemaViolation("an IntervalReading has no value")
    ptb = said.pop(AR + "statusPTB", "")
    fnn = said.pop(AR + "statusFNN", "")
    if target := said.pop(AR + "targetTime", ""):
        more["target_us"] = _instant(target, "targetTime")
    more |= {_local(tag): content for tag, content in said.items()}
    if time_us is None:
        return None
    status = _ptb(ptb) if ptb else None
    return [time_us, _integer(found, "value"), status, fnn or None, *([more] if more else [])]


def _ptb(found: str) -> int:
    status = _integer(found, "statusPTB")
    if not 0 <= status <= 4:
        raise SchemaViolation(f"statusPTB is {status}; it goes from 0 to 4")
    return status


def obis_of(code: str | None, name: str | None) -> str:
    """OBIS code in the form ``1-0:1.8.0``, with ``*F`` where F is not 255 (a stored, not the current value).

    Raises:
        SchemaViolation: neither ``obisCode`` nor ``qualifiedLogicalName`` holds one, or they differ.
    """
    in_name = name.partition(".")[0] if name else None
    hexes = [found.lower() for found in (in_name, code) if found and _OBIS.fullmatch(found)]
    if not hexes:
        raise SchemaViolation(f"neither qualifiedLogicalName {name!r} nor obisCode {code!r} holds an OBIS code")
    if hexes[0] != hexes[-1]:
        raise Contradiction(f"qualifiedLogicalName {name!r} and obisCode {code!r} name different registers")
    a, b, c, d, e, f = bytes.fromhex(hexes[0])
    return f"{a}-{b}:{c}.{d}.{e}" + ("" if f == 0xFF else f"*{f}")


def _device_in(name: str | None) -> str | None:
    """The meter in ``<OBIS>.<meter>.sm``."""
    parts = name.split(".") if name else []
    return parts[1] if len(parts) == 3 and parts[1] else None


def _plain(device: str) -> str:
    return device_name(_NO_LETTER.sub("", device)).upper()


def _is_meter(name: str) -> bool:
    """Whether a name is the number of some meter (DIN 43863-5), not that of a gateway (``E...``) or of a profile."""
    return _METER.fullmatch(_plain(name)) is not None


def _gateway(element: Element | None) -> dict[str, Any] | None:
    if element is None:
        return None
    return {
        "id": text(element, AR + "smgwId"),
        "certificates": [_integer((c.text or "").strip(), "certId") for c in element.findall(AR + "certId")],
        "manufacturer": text(element, AR + "Manufacturer"),
        "firmware": text(element, AR + "FirmwareVersion"),
        "system_time_us": instant(element, AR + "SystemTime"),
    }


def _certificate(element: Element | None) -> dict[str, Any] | None:
    if element is None:
        return None
    return {
        "id": integer(element, AR + "certId"),
        "type": integer(element, AR + "certType"),
        "parent": integer(element, AR + "parentCertId"),
        "content": text(element, AR + "certContent"),
    }


def _log_entry(element: Element) -> dict[str, Any]:
    return {
        "record": integer(element, AR + "recordNumber"),
        "parent": integer(element, AR + "parentRecordNumber"),
        "repetition": integer(element, AR + "repetitionCounter"),
        "events": [
            {
                "level": integer(event, AR + "level"),
                "text": text(event, AR + "text"),
                "outcome": integer(event, AR + "outcome"),
                "time_us": instant(event, AR + "timestamp"),
            }
            for event in element.findall(AR + "LogEvent")
        ],
    }


def melo_flags(melo: str) -> Iterator[str]:
    """The schema allows 64 characters and gateways show dummies, so a wrong MeLo is reported, not refused."""
    if not melo:
        yield "melo-missing"
    elif len(melo) != MELO_LENGTH:
        yield "melo-length"
    else:
        with suppress(BadIdentifier):
            parse_melo(melo)
            return
        yield "melo-format"


def _party_flags(party: str | None) -> Iterator[str]:
    """Gateways know the supplier by whatever name he was given; a code number of the BDEW must be one."""
    if party and len(party) == 13 and party.isdigit() and party.startswith("99"):
        with suppress(BadIdentifier):
            parse_bdew_code(party)
            return
        yield "invoicing-party-check-digit"


def _unknown(element: Element, known: frozenset[str]) -> Iterator[str]:
    return (f"not-read:{_local(child.tag)}" for child in element if child.tag not in known)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
