"""Interface 15 again: meters in front of wallboxes that speak M-Bus, asked by their gateways every quarter hour.

They count what the car draws and gives back, in whole watt-hours. Of the first houses of the street.
"""

from collections.abc import Iterator
from typing import Any, Final

from replay.scenario.message import Message
from replay.scenario.names import SPEAKING_HOUSES, Names, names_of
from replay.scenario.plan import SLOT_MINUTES, DayPlan
from replay.scenario.street import MWS_PER_MWH, Street
from replay.scenario.truth import BILLING_STEP_MWH
from replay.scenario.world import Quarter
from schemas.time import SLOT_US
from schemas.wire.mbus import encode_frame

INTERFACE: Final = "15"
LOG: Final = "15 mbus"

_ADDRESS: Final = 1
_ASKED: Final = bytes.fromhex("105b015c16")
"""REQ_UD2 to address 1."""
_ANSWER_US: Final = 50_000
_ELECTRICITY: Final = 2
_ENERGY, _ENERGY_BACK, _POWER = "03", "833c", "2b"
"""Value information: Wh, Wh counted backwards, W."""


class Submeters:
    """All meters of the street that speak M-Bus, through one day."""

    def __init__(self, street: Street, plan: DayPlan) -> None:
        self._last = len(plan.slots) - 1
        sites = range(min(street.sites, SPEAKING_HOUSES))
        self._names = [names for site in sites if (names := names_of(street, site)).submeter]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What is said at the beginning of a quarter hour, and at the end of the last."""
        for names in self._names:
            yield from _said(names, quarter, 0, quarter.start_us)
            if quarter.number == self._last:
                yield from _said(names, quarter, SLOT_MINUTES, quarter.start_us + SLOT_US)


def _said(names: Names, quarter: Quarter, column: int, time_us: int) -> Iterator[Message]:
    """A question of the gateway and the answer, which holds for the moment of the question."""
    site, minute = names.site, min(column, SLOT_MINUTES - 1)
    step_mws = BILLING_STEP_MWH * MWS_PER_MWH
    power_w = quarter.drawn_mw(site, minute) // 1000
    answer = {
        "address": _ADDRESS,
        "number": names.submeter[6:],
        "manufacturer": names.submeter[1:4],
        "version": int(names.submeter[4:6], 16),
        "medium": _ELECTRICITY,
        "access": time_us // SLOT_US % 256,
        "status": 0,
        "records": [
            _record(_ENERGY, int(quarter.charged_mws[site, column]) // step_mws),
            _record(_ENERGY_BACK, int(quarter.discharged_mws[site, column]) // step_mws),
            _record(_POWER, power_w),
        ],
    }
    yield Message(time_us, INTERFACE, names.smgw, _ASKED, {}, LOG)
    yield Message(time_us + _ANSWER_US, INTERFACE, names.smgw, encode_frame(answer), {}, LOG)


def _record(block: str, value: int) -> dict[str, Any]:
    return {"value": value, "coding": "int32", "block": block}
