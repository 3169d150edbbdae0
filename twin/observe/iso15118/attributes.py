"""What elements of the messages mean: the attribute of who says them, its unit, what it may be.

Kinds: ``number``; ``limit``, a number of 0 or more, whose sign stations write either way; ``percent``, 0 to 100;
``text``; ``flag``; ``seconds``, a time from now on, told as the instant (ISO 8601, UTC) it points at.

An element with ``_L2`` and ``_L3`` beside it is of phase 1: ``power_l1``, ``power_l2``, ``power_l3``, and ``power`` is
their sum. ([M]: alone it is the sum of all phases, as ISO 15118-20, 8.3.5.3.27 and following leave open.)
"""

from typing import Final, NamedTuple


class Attribute(NamedTuple):
    """One attribute; ``unit`` is "" for text and flags."""

    name: str
    unit: str
    kind: str


def _limits(prefix: str) -> dict[str, Attribute]:
    """Limits of ISO 15118-20: how much at least and at most, each way."""
    found = {}
    for bound in ("Minimum", "Maximum"):
        for way in ("Charge", "Discharge"):
            for what, unit in (("Power", "W"), ("Current", "A")):
                name = f"{bound[:3].lower()}_{way.lower()}_{what.lower()}"
                found[f"{prefix}{bound}{way}{what}"] = Attribute(name, unit, "limit")
        found[f"{prefix}{bound}Voltage"] = Attribute(f"{bound[:3].lower()}_voltage", "V", "limit")
    return found


EV: Final = {
    **_limits("EV"),
    "PresentSOC": Attribute("soc", "%", "percent"),
    "EVRESSSOC": Attribute("soc", "%", "percent"),
    "TargetSOC": Attribute("target_soc", "%", "percent"),
    "MinimumSOC": Attribute("min_soc", "%", "percent"),
    "MaximumSOC": Attribute("max_soc", "%", "percent"),
    "FullSOC": Attribute("full_soc", "%", "percent"),
    "BulkSOC": Attribute("bulk_soc", "%", "percent"),
    "BatteryEnergyCapacity": Attribute("battery_capacity", "Wh", "limit"),
    "EVEnergyCapacity": Attribute("battery_capacity", "Wh", "limit"),
    "EAmount": Attribute("target_energy", "Wh", "number"),
    "EVEnergyRequest": Attribute("target_energy", "Wh", "number"),
    "EVTargetEnergyRequest": Attribute("target_energy", "Wh", "number"),
    "EVMaximumEnergyRequest": Attribute("max_energy", "Wh", "number"),
    "EVMinimumEnergyRequest": Attribute("min_energy", "Wh", "number"),
    "EVMaximumV2XEnergyRequest": Attribute("max_v2x_energy", "Wh", "number"),
    "EVMinimumV2XEnergyRequest": Attribute("min_v2x_energy", "Wh", "number"),
    "EVPresentActivePower": Attribute("power", "W", "number"),
    "EVPresentReactivePower": Attribute("reactive_power", "var", "number"),
    "EVPresentVoltage": Attribute("voltage", "V", "number"),
    "EVTargetCurrent": Attribute("target_current", "A", "number"),
    "EVTargetVoltage": Attribute("target_voltage", "V", "number"),
    "EVMaxCurrent": Attribute("max_charge_current", "A", "limit"),
    "EVMinCurrent": Attribute("min_charge_current", "A", "limit"),
    "EVMaxVoltage": Attribute("max_voltage", "V", "limit"),
    "EVMaximumCurrentLimit": Attribute("max_charge_current", "A", "limit"),
    "EVMaximumPowerLimit": Attribute("max_charge_power", "W", "limit"),
    "EVMaximumVoltageLimit": Attribute("max_voltage", "V", "limit"),
    "DepartureTime": Attribute("departure_time", "", "seconds"),
    "RemainingTimeToTargetSOC": Attribute("target_soc_time", "", "seconds"),
    "RequestedEnergyTransferMode": Attribute("energy_transfer", "", "text"),
    "EVRequestedEnergyTransferType": Attribute("energy_transfer", "", "text"),
    "SelectedPaymentOption": Attribute("payment_option", "", "text"),
    "ChargingComplete": Attribute("charging_complete", "", "flag"),
    "InletHot": Attribute("inlet_hot", "", "flag"),
    "EVReady": Attribute("ready", "", "flag"),
    "EVErrorCode": Attribute("error", "", "text"),
    "ChargeProgress": Attribute("charge_progress", "", "text"),
    "ReadyToChargeState": Attribute("ready_to_charge", "", "flag"),
    "BPT_ChannelSelection": Attribute("channel", "", "text"),
    "SAScheduleTupleID": Attribute("selected_schedule", "", "number"),
    "EVTerminationCode": Attribute("stop_code", "", "text"),
    "EVTerminationExplanation": Attribute("stop_reason", "", "text"),
}
"""Elements that vehicles say."""

EVSE: Final = {
    **_limits("EVSE"),
    "EVSEPresentActivePower": Attribute("power", "W", "number"),
    "EVSETargetActivePower": Attribute("charging_setpoint", "W", "number"),
    "EVSETargetReactivePower": Attribute("reactive_setpoint", "var", "number"),
    "EVSETargetFrequency": Attribute("target_frequency", "Hz", "number"),
    "EVSENominalFrequency": Attribute("nominal_frequency", "Hz", "number"),
    "EVSENominalVoltage": Attribute("nominal_voltage", "V", "number"),
    "EVSEPresentVoltage": Attribute("voltage", "V", "number"),
    "EVSEPresentCurrent": Attribute("current", "A", "number"),
    "EVSEMaxCurrent": Attribute("max_charge_current", "A", "limit"),
    "EVSEMaximumCurrentLimit": Attribute("max_charge_current", "A", "limit"),
    "EVSEMinimumCurrentLimit": Attribute("min_charge_current", "A", "limit"),
    "EVSEMaximumPowerLimit": Attribute("max_charge_power", "W", "limit"),
    "EVSEMaximumVoltageLimit": Attribute("max_voltage", "V", "limit"),
    "EVSEMinimumVoltageLimit": Attribute("min_voltage", "V", "limit"),
    "EVSEPowerLimitAchieved": Attribute("power_limit_reached", "", "flag"),
    "EVSECurrentLimitAchieved": Attribute("current_limit_reached", "", "flag"),
    "EVSEVoltageLimitAchieved": Attribute("voltage_limit_reached", "", "flag"),
    "DepartureTime": Attribute("departure_time", "", "seconds"),
    "MinimumSOC": Attribute("min_soc", "%", "percent"),
    "TargetSOC": Attribute("target_soc", "%", "percent"),
    "EVSENotification": Attribute("notification", "", "text"),
    "EVSEIsolationStatus": Attribute("isolation", "", "text"),
    "EVSEStatusCode": Attribute("status", "", "text"),
    "EVSEProcessing": Attribute("processing", "", "text"),
    "RCD": Attribute("residual_current_fault", "", "flag"),
    "ResponseCode": Attribute("response_code", "", "text"),
    "MeterStatus": Attribute("meter_status", "", "number"),
}
"""Elements that charging stations say."""
