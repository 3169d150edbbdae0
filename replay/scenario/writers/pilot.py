"""Interface 1 again: the control pilot between a car and a wallbox of OCPP 1.6 (IEC 61851-1).

One that gives alternating current has no more than it; one of direct current says by it that the rest is talked over
(:mod:`~replay.scenario.writers.exi_din`). What it shows at every quarter hour, and whenever that changes. Of the first
houses of the street.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import orjson

from replay.scenario.message import Message
from replay.scenario.names import SPEAKING_HOUSES, names_of
from replay.scenario.plan import LIMIT_MW, DayPlan
from replay.scenario.stays import Stays, stays_of
from replay.scenario.street import Street
from replay.scenario.world import Quarter
from replay.scenario.writers.exi_frames import INTERFACE
from schemas.time import MINUTE_US, SLOT_US, format_time

LOG: Final = "1 pilot"

_VOLTAGES: Final = {"A": 12, "B": 9, "C": 6}
_AMPERE_BY_PERCENT: Final = Decimal("0.6")
"""Between 10 and 85 per cent (IEC 61851-1:2017, table A.8)."""
_TALKED_OVER: Final = Decimal(5)
"""Communication over the pilot line is needed (table A.8)."""
_THREE_PHASES_VOLT: Final = 3 * 230
_NO_PWM: Final = Decimal(100)


class Pilots:
    """All wallboxes whose pilot is watched, through one day."""

    def __init__(self, street: Street, plan: DayPlan) -> None:
        stays = stays_of(street, plan)
        watched = range(min(street.sites, SPEAKING_HOUSES))
        self._pilots = [
            _Pilot(street, plan, site, stays[site]) for site in watched if street.household(site).ocpp == "1.6"
        ]

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """What their traces show in a quarter hour."""
        for pilot in self._pilots:
            yield from pilot.messages(quarter)


def line_of(message: Message) -> bytes:
    """The sample as a line of the trace."""
    return message.raw + b"\n"


class _Pilot:
    """One pilot; what it showed last."""

    def __init__(self, street: Street, plan: DayPlan, site: int, stays: Stays) -> None:
        self._site, self._plan, self._stays = site, plan, stays
        self._evse = names_of(street, site).evse
        household = street.household(site)
        self._limited, self._talks = household.limited, household.direct_current
        self._wallbox_mw = int(street.wallbox_mw[site])
        self._shown: tuple[str, Decimal] | None = None

    def messages(self, quarter: Quarter) -> Iterator[Message]:
        """A sample at the beginning, and wherever something changes: at full minutes, and when the cable is moved."""
        times_us = [quarter.start_us + minute * MINUTE_US for minute in range(SLOT_US // MINUTE_US)]
        moved_us = (self._stays.unplug_us, self._stays.plug_us)
        times_us += [moved for moved in moved_us if quarter.start_us < moved < quarter.start_us + SLOT_US]
        for time_us in sorted(times_us):
            shown = self._shows(quarter, time_us)
            if shown != self._shown or time_us == quarter.start_us:
                yield self._sample(time_us, *shown)
            self._shown = shown

    def _shows(self, quarter: Quarter, time_us: int) -> tuple[str, Decimal]:
        """State and duty cycle; the cable counts from the moment it is in."""
        if not (self._stays.plugged(time_us) or time_us == self._stays.plug_us):
            return "A", _NO_PWM
        minute = (time_us - quarter.start_us) // MINUTE_US
        charges = int(quarter.charge_mw[self._site, minute]) > 0
        if self._talks:
            return "C" if charges else "B", _TALKED_OVER
        held = self._limited and self._plan.limited((time_us - self._plan.start_us) // MINUTE_US)
        limit_mw = min(self._wallbox_mw, LIMIT_MW) if held else self._wallbox_mw
        tenths_a = limit_mw // 100 // _THREE_PHASES_VOLT
        duty_cycle = (Decimal(tenths_a).scaleb(-1) / _AMPERE_BY_PERCENT).quantize(Decimal("0.1"))
        return "C" if charges else "B", duty_cycle

    def _sample(self, time_us: int, state: str, duty_cycle: Decimal) -> Message:
        sample = {
            "time": format_time(time_us),
            "evse": self._evse,
            "state": f"{state}{1 if duty_cycle == _NO_PWM else 2}",
            "duty_cycle": orjson.Fragment(str(duty_cycle)),
            "voltage": _VOLTAGES[state],
        }
        return Message(time_us, INTERFACE, self._evse, orjson.dumps(sample), {}, LOG)
