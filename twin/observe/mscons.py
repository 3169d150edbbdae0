"""What MSCONS says: quarter hours and register states of a location, and that a document is withdrawn.

- Load profiles (13018, 13025, 13027) give ``energy.import`` (OBIS 1.29.0) and ``energy.export`` (2.29.0) of the
  location in mWh, version ``<document time>|<sender>|<document number>``: a later document replaces an earlier one.
  13027 are values that somebody ordered beside those for billing, of the same registers by the same sender: they
  count alike.
- States (13017) give readings of the device in RFF+MG. They hold from DTM+7 on, else from when they were read (DTM+9).
- A cancellation (13006) says ``document/<number>`` of the sender, also of a document that is not known (yet).
- Other registers (reactive energy, maxima, and 13016 and 13019, the energy billed of a period) are attributes of the
  location, with the latest value, at the end of its period.

Energy in kWh becomes mWh exactly; beyond six decimals to the nearest, a half to the even one. A value is believed only
when it is one whole quarter hour within the span of its location and not more than a connection carries. A profile with
fewer values than its span has quarter hours is reported and counts as far as it goes: a gap stays a gap.
"""

from collections.abc import Iterator
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final, NamedTuple

from schemas.event import Event
from schemas.facts import (
    MEASURED,
    MISSING,
    PRELIMINARY,
    SUBSTITUTE,
    Direction,
    Facts,
    Observation,
    Reading,
    Reject,
    Scalar,
    SlotValue,
)
from schemas.interfaces import INTERFACES
from schemas.time import SLOT_US, format_time
from schemas.wire.mscons.message import CANCELLATION, PROFILE
from twin.slots.rules import RULES

QUALITIES: Final = {"220": MEASURED, "67": SUBSTITUTE, "Z18": PRELIMINARY, "Z30": MISSING}
"""Qualifier of QTY: true value, substitute, preliminary, missing. Others (20, 201 ...) belong to gas."""

_DIRECTIONS: Final[dict[str, Direction]] = {"1": "import", "2": "export"}
"""OBIS group C: active energy to the customer and from it."""
_INTERVAL: Final = "29"
_STATE: Final = "8"
"""OBIS group D: energy of an interval, state of a register."""
_MWH: Final = {"KWH": 6, "MWH": 9, "WHR": 3, "": 6}
"""Powers of ten from the unit named to mWh; energy without unit is in kWh."""
_ENERGIES: Final = frozenset({"8", "9", "10", "17", "18", "19", "20", "29", "30"})
"""OBIS group D: integrals over time (IEC 62056-6-1, table 5). The others are power: its maximum, average, value now."""
_STATE_LIMIT_MWH: Final = 10**18
"""No register has more than twelve digits before the decimal point, in kWh."""
_NAMED_AT_MOST: Final = 8
"""Rejects of one kind and register; what is beyond them is counted."""


class _Obis(NamedTuple):
    """Groups C, D and E of an OBIS code; "" where the text is none."""

    quantity: str
    kind: str
    tariff: str


class _Register(NamedTuple):
    """A register of a location in a message."""

    location: dict[str, Any]
    obis: str
    groups: _Obis
    values: list[list[Any]]

    @property
    def name(self) -> str:
        return f"{self.location['id']} {self.obis}"


def observe(event: Event, facts: Facts) -> None:
    """Append what a message says."""
    said = event.payload
    sender, time_us = f"msb:{said['sender']['id']}", said["document_time_us"]
    facts.observations.append(Observation(sender, "last_document", said["document"], "", time_us))
    if said["use_case"] == CANCELLATION:
        by = f"cancelled by {said['document']}"
        facts.observations.append(Observation(sender, f"document/{said['cancels']}", by, "", time_us))
    version = f"{format_time(time_us)}|{said['sender']['id']}|{said['document']}"
    for location in said["locations"]:
        _say_location(location, event, time_us, facts)
        for register in location["registers"]:
            found = _Register(location, register["obis"], _groups(register["obis"]), register["values"])
            _observe_register(found, said["use_case"], version, time_us, facts)


