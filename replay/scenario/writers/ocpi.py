"""Interface E1: what the operator of the street's wallboxes tells the driver's mobility service provider over OCPI.

Every wallbox is a location before the day begins; a session is told when it begins and when it ends, and a little later
its charge detail record with the records that the meter signed.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

import orjson

from replay.scenario.document import Document
from replay.scenario.message import Message
from replay.scenario.names import CPO_COUNTRY, CPO_PARTY, POSTCODE, Names, names_of
from replay.scenario.plan import DayPlan
from replay.scenario.stays import Stay, Stays, stays_of
from replay.scenario.street import MINUTE_S, Household, Street
from replay.scenario.truth import Truth
from replay.scenario.world import Quarter
from replay.scenario.writers.ocmf import Shown, Signed, SigningMeter
from schemas.time import HOUR_US, MINUTE_US, SECOND_US, SLOT_US, format_time

INTERFACE: Final = "E1"
OPERATOR: Final = f"{CPO_COUNTRY}*{CPO_PARTY}"

CHARGED_EUR_KWH: Final = Decimal("0.39")
GIVEN_BACK_EUR_KWH: Final = Decimal("0.28")
"""What the driver pays for a kilowatt-hour and gets for one, before taxes."""

_CENT: Final = Decimal("0.01")
_TOLD_BEFORE_US: Final = HOUR_US
_TOLD_AFTER_US: Final = 2 * SECOND_US
_BILLED_AFTER_US: Final = 5 * MINUTE_US
_LOCATIONS_IN_A_FILE: Final = 100
_CONNECTOR: Final = "1"
_THREE_PHASES, _DIRECT_CURRENT = ("IEC_62196_T2", "AC_3_PHASE"), ("IEC_62196_T2_COMBO", "DC")
"""The standard of the plug, and what comes out of it."""
_CURRENCY: Final = "EUR"


def documents(truth: Truth) -> Iterator[Document]:
    """The locations, an hour before the day begins."""
    street, sent_us = truth.street, truth.plan.start_us - _TOLD_BEFORE_US
    places = [
        _location(names_of(street, site), household, sent_us)
        for site in range(street.sites)
        if (household := street.household(site)).ocpp
    ]
    for first in range(0, len(places), _LOCATIONS_IN_A_FILE):
        told = places[first : first + _LOCATIONS_IN_A_FILE]
        raw = orjson.dumps({"status_code": 1000, "timestamp": format_time(sent_us), "data": told})
        yield Document(sent_us, INTERFACE, f"locations-{truth.plan.day}-{first:05d}.json", raw, len(told))


def line_of(message: Message) -> bytes:
    """The object as a line of the log."""
    line = {"time": format_time(message.time_us), "source": message.source, "object": orjson.Fragment(message.raw)}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


class Sessions:
    """All charging sessions of the street through one day."""

    def __init__(self, street: Street, plan: DayPlan, first_day: date | None = None) -> None:
        self._places = [_Place(street, plan, site, stays, first_day) for site, stays in stays_of(street, plan).items()]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is told of the sessions that begin and end in a quarter hour."""
        for place in self._places:
            yield from place.messages(quarter)


