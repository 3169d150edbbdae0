"""What the vehicle at an EVSE wants and can (ISO 15118 through OCPP 2.x, use case K15 and block Q)."""

from schemas.event import Event
from schemas.facts import Facts
from schemas.time import format_time
from twin.observe.ocpp.said import fields, id_token, instant, one, quantities

_NEEDS = {
    "requestedEnergyTransfer": "ev_energy_transfer",
    "controlMode": "ev_control_mode",
    "mobilityNeedsMode": "ev_mobility_needs_mode",
}
_AC = {
    "energyAmount": ("ev_requested_energy", "Wh"),
    "evMinCurrent": ("ev_min_current", "A"),
    "evMaxCurrent": ("ev_max_current", "A"),
    "evMaxVoltage": ("ev_max_voltage", "V"),
}
_DC = {
    "energyAmount": ("ev_requested_energy", "Wh"),
    "evMaxCurrent": ("ev_max_current", "A"),
    "evMaxVoltage": ("ev_max_voltage", "V"),
    "evMaxPower": ("ev_max_power", "W"),
    "evEnergyCapacity": ("ev_battery_capacity", "Wh"),
    "stateOfCharge": ("ev_soc", "%"),
    "fullSoC": ("ev_full_soc", "%"),
    "bulkSoC": ("ev_bulk_soc", "%"),
}
_V2X = {
    "minChargePower": ("ev_min_charge_power", "W"),
    "maxChargePower": ("ev_max_charge_power", "W"),
    "minDischargePower": ("ev_min_discharge_power", "W"),
    "maxDischargePower": ("ev_max_discharge_power", "W"),
    "minChargeCurrent": ("ev_min_charge_current", "A"),
    "maxChargeCurrent": ("ev_max_charge_current", "A"),
    "minDischargeCurrent": ("ev_min_discharge_current", "A"),
    "maxDischargeCurrent": ("ev_max_discharge_current", "A"),
    "minVoltage": ("ev_min_voltage", "V"),
    "maxVoltage": ("ev_max_voltage", "V"),
    "evTargetEnergyRequest": ("ev_target_energy", "Wh"),
    "evMinEnergyRequest": ("ev_min_energy", "Wh"),
    "evMaxEnergyRequest": ("ev_max_energy", "Wh"),
    "evMinV2XEnergyRequest": ("ev_min_v2x_energy", "Wh"),
    "evMaxV2XEnergyRequest": ("ev_max_v2x_energy", "Wh"),
    "targetSoC": ("ev_target_soc", "%"),
}


def _on_needs(event: Event, facts: Facts) -> None:
    """NotifyEVChargingNeeds. ISO 15118 gives the powers of V2X per phase; what is kept is the value of L1 or of all."""
    if event.time_us is None:
        return
    needs, actor, time_us = event.payload["body"]["chargingNeeds"], event.actor, event.time_us
    fields(needs, _NEEDS, actor, time_us, facts)
    departure_us = instant(needs.get("departureTime"))
    if departure_us is not None:
        one(facts, actor, "ev_departure", format_time(departure_us), time_us)
    for part, named in (("acChargingParameters", _AC), ("dcChargingParameters", _DC), ("v2xChargingParameters", _V2X)):
        quantities(needs.get(part) or {}, named, actor, time_us, facts)


def _on_schedule(event: Event, facts: Facts) -> None:
    """NotifyEVChargingSchedule: what the vehicle means to draw first, and from when."""
    if event.time_us is None:
        return
    body, actor, time_us = event.payload["body"], event.actor, event.time_us
    base_us = instant(body["timeBase"])
    if base_us is not None:
        one(facts, actor, "ev_schedule_start", format_time(base_us), time_us)
    schedule = body["chargingSchedule"]
    unit = schedule["chargingRateUnit"]
    quantities(schedule["chargingSchedulePeriod"][0], {"limit": ("ev_schedule_limit", unit)}, actor, time_us, facts)
    quantities(schedule, {"duration": ("ev_schedule_duration", "s")}, actor, time_us, facts)


def _on_authorize(event: Event, facts: Facts) -> None:
    """The token a person showed, as sent."""
    if event.time_us is None:
        return
    body = event.payload["body"]
    if event.payload["version"] == "1.6":
        one(facts, event.actor, "id_token", body["idTag"], event.time_us)
    else:
        id_token(body["idToken"], event.actor, event.time_us, facts)


CALLS = {
    "NotifyEVChargingNeeds": _on_needs,
    "NotifyEVChargingSchedule": _on_schedule,
    "Authorize": _on_authorize,
}
