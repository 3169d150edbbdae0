"""Observations to twin rows (the latest wins) and trend rows (last, low and high of each minute).

The latest is the one with the greatest event time; ties are broken by the event's id.
"""

from decimal import Decimal
from json.encoder import encode_basestring as quoted
from operator import itemgetter

import numpy as np

from schemas.facts import Observation, Scalar
from schemas.time import MINUTE_US
from twin.merge.columns import NO_TRENDS, NO_TWINS, Ints, Trends, Twins, Words, starts_of_groups

_VALUE, _UNIT = itemgetter(2), itemgetter(3)
_WORDS = {None: b"null", True: b"true", False: b"false"}


def canonical(value: Scalar) -> bytes:
    """A value as JSON text, the same for equal values: a Decimal is a number without exponent or trailing zeros.

    >>> canonical(Decimal("12.50")), canonical(3), canonical("a"), canonical(True)
    (b'12.5', b'3', b'"a"', b'true')
    """
    # Not by orjson: what it returns keeps the kilobyte that it began with, and a batch keeps a hundred thousand.
    if isinstance(value, str):
        # no database holds the character NUL itself
        return quoted(value.replace("\0", "\N{SYMBOL FOR NULL}") if "\0" in value else value).encode()
    if isinstance(value, Decimal):
        return decimal_text(value).encode()
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    return b"%d" % value


def decimal_text(value: Decimal | int) -> str:
    """Decimal text without exponent or trailing zeros.

    >>> decimal_text(Decimal("-0.00")), decimal_text(Decimal("1E+2")), decimal_text(7)
    ('0', '100', '7')
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def merge_observations(
    signal_id: Ints,
    time_us: Ints,
    event_rank: Words,
    event: Ints,
    observations: list[Observation],
    ids: list[str],
    positions: Ints,
) -> tuple[Twins, Trends]:
    """Twin and trend rows of observations given as columns.

    ``event`` is each observation's index into ``ids`` and ``positions``; ``event_rank`` its event's id as two words,
    shape (n, 2).
    """
    if not observations:
        return NO_TWINS, NO_TRENDS
    order = _by_signal_and_time(signal_id, time_us, event_rank)
    winners = order[np.append(starts_of_groups(signal_id[order])[1:], len(order)) - 1]
    winning = [observations[index] for index in winners.tolist()]
    said_by = event[winners]
    twins = Twins(
        signal_id[winners],
        list(map(canonical, map(_VALUE, winning))),
        list(map(_UNIT, winning)),
        time_us[winners],
        [ids[index] for index in said_by.tolist()],
        positions[said_by],
    )
    return twins, _trends(signal_id, time_us, event, observations, order, ids)


def _by_signal_and_time(signal_id: Ints, time_us: Ints, event_rank: Words) -> Ints:
    """Indices sorted by signal, time and event id; only where the first two are equal the ids are looked at."""
    order: Ints = np.lexsort((time_us, signal_id))
    signal, time = signal_id[order], time_us[order]
    equal = (signal[1:] == signal[:-1]) & (time[1:] == time[:-1])
    if equal.any():
        tied = np.append(equal, False) | np.append(False, equal)
        some = order[tied]
        ranks = event_rank[some]
        order[tied] = some[np.lexsort((ranks[:, 1], ranks[:, 0], time_us[some], signal_id[some]))]
    return order


def _trends(
    signal_id: Ints, time_us: Ints, event: Ints, observations: list[Observation], order: Ints, ids: list[str]
) -> Trends:
    kinds = np.array([kind is int or kind is Decimal for kind in map(type, map(_VALUE, observations))])
    chosen = order[kinds[order]]
    if not len(chosen):
        return NO_TRENDS
    values = np.array([float(observations[index][2]) for index in chosen.tolist()], np.float64)
    values += 0.0  # makes 0 of -0, or which of both is the lowest would depend on their order
    signal, time = signal_id[chosen], time_us[chosen]
    minute = time - time % MINUTE_US
    starts = starts_of_groups(signal, minute)
    ends = np.append(starts[1:], len(chosen)) - 1
    return Trends(
        signal[starts],
        minute[starts],
        time[ends],
        [ids[index] for index in event[chosen[ends]].tolist()],
        values[ends],
        np.minimum.reduceat(values, starts),
        np.maximum.reduceat(values, starts),
    )
