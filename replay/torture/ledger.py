"""The ledger: what a producer was told is safe, written by the producer itself.

A file of fixed records: the event's id, and where Kafka says it lies (offset -1: it was not told).
"""

import struct
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from schemas.interfaces import QUARANTINE_NUMBER, QUARANTINE_TOPIC, by_topic

UNTOLD = -1

_ENTRY = struct.Struct(">16shhq")
_COLUMNS = np.dtype([("id", "V16"), ("topic", ">i2"), ("partition", ">i2"), ("offset", ">i8")])


def topic_number(topic: str) -> int:
    """The number that stands for a topic: of its interface, or of the quarantine."""
    return QUARANTINE_NUMBER if topic == QUARANTINE_TOPIC else by_topic(topic).topic_number


class Ledger:
    """A ledger that is being written; whoever reads it waits until its writer has ended."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=1 << 16)
        self.entries = 0

    def enter(self, identity: str, topic: str = "", partition: int = 0, offset: int = UNTOLD) -> None:
        """This event was acknowledged."""
        number = topic_number(topic) if topic else 0
        self._file.write(_ENTRY.pack(bytes.fromhex(identity), number, partition, offset))
        self.entries += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read_ledger(path: Path) -> NDArray[Any]:
    """All entries, as columns ``id``, ``topic``, ``partition``, ``offset``."""
    return np.fromfile(path, _COLUMNS) if path.exists() else np.empty(0, _COLUMNS)
