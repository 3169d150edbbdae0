"""What vehicle and charging station say to each other: ISO 15118-2, -20 and DIN 70121.

Actors are ``bev:<EVCC id, else EMAID>`` and ``evse:<EVSE id>``; who has no identity (ZZ00000), or whose session's
beginning was not heard, is named by the connection. Power, currents and set points are import positive: what charges is
above zero, what discharges below. Limits of either way are numbers of their own, 0 or more.

| attribute | unit | of | what it may be |
|---|---|---|---|
| those of :mod:`~twin.observe.iso15118.attributes` | there | both | there |
| those of :mod:`~twin.observe.iso15118.schedules` | W | both | number, or numbers of schedules |
| ``session_id`` | | both | hex digits |
| ``session_state`` | | both | open, ended, paused |
| ``protocol`` | | both | namespace of the schema |
| ``service`` | | EVSE | number of the energy transfer service chosen (ISO 15118-20, table 204) |
| ``control_mode`` | | both | scheduled, dynamic |
| ``evse`` | | BEV | EVSE id |
| ``ev_id`` | | EVSE | EVCC id |
| ``emaid`` | | BEV | contract id |
| ``meter_id`` | | EVSE | text |

A meter's register inside the session becomes readings, quality ``indicative``; without one, the power that the EVSE
tells (DC: its voltage times its current) becomes a sample, ``indicative`` too: the EVSE is not metered here.
"""

from decimal import Decimal
from typing import Any, Final

from schemas.event import Event
from schemas.facts import INDICATIVE, Direction, Facts, Observation, Reading, Reject, Sample, Scalar
from schemas.time import SECOND_US, format_time
from schemas.wire.iso15118.decoding import EV as EV_SPEAKS
from schemas.wire.iso15118.decoding import instant_of
from twin.amounts import Number, number, scaled, size, times
from twin.observe.iso15118 import schedules
from twin.observe.iso15118.attributes import EV, EVSE, Attribute
from twin.observe.obis import ENERGY_LIMIT_MWH, POWER_LIMIT_MW

_SKIPPED: Final = frozenset(
    {
        "SAScheduleList",
        "ScheduleTuple",
        "ChargingProfile",
        "EVPowerProfile",
        "EVEnergyOffer",
        "AbsolutePriceSchedule",
        "PriceLevelSchedule",
        "ServiceParameterList",
        "MeterInfo",
        "Receipt",
    }
)
"""Parts of messages that are read elsewhere, or whose names mean something else there."""

_DEPTH_LIMIT: Final = 6
_PHASES: Final = ("", "_L2", "_L3")
_YEARS_S: Final = 10 * 366 * 86_400
_ENDS: Final = {"Terminate": "ended", "Pause": "paused", "ServiceRenegotiation": "open"}
_REGISTERS: Final[tuple[tuple[str, str, Direction], ...]] = (
    ("MeterReading", "1-0:1.8.0", "import"),
    ("ChargedEnergyReadingWh", "1-0:1.8.0", "import"),
    ("BPT_DischargedEnergyReadingWh", "1-0:2.8.0", "export"),
)
_MWH: Final = 1000
_VALUE_LIMIT: Final = 10**9
"""Beyond it no voltage, current or energy of a vehicle lies, in the unit of its attribute."""


def observe(event: Event, facts: Facts) -> None:
    """Append what one message says. SDP and the negotiation of the protocol say nothing of the actors."""
    payload, time_us = event.payload, event.time_us
    session = payload.get("session")
    if not session or time_us is None:
        return
    _Speaker(event, facts, time_us).tell(payload["body"])
    _session(event, facts, time_us)
    try:
        schedules.observe(event, facts, time_us)
    except (AttributeError, TypeError, KeyError):  # decoded JSON of others, which no grammar has checked
        facts.rejects.append(Reject("schema-violation", f"{payload['message']}: its schedule has another form"))


def _session(event: Event, facts: Facts, time_us: int) -> None:
    """Who is in a session with whom."""
    payload = event.payload
    session, name = payload["session"], payload["message"]
    told: dict[str, Scalar] = {}
    if name.startswith("SessionSetup"):
        protocol = payload.get("negotiated", {}).get("namespace", payload["schema"])
        told = {"protocol": protocol, "session_state": "open"}
    elif name == "SessionStopReq":
        told = {"session_state": _ENDS.get(str(payload["body"].get("ChargingSession")), "ended")}
    elif name.startswith("ServiceSelection"):
        told = {"service": session.get("service"), "control_mode": session.get("control_mode")}
    if name == "SessionSetupRes":
        told |= {"session_id": session.get("id")}
    for attribute, value in told.items():
        if value is not None:
            facts.observations.append(Observation(event.actor, attribute, value, "", time_us))
    bev, evse = session.get("evcc") or session.get("emaid"), session.get("evse")
    if name == "SessionStopReq" and evse:
        facts.observations.append(Observation(f"evse:{evse}", "session_state", told["session_state"], "", time_us))
    elif name == "SessionSetupRes" and bev and evse:
        facts.observations += [
            Observation(f"evse:{evse}", "ev_id", bev, "", time_us),
            Observation(f"bev:{bev}", "evse", evse, "", time_us),
            Observation(f"bev:{bev}", "session_id", session.get("id"), "", time_us),
        ]
    elif name == "PaymentDetailsReq" and session.get("emaid"):
        facts.observations.append(Observation(event.actor, "emaid", session["emaid"], "", time_us))


