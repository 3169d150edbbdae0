"""Ceilings as quarter-hour values: whoever says a limit, it is told in the same way.

A ceiling counts for every quarter hour in which it holds, if only for a part of it. Where its end is open, up to the
quarter hour in which it begins: how long it lasts is not known when it is said. That it was lifted early is no value of
a quarter hour; the twin says so.
"""

from typing import Final

from schemas.facts import Facts, Reject, SlotValue
from schemas.time import SLOT_US, format_time, slot_of
from twin.amounts import Number, scaled

SECTION_14A: Final = "limit.14a"
"""Series of ceilings of consumption under section 14a EnWG, in mW; those only asked for end with :data:`REQUESTED`."""

FEED_IN: Final = "limit.feed-in"
"""Series of ceilings of production, in mW."""

REQUESTED: Final = ".requested"
SLOT_LIMIT: Final = 7 * 96
"""Quarter hours told of one command: a week."""


def tell_ceiling(
    facts: Facts,
    where: tuple[str, str],
    limit_w: Number,
    span_us: tuple[int, int | None],
    said: tuple[int, str],
    quality: str,
) -> None:
    """Append the quarter hours of a ceiling.

    Args:
        facts: Where they go; a reject too, where the ceiling lasts longer than a week.
        where: Series and object.
        limit_w: The ceiling, never negative.
        span_us: From when until when; None: open.
        said: When it was said, and the order it belongs to; they are the version.
        quality: Measured where it holds, indicative where it is only asked for.
    """
    first_us = slot_of(span_us[0])
    end_us = first_us + SLOT_US if span_us[1] is None else span_us[1]
    slots = range(first_us, end_us, SLOT_US)
    if len(slots) > SLOT_LIMIT:
        detail = f"only the first {SLOT_LIMIT} quarter hours of order {said[1]} are kept, of {len(slots)}"
        facts.rejects.append(Reject("long-limit", detail))
    version, limit_mw = f"{format_time(said[0])}|{said[1]}", scaled(limit_w, 1000)
    facts.slot_values += [
        SlotValue(*where, slot_us, limit_mw, "mW", quality, version) for slot_us in slots[:SLOT_LIMIT]
    ]
