"""What of a record holds beside its signature; every check has a reason of its own.

| reason | meaning |
|---|---|
| ``serial-missing`` | neither gateway nor meter is named |
| ``serials-differ`` | begin and end of a transaction come from different meters |
| ``pagination-missing`` | no page number, or none that can be one |
| ``pagination-gap`` | the page before was not the one before: a record is missing |
| ``pagination-repeated`` | this page was there already, with other content |
| ``status-not-good`` | a reading's status is not G |
| ``error-flag`` | a reading bears an error flag (E energy, t time) |
| ``clock-not-synchronised`` | a reading's time is not of a synchronised clock (S) |
| ``begin-missing`` | a transaction ends whose begin is not known |
| ``end-missing`` | a transaction begins although the one before has not ended |
| ``register-falls`` | the end's register is below the begin's |
| ``register-leaps`` | the end's register is above the begin's by more than any charging point ever counts |
| ``energy-contradicted`` | a transaction register shows another energy than end minus begin |
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from schemas.wire.contract import Conversation

Check = tuple[str, str]
"""Reason and a sentence."""

_PAGE: Final = re.compile(r"([TF])(\d{1,18})")
_ENDS: Final = frozenset("ELRAP")
"""Kinds of readings that end a transaction: ended, locally, remotely, aborted, after power failure."""

_TO_MWH: Final = {"kWh": 6, "Wh": 3, "mWh": 0, "MWh": 9}
_TRANSACTION_LIMIT_MWH: Final = 10**15
"""A terawatt hour."""

_KEPT: Final = 1000


def check(record: dict[str, Any], readings: list[dict[str, Any]], conversation: Conversation) -> Iterator[Check]:
    """What does not hold in a record alone and after those before it in the conversation."""
    if not (record.get("GS") or record.get("MS")):
        yield "serial-missing", "the record names neither the gateway's serial number (GS) nor the meter's (MS)"
    yield from _page(record, conversation)
    for number, reading in enumerate(readings, 1):
        yield from _soundness(number, reading)


def is_sound(reading: dict[str, Any]) -> bool:
    """Whether the meter vouches for value and time of a reading: status good, no error flag, clock synchronised."""
    return next(_soundness(0, reading), None) is None


def _soundness(number: int, reading: dict[str, Any]) -> Iterator[Check]:
    if reading["status"] != "G":
        yield "status-not-good", f"reading {number} has status {reading['status'] or 'none'!r}"
    if reading["errors"].strip():
        yield "error-flag", f"reading {number} bears the error flags {reading['errors']!r}"
    if reading["clock"] != "S":
        yield "clock-not-synchronised", f"reading {number} has clock state {reading['clock']}"


def _page(record: dict[str, Any], conversation: Conversation) -> Iterator[Check]:
    page = _PAGE.fullmatch(str(record.get("PG", "")))
    if page is None:
        yield "pagination-missing", f"the page {str(record.get('PG', ''))[:20]!r} is none like T12"
        return
    pages: dict[str, tuple[int, str]] = conversation.memory.setdefault("pages", {})
    key, number = f"{meter_of(record)}/{page[1]}", int(page[2])
    content = str(record.get("RD"))
    before = pages.get(key)
    if before is not None and number == before[0] and content != before[1]:
        yield "pagination-repeated", f"page {page[0]} was there already, with other readings"
    elif before is not None and number not in {before[0], before[0] + 1}:
        yield "pagination-gap", f"page {page[0]} follows {page[1]}{before[0]}"
    pages[key] = number, content
    _forget(pages)


def energy_of(
    record: dict[str, Any], readings: list[dict[str, Any]], conversation: Conversation
) -> tuple[dict[str, int], list[Check]]:
    """Energy of the transaction in mWh by direction, as soon as begin and end are known; and what speaks against it.

    Begin and end stand in one record or in two, of the same meter.
    """
    energy: dict[str, int] = {}
    found: list[Check] = []
    open_: dict[str, dict[str, Any]] = conversation.memory.setdefault("open", {})
    for reading in readings:
        value = mwh(reading)
        if not reading["direction"] or value is None:
            continue
        key = f"{place_of(record)}/{reading['obis']}"
        if reading["kind"] == "B":
            if key in open_ and open_[key]["time"] != reading["time"]:
                found.append(("end-missing", f"the transaction that began {open_[key]['time']} has no end"))
            open_[key] = {"time": reading["time"], "mwh": value, "meter": meter_of(record)}
            _forget(open_)
        elif reading["kind"] in _ENDS:
            begin = open_.pop(key, None)
            if begin is None:
                found.append(("begin-missing", f"{reading['obis']}: the begin of the transaction is not known"))
                continue
            found += _close(record, reading, begin, value, energy)
    return energy, found


def _close(
    record: dict[str, Any], reading: dict[str, Any], begin: dict[str, Any], value: int, energy: dict[str, int]
) -> list[Check]:
    if begin["meter"] != meter_of(record):
        return [("serials-differ", f"began with meter {begin['meter']}, ended with {meter_of(record)}")]
    difference = value - begin["mwh"]
    if difference < 0:
        return [("register-falls", f"{reading['obis']} fell by {-difference} mWh")]
    if difference > _TRANSACTION_LIMIT_MWH:
        return [("register-leaps", f"{reading['obis']} rose by {difference} mWh")]
    name = f"{reading['direction']}_mwh"
    if energy.setdefault(name, difference) != difference:
        return [("energy-contradicted", f"{reading['obis']} says {difference} mWh, another register {energy[name]}")]
    return []


def meter_of(record: dict[str, Any]) -> str:
    """The serial number of what counted: the meter's, else the gateway's."""
    return str(record.get("MS") or record.get("GS") or "")


def place_of(record: dict[str, Any]) -> str:
    """Where it was counted: the charging point, else the gateway, else the meter."""
    return str(record.get("CI") or record.get("GS") or record.get("MS") or "")


def mwh(reading: dict[str, Any]) -> int | None:
    """A register's state in mWh, rounded half to even; None where the unit is none of energy or the value no number."""
    exponent = _TO_MWH.get(reading["unit"])
    try:
        value = Decimal(reading["value"])
    except (ArithmeticError, TypeError, ValueError):
        return None
    if exponent is None or not value.is_finite() or abs(value.adjusted()) > 18:
        return None
    return int(value.scaleb(exponent).to_integral_value())


def _forget(kept: dict[str, Any]) -> None:
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]
