"""Time stamps of messages: RFC 3339 with a zone, within the years a calendar and a database can count."""

from typing import Final

from schemas.time import parse_time

_END_US: Final = parse_time("9000-01-01T00:00:00Z")


def countable(time_us: int) -> int | None:
    """A time that a calendar and a database can count; None for others, which no clock shows."""
    return time_us if 0 <= time_us < _END_US else None


def instant(stamp: str) -> int:
    """Microseconds since 1970 of a time stamp.

    Raises:
        ValueError: not RFC 3339, without a zone, before 1970 (where clocks start that were never set), or beyond
            the year 9000, which stations write for "never".

    >>> instant("1970-01-01T01:00:01+01:00")
    1000000
    """
    time_us = parse_time(stamp)
    if countable(time_us) is None:
        raise ValueError("not between the years 1970 and 9000")
    return time_us