def _observe_register(register: _Register, use_case: str, version: str, time_us: int, facts: Facts) -> None:
    direction, groups = _DIRECTIONS.get(register.groups.quantity), register.groups
    rejects: list[Reject] = []
    if use_case == PROFILE and direction and groups[1:] == (_INTERVAL, "0"):
        facts.slot_values.extend(_quarter_hours(register, direction, version, rejects))
    elif use_case != PROFILE and direction and groups.kind == _STATE:
        facts.readings.extend(_readings(register, direction, version, rejects))
    else:
        _say_register(register, time_us, facts)
    facts.rejects.extend(_shortened(rejects, register))


def _quarter_hours(
    register: _Register, direction: Direction, version: str, rejects: list[Reject]
) -> Iterator[SlotValue]:
    """The values of a profile that are one quarter hour each."""
    from_us, until_us = register.location["from_us"], register.location["until_us"]
    covered_us = -1
    told: set[int] = set()
    for value in sorted(register.values, key=_window):
        start_us, end_us = value[2], value[3]
        where = f"{register.name} from {_shown(start_us)} to {_shown(end_us)}"
        if start_us is None or end_us is None or end_us - start_us != SLOT_US or start_us % SLOT_US:
            rejects.append(Reject("not-a-quarter-hour", f"{where}: no whole quarter hour"))
            continue
        if (from_us is not None and start_us < from_us) or (until_us is not None and end_us > until_us):
            span = f"{_shown(from_us)} to {_shown(until_us)}"
            rejects.append(Reject("outside-the-period", f"{where}: the message is about {span}"))
            continue
        if start_us < covered_us:
            rejects.append(Reject("overlapping-windows", f"{where}: another value covers the same time"))
        covered_us = max(covered_us, end_us)
        believed = _believed(value, where, rejects)
        if believed is not None:
            told.add(start_us)
            yield SlotValue(f"energy.{direction}", register.location["id"], start_us, *believed, version)
    expected = 0 if from_us is None or until_us is None else (until_us - from_us) // SLOT_US
    if len(told) < expected:
        detail = (
            f"{register.name}: {len(told)} of the {expected} quarter hours from {_shown(from_us)} to {_shown(until_us)}"
        )
        rejects.append(Reject("incomplete-profile", f"{detail}; the others are missing"))


def _believed(value: list[Any], where: str, rejects: list[Reject]) -> tuple[int, str, str] | None:
    """Energy in mWh with unit and quality, for a slot; None where it cannot be believed."""
    energy_mwh, quality = _energy(value, where, rejects)
    if energy_mwh is None or quality is None:
        return None
    if not RULES.is_plausible(energy_mwh, SLOT_US):
        limit = RULES.max_connection_w // 1000
        rejects.append(Reject("implausible", f"{where}: {value[1]} is more than {limit} kW carry; Wh taken for kWh?"))
        return None
    return energy_mwh, "mWh", quality


def _readings(register: _Register, direction: Direction, version: str, rejects: list[Reject]) -> Iterator[Reading]:
    """The states of a register."""
    location = register.location
    for value in register.values:
        more = value[4] if len(value) > 4 else {}
        at_us = more.get("at_us", more.get("read_us"))
        where = f"{register.name} at {_shown(at_us)}"
        if at_us is None:
            day = more.get("read_day", "?")
            rejects.append(Reject("no-instant", f"{register.name}: read on day {day}, at which time is not said"))
            continue
        energy_mwh, quality = _energy(value, where, rejects)
        if energy_mwh is not None and quality is not None and quality != MISSING:
            device = location["device"] or location["id"]
            point, obis = location["id"], register.obis
            yield Reading(point, device, obis, direction, at_us, energy_mwh, quality, version)


