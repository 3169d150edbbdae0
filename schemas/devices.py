"""Names of devices, however a message writes them: meters and gateways (DIN 43863-5), vehicles (EUI-48, EUI-64)."""

import re
from functools import lru_cache
from typing import Final

_DEVICE: Final = re.compile(r"0[9A]0[0-9](4[1-9A-F]|5[0-9A]){3}[0-9A-F]{10}", re.IGNORECASE)
_NUMBER_LIMIT: Final = 10**8
_EUI: Final = re.compile(r"([0-9A-F]{2}([-:]?)[0-9A-F]{2})(\2[0-9A-F]{2}){4}((\2[0-9A-F]{2}){2})?", re.IGNORECASE)


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


@lru_cache(maxsize=100_000)
def vehicle_name(identity: str) -> str:
    """A vehicle by the address of its communication controller, as hex digits alone; any other identity as it is.

    ISO 15118-2 writes the EVCC id as twelve digits, EEBUS as an EUI-48 with hyphens, OCPP as a MAC address with colons:
    all three name one vehicle. An identity of ISO 15118-20 (``WMIV1234567890ABCDEX``) is none of these.

    >>> vehicle_name("64-4d-70-01-02-c8"), vehicle_name("64:4D:70:01:02:C8"), vehicle_name("644D700102C8")
    ('644D700102C8', '644D700102C8', '644D700102C8')
    >>> vehicle_name("WMIV1234567890ABCDEX"), vehicle_name("00-11")
    ('WMIV1234567890ABCDEX', '00-11')
    """
    return re.sub("[-:]", "", identity).upper() if _EUI.fullmatch(identity) else identity
