"""What control commands say: which limit is ordered, which holds, and how the order went.

Attributes of the location (``sr:...``, ``nelo:...``; controlMeasuresV1) and of the control box (``control-box:...``):

============================  ======  ==================================================================================
``limit_requested``           W       the ceiling last ordered; none where a release was ordered
``limit_requested_from``              when it shall begin, ISO 8601 in UTC
``limit_requested_until``             when it shall end; none where that is open
``limit_order``                       the id of the order
``limit_state``                       ordered, release-ordered, possible, refused, accepted, rejected, succeeded,
                                      failed, unknown, informed; what was last said of the order
``limit_reason``                      why (communicationFailure, overload, unable, or what the box says)
``limit``                     W       the ceiling that holds by a confirmed order; none after a release
``limit_from``, ``limit_until``       from when until when
``limit_ordered_by``                  code of the market partner who ordered it, where others are informed
``limit_below_minimum``               true: less than the 4.2 kW that section 14a guarantees, a breach
``box_state``                         unlimited, limited, failsafe, disturbed; ``box_limit`` in W beside it
``cls_tunnel``                        opened, closed; also of the gateway (``smgw:...``)
``channel``, ``channel_until``        booked for a command
============================  ======  ==================================================================================

Series ``limit.14a.requested`` and, once confirmed, ``limit.14a`` of the location or box: the ceiling in mW for every
quarter hour in which it holds (:mod:`~twin.observe.ceilings`). Version: ``<time>|<order>``.
"""

from typing import Any, Final

from schemas.event import Event
from schemas.facts import INDICATIVE, MEASURED, Facts, Observation, Scalar
from schemas.time import format_time
from twin.observe.ceilings import REQUESTED, SECTION_14A, tell_ceiling
from twin.settlement.section_14a import LEAST_MW

_STATES: Final = {
    "konfiguration": "ordered",
    "initialZustand": "release-ordered",
    "vorlaeufigePositiveAntwort": "possible",
    "vorlaeufigeNegativeAntwort": "refused",
    "positiveAntwort": "succeeded",
    "negativeAntwort": "failed",
    "informationAnweisung": "unknown",
    "information": "informed",
}


def observe(event: Event, facts: Facts) -> None:
    """Append what a command or an answer says."""
    said = event.payload
    operation, telling = said["operation"], _Telling(event, facts)
    if operation in _STATES:
        telling.measure(said)
    elif operation == "command":
        telling.ordered(said, said["reference"], "ordered" if said["limit_w"] is not None else "release-ordered")
        telling.all({"limit_reason": said["reason"]})
    elif operation == "acknowledgement":
        telling.answered(said, "accepted" if said["accepted"] else "rejected", holds=said["accepted"])
    elif operation == "result":
        telling.answered(said, said["state"], holds=said["state"] == "succeeded")
    elif operation == "status":
        telling.all({"box_state": said["state"]})
        telling.one("box_limit", said["limit_w"], "W")
    elif operation == "tunnel":
        telling.all({"cls_tunnel": said["state"], "smgw": said["smgw"]})
        facts.observations.append(
            Observation(f"smgw:{said['smgw']}", "cls_tunnel", said["state"], "", said["created_us"])
        )
        box = said["box"]
        facts.observations.append(
            Observation(f"smgw:{said['smgw']}", f"control-box/{box}", box, "", said["created_us"])
        )
    elif operation == "channel":
        telling.all({"channel": said["channel"], "channel_until": _shown(said["until_us"])})


class _Telling:
    """Facts about the actor of an event, at the time the message was made."""

    def __init__(self, event: Event, facts: Facts) -> None:
        self._actor, self._facts = event.actor, facts
        self._time_us: int = event.payload["created_us"]

    def one(self, attribute: str, value: Scalar, unit: str = "") -> None:
        """An observation, also of what is none any more."""
        self._facts.observations.append(Observation(self._actor, attribute, value, unit, self._time_us))

    def all(self, named: dict[str, Scalar]) -> None:
        """Observations of texts and flags; what is not said is left out."""
        for attribute, value in named.items():
            if value is not None:
                self.one(attribute, value)

    def measure(self, said: dict[str, Any]) -> None:
        """An operation of controlMeasuresV1."""
        operation = said["operation"]
        if operation in {"konfiguration", "initialZustand"}:
            self.ordered(said, said["initial_transaction"] or said["transaction"], _STATES[operation])
        elif operation == "information":
            self.one("limit_state", "informed")
            self.all({"limit_ordered_by": said["partner"]})
            self._holds(said, said["transaction"])
        else:
            self.answered(said, _STATES[operation], holds=operation == "positiveAntwort")

    def ordered(self, said: dict[str, Any], order: str, state: str) -> None:
        """A limit, or its release, was ordered."""
        self.one("limit_order", order)
        self.one("limit_state", state)
        self.one("limit_requested", said["limit_w"], "W")
        self.one("limit_requested_from", format_time(said["from_us"]))
        self.one("limit_requested_until", _shown(said["until_us"]))
        if said["limit_w"] is not None:
            self.one("limit_below_minimum", said["limit_w"] * 1000 < LEAST_MW)
        self._slots(SECTION_14A + REQUESTED, said, order, INDICATIVE)

    def answered(self, said: dict[str, Any], state: str, *, holds: bool) -> None:
        """What became of an order; a confirmed one holds, where it is known what was ordered."""
        self.one("limit_order", said["reference"])
        self.one("limit_state", state)
        self.all({"limit_reason": said["reason"]})
        if holds and "order" in said:
            self._holds(said["order"], said["reference"])

    def _holds(self, command: dict[str, Any], order: str) -> None:
        self.one("limit", command["limit_w"], "W")
        self.one("limit_from", format_time(command["from_us"]))
        self.one("limit_until", _shown(command["until_us"]))
        self._slots(SECTION_14A, command, order, MEASURED)

    def _slots(self, series: str, command: dict[str, Any], order: str, quality: str) -> None:
        if command["limit_w"] is not None:
            where, span_us = (series, self._actor.partition(":")[2]), (command["from_us"], command["until_us"])
            tell_ceiling(self._facts, where, command["limit_w"], span_us, (self._time_us, order), quality)


def _shown(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(time_us)
