"""Identifiers of the German energy market and of electric mobility: their rules, their check digits.

Every ``parse_*`` gives the identifier in its canonical spelling or raises :class:`~schemas.wire.contract.BadIdentifier`
with a sentence; every ``make_*`` completes an identifier with its check digit.

What a check digit finds: the one of MaLo, BDEW code, NeLo, NeBe, SR and TR every wrong digit at an odd place, and at
an even place every one that is not off by exactly five (the weights are 1 and 2, not those of Luhn); those of EIC and
EMAID every wrong character and every two neighbours exchanged. MeLo, EVSE-ID and meter id have none: only their form
can be wrong.

Sources: BDEW, "Identifikatoren in der Marktkommunikation" (MaLo, NeLo, NeBe, SR, TR, BDEW code); VDE-AR-N 4400 (MeLo);
ENTSO-E, "The Energy Identification Coding Scheme" (EIC); ISO 15118-1, annex H, and ISO 15118-2, annex H (EMAID,
EVSE-ID); DIN 43863-5 (meters and gateways).
"""

import re
from typing import Final

from schemas.wire.contract import BadIdentifier

_MALO: Final = re.compile(r"[1-9][0-9]{10}")
_MARKET_PARTNER: Final = re.compile(r"[0-9]{13}")
_RESOURCE: Final = re.compile(r"[CDEF][0-9A-Z]{9}[0-9]")
_MELO: Final = re.compile(r"DE[0-9]{11}[0-9A-Z]{20}")
_EIC: Final = re.compile(r"[0-9]{2}[A-Z][0-9A-Z-]{12}[0-9A-Z]")
_EMAID: Final = re.compile(r"([A-Z]{2})(-?)([0-9A-Z]{3})\2([0-9A-Z]{9})(?:\2([0-9A-Z]))?")
_EVSE_ID: Final = re.compile(r"([A-Z]{2})(\*?)([0-9A-Z]{3})\2(E[0-9A-Z](?:[0-9A-Z*]{0,29}[0-9A-Z])?)")
_METER: Final = re.compile(r"[0-9A-Z][A-Z]{3}[0-9A-F]{2}[0-9]{8}")

_KINDS: Final = {"C": "SR-ID", "D": "TR-ID", "E": "NeLo-ID", "F": "NeBe-ID"}
"""What the first letter says: controllable resource, technical resource, grid location, grid area."""

_EIC_CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_EMAID_CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def parse_malo(text: str) -> str:
    """A market location: eleven digits, the first not 0.

    Raises:
        BadIdentifier: another form, or a wrong check digit.

    >>> parse_malo("41373559241")
    '41373559241'
    """
    if not _MALO.fullmatch(text):
        raise BadIdentifier(f"{_shown(text)} is no MaLo-ID: eleven digits, the first not 0")
    return _checked("MaLo-ID", text)


def make_malo(body: str) -> str:
    """The market location of ten digits.

    >>> make_malo("4137355924")
    '41373559241'
    """
    return parse_malo(body + _check_digit(body))


def parse_bdew_code(text: str) -> str:
    """The code number of a market partner, given out by the BDEW: thirteen digits.

    Raises:
        BadIdentifier: another form, or a wrong check digit.

    >>> parse_bdew_code("9900987654329")
    '9900987654329'
    """
    if not _MARKET_PARTNER.fullmatch(text):
        raise BadIdentifier(f"{_shown(text)} is no BDEW code number: thirteen digits")
    return _checked("BDEW code number", text)


def make_bdew_code(body: str) -> str:
    """The BDEW code number of twelve digits.

    >>> make_bdew_code("990098765432")
    '9900987654329'
    """
    return parse_bdew_code(body + _check_digit(body))


def parse_gln(text: str) -> str:
    """A global location number of GS1, the other code of market partners: thirteen digits, weights 1 and 3.

    Raises:
        BadIdentifier: another form, or a wrong check digit.

    >>> parse_gln("4012345000009")
    '4012345000009'
    """
    if not _MARKET_PARTNER.fullmatch(text):
        raise BadIdentifier(f"{_shown(text)} is no GLN: thirteen digits")
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(text[:-1]))
    return _compared("GLN", text, str(-total % 10))


def parse_resource(text: str) -> str:
    """A grid location (NeLo, ``E``), grid area (NeBe, ``F``), controllable or technical resource (SR ``C``, TR ``D``).

    Raises:
        BadIdentifier: another form, or a wrong check digit.

    >>> [parse_resource(text) for text in ("E0000000019", "C0000000011", "D0000000010")]
    ['E0000000019', 'C0000000011', 'D0000000010']
    """
    if not _RESOURCE.fullmatch(text):
        raise BadIdentifier(
            f"{_shown(text)} is no identifier of a resource: E (NeLo), F (NeBe), C (SR) or D (TR), "
            "nine capitals or digits, a check digit"
        )
    return _checked(_KINDS[text[0]], text)


def make_resource(body: str) -> str:
    """The identifier of a letter and nine characters.

    >>> make_resource("E000000001"), make_resource("C000000001")
    ('E0000000019', 'C0000000011')
    """
    return parse_resource(body + _check_digit(body))


def parse_melo(text: str) -> str:
    """A metering location: ``DE``, six digits of the grid operator, five of the postcode, twenty capitals or digits.

    Raises:
        BadIdentifier: another form. There is no check digit.

    >>> parse_melo("DE00056266802AO6G56M11SN51G21M24S")
    'DE00056266802AO6G56M11SN51G21M24S'
    """
    if not _MELO.fullmatch(text):
        raise BadIdentifier(f"{_shown(text)} is no MeLo-ID: DE, eleven digits, twenty capitals or digits")
    return text


