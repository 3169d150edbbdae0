"""Point lists: what an address of a telecontrol or register protocol means. The operator's table, not a standard's.

CSV with a head; columns ``station`` and ``address`` (numbers), ``actor``, ``attribute``, ``unit`` and ``factor`` (what
the value on the wire is multiplied with, 1 where empty), and ``answers``: the address of the set point that this point
reports back on, where it does. A column ``zone`` may name the time zone whose clock a point's time tags show, such as
Europe/Berlin; without it they are in UTC.
"""

import csv
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from schemas.calendar import Zone, zone_named

COLUMNS: Final = ("station", "address", "actor", "attribute", "unit", "factor", "answers")
ZONE: Final = "zone"
"""A column that may be there too."""

POINTS: Final = "points"
"""Under this key a conversation's memory holds the interface's point list, where there is one."""

_NEEDED: Final = frozenset({"station", "address", "actor", "attribute"})


class Point(NamedTuple):
    """What is at an address.

    ``answers`` is the address of the set point it reports on, None where there is none; ``zone`` whose clock its time
    tags show, None for UTC.
    """

    actor: str
    attribute: str
    unit: str = ""
    factor: Decimal = Decimal(1)
    answers: int | None = None
    zone: Zone | None = None


PointList = Mapping[tuple[int, int], Point]
"""By station (common address, unit id) and address."""


class BadPointList(Exception):
    """A table that cannot be a point list; the sentence names line and column."""


def read_points(lines: Iterable[str]) -> dict[tuple[int, int], Point]:
    """The point list in a CSV table.

    Raises:
        BadPointList: a column is missing, a number is none, or two lines are about one address.

    >>> read_points(["station,address,actor,attribute,unit", "7,1001,vnb:NORD,frequency,Hz"])
    {(7, 1001): Point(actor='vnb:NORD', attribute='frequency', unit='Hz', factor=Decimal('1'), answers=None, zone=None)}
    """
    table = csv.DictReader(lines)
    missing = _NEEDED - set(table.fieldnames or ())
    if missing:
        raise BadPointList(f"the point list has no column {', '.join(sorted(missing))}; it has {', '.join(COLUMNS)}")
    found: dict[tuple[int, int], Point] = {}
    for row in table:
        line = table.line_num
        try:
            key = int(row["station"]), int(row["address"])
            factor = Decimal(row.get("factor") or 1)
            answers = int(row["answers"]) if row.get("answers") else None
            zone = _zone(row.get(ZONE) or "", line)
        except (ValueError, TypeError, InvalidOperation):
            raise BadPointList(f"line {line} of the point list: station, address and factor are numbers") from None
        if not (row["actor"] and row["attribute"] and factor.is_finite()):
            raise BadPointList(f"line {line} of the point list names no actor, attribute or factor")
        if key in found:
            raise BadPointList(f"line {line} of the point list: address {key[1]} of station {key[0]} again")
        found[key] = Point(row["actor"], row["attribute"], row.get("unit") or "", factor, answers, zone)
    return found


def _zone(name: str, line: int) -> Zone | None:
    try:
        return zone_named(name) if name else None
    except ValueError as problem:
        raise BadPointList(f"line {line} of the point list: {problem}") from None
