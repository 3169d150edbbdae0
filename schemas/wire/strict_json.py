"""JSON without loss: decimals stay decimal, and what cannot be stored exactly is refused.

A frame is read twice: by orjson, which is strict about RFC 8259 (UTF-8, surrogates, NaN), and by
:mod:`json`, which hands over the digits of each number.
"""

import json
from decimal import Decimal
from typing import Any, Final, NoReturn

import orjson

from schemas.wire.contract import BadSyntax, SchemaViolation, TooLarge, Truncated

FRAME_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""The largest frame read; the longest of OCPP (a local list) stay below 1 MiB."""

NESTING_LIMIT: Final = 64
"""Levels of arrays and objects; the deepest schema of OCPP 2.1 has 9, a datagram of EEBUS some 20."""

_NUMBER_LIMIT: Final = 64
"""Characters of a number, and digits before or behind its decimal point when written without exponent."""

_SAFE_INTEGER_LENGTH: Final = 18
"""Integers with so many characters fit into 64 bits, whatever their digits."""


def parse(raw: bytes) -> Any:
    """The JSON value of a frame; a number that is not an integer of 64 bits is a ``Decimal`` without exponent.

    Raises:
        Truncated: the text ends too early.
        BadSyntax: not JSON (RFC 8259), or not UTF-8.
        TooLarge: the frame, its nesting or a number is beyond the limits.
        SchemaViolation: a text holds the NUL character, which no database takes.
    """
    if len(raw) > FRAME_LIMIT_BYTES:
        raise TooLarge(f"{len(raw)} bytes, a frame has at most {FRAME_LIMIT_BYTES}")
    if raw.count(b"[") + raw.count(b"{") > NESTING_LIMIT:
        _check_nesting(raw)
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        if problem.msg.startswith("unexpected end") or not raw.strip():
            raise Truncated("the JSON text ends too early", len(raw)) from problem
        offset = len(problem.doc[: problem.pos].encode("utf-8", "replace"))
        if "infinity" in problem.msg:
            raise TooLarge("a number beyond 10^308", offset) from problem
        raise BadSyntax(f"not JSON: {problem.msg}", offset) from problem
    value = _read_exactly(raw.decode())
    if b"\\u0000" in raw and holds_nul(value):
        raise SchemaViolation("a text holds the NUL character", raw.index(b"\\u0000"))
    return value


def _exact(digits: str) -> Decimal:
    if len(digits) > _NUMBER_LIMIT:
        raise TooLarge(f"a number of {len(digits)} characters")
    number = Decimal(digits)
    if "e" not in digits and "E" not in digits:
        return number
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _NUMBER_LIMIT:
        raise TooLarge(f"the number {digits} has too many digits")
    return Decimal(format(number, "f"))


def _integer(digits: str) -> int | Decimal:
    if len(digits) <= _SAFE_INTEGER_LENGTH:
        return int(digits)
    number = _exact(digits)
    return int(number) if abs(number) < 1 << 63 else number


def _refuse(name: str) -> NoReturn:
    raise BadSyntax(f"{name} is no number in JSON")


_read_exactly: Final = json.JSONDecoder(parse_float=_exact, parse_int=_integer, parse_constant=_refuse).decode


def _check_nesting(raw: bytes) -> None:
    depth = 0
    in_text = escaped = False
    for offset, byte in enumerate(raw):
        if escaped:
            escaped = False
        elif in_text:
            escaped = byte == 0x5C
            in_text = byte != 0x22
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            if depth > NESTING_LIMIT:
                raise TooLarge(f"nested deeper than {NESTING_LIMIT} levels", offset)
        elif byte in b"]}":
            depth -= 1


def holds_nul(value: Any) -> bool:
    """Whether a text in a JSON value, or a name, holds the NUL character."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(holds_nul(part) for item in value.items() for part in item)
    return isinstance(value, list) and any(holds_nul(part) for part in value)
