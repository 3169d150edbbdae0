"""ISO 15118-2, AC: a car that charges; the wallbox limits its current and tells what the meter counted."""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.writers.exi_dialect import TARGET_PERCENT, Look, Pair
from replay.scenario.writers.exi_frames import Said, offer
from schemas.time import SECOND_US
from schemas.wire.iso15118.codec import DIN, ISO_2

_MODE: Final = "AC_three_phase_core"
_OK: Final = {"ResponseCode": "OK"}
_STATUS: Final = {"AC_EVSEStatus": {"NotificationMaxDelay": 0, "EVSENotification": "None", "RCD": False}}
_PHASES, _VOLT = 3, 230
_LEAST_A: Final = 6
_DAY_S: Final = 86_400


class Iso2:
    """Part 2."""

    def begins(self, pair: Pair, look: Look) -> Iterator[Said]:
        """Negotiation, identity, authorisation at the wallbox, needs and limits, start."""
        yield from offer(ISO_2, DIN)
        yield _said("SessionSetupReq", EVCCID=pair.evcc)
        yield _said("SessionSetupRes", ResponseCode="OK_NewSessionEstablished", EVSEID=pair.evse)
        yield _said("ServiceDiscoveryReq")
        service = {
            "ServiceID": 1,
            "ServiceCategory": "EVCharging",
            "FreeService": False,
            "SupportedEnergyTransferMode": {"EnergyTransferMode": [_MODE]},
        }
        payment = {"PaymentOption": ["ExternalPayment"]}
        yield _said("ServiceDiscoveryRes", **_OK, PaymentOptionList=payment, ChargeService=service)
        services = {"SelectedService": [{"ServiceID": 1}]}
        yield _said("PaymentServiceSelectionReq", SelectedPaymentOption="ExternalPayment", SelectedServiceList=services)
        yield _said("PaymentServiceSelectionRes", **_OK)
        yield _said("AuthorizationReq")
        yield _said("AuthorizationRes", **_OK, EVSEProcessing="Finished")
        needs = {
            "DepartureTime": look.leaves_in_s,
            "EAmount": _value(max(pair.battery_wh * TARGET_PERCENT // 100 - look.stored_wh, 0) // 10, "Wh", 1),
            "EVMaxVoltage": _value(400, "V"),
            "EVMaxCurrent": _current(pair.charge_w),
            "EVMinCurrent": _value(_LEAST_A * 10, "A", -1),
        }
        yield _said("ChargeParameterDiscoveryReq", RequestedEnergyTransferMode=_MODE, AC_EVChargeParameter=needs)
        step = {
            "RelativeTimeInterval": {"start": 0, "duration": _DAY_S},
            "PMax": _value(pair.charge_w, "W"),
        }
        offered = {"SAScheduleTuple": [{"SAScheduleTupleID": 1, "PMaxSchedule": {"PMaxScheduleEntry": [step]}}]}
        limits = {**_STATUS, "EVSENominalVoltage": _value(_VOLT, "V"), "EVSEMaxCurrent": _current(pair.charge_w)}
        yield _said(
            "ChargeParameterDiscoveryRes",
            **_OK,
            EVSEProcessing="Finished",
            SAScheduleList=offered,
            AC_EVSEChargeParameter=limits,
        )
        yield _said("PowerDeliveryReq", ChargeProgress="Start", SAScheduleTupleID=1)
        yield _said("PowerDeliveryRes", **_OK, **_STATUS)

    def goes_on(self, pair: Pair, look: Look) -> Iterator[Said]:
        """The car says that it is there; the wallbox how much it may draw and what the meter counted."""
        yield _said("ChargingStatusReq")
        meter = {"MeterID": pair.meter, "MeterReading": look.charged_wh, "TMeter": look.meter_us // SECOND_US}
        yield _said(
            "ChargingStatusRes",
            **_OK,
            EVSEID=pair.evse,
            SAScheduleTupleID=1,
            EVSEMaxCurrent=_current(look.limit_w),
            MeterInfo=meter,
            **_STATUS,
        )

    def ends(self, _pair: Pair, _look: Look) -> Iterator[Said]:
        """Power off, and the end."""
        yield _said("PowerDeliveryReq", ChargeProgress="Stop", SAScheduleTupleID=1)
        yield _said("PowerDeliveryRes", **_OK, **_STATUS)
        yield _said("SessionStopReq", ChargingSession="Terminate")
        yield _said("SessionStopRes", **_OK)


def _current(power_w: int) -> dict[str, Any]:
    """The current of each of three phases that carry this power together, in tenths of an ampere."""
    return _value(power_w * 10 // (_PHASES * _VOLT), "A", -1)


def _value(amount: int, unit: str, multiplier: int = 0) -> dict[str, Any]:
    return {"Multiplier": multiplier, "Unit": unit, "Value": amount}


def _said(name: str, **body: Any) -> Said:
    return Said(ISO_2, name, body)
