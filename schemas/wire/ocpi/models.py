"""The objects that are read, as far as they are needed; what else they hold is kept and not judged.

OCPI 2.2.1-d2 and 2.3.0, modules 8 (Locations), 9 (Sessions), 10 (CDRs).
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.wire.instants import instant

Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")]
Party = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9*]{1,3}$")]


def time_us(stamp: str) -> int:
    """Microseconds of a time stamp; one without a zone is UTC (OCPI 2.2.1, 16.5).

    Raises:
        ValueError: it is none.
    """
    zoned = stamp.endswith("Z") or "+" in stamp[10:] or "-" in stamp[10:]
    return instant(stamp if zoned else f"{stamp}Z")


def _is_instant(text: str) -> str:
    time_us(text)
    return text


Instant = Annotated[str, AfterValidator(_is_instant)]
"""A time stamp of RFC 3339, kept as it was sent."""


class _Object(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class TaxAmount(_Object):
    """One tax of a price (2.3.0), in the same currency."""

    name: Text
    amount: Decimal


class Price(_Object):
    """Money: without and with tax, in the currency of the object. 2.2.1 and 2.3.0 name the parts differently."""

    excl_vat: Decimal | None = None
    incl_vat: Decimal | None = None
    before_taxes: Decimal | None = None
    taxes: list[TaxAmount] | None = None


class Connector(_Object):
    """A connector of an EVSE."""

    id: Text
    last_updated: Instant


class Evse(_Object):
    """An EVSE of a location; ``evse_id`` is its public identifier, where it has one."""

    uid: Text
    evse_id: Text | None = None
    status: Text
    connectors: list[Connector] = Field(min_length=1)
    last_updated: Instant


class Location(_Object):
    """A place with EVSEs."""

    country_code: Country
    party_id: Party
    id: Text
    evses: list[Evse] = []
    last_updated: Instant


class Token(_Object):
    """Who charges; ``contract_id`` is an EMAID for contracts of that kind."""

    uid: Text
    type: Text
    contract_id: Text


class Dimension(_Object):
    """How much of what in a charging period: kWh, h, kW, percent."""

    type: Text
    volume: Decimal


class Period(_Object):
    """A part of a session with one tariff."""

    start_date_time: Instant
    dimensions: list[Dimension] = []


class Session(_Object):
    """A charging session as it stands; ``kwh`` is net: negative where more was fed in than charged."""

    country_code: Country
    party_id: Party
    id: Text
    start_date_time: Instant
    end_date_time: Instant | None = None
    kwh: Decimal
    cdr_token: Token
    location_id: Text
    evse_uid: Text
    connector_id: Text
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    charging_periods: list[Period] = []
    total_cost: Price | None = None
    status: Literal["ACTIVE", "COMPLETED", "INVALID", "PENDING", "RESERVATION"]
    last_updated: Instant


class CdrLocation(_Object):
    """Where a session took place, as the charge detail record keeps it."""

    id: Text
    evse_uid: Text
    evse_id: Text
    connector_id: Text


class SignedValue(_Object):
    """One signed value: which one, and the record."""

    nature: Text
    signed_data: Annotated[str, StringConstraints(min_length=1, max_length=262_144)]


class SignedData(_Object):
    """Signed values with how they are encoded and with which key they are checked."""

    encoding_method: Text
    public_key: Annotated[str, StringConstraints(max_length=8192)] | None = None
    signed_values: list[SignedValue] = []


class Cdr(_Object):
    """A charge detail record; ``total_energy`` is net and cannot be split into import and export."""

    country_code: Country
    party_id: Party
    id: Text
    start_date_time: Instant
    end_date_time: Instant
    session_id: Text | None = None
    cdr_token: Token
    cdr_location: CdrLocation
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    charging_periods: list[Period] = Field(min_length=1)
    signed_data: SignedData | None = None
    total_cost: Price
    total_energy: Decimal
    total_time: Decimal
    last_updated: Instant


MODELS: dict[str, type[_Object]] = {"location": Location, "session": Session, "cdr": Cdr}
"""Objects that are read, by kind."""


def kind_of(found: dict[str, Any]) -> str:
    """Which object it is, by the fields only it has; "" where none is known."""
    keys = found.keys()
    for kind, marks in (
        ("cdr", {"cdr_token", "cdr_location"}),
        ("session", {"cdr_token", "kwh"}),
        ("location", {"coordinates", "publish"}),
        ("tariff", {"elements", "currency"}),
        ("token", {"uid", "contract_id", "whitelist"}),
        ("command_result", {"result", "timeout"}),
        ("charging_profile", {"charging_rate_unit"}),
    ):
        if marks <= keys:
            return kind
    return "location" if {"evses", "last_updated"} <= keys else ""


__all__ = ["MODELS", "Cdr", "Location", "Session", "kind_of", "time_us"]
