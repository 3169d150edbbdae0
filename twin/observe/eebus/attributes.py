"""Every attribute that messages of EEBUS set, with its unit and what it may be.

``interface`` numbers are those on which it is set; ``*`` in a name stands for what the message names.
"""

from fnmatch import fnmatchcase
from typing import Final, NamedTuple


class Attribute(NamedTuple):
    """One attribute, or several of one pattern. ``unit`` is "" for text and flags, ``*`` for what the device sends."""

    name: str
    unit: str
    allowed: str
    interfaces: str
    meaning: str


_NUMBER, _TEXT, _FLAG, _TIME = "number", "text", "true or false", "ISO 8601, UTC"
_POSITIVE: Final = "number, 0 or more"
_ANSWER: Final = "accepted or rejected"
_ALL, _EV, _LIMITS = "3 8 9", "3", "3 9"

ATTRIBUTES: Final = (
    Attribute("power", "W", _NUMBER, _ALL, "active power of all phases, import positive"),
    Attribute("power_l?", "W", _NUMBER, _ALL, "active power of a phase, import positive"),
    Attribute("current_l?", "A", _NUMBER, _ALL, "current of a phase, import positive"),
    Attribute("current", "A", _NUMBER, _ALL, "current of all phases, import positive"),
    Attribute("voltage_l*", "V", _NUMBER, _ALL, "voltage of a phase to neutral, or between two phases"),
    Attribute("frequency", "Hz", _NUMBER, _ALL, "grid frequency"),
    Attribute("session_energy", "Wh", _POSITIVE, _EV, "charged since the vehicle was plugged in"),
    Attribute("session_energy_discharged", "Wh", _POSITIVE, _EV, "discharged since the vehicle was plugged in"),
    Attribute("soc", "%", "0 to 100", "3 8", "state of charge of a battery or vehicle"),
    Attribute("soh", "%", _NUMBER, "3 8", "state of health of a battery or vehicle"),
    Attribute("range", "m", _NUMBER, "3", "how far the vehicle still goes"),
    Attribute("ev_soc", "%", "0 to 100", _EV, "state of charge of the vehicle at a wallbox"),
    Attribute("ev_soh", "%", _NUMBER, _EV, "state of health of the vehicle at a wallbox"),
    Attribute("ev_range", "m", _NUMBER, _EV, "how far the vehicle at a wallbox still goes"),
    Attribute("ev_connected", "", _FLAG, _EV, "whether a vehicle is plugged in"),
    Attribute("ev_id", "", _TEXT, _EV, "identity of the vehicle, as it gives it"),
    Attribute("ev_id_type", "", "eui48, eui64, userRfidTag", _EV, "what kind of identity that is"),
    Attribute(
        "ev_communication_standard", "", "iso15118-2ed1, iso15118-2ed2, iec61851", _EV, "how vehicle and box talk"
    ),
    Attribute("ev_asymmetric_charging", "", _FLAG, _EV, "whether phases may be driven differently"),
    Attribute("ev_min_*current*", "A", _NUMBER, _EV, "smallest current of the vehicle"),
    Attribute("ev_max_*current*", "A", _NUMBER, _EV, "largest current of the vehicle"),
    Attribute("ev_min_*power*", "W", _NUMBER, _EV, "smallest power of the vehicle, import positive"),
    Attribute("ev_max_*power*", "W", _NUMBER, _EV, "largest power of the vehicle, import positive"),
    Attribute("min_*", "*", _NUMBER, "8 9", "smallest current or power of a device"),
    Attribute("max_*", "*", _NUMBER, "8 9", "largest current or power of a device"),
    Attribute("evse", "", _TEXT, _EV, "of a vehicle: the wallbox it is plugged in at"),
    Attribute("lpc_limit", "W", _POSITIVE, _LIMITS, "limit of consumption as accepted or told by the system itself"),
    Attribute("lpp_limit", "W", _POSITIVE, _LIMITS, "limit of production, export counted positive"),
    Attribute("opev_limit*", "A", _NUMBER, _EV, "overload protection: largest current of a phase"),
    Attribute("oscev_limit*", "A", _NUMBER, _EV, "self-consumption: recommended current of a phase"),
    Attribute("limit_*", "*", _NUMBER, _ALL, "limit of another use case"),
    Attribute("*_limit*_requested", "*", _NUMBER, _LIMITS, "limit as it was written, accepted or not"),
    Attribute("*_active", "", _FLAG, _LIMITS, "whether the limit is to be kept"),
    Attribute("*_until", "", f"{_TIME}, or nothing", _LIMITS, "when the limit ends by itself"),
    Attribute("*_changeable", "", _FLAG, _LIMITS, "whether the limit may be written"),
    Attribute("*_answer", "", _ANSWER, _LIMITS, "what the system answered to the latest write"),
    Attribute("*_value", "*", _NUMBER, _ALL, "average, smallest or largest value of what is named before"),
    Attribute("*_error", "", "error number of SPINE, 0 for none", _LIMITS, "why the latest write was rejected"),
    Attribute("lpc_failsafe_limit", "W", _POSITIVE, "9", "limit of consumption without a control box"),
    Attribute("lpp_failsafe_limit", "W", _POSITIVE, "9", "limit of production without a control box"),
    Attribute("failsafe_duration", "s", "7200 to 86400", "9", "how long the failsafe limit holds at least"),
    Attribute("*_requested", "*", "as without _requested", "9", "failsafe value as it was written"),
    Attribute("guard_heartbeat", "", _TIME, _ALL, "latest heartbeat heard of who sends limits"),
    Attribute("last_heartbeat", "", _TIME, _ALL, "latest heartbeat sent"),
    Attribute("heartbeat_timeout", "s", _POSITIVE, _ALL, "within which time the next heartbeat is promised"),
    Attribute("device_type", "", _TEXT, _ALL, "what the device is, by its discovery"),
    Attribute("use_case/*", "", "version or scenario numbers, or nothing", _ALL, "a use case the device supports"),
    Attribute("name", "", _TEXT, _ALL, "name of the device"),
    Attribute("model", "", _TEXT, _ALL, "device code of its maker"),
    Attribute("serial_number", "", _TEXT, _ALL, "serial number of the device"),
    Attribute("firmware_version", "", _TEXT, _ALL, "software revision"),
    Attribute("hardware_version", "", _TEXT, _ALL, "hardware revision"),
    Attribute("vendor*", "", _TEXT, _ALL, "name or code of the vendor"),
    Attribute("brand", "", _TEXT, _ALL, "brand"),
    Attribute("power_source", "", "mains1Phase, mains3Phase, battery ...", _ALL, "what the device is fed from"),
    Attribute("operating_state", "", "normalOperation, standby, failure ...", _ALL, "how the device is"),
    Attribute("vendor_state_code", "", _TEXT, _ALL, "how the device is, in its maker's words"),
    Attribute("last_error_code", "", _TEXT, _ALL, "latest error"),
    Attribute("started", "", _TIME, _ALL, "when the device started, by its up time"),
    Attribute("identification", "", _TEXT, "8 9", "identity of a device that is no wallbox"),
    Attribute("configuration_*", "*", "any", _ALL, "another key of the device configuration"),
)
"""Patterns in the order in which they are looked up."""


def attribute_of(name: str) -> Attribute | None:
    """The entry of an attribute; None where it is not listed (a scope or characteristic that is told as it comes).

    >>> attribute_of("current_l2").unit, attribute_of("opev_limit_l1_active").allowed
    ('A', 'true or false')
    """
    exact = next((entry for entry in ATTRIBUTES if entry.name == name), None)
    if exact is not None:
        return exact
    endings = [entry for entry in ATTRIBUTES if entry.name.startswith("*_") and fnmatchcase(name, entry.name)]
    if endings:
        return endings[0]
    return next((entry for entry in ATTRIBUTES if fnmatchcase(name, entry.name)), None)
