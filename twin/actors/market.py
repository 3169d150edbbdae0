"""Parties of market and grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.facts import Scalar
from twin.actors.model import Twin, anything, carrying, instant, quantity, text
from twin.actors.values import Numbers
from twin.amounts import Number

_ENTSOE, _TARIFF, _POOLS = carrying("entsoe"), carrying("tariff"), carrying("aggregator")
_TELECONTROL: Final = carrying("iec104")


@dataclass(frozen=True, kw_only=True)
class Telecontrolled(Twin):
    """An actor of the operator's point list: what its attributes are called is said there (:mod:`schemas.points`)."""

    point: Mapping[str, Scalar] = anything(
        _TELECONTROL, "a point of the list, as an attribute of the list's name and unit", name="*", hint="as measured"
    )
    quality: Mapping[str, Scalar] = text(
        _TELECONTROL, "quality of that point", name="*.quality", hint="good, or quality bits"
    )
    confirmation_delay: Mapping[str, Number] = quantity(
        "s", _TELECONTROL, "from the call of a set point to its confirmation", Numbers(0), name="*.confirmation_delay"
    )
    response_delay: Mapping[str, Number] = quantity(
        "s",
        _TELECONTROL,
        "from the call of a set point to the measurement that reached it",
        Numbers(0),
        name="*.response_delay",
    )


@dataclass(frozen=True, kw_only=True)
class EnergyMarket(Telecontrolled):
    """A bidding zone or a publisher of prices (``energy-market:<EIC>``)."""

    KIND = "energy-market"

    last_document: str | None = text(_ENTSOE, "latest document")
    acknowledged_document: str | None = text(_ENTSOE, "document acknowledged last")
    prices_until: str | None = instant(_ENTSOE, "up to when prices are known")


@dataclass(frozen=True, kw_only=True)
class Supplier(Twin):
    """An energy supplier (``supplier:<code or name>``)."""

    KIND = "supplier"

    tariff: str | None = text(_TARIFF, "dynamic tariff it told prices of")
    prices_until: str | None = instant(_TARIFF, "up to when its prices are known")


@dataclass(frozen=True, kw_only=True)
class _Aggregator(Telecontrolled):
    """An aggregator."""

    last_document: str | None = text(_POOLS, "latest document it sent")
    last_received: str | None = text(_POOLS, "latest document it was sent")
    series_until: str | None = instant(_POOLS, "up to when its latest series reach")


@dataclass(frozen=True, kw_only=True)
class TechnicalAggregator(_Aggregator):
    """A technical aggregator: it drives the pool."""

    KIND = "technical-aggregator"


@dataclass(frozen=True, kw_only=True)
class CommercialAggregator(_Aggregator):
    """A commercial aggregator: it sells the pool."""

    KIND = "commercial-aggregator"


@dataclass(frozen=True, kw_only=True)
class GridOperator(Telecontrolled):
    """A distribution system operator (``vnb:<name>``)."""

    KIND = "vnb"


@dataclass(frozen=True, kw_only=True)
class GridControlCentre(Telecontrolled):
    """A control centre of a distribution system operator."""

    KIND = "vnb-control-centre"


@dataclass(frozen=True, kw_only=True)
class TransmissionControlCentre(Telecontrolled):
    """A control centre of a transmission system operator."""

    KIND = "uenb-control-centre"


@dataclass(frozen=True, kw_only=True)
class LowVoltageGrid(Telecontrolled):
    """A low or medium-voltage grid."""

    KIND = "low-voltage-grid"


@dataclass(frozen=True, kw_only=True)
class PlantOperator(Telecontrolled):
    """An operator of power plants."""

    KIND = "plant-operator"


@dataclass(frozen=True, kw_only=True)
class TradingSystem(Telecontrolled):
    """A trading system."""

    KIND = "trading-system"


@dataclass(frozen=True, kw_only=True)
class AncillaryMarket(Telecontrolled):
    """A market of ancillary services."""

    KIND = "ancillary-market"
