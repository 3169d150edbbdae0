"""What goes wrong at single stations: a controller that restarts, life signs that are lost, a unit mixed up."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from replay.scenario.faults import Faults
from replay.scenario.plan import DayPlan
from replay.scenario.writers.ocpp_dialect import Call
from schemas.time import SECOND_US

RESTARTED_SITE, MUTE_SITE, CONFUSED_SITE = 0, 7, 2
"""Of a hundred sites, the one whose station restarts, sends no life signs, mixes up units."""

_RESTART_FROM, _RESTART_UNTIL = 13 * 60 + 37, 13 * 60 + 52
_BOOT_LEAD_US = 20 * SECOND_US
_MUTE_FROM, _MUTE_UNTIL = 14 * 60, 16 * 60
_CONFUSED_AT = 12 * 60


class Sending(NamedTuple):
    """A call about to be sent."""

    time_us: int
    call: Call


class Mishap(Protocol):
    """Something that befalls what a station sends."""

    def suffer(self, sending: Sending) -> Sending | None:
        """How the call is really sent; None: not at all. Told in order of sending."""


class Restart:
    """The controller is away: nobody is reached, what was measured is sent when it is back (OCPP 2.0.1, E04)."""

    def __init__(self, plan: DayPlan) -> None:
        self.away_us = _window(plan, _RESTART_FROM, _RESTART_UNTIL)
        self.boots_us = self.away_us.stop - _BOOT_LEAD_US
        self._held = 0

    def suffer(self, sending: Sending) -> Sending | None:
        """Life signs are lost; all else waits, second by second, behind the start."""
        if sending.time_us not in self.away_us:
            return sending
        if sending.call.action == "Heartbeat":
            return None
        self._held += 1
        call = sending.call
        if call.action == "TransactionEvent":
            call = call._replace(payload=call.payload | {"offline": True})
        return Sending(self.away_us.stop + (1 + self._held) * SECOND_US, call)


class Mute:
    """No life signs for two hours; the station works on."""

    def __init__(self, plan: DayPlan) -> None:
        self._mute_us = _window(plan, _MUTE_FROM, _MUTE_UNTIL)

    def suffer(self, sending: Sending) -> Sending | None:
        """Heartbeats are lost."""
        lost = sending.call.action == "Heartbeat" and sending.time_us in self._mute_us
        return None if lost else sending


class Confused:
    """One reading on the edge of a quarter hour comes as kilowatt-hours although it counts watt-hours."""

    def __init__(self, plan: DayPlan) -> None:
        at_us = _window(plan, _CONFUSED_AT, _CONFUSED_AT + 1).start
        self._confused_us = range(at_us, at_us + SECOND_US)

    def suffer(self, sending: Sending) -> Sending | None:
        """The unit of its registers is another."""
        if sending.time_us not in self._confused_us or "meterValue" not in sending.call.payload:
            return sending
        said = [
            value | {"sampledValue": [_mixed_up(sample) for sample in value["sampledValue"]]}
            for value in sending.call.payload["meterValue"]
        ]
        return sending._replace(call=sending.call._replace(payload=sending.call.payload | {"meterValue": said}))


def mishaps_of(faults: Faults, site: int, plan: DayPlan) -> Iterator[Mishap]:
    """What befalls the station of a site."""
    of_hundred = site % 100
    if faults.restart and of_hundred == RESTARTED_SITE:
        yield Restart(plan)
    if faults.mute and of_hundred == MUTE_SITE:
        yield Mute(plan)
    if faults.wrong_unit and of_hundred == CONFUSED_SITE:
        yield Confused(plan)


def _mixed_up(sample: dict[str, Any]) -> dict[str, Any]:
    if not sample["measurand"].endswith("Register"):
        return sample
    return sample | ({"unit": "kWh"} if "unit" in sample else {"unitOfMeasure": {"unit": "kWh"}})


def _window(plan: DayPlan, first: int, end: int) -> range:
    """From one minute of the wall clock to another, both behind the hour in which it may be set."""
    shift = plan.minutes - 24 * 60
    return range(plan.minute_us(first + shift), plan.minute_us(end + shift))