def _energy(value: list[Any], where: str, rejects: list[Reject]) -> tuple[int | None, str | None]:
    """Energy in mWh and its quality; None and a reject where it is no energy."""
    quality, amount = QUALITIES.get(value[0]), Decimal(value[1])
    unit = value[4].get("unit", "") if len(value) > 4 else ""
    if quality is None:
        rejects.append(Reject("unknown-quality", f"{where}: QTY+{value[0]} says nothing of electric energy"))
    elif unit not in _MWH:
        rejects.append(Reject("unknown-unit", f"{where}: {unit} is no unit of energy"))
    elif amount < 0:
        detail = f"{where}: {amount}; import and export count upwards, each for itself"
        rejects.append(Reject("negative-energy", detail))
    elif (energy_mwh := round(amount.scaleb(_MWH[unit]))) >= _STATE_LIMIT_MWH:
        rejects.append(Reject("implausible", f"{where}: no register shows {amount} {unit}"))
    else:
        return energy_mwh, quality
    return None, None


def _say_register(register: _Register, time_us: int, facts: Facts) -> None:
    """The latest value of a register that is no active energy."""
    if register.values:
        time_us, value = max(((_told_us(value, time_us), value) for value in register.values), key=itemgetter(0))
        more = value[4] if len(value) > 4 else {}
        unit = more.get("unit") or _unit(register.groups)
        actor = f"{register.location['kind']}:{register.location['id']}"
        facts.observations.append(Observation(actor, f"register/{register.obis}", Decimal(value[1]), unit, time_us))


def _told_us(value: list[Any], document_us: int) -> int:
    """The end of the interval of a value, the time of a state, else of the document."""
    told_us: int = value[3] or (value[4].get("at_us") if len(value) > 4 else None) or document_us
    return told_us


def _say_location(location: dict[str, Any], event: Event, time_us: int, facts: Facts) -> None:
    """Who reports a location to whom (where the metering point operator does, to the supplier), and its meter."""
    said = event.payload
    actor = f"{location['kind']}:{location['id']}"
    way = INTERFACES[event.interface]
    named: dict[str, Scalar] = {
        "msb": said["sender"]["id"] if way.left == "msb" else None,
        "recipient": said["receiver"]["id"] if way.right == "supplier" else None,
        "meter": location["device"] or None,
        "last_document": said["document"],
    }
    facts.observations += [Observation(actor, name, value, "", time_us) for name, value in named.items() if value]
    if location["device"] and location["kind"] == "melo":
        facts.observations.append(Observation(f"meter:{location['device']}", "melo", location["id"], "", time_us))


def _shortened(rejects: list[Reject], register: _Register) -> Iterator[Reject]:
    """A month of wrong values is one thing to tell, with examples."""
    counts: dict[str, int] = {}
    for reject in rejects:
        counts[reject.reason] = counts.get(reject.reason, 0) + 1
        if counts[reject.reason] <= _NAMED_AT_MOST:
            yield reject
    for reason, count in counts.items():
        if count > _NAMED_AT_MOST:
            yield Reject(reason, f"{register.name}: {count - _NAMED_AT_MOST} more values likewise")


def _groups(obis: str) -> _Obis:
    """Groups C, D and E.

    >>> _groups("1-1:1.29.0")
    _Obis(quantity='1', kind='29', tariff='0')
    """
    groups = obis.partition(":")[2].split(".")
    return _Obis(*groups) if obis.startswith("1-") and len(groups) == 3 else _Obis("", "", "")


def _unit(groups: _Obis) -> str:
    """The unit of a register where the value names none: active quantities are 1 and 2, reactive ones 3 to 8.

    >>> _unit(_groups("1-1:1.9.0")), _unit(_groups("1-1:1.6.0")), _unit(_groups("1-1:3.29.0")), _unit(_groups("7-20"))
    ('kWh', 'kW', 'kvarh', '')
    """
    if len(groups.quantity) != 1 or groups.quantity not in "12345678":
        return ""
    unit = "kW" if groups.quantity in _DIRECTIONS else "kvar"
    return f"{unit}h" if groups.kind in _ENERGIES else unit


def _window(value: list[Any]) -> tuple[int, int]:
    return value[2] or 0, value[3] or 0


def _shown(time_us: int | None) -> str:
    return "?" if time_us is None else format_time(time_us)
