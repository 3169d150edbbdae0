"""Meter values of all versions: registers, power and everything else a station measures.

OCPP 1.6 edition 2, clause 7.30 ff. (SampledValue); OCPP 2.1 part 2, "MeterValueType".

- ``Energy.Active.Import.Register`` and ``.Export.Register`` of the whole outlet are readings.
  Where another place is measured (``Inlet`` ...) the point is ``<point>@<location>``: another meter, never mixed in.
- ``Power.Active.Import`` and ``.Export`` of one instant are one observation ``power``, import positive. In a message
  without an energy register it is a sample too.
- Everything else, and every value of a single phase, is an observation.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from schemas.facts import INDICATIVE, Direction, Facts, Observation, Reading, Reject, Sample, Scalar
from schemas.time import parse_time
from twin.amounts import Number, number, scaled, times

ENERGY_LIMIT_MWH: Final = 10**15
"""A register beyond a billion kilowatt-hours is no reading [M]."""

POWER_LIMIT_MW: Final = 10**9
"""No charging point here draws or gives a megawatt; more is a mix-up of units [M]."""

VALUE_LIMIT: Final = 10**12
"""No volt, ampere or degree is measured beyond that [M]."""

_OCMF: Final = ("OCMF|", '"OCMF"')
"""What stands in a signed value of 1.6: the record, or the name of its encoding."""
_DEFAULT_MEASURAND: Final = "Energy.Active.Import.Register"
_MULTIPLIER_LIMIT: Final = 12
_OUTLET: Final = "Outlet"
_ACTOR_PREFIX: Final = len("evse:")

_REGISTERS: Final[dict[str, tuple[str, Direction]]] = {
    "Energy.Active.Import.Register": ("1-0:1.8.0", "import"),
    "Energy.Active.Export.Register": ("1-0:2.8.0", "export"),
}
_POWERS: Final = {"Power.Active.Import": 1, "Power.Active.Export": -1}
_ENERGY_MWH: Final = {"Wh": 1000, "kWh": 1_000_000}
_POWER_MW: Final = {"W": 1000, "kW": 1_000_000}

_BASE_UNITS: Final[dict[str, tuple[str, int]]] = {
    "kWh": ("Wh", 1000),
    "kvarh": ("varh", 1000),
    "kVAh": ("VAh", 1000),
    "kW": ("W", 1000),
    "kVA": ("VA", 1000),
    "kvar": ("var", 1000),
    "Celsius": ("°C", 1),
    "Celcius": ("°C", 1),
    "Fahrenheit": ("°F", 1),
    "Percent": ("%", 1),
    "Hertz": ("Hz", 1),
}
"""Units as they are kept; 1.6 spells Celsius in two ways."""

_USUAL_UNITS: Final = {
    "Power": "W",
    "Current": "A",
    "Voltage": "V",
    "Frequency": "Hz",
    "SoC": "Percent",
    "Temperature": "Celsius",
    "Energy": "Wh",
}
"""Units by the measurand's first word, where none is sent."""

_SPECIAL_UNITS: Final = {
    "Power.Factor": "",
    "Power.Reactive.Import": "var",
    "Power.Reactive.Export": "var",
    "Energy.Reactive.Import.Register": "varh",
    "Energy.Reactive.Export.Register": "varh",
}


class _Plan(NamedTuple):
    """What to do with samples of one kind.

    ``tell`` appends the facts; None: the value is a part of the power. ``factor`` leads from the number sent to
    ``unit``, for registers and power to mWh and mW.
    """

    tell: Callable[..., None] | None
    factor: Number
    attribute: str
    unit: str
    obis: str = ""
    direction: Direction = "import"
    point_suffix: str = ""


def meter_values(
    values: list[dict[str, Any]], actor: str, fallback_us: int | None, facts: Facts, *, is_1_6: bool
) -> None:
    """Append what meter values say of the actor, whose name without ``evse:`` is the metering point.

    ``fallback_us`` is the time of a value without a time stamp.
    """
    plan_of = _plan_of_1_6 if is_1_6 else _plan_of_2
    readings_before = len(facts.readings)
    powers: list[tuple[int, int]] = []
    for value in values:
        stamp = value.get("timestamp")
        time_us = parse_time(stamp) if stamp else fallback_us
        if time_us is None:
            continue
        power_mw: int | None = None
        for sample in value["sampledValue"]:
            plan = plan_of(sample, actor, time_us, facts)
            if plan is None:
                continue
            amount = number(sample["value"])
            if amount is None:
                facts.rejects.append(Reject("not-a-number", f"{plan.attribute} is {str(sample['value'])[:60]!r}"))
            elif plan.tell is None:
                power_mw = (power_mw or 0) + scaled(amount, plan.factor)
            else:
                plan.tell(amount, plan, actor, time_us, facts)
        if power_mw is not None:
            powers.append((power_mw, time_us))
    if powers:
        _tell_power(powers, actor, facts, as_samples=len(facts.readings) == readings_before)


def register_reading(actor: str, amount: Number, time_us: int, facts: Facts) -> None:
    """The import register at the start or end of a transaction of 1.6, in Wh (``meterStart``, ``meterStop``)."""
    _tell_reading(amount, _plan(_DEFAULT_MEASURAND, None, _OUTLET, "Wh", 0), actor, time_us, facts)


