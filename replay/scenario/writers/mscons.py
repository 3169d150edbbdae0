"""Interface 32: the quarter hours of every market location, as the metering point operator sends them to the supplier.

Some things go wrong, as they do: of the first site some quarter hours are substitutes until a correction comes days
later; of the last site a meter reading has a wrong digit, is withdrawn and sent again.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from replay.scenario.document import Document
from replay.scenario.names import METERING_OPERATOR, SUPPLIER, Names, names_of
from replay.scenario.truth import BILLING_STEP_MWH, Truth
from schemas.calendar import day_of
from schemas.time import HOUR_US, MINUTE_US, SLOT_US
from schemas.wire.mscons import cancellation, encode_interchange, message_of, profile, states

INTERFACE: Final = "32"

_PROFILE: Final = 13025
_STATES: Final = 13017
_TRUE, _SUBSTITUTE = "220", "67"
SUBSTITUTED: Final = range(40, 48)
"""Numbers of the first site's quarter hours that were missing at first."""
SENT_AFTER_US: Final = 6 * HOUR_US + 30 * MINUTE_US
CORRECTED_AFTER_US: Final = 72 * HOUR_US
OBIS: Final = ("1-1:1.29.0", "1-1:2.29.0")
_MISREAD_MWH: Final = 100_000_000
"""A hundred kWh: one digit read too high."""
_KWH: Final = -6
"""Power of ten from mWh."""


def documents(truth: Truth) -> Iterator[Document]:
    """An interchange for each site on the morning after, its corrections, and a reading withdrawn and sent again."""
    sent_us, corrected_us = truth.plan.end_us + SENT_AFTER_US, truth.plan.end_us + CORRECTED_AFTER_US
    for site in range(truth.street.sites):
        names = names_of(truth.street, site)
        yield _profiles(truth, names, sent_us, SUBSTITUTED if site == 0 else range(0))
    yield _profiles(truth, names_of(truth.street, 0), corrected_us)
    yield from _readings(truth, names_of(truth.street, truth.street.sites - 1), sent_us)


def _profiles(truth: Truth, names: Names, sent_us: int, substituted: range = range(0)) -> Document:
    """The load profiles of both market locations of a site."""
    messages = [
        _message(_PROFILE, f"{_reference(names, sent_us)}{row}", sent_us, located)
        for row, located in profiles_of(truth, names, substituted)
    ]
    return _document("TL", names, sent_us, messages)


def profiles_of(truth: Truth, names: Names, substituted: range = range(0)) -> Iterator[tuple[int, dict[str, Any]]]:
    """Of each market location of a site: 0 for what is drawn, 1 for what is fed in, and its load profile of the day."""
    span = (truth.plan.start_us, truth.plan.end_us)
    for row, location in enumerate((names.malo, names.feed_in_malo)):
        if location:
            values = _values(truth, names.site, row, substituted)
            yield row, profile(location, "malo", [(OBIS[row], values)], span)


def _values(truth: Truth, site: int, row: int, substituted: range) -> list[list[Any]]:
    """Quarter hours in kWh; substitutes share evenly what the register counted in all of them."""
    edges = truth.edges_mwh(row, site, BILLING_STEP_MWH)
    amounts = [after - before for before, after in pairwise(edges)]
    if substituted:
        counted = (edges[substituted.stop] - edges[substituted.start]) // BILLING_STEP_MWH
        share = counted // len(substituted) * BILLING_STEP_MWH
        amounts[substituted.start : substituted.stop] = [share] * len(substituted)
    return [
        [_SUBSTITUTE if number in substituted else _TRUE, kilowatt_hours(amount), slot_us, slot_us + SLOT_US]
        for number, (slot_us, amount) in enumerate(zip(truth.plan.slots, amounts, strict=True))
    ]


def _readings(truth: Truth, names: Names, sent_us: int) -> Iterator[Document]:
    """The import register at the day's end: wrong, then withdrawn and right."""
    meter = truth.meters_of(0, names.site, BILLING_STEP_MWH)[-1]
    _, register = meter.readings[-1]
    wrong, right = (_reading(truth, meter.names, value) for value in (register + _MISREAD_MWH, register))
    reference, later_us = f"{_reference(names, sent_us)}Z", sent_us + HOUR_US
    yield _document("VL", names, sent_us, [_message(_STATES, f"{reference}1", sent_us, wrong)])
    withdrawn = cancellation(f"{reference}1", f"{reference}2", later_us, sender=METERING_OPERATOR, receiver=SUPPLIER)
    yield _document("VL", names, later_us, [withdrawn, _message(_STATES, f"{reference}3", later_us, right)])


def _reading(truth: Truth, names: Names, value_mwh: int) -> dict[str, Any]:
    state = (_TRUE, kilowatt_hours(value_mwh), truth.plan.end_us)
    return states(names.melo, "melo", names.meter, [("1-0:1.8.0", [state])])


def _message(check: int, reference: str, sent_us: int, location: dict[str, Any]) -> dict[str, Any]:
    return message_of(check, reference, sent_us, sender=METERING_OPERATOR, receiver=SUPPLIER, locations=[location])


def _document(kind: str, names: Names, sent_us: int, messages: list[dict[str, Any]]) -> Document:
    reference = f"{kind[0]}{_reference(names, sent_us)}"
    name = f"MSCONS_{kind}_{METERING_OPERATOR}_{SUPPLIER}_{day_of(sent_us):%Y%m%d}_{reference}.txt"
    return Document(sent_us, INTERFACE, name, encode_interchange(messages, reference=reference), len(messages))


def _reference(names: Names, sent_us: int) -> str:
    """Unique for a site and a time of sending, short enough for a reference (14 characters)."""
    return f"{sent_us // MINUTE_US % 10**6:06d}{names.site:05d}"


def kilowatt_hours(value_mwh: int) -> Decimal:
    """Energy as market messages write it: kWh with three decimals."""
    return Decimal(value_mwh).scaleb(_KWH).quantize(Decimal("0.001"))
