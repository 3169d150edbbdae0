"""Names of meters and gateways as their nameplates show them (DIN 43863-5)."""

import re
from functools import lru_cache
from typing import Final

_DEVICE: Final = re.compile(r"0[9A]0[0-9](4[1-9A-F]|5[0-9A]){3}[0-9A-F]{10}", re.IGNORECASE)
_NUMBER_LIMIT: Final = 10**8


@lru_cache(maxsize=100_000)
def device_name(device: str) -> str:
    """The device as its nameplate says, where a message has its ten bytes in hex; anything else as it is.

    The ten bytes are a mark (0A, or 09 of the standard's first edition), medium, three letters of the maker, block
    and number.

    >>> device_name("0A01454D48000051971E"), device_name("1EMH0005347102"), device_name("00000000000000000000")
    ('1EMH0005347102', '1EMH0005347102', '00000000000000000000')
    """
    if not _DEVICE.fullmatch(device):
        return device
    octets = bytes.fromhex(device)
    number = int.from_bytes(octets[6:])
    return f"{octets[1]}{octets[2:5].decode()}{octets[5]:02X}{number:08d}" if number < _NUMBER_LIMIT else device
