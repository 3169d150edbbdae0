"""Kafka's Produce request, version 7, by hand: for batches that are encoded already.

Kafka documentation, "Produce API". No client library sends a batch it has not made itself.
"""

import socket
import struct
import time
from collections import deque
from typing import NamedTuple

from replay.bench.prepared import Batch
from schemas.interfaces import by_topic_number

_PRODUCE, _VERSION, _ALL_REPLICAS, _TIMEOUT_MS = 0, 7, -1, 30_000
_UNDER_WAY = 4
_NOT_YET = {3, 5, 6}
"""Errors of a topic that was just made: unknown topic, no leader, another leader."""
_RETRY_S, _RETRIES = 0.2, 200


class Confirmed(NamedTuple):
    """A batch that the broker has: where its last record lies and when it was sent."""

    stamp_ms: int
    topic: int
    partition: int
    last_offset: int
    records: int


class Connection:
    """A connection to the one broker; a few requests are under way at once."""

    def __init__(self, address: str, prefix: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._answers = self._socket.makefile("rb")
        self._prefix, self._patience = prefix, _RETRIES
        self._waiting: deque[tuple[int, list[Batch]]] = deque()

    def send(self, batches: list[Batch], stamp_ms: int) -> list[Confirmed]:
        """Send batches stamped with this time; what was confirmed meanwhile."""
        self._socket.sendall(_request(batches, self._prefix))
        self._waiting.append((stamp_ms, batches))
        return self._confirmed() if len(self._waiting) >= _UNDER_WAY else []

    def finish(self) -> list[Confirmed]:
        """Wait until all is confirmed."""
        found: list[Confirmed] = []
        while self._waiting:
            found += self._confirmed()
        return found

    def close(self) -> None:
        """Let go."""
        self._answers.close()
        self._socket.close()

    def _confirmed(self) -> list[Confirmed]:
        stamp_ms, batches = self._waiting.popleft()
        (size,) = struct.unpack(">i", self._answers.read(4))
        answer = self._answers.read(size)
        at, offsets = 4, {}  # behind the correlation id
        (topics,) = struct.unpack_from(">i", answer, at)
        at += 4
        for _ in range(topics):
            (length,) = struct.unpack_from(">h", answer, at)
            name = answer[at + 2 : at + 2 + length].decode()
            (partitions,) = struct.unpack_from(">i", answer, at + 2 + length)
            at += 6 + length
            for _ in range(partitions):
                partition, error, offset, _, _ = struct.unpack_from(">ihqqq", answer, at)
                at += 30
                if error and (error not in _NOT_YET or not self._patience):
                    raise OSError(f"the broker refuses a batch for {name}/{partition}: error {error}")
                if not error:
                    offsets[name, partition] = offset
        found, again = [], []
        for batch in batches:
            place = (self._prefix + by_topic_number(batch.topic).topic, batch.partition)
            if place in offsets:
                last = offsets[place] + batch.records - 1
                found.append(Confirmed(stamp_ms, batch.topic, batch.partition, last, batch.records))
            else:
                again.append(batch)
        if again:
            self._patience -= 1
            time.sleep(_RETRY_S)
            found += self.send(again, stamp_ms)
        return found


def _request(batches: list[Batch], prefix: str) -> bytes:
    topics: dict[int, list[Batch]] = {}
    for batch in batches:
        topics.setdefault(batch.topic, []).append(batch)
    body = [
        struct.pack(">hhi", _PRODUCE, _VERSION, 0),
        _text("bench"),
        struct.pack(">hhi", -1, _ALL_REPLICAS, _TIMEOUT_MS),
        struct.pack(">i", len(topics)),
    ]
    for number, parts in topics.items():
        body += (_text(prefix + by_topic_number(number).topic), struct.pack(">i", len(parts)))
        for batch in parts:
            body += (struct.pack(">ii", batch.partition, len(batch.data)), bytes(batch.data))
    size = sum(map(len, body))
    return struct.pack(">i", size) + b"".join(body)


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()
