"""Records of a variable data structure (EN 13757-3, clause 6.3).

A record is ``{"quantity", "unit", "value", "exponent", "coding", "block"}``: the amount is ``value * 10 ** exponent``
of ``unit``; ``coding`` and ``block`` (hex of the value information) are how it was sent. Only where they say something
there are also ``function`` (``maximum``, ``minimum``, ``error``; else the value is of now), ``storage``, ``tariff``,
``device``, ``direction``, ``extension`` and ``invalid``.
"""

from typing import Any, Final

from schemas.wire.contract import BadSyntax, Truncated
from schemas.wire.mbus.units import block_end, meaning
from schemas.wire.mbus.values import CODINGS, VARIABLE, Value, date, number, take, variable

FUNCTIONS: Final = ("", "maximum", "minimum", "error")
_MORE: Final = 0x80
_DIFE_LIMIT: Final = 10
_SPECIAL: Final = 0x0F
_FILLER, _MANUFACTURER, _MORE_FOLLOW = 0x2F, 0x0F, 0x1F
_DATES: Final = frozenset({"date", "time"})

Record = dict[str, Any]


def records_of(data: bytes, *, is_big: bool) -> dict[str, Any]:
    """All records, ``"more"`` if the meter has more to say, and the hex of what only its maker understands.

    Raises:
        Truncated, BadSyntax: a record that is none.
    """
    records: list[Record] = []
    found: dict[str, Any] = {"records": records}
    at = 0
    while at < len(data):
        first = data[at]
        if first == _FILLER:
            at += 1
        elif first in {_MANUFACTURER, _MORE_FOLLOW}:
            if first == _MORE_FOLLOW:
                found["more"] = True
            if rest := data[at + 1 :].hex():
                found["manufacturer_data"] = rest
            break
        elif first & 0x0F == _SPECIAL:
            raise BadSyntax(f"a record starts with {first:02x}, which is reserved", at)
        else:
            record, at = _record(data, at, is_big=is_big)
            records.append(record)
    return found


def _record(data: bytes, at: int, *, is_big: bool) -> tuple[Record, int]:
    first = data[at]
    places, at = _places(data, at)
    end = block_end(data, at)
    block = data[at:end]
    said = meaning(block)
    if first & 0x0F == VARIABLE:
        coding, value, at = variable(data, end, is_big=is_big)
    else:
        coding, size = CODINGS[first & 0x0F]
        octets = take(data, end, size, is_big=is_big)
        is_date = said.quantity in _DATES and coding.startswith("int")
        value = date(octets) if is_date else number(coding, octets)
        at = end + size
    record: Record = {
        "quantity": said.quantity,
        "unit": said.unit,
        "value": value.value,
        "exponent": value.exponent + said.exponent if isinstance(value.value, int) else 0,
        "coding": coding,
        "block": block.hex(),
    }
    record |= {name: place for name, place in places.items() if place}
    record |= {name: text for name, text in _more(said.direction, said.extension, value) if text}
    return record, at


def _more(direction: str, extension: str, value: Value) -> list[tuple[str, str]]:
    return [("direction", direction), ("extension", extension), ("invalid", value.invalid)]


def _places(data: bytes, at: int) -> tuple[dict[str, Any], int]:
    """Function, storage, tariff and device of a record, and where its value information starts."""
    octet = data[at]
    at += 1
    storage, tariff, device = octet >> 6 & 1, 0, 0
    function = FUNCTIONS[octet >> 4 & 3]
    for number_of_octet in range(_DIFE_LIMIT + 1):
        if octet < _MORE:
            return {"function": function, "storage": storage, "tariff": tariff, "device": device}, at
        if at >= len(data):
            raise Truncated("the record ends inside its data information", at)
        octet = data[at]
        at += 1
        storage |= (octet & 0x0F) << 1 + 4 * number_of_octet
        tariff |= (octet >> 4 & 3) << 2 * number_of_octet
        device |= (octet >> 6 & 1) << number_of_octet
    raise BadSyntax(f"data information of more than {_DIFE_LIMIT} extensions", at)
