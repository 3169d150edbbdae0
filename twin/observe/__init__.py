"""Payload to facts: one module per wire format, each with ``observe(event, facts)``."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import cast

from schemas.event import UNDECODED, Event
from schemas.facts import Facts

Observer = Callable[[Event, Facts], None]
"""Appends to the facts what the event says. Trusts the payload: it was validated at the edge."""


@cache
def observer_of(wire_format: str) -> Observer:
    """The observer of a wire format, for example of ``sml``; of ``undecoded`` one that sees nothing."""
    if wire_format == UNDECODED:
        return _nothing
    return cast("Observer", import_module(f"twin.observe.{wire_format}").observe)


def observe(event: Event, facts: Facts) -> None:
    """Append to ``facts`` what the event says."""
    OBSERVERS[event.type](event, facts)


class _Observers(dict[str, Observer]):
    """Observers by event type; the module of a format is imported when its first event comes."""

    def __missing__(self, event_type: str) -> Observer:
        observer = self[event_type] = observer_of(event_type.partition(".")[0])
        return observer


OBSERVERS = _Observers()


def _nothing(_event: Event, _facts: Facts) -> None:
    return
