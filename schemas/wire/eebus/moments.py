"""Times of SPINE: instants in UTC, durations of XML schema, and elements that may be either."""

import re
from typing import Final

from schemas.time import MINUTE_US, SECOND_US
from schemas.wire.instants import instant

_DAY_US: Final = 24 * 60 * MINUTE_US
_DURATION: Final = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,12})(?:\.(?P<fraction>\d{1,12}))?S)?)?",
    re.ASCII,
)
_END_US: Final = instant("8999-12-31T23:59:59Z")
_ZONE: Final = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


def duration_us(text: str) -> int:
    """Microseconds of an ``xs:duration`` without years and months, whose lengths differ; finer parts are cut off.

    Raises:
        ValueError: not such a duration.

    >>> duration_us("PT2H"), duration_us("P1DT0.5S"), duration_us("-PT1M")
    (7200000000, 86400500000, -60000000)
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no duration of days, hours, minutes and seconds")
    parts = {name: int(digits or 0) for name, digits in found.groupdict().items() if name not in {"sign", "fraction"}}
    micros = int((found["fraction"] or "").ljust(6, "0")[:6])
    whole = parts["days"] * _DAY_US + (parts["hours"] * 60 + parts["minutes"]) * MINUTE_US
    total = whole + parts["seconds"] * SECOND_US + micros
    return -total if found["sign"] else total


def duration_text(duration: int) -> str:
    """The ``xs:duration`` of whole or broken seconds, given in microseconds.

    >>> duration_text(7_200_000_000), duration_text(500_000)
    ('PT7200S', 'PT0.5S')
    """
    seconds, micros = divmod(abs(duration), SECOND_US)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    return f"{'-' if duration < 0 else ''}PT{seconds}{fraction}S"


def absolute_us(text: str) -> int:
    """Microseconds since 1970 of an ``xs:dateTime``; one without a zone is in UTC (SPINE resources 1.3.0, clause 2.3).

    Raises:
        ValueError: see :func:`~schemas.wire.instants.instant`.

    >>> absolute_us("2016-03-16T18:18:00.0Z") == absolute_us("2016-03-16T18:18:00")
    True
    """
    return instant(text if _ZONE.search(text) else f"{text}Z")


def moment_us(text: str, base_us: int | None) -> int | None:
    """The instant of an ``AbsoluteOrRelativeTime``: a duration counts from ``base_us``.

    None where that is not known, or where the duration leads beyond what calendars count.

    Raises:
        ValueError: neither an instant nor a duration.

    >>> moment_us("PT1H", 5), moment_us("1970-01-01T00:00:01Z", None), moment_us("PT1H", None)
    (3600000005, 1000000, None)
    """
    if text.startswith(("P", "-P")):
        found_us = duration_us(text) + (base_us or 0)
        return found_us if base_us is not None and 0 <= found_us <= _END_US else None
    return absolute_us(text)
