"""The check sums of SML: CRC-16/X.25, and CRC-16/KERMIT, which some makers compute instead.

Both are the polynomial x^16 + x^12 + x^5 + 1 with the least significant bit first. Python has it with the most
significant bit first (:func:`binascii.crc_hqx`), so bits are turned round before and after. On the wire the low byte
comes first.
"""

from binascii import crc_hqx
from typing import Final

X25: Final = "x25"
KERMIT: Final = "kermit"

_TURNED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def crc_x25(octets: bytes) -> bytes:
    """The two octets of CRC-16/X.25 as SML writes them (DIN EN 62056-46).

    >>> crc_x25(b"123456789").hex()
    '6e90'
    """
    crc = crc_hqx(octets.translate(_TURNED), 0xFFFF) ^ 0xFFFF
    return bytes((_TURNED[crc >> 8], _TURNED[crc & 0xFF]))


def crc_kermit(octets: bytes) -> bytes:
    """The two octets of CRC-16/KERMIT as SML writes them.

    >>> crc_kermit(b"123456789").hex()
    '8921'
    """
    crc = crc_hqx(octets.translate(_TURNED), 0)
    return bytes((_TURNED[crc >> 8], _TURNED[crc & 0xFF]))


def kind_of(octets: bytes, found: bytes) -> str | None:
    """Which of the two check sums the two octets found are; None where they are neither."""
    if crc_x25(octets) == found:
        return X25
    return KERMIT if crc_kermit(octets) == found else None
