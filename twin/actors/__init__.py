"""The actors' typed state: what is known of whom, in which unit, within which values, from which interfaces.

:data:`MODELS` has a model for every kind of actor that something is said of. ``docs/twins.md`` is printed from them
(:mod:`twin.actors.page`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from schemas.interfaces import INTERFACES
from twin.actors.charging import Bev, Evse, Session
from twin.actors.control import Asset, ControlBox, ControllableResource, GridLocation, Hems, SpineDevice
from twin.actors.market import (
    AncillaryMarket,
    CommercialAggregator,
    EnergyMarket,
    GridControlCentre,
    GridOperator,
    LowVoltageGrid,
    PlantOperator,
    Supplier,
    TechnicalAggregator,
    TradingSystem,
    TransmissionControlCentre,
)
from twin.actors.metering import Gateway, MarketLocation, Meter, MeteringLocation, MeteringOperator
from twin.actors.model import Attribute, Twin, instant


@dataclass(frozen=True, kw_only=True)
class Interface(Twin):
    """An interface (``interface:4``)."""

    KIND = "interface"

    last_message: str | None = instant(" ".join(INTERFACES), "event time of the latest message that crossed it")


_MODELS: Final[tuple[type[Twin], ...]] = (
    Evse,
    Bev,
    Session,
    Hems,
    Asset,
    ControlBox,
    SpineDevice,
    ControllableResource,
    GridLocation,
    Meter,
    Gateway,
    MeteringLocation,
    MarketLocation,
    MeteringOperator,
    Supplier,
    TechnicalAggregator,
    CommercialAggregator,
    EnergyMarket,
    AncillaryMarket,
    TradingSystem,
    PlantOperator,
    GridOperator,
    GridControlCentre,
    TransmissionControlCentre,
    LowVoltageGrid,
    Interface,
)

MODELS: Final[Mapping[str, type[Twin]]] = MappingProxyType({model.KIND: model for model in _MODELS})
"""The model of every kind of actor, by the word its actors' names begin with."""


def declared(actor: str, attribute: str, interface: str = "") -> Attribute | None:
    """What is declared of an attribute of an actor (as set by an interface); None where nothing is.

    >>> declared("evse:GS-00000/1", "power").units
    ('W',)
    """
    model = MODELS.get(actor.partition(":")[0])
    return None if model is None else model.attribute(attribute, interface)
