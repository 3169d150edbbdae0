"""ADUs and dumps of one's own making, for scenarios and tests."""

import struct
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from schemas.wire.modbus.adu import EXCEPTION, READ_HOLDING, WRITE_MANY, WRITE_ONE, frame, words
from schemas.wire.modbus.models import FROM_LENGTH, HEAD, Group, Point, model
from schemas.wire.modbus.sunspec import END, MARK
from schemas.wire.modbus.values import kind_of, nothing_of

Values = Mapping[str, Any]
"""By point: its value as read (scaled, names of symbols), of scale factors the exponent; by group: a list of such."""


def encode_read(transaction: int, unit: int, address: int, count: int, function: int = READ_HOLDING) -> bytes:
    """A request to read registers."""
    return frame(transaction, unit, function, struct.pack(">HH", address, count))


def encode_response(transaction: int, unit: int, registers: Sequence[int], function: int = READ_HOLDING) -> bytes:
    """The response to a read."""
    octets = struct.pack(f">{len(registers)}H", *registers)
    return frame(transaction, unit, function, bytes((len(octets),)) + octets)


def encode_write(transaction: int, unit: int, address: int, registers: Sequence[int]) -> bytes:
    """A request to write registers: one alone by function 6, several by function 16."""
    if len(registers) == 1:
        return frame(transaction, unit, WRITE_ONE, struct.pack(">HH", address, registers[0]))
    octets = struct.pack(f">{len(registers)}H", *registers)
    return frame(transaction, unit, WRITE_MANY, struct.pack(">HHB", address, len(registers), len(octets)) + octets)


def encode_written(transaction: int, unit: int, address: int, registers: Sequence[int]) -> bytes:
    """The response to a write."""
    if len(registers) == 1:
        return encode_write(transaction, unit, address, registers)
    return frame(transaction, unit, WRITE_MANY, struct.pack(">HH", address, len(registers)))


def encode_exception(transaction: int, unit: int, function: int, code: int) -> bytes:
    """The response that a request failed."""
    return frame(transaction, unit, function | EXCEPTION, bytes((code,)))


def encode_dump(registers: Sequence[int], *, base: int = 40000, unit: int = 1, time: str | None = None) -> bytes:
    """A dump as JSON."""
    found: dict[str, Any] = {"unit": unit, "base": base, "registers": list(registers)}
    return orjson.dumps(found if time is None else found | {"time": time})


def encode_registers(models: Sequence[tuple[int, Values]]) -> list[int]:
    """The registers of a chain of SunSpec models, from ``SunS`` to its end; what is not named is not implemented.

    Raises:
        ValueError: SunSpec does not define the model, or a value has more digits than its scale factor leaves it.
    """
    chained = list(MARK)
    for number, values in models:
        definition = model(number)
        if definition is None:
            raise ValueError(f"SunSpec defines no model {number}")
        body = _group(definition, values)
        chained += [number, len(body) - HEAD, *body[HEAD:]]
    return [*chained, END, 0]


def _group(group: Group, values: Values, outer: Values | None = None) -> list[int]:
    known = {**(outer or {}), **values}
    registers: list[int] = []
    for point in group.points:
        value = values.get(point.name)
        octets = nothing_of(point) if value is None else _octets(point, value, known)
        registers += words(octets)
    for inner in group.groups:
        for entry in values.get(inner.name, [{}] * (inner.repeats if isinstance(inner.repeats, int) else FROM_LENGTH)):
            registers += _group(inner, entry, known)
    return registers


def _octets(point: Point, value: Any, known: Values) -> bytes:
    size = 2 * point.size
    if point.type == "string":
        return str(value).encode().ljust(size, b"\0")[:size]
    if point.type == "float32":
        return struct.pack(">f", Decimal(value))
    kind = kind_of(point)
    if kind == "enum":
        names: dict[str, int] = {name: number for number, name in point.symbols.items()}
        return names.get(value, int(value) if str(value).isdecimal() else 0).to_bytes(size)
    if kind == "bitfield":
        return sum(1 << bit for bit, name in point.symbols.items() if name in value).to_bytes(size)
    exponent = known.get(point.scale) or 0 if isinstance(point.scale, str) else point.scale or 0
    number = Decimal(value).scaleb(-exponent)
    if number != number.to_integral_value():
        raise ValueError(f"{value} of {point.name} has more digits than the scale factor {exponent} leaves it")
    return int(number).to_bytes(size, signed=kind in {"int", "sunssf"})
