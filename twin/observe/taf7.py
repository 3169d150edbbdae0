"""What TAF 7 readings say: registers of a metering point, and the state of its meter and gateway.

The quality of a value follows its status (VDE AR 2418-6, element ``statusPTB``): 0 and 1 are valid; 2 may serve
as substitute; 3 and 4 may serve for nothing and are rejected. Where ``statusPTB`` is missing, the status word of the
FNN says the same; where both are missing the value is preliminary. Where they differ ``statusPTB`` holds: it is what
the gateway concluded, and is made for the recipient.

A register that the gateway made for a tariff (``derived``) counts since a period began or is a part of the meter's: it
is an attribute of the meter (``register/1-0:1.8.0/taf1-7``), never a reading of it.
"""

from decimal import Decimal
from typing import Any, Final

from schemas.devices import device_name
from schemas.event import Event
from schemas.facts import (
    MEASURED,
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
from schemas.time import SECOND_US, SLOT_US, format_time
from schemas.wire.taf7.status import Ptb, status_word
from twin.observe.obis import DIRECTIONS, MOMENTARY, MWH_EXPONENT, STATE, scaled

_QUALITY: Final = {Ptb.NO_ERROR: MEASURED, Ptb.WARNING: MEASURED, Ptb.TEMPORARY_ERROR: SUBSTITUTE}
_INTERVAL: Final = "29"
"""OBIS group D: the energy of an interval."""
_DELTA_DATA: Final = 4
"""espi ``accumulationBehaviour``: the difference over the interval."""
_SLOT_S: Final = SLOT_US // SECOND_US


def observe(event: Event, facts: Facts) -> None:
    """Append readings, quarter-hour energy and the state of metering point, meters and gateway."""
    for point in event.payload["usage_points"]:
        for register in point["registers"]:
            _register(point, register, event, facts)
        facts.rejects += [Reject("contradictory-register", detail) for detail in point.get("contradictions", ())]
        if event.time_us is not None:
            _say_point(point, event.time_us, facts)


def _register(point: dict[str, Any], register: dict[str, Any], event: Event, facts: Facts) -> None:
    device = device_name(register["device"])
    melo = point["melo"] or device
    _, _, groups = register["obis"].partition(":")
    group_c, group_d, _ = groups.split(".")
    direction = DIRECTIONS.get(group_c)
    if direction and register["unit"] == "Wh" and "*" not in register["obis"] and "derived" not in register:
        if (register["converter_factor"] or 1) != 1:
            factor = register["converter_factor"]
            detail = f"{register['obis']} of {device}: whether converterFactor {factor} is in the values is not said"
            facts.rejects.append(Reject("converter-factor", detail))
        elif group_d == _INTERVAL or register["accumulation"] == _DELTA_DATA:
            _intervals(melo, direction, register, _version(point, event), facts)
        elif group_d == STATE:
            _states(melo, device, direction, register, facts)
    _say_register(device, register, facts)


def _states(melo: str, device: str, direction: Direction, register: dict[str, Any], facts: Facts) -> None:
    """States of an energy register."""
    obis, exponent = register["obis"], _exponent(register)
    for time_us, value, ptb, fnn, *_ in register["values"]:
        quality = _quality(ptb, fnn)
        energy_mwh = scaled(value, exponent)
        if quality is None or energy_mwh < 0:
            facts.rejects.append(_reject(melo, obis, time_us, value, ptb, fnn))
        else:
            facts.readings.append(Reading(melo, device, obis, direction, time_us, energy_mwh, quality))


def _intervals(melo: str, direction: Direction, register: dict[str, Any], version: str, facts: Facts) -> None:
    """Energy of quarter hours; ``start`` begins the quarter hour."""
    exponent = _exponent(register)
    for time_us, value, ptb, fnn, *more in register["values"]:
        quality = _quality(ptb, fnn)
        energy_mwh = scaled(value, exponent)
        duration_s = more[0].get("duration_s") if more else register["period_s"]
        if quality is None or energy_mwh < 0:
            facts.rejects.append(_reject(melo, register["obis"], time_us, value, ptb, fnn))
        elif duration_s != _SLOT_S or time_us % SLOT_US:
            detail = f"{melo} {register['obis']}: {duration_s} s from {format_time(time_us)} are no quarter hour"
            facts.rejects.append(Reject("not-a-quarter-hour", detail))
        else:
            series = f"energy.{direction}"
            facts.slot_values.append(SlotValue(series, melo, time_us, energy_mwh, "mWh", quality, version))


def _exponent(register: dict[str, Any]) -> int:
    exponent: int = register["multiplier"] + register["scaler"] + MWH_EXPONENT
    return exponent


def _quality(ptb: int | None, fnn: str | None) -> str | None:
    """Quality of a value; None where it may serve for nothing."""
    if ptb is None:
        word = status_word(fnn) if fnn else None
        if word is None:
            return PRELIMINARY
        ptb = word.ptb
    return _QUALITY.get(Ptb(ptb))


def _reject(melo: str, obis: str, time_us: int, value: int, ptb: int | None, fnn: str | None) -> Reject:
    where = f"{melo} {obis} at {format_time(time_us)}"
    if value < 0:
        return Reject("negative-register", f"{where}: {value}; import and export count upwards, each for itself")
    return Reject("invalid-status", f"{where}: statusPTB {ptb}, statusFNN {fnn}: not valid, no substitute either")


def _version(point: dict[str, Any], event: Event) -> str:
    """Version of interval energy: the gateway's own time of sending, else the time of the last value."""
    gateway = point["smgw"] or {}
    time_us = gateway.get("system_time_us") or event.time_us or 0
    return f"{format_time(time_us)}|{gateway.get('id') or ''}|"


def _say_register(device: str, register: dict[str, Any], facts: Facts) -> None:
    """The latest value of a register as an attribute of the meter, in its unit, and its status."""
    if not register["values"] or "*" in register["obis"]:
        return
    time_us, value, ptb, fnn, *_ = max(register["values"], key=lambda row: (row[0], row[1]))
    amount = Decimal(value).scaleb(register["multiplier"] + register["scaler"])
    actor = f"meter:{device}"
    groups = register["obis"].partition(":")[2]
    attribute = MOMENTARY.get(groups, f"register/{register['obis']}")
    if "derived" in register:
        attribute = f"register/{register['obis']}/{register['derived']}"
    unit = register["unit"] or ""
    facts.observations.append(Observation(actor, attribute, amount, unit, time_us))
    word = status_word(fnn) if fnn else None
    if ptb is None and word:
        ptb = word.ptb
    if ptb is not None:
        facts.observations.append(Observation(actor, f"{attribute}/status_ptb", int(ptb), "", time_us))
    if word:
        names = " ".join(word.names) or "none"
        facts.observations.append(Observation(actor, f"{attribute}/status_fnn", names, "", time_us))


def _standing(registers: list[dict[str, Any]]) -> set[str]:
    """The meters of a point, without one that another took over from: whose readings end before those of that begin."""
    spans = {
        (register["obis"], device_name(register["device"])): [value[0] for value in register["values"]]
        for register in registers
        if "derived" not in register
    }
    newest: dict[str, int] = {}
    for (obis, _), times in spans.items():
        newest[obis] = max(newest.get(obis, 0), min(times, default=0))
    gone = {
        device
        for (obis, device), times in spans.items()
        if times and min(times) < newest[obis] and max(times) <= newest[obis]
    }
    return {device for _, device in spans} - gone


def _say_point(point: dict[str, Any], time_us: int, facts: Facts) -> None:
    """Who is behind a metering point, and what its gateway says of itself."""
    gateway = point["smgw"] or {}
    said: list[tuple[str, str, Scalar]] = []
    if melo := point["melo"]:
        meters = sorted(_standing(point["registers"]))
        actor = f"melo:{melo}"
        said += [(actor, name, point[name]) for name in ("customer", "invoicing_party", "tariff")]
        certificate = point["certificate"] or {}
        logged = [entry["record"] for entry in point["log"] if entry["record"] is not None]
        said += [(actor, "smgw", gateway.get("id")), (actor, "meters", " ".join(meters) or None)]
        said += [(f"meter:{meter}", "melo", melo) for meter in meters]
        said += [(f"smgw:{gateway['id']}", f"melo/{melo}", melo)] if gateway.get("id") else []
        said += [(actor, "certificate", certificate.get("id")), (actor, "last_log_record", max(logged, default=None))]
    if gateway.get("id"):
        said += [(f"smgw:{gateway['id']}", name, gateway[name]) for name in ("manufacturer", "firmware")]
    facts.observations += [Observation(who, name, value, "", time_us) for who, name, value in said if value is not None]
