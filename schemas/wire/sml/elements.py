"""SML binary encoding: type and length in front of every value (BSI TR-03109-1, annex IV b, clause 6).

The first octet ``0xKL`` holds the kind in bits 4 to 6 and a length in bits 0 to 3: of an octet string (0), a
boolean (4), a signed (5) or unsigned number (6) how many octets it takes with its head, of a list (7) how many elements
follow. Bit 7 says that the head has one more octet, whose low four bits lengthen the length. ``01``, the empty octet
string, stands for an optional value that is not there, ``00`` for the end of a message.
"""

from typing import Final

from schemas.wire.contract import BadSyntax, TooLarge, Truncated

Element = bytes | bool | int | list["Element"] | None
"""A value: None where an optional one is not there."""

DEPTH_LIMIT: Final = 16

STRINGS: Final = "|".join(rf"\x{size + 1:02x}.{{{size}}}" for size in range(1, 15))
"""Pattern of an octet string with a short head, for who reads many values at once."""

_HEAD_LIMIT: Final = 4
_ABSENT: Final = b"\x01"
_OCTETS, _BOOLEAN, _SIGNED, _UNSIGNED, LIST = 0x00, 0x40, 0x50, 0x60, 0x70
_NUMBER_LIMIT: Final = 8


def element(data: bytes, at: int, depth: int = 0) -> tuple[Element, int]:
    """The value that starts at ``at``, and where it ends.

    Raises:
        Truncated: the octets end before the value does.
        BadSyntax: an unknown kind, a length that cannot be, the end of the message.
        TooLarge: nested too deep.
    """
    if data[at : at + 1] == _ABSENT:
        return None, at + 1
    kind, length, start = head(data, at)
    if kind == LIST:
        if depth == DEPTH_LIMIT:
            raise TooLarge(f"lists are nested deeper than {DEPTH_LIMIT}", at)
        elements: list[Element] = []
        at = start
        for _ in range(length):
            value, at = element(data, at, depth + 1)
            elements.append(value)
        return elements, at
    end = start + length
    if end > len(data):
        raise Truncated(f"a value of {length} bytes, of which {len(data) - start} are there", at)
    octets = data[start:end]
    if kind == _OCTETS:
        return octets or None, end
    if kind == _BOOLEAN:
        if length != 1:
            raise BadSyntax(f"a boolean of {length} bytes", at)
        return octets != b"\0", end
    if not 1 <= length <= _NUMBER_LIMIT:
        raise BadSyntax(f"a number of {length} bytes; they have 1 to {_NUMBER_LIMIT}", at)
    return int.from_bytes(octets, signed=kind == _SIGNED), end


def list_start(data: bytes, at: int, count: int, what: str) -> int:
    """Where the first element of a list stands that has ``count`` of them.

    Raises:
        Truncated, BadSyntax: no such list.
    """
    kind, length, start = head(data, at)
    if kind != LIST or length != count:
        raise BadSyntax(f"{what} is a list of {count}", at)
    return start


def head(data: bytes, at: int) -> tuple[int, int, int]:
    """Kind and length of the value that starts at ``at``, and where it stands itself.

    The length is in octets without the head, of a list in elements.
    """
    if at >= len(data):
        raise Truncated("the bytes end where a value should start", at)
    first = data[at]
    kind, length, start = first & 0x70, first & 0x0F, at + 1
    if first >= 0x80:
        length, start = _long_length(data, at, length)
    elif first == 0:
        raise BadSyntax("the end of a message where a value should start", at)
    if kind == LIST:
        return kind, length, start
    if kind not in {_OCTETS, _BOOLEAN, _SIGNED, _UNSIGNED}:
        raise BadSyntax(f"a value starts with {first:02x}, which is no kind of value", at)
    length -= start - at
    if length < 0:
        raise BadSyntax("a value shorter than its own head", at)
    return kind, length, start


def _long_length(data: bytes, at: int, length: int) -> tuple[int, int]:
    """Length in a head of several octets, and where the head ends."""
    for place in range(at + 1, at + _HEAD_LIMIT):
        if place >= len(data):
            raise Truncated("the bytes end inside the head of a value", at)
        more = data[place]
        if more & 0x70:
            raise BadSyntax(f"the head of a value goes on with {more:02x}", place)
        length = length << 4 | more & 0x0F
        if more < 0x80:
            return length, place + 1
    raise BadSyntax(f"the head of a value has more than {_HEAD_LIMIT} bytes", at)


def octets(value: bytes | None) -> bytes:
    """An octet string, or an optional value that is not there, with its head."""
    return b"\x01" if not value else _with_head(_OCTETS, len(value)) + value


def boolean(value: bool) -> bytes:
    """A boolean with its head."""
    return b"\x42\x01" if value else b"\x42\x00"


def number(value: int, size: int = 0, *, is_signed: bool = False) -> bytes:
    """A number with its head, in as many octets as told, else in the fewest of 1, 2, 4 or 8 that hold it.

    Raises:
        OverflowError: beyond what 8 octets, or those told, can hold.
    """
    bits = value.bit_length() + is_signed
    size = size or next((size for size in (1, 2, 4) if bits <= 8 * size), _NUMBER_LIMIT)
    kind = _SIGNED if is_signed else _UNSIGNED
    return bytes([kind | size + 1]) + value.to_bytes(size, signed=is_signed)


def sequence(*elements: bytes) -> bytes:
    """A list of elements that have their heads already."""
    return _list_head(len(elements)) + b"".join(elements)


def _list_head(count: int) -> bytes:
    nibbles = [count & 0x0F]
    while count := count >> 4:
        nibbles.append(count & 0x0F)
    return _head(LIST, nibbles[::-1])


def _with_head(kind: int, length: int) -> bytes:
    """The head of a value, whose length counts the head itself."""
    size = 1
    while length + size >= 1 << 4 * size:
        size += 1
    total = length + size
    return _head(kind, [total >> 4 * place & 0x0F for place in reversed(range(size))])


def _head(kind: int, nibbles: list[int]) -> bytes:
    more = [nibble | 0x80 for nibble in nibbles[:-1]] + nibbles[-1:]
    return bytes([more[0] | kind, *more[1:]])
