"""Legal German time: days and months as ranges of quarter-hour slots.

The only place that knows a time zone. A slot's start is microseconds since 1970 in UTC, so the hour that legal time
repeats in October stays two hours and the one it skips in March is none.
"""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.time import SLOT_US, from_us, to_us

Zone = ZoneInfo
"""A time zone; what its clocks show."""

LEGAL_TIME = Zone("Europe/Berlin")
"""Legal time in Germany (EnZG section 1: Central European Time, summer time by ordinance)."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def day_slots(day: date) -> range:
    """Slot starts of a legal day: 96, or 92 and 100 on the days the clock is changed.

    >>> [len(day_slots(date(2026, *day))) for day in ((3, 28), (3, 29), (10, 25))]
    [96, 92, 100]
    """
    return range(_midnight_us(day), _midnight_us(day + timedelta(days=1)), SLOT_US)


def month_slots(year: int, month: int) -> range:
    """Slot starts of a legal month.

    Raises:
        ValueError: no such month.

    >>> len(month_slots(2026, 3)), len(month_slots(2026, 10))
    (2972, 2980)
    """
    first = date(year, month, 1)
    return range(_midnight_us(first), _midnight_us((first + timedelta(days=31)).replace(day=1)), SLOT_US)


def year_slots(year: int) -> range:
    """Slot starts of a legal year.

    >>> len(year_slots(2026))
    35040
    """
    return range(_midnight_us(date(year, 1, 1)), _midnight_us(date(year + 1, 1, 1)), SLOT_US)


def day_of(time_us: int) -> date:
    """The legal day an instant falls on.

    >>> day_of(to_us(datetime.fromisoformat("2026-10-24T22:00:00Z")))
    datetime.date(2026, 10, 25)
    """
    return local_time(time_us).date()


def local_time(time_us: int) -> datetime:
    """An instant as the clock on the wall shows it.

    >>> local_time(to_us(datetime.fromisoformat("2026-03-29T01:00:00Z"))).isoformat()
    '2026-03-29T03:00:00+02:00'
    """
    return from_us(time_us).astimezone(LEGAL_TIME)


def zone_named(name: str) -> Zone:
    """The time zone of a name.

    Raises:
        ValueError: there is none.

    >>> zone_named("Europe/Berlin") == LEGAL_TIME
    True
    """
    try:
        return Zone(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError(f"{name!r} is no time zone; Europe/Berlin and UTC are") from None


def instant_in(text: str, zone: Zone, *, second: bool = False) -> int:
    """The instant at which the clocks of a zone show a time; of an hour they show twice, the first or ``second``.

    Raises:
        ValueError: no such time, or one that is no clock's alone because it names a zone.

    >>> instant_in("2026-03-29T14:00:00.5", LEGAL_TIME) == to_us(datetime.fromisoformat("2026-03-29T12:00:00.500Z"))
    True
    """
    shown = datetime.fromisoformat(text)
    if shown.tzinfo is not None:
        raise ValueError(f"{text!r} names its zone itself")
    return to_us(shown.replace(tzinfo=zone, fold=int(second)))


def parse_day(text: str) -> date:
    """The day in ``YYYY-MM-DD``, the one spelling accepted.

    Raises:
        ValueError: another spelling, or no such day.

    >>> parse_day("2026-03-29")
    datetime.date(2026, 3, 29)
    """
    if not _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is not a day such as 2026-03-29")
    return date.fromisoformat(text)


def _midnight_us(day: date) -> int:
    """Start of a legal day; midnight is never ambiguous in Germany, where the clock changes at night."""
    return to_us(datetime(day.year, day.month, day.day, tzinfo=LEGAL_TIME))
