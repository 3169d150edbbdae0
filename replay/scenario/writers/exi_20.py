"""ISO 15118-20, AC_BPT: a car that charges and gives back, in dynamic control mode: the wallbox sets the power."""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.writers.exi_dialect import LEAST_PERCENT, MOST_PERCENT, TARGET_PERCENT, Look, Pair
from replay.scenario.writers.exi_frames import Said, offer
from schemas.time import SECOND_US
from schemas.wire.iso15118.codec import ISO_2, ISO_20_AC, ISO_20_COMMON

_AC_BPT: Final = 5
"""Number of the service (ISO 15118-20, table 204)."""

_OK: Final = {"ResponseCode": "OK"}
_LARGEST: Final = 32_767
"""A physical value is a power of ten times a number of 16 bits with sign."""

_LEAST_CHARGE_W: Final = 1400
_PARAMETERS: Final = {
    "ControlMode": 2,
    "MobilityNeedsMode": 1,
    "Pricing": 0,
    "BPTChannel": 1,
    "GeneratorMode": 1,
    "Connector": 2,
    "EVSENominalVoltage": 230,
}
"""Of the service: dynamic, the car tells its needs, no prices, one channel, follows the grid, three phases."""


class Iso20:
    """Part 20."""

    def begins(self, pair: Pair, look: Look) -> Iterator[Said]:
        """Negotiation, identity, authorisation at the wallbox, the service and its limits both ways, needs, start."""
        yield from offer(ISO_20_AC, ISO_2)
        yield _common("SessionSetupReq", EVCCID=pair.evcc)
        yield _common("SessionSetupRes", ResponseCode="OK_NewSessionEstablished", EVSEID=pair.evse)
        yield _common("AuthorizationSetupReq")
        at_wallbox = {"AuthorizationServices": ["EIM"], "CertificateInstallationService": False}
        yield _common("AuthorizationSetupRes", **_OK, **at_wallbox, EIM_ASResAuthorizationMode={})
        yield _common("AuthorizationReq", SelectedAuthorizationService="EIM", EIM_AReqAuthorizationMode={})
        yield _common("AuthorizationRes", **_OK, EVSEProcessing="Finished")
        yield _common("ServiceDiscoveryReq")
        services = {"Service": [{"ServiceID": _AC_BPT, "FreeService": False}]}
        yield _common(
            "ServiceDiscoveryRes", **_OK, ServiceRenegotiationSupported=False, EnergyTransferServiceList=services
        )
        yield _common("ServiceDetailReq", ServiceID=_AC_BPT)
        parameters = [{"Name": name, "intValue": value} for name, value in _PARAMETERS.items()]
        offered = {"ParameterSet": [{"ParameterSetID": 1, "Parameter": parameters}]}
        yield _common("ServiceDetailRes", **_OK, ServiceID=_AC_BPT, ServiceParameterList=offered)
        selected = {"ServiceID": _AC_BPT, "ParameterSetID": 1}
        yield _common("ServiceSelectionReq", SelectedEnergyTransferService=selected)
        yield _common("ServiceSelectionRes", **_OK)
        yield from _limits(pair)
        yield from _needs(pair, look)
        profile = {
            "TimeAnchor": look.meter_us // SECOND_US,
            "Dynamic_EVPPTControlMode": {},
            "EVPowerProfileEntries": {
                "EVPowerProfileEntry": [{"Duration": look.leaves_in_s, "Power": _value(pair.charge_w)}]
            },
        }
        start = {"EVProcessing": "Finished", "ChargeProgress": "Start", "EVPowerProfile": profile}
        yield _common("PowerDeliveryReq", **start, BPT_ChannelSelection="Charge")
        yield _common("PowerDeliveryRes", **_OK)

    def goes_on(self, pair: Pair, look: Look) -> Iterator[Said]:
        """The car tells state of charge, wishes and power; the wallbox its set point and what its meter counted."""
        display = {
            "PresentSOC": look.soc,
            "MinimumSOC": LEAST_PERCENT,
            "TargetSOC": TARGET_PERCENT,
            "MaximumSOC": MOST_PERCENT,
            "ChargingComplete": look.soc >= MOST_PERCENT,
            "BatteryEnergyCapacity": _value(pair.battery_wh),
        }
        wish = {
            "DepartureTime": look.leaves_in_s,
            **_wanted(pair, look),
            "EVMaximumChargePower": _value(pair.charge_w),
            "EVMinimumChargePower": _value(_LEAST_CHARGE_W),
            "EVPresentActivePower": _value(look.power_w),
            "EVPresentReactivePower": _value(0),
            "EVMaximumDischargePower": _value(pair.discharge_w),
            "EVMinimumDischargePower": _value(0),
        }
        asked = {"DisplayParameters": display, "MeterInfoRequested": True, "BPT_Dynamic_AC_CLReqControlMode": wish}
        yield Said(ISO_20_AC, "AC_ChargeLoopReq", asked)
        meter = {
            "MeterID": pair.meter,
            "ChargedEnergyReadingWh": look.charged_wh,
            "BPT_DischargedEnergyReadingWh": look.discharged_wh,
            "MeterTimestamp": look.meter_us // SECOND_US,
        }
        order = {
            "EVSETargetActivePower": _value(min(look.target_w, look.limit_w)),
            "EVSEPresentActivePower": _value(look.power_w),
        }
        yield Said(ISO_20_AC, "AC_ChargeLoopRes", {**_OK, "MeterInfo": meter, "BPT_Dynamic_AC_CLResControlMode": order})

    def ends(self, _pair: Pair, _look: Look) -> Iterator[Said]:
        """Power off, and the end."""
        yield _common("PowerDeliveryReq", EVProcessing="Finished", ChargeProgress="Stop")
        yield _common("PowerDeliveryRes", **_OK)
        yield _common("SessionStopReq", ChargingSession="Terminate")
        yield _common("SessionStopRes", **_OK)