def parse_eic(text: str) -> str:
    """An energy identification code (areas, parties, resources in Europe): sixteen characters.

    Raises:
        BadIdentifier: another form, or a wrong check character.

    >>> parse_eic("10Y1001A1001A82H"), parse_eic("10YBE----------2")
    ('10Y1001A1001A82H', '10YBE----------2')
    """
    if not _EIC.fullmatch(text):
        raise BadIdentifier(f"{_shown(text)} is no EIC: two digits, a letter, twelve of 0-9 A-Z -, a check character")
    return _compared("EIC", text, _eic_check(text[:-1]))


def make_eic(body: str) -> str:
    """The EIC of fifteen characters.

    Raises:
        BadIdentifier: among others where the check character would be ``-``, which is not given out.

    >>> make_eic("10Y1001A1001A82")
    '10Y1001A1001A82H'
    """
    return parse_eic(body + _eic_check(body))


def parse_emaid(text: str) -> str:
    """A contract of electric mobility: country, provider, nine characters, check character; hyphens as one likes.

    Canonical is without hyphens, in capitals, with the check character, which may be missing in ``text``.

    Raises:
        BadIdentifier: another form, or a wrong check character.

    >>> parse_emaid("DE8AA0012345670"), parse_emaid("NL-TNM-000122045-U"), parse_emaid("nltnm000122045")
    ('DE8AA0012345670', 'NLTNM000122045U', 'NLTNM000122045U')
    """
    found = _EMAID.fullmatch(text.upper())
    if not found:
        raise BadIdentifier(
            f"{_shown(text)} is no EMAID: two letters of the country, three characters of the provider, nine of the "
            "contract, a check character"
        )
    country, _, provider, instance, check = found.groups()
    body = country + provider + instance
    expected = _emaid_check(body)
    return _compared("EMAID", body + (check or expected), expected)


def make_emaid(country: str, provider: str, instance: str) -> str:
    """The EMAID of a contract, with check character.

    >>> make_emaid("DE", "8AA", "001234567")
    'DE8AA0012345670'
    """
    return parse_emaid(country + provider + instance)


def parse_evse_id(text: str) -> str:
    """A charging point: country, operator, ``E`` and up to 31 characters; canonical with asterisks, in capitals.

    Raises:
        BadIdentifier: another form. There is no check digit.

    >>> parse_evse_id("DE*ICE*E45B*78C"), parse_evse_id("deiceE45B*78C")
    ('DE*ICE*E45B*78C', 'DE*ICE*E45B*78C')
    """
    found = _EVSE_ID.fullmatch(text.upper())
    if not found:
        raise BadIdentifier(f"{_shown(text)} is no EVSE-ID such as DE*ICE*E45B*78C")
    country, _, operator, outlet = found.groups()
    return f"{country}*{operator}*{outlet}"


def parse_meter_id(text: str) -> str:
    """A meter or gateway as its nameplate says: medium (1 is electricity), maker, block, number.

    Raises:
        BadIdentifier: another form. There is no check digit.

    >>> parse_meter_id("1EMH0012345678"), parse_meter_id("EPPC0210000001")
    ('1EMH0012345678', 'EPPC0210000001')
    """
    if not _METER.fullmatch(text):
        raise BadIdentifier(
            f"{_shown(text)} is no meter id (DIN 43863-5): medium, three letters of the maker, two hexadecimal digits, "
            "eight digits"
        )
    return text


def _checked(kind: str, text: str) -> str:
    return _compared(kind, text, _check_digit(text[:-1]))


def _compared(kind: str, text: str, expected: str) -> str:
    if text[-1] != expected:
        raise BadIdentifier(f"{kind} {text} ends in {text[-1]}, by its check digit it should be {expected}")
    return text


def _check_digit(body: str) -> str:
    """What lacks to the next ten; odd places count once, even ones twice, a letter as its ASCII code."""
    values = [int(character) if character.isdigit() else ord(character) for character in body]
    return str(-(sum(values[::2]) + 2 * sum(values[1::2])) % 10)


def _eic_check(body: str) -> str:
    total = sum(_EIC_CHARACTERS.index(character) * (16 - place) for place, character in enumerate(body))
    return _EIC_CHARACTERS[36 - (total - 1) % 37]


def _emaid_check(body: str) -> str:
    """The fifteenth character that makes the sum of all characters times the powers of two matrices zero.

    A character of value v stands for v // 9 as two binary and v % 9 as two ternary digits; the matrices are
    ((0,1),(1,1)) modulo 2 and ((0,1),(1,2)) modulo 3. The sum is built from the last character to the first.
    """
    q1 = q2 = r1 = r2 = 0
    for character in reversed(body):
        ninths, rest = divmod(_EMAID_CHARACTERS.index(character), 9)
        q1, q2 = q1 + ninths // 2, q2 + ninths % 2
        r1, r2 = r1 + rest // 3, r2 + rest % 3
        q1, q2 = q2 % 2, (q1 + q2) % 2
        r1, r2 = r2 % 3, (r1 + 2 * r2) % 3
    # The fifteenth power is the identity modulo 2 and ((1,1),(1,0)) modulo 3.
    first = -r2 % 3
    second = (-r1 - first) % 3
    return _EMAID_CHARACTERS[9 * (2 * q1 + q2) + 3 * first + second]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")
