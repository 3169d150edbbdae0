"""Wallboxes, vehicles and charging sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.facts import Scalar
from twin.actors.eebus import Device, Limited
from twin.actors.iso15118 import OF_EVSE, OF_VEHICLE
from twin.actors.model import MEASURED, Refers, Tolerance, Twin, carrying, flag, instant, quantity, text, word
from twin.actors.station import Station, StationVehicle
from twin.actors.values import Numbers
from twin.amounts import Number

_OCPP, _OCPI, _OCMF = carrying("ocpp"), carrying("ocpi"), carrying("ocmf")
_MASTER: Final = carrying("master_data")
_EV: Final = "3"
_PILOT: Final = carrying("iec61851")
_POSITIVE: Final = Numbers(0)
_PERCENT: Final = Numbers(0, 100)


@dataclass(frozen=True, kw_only=True)
class Wallbox(Twin):
    """What EEBUS says of a wallbox beside what it says of every device."""

    ev_connected: bool | None = flag(f"{_EV} {_PILOT}", "whether a vehicle is plugged in")
    ev_id: str | None = text(
        f"{_OCPP} {_EV}", "identity of the vehicle that is plugged in; an EUI-48 as hex digits", refers=Refers("bev")
    )
    ev_id_type: str | None = word("eui48 eui64 userRfidTag", _EV, "what kind of identity that is")
    ev_communication_standard: str | None = text(
        _EV, "how vehicle and box talk", hint="iso15118-2ed1, iso15118-2ed2, iec61851"
    )
    ev_asymmetric_charging: bool | None = flag(_EV, "whether phases may be driven differently")
    ev_soh: Number | None = quantity("%", _EV, "state of health of the vehicle's battery", Numbers(0, 150))
    ev_range: Number | None = quantity("m", _EV, "how far the vehicle still goes", _POSITIVE)
    session_energy: Number | None = quantity("Wh", _EV, "charged since the vehicle was plugged in", _POSITIVE)
    session_energy_discharged: Number | None = quantity(
        "Wh", _EV, "discharged since the vehicle was plugged in", _POSITIVE
    )
    ev_smallest: Mapping[str, Scalar] = quantity(
        ("A", "W"), _EV, "smallest current or power of the vehicle, import positive", name="ev_min_*"
    )
    ev_largest: Mapping[str, Scalar] = quantity(
        ("A", "W"), _EV, "largest current or power of the vehicle, import positive", name="ev_max_*"
    )
    opev_limit: Mapping[str, Scalar] = quantity(
        "A", _EV, "overload protection: largest current of a phase", name="opev_limit_l?"
    )
    oscev_limit: Mapping[str, Scalar] = quantity(
        "A", _EV, "self-consumption: recommended current of a phase", name="oscev_limit_l?"
    )
    cevc_limit: Number | None = quantity("W", _EV, "coordinated charging: power a plan may begin with", _POSITIVE)


@dataclass(frozen=True, kw_only=True)
class Piloted(Twin):
    """What the control pilot shows of an EVSE (IEC 61851-1:2017, annex A)."""

    pilot_state: str | None = word("A B C D E F", _PILOT, "state of the control pilot")
    pilot_duty_cycle: Number | None = quantity("%", _PILOT, "duty cycle of the control pilot", _PERCENT)
    pilot_current_limit: Number | None = quantity(
        "A",
        _PILOT,
        "current of a phase it allows; none where talk does",
        Numbers(0, 80),
        optional=True,
    )
    pilot_voltage: Number | None = quantity("V", _PILOT, "upper level of the control pilot", Numbers(-20, 20))
    ev_ready: bool | None = flag(_PILOT, "whether the vehicle takes energy")
    digital_communication: bool | None = flag(_PILOT, "whether the duty cycle asks for digital communication")


@dataclass(frozen=True, kw_only=True)
class Evse(Station, StationVehicle, Wallbox, Piloted, Limited, Device):
    """A charging station (``evse:<station>``) or one of its EVSEs (``evse:<station>/<EVSE>``)."""

    KIND = "evse"
    TABLE = OF_EVSE

    melo: str | None = text(_MASTER, "metering location it stands behind", optional=True, refers=Refers("melo"))
    same_as: str | None = text(
        _MASTER, "other names of it", optional=True, refers=Refers("evse", several=True, complete=False)
    )
    session: str | None = text(_OCPI, "session at it, now or latest", refers=Refers("session"))
    name: str | None = text(_EV, "name of the device")
    model: str | None = text(f"{_OCPP} {_EV}", "model, or device code of its maker")
    serial_number: str | None = text(f"{_OCPP} {_EV}", "serial number of the station")
    firmware_version: str | None = text(f"{_OCPP} {_EV}", "firmware, or software revision")
    vendor: str | None = text(f"{_OCPP} {_EV}", "name of the vendor")
    last_heartbeat: str | None = instant(f"{_OCPP} {_EV}", "latest heartbeat sent", window_us=0)
    power: Number | None = quantity(
        "W",
        f"{_OCPP} {_EV}",
        "active power of all phases, import positive",
        Numbers(-(10**6), 10**6),
        tolerance=MEASURED._replace(distance=50),
    )
    frequency: Number | None = quantity("Hz", f"{_OCPP} {_EV}", "grid frequency", Numbers(0, 100))
    ev_soc: Number | None = quantity(
        "%",
        f"{_OCPP} {_EV}",
        "state of charge of the vehicle",
        _PERCENT,
        tolerance=Tolerance(distance=2, window_us=MEASURED.window_us),
    )
    availability: str | None = text(
        f"{_OCPI} {_OCPP}",
        "state as its operator publishes it, or as its backend ordered it",
        hint=(
            "AVAILABLE, BLOCKED, CHARGING, INOPERATIVE, OUTOFORDER, PLANNED, REMOVED, RESERVED, UNKNOWN; "
            "Operative, Inoperative as ordered"
        ),
    )
    location: str | None = text(_OCPI, "the location it belongs to")
    operator: str | None = text(_OCPI, "country and party of its operator", hint="DE*ABC")
    signed_value: str | None = text(
        _OCMF, "whether the signature of the latest record holds", hint="valid, or a reason"
    )
    signed_value_checks: str | None = text(
        _OCMF, "what of the latest signed record is doubtful", name="signed_value.checks", hint="ok, or reasons"
    )
    signed_value_page: str | None = text(
        _OCMF, "page of the latest signed record", name="signed_value.page", hint="T76"
    )
    transaction_import: Number | None = quantity("Wh", _OCMF, "charged in the transaction of the record", _POSITIVE)
    transaction_export: Number | None = quantity("Wh", _OCMF, "discharged in the transaction of the record", _POSITIVE)


@dataclass(frozen=True, kw_only=True)
class Bev(Twin):
    """A vehicle, by the identity it gives (``bev:<EVCCID>``, an EUI-48 as hex digits, whoever says it)."""

    KIND = "bev"
    TABLE = OF_VEHICLE

    evse: str | None = text(f"{_OCPP} {_EV}", "the EVSE it was last plugged in at", refers=Refers("evse"))
    soc: Number | None = quantity("%", _EV, "state of charge", _PERCENT)
    soh: Number | None = quantity("%", _EV, "state of health of the battery", Numbers(0, 150))
    range: Number | None = quantity("m", _EV, "how far it still goes", _POSITIVE)


@dataclass(frozen=True, kw_only=True)
class Session(Twin):
    """A charging session between operators (``session:<operator>*<session>``), OCPI 2.2.1 and 2.3.0."""

    KIND = "session"

    status: str | None = word(
        "ACTIVE COMPLETED INVALID PENDING RESERVATION BILLED", _OCPI, "where it stands; BILLED by its detail record"
    )
    start: str | None = instant(_OCPI, "when it began")
    end: str | None = instant(_OCPI, "when it ended")
    energy_net: Number | None = quantity("Wh", _OCPI, "charged minus discharged")
    energy_import: Number | None = quantity("Wh", _OCPI, "charged, where the periods tell", _POSITIVE)
    energy_export: Number | None = quantity("Wh", _OCPI, "discharged, where the periods tell", _POSITIVE)
    cost: Number | None = quantity("*", _OCPI, "cost before taxes, in the currency named")
    cost_with_tax: Number | None = quantity("*", _OCPI, "cost with taxes, in the currency named")
    evse: str | None = text(_OCPI, "the EVSE, as its operator names it", refers=Refers("evse"))
    location: str | None = text(_OCPI, "the location of the EVSE")
    operator: str | None = text(_OCPI, "country and party of the operator", hint="DE*ABC")
    contract: str | None = text(_OCPI, "the contract it is billed to", refers=Refers("contract"))
    contract_doubt: str | None = text(_OCPI, "why the contract is no EMAID", name="contract.doubt")
    cdr: str | None = text(_OCPI, "number of its charge detail record")
