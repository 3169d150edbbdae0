"""SunSpec's definitions of its models, as the package ``pysunspec2`` carries them (JSON, one file a model).

Source: SunSpec Device Information Model Specification 1.2; the files are SunSpec's own.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import orjson

HEAD: Final = 2
"""Registers of a model's head: its number and its length, which does not count the head."""

FROM_LENGTH: Final = 0
"""As repeats: as many as the model's length has room for."""


class Point(NamedTuple):
    """A point of a model.

    ``offset`` (from the start of its group) and ``size`` are in registers; ``scale`` is the name of the point with its
    scale factor, a number, or None; ``symbols`` names the values of an enumeration or the bits of a bitfield.
    """

    name: str
    type: str
    offset: int
    size: int
    scale: str | int | None
    symbols: Mapping[int, str]


class Group(NamedTuple):
    """Points that stand together; ``repeats`` says how often: a number, or the name of the point that says it."""

    name: str
    repeats: str | int
    size: int
    points: tuple[Point, ...]
    groups: tuple["Group", ...]

    def point(self, name: str) -> Point | None:
        """The point of a name."""
        return next((point for point in self.points if point.name == name), None)


@lru_cache(maxsize=1024)
def model(number: int) -> Group | None:
    """The definition of a model, whose first two points are its head; None where SunSpec has none of that number."""
    file = files("sunspec2").joinpath("models", "json", f"model_{number}.json")
    if not file.is_file():
        return None
    return _group(orjson.loads(file.read_bytes())["group"])


def _group(found: dict[str, Any]) -> Group:
    points, offset = [], 0
    for entry in found["points"]:
        symbols = {int(symbol["value"]): str(symbol["name"]) for symbol in entry.get("symbols", ())}
        points.append(Point(entry["name"], entry["type"], offset, entry["size"], entry.get("sf"), symbols))
        offset += entry["size"]
    groups = tuple(_group(inner) for inner in found.get("groups", ()))
    return Group(found["name"], found.get("count", 1), offset, tuple(points), groups)
