"""Who keeps loads within limits, and whose they are: control boxes, energy managers, assets, controlled locations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.facts import Scalar
from twin.actors.eebus import Device, Limited, Ranged
from twin.actors.model import ANY_UNIT, Refers, Twin, carrying, flag, instant, quantity, text, word
from twin.actors.sunspec import Listed, SunSpec
from twin.actors.values import Numbers
from twin.amounts import Number

_COMMANDS: Final = carrying("control")
_MASTER: Final = carrying("master_data")
_MSCONS: Final = carrying("mscons")
_BY_MSB, _TO_SUPPLIER = "19 32", "32"
"""Of those, where the metering point operator speaks, and where to the supplier."""
_WATT: Final = Numbers(0)


@dataclass(frozen=True, kw_only=True)
class Housed(Twin):
    """A device that stands behind a metering location."""

    melo: str | None = text(_MASTER, "metering location it stands behind", optional=True, refers=Refers("melo"))


@dataclass(frozen=True, kw_only=True)
class Controlled(Twin):
    """Commands under section 14a EnWG and what became of them (:mod:`twin.observe.control`)."""

    limit_requested: Number | None = quantity(
        "W", _COMMANDS, "ceiling ordered last; none where a release was", _WATT, optional=True
    )
    limit_requested_from: str | None = instant(_COMMANDS, "when it shall begin")
    limit_requested_until: str | None = instant(_COMMANDS, "when it shall end; none: open", optional=True)
    limit_order: str | None = text(_COMMANDS, "id of the order")
    limit_state: str | None = word(
        "ordered release-ordered possible refused accepted rejected succeeded failed unknown informed",
        _COMMANDS,
        "what was last said of the order",
    )
    limit_reason: str | None = text(_COMMANDS, "why")
    limit: Number | None = quantity(
        "W", _COMMANDS, "ceiling that holds by a confirmed order; none after a release", _WATT, optional=True
    )
    limit_from: str | None = instant(_COMMANDS, "from when it holds")
    limit_until: str | None = instant(_COMMANDS, "until when it holds; none: open", optional=True)
    limit_ordered_by: str | None = text(_COMMANDS, "market partner who ordered it, where others are informed")
    limit_below_minimum: bool | None = flag(_COMMANDS, "less than the 4.2 kW that section 14a guarantees")


@dataclass(frozen=True, kw_only=True)
class ControlBox(Housed, Controlled, Limited, Ranged, Device, Listed):
    """A control box (``control-box:<id>``)."""

    KIND = "control-box"

    same_as: str | None = text(
        _MASTER, "other names of it", optional=True, refers=Refers("control-box", several=True, complete=False)
    )
    box_state: str | None = text(_COMMANDS, "its state", hint="unlimited, limited, failsafe, disturbed")
    box_limit: Number | None = quantity("W", _COMMANDS, "limit it keeps", _WATT, optional=True)
    cls_tunnel: str | None = text(_COMMANDS, "tunnel through its gateway", hint="opened, closed")
    smgw: str | None = text(_COMMANDS, "its gateway", refers=Refers("smgw"))
    channel: str | None = text(_COMMANDS, "channel booked for a command")
    channel_until: str | None = instant(_COMMANDS, "until when it is booked")


@dataclass(frozen=True, kw_only=True)
class _Location(Controlled):
    """A controlled location that market messages name."""

    msb: str | None = text(_BY_MSB, "who operates the metering point", refers=Refers("msb"))
    recipient: str | None = text(_TO_SUPPLIER, "who gets its values")
    meter: str | None = text(_MSCONS, "the meter a market message names", refers=Refers("meter", complete=False))
    last_document: str | None = text(_MSCONS, "latest market message about it", window_us=0)
    register: Mapping[str, Scalar] = quantity(
        ANY_UNIT, _MSCONS, "a register that is no active energy, latest value", name="register/*"
    )


@dataclass(frozen=True, kw_only=True)
class ControllableResource(Housed, _Location):
    """A controllable resource (``sr:C...``)."""

    KIND = "sr"


@dataclass(frozen=True, kw_only=True)
class GridLocation(_Location):
    """A grid location (``nelo:E...``): the connection behind which is limited."""

    KIND = "nelo"

    melo: Mapping[str, Scalar] = text(
        _MASTER, "a metering location behind it", name="melo/*", optional=True, refers=Refers("melo")
    )


@dataclass(frozen=True, kw_only=True)
class Hems(Housed, Limited, Ranged, Device, Listed):
    """A home energy manager."""

    KIND = "hems"

    same_as: str | None = text(
        _MASTER, "other names of it", optional=True, refers=Refers("hems", several=True, complete=False)
    )


@dataclass(frozen=True, kw_only=True)
class SpineDevice(Limited, Ranged, Device):
    """A device of which no message of EEBUS said yet what it is (``spine:<address>``)."""

    KIND = "spine"


@dataclass(frozen=True, kw_only=True)
class Asset(Housed, SunSpec, Limited, Ranged, Device, Listed):
    """A customer's asset: PV, battery, heat pump."""

    KIND = "asset"

    same_as: str | None = text(
        _MASTER, "other names of it", optional=True, refers=Refers("asset", several=True, complete=False)
    )
