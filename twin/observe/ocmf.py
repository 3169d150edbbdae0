"""What signed charging records say: readings of the meter, whether the signature holds, what of the record does not.

| attribute | unit | allowed values |
|---|---|---|
| ``signed_value`` | - | ``valid``, or the reason of :mod:`schemas.wire.ocmf.signature` |
| ``signed_value.checks`` | - | ``ok``, or the reasons of :mod:`schemas.wire.ocmf.checks`, sorted, joined by ", " |
| ``signed_value.page`` | - | the page, for example ``T76`` |
| ``transaction_import``, ``transaction_export`` | Wh | energy of the transaction, end minus begin |

Readings have the point ``<place>@signed``: the same meter speaks in ordinary meter values too, and what is signed is
never added to what is not. They are ``measured`` where signature and status hold, no error is flagged and the clock was
synchronised: a quarter hour is billed only by when it was. Else they are ``indicative``. The energy of the transaction
needs no clock.
"""

from decimal import Decimal
from typing import Any, Final

from schemas.event import Event
from schemas.facts import INDICATIVE, MEASURED, Facts, Observation, Reading, Reject
from schemas.time import parse_time
from schemas.wire.ocmf.checks import is_sound, mwh
from twin.observe.obis import ENERGY_LIMIT_MWH

SIGNED: Final = "@signed"

_BROKEN: Final = frozenset({"signature-wrong", "signature-malformed"})
"""Reasons for which the readings themselves are not believed."""


def observe(event: Event, facts: Facts) -> None:
    """Append what one record says of its charging point."""
    tell(event.payload, event.actor, event.time_us, facts)


def tell(said: dict[str, Any], actor: str, time_us: int | None, facts: Facts) -> None:
    """Append what a record says, wherever it rode; ``said`` as :func:`schemas.wire.ocmf.explain` gives it."""
    times = [parse_time(reading["time"]) for reading in said["readings"]]
    time_us = max(times, default=time_us)
    if time_us is None:
        return
    verdict = said["signature"]
    checks = sorted({entry["reason"] for entry in said["checks"]})
    for attribute, value in (
        ("signed_value", "valid" if verdict["valid"] else verdict["reason"]),
        ("signed_value.checks", ", ".join(checks) or "ok"),
        ("signed_value.page", str(said["record"].get("PG", ""))),
    ):
        facts.observations.append(Observation(actor, attribute, value, "", time_us))
    if verdict["reason"] in _BROKEN:
        facts.rejects.append(Reject(verdict["reason"], f"{actor}: {verdict['detail']}"))
        return
    _readings(said, actor, facts)
    for direction in ("import", "export"):
        energy_mwh = said.get("energy", {}).get(f"{direction}_mwh")
        if energy_mwh is not None:
            energy_wh = Decimal(energy_mwh).scaleb(-3)
            facts.observations.append(Observation(actor, f"transaction_{direction}", energy_wh, "Wh", time_us))


def _readings(said: dict[str, Any], actor: str, facts: Facts) -> None:
    point = f"{actor.partition(':')[2]}{SIGNED}"
    for reading in said["readings"]:
        if not reading["direction"] or reading["transaction"]:
            continue
        energy_mwh = mwh(reading)
        if energy_mwh is None or energy_mwh < 0:
            facts.rejects.append(
                Reject("not-a-number", f"{actor}: {reading['obis']} is {str(reading['value'])[:40]!r}")
            )
            continue
        if energy_mwh > ENERGY_LIMIT_MWH:
            detail = f"{actor}: {reading['obis']} stands at {str(reading['value'])[:40]}"
            facts.rejects.append(Reject("implausible", detail))
            continue
        holds = said["signature"]["valid"] and is_sound(reading)
        facts.readings.append(
            Reading(
                point,
                said["meter"] or point,
                reading["obis"],
                reading["direction"],
                parse_time(reading["time"]),
                energy_mwh,
                MEASURED if holds else INDICATIVE,
            )
        )
