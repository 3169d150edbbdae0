"""DIN SPEC 70121: a car that is charged with direct current; the wallbox makes it, and tells voltage and current.

What its meter counts is the alternating current before the rectifier, and no message of this standard tells it.
"""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.writers.exi_dialect import MOST_PERCENT, TARGET_PERCENT, Look, Pair
from replay.scenario.writers.exi_frames import Said, offer
from schemas.wire.iso15118.codec import DIN

RECTIFIED_PERMILLE: Final = 960
"""What the wallbox makes of a watt of alternating current."""

_MODE: Final = "DC_extended"
_OK: Final = {"ResponseCode": "OK"}
_DAY_S: Final = 86_400
_MOST_A, _MOST_VOLT, _LEAST_VOLT = 32, 450, 200
_EMPTY_VOLT, _MORE_VOLT = 345, 75
"""Of a battery that is empty, and how much more a full one has."""


class Din:
    """DIN SPEC 70121."""

    def begins(self, pair: Pair, look: Look) -> Iterator[Said]:
        """Negotiation, identity, authorisation at the wallbox, limits, cable check, the battery's voltage, start."""
        yield from offer(DIN)
        yield _said("SessionSetupReq", EVCCID=pair.evcc)
        yield _said("SessionSetupRes", ResponseCode="OK_NewSessionEstablished", EVSEID=_octets(pair.evse))
        yield _said("ServiceDiscoveryReq", ServiceCategory="EVCharging")
        service = {
            "ServiceTag": {"ServiceID": 1, "ServiceCategory": "EVCharging"},
            "FreeService": False,
            "EnergyTransferType": _MODE,
        }
        payment = {"PaymentOption": ["ExternalPayment"]}
        yield _said("ServiceDiscoveryRes", **_OK, PaymentOptions=payment, ChargeService=service)
        services = {"SelectedService": [{"ServiceID": 1}]}
        yield _said("ServicePaymentSelectionReq", SelectedPaymentOption="ExternalPayment", SelectedServiceList=services)
        yield _said("ServicePaymentSelectionRes", **_OK)
        yield _said("ContractAuthenticationReq")
        yield _said("ContractAuthenticationRes", **_OK, EVSEProcessing="Finished")
        yield from _limits(pair, look)
        yield _said("CableCheckReq", DC_EVStatus=_car(look))
        yield _said("CableCheckRes", **_OK, DC_EVSEStatus=_wallbox(), EVSEProcessing="Finished")
        volt = _voltage(look)
        yield _said(
            "PreChargeReq", DC_EVStatus=_car(look), EVTargetVoltage=_value(volt, "V"), EVTargetCurrent=_value(0, "A")
        )
        yield _said("PreChargeRes", **_OK, DC_EVSEStatus=_wallbox(), EVSEPresentVoltage=_value(volt, "V"))
        profile = {
            "SAScheduleTupleID": 1,
            "ProfileEntry": [{"ChargingProfileEntryStart": 0, "ChargingProfileEntryMaxPower": pair.charge_w}],
        }
        yield _said("PowerDeliveryReq", ReadyToChargeState=True, ChargingProfile=profile)
        yield _said("PowerDeliveryRes", **_OK, DC_EVSEStatus=_wallbox())

    def goes_on(self, pair: Pair, look: Look) -> Iterator[Said]:
        """The car asks for a current at its voltage; the wallbox tells which it gives, and how much it may give."""
        volt, present = _voltage(look), _current(look.power_w, look)
        wanted = min(max(look.target_w, 0), look.limit_w)
        yield _said(
            "CurrentDemandReq",
            DC_EVStatus=_car(look),
            EVTargetCurrent=_current(wanted if look.soc < MOST_PERCENT else 0, look),
            EVMaximumPowerLimit=_value(pair.charge_w, "W"),
            ChargingComplete=look.soc >= MOST_PERCENT,
            EVTargetVoltage=_value(volt, "V"),
        )
        yield _said(
            "CurrentDemandRes",
            **_OK,
            DC_EVSEStatus=_wallbox(),
            EVSEPresentVoltage=_value(volt, "V"),
            EVSEPresentCurrent=present,
            EVSECurrentLimitAchieved=False,
            EVSEVoltageLimitAchieved=False,
            EVSEPowerLimitAchieved=False,
            EVSEMaximumVoltageLimit=_value(_MOST_VOLT, "V"),
            EVSEMaximumCurrentLimit=_value(_MOST_A, "A"),
            EVSEMaximumPowerLimit=_value(_rectified_w(look.limit_w), "W"),
        )

    def ends(self, _pair: Pair, look: Look) -> Iterator[Said]:
        """Power off, no contact welded, and the end."""
        yield _said("PowerDeliveryReq", ReadyToChargeState=False)
        yield _said("PowerDeliveryRes", **_OK, DC_EVSEStatus=_wallbox())
        yield _said("WeldingDetectionReq", DC_EVStatus=_car(look))
        yield _said("WeldingDetectionRes", **_OK, DC_EVSEStatus=_wallbox(), EVSEPresentVoltage=_value(0, "V"))
        yield _said("SessionStopReq")
        yield _said("SessionStopRes", **_OK)


