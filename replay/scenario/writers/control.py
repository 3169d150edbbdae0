"""The section-14a event of the day on its way: metering operator (20), aEMT (29), control box (10), energy manager (9).

For every limited site the grid operator orders the ceiling (controlMeasuresV1), hears that it is possible and, when it
holds, that it succeeded; the command is passed on, a channel booked, the tunnel opened, the box told; in the end the
box says that nothing is limited, and the tunnel is closed. The box hands the order to the energy manager under its
number (9); by what means the limit then holds in the house, both say to each other over EEBUS.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from replay.scenario.document import Document
from replay.scenario.names import Names, names_of
from replay.scenario.plan import LIMIT_MW, DayPlan
from replay.scenario.street import Street
from replay.scenario.truth import Truth
from schemas.time import MINUTE_US, SECOND_US
from schemas.wire.control import encode_box, encode_measure

ORDERED, PASSED_ON, TOLD, IN_THE_HOUSE = "20", "29", "10", "9"
"""Interfaces: the market's order, the command on its way, the control box, the energy manager behind it."""

_ORDERED_BEFORE_US: Final = 5 * MINUTE_US
_SITES_IN_A_FILE: Final = 200

_Said = Iterator[dict[str, Any]]


def documents(truth: Truth) -> Iterator[Document]:
    """For each interface a file with all messages of some sites."""
    street, plan = truth.street, truth.plan
    limited = [site for site in range(street.sites) if street.household(site).limited]
    for first in range(0, len(limited), _SITES_IN_A_FILE):
        events = [_Event(street, plan, site) for site in limited[first : first + _SITES_IN_A_FILE]]
        for interface, (suffix, encode, border, said_by) in _FORMS.items():
            raws = [encode(said) for event in events for said in said_by(event)]
            name = f"limit-{plan.day}-{first:05d}.{suffix}"
            yield Document(plan.minute_us(plan.limit_minutes.start), interface, name, border.join(raws), len(raws))


class _Event:
    """The event at one site, and what is said of it."""

    def __init__(self, street: Street, plan: DayPlan, site: int) -> None:
        self._names: Names = names_of(street, site)
        self._from_us, self._until_us = (
            plan.minute_us(minute) for minute in (plan.limit_minutes.start, plan.limit_minutes.stop)
        )
        self._told_us = self._from_us - _ORDERED_BEFORE_US
        self._limit_w = LIMIT_MW // 1000 * (1 + street.household(site).heat_pump)
        self._id = f"gegenstrom/{street.seed}/{plan.day}/{site}"
        self._order = self._uuid("order")

    def _uuid(self, step: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"{self._id}/{step}"))

    def at_the_market(self) -> _Said:
        """Order and answers."""
        span = {"limit_w": self._limit_w, "from_us": self._from_us, "until_us": self._until_us}
        yield self._measure("konfiguration", self._told_us, self._order) | span
        answers = (
            ("vorlaeufigePositiveAntwort", "possible", self._told_us + 3 * SECOND_US),
            ("positiveAntwort", "succeeded", self._from_us + 5 * SECOND_US),
        )
        for operation, state, time_us in answers:
            answer = self._measure(operation, time_us, self._uuid(operation))
            yield answer | {"reference": self._order, "state": state, "reason": None}

    def on_its_way(self) -> _Said:
        """The command passed on, its channel, its result."""
        yield self._command(self._told_us + 4 * SECOND_US)
        channel = {"channel": f"cls-{self._names.site}", "from_us": self._told_us, "until_us": self._until_us}
        yield self._box("channel", self._told_us + 5 * SECOND_US) | {"reference": self._order} | channel
        result = {"reference": self._order, "state": "succeeded", "reason": None}
        yield self._box("result", self._from_us + 4 * SECOND_US) | result

    def at_the_box(self) -> _Said:
        """What the control box hears through the tunnel, and says."""
        closed_us = self._until_us + 10 * SECOND_US
        yield self._tunnel("opened", self._told_us + 6 * SECOND_US)
        yield self._command(self._told_us + 7 * SECOND_US)
        accepted = {"reference": self._order, "accepted": True, "reason": None}
        yield self._box("acknowledgement", self._told_us + 8 * SECOND_US) | accepted
        yield self._box("status", self._from_us) | {"state": "limited", "limit_w": self._limit_w}
        yield self._box("status", self._until_us) | {"state": "unlimited", "limit_w": None}
        yield self._tunnel("closed", closed_us)

    def in_the_house(self) -> _Said:
        """The order as the energy manager hears and accepts it."""
        yield self._command(self._told_us + 9 * SECOND_US)
        accepted = {"reference": self._order, "accepted": True, "reason": None}
        yield self._box("acknowledgement", self._told_us + 10 * SECOND_US) | accepted

    def _measure(self, operation: str, time_us: int, transaction: str) -> dict[str, Any]:
        return {
            "operation": operation,
            "location": self._names.resource,
            "transaction": transaction,
            "initial_transaction": None,
            "created_us": time_us,
        }

    def _box(self, operation: str, time_us: int) -> dict[str, Any]:
        return {"operation": operation, "box": self._names.control_box, "created_us": time_us}

    def _command(self, time_us: int) -> dict[str, Any]:
        span = {"limit_w": self._limit_w, "from_us": self._from_us, "until_us": self._until_us}
        return {
            **self._box("command", time_us),
            "reference": self._order,
            **span,
            "reason": "section-14a",
            "location": self._names.resource,
        }

    def _tunnel(self, state: str, time_us: int) -> dict[str, Any]:
        return self._box("tunnel", time_us) | {"smgw": self._names.smgw, "state": state}


_FORMS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], bytes], bytes, Callable[[_Event], _Said]]]] = {
    ORDERED: ("http", encode_measure, b"", _Event.at_the_market),
    PASSED_ON: ("jsonl", encode_box, b"\n", _Event.on_its_way),
    TOLD: ("jsonl", encode_box, b"\n", _Event.at_the_box),
    IN_THE_HOUSE: ("jsonl", encode_box, b"\n", _Event.in_the_house),
}
