"""What SML telegrams say: the energy registers of a meter, and what it measures at the moment.

The metering point is the meter itself, by the name of its source where it says none or zeros. Registers 1.8.x and 2.8.x
are readings; they are not told once more as observations, because this is the bulk of all messages. On interface 15
they are measured, on 47, the customer's own interface, indicative. A list whose own check sum does not fit (while the
telegram's does: somebody changed it on its way) gives preliminary readings. The meter's status word decides like that
of a gateway (:mod:`twin.observe.taf7`): what is not valid is rejected.

A value is from the time the meter's clock gives it, else from the time of the event; the meter's second index is none.
What the meter's number says already, its own number and its maker, is not said again.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from schemas.devices import device_name, is_named
from schemas.event import Event
from schemas.facts import (
    INDICATIVE,
    MEASURED,
    PRELIMINARY,
    Direction,
    Facts,
    Observation,
    Reading,
    Reject,
    Sample,
    Scalar,
)
from schemas.time import format_time
from schemas.wire.sml.decoding import BAD_MESSAGE_CHECKSUM
from schemas.wire.sml.rows import Row, instant_of
from schemas.wire.taf7.status import Gateway, Meter, Ptb, StatusWord, meter_status
from twin.observe.obis import (
    DIRECTIONS,
    ENERGY_LIMIT_MWH,
    MOMENTARY,
    MWH_EXPONENT,
    POWER_LIMIT_MW,
    STATE,
    VALUE_LIMIT,
    amount,
    scaled,
)

_HAN: Final = "47"
_SCALER_LIMIT: Final = 12
"""Beyond 10^12 and 10^-12 a scaler is no unit's any more."""

_UNITS: Final = {
    7: "s",
    8: "°",
    9: "°C",
    27: "W",
    28: "VA",
    29: "var",
    30: "Wh",
    31: "VAh",
    32: "varh",
    33: "A",
    35: "V",
    44: "Hz",
}
"""Units by their DLMS numbers (IEC 62056-6-2, table 4), as far as electricity meters send them."""

_DZG: Final = "1DZG"
_BACKWARDS: Final = {
    "power": Meter.NEGATIVE_SUM,
    "power_l1": Meter.NEGATIVE_L1,
    "power_l2": Meter.NEGATIVE_L2,
    "power_l3": Meter.NEGATIVE_L3,
}
"""Which bit of the status word says that energy flows back."""

_STATUS: Final = "status"
_METER_ID: Final = "meter_id"
_MAKER: Final = "manufacturer"
_NAMED: Final = {
    "96.1.0": _METER_ID,
    "0.0.9": _METER_ID,
    "96.50.1": _MAKER,
    "199.130.3": _MAKER,
    "199.130.5": "public_key",
    "0.2.0": "firmware",
    "96.90.2": "firmware_checksum",
    "96.5.0": _STATUS,
}
"""Attributes by OBIS groups C.D.E, whatever F is."""


class _Plan(NamedTuple):
    """What to do with rows of one register, unit and scaler; ``exponent`` leads to mWh, mW or the unit itself."""

    attribute: str
    unit: str
    exponent: int
    direction: Direction | None = None


def observe(event: Event, facts: Facts) -> None:
    """Append readings, power and whatever else the telegram says."""
    payload = event.payload
    if event.time_us is None and not _has_times(payload):
        detail = f"{event.actor}: neither the meter's clock nor a log says when this telegram was sent"
        facts.rejects.append(Reject("no-time", detail))
        return
    quality = INDICATIVE if event.interface == _HAN else MEASURED
    if quality == MEASURED and BAD_MESSAGE_CHECKSUM in payload.get("flags", ()):
        quality = PRELIMINARY
    for found in payload["lists"]:
        server = found["server"]
        meter = device_name(server) if is_named(server) else event.actor.removeprefix("meter:")
        _rows(found["values"], meter, quality, event.time_us, facts)
    if event.time_us is not None:
        for attention in payload.get("attentions", ()):
            said = Observation(event.actor, "attention", attention["number"], "", event.time_us)
            facts.observations.append(said)


def _rows(rows: list[Row], meter: str, quality: str, event_us: int | None, facts: Facts) -> None:
    actor = f"meter:{meter}"
    has_register = False
    status_said = None
    power: tuple[int, int] | None = None
    for row in rows:
        obis, value, unit, scaler, status, time = row[:6]
        time_us = event_us if time is None else (instant_of(time) or event_us)
        if time_us is None:
            continue
        if status is not None and status_said is None:
            status_said = status
            facts.observations.append(Observation(actor, _STATUS, _status(status)[0], "", time_us))
        plan = _plan(obis, unit, scaler)
        if plan is None or type(value) is not int:
            _tell_other(row, actor, time_us, facts)
        elif plan.direction is None:
            meant = _meant(value, plan.attribute, status_said) if meter.startswith(_DZG) else value
            if meant is None:
                detail = f"{meter} {obis} at {format_time(time_us)}: {value} is a power in one octet or in two"
                facts.rejects.append(Reject("ambiguous-sign", detail))
            elif plan.attribute == "power" and plan.unit == "W":
                power = _tell_power(meant, plan, actor, time_us, facts)
            else:
                _tell_quantity(amount(meant, plan.exponent), plan, actor, time_us, facts)
        else:
            has_register = True
            energy_mwh = scaled(value, plan.exponent)
            if not 0 <= energy_mwh <= ENERGY_LIMIT_MWH or (status is not None and not _status(status)[1]):
                facts.rejects.append(_reject(meter, row, energy_mwh, time_us))
            else:
                facts.readings.append(Reading(meter, meter, obis, plan.direction, time_us, energy_mwh, quality))
    if power and not has_register:
        facts.samples.append(Sample(meter, *power, quality))