class _Speaker:
    """One message of one actor."""

    def __init__(self, event: Event, facts: Facts, time_us: int) -> None:
        self._event, self._facts, self._time_us = event, facts, time_us
        self._is_ev = event.payload["speaker"] == EV_SPEAKS
        self._known = EV if self._is_ev else EVSE

    def tell(self, body: dict[str, Any]) -> None:
        """All that the message says of its speaker."""
        self._level(body, _DEPTH_LIMIT)
        meter = body.get("MeterInfo")
        if isinstance(meter, dict):
            self._meter(meter)
        elif not self._is_ev:
            self._sample(body)

    def _level(self, level: dict[str, Any], depth: int) -> None:
        for name, content in level.items():
            attribute = self._known.get(name)
            if attribute is not None:
                self._attribute(name, attribute, level)
            elif isinstance(content, dict) and name not in _SKIPPED and depth and "value" not in content:
                self._level(content, depth - 1)

    def _attribute(self, name: str, attribute: Attribute, level: dict[str, Any]) -> None:
        phases = [level[name + phase] for phase in _PHASES if name + phase in level]
        if len(phases) == 1:
            self._value(attribute, phases[0])
            return
        numbers = [_number(content) for content in phases]
        for phase, found in enumerate(numbers, 1):
            self._value(attribute._replace(name=f"{attribute.name}_l{phase}"), found)
        known = [found for found in numbers if found is not None]
        if len(known) == len(phases):
            # each its own way: what is a limit adds up whatever its sign
            self._value(attribute, sum(map(size, known) if attribute.kind == "limit" else known))

    def _value(self, attribute: Attribute, content: Any) -> None:
        value: Scalar
        if attribute.kind == "flag":
            value = content if isinstance(content, bool) else None
        elif attribute.kind == "text":
            value = content if isinstance(content, str) else None
        else:
            value = self._amount(attribute, _number(content))
        if value is not None:
            said = Observation(self._event.actor, attribute.name, value, attribute.unit, self._time_us)
            self._facts.observations.append(said)

    def _amount(self, attribute: Attribute, found: Number | None) -> Scalar:
        """The number, as its attribute tells it; None, and why, where it cannot be believed."""
        if found is None:
            return None
        limit = {"W": POWER_LIMIT_MW // 1000, "%": 100, "": _YEARS_S}.get(attribute.unit, _VALUE_LIMIT)
        if size(found) > limit or (attribute.kind in {"percent", "seconds"} and found < 0):
            words = f"{self._event.actor}: {attribute.name} of {found} {attribute.unit}".rstrip()
            self._facts.rejects.append(Reject("implausible", words))
            return None
        if attribute.kind == "seconds":
            return format_time(self._time_us + scaled(found, SECOND_US))
        return size(found) if attribute.kind == "limit" else found

    def _meter(self, meter: dict[str, Any]) -> None:
        device = meter.get("MeterID")
        if not isinstance(device, str) or not device:
            return
        place = self._event.payload["session"].get("evse")
        station = f"evse:{place}" if place else self._event.actor
        if station.startswith("evse:"):  # a receipt comes from the vehicle, the meter is the station's
            self._facts.observations.append(Observation(station, "meter_id", device, "", self._time_us))
        if place is None:
            return
        time_us = instant_of(meter.get("TMeter", meter.get("MeterTimestamp"))) or self._time_us
        for name, obis, direction in _REGISTERS:
            reading_wh = _number(meter.get(name))
            if reading_wh is None:
                continue
            value_mwh = scaled(reading_wh, _MWH)
            if not 0 <= value_mwh <= ENERGY_LIMIT_MWH:
                self._facts.rejects.append(Reject("implausible", f"meter {device}: {name} of {reading_wh} Wh"))
                continue
            self._facts.readings.append(Reading(place, device, obis, direction, time_us, value_mwh, INDICATIVE))

    def _sample(self, body: dict[str, Any]) -> None:
        """The power at the EVSE, where the message tells it."""
        place = self._event.payload["session"].get("evse")
        power_w = _present_power(body)
        if place is None or power_w is None:
            return
        power_mw = scaled(power_w, 1000)
        if abs(power_mw) > POWER_LIMIT_MW:  # it was set aside as an attribute already, or as voltage and current
            return
        self._facts.samples.append(Sample(place, power_mw, self._time_us, INDICATIVE))


def _present_power(body: dict[str, Any]) -> Number | None:
    """The power in a charge loop or its predecessors, import positive."""
    for level in (body, *(part for part in body.values() if isinstance(part, dict))):
        names = [f"EVSEPresentActivePower{phase}" for phase in _PHASES]
        powers = [found for name in names if (found := _number(level.get(name))) is not None]
        if powers:
            return sum(powers, Decimal(0))
        voltage, current = _number(level.get("EVSEPresentVoltage")), _number(level.get("EVSEPresentCurrent"))
        if voltage is not None and current is not None:
            return times(voltage, current)
    return None


def _number(content: Any) -> Number | None:
    """The number of a physical value, or a number by itself."""
    return number(content.get("value")) if isinstance(content, dict) else number(content)
