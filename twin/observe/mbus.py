"""What M-Bus answers say: the energy registers of an electricity meter, and what it measures at the moment.

A reading is an energy that an electricity meter counts now (storage 0), as a whole (device 0), with nothing in its
value information that is not understood. What is counted backwards is export (VIFE 3C); everything else import,
because a meter of one direction does not say it [M]. A tariff is the register of that tariff: 1-0:1.8.2.

Everything else is an observation: ``power``, ``voltage`` ... with what sets it apart: ``power_device1``,
``voltage_ff01`` (the maker's own extension), and a number where one answer says the same thing several times. What
only the maker understands is not told. A clock without a zone says no time: values are from when they were heard.
"""

from collections import Counter
from typing import Any, Final

from schemas.event import Event
from schemas.facts import MEASURED, PRELIMINARY, Direction, Facts, Observation, Reading, Reject, Scalar
from twin.observe.obis import ENERGY_LIMIT_MWH, MWH_EXPONENT, POWER_LIMIT_MW, VALUE_LIMIT, amount, scaled

_ELECTRICITY: Final = 2
_LOW_POWER, _PERMANENT_ERROR, _TEMPORARY_ERROR, _APPLICATION = 0x04, 0x08, 0x10, 0x03
_STATUS_NAMES: Final = ((_LOW_POWER, "low-power"), (_PERMANENT_ERROR, "permanent-error"))
_APPLICATION_NAMES: Final = ("", "busy", "application-error", "abnormal-condition")
_QUALIFIERS: Final = ("function", "direction", "storage", "tariff", "device", "extension")
_NAMELESS: Final = frozenset({"function", "direction", "extension"})
_UNTOLD: Final = frozenset({"manufacturer_specific", "bus_address", "access_number", "medium"})
_EXPONENT_LIMIT: Final = 12


def observe(event: Event, facts: Facts) -> None:
    """Append readings and everything else an answer says; requests and acknowledgements say nothing."""
    payload = event.payload
    if "records" not in payload:
        return
    time_us = event.time_us
    if time_us is None:
        detail = f"{event.actor}: no log says when this answer came, and a meter's own clock has no zone"
        facts.rejects.append(Reject("no-time", detail))
        return
    status = payload.get("status")
    if status is not None:
        facts.observations.append(Observation(event.actor, "status", _status(status), "", time_us))
    told: Counter[str] = Counter()
    for record in payload["records"]:
        if _is_untold(record, payload):
            continue
        direction = _register(record, payload)
        if direction:
            _tell_reading(record, direction, payload["meter"], status or 0, time_us, facts)
        else:
            name = _attribute(record)
            told[name] += 1
            _tell(record, name if told[name] == 1 else f"{name}_{told[name]}", event.actor, time_us, facts)


def _is_untold(record: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Whether a record says nothing, nothing that is understood, or what the meter's name says already."""
    quantity, value = record["quantity"], record["value"]
    if value is None or quantity in _UNTOLD or quantity.startswith("code_"):
        return True
    return quantity == "fabrication_number" and str(value).zfill(8) == payload.get("number")


def _register(record: dict[str, Any], payload: dict[str, Any]) -> Direction | None:
    """The direction in which a record is a register of active energy; None where it is none."""
    if record["quantity"] != "energy" or record["unit"] != "Wh" or not isinstance(record["value"], int):
        return None
    if payload["medium"] != _ELECTRICITY:
        return None
    if any(record.get(name) for name in ("function", "storage", "device", "extension")):
        return None
    return "export" if record.get("direction") == "export" else "import"


def _tell_reading(
    record: dict[str, Any], direction: Direction, meter: str, status: int, time_us: int, facts: Facts
) -> None:
    obis = f"1-0:{1 if direction == 'import' else 2}.8.{record.get('tariff', 0)}"
    exponent = record["exponent"] + MWH_EXPONENT
    energy_mwh = scaled(record["value"], exponent) if abs(exponent) <= _EXPONENT_LIMIT else -1
    if status & _PERMANENT_ERROR:
        facts.rejects.append(Reject("invalid-status", f"{meter} {obis}: the meter reports a permanent error"))
    elif not 0 <= energy_mwh <= ENERGY_LIMIT_MWH:
        detail = f"{meter} {obis}: {record['value']} times 10^{record['exponent']} Wh"
        facts.rejects.append(Reject("negative-register" if record["value"] < 0 else "implausible-energy", detail))
    else:
        quality = PRELIMINARY if status & _TEMPORARY_ERROR else MEASURED
        facts.readings.append(Reading(meter, meter, obis, direction, time_us, energy_mwh, quality))


def _tell(record: dict[str, Any], attribute: str, actor: str, time_us: int, facts: Facts) -> None:
    value, exponent = record["value"], record["exponent"]
    said: Scalar = value
    if isinstance(value, int):
        if abs(exponent) > _EXPONENT_LIMIT or not -VALUE_LIMIT <= amount(value, exponent) <= VALUE_LIMIT:
            detail = f"{actor}: {attribute} of {value} times 10^{exponent} {record['unit']}"
            facts.rejects.append(Reject("implausible-value", detail))
            return
        said = amount(value, exponent)
        if record["unit"] == "W" and abs(scaled(value, exponent + MWH_EXPONENT)) > POWER_LIMIT_MW:
            facts.rejects.append(Reject("implausible-power", f"{actor}: {attribute} of {said} W, beyond 1 MW"))
            return
    facts.observations.append(Observation(actor, attribute, said, record["unit"], time_us))


def _attribute(record: dict[str, Any]) -> str:
    """The quantity and what sets it apart.

    >>> _attribute({"quantity": "power", "tariff": 1, "extension": "ff01"})
    'power_tariff1_ff01'
    """
    said = ((name, record[name]) for name in _QUALIFIERS if record.get(name))
    parts = (str(what) if name in _NAMELESS else f"{name}{what}" for name, what in said)
    return "_".join([record["quantity"], *parts])


def _status(status: int) -> str:
    """Bits of the status octet in names (EN 13757-3, clause 5.10)."""
    names = [_APPLICATION_NAMES[status & _APPLICATION]] if status & _APPLICATION else []
    names += [name for bit, name in (*_STATUS_NAMES, (_TEMPORARY_ERROR, "temporary-error")) if status & bit]
    return " ".join(names) or "none"
