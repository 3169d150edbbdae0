"""A document of the scenario: what is sent once, as a file of its own, after (or before) the day it is about."""

from typing import NamedTuple


class Document(NamedTuple):
    """Native bytes and when they were sent over which interface; ``name`` is the file's, ``messages`` what it holds."""

    time_us: int
    interface: str
    name: str
    raw: bytes
    messages: int
