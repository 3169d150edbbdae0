"""IEEE 754 singles on the wire, as the exact decimals that were meant."""

import struct
from decimal import Decimal


def shortest_decimal(octets: bytes) -> Decimal | None:
    """The shortest decimal that is this single (least octet first) and no other; None for what is no number.

    >>> shortest_decimal(bytes.fromhex("52b84742")), shortest_decimal(bytes.fromhex("0000807f"))
    (Decimal('49.93'), None)
    """
    (number,) = struct.unpack("<f", octets)
    for digits in range(1, 10):
        text = f"{number:.{digits}g}"
        try:
            if struct.pack("<f", Decimal(text)) == octets:
                found = Decimal(text)
                return found if found.is_finite() else None
        except OverflowError:
            continue
    return None
