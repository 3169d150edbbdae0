"""Names of devices, however a message writes them.

Meters and gateways (DIN 43863-5), vehicles (EUI-48, EUI-64), charging points (DIN SPEC 91286, ISO 15118-2).
"""

import re
from functools import lru_cache
from typing import Final, TypeGuard

_DEVICE: Final = re.compile(r"0[9A]0[0-9](4[1-9A-F]|5[0-9A]){3}[0-9A-F]{10}", re.IGNORECASE)
_NUMBER_LIMIT: Final = 10**8
_OCTETS: Final = re.compile(r"([0-9A-F]{2}){1,32}", re.IGNORECASE)
_DIGITS_AND_STARS: Final = re.compile(r"[0-9A]+", re.IGNORECASE)
_PRINTABLE: Final = range(0x21, 0x7F)
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


def is_named(octets: str | None) -> TypeGuard[str]:
    """Whether an id in hex names a device: meters that were given none send nothing, or zeros alone.

    >>> is_named("0A01454D48000051971E"), is_named("00000000000000000000"), is_named(None)
    (True, False, False)
    """
    return octets is not None and octets.strip("0") != ""


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


@lru_cache(maxsize=100_000)
def evse_name(octets: str) -> str:
    """A charging point as it is written, where DIN SPEC 70121 (9.4.1.2.3) has its octets in hex; "" where it has none.

    An id of DIN SPEC 91286 has a digit in each half of an octet, and A for a star; others write letters. What is
    neither stays as it is.

    >>> evse_name("49A89A6360"), evse_name("44452A4747532A4531"), evse_name("00"), evse_name("FF01")
    ('49*89*6360', 'DE*GGS*E1', '', 'FF01')
    """
    if not _OCTETS.fullmatch(octets):
        return octets
    known = bytes.fromhex(octets).rstrip(b"\0")
    if all(octet in _PRINTABLE for octet in known):
        return known.decode("ascii")
    return octets.upper().replace("A", "*") if _DIGITS_AND_STARS.fullmatch(octets) else octets
