"""Interfaces 19, 22, 30 and 35: the same quarter hours on their other ways, many locations in one interchange.

The metering point operator sends the pool's to a service that ordered them (19), the supplier hands them to who trades
the pool (22), the grid operator all of them to the market (30). The values of limited houses go to the grid operator
hour by hour, preliminary, for the state of his grid (35). Who sends what for billing is interface 32; corrections of it
come here too.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

from replay.scenario.document import Document
from replay.scenario.names import (
    GRID_BILLING,
    MARKET_DESK,
    METERING_OPERATOR,
    SUPPLIER,
    TRADING_DESK,
    VALUE_SERVICE,
    names_of,
)
from replay.scenario.street import Household
from replay.scenario.truth import BILLING_STEP_MWH, Truth
from replay.scenario.writers.mscons import (
    CORRECTED_AFTER_US,
    OBIS,
    SENT_AFTER_US,
    SUBSTITUTED,
    kilowatt_hours,
    profiles_of,
)
from schemas.time import HOUR_US, MINUTE_US, SLOT_US
from schemas.wire.mscons import encode_interchange, message_of, profile

GRID_STATE: Final = "35"

_SITES_IN_A_FILE: Final = 100
_STATE_OF_GRID, _PROFILE, _ORDERED = 13018, 13025, 13027
_PRELIMINARY: Final = "Z18"
_SLOTS_IN_A_MESSAGE: Final = 4
_HEARD_AFTER_US: Final = 5 * MINUTE_US


class _Way(NamedTuple):
    """Between whom, about which houses, and how long after the values went to the supplier."""

    interface: str
    check: int
    sender: str
    receiver: str
    later_us: int
    about: Callable[[Household], bool]


_WAYS: Final = (
    _Way("19", _ORDERED, METERING_OPERATOR, VALUE_SERVICE, 15 * MINUTE_US, lambda house: house.aggregated),
    _Way("22", _PROFILE, SUPPLIER, TRADING_DESK, HOUR_US, lambda house: house.aggregated),
    _Way("30", _PROFILE, GRID_BILLING, MARKET_DESK, 2 * HOUR_US, lambda _: True),
)


def documents(truth: Truth) -> Iterator[Document]:
    """Interchanges of the morning after on each way, of the correction, and of every hour."""
    end_us = truth.plan.end_us
    for way in _WAYS:
        sites = [site for site in range(truth.street.sites) if way.about(truth.street.household(site))]
        sent_us = end_us + SENT_AFTER_US + way.later_us
        for group in _grouped(sites):
            yield _handed_on(truth, way, group, sent_us, SUBSTITUTED)
        if 0 in sites:
            yield _handed_on(truth, way, [0], end_us + CORRECTED_AFTER_US + way.later_us, range(0))
    limited = [site for site in range(truth.street.sites) if truth.street.household(site).limited]
    for group in _grouped(limited):
        for first in range(0, len(truth.plan.slots), _SLOTS_IN_A_MESSAGE):
            yield _state_of_grid(truth, group, range(first, first + _SLOTS_IN_A_MESSAGE))


def _grouped(sites: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(sites), _SITES_IN_A_FILE):
        yield sites[first : first + _SITES_IN_A_FILE]


def _handed_on(truth: Truth, way: _Way, sites: list[int], sent_us: int, substituted: range) -> Document:
    """The load profiles of some sites, a message for each market location."""
    messages = []
    for site in sites:
        for row, located in profiles_of(truth, names_of(truth.street, site), substituted if site == 0 else range(0)):
            parties = {"sender": way.sender, "receiver": way.receiver}
            reference = _reference(way.interface, sent_us, site, row)
            messages.append(message_of(way.check, reference, sent_us, **parties, locations=[located]))
    return _document(way.interface, way.sender, way.receiver, sent_us, messages)


def _state_of_grid(truth: Truth, sites: list[int], numbers: range) -> Document:
    """What some metering locations drew and fed in during an hour, told right behind it."""
    slots = truth.plan.slots[numbers.start : numbers.stop]
    span = (slots[0], slots[-1] + SLOT_US)
    sent_us = span[1] + _HEARD_AFTER_US
    messages = []
    for site in sites:
        registers = []
        for row, obis in enumerate(OBIS):
            edges = truth.edges_mwh(row, site, BILLING_STEP_MWH)[numbers.start : numbers.stop + 1]
            amounts = (kilowatt_hours(after - before) for before, after in pairwise(edges))
            values = [[_PRELIMINARY, kwh, at, at + SLOT_US] for at, kwh in zip(slots, amounts, strict=True)]
            registers.append((obis, values))
        located = profile(names_of(truth.street, site).melo, "melo", registers, span)
        reference = _reference(GRID_STATE, sent_us, site, 0)
        parties = {"sender": VALUE_SERVICE, "receiver": GRID_BILLING}
        messages.append(message_of(_STATE_OF_GRID, reference, sent_us, **parties, locations=[located]))
    return _document(GRID_STATE, VALUE_SERVICE, GRID_BILLING, sent_us, messages)


def _document(interface: str, sender: str, receiver: str, sent_us: int, messages: list[dict[str, Any]]) -> Document:
    reference = f"I{messages[0]['reference']}"[:14]
    raw = encode_interchange(messages, reference=reference)
    return Document(sent_us, interface, f"MSCONS_TL_{sender}_{receiver}_{reference}.txt", raw, len(messages))


def _reference(interface: str, sent_us: int, site: int, row: int) -> str:
    """Unique for an interface, a time of sending and a location, short enough for a reference (14 characters)."""
    return f"{interface}{sent_us // MINUTE_US % 10**5:05d}{site:05d}{row}"