@lru_cache(maxsize=4096)
def _plan(obis: str, unit: int | None, scaler: int | None) -> _Plan | None:
    """How numbers of a register are read; None where they are no quantities. There are few registers."""
    exponent = scaler or 0
    head, _, groups = obis.partition(":")
    if abs(exponent) > _SCALER_LIMIT or groups.partition("*")[0] in _NAMED:
        return None
    group_c, group_d, _ = groups.partition("*")[0].split(".")
    name = _UNITS.get(unit, f"unit {unit}") if unit else ""
    direction = DIRECTIONS.get(group_c)
    if direction and group_d == STATE and name == "Wh" and "*" not in groups and head.startswith("1-"):
        return _Plan(f"register/{obis}", name, exponent + MWH_EXPONENT, direction)
    return _Plan(MOMENTARY.get(groups, f"register/{obis}"), name, exponent)


def _meant(value: int, attribute: str, status: int | None) -> int | None:
    """What meters of DZG mean: older ones send a power of 356.24 W as the two octets 8B28, but call them signed.

    So it reads -299.12 W. Others of that maker send what really flows back in two octets too; which it is, the status
    word tells. None where it may have come in one octet or, as FF80 and above, in two: how many is not known here.

    >>> _meant(-29912, "power", 0x1C0104), _meant(-29912, "power", 0x1C0904), _meant(-29912, "power", None)
    (35624, -29912, -29912)
    """
    flags = meter_status(status) if status is not None and value < 0 else None
    if flags is None or attribute not in _BACKWARDS or flags & _BACKWARDS[attribute]:
        return value
    octets = (~value).bit_length() // 8 + 1
    return None if octets == 1 else value + (1 << 8 * octets)


def _tell_power(value: int, plan: _Plan, actor: str, time_us: int, facts: Facts) -> tuple[int, int] | None:
    """The power as an observation; in mW and with its time for a sample."""
    power_mw = scaled(value, plan.exponent + MWH_EXPONENT)
    if abs(power_mw) > POWER_LIMIT_MW:
        facts.rejects.append(Reject("implausible-power", f"{actor} at {power_mw} mW, beyond 1 MW"))
        return None
    facts.observations.append(Observation(actor, plan.attribute, amount(value, plan.exponent), plan.unit, time_us))
    return power_mw, time_us


def _tell_quantity(said: int | Decimal, plan: _Plan, actor: str, time_us: int, facts: Facts) -> None:
    if not -VALUE_LIMIT <= said <= VALUE_LIMIT:
        facts.rejects.append(Reject("implausible-value", f"{actor}: {plan.attribute} of {said} {plan.unit}"))
    else:
        facts.observations.append(Observation(actor, plan.attribute, said, plan.unit, time_us))


def _tell_other(row: Row, actor: str, time_us: int, facts: Facts) -> None:
    """Texts, flags and numbers of what is no quantity."""
    obis, value, _, scaler = row[:4]
    if isinstance(value, list) or value is None:
        return
    if type(value) is int and abs(scaler or 0) > _SCALER_LIMIT:
        detail = f"{actor}: {obis} is {value} times 10^{scaler}, and no unit has such a scaler"
        facts.rejects.append(Reject("implausible-scaler", detail))
        return
    attribute, said = _other(obis, value, actor.removeprefix("meter:"))
    if attribute:
        facts.observations.append(Observation(actor, attribute, said, "", time_us))


@lru_cache(maxsize=100_000, typed=True)
def _other(obis: str, value: Scalar, meter: str) -> tuple[str, Scalar]:
    """Attribute and value of a row that is no quantity; "" where it says nothing new. The same comes every time."""
    attribute = _NAMED.get(obis.partition(":")[2].partition("*")[0], f"register/{obis}")
    said = value
    if isinstance(value, str):
        number = device_name(value) if attribute == _METER_ID else value
        said = _text(value) if number == value else number
    elif attribute == _STATUS and type(value) is int:
        said = _status(value)[0]
    if (attribute == _METER_ID and said == meter) or (attribute == _MAKER and said == meter[1:4]):
        return "", None
    return attribute, said


def _text(digits: str) -> str:
    """An octet string as text where it is printable ASCII, else its hex digits."""
    octets = bytes.fromhex(digits)
    return octets.decode("ascii") if octets.isascii() and octets.decode("ascii").isprintable() else digits


@lru_cache(maxsize=4096)
def _status(status: int) -> tuple[str, bool]:
    """The meter's status word in names, or in hex where it is of another make; and whether its values are valid."""
    flags = meter_status(status)
    if flags is None:
        return f"0x{status:08X}", True
    word = StatusWord(Gateway(0), flags)
    names = " ".join(name.removeprefix("meter.") for name in word.names)
    return names or "none", word.ptb < Ptb.CRITICAL_TEMPORARY_ERROR


def _reject(meter: str, row: Row, energy_mwh: int, time_us: int) -> Reject:
    where = f"{meter} {row[0]} at {format_time(time_us)}"
    if energy_mwh < 0:
        return Reject("negative-register", f"{where}: {row[1]}; import and export count upwards, each for itself")
    if energy_mwh > ENERGY_LIMIT_MWH:
        return Reject("implausible-energy", f"{where}: {Decimal(energy_mwh).scaleb(-6)} kWh")
    return Reject("invalid-status", f"{where}: {_status(row[4])[0]}: not valid, no substitute either")


def _has_times(payload: dict[str, Any]) -> bool:
    return any(instant_of(row[5]) is not None for found in payload["lists"] for row in found["values"])
