"""Payloads back to telegrams: an open response, the lists or attentions, a close response.

What it writes reads back as the same payload, as long as the rows are of the kind
:mod:`schemas.wire.sml.rows` describes.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from schemas.wire.sml.checksums import crc_x25
from schemas.wire.sml.elements import boolean, number, octets, sequence
from schemas.wire.sml.rows import Row, Time
from schemas.wire.sml.transport import wrap

_OPEN, _LIST, _CLOSE, _ATTENTION = 0x0101, 0x0701, 0x0201, 0xFF01
_NOTHING: Final = octets(None)
_MESSAGE_HEAD: Final = b"\x76"
_CLOSING_OCTETS: Final = 4
"""Check sum with its head, and the end of the message."""


def encode_telegram(payload: Mapping[str, Any], *, transaction: bytes = b"\0") -> bytes:
    """A telegram that says what a decoded payload of type ``sml.list`` or ``sml.attention`` says.

    Raises:
        OverflowError: a number of more than 64 bits.
    """
    return wrap(b"".join(_messages(payload, transaction)))


class Form:
    """A telegram with one list in which some numbers are left open: for who writes many of the same shape.

    ``blanks`` stand in the list in this order. Each is a number of four or eight octets that occurs nowhere else in it.
    """

    def __init__(self, found: Mapping[str, Any], blanks: Iterable[int]) -> None:
        self._before, message, self._after = _messages({"lists": [found]}, b"\0")
        form = message[:-_CLOSING_OCTETS].replace(b"%", b"%%")
        for blank in blanks:
            size = 4 if -(2**31) <= blank < 2**32 else 8
            before, after = form.split(blank.to_bytes(size, signed=blank < 0))
            form = before + b"%b" + after
        self._form = form

    def fill(self, *numbers: bytes) -> bytes:
        """The telegram with these numbers, each in as many octets as its blank."""
        return wrap(self._before + _closed(self._form % numbers) + self._after)


def _messages(payload: Mapping[str, Any], transaction: bytes) -> list[bytes]:
    lists, attentions = payload.get("lists", ()), payload.get("attentions", ())
    server = next((found["server"] for found in (*lists, *attentions) if found["server"]), None)
    opened = sequence(_NOTHING, _NOTHING, octets(transaction), _hex(server), _NOTHING, _NOTHING)
    return [
        _message(transaction, _OPEN, opened),
        *(_message(transaction, _LIST, _list_response(found)) for found in lists),
        *(_message(transaction, _ATTENTION, _attention(found)) for found in attentions),
        _message(transaction, _CLOSE, sequence(_NOTHING)),
    ]


def _list_response(found: Mapping[str, Any]) -> bytes:
    """The body of a GetListResponse."""
    return sequence(
        _NOTHING,
        _hex(found["server"]),
        _hex(found["name"]),
        _time(found["time"]),
        sequence(*map(_entry, found["values"])),
        _hex(found.get("signature")),
        _time(found.get("gateway_time")),
    )


def _message(transaction: bytes, kind: int, body: bytes) -> bytes:
    """A message with its check sum."""
    fields = (octets(transaction), number(0, 1), number(0, 1), sequence(number(kind, 4), body))
    return _closed(_MESSAGE_HEAD + b"".join(fields))


def _closed(message: bytes) -> bytes:
    return b"%b\x63%b\0" % (message, crc_x25(message))


def _attention(found: Mapping[str, Any]) -> bytes:
    return sequence(_hex(found["server"]), _hex(found["number"]), _hex(found["text"]), _NOTHING)


def _entry(row: Row) -> bytes:
    obis, value, unit, scaler, status, time, *more = row
    return sequence(
        octets(obis_octets(obis)),
        _NOTHING if status is None else number(status),
        _time(time),
        _NOTHING if unit is None else number(unit, 1),
        _NOTHING if scaler is None else number(scaler, 1, is_signed=True),
        _value(value),
        _hex(more[0]["signature"] if more else None),
    )


def obis_octets(obis: str) -> bytes:
    """The six octets of an OBIS code.

    >>> obis_octets("1-0:1.8.0").hex(), obis_octets("1-0:0.2.0*0").hex()
    ('0100010800ff', '010000020000')
    """
    named, _, stored = obis.partition("*")
    medium, _, rest = named.partition("-")
    channel, _, groups = rest.partition(":")
    return bytes([int(medium), int(channel), *map(int, groups.split(".")), int(stored or 0xFF)])


def _value(value: Any) -> bytes:
    match value:
        case bool():
            return boolean(value)
        case int():
            return number(value, is_signed=value < 0)
        case list():
            return sequence(*map(_value, value))
    return _hex(value)


def _time(time: Time) -> bytes:
    match time:
        case ["index", seconds]:
            return sequence(number(1, 1), number(seconds, 4))
        case ["utc", seconds]:
            return sequence(number(2, 1), number(seconds, 4))
        case ["local", seconds, *minutes]:
            return sequence(
                number(3, 1), sequence(number(seconds, 4), *(number(part, 2, is_signed=True) for part in minutes))
            )
    return _NOTHING


def _hex(digits: str | None) -> bytes:
    return octets(None if digits is None else bytes.fromhex(digits))
