"""What EEBUS says of every device: what it is and can, how it is, what it measures, between which limits it is kept.

:mod:`twin.observe.eebus` says it of wallboxes, energy managers, customer assets and control boxes alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.facts import Scalar
from schemas.time import HOUR_US, SECOND_US
from twin.actors.model import ANY_UNIT, Tolerance, Twin, anything, carrying, flag, instant, quantity, text, word
from twin.actors.values import Numbers, at_most
from twin.amounts import Number
from twin.observe.eebus.configuration import FAILSAFE_HOURS

EEBUS: Final = carrying("eebus")
LIMITS: Final = "3 9"

_A_MEGAWATT: Final = at_most(10**6)
_VOLT: Final = Numbers(0, 1500)
_POSITIVE: Final = Numbers(0)
_HEARTBEAT: Final = Tolerance(window_us=0)
_FAILSAFE_S: Final = tuple(hours * HOUR_US // SECOND_US for hours in FAILSAFE_HOURS)


@dataclass(frozen=True, kw_only=True)
class Device(Twin):
    """A device that speaks EEBUS."""

    name: str | None = text(EEBUS, "name of the device")
    model: str | None = text(EEBUS, "device code of its maker")
    serial_number: str | None = text(EEBUS, "serial number of the device")
    firmware_version: str | None = text(EEBUS, "software revision")
    hardware_version: str | None = text(EEBUS, "hardware revision")
    vendor: str | None = text(EEBUS, "name of the vendor")
    vendor_code: str | None = text(EEBUS, "code of the vendor")
    brand: str | None = text(EEBUS, "brand")
    device_type: str | None = text(EEBUS, "what the device is, by its discovery")
    power_source: str | None = text(EEBUS, "what the device is fed from", hint="mains1Phase, mains3Phase, battery ...")
    operating_state: str | None = text(EEBUS, "how the device is", hint="normalOperation, standby, failure ...")
    vendor_state_code: str | None = text(EEBUS, "how the device is, in its maker's words")
    last_error_code: str | None = text(EEBUS, "latest error")
    started: str | None = instant(EEBUS, "when the device started, by its up time")
    last_heartbeat: str | None = instant(EEBUS, "latest heartbeat sent", window_us=0)
    heartbeat_timeout: Number | None = quantity("s", EEBUS, "within which the next heartbeat is promised", _POSITIVE)
    guard_heartbeat: str | None = instant(EEBUS, "latest heartbeat heard of who sends limits", window_us=0)
    identification: str | None = text("8 9", "identity of a device that is no wallbox")
    use_case: Mapping[str, Scalar] = text(
        EEBUS, "a use case the device supports", name="use_case/*", hint="version or scenario numbers", optional=True
    )
    configuration: Mapping[str, Scalar] = anything(
        EEBUS, "another key of the device configuration", name="configuration_*"
    )
    power: Number | None = quantity("W", EEBUS, "active power of all phases, import positive", _A_MEGAWATT)
    current: Number | None = quantity("A", EEBUS, "current of all phases, import positive")
    frequency: Number | None = quantity("Hz", EEBUS, "grid frequency", Numbers(0, 100))
    power_of_phase: Mapping[str, Number] = quantity(
        "W", EEBUS, "active power of a phase, import positive", _A_MEGAWATT, name="power_l?"
    )
    current_of_phase: Mapping[str, Number] = quantity(
        "A", EEBUS, "current of a phase, import positive", name="current_l?"
    )
    voltage: Mapping[str, Number] = quantity(
        "V", EEBUS, "voltage of a phase to neutral, or between two phases", _VOLT, name="voltage_l*"
    )
    statistics: Mapping[str, Number] = quantity(
        ANY_UNIT, EEBUS, "average, smallest or largest value of what is named before", name="*_value"
    )


@dataclass(frozen=True, kw_only=True)
class Priced(Twin):
    """A device that plans with prices it is given, or that gives them."""

    incentive_price: Number | None = quantity(
        ANY_UNIT, EEBUS, "price with which an incentive table begins, in its lowest tier, per kWh in the currency named"
    )
    incentive_prices_until: str | None = instant(EEBUS, "when the prices end; none: nobody says", optional=True)
    incentive_price_requested: Number | None = quantity(
        ANY_UNIT, EEBUS, "such a price as it was written, accepted or not"
    )
    incentive_prices_until_requested: str | None = instant(
        EEBUS, "when the prices that were written end; none: nobody says", optional=True
    )
    incentive_price_answer: str | None = word(
        "accepted rejected", EEBUS, "what the device answered to the latest table"
    )
    incentive_price_error: Number | None = quantity(
        "", EEBUS, "why the latest table was rejected: error number of SPINE, 0 for none", Numbers(0)
    )


@dataclass(frozen=True, kw_only=True)
class Limited(Priced):
    """A device that is kept within limits, or that asks for them."""

    limit_written: Mapping[str, Scalar] = quantity(
        ("W", "A", "Wh", "%", ""), LIMITS, "limit as it was written, accepted or not", name="*_limit*_requested"
    )
    requested_active: Mapping[str, Scalar] = flag(
        LIMITS, "whether the limit that was written is to be kept", name="*_requested_active"
    )
    active: Mapping[str, Scalar] = flag(LIMITS, "whether the limit is to be kept", name="*_active")
    until: Mapping[str, Scalar] = instant(LIMITS, "when the limit ends by itself", name="*_until", optional=True)
    changeable: Mapping[str, Scalar] = flag(LIMITS, "whether the limit may be written", name="*_changeable")
    answer: Mapping[str, Scalar] = word(
        "accepted rejected", LIMITS, "what the system answered to the latest write", name="*_answer"
    )
    error: Mapping[str, Scalar] = quantity(
        "", LIMITS, "why the latest write was rejected: error number of SPINE, 0 for none", Numbers(0), name="*_error"
    )
    lpc_limit: Number | None = quantity(
        "W", LIMITS, "limit of consumption, as accepted or told by the system", _POSITIVE
    )
    lpp_limit: Number | None = quantity("W", LIMITS, "limit of production, export counted positive", _POSITIVE)
    lpc_failsafe_limit: Number | None = quantity("W", LIMITS, "limit of consumption without a control box", _POSITIVE)
    lpp_failsafe_limit: Number | None = quantity("W", LIMITS, "limit of production without a control box", _POSITIVE)
    failsafe_duration: Number | None = quantity(
        "s", LIMITS, "how long the failsafe limit holds at least", Numbers(*_FAILSAFE_S)
    )
    failsafe_requested: Mapping[str, Scalar] = quantity(
        ("W", "s"), LIMITS, "failsafe value as it was written", name="*failsafe*_requested"
    )
    other_limit: Mapping[str, Scalar] = quantity(
        ("W", "A", "Wh", "%", ""), EEBUS, "limit of another use case", name="limit_*"
    )


@dataclass(frozen=True, kw_only=True)
class Ranged(Twin):
    """A device of the house that says between which values it can be driven."""

    smallest: Mapping[str, Scalar] = quantity(("W", "A"), "8 9", "smallest current or power of a device", name="min_*")
    largest: Mapping[str, Scalar] = quantity(("W", "A"), "8 9", "largest current or power of a device", name="max_*")
    characteristic: Mapping[str, Scalar] = quantity(
        ANY_UNIT, "8 9", "what the device or connection is built for or contracted to", name="*_nominal_max*"
    )
    soc: Number | None = quantity("%", "8 9", "state of charge of a battery", Numbers(0, 100))
    soh: Number | None = quantity("%", "8 9", "state of health of a battery", Numbers(0, 150))