def _tell_reading(amount: Number, plan: _Plan, actor: str, time_us: int, facts: Facts) -> None:
    energy_mwh = scaled(amount, plan.factor)
    if 0 <= energy_mwh <= ENERGY_LIMIT_MWH:
        place = actor[_ACTOR_PREFIX:] + plan.point_suffix
        facts.readings.append(Reading(place, place, plan.obis, plan.direction, time_us, energy_mwh, INDICATIVE))
    else:
        facts.rejects.append(Reject("implausible-energy", f"{actor}: register {plan.obis} at {amount} {plan.unit}"))


def _tell_observation(amount: Number, plan: _Plan, actor: str, time_us: int, facts: Facts) -> None:
    value = times(amount, plan.factor)
    if -VALUE_LIMIT <= value <= VALUE_LIMIT:
        facts.observations.append(Observation(actor, plan.attribute, value, plan.unit, time_us))
    else:
        facts.rejects.append(Reject("implausible-value", f"{actor}: {plan.attribute} of {value} {plan.unit[:40]}"))


def _tell_charge(amount: Number, plan: _Plan, actor: str, time_us: int, facts: Facts) -> None:
    percent = times(amount, plan.factor)
    if 0 <= percent <= 100:
        facts.observations.append(Observation(actor, plan.attribute, percent, plan.unit, time_us))
    else:
        facts.rejects.append(Reject("implausible-state-of-charge", f"{actor}: a battery charged to {percent} %"))


def _refuse_unit(amount: Number, plan: _Plan, actor: str, _time_us: int, facts: Facts) -> None:
    facts.rejects.append(Reject("unexpected-unit", f"{actor}: {plan.attribute} of {amount} {plan.unit[:40]!r}"))


def _tell_power(powers: list[tuple[int, int]], actor: str, facts: Facts, *, as_samples: bool) -> None:
    for power_mw, time_us in powers:
        if abs(power_mw) > POWER_LIMIT_MW:
            facts.rejects.append(Reject("implausible-power", f"{actor} at {power_mw} mW, beyond 1 MW"))
            continue
        whole_w, rest_mw = divmod(power_mw, 1000)
        watts: Scalar = Decimal(power_mw).scaleb(-3) if rest_mw else whole_w
        facts.observations.append(Observation(actor, "power", watts, "W", time_us))
        if as_samples:
            facts.samples.append(Sample(actor[_ACTOR_PREFIX:], power_mw, time_us, INDICATIVE))


def _plan_of_1_6(sample: dict[str, Any], actor: str, time_us: int, facts: Facts) -> _Plan | None:
    get = sample.get
    if get("format") == "SignedData":
        encoding = "OCMF" if any(mark in sample["value"] for mark in _OCMF) else "SignedData"
        facts.observations.append(Observation(actor, "signed_value_encoding", encoding, "", time_us))
        return None
    return _plan(get("measurand", _DEFAULT_MEASURAND), get("phase"), get("location", _OUTLET), get("unit"), 0)


def _plan_of_2(sample: dict[str, Any], actor: str, time_us: int, facts: Facts) -> _Plan | None:
    get = sample.get
    signed = get("signedMeterValue")
    if signed is not None:
        facts.observations.append(Observation(actor, "signed_value_encoding", signed["encodingMethod"], "", time_us))
    unit, multiplier = None, 0
    measure = get("unitOfMeasure")
    if measure is not None:
        unit, multiplier = measure.get("unit"), measure.get("multiplier", 0)
    return _plan(get("measurand", _DEFAULT_MEASURAND), get("phase"), get("location", _OUTLET), unit, multiplier)


@lru_cache(maxsize=4096)
def _plan(measurand: str, phase: str | None, location: str, unit: str | None, multiplier: Scalar) -> _Plan:
    """How samples of a kind are read; there are few kinds, so it is worked out once for each."""
    sent = unit or _SPECIAL_UNITS.get(measurand, _USUAL_UNITS.get(measurand.partition(".")[0], ""))
    exponent = number(multiplier) or 0
    if not -_MULTIPLIER_LIMIT <= exponent <= _MULTIPLIER_LIMIT:
        return _Plan(_refuse_unit, 1, measurand, f"10^{multiplier} {sent}")
    ten: Number = 10 ** int(exponent) if exponent >= 0 else Decimal(1).scaleb(int(exponent))
    # The state of charge is the vehicle's wherever it is measured.
    elsewhere = "" if location == _OUTLET or measurand == "SoC" else location
    if phase is None and measurand in _REGISTERS:
        if sent not in _ENERGY_MWH:
            return _Plan(_refuse_unit, 1, measurand, sent)
        obis, direction = _REGISTERS[measurand]
        suffix = f"@{elsewhere}" if elsewhere else ""
        return _Plan(_tell_reading, _ENERGY_MWH[sent] * ten, measurand, sent, obis, direction, suffix)
    if phase is None and not elsewhere and measurand in _POWERS:
        if sent not in _POWER_MW:
            return _Plan(_refuse_unit, 1, measurand, sent)
        return _Plan(None, _POWERS[measurand] * _POWER_MW[sent] * ten, measurand, sent)
    base, factor = _BASE_UNITS.get(sent, (sent, 1))
    if measurand == "SoC":
        return _Plan(_tell_charge, ten, "ev_soc", "%")
    attribute = "_".join(_words(name) for name in (measurand, phase, elsewhere) if name)
    return _Plan(_tell_observation, factor * ten, attribute, base)


def _words(name: str) -> str:
    """Names of OCPP as attributes.

    >>> _words("Current.Import"), _words("L1-N"), _words("Display.PresentSOC")
    ('current_import', 'l1_n', 'display_present_soc')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[.-]", "_", name).lower()