def _limits(pair: Pair) -> Iterator[Said]:
    """What car and wallbox can, both ways."""
    powers = {
        "MaximumChargePower": pair.charge_w,
        "MinimumChargePower": _LEAST_CHARGE_W,
        "MaximumDischargePower": pair.discharge_w,
        "MinimumDischargePower": 0,
    }
    car = {f"EV{name}": _value(power_w) for name, power_w in powers.items()}
    yield Said(ISO_20_AC, "AC_ChargeParameterDiscoveryReq", {"BPT_AC_CPDReqEnergyTransferMode": car})
    wallbox = {f"EVSE{name}": _value(power_w) for name, power_w in powers.items()}
    wallbox["EVSENominalFrequency"] = _value(50)
    yield Said(ISO_20_AC, "AC_ChargeParameterDiscoveryRes", {**_OK, "BPT_AC_CPDResEnergyTransferMode": wallbox})


def _needs(pair: Pair, look: Look) -> Iterator[Said]:
    """When the car must leave, and with how much."""
    until = {"DepartureTime": look.leaves_in_s, "MinimumSOC": LEAST_PERCENT, "TargetSOC": TARGET_PERCENT}
    asked = until | _wanted(pair, look)
    yield _common("ScheduleExchangeReq", MaximumSupportingPoints=96, Dynamic_SEReqControlMode=asked)
    yield _common("ScheduleExchangeRes", **_OK, EVSEProcessing="Finished", Dynamic_SEResControlMode=until)


def _wanted(pair: Pair, look: Look) -> dict[str, Any]:
    """Energy up to three states of charge; below zero where the battery holds more."""
    percents = {"Target": TARGET_PERCENT, "Maximum": MOST_PERCENT, "Minimum": LEAST_PERCENT}
    return {
        f"EV{name}EnergyRequest": _value(pair.battery_wh * percent // 100 - look.stored_wh)
        for name, percent in percents.items()
    }


def _value(amount: int) -> dict[str, int]:
    """A physical value; the last digits of a large one are lost."""
    exponent = 0
    while abs(amount) > _LARGEST:
        amount, exponent = amount // 10, exponent + 1
    return {"Exponent": exponent, "Value": amount}


def _common(name: str, **body: Any) -> Said:
    return Said(ISO_20_COMMON, name, body)
