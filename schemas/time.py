"""Instants as integer microseconds since 1970 in UTC, and quarter-hour slots.

A slot is the half-open interval ``[t, t + 15 min)`` and is named by its start. Legal local time
lives in :mod:`schemas.calendar` and nowhere else.
"""

from datetime import UTC, datetime, timedelta

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
SLOT_US = 15 * MINUTE_US
HOUR_US = 60 * MINUTE_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime; exact, no float in between.

    Raises:
        ValueError: the datetime is naive.

    >>> to_us(datetime(2026, 3, 29, 1, tzinfo=UTC))
    1774746000000000
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; give one, for example a trailing Z")
    return (moment - _EPOCH) // _MICROSECOND


def from_us(time_us: int) -> datetime:
    """The aware UTC datetime of an instant.

    >>> from_us(1774746000000000).isoformat()
    '2026-03-29T01:00:00+00:00'
    """
    return _EPOCH + timedelta(microseconds=time_us)


def parse_time(text: str) -> int:
    """Microseconds of an ISO 8601 instant with zone (``Z`` or offset).

    Raises:
        ValueError: not ISO 8601, or without a zone.

    >>> parse_time("2026-10-25T02:10:00+02:00") == parse_time("2026-10-25T00:10:00Z")
    True
    """
    return to_us(datetime.fromisoformat(text))


def format_time(time_us: int) -> str:
    """ISO 8601 in UTC with ``Z``; fractions only where there are any.

    >>> format_time(1774746000000000), format_time(1774746000250000)
    ('2026-03-29T01:00:00Z', '2026-03-29T01:00:00.250000Z')
    """
    return from_us(time_us).isoformat().removesuffix("+00:00") + "Z"


def slot_of(time_us: int) -> int:
    """Start of the slot that holds the instant.

    >>> format_time(slot_of(parse_time("2026-03-29T01:14:59Z")))
    '2026-03-29T01:00:00Z'
    """
    return time_us - time_us % SLOT_US
