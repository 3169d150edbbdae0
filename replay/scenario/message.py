"""A message of the scenario before it lies in a file, and the order in which messages come."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple


class Message(NamedTuple):
    """Native bytes that crossed an interface (its number as in the catalogue) at a time, sent by a source.

    ``context`` is what the log says beside the bytes, ``log`` which one it lies in where its interface has several.
    """

    time_us: int
    interface: str
    source: str
    raw: bytes
    context: dict[str, Any]
    log: str = ""


def _order(message: Message) -> tuple[int, str, str, bytes]:
    return (message.time_us, message.interface, message.source, message.raw)


def _compact(message: Message) -> Message:
    """The message with bytes that hold no more memory than they need.

    orjson gives back the front of a larger piece of memory. As long as it lives, the rest of the piece is of no use to
    anyone: with a quarter hour of messages waiting, that is three quarters of all memory.
    """
    return message._replace(raw=bytes(memoryview(message.raw)))


class Orderly:
    """Puts batches of messages in order of time; a message may be up to ``slack_us`` earlier than its batch."""

    def __init__(self, slack_us: int) -> None:
        self._slack_us = slack_us
        self._waiting: list[Message] = []

    def take(self, messages: Iterable[Message], until_us: int) -> Iterator[Message]:
        """Add a batch, whose interval ends at ``until_us``, and give what nothing can precede any more."""
        self._waiting.extend(_compact(message) for message in messages)
        self._waiting.sort(key=_order)
        sure_us = until_us - self._slack_us
        count = next((i for i, message in enumerate(self._waiting) if message.time_us >= sure_us), len(self._waiting))
        ready, self._waiting = self._waiting[:count], self._waiting[count:]
        yield from ready

    def rest(self) -> Iterator[Message]:
        """What is still waiting."""
        yield from self._waiting
        self._waiting = []


def merged(*streams: Iterable[Message]) -> Iterator[Message]:
    """Several streams, each in order of time, as one."""
    return heapq.merge(*streams, key=_order)
