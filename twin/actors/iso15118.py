"""What ISO 15118 and DIN 70121 say of vehicle and EVSE: declared from the table by which messages are read."""

from collections.abc import Iterator, Mapping
from typing import Final

from twin.actors.model import MEASURED, STATED, Attribute, Refers, carrying
from twin.actors.values import Allowed, Anything, Flag, Instant, Numbers, Text, Words
from twin.observe.iso15118 import attributes
from twin.observe.iso15118.attributes import EV, EVSE

_INTERFACES: Final = tuple(carrying("iso15118").split())
_ALLOWED: Final[Mapping[str, Allowed]] = {
    "number": Numbers(),
    "limit": Numbers(0),
    "percent": Numbers(0, 100),
    "text": Text(),
    "flag": Flag(),
    "seconds": Instant(),
}
_NUMBERS: Final = frozenset({"number", "limit"})


def _said(name: str, unit: str, allowed: Allowed, meaning: str, refers: Refers | None = None) -> Attribute:
    tolerance = MEASURED if unit else STATED
    return Attribute(name, (unit,), allowed, _INTERFACES, meaning, refers=refers, tolerance=tolerance)


def _declared(table: Mapping[str, attributes.Attribute]) -> Iterator[Attribute]:
    """Each attribute once, with the elements that say it; quantities that phases have also by phase."""
    elements: dict[attributes.Attribute, list[str]] = {}
    for element, attribute in table.items():
        elements.setdefault(attribute, []).append(element)
    for (name, unit, kind), said_by in elements.items():
        meaning = f"said as {', '.join(said_by)}"
        yield _said(name, unit, _ALLOWED[kind], meaning)
        if unit and kind in _NUMBERS:
            yield _said(f"{name}_l?", unit, _ALLOWED[kind], f"{meaning}, of a phase")


_BOTH: Final = (
    _said("session_id", "", Text("hex digits"), "the session"),
    _said("session_state", "", Words(("open", "ended", "paused")), "how the session is"),
    _said("protocol", "", Text("namespace of a schema"), "in which protocol both talk"),
    _said("control_mode", "", Text("scheduled, dynamic"), "who makes the schedule"),
    _said("service", "", Anything("number, ISO 15118-20 table 204"), "energy transfer service that was chosen"),
    _said("schedule_*", "W", Numbers(), "first power of a schedule that was offered"),
    _said("offered_schedules", "", Text("numbers, parted by commas"), "schedules that were offered"),
    _said("selected_schedule", "", Anything("number"), "schedule that was chosen"),
    _said("planned_power", "W", Numbers(), "power the vehicle means to draw first"),
)

OF_VEHICLE: Final = (
    *_declared(EV),
    *_BOTH,
    _said("evse", "", Text(), "the EVSE it was last plugged in at", Refers("evse")),
    _said("emaid", "", Text(), "contract it charges under", Refers("contract")),
)
OF_EVSE: Final = (
    *_declared(EVSE),
    *_BOTH,
    _said("ev_id", "", Text(), "vehicle that is plugged in", Refers("bev")),
    _said("meter_id", "", Text(), "meter in the station"),
)
