"""What must hold for whatever comes: it ends as events or in quarantine, with a reason that a person understands."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from schemas.event import UNDECODED, Event, from_record, to_record
from schemas.facts import Facts
from schemas.wire.contract import WireError
from streams.reader import TOO_LARGE, UNRECOGNISED, Outcome, Rejected, read
from twin.observe import observe

REASONS: Final = frozenset({UNRECOGNISED, TOO_LARGE, *(kind.reason for kind in WireError.__subclasses__())})
"""Why a message may be in quarantine."""

_HEARD_US: Final = 1_774_785_600_000_000
_SHORTEST_DETAIL: Final = 8
_LARGEST: Final = 1 << 63


class Wrong(Exception):
    """Something that must not happen, as a sentence."""


def judge(content: bytes, interface: str) -> Counter[str]:
    """What became of the bytes: how many events, and how many rejects by reason.

    Raises:
        Wrong: an outcome that must not be.
    """
    found: Counter[str] = Counter()
    for outcome in read(content, interface, "fuzz", time_us=_HEARD_US):
        for problem in _problems(outcome):
            raise Wrong(problem)
        found[outcome.reason if isinstance(outcome, Rejected) else "event"] += 1
    return found


def _problems(outcome: Outcome) -> Iterator[str]:
    if isinstance(outcome, Rejected):
        if outcome.reason not in REASONS:
            yield f"the reason {outcome.reason!r} is not one of those known: {outcome.detail}"
        yield from _unclear(outcome.detail)
    else:
        yield from _problems_of_event(outcome)


def _problems_of_event(event: Event) -> Iterator[str]:
    if event.type == UNDECODED:
        yield "an undecoded event on an interface with decoders"
    if not event.actor.partition(":")[2]:
        yield f"the actor {event.actor!r} has no name"
    _, value, _ = to_record(event)
    facts = Facts()
    observe(from_record(value), facts)
    for reject in facts.rejects:
        yield from _unclear(reject.detail)
    yield from _unstorable(facts)


def _unstorable(facts: Facts) -> Iterator[str]:
    """What no database holds exactly."""
    for reading in facts.readings:
        if not 0 <= reading.value_mwh < _LARGEST:
            yield f"a reading that no database holds: {reading}"
    for sample in facts.samples:
        if abs(sample.power_mw) >= _LARGEST:
            yield f"a sample that no database holds: {sample}"
    for part, fact in ((part, whole) for whole in facts.all() for part in whole):
        if isinstance(part, str) and "\0" in part:
            yield f"a fact with the NUL character: {fact}"
        if isinstance(part, float) or (isinstance(part, Decimal) and not part.is_finite()):
            yield f"a fact with an inexact number: {fact}"
        if isinstance(part, (list, dict)):
            yield f"a fact with something else than one value: {fact}"


def _unclear(detail: str) -> Iterator[str]:
    if len(detail) < _SHORTEST_DETAIL or " " not in detail:
        yield f"the detail {detail!r} is no sentence"
    if "Traceback" in detail or "object at 0x" in detail:
        yield f"the detail {detail[:200]!r} is for programmers"
