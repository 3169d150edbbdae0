"""JSON and CSV to the same payload."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from schemas.time import SLOT_US
from schemas.wire.contract import BadSyntax, SchemaViolation, TooLarge
from schemas.wire.instants import instant

POSSIBLE: Final = frozenset({"min_power", "max_power", "min_energy", "max_energy"})
"""What can be had of a pool: the technical aggregator says it."""

_POWER: Final = ("kW", "W", "MW")
_ENERGY: Final = ("kWh", "Wh", "MWh")
_PRICE: Final = ("EUR/MWh", "EUR/kWh", "ct/kWh")
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "min_power": _POWER,
    "max_power": _POWER,
    "min_energy": _ENERGY,
    "max_energy": _ENERGY,
    "schedule_power": _POWER,
    "schedule_energy": _ENERGY,
    "sold": _ENERGY,
    "bought": _ENERGY,
    "price": _PRICE,
}
"""Units by kind. Power and energy count import (charging) positive; sold and bought are both positive."""

VALUE_LIMIT: Final = 200_000
"""Values of a message."""

_HEAD_FIELDS: Final = ("document", "created", "sender", "receiver")
_COLUMN: Final = re.compile(r"([a-z_]+)\s*\[\s*([A-Za-z/]+)\s*\]")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?", re.ASCII)
_BOM: Final = "\ufeff"

_Value = tuple[str, str, str, int, Decimal]
"""Object, kind, unit, slot, value."""


def from_json(said: Any) -> dict[str, Any]:
    """The payload of a JSON message.

    Raises:
        WireError: a field that is missing, unknown or no number or time.
    """
    if not isinstance(said, dict) or not isinstance(said.get("series"), list):
        raise SchemaViolation("a message is an object with a list of series")
    values: list[_Value] = []
    for series in said["series"]:
        if not isinstance(series, dict) or not isinstance(series.get("values"), list):
            raise SchemaViolation("a series is an object with a list of values")
        place, kind, unit = _text(series.get("object"), "object"), *_kind(series.get("kind"), series.get("unit"))
        if series.get("resolution", "PT15M") != "PT15M":
            raise SchemaViolation(f"the resolution is {str(series['resolution'])[:12]}; PT15M is read")
        start_us = _instant(series.get("start"), "start")
        for number, value in enumerate(series["values"]):
            if value is not None:
                values.append((place, kind, unit, start_us + number * SLOT_US, _json_number(value)))
        if len(values) > VALUE_LIMIT:
            raise TooLarge(f"a message has at most {VALUE_LIMIT} values")
    return _payload(said, values)


def is_csv(head: bytes) -> bool:
    """Whether the first line has the columns of a series."""
    line = head.decode("utf-8", "replace").removeprefix(_BOM).partition("\n")[0]
    columns = {column.strip().strip('"') for column in re.split(r"[;,\t]", line)}
    return {"start", "object"} <= columns


def from_csv(raw: bytes) -> dict[str, Any]:
    """The payload of a CSV message.

    Raises:
        WireError: no UTF-8, no header, or a cell that is missing, unknown or no number or time.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadSyntax("a CSV message is UTF-8", problem.start) from problem
    if "\0" in text:
        raise BadSyntax("a CSV message holds a NUL character", raw.index(b"\0"))
    first = text.partition("\n")[0]
    delimiter = next((mark for mark in (";", "\t", ",") if mark in first), ",")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in rows.fieldnames or ()]
        rows.fieldnames = names
        if not is_csv(first.encode()) or len(set(names)) < len(names):
            raise SchemaViolation("the header names start, object and what else the rows have, each once")
        head: dict[str, Any] = {}
        values = list(_bounded(_cells(rows, head, has_comma=delimiter == ";")))
    except csv.Error as problem:
        raise BadSyntax(f"row {rows.line_num} is no CSV: {problem}") from problem
    return _payload(head, values)


def _bounded(values: Iterable[_Value]) -> Iterator[_Value]:
    for number, value in enumerate(values):
        if number >= VALUE_LIMIT:
            raise TooLarge(f"a message has at most {VALUE_LIMIT} values")
        yield value


def _cells(rows: "csv.DictReader[str]", head: dict[str, Any], *, has_comma: bool) -> Iterator[_Value]:
    """Every value of every row; ``head`` takes what they say of the message."""
    columns = {name: _kind(*found.groups()) for name in rows.fieldnames or () if (found := _COLUMN.fullmatch(name))}
    for row in rows:
        if None in row or None in row.values():
            raise SchemaViolation(f"line {rows.line_num} has not as many cells as the header")
        for name in _HEAD_FIELDS:
            if head.setdefault(name, row.get(name)) != row.get(name):
                raise SchemaViolation(f"line {rows.line_num} names another {name} than the first")
        place, slot_us = _text(row["object"], "object"), _instant(row["start"], "start")
        if "kind" in row:
            kind, unit = _kind(row["kind"], row.get("unit"))
            named = {"value": (kind, unit)}
        else:
            named = columns
        for name, (kind, unit) in named.items():
            if cell := row.get(name, "").strip():
                yield place, kind, unit, slot_us, _csv_number(cell, has_comma=has_comma)


def _payload(head: dict[str, Any], values: Iterable[_Value]) -> dict[str, Any]:
    series: dict[tuple[str, str, str], list[list[Any]]] = {}
    for *key, slot_us, value in values:
        series.setdefault((key[0], key[1], key[2]), []).append([slot_us, value])
    if not series:
        raise SchemaViolation("a message has at least one value")
    return {
        **{name: _optional_text(head.get(name), name) for name in ("document", "sender", "receiver")},
        "created_us": _instant(head["created"], "created") if head.get("created") else None,
        "series": [
            {"object": place, "kind": kind, "unit": unit, "values": sorted(told)}
            for (place, kind, unit), told in sorted(series.items())
        ],
    }


def _kind(kind: Any, unit: Any) -> tuple[str, str]:
    units = KINDS.get(kind) if isinstance(kind, str) else None
    if units is None:
        raise SchemaViolation(f"kind is {str(kind)[:20]!r}; {', '.join(KINDS)} are known")
    if unit not in units:
        raise SchemaViolation(f"the unit of {kind} is {str(unit)[:12]!r}; {', '.join(units)} are known")
    return str(kind), str(unit)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SchemaViolation(f"{name} is missing or no text")
    return value.strip()


def _optional_text(value: Any, name: str) -> str:
    return _text(value, name) if value else ""


def _instant(value: Any, name: str) -> int:
    try:
        return instant(_text(value, name))
    except (ValueError, OverflowError) as problem:
        raise SchemaViolation(f"{name} is {str(value)[:40]!r}, not a time with zone ({problem})") from problem


def _json_number(value: Any) -> Decimal:
    is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    if not is_number or not _NUMBER.fullmatch(format(Decimal(value), "f")):
        raise SchemaViolation(f"a value is {str(value)[:40]!r}, not a number of up to 15 digits and 9 decimals")
    return Decimal(value)


def _csv_number(cell: str, *, has_comma: bool) -> Decimal:
    text = cell.replace(",", ".") if has_comma else cell
    if not _NUMBER.fullmatch(text):
        raise SchemaViolation(f"a value is {cell[:40]!r}, not a number of up to 15 digits and 9 decimals")
    return Decimal(text)
