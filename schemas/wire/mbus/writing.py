"""Payloads back to frames.

What it writes reads back as the same payload, as long as the records are of the kind
:mod:`schemas.wire.mbus.records` describes. It writes long headers, the least significant octet first.
"""

import struct
from collections.abc import Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from schemas.wire.mbus.decoding import LONG_HEADER, RESPONSE
from schemas.wire.mbus.link import wrap
from schemas.wire.mbus.records import FUNCTIONS, Record
from schemas.wire.mbus.units import meaning
from schemas.wire.mbus.values import CODINGS, VARIABLE

_CODES: Final = {coding: (code, size) for code, (coding, size) in CODINGS.items()}
_MORE, _MANUFACTURER, _MORE_FOLLOW = 0x80, 0x0F, 0x1F


def encode_frame(payload: Mapping[str, Any]) -> bytes:
    """The frame in which a meter says what a decoded payload of type ``mbus.data`` says.

    Raises:
        ValueError: more than a frame can hold, or a value its coding cannot.
    """
    maker = 0
    for letter in payload["manufacturer"]:
        maker = maker << 5 | ord(letter) - 0x40
    content = bytes([LONG_HEADER]) + bytes.fromhex(payload["number"])[::-1] + maker.to_bytes(2, "little")
    content += bytes([payload["version"], payload["medium"], payload["access"], payload["status"]])
    content += int(payload.get("signature", 0)).to_bytes(2, "little")
    content += b"".join(map(_record, payload["records"]))
    rest = bytes.fromhex(payload.get("manufacturer_data", ""))
    if payload.get("more"):
        content += bytes([_MORE_FOLLOW])
    elif rest:
        content += bytes([_MANUFACTURER])
    return wrap(RESPONSE, payload["address"], content + rest)


def _record(record: Record) -> bytes:
    block = bytes.fromhex(record["block"])
    code, size = _CODES.get(record["coding"], (VARIABLE, 0))
    return _information(record, code) + block + _value(record, size, meaning(block).exponent)


def _information(record: Record, code: int) -> bytes:
    """Data information: the coding, function, storage, tariff and device."""
    function = FUNCTIONS.index(record.get("function", ""))
    storage, tariff, device = (record.get(name, 0) for name in ("storage", "tariff", "device"))
    octets = [code | function << 4 | (storage & 1) << 6]
    storage >>= 1
    while storage or tariff or device:
        octets.append(storage & 0x0F | (tariff & 3) << 4 | (device & 1) << 6)
        storage, tariff, device = storage >> 4, tariff >> 2, device >> 1
    return bytes([octet | _MORE for octet in octets[:-1]] + octets[-1:])


def _value(record: Record, size: int, exponent: int) -> bytes:
    value, coding = record["value"], record["coding"]
    if value is None:
        return bytes.fromhex(record.get("invalid", ""))[::-1].rjust(size, b"\0")
    match coding:
        case "text":
            text = str(value).encode("latin-1")[::-1]
            return bytes([len(text)]) + text
        case "binary":
            octets = bytes.fromhex(value)
            return bytes([0xE0 + len(octets)]) + octets
        case "bcd+" | "bcd-":
            octets = _digits(abs(value), (len(str(abs(value))) + 1) // 2)
            return bytes([(0xC0 if coding == "bcd+" else 0xD0) + len(octets)]) + octets
        case "real32":
            return struct.pack("<f", Decimal(value).scaleb(record["exponent"] - exponent))
    if coding.startswith("bcd"):
        return _digits(value, size)
    if isinstance(value, str):
        return _date(value, size)
    return int(value).to_bytes(size, "little", signed=True)


def _digits(value: int, size: int) -> bytes:
    text = str(abs(value)).rjust(2 * size, "0")
    return bytes.fromhex("f" + text[1:] if value < 0 else text)[::-1]


def _date(text: str, size: int) -> bytes:
    """A point in time of 2 (type G), 3 (J), 4 (F) or 6 octets (I)."""
    if size == 3:
        clock = time.fromisoformat(text)
        return bytes([clock.second, clock.minute, clock.hour])
    day = datetime.fromisoformat(text)
    year = day.year % 100
    date = bytes([day.day | (year & 7) << 5, day.month | (year & 0x78) << 1])
    if size == 2:
        return date
    hundreds = (day.year - 1900) // 100 << 5
    return (
        bytes([day.minute, day.hour | hundreds]) + date
        if size == 4
        else (bytes([day.second, day.minute, day.hour]) + date + b"\0")
    )
