"""Signed charging records (OCMF 1.2): what the meter in a wallbox signs when a session begins and when it ends.

They ride in the OCPP messages of begin and end, and in the charge detail record.
"""

import hashlib
from datetime import date
from functools import cached_property
from typing import Any, Final, NamedTuple

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from replay.scenario.names import names_of
from replay.scenario.plan import DayPlan
from replay.scenario.stays import trips_before
from replay.scenario.street import Street
from schemas.calendar import local_time
from schemas.time import SECOND_US

MWS_PER_TENTH_WH: Final = 360_000

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of secp256r1 (SEC 2, 2.4.2): private keys lie below."""

_CURVE: Final = ec.SECP256R1()
_METHOD: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_IMPORT, _EXPORT = "01-00:B0.08.00*FF", "01-00:C0.08.00*FF"
"""Totals of the mains' side, both ways (OCMF 1.2, annex)."""

METHOD: Final = "ECDSA-secp256r1-SHA256"


class Shown(NamedTuple):
    """The registers of a wallbox at a time, in tenths of a watt-hour; ``export_tenth_wh`` None where there is none."""

    time_us: int
    import_tenth_wh: int
    export_tenth_wh: int | None


class Signed(NamedTuple):
    """A record, and the public key of who signed it as DER in hex digits."""

    record: str
    public_key: str


class SigningMeter:
    """The meter of a wallbox: signs a record when a session begins, and one with begin and end when it ends.

    In OCPP 1.6 only the end has room for one. Pages count on from the first day of the story: ``page`` is the one with
    which the day's first session ends, the next one begins on the page behind it.
    """

    def __init__(self, street: Street, plan: DayPlan, site: int, first_day: date | None) -> None:
        names, is_1_6 = names_of(street, site), street.household(site).ocpp == "1.6"
        self._seed, self._site, self.signs_begin = street.seed, site, not is_1_6
        self._gives_back, self._digits = street.household(site).bidirectional, 3 if is_1_6 else 4
        trips = int(trips_before(street, first_day, plan.day)[site])
        self.page = street.draws.one("record", 100, 4000, site) + trips * (1 + self.signs_begin)
        self._head = {
            "FV": "1.2",
            "GI": "Gegenstrom wallbox",
            "GS": f"GG{site:08d}",
            "GV": "2.4.1",
        }
        self._meter = {
            "MV": "Gegenstrom",
            "MM": "Zweiweg",
            "MS": names.charge_meter,
            "MF": "1.0",
            "IS": True,
            "IL": "TRUSTED",
            "IF": [],
            "IT": "EMAID",
            "ID": names.token,
            "CT": "EVSEID",
            "CI": names.evse,
        }

    def shown(self, time_us: int, charged_mws: int, discharged_mws: int) -> Shown:
        """What the meter shows: whole watt-hours in OCPP 1.6, tenths in the others."""
        step = 10 ** (4 - self._digits)
        known = [mws // (MWS_PER_TENTH_WH * step) * step for mws in (int(charged_mws), int(discharged_mws))]
        return Shown(time_us, known[0], known[1] if self._gives_back else None)

    def begins(self, page: int, at: Shown) -> Signed:
        """The record of a session's begin."""
        return self._record(page, self._readings("B", at))

    def ends(self, page: int, begin: Shown, end: Shown) -> Signed:
        """The record of a session's end, with its begin."""
        return self._record(page, [*self._readings("B", begin), *self._readings("E", end)])

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        digest = hashlib.sha512(f"{self._seed}/signing meter/{self._site}".encode()).digest()
        return ec.derive_private_key(int.from_bytes(digest) % (_ORDER - 1) + 1, _CURVE)

    @cached_property
    def public_key(self) -> str:
        """As DER in hex digits."""
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()

    def _record(self, page: int, readings: list[dict[str, Any]]) -> Signed:
        content = {**self._head, "PG": f"T{page}", **self._meter, "RD": readings}
        payload = orjson.dumps(content)
        section = {"SA": METHOD, "SD": self._key.sign(payload, _METHOD).hex()}
        return Signed(f"OCMF|{payload.decode()}|{orjson.dumps(section).decode()}", self.public_key)

    def _readings(self, kind: str, at: Shown) -> list[dict[str, Any]]:
        known = [(_IMPORT, at.import_tenth_wh), (_EXPORT, at.export_tenth_wh)]
        stamp = local_time(at.time_us // SECOND_US * SECOND_US)
        return [
            {
                "TM": f"{stamp:%Y-%m-%dT%H:%M:%S},000{stamp:%z} S",
                "TX": kind,
                "RV": orjson.Fragment(self._kwh(tenth_wh)),
                "RI": code,
                "RU": "kWh",
                "RT": "AC",
                "EF": "",
                "ST": "G",
            }
            for code, tenth_wh in known
            if tenth_wh is not None
        ]

    def _kwh(self, tenth_wh: int) -> str:
        """Kilowatt-hours with the digits that the meter shows."""
        whole, rest = divmod(tenth_wh, 10_000)
        return f"{whole}.{f'{rest:04d}'[: self._digits]}"
