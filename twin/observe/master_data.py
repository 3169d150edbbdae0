"""What master data say: who belongs to whom, told of both ends, since the row is valid.

| actor | attribute | names |
|---|---|---|
| melo | ``malo``, ``feed_in_malo``, ``smgw``, ``nelo``, ``hems``, ``control_box``, ``msb`` | one, or none |
| melo | ``meters``, ``submeters``, ``resources``, ``evses``, ``assets`` | several, parted by spaces, or none |
| melo | ``loads`` | its controllable loads with their ratings, ``wallbox=11000``, parted by spaces, or none |
| malo | ``melo``, and of that of what is drawn ``supplier``, ``balance_group``, ``aggregator`` | one, or none |
| meter, evse, hems, control-box, asset, sr | ``melo`` | the metering location they stand behind |
| smgw, nelo | ``melo/<metering location>`` | one of several, or none any more |
| evse, hems, control-box, asset | ``same_as`` | the other names of the same device, parted by spaces |

All of it ends one microsecond before the row does, so that a row that follows at once holds from its first instant on,
whichever came first.
"""

from collections.abc import Iterator
from typing import Final

from schemas.event import Event
from schemas.facts import Facts, Observation
from schemas.wire.master_data import LOADS

_Said = tuple[str, str, str]
"""Actor, attribute, value."""

_DEVICES: Final = {
    "meters": "meter",
    "resources": "sr",
    "evses": "evse",
    "hems": "hems",
    "control_box": "control-box",
    "submeters": "meter",
    "assets": "asset",
}
_SHARED: Final = {"smgw": "smgw", "nelo": "nelo"}
_LOCATIONS: Final = ("malo", "feed_in_malo")
_PARTIES: Final = ("supplier", "balance_group", "aggregator")


def observe(event: Event, facts: Facts) -> None:
    """Append what a row says, and that it ends where it does."""
    row = event.payload
    from_us, until_us = row["valid_from_us"], row["valid_until_us"]
    said = dict.fromkeys(_told(row["melo"], row["columns"]))
    for actor, attribute, value in said:
        facts.observations.append(Observation(actor, attribute, value or None, "", from_us))
    if until_us is not None:
        ended = dict.fromkeys((actor, attribute) for actor, attribute, value in said if value)
        facts.observations += [Observation(*signal, None, "", until_us - 1) for signal in ended]


def _told(melo: str, columns: dict[str, list[list[str]]]) -> Iterator[_Said]:
    """Everything a row says; an empty value where it says that there is none."""
    here = f"melo:{melo}"
    for column, devices in columns.items():
        if column not in _PARTIES:
            yield here, column, " ".join("=".join(names) if column == LOADS else names[0] for names in devices)
        for names in devices:
            yield from _told_of_device(column, names, melo)
    for location in (names[0] for names in columns.get("malo", ())):
        for party in _PARTIES:
            if party in columns:
                yield f"malo:{location}", party, " ".join(names[0] for names in columns[party])


def _told_of_device(column: str, names: list[str], melo: str) -> Iterator[_Said]:
    if column in _DEVICES:
        for name in names:
            actor = f"{_DEVICES[column]}:{name}"
            yield actor, "melo", melo
            if len(names) > 1:
                yield actor, "same_as", " ".join(other for other in names if other != name)
    elif column in _SHARED:
        yield f"{_SHARED[column]}:{names[0]}", f"melo/{melo}", melo
    elif column in _LOCATIONS:
        yield f"malo:{names[0]}", "melo", melo
