"""Rows of the projections, as they stand in the database and in memory.

An event is pointed at by its *position*: one integer that packs topic, partition and offset
(see :func:`position_of`). Order is never taken from it; it only says where the message lies.
"""

from typing import NamedTuple

from schemas.facts import Direction

_PARTITION_BITS = 10
_OFFSET_BITS = 44


class Register(NamedTuple):
    """Which register of which device, at which quality, from which document ("" for a live meter)."""

    point: str
    device: str
    obis: str
    direction: Direction
    quality: str
    document: str
    digits: int


class Edge(NamedTuple):
    """The first and the last reading of a register within one slot ``[slot_us, slot_us + 15 min)``.

    The first serves the edge at the slot's start, the last the edge at its end. Where several values are claimed
    for the same instant, ``*_mwh`` is the smallest and ``*_spread_mwh`` the distance to the largest:
    a conflict, kept and shown. ``*_position`` points at the event with the smallest value.
    """

    register: Register
    slot_us: int
    first_us: int
    first_mwh: int
    first_spread_mwh: int
    first_position: int
    last_us: int
    last_mwh: int
    last_spread_mwh: int
    last_position: int


def position_of(topic_number: int, partition: int, offset: int) -> int:
    """One integer for topic (its number in the catalogue, below 512), partition (below 1024) and offset (below 2**44).

    >>> split_position(position_of(15, 3, 7))
    (15, 3, 7)
    """
    return (topic_number << (_PARTITION_BITS + _OFFSET_BITS)) | (partition << _OFFSET_BITS) | offset


def split_position(position: int) -> tuple[int, int, int]:
    """Topic number, partition and offset of a position."""
    return (
        position >> (_PARTITION_BITS + _OFFSET_BITS),
        (position >> _OFFSET_BITS) & ((1 << _PARTITION_BITS) - 1),
        position & ((1 << _OFFSET_BITS) - 1),
    )
