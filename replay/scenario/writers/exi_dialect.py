"""What a vehicle and its wallbox have to say to each other, whichever part of ISO 15118 they speak."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from replay.scenario.writers.exi_frames import Said


class Pair(NamedTuple):
    """A vehicle and the wallbox it stands at; power in W, ``discharge_w`` 0 where it only charges."""

    evcc: str
    evse: str
    meter: str
    charge_w: int
    discharge_w: int
    battery_wh: int


class Look(NamedTuple):
    """What both see at a moment.

    ``meter_us`` is the full minute at which the wallbox's meter was read, ``charged_wh`` and ``discharged_wh`` its
    registers then. Power in W, charging positive: ``power_w`` as it is, ``target_w`` as the aggregator (or the car
    itself) wants it, ``limit_w`` the most that the wallbox gives now. ``soc`` in percent, ``stored_wh`` in the battery.
    ``leaves_in_s`` seconds from now the car is to leave.
    """

    meter_us: int
    charged_wh: int
    discharged_wh: int
    power_w: int
    target_w: int
    limit_w: int
    soc: int
    stored_wh: int
    leaves_in_s: int


class Dialect(Protocol):
    """A part of ISO 15118. Every method gives requests and answers in turn."""

    def begins(self, pair: Pair, look: Look) -> Iterator[Said]:
        """A session from the negotiation of the protocol to the start of charging."""

    def goes_on(self, pair: Pair, look: Look) -> Iterator[Said]:
        """Once around the charge loop."""

    def ends(self, pair: Pair, look: Look) -> Iterator[Said]:
        """Charging stops, and the session with it."""


LEAST_PERCENT, TARGET_PERCENT, MOST_PERCENT = 30, 70, 95
"""Of its battery's capacity, what a car keeps, wants and takes at most."""
