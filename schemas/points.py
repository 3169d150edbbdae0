"""Point lists: what an address of a telecontrol or register protocol means. The operator's table, not a standard's.

CSV with a head; columns ``station`` and ``address`` (numbers), ``actor``, ``attribute``, ``unit`` and ``factor`` (what
the value on the wire is multiplied with, 1 where empty), and ``answers``: the address of the set point that this point
reports back on, where it does.
"""

import csv
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

COLUMNS: Final = ("station", "address", "actor", "attribute", "unit", "factor", "answers")
POINTS: Final = "points"
"""Under this key a conversation's memory holds the interface's point list, where there is one."""

_NEEDED: Final = frozenset({"station", "address", "actor", "attribute"})


class Point(NamedTuple):
    """What is at an address; ``answers`` is the address of the set point it reports on, None where there is none."""

    actor: str
    attribute: str
    unit: str = ""
    factor: Decimal = Decimal(1)
    answers: int | None = None


PointList = Mapping[tuple[int, int], Point]
"""By station (common address, unit id) and address."""


class BadPointList(Exception):
    """A table that cannot be a point list; the sentence names line and column."""


def read_points(lines: Iterable[str]) -> dict[tuple[int, int], Point]:
    """The point list in a CSV table.

    Raises:
        BadPointList: a column is missing, a number is none, or two lines are about one address.

    >>> read_points(["station,address,actor,attribute,unit", "7,1001,vnb:NORD,frequency,Hz"])
    {(7, 1001): Point(actor='vnb:NORD', attribute='frequency', unit='Hz', factor=Decimal('1'), answers=None)}
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
        except (ValueError, TypeError, InvalidOperation):
            raise BadPointList(f"line {line} of the point list: station, address and factor are numbers") from None
        if not (row["actor"] and row["attribute"] and factor.is_finite()):
            raise BadPointList(f"line {line} of the point list names no actor, attribute or factor")
        if key in found:
            raise BadPointList(f"line {line} of the point list: address {key[1]} of station {key[0]} again")
        found[key] = Point(row["actor"], row["attribute"], row.get("unit") or "", factor, answers)
    return found
