"""The table that says which interface a message of MQTT belongs to: a CSV file, one line a topic filter.

::

    topic,interface,source
    hems/+/energy,6,{2}
    smgw/+/+/taf7,16,{2}-{3}
    tariff/#,45,{topic}

``topic`` is a filter with ``+`` for one level and ``#`` for all that follow; the first line that fits a message's topic
holds. ``source`` says who spoke: text in which ``{2}`` stands for the topic's second level and ``{topic}`` for the
whole of it; empty means the whole.
"""

import csv
import re
from collections.abc import Iterable
from typing import NamedTuple

from paho.mqtt.client import topic_matches_sub

from schemas.interfaces import interface as interface_of

_COLUMNS = ("topic", "interface", "source")
_PLACE = re.compile(r"\{([^{}]*)\}")


class BadTable(ValueError):
    """Not a table of topics; the sentence names the line."""


class Row(NamedTuple):
    """One line of the table."""

    topic: str
    interface: str
    source: str

    def fits(self, topic: str) -> bool:
        """Whether a message of that topic belongs here (MQTT 5.0, clause 4.7)."""
        return topic_matches_sub(self.topic, topic)

    def source_of(self, topic: str) -> str:
        """Who spoke on a topic.

        >>> Row("hems/+/energy", "6", "home-{2}").source_of("hems/17/energy")
        'home-17'
        """
        levels = topic.split("/")

        def filled(place: re.Match[str]) -> str:
            if place[1] == "topic":
                return topic
            number = int(place[1])
            return levels[number - 1] if number <= len(levels) else ""

        return _PLACE.sub(filled, self.source or "{topic}")


def read_table(lines: Iterable[str]) -> list[Row]:
    """The rows of a table.

    Raises:
        BadTable: a line is none, or there is none at all.
    """
    reader = csv.DictReader(lines, skipinitialspace=True)
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise BadTable(f"the first line has to be {','.join(_COLUMNS)}")
    rows = []
    for number, fields in enumerate(reader, 2):
        try:
            rows.append(_row(fields))
        except ValueError as problem:
            raise BadTable(f"line {number}: {problem}") from problem
    if not rows:
        raise BadTable("the table has no line behind its first")
    return rows


def _row(fields: dict[str, str | None]) -> Row:
    topic, number, source = (fields[column] for column in _COLUMNS)
    if not topic or not number or source is None or None in fields:
        raise ValueError("a line has a topic, an interface and a source, parted by commas")
    levels = topic.split("/")
    if any("#" in level for level in levels[:-1]) or any(len(level) > 1 and set(level) & set("+#") for level in levels):
        raise ValueError(f"{topic!r} is no filter: + stands for a whole level, # for all levels at the end")
    if topic.startswith("$share/"):
        raise ValueError("a shared subscription has no order; subscribe to the topic itself")
    for place in _PLACE.findall(source):
        if place != "topic" and not (place.isdecimal() and int(place) > 0):
            raise ValueError(f"{{{place}}} in the source is neither {{topic}} nor the number of a level")
        if place != "topic" and int(place) > len(levels) and levels[-1] != "#":
            raise ValueError(f"{{{place}}} in the source: topics like {topic} have {len(levels)} levels")
    return Row(topic, interface_of(number).number, source)
