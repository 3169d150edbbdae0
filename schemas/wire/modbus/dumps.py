"""Dumps of registers, as tools for commissioning write them.

JSON, one dump a document or a line; ``base`` is the address of the first register, counted from 0::

    {"unit": 1, "base": 40000, "registers": [21365, 28243, 1, 66], "time": "2026-03-29T12:00:00Z"}

CSV with a head and a row for each register, in any order and with gaps; ``unit`` and ``time`` may be left out and are
the same in every row::

    unit,address,value,time
    1,40000,21365,2026-03-29T12:00:00Z

``time`` is when the registers were read; a unit that is not said is 1.
"""

import csv
import io
import re
from typing import Any, Final, NamedTuple

from schemas.wire.contract import BadSyntax, SchemaViolation, TooLarge
from schemas.wire.instants import instant
from schemas.wire.json_lines import BOM
from schemas.wire.json_messages import looks_like_json
from schemas.wire.modbus.adu import REGISTERS
from schemas.wire.strict_json import FRAME_LIMIT_BYTES, parse

SIZE_LIMIT_BYTES: Final = FRAME_LIMIT_BYTES

_COLUMNS: Final = frozenset({"unit", "address", "value", "time"})
_NUMBER: Final = re.compile(r"\d{1,5}|0[xX][0-9a-fA-F]{1,4}")
_UNITS: Final = 256
_WORD: Final = 1 << 16


class Dump(NamedTuple):
    """What a dump says: registers by address, of which unit, read when (None: it does not say)."""

    unit: int
    registers: dict[int, int]
    time_us: int | None


def is_json_dump(head: bytes) -> bool:
    """Whether a file that starts so holds dumps as JSON."""
    return looks_like_json(head) and b'"registers"' in head and b'"base"' in head


def is_csv(head: bytes) -> bool:
    """Whether the first line names the columns of a dump."""
    line = head.removeprefix(BOM).partition(b"\n")[0].strip()
    try:
        names = {name.strip() for name in re.split("[,;\t]", line.decode("ascii").lower())}
    except UnicodeDecodeError:
        return False
    return {"address", "value"} <= names <= _COLUMNS


def from_json(raw: bytes) -> Dump:
    """The dump in a JSON text.

    Raises:
        WireError: no JSON, or fields that are missing or out of range.
    """
    found = parse(raw)
    if not isinstance(found, dict):
        raise SchemaViolation("a dump is an object with unit, base and registers")
    base = _within(found.get("base"), REGISTERS, "base")
    registers = found.get("registers")
    if not isinstance(registers, list) or not registers:
        raise SchemaViolation("registers is a list of at least one number")
    if base + len(registers) > REGISTERS:
        raise TooLarge(f"{len(registers)} registers from {base} on reach beyond the last, {REGISTERS - 1}")
    values = {base + place: _within(value, _WORD, f"register {base + place}") for place, value in enumerate(registers)}
    return Dump(_within(found.get("unit", 1), _UNITS, "unit"), values, _time(found.get("time")))


def from_csv(raw: bytes) -> Dump:
    """The dump in a CSV text.

    Raises:
        WireError: no text, a cell that is no number, an address twice, or rows of several units or times.
    """
    try:
        text = raw.removeprefix(BOM).decode()
    except UnicodeDecodeError as problem:
        raise BadSyntax("the table is not UTF-8", problem.start) from None
    head = text.partition("\n")[0]
    delimiter = next((mark for mark in ";\t" if mark in head), ",")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    registers: dict[int, int] = {}
    units, times = set[str](), set[str]()
    try:
        names = [name.strip().lower() for name in next(rows)]
        if not {"address", "value"} <= set(names) <= _COLUMNS or len(set(names)) < len(names):
            raise SchemaViolation("a dump has the columns address and value, and may have unit and time, each once")
        for row in rows:
            if row:
                cells = dict(zip(names, (cell.strip() for cell in row), strict=False))
                _take(cells, rows.line_num, registers)
                units.add(cells.get("unit") or "1")
                times.add(cells.get("time") or "")
    except csv.Error as problem:
        raise BadSyntax(f"line {rows.line_num} of the table: {problem}") from None
    except StopIteration:
        raise BadSyntax("an empty table") from None
    if not registers:
        raise SchemaViolation("a dump without a register")
    if len(units) > 1 or len(times) > 1:
        raise SchemaViolation("a dump is of one unit at one time; write several as several files")
    return Dump(_cell(units.pop(), _UNITS, "unit", 2), registers, _time(times.pop() or None))


def _take(cells: dict[str, str], line: int, registers: dict[int, int]) -> None:
    address = _cell(cells.get("address", ""), REGISTERS, "address", line)
    if address in registers:
        raise SchemaViolation(f"line {line}: address {address} again")
    registers[address] = _cell(cells.get("value", ""), _WORD, "value", line)


def _cell(text: str, limit: int, name: str, line: int) -> int:
    if not _NUMBER.fullmatch(text) or (value := int(text, 16 if text[:2] in {"0x", "0X"} else 10)) >= limit:
        raise SchemaViolation(f"line {line}: {name} {text[:20]!r} is no whole number from 0 to {limit - 1}")
    return value


def _within(value: Any, limit: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < limit:
        raise SchemaViolation(f"{name} is a whole number from 0 to {limit - 1}, not {str(value)[:20]!r}")
    return value


def _time(stamp: Any) -> int | None:
    if stamp is None:
        return None
    try:
        return instant(str(stamp))
    except (ValueError, OverflowError) as problem:
        raise SchemaViolation(f"the time {str(stamp)[:40]!r} is none: {problem}") from None
