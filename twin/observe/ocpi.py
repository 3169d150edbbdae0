"""What OCPI says: sessions, charge detail records, the state of EVSEs.

A session's energy is **net**: OCPI counts what was charged minus what was fed back. So ``energy_net`` is kept apart
from import and export, which only periods with ``ENERGY_IMPORT`` and ``ENERGY_EXPORT`` can tell.

| actor | attribute | unit | allowed values |
|---|---|---|---|
| session | ``status`` | - | ACTIVE, COMPLETED, INVALID, PENDING, RESERVATION; BILLED by a detail record |
| session | ``energy_net`` | Wh | may be negative |
| session | ``energy_import``, ``energy_export`` | Wh | sums of the periods' dimensions, where they have them |
| session | ``cost``, ``cost_with_tax`` | currency | as sent |
| session | ``start``, ``end`` | - | times, UTC |
| session | ``evse``, ``location``, ``contract``, ``cdr``, ``operator`` | - | identifiers |
| evse | ``availability`` | - | as OCPI 8.4.22 lists: AVAILABLE, CHARGING, OUTOFORDER ... |
| evse | ``location``, ``operator``, ``session`` | - | identifiers |
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from schemas.event import Event
from schemas.facts import Facts, Observation, Reject, Scalar
from schemas.identifiers import parse_emaid
from schemas.time import format_time
from schemas.wire.contract import BadIdentifier
from schemas.wire.ocpi.models import time_us
from twin.observe import ocmf

_KWH_WH: Final = 1000
_BILLED: Final = "BILLED"
_NAMES_LIMIT: Final = 200
_DIMENSIONS: Final = {"ENERGY_IMPORT": "energy_import", "ENERGY_EXPORT": "energy_export"}


def observe(event: Event, facts: Facts) -> None:
    """Append what an object says; only locations, sessions and charge detail records do."""
    found, kind = event.payload["object"], event.payload["kind"]
    if kind == "location":
        _location(found, facts)
    elif kind in {"session", "cdr"}:
        said = _Said(event.actor, time_us(found["last_updated"]), facts)
        _session(found, said)
        (_of_cdr if kind == "cdr" else _of_session)(found, said)
        _contract(found["cdr_token"], said)
        at_evse = found["evse_uid"] if kind == "session" else found["cdr_location"]["evse_id"]
        _Said(f"evse:{at_evse}", said.time_us, facts)("session", event.actor.partition(":")[2])
        for value in event.payload.get("signed", ()):
            if "error" in value:
                facts.rejects.append(Reject(value["error"]["reason"], f"{event.actor}: {value['error']['detail']}"))
            else:
                ocmf.tell(value, _evse(found["cdr_location"]), said.time_us, facts)


class _Said:
    """Says things of one actor at one time."""

    def __init__(self, actor: str, time_us: int, facts: Facts) -> None:
        self.actor, self.time_us, self.facts = actor, time_us, facts

    def __call__(self, attribute: str, value: Scalar, unit: str = "") -> None:
        if value is not None:
            self.facts.observations.append(Observation(self.actor, attribute, value, unit, self.time_us))


def _session(found: dict[str, Any], said: _Said) -> None:
    """What sessions and charge detail records share."""
    said("start", format_time(time_us(found["start_date_time"])))
    if found.get("end_date_time"):
        said("end", format_time(time_us(found["end_date_time"])))
    said("operator", f"{found['country_code'].upper()}*{found['party_id'].upper()}")
    _cost(found, said)
    sums: dict[str, Decimal] = {}
    for period in found.get("charging_periods") or ():
        for dimension in period.get("dimensions") or ():
            if dimension["type"] in _DIMENSIONS:
                name = _DIMENSIONS[dimension["type"]]
                sums[name] = sums.get(name, Decimal(0)) + Decimal(dimension["volume"])
    for name, energy_kwh in sorted(sums.items()):
        said(name, energy_kwh * _KWH_WH, "Wh")


def _cost(found: dict[str, Any], said: _Said) -> None:
    """What it costs; a price none of whose parts is called as in OCPI is reported by the names it has."""
    cost = found.get("total_cost")
    if cost is None:
        return
    amounts = list(_amounts(cost))
    for attribute, amount in amounts:
        said(attribute, amount, found["currency"])
    if not amounts:
        names = ", ".join(sorted(cost))[:_NAMES_LIMIT] or "nothing"
        detail = (
            f"{said.actor}: total_cost has no excl_vat (2.2.1) or before_taxes (2.3.0), but {names}: no cost is known"
        )
        said.facts.rejects.append(Reject("unknown-price", detail))


def _amounts(cost: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    """A price without and with tax: 2.2.1 says both, 2.3.0 the first and every tax by itself."""
    bare = next((cost[name] for name in ("before_taxes", "excl_vat") if cost.get(name) is not None), None)
    if bare is not None:
        yield "cost", Decimal(bare)
    if cost.get("incl_vat") is not None:
        yield "cost_with_tax", Decimal(cost["incl_vat"])
    elif bare is not None and cost.get("taxes"):
        yield "cost_with_tax", Decimal(bare) + sum(Decimal(tax["amount"]) for tax in cost["taxes"])


def _of_session(found: dict[str, Any], said: _Said) -> None:
    said("status", found["status"])
    said("energy_net", Decimal(found["kwh"]) * _KWH_WH, "Wh")
    said("location", found["location_id"])
    said("evse", found["evse_uid"])


def _of_cdr(found: dict[str, Any], said: _Said) -> None:
    said("status", _BILLED)
    said("cdr", found["id"])
    said("energy_net", Decimal(found["total_energy"]) * _KWH_WH, "Wh")
    said("location", found["cdr_location"]["id"])
    said("evse", found["cdr_location"]["evse_id"])


def _contract(token: dict[str, Any], said: _Said) -> None:
    """Who charges. A contract that calls itself an EMAID by its form and is none is reported, not refused."""
    said("contract", token["contract_id"])
    if token["type"] == "APP_USER" or len(token["contract_id"].replace("-", "")) < 14:
        return
    try:
        parse_emaid(token["contract_id"])
    except BadIdentifier as problem:
        said("contract.doubt", problem.detail)


def _location(found: dict[str, Any], facts: Facts) -> None:
    operator = f"{found['country_code'].upper()}*{found['party_id'].upper()}"
    for evse in found.get("evses") or ():
        said = _Said(_evse(evse), time_us(evse["last_updated"]), facts)
        said("availability", evse["status"])
        said("location", found["id"])
        said("operator", operator)


def _evse(found: dict[str, Any]) -> str:
    """The actor of an EVSE: its public identifier, else the operator's own."""
    return f"evse:{found.get('evse_id') or found.get('uid') or found['evse_uid']}"
