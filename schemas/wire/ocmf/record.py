"""A record taken apart: the exact octets that were signed, their JSON, the signature section."""

import re
from typing import Any, Final, NamedTuple

from schemas.facts import Direction
from schemas.time import format_time, parse_time
from schemas.wire.contract import BadSyntax, SchemaViolation, TooLarge
from schemas.wire.strict_json import parse

PREFIX: Final = b"OCMF|"
RECORD_LIMIT_BYTES: Final = 256 * 1024
"""The specification sets no limit; stations sign some kilobytes."""

READINGS_LIMIT: Final = 10_000

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[,.]\d{1,6})?[+-]\d\d:?\d\d)(?: ([UISR]))?")
_OBIS: Final = re.compile(r"0*(\d+)-\w+:([0-9A-Fa-f]{1,2})\.0?([0-9A-Fa-f]{1,2})\.(\w+).*")
_REPEATED: Final = ("TM", "RI", "RU", "RT", "ST", "EF")
"""Fields that hold for the following readings too, where these leave them out."""

_TOTALS: Final[dict[str, Direction]] = {
    "1": "import",
    "B0": "import",
    "B1": "import",
    "2": "export",
    "C0": "export",
    "C1": "export",
}
"""Group C of the OBIS code: registers that go on from transaction to transaction. C counts what the vehicle gave."""

_OF_TRANSACTION: Final[dict[str, Direction]] = {"B2": "import", "B3": "import", "C2": "export", "C3": "export"}
"""Registers that begin at zero with each transaction."""


class Record(NamedTuple):
    """What was signed, as octets and as JSON; ``signature`` is empty where the section is missing."""

    signed: bytes
    payload: dict[str, Any]
    signature: dict[str, Any]


def parse_record(octets: bytes) -> Record:
    """Take a record apart.

    Raises:
        BadSyntax, Truncated, TooLarge, SchemaViolation: no record, or its JSON cannot be read.
    """
    if len(octets) > RECORD_LIMIT_BYTES:
        raise TooLarge(f"a record of {len(octets)} bytes; up to {RECORD_LIMIT_BYTES} are read")
    if not octets.startswith(PREFIX):
        raise BadSyntax("a record starts with OCMF|")
    signed, bar, section = octets[len(PREFIX) :].rpartition(b"|")
    if not bar or not section.lstrip().startswith(b"{"):
        signed, section = octets[len(PREFIX) :], b""
    payload = _object(signed, "payload")
    signature = _object(section, "signature") if section else {}
    readings = payload.get("RD")
    if not isinstance(readings, list) or not all(isinstance(reading, dict) for reading in readings):
        raise SchemaViolation("a record has its readings as a list of objects in RD")
    if len(readings) > READINGS_LIMIT:
        raise TooLarge(f"{len(readings)} readings; up to {READINGS_LIMIT} are read")
    return Record(signed, payload, signature)


def _object(octets: bytes, name: str) -> dict[str, Any]:
    value = parse(octets)
    if not isinstance(value, dict):
        raise SchemaViolation(f"the {name} of a record is a JSON object")
    return value


def readings_of(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The readings with what they take over from the one before, times in UTC, codes in their usual spelling.

    Raises:
        SchemaViolation: a reading without time or value, or with a time that is none.
    """
    found, held = [], dict[str, Any]()
    for number, raw in enumerate(payload["RD"], 1):
        held |= {name: raw[name] for name in _REPEATED if raw.get(name) is not None}
        reading = {**held, **raw}
        if "TM" not in reading or "RV" not in reading:
            raise SchemaViolation(f"reading {number} of the record has no {'TM' if 'TM' not in reading else 'RV'}")
        stamp = _TIME.fullmatch(str(reading["TM"]))
        if stamp is None:
            raise SchemaViolation(f"reading {number}: {str(reading['TM'])[:40]!r} is no time with zone and clock state")
        try:
            time_us = parse_time(stamp[1])
        except ValueError as problem:
            raise SchemaViolation(f"reading {number}: {stamp[1]} is no time: {problem}") from None
        obis, direction, is_transaction = _register(str(reading.get("RI", "")))
        found.append(
            {
                "time": format_time(time_us),
                "clock": stamp[2] or "U",
                "kind": str(reading.get("TX", "")),
                "obis": obis,
                "direction": direction,
                "transaction": is_transaction,
                "value": reading["RV"],
                "unit": str(reading.get("RU", "")),
                "status": str(reading.get("ST", "")),
                "errors": str(reading.get("EF", "")),
            }
        )
    return found


def _register(code: str) -> tuple[str, str, bool]:
    """Code, direction and whether it counts one transaction; what is no energy register keeps its code only.

    >>> _register("1-b:1.8.0"), _register("01-00:C2.08.00*FF"), _register("1-0:98.8.0.FF")
    (('1-0:1.8.0', 'import', False), ('1-0:C2.8.0', 'export', True), ('1-0:98.8.0.FF', '', False))
    """
    found = _OBIS.fullmatch(code)
    if found is not None and found[3] == "8":
        quantity = found[2].upper().lstrip("0")
        if quantity in _TOTALS:
            return f"{found[1]}-0:{quantity}.8.0", _TOTALS[quantity], False
        if quantity in _OF_TRANSACTION:
            return f"{found[1]}-0:{quantity}.8.0", _OF_TRANSACTION[quantity], True
    return code, "", False
