"""Events under section 14a EnWG at a site on a day, with their evidence, from the log."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from typing import Final, NamedTuple

from replay.filtered import Cut
from replay.history import EVER_US, Said, all_of, log_of, slot_values_in
from replay.reading import window_of
from replay.relations import named, site_in
from schemas.facts import Observation
from schemas.time import HOUR_US
from streams.archive.layout import Archive
from streams.lookups import Attribute
from streams.settings import Settings
from twin.actors import derived
from twin.actors.lpc import LIMITED, spans_in
from twin.amounts import number, scaled
from twin.observe.ceilings import REQUESTED, SECTION_14A
from twin.settlement.section_14a import (
    Event,
    Guarantee,
    Load,
    events_of,
    guaranteed,
    guaranteed_apart,
    guaranteed_one_by_one,
    loads_of,
)

_SERIES: Final = (SECTION_14A, SECTION_14A + REQUESTED)
_LIMITED_KINDS: Final = frozenset({"hems", "asset", "evse"})


def limits_of(config: Settings, name: str, day: date, known_us: int | None = None) -> list[Event]:
    """The events that touch a legal day, at the site that a name belongs to, as far as it was known.

    Raises:
        LookupError: nobody of that name was ever observed.
    """
    archive, tail = log_of(config)
    return limits_in(archive, named(config, name), day, known_us, list(tail()))


def limits_in(
    archive: Archive, seeds: Iterable[str], day: date, known_us: int | None = None, recent: Iterable[Said] = ()
) -> list[Event]:
    """See :func:`limits_of`; ``seeds`` are members of the site."""
    window, recent = window_of(day), list(recent)
    log = _Log(archive, recent, EVER_US if known_us is None else known_us)
    members = site_in(archive, seeds, window.end_us - 1, known_us, lambda: recent).members
    day_cut = Cut(*window, log.known_us)
    objects = {member.partition(":")[2] for member in members}
    values = {value for value, _ in slot_values_in(archive, objects, day_cut, recent)}
    in_force, ordered = ([value for value in values if value.series == series] for series in _SERIES)
    melos = {member for member in members if member.startswith("melo:")}
    loads, managers = (log.said(melos, name, -EVER_US, window.end_us) for name in ("loads", "hems"))
    own = {f"meter:{name}" for one in log.said(melos, "meters", -EVER_US, window.end_us) for name in _names(one)}
    powers = log.said(own, "power", window.start_us - HOUR_US, window.end_us)
    samples = [(one.time_us, scaled(watts, 1000)) for one in powers if (watts := number(one.value)) is not None]
    limited = sorted(span for member in members for span in log.limited(member, window.end_us))
    return events_of(in_force, ordered, limited, samples, partial(_owed_at, loads, managers))


class _Log(NamedTuple):
    """What was observed of actors, as far as it was known."""

    archive: Archive
    recent: list[Said]
    known_us: int

    def said(self, actors: set[str], attribute: str, start_us: int, end_us: int) -> list[Attribute]:
        """All that was said of an attribute of some actors in a span of time, in order."""
        cut = Cut(start_us, end_us, self.known_us)
        found = all_of(self.archive, actors, cut, self.recent, lambda _, name: name == attribute)
        return sorted(found, key=lambda one: (one.time_us, one.event_id))

    def limited(self, actor: str, end_us: int) -> Iterator[tuple[int, int]]:
        """From when until when an actor was limited over EEBUS."""
        if actor.partition(":")[0] in _LIMITED_KINDS:
            cut = Cut(-EVER_US, end_us, self.known_us)
            found = all_of(self.archive, {actor}, cut, self.recent, lambda _, name: derived.matters(name))
            spans = spans_in((Observation(*one[:5]) for one in found), end_us)
            yield from ((start_us, stop_us) for state, start_us, stop_us in spans if state == LIMITED)


def _names(one: Attribute) -> list[str]:
    return one.value.split() if isinstance(one.value, str) else []


def _owed_at(loads: list[Attribute], managers: list[Attribute], time_us: int) -> Guarantee | None:
    """What is guaranteed by what was told last of the loads, and of whether an energy manager stands before them.

    A site may have several metering locations: loads behind one manager are owed theirs together, wherever they are.
    Where nobody says that there is none, there is one [M], the one of the others if they have one.
    """
    told = {melo: one.value for melo, one in _latest(loads, time_us).items() if isinstance(one.value, str)}
    if not told:
        return None
    manager = {melo: one.value or "" for melo, one in _latest(managers, time_us).items()}
    known = sorted({name for name in manager.values() if name})
    usual = known[0] if len(known) == 1 else "unnamed"
    behind: dict[str, list[Load]] = {}
    for melo, text in sorted(told.items()):
        behind.setdefault(manager.get(melo, usual), []).extend(loads_of(text))
    parts = [
        guaranteed(found) if name else guaranteed_one_by_one(found) for name, found in sorted(behind.items()) if found
    ]
    if not parts:
        return guaranteed(())
    return parts[0] if len(parts) == 1 else guaranteed_apart(parts)


def _latest(told: list[Attribute], time_us: int) -> dict[str, Attribute]:
    """By actor, of what was told in order the last at a time: of two told at once the one that wins everywhere."""
    return {one.actor: one for one in told if one.time_us <= time_us}