def _limits(pair: Pair, look: Look) -> Iterator[Said]:
    """What the battery takes and still wants, and what the wallbox can give."""
    missing_wh = max(pair.battery_wh * TARGET_PERCENT // 100 - look.stored_wh, 0)
    car = {
        "DC_EVStatus": _car(look),
        "EVMaximumCurrentLimit": _value(_MOST_A, "A"),
        "EVMaximumPowerLimit": _value(pair.charge_w, "W"),
        "EVMaximumVoltageLimit": _value(_MOST_VOLT, "V"),
        "EVEnergyCapacity": _value(pair.battery_wh // 10, "Wh", 1),
        "EVEnergyRequest": _value(missing_wh // 10, "Wh", 1),
        "FullSOC": MOST_PERCENT,
        "BulkSOC": TARGET_PERCENT,
    }
    yield _said("ChargeParameterDiscoveryReq", EVRequestedEnergyTransferType=_MODE, DC_EVChargeParameter=car)
    step = {"PMax": _rectified_w(pair.charge_w), "RelativeTimeInterval": {"start": 0, "duration": _DAY_S}}
    offered = {
        "SAScheduleTuple": [
            {"SAScheduleTupleID": 1, "PMaxSchedule": {"PMaxScheduleID": 1, "PMaxScheduleEntry": [step]}}
        ]
    }
    limits = {
        "DC_EVSEStatus": _wallbox(),
        "EVSEMaximumCurrentLimit": _value(_MOST_A, "A"),
        "EVSEMaximumPowerLimit": _value(_rectified_w(pair.charge_w), "W"),
        "EVSEMaximumVoltageLimit": _value(_MOST_VOLT, "V"),
        "EVSEMinimumCurrentLimit": _value(0, "A"),
        "EVSEMinimumVoltageLimit": _value(_LEAST_VOLT, "V"),
        "EVSEPeakCurrentRipple": _value(5, "A", -1),
    }
    yield _said(
        "ChargeParameterDiscoveryRes",
        **_OK,
        EVSEProcessing="Finished",
        SAScheduleList=offered,
        DC_EVSEChargeParameter=limits,
    )


def _car(look: Look) -> dict[str, Any]:
    return {"EVReady": True, "EVErrorCode": "NO_ERROR", "EVRESSSOC": look.soc}


def _wallbox() -> dict[str, Any]:
    return {
        "NotificationMaxDelay": 0,
        "EVSENotification": "None",
        "EVSEIsolationStatus": "Valid",
        "EVSEStatusCode": "EVSE_Ready",
    }


def _voltage(look: Look) -> int:
    """Of the battery, which rises with its state of charge; whole volts."""
    return _EMPTY_VOLT + _MORE_VOLT * look.soc // 100


def _rectified_w(power_w: int) -> int:
    return power_w * RECTIFIED_PERMILLE // 1000


def _current(power_w: int, look: Look) -> dict[str, Any]:
    """What this power at the meter is behind the rectifier, in tenths of an ampere."""
    return _value(_rectified_w(power_w) * 10 // _voltage(look), "A", -1)


def _octets(evse: str) -> str:
    """An id of DIN SPEC 91286 in octets: a digit in each half, A for a star."""
    return evse.replace("*", "A")


def _value(amount: int, unit: str, multiplier: int = 0) -> dict[str, Any]:
    return {"Multiplier": multiplier, "Unit": unit, "Value": amount}


def _said(name: str, **body: Any) -> Said:
    return Said(DIN, name, body)