class _Place:
    """One wallbox."""

    def __init__(self, street: Street, plan: DayPlan, site: int, stays: Stays, first_day: date | None) -> None:
        self._names, self._site, self._stays = names_of(street, site), site, stays
        self._household = street.household(site)
        self._gives_back = self._household.bidirectional
        self._meter = SigningMeter(street, plan, site, first_day)

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is told of this wallbox in a quarter hour."""
        begins_us, ends_us = self._stays.plug_us, self._stays.unplug_us
        if quarter.start_us <= ends_us < quarter.start_us + SLOT_US:
            yield from self._ends(quarter, ends_us)
        if quarter.start_us <= begins_us < quarter.start_us + SLOT_US:
            told_us = begins_us + _TOLD_AFTER_US
            stay = self._stays.at(begins_us)
            yield self._tells(told_us, self._session(stay, told_us) | {"kwh": 0, "status": "ACTIVE"})

    def _ends(self, quarter: Quarter, ends_us: int) -> Iterator[Message]:
        before, stay = quarter.before, self._stays.first
        begin = self._meter.shown(
            stay.begun_us, before.begun_charged_mws[self._site], before.begun_discharged_mws[self._site]
        )
        minute = (ends_us - quarter.start_us) // (MINUTE_S * SECOND_US)
        end = self._meter.shown(
            ends_us, quarter.charged_mws[self._site, minute], quarter.discharged_mws[self._site, minute]
        )
        charged, given_back = _energy_kwh(begin, end)
        net, cost = _number(charged - given_back), _cost(charged, given_back)
        told_us = ends_us + _TOLD_AFTER_US
        until = {"end_date_time": format_time(ends_us)}
        over = until | {
            "kwh": net,
            "status": "COMPLETED",
            "total_cost": cost,
            **self._periods(stay, charged, given_back),
        }
        yield self._tells(told_us, self._session(stay, told_us) | over)
        told_us = ends_us + _BILLED_AFTER_US
        yield self._tells(told_us, self._record(stay, begin, end, told_us) | until)

    def _tells(self, time_us: int, found: dict[str, Any]) -> Message:
        return Message(time_us, INTERFACE, OPERATOR, orjson.dumps(found), {})

    def _session(self, stay: Stay, told_us: int) -> dict[str, Any]:
        return {
            **_by(told_us),
            "id": self._session_id(stay),
            "start_date_time": format_time(stay.begun_us),
            "cdr_token": self._token(),
            "auth_method": "WHITELIST",
            "location_id": self._names.station,
            "evse_uid": f"{self._names.station}/1",
            "connector_id": _CONNECTOR,
            "currency": _CURRENCY,
        }

    def _record(self, stay: Stay, begin: Shown, end: Shown, told_us: int) -> dict[str, Any]:
        """The charge detail record; its number is the session's."""
        charged, given_back = _energy_kwh(begin, end)
        seconds = (end.time_us - begin.time_us) // SECOND_US
        names = self._names
        return {
            **_by(told_us),
            "id": f"CDR-{self._session_id(stay)}",
            "start_date_time": format_time(stay.begun_us),
            "session_id": self._session_id(stay),
            "cdr_token": self._token(),
            "auth_method": "WHITELIST",
            "cdr_location": {
                **_address(names),
                "id": names.station,
                "evse_uid": f"{names.station}/1",
                "evse_id": names.evse,
                "connector_id": _CONNECTOR,
                **{f"connector_{key}": value for key, value in _plug_of(self._household).items()},
            },
            "currency": _CURRENCY,
            **self._periods(stay, charged, given_back),
            "signed_data": self._signed_data(begin, end),
            "total_cost": _cost(charged, given_back),
            "total_energy": _number(charged - given_back),
            "total_time": _number((Decimal(seconds) / 3600).quantize(Decimal("0.0001"))),
        }

    def _session_id(self, stay: Stay) -> str:
        """The transaction's in OCPP."""
        return f"{self._names.station}-{stay.begun_day:%Y%m%d}"

    def _token(self) -> dict[str, Any]:
        token = self._names.token
        party = {"country_code": token[:2], "party_id": token[2:5]}
        return {**party, "uid": token, "type": "OTHER", "contract_id": token}

    def _periods(self, stay: Stay, charged: Decimal, given_back: Decimal) -> dict[str, Any]:
        dimensions = [{"type": "ENERGY_IMPORT", "volume": _number(charged)}]
        if self._gives_back:
            dimensions.append({"type": "ENERGY_EXPORT", "volume": _number(given_back)})
        return {"charging_periods": [{"start_date_time": format_time(stay.begun_us), "dimensions": dimensions}]}

    def _signed_data(self, begin: Shown, end: Shown) -> dict[str, Any]:
        meter, signed = self._meter, list[tuple[str, Signed]]()
        if meter.signs_begin:
            signed.append(("Start", meter.begins(meter.page - 1, begin)))
        signed.append(("End", meter.ends(meter.page, begin, end)))
        values = [
            {"nature": nature, "plain_data": "", "signed_data": signed_value.record} for nature, signed_value in signed
        ]
        return {"encoding_method": "OCMF", "public_key": meter.public_key, "signed_values": values}


def _plug_of(household: Household) -> dict[str, str]:
    standard, power_type = _DIRECT_CURRENT if household.direct_current else _THREE_PHASES
    return {"standard": standard, "format": "CABLE", "power_type": power_type}


def _by(told_us: int) -> dict[str, Any]:
    return {"country_code": CPO_COUNTRY, "party_id": CPO_PARTY, "last_updated": format_time(told_us)}


def _address(names: Names) -> dict[str, Any]:
    place = {"latitude": f"52.{470_000 + names.site}", "longitude": "13.440000"}
    return {
        "address": f"Gegenstromweg {names.site + 1}",
        "city": "Berlin",
        "postal_code": POSTCODE,
        "country": "DEU",
        "coordinates": place,
    }


def _location(names: Names, household: Household, told_us: int) -> dict[str, Any]:
    updated = format_time(told_us)
    volt, ampere = (450, 32) if household.direct_current else (230, 16)
    bounds = {"max_voltage": volt, "max_amperage": ampere}
    connector = {"id": _CONNECTOR, **_plug_of(household), **bounds, "last_updated": updated}
    evse = {
        "uid": f"{names.station}/1",
        "evse_id": names.evse,
        "status": "CHARGING",
        "connectors": [connector],
        "last_updated": updated,
    }
    return {
        **_by(told_us),
        "id": names.station,
        "publish": False,
        **_address(names),
        "time_zone": "Europe/Berlin",
        "evses": [evse],
    }


def _energy_kwh(begin: Shown, end: Shown) -> tuple[Decimal, Decimal]:
    """What was charged and given back between two readings, with the digits of the meter."""
    charged = end.import_tenth_wh - begin.import_tenth_wh
    given_back = (end.export_tenth_wh or 0) - (begin.export_tenth_wh or 0)
    return Decimal(charged).scaleb(-4), Decimal(given_back).scaleb(-4)


def _cost(charged: Decimal, given_back: Decimal) -> dict[str, Any]:
    cost = charged * CHARGED_EUR_KWH - given_back * GIVEN_BACK_EUR_KWH
    return {"before_taxes": _number(cost.quantize(_CENT))}


def _number(value: Decimal) -> orjson.Fragment:
    """A JSON number with exactly these digits."""
    return orjson.Fragment(format(value, "f"))
