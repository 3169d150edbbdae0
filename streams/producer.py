"""Events into Kafka: acknowledged by every replica in sync, in a partition chosen by their actor.

Two producers with the same few methods: :class:`EventProducer` for gateways and tools that send little,
:class:`BulkProducer` where a whole day is poured in. Both choose the partition by the same hash of the key (murmur2,
as Kafka's own Java client), so an actor's messages meet in one partition whoever sends them.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Protocol, Self

import confluent_kafka
from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from kafka.partitioner import Partitioner, murmur2
from kafka.producer.future import FutureRecordMetadata

from schemas.event import Event
from streams.reader import Rejected
from streams.records import Record, event_record, quarantine_record
from streams.topics import RECORD_LIMIT_BYTES

Clock = Callable[[], int]
"""Now, in microseconds UTC."""

_ABANDON_S = 2.0
"""How long a producer that is given up may take to stop its thread."""

_log = logging.getLogger(__name__)


class NotDelivered(Exception):
    """Kafka did not confirm what was sent; send it again (the same message is the same event)."""


class Refused(NotDelivered):
    """Kafka says it will never take this record: its topic allows less than the topics made here."""


class Producer(Protocol):
    """Sends events and rejected messages. What was sent is safe once ``flush`` has returned."""

    def send(self, event: Event) -> Rejected | None:
        """Send an event.

        Returns:
            What went to the quarantine instead, when the event does not fit into a record.

        Raises:
            NotDelivered: now, or for something sent before.
        """

    def send_rejected(self, rejected: Rejected) -> None:
        """Send a message to the quarantine. Raises as :meth:`send`."""

    def flush(self, timeout_s: float = 60.0) -> None:
        """Wait until everything sent is confirmed.

        Raises:
            NotDelivered: something was not.
        """

    def send_record(self, record: Record) -> None:
        """Send a record that was made before. Raises as :meth:`send`."""

    def close(self) -> None:
        """Flush and let go. Raises as :meth:`flush`."""

    def abandon(self) -> None:
        """Let go at once; what was not confirmed may arrive or not."""


def now_us() -> int:
    """The clock of this machine."""
    return time.time_ns() // 1000


class _Recording(ABC):
    """What both producers share: from outcome to record, and the time stamp."""

    def __init__(self, prefix: str, clock: Clock) -> None:
        self._prefix = prefix
        self._clock = clock

    def send(self, event: Event) -> Rejected | None:
        """Send an event, or put it into the quarantine when it does not fit."""
        record = event_record(event, self._prefix)
        if isinstance(record, Rejected):
            self.send_rejected(record)
            return record
        self.send_record(record)
        return None

    def send_rejected(self, rejected: Rejected) -> None:
        """Send a message to the quarantine."""
        self.send_record(quarantine_record(rejected, self._prefix))

    def send_record(self, record: Record) -> None:
        """Send a record; its time stamp is now."""
        self._put(record, self._clock() // 1000)

    @abstractmethod
    def _put(self, record: Record, time_ms: int) -> None: ...

    @abstractmethod
    def flush(self, timeout_s: float = 60.0) -> None:
        """Wait until everything sent is confirmed."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go at once."""

    def close(self) -> None:
        """Flush and let go."""
        try:
            self.flush()
        finally:
            self.abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        # After a failure there is nothing to wait for: what was not confirmed is sent again, and is the same event.
        if failure is None:
            self.close()
        else:
            self.abandon()


@lru_cache(maxsize=65536)
def _hash_of(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


class _ByKey(Partitioner):  # type: ignore[misc]
    """Kafka's own choice of partition; the hash of a key, made in Python, is remembered."""

    def partition(self, topic: str, _key: Any, serialized_key: bytes, _value: Any, _bytes: Any, cluster: Any) -> int:
        """The partition of a key."""
        partitions = sorted(cluster.partitions_for_topic(topic))
        return int(partitions[_hash_of(serialized_key) % len(partitions)])


class EventProducer(_Recording):
    """On kafka-python: idempotent, each record confirmed by all replicas in sync."""

    def __init__(
        self,
        bootstrap: str,
        *,
        prefix: str = "",
        clock: Clock = now_us,
        compression: str | None = None,
        delivery_timeout_s: float = 30.0,
        connect_timeout_s: float = 10.0,
    ) -> None:
        super().__init__(prefix, clock)
        self._waiting: deque[FutureRecordMetadata] = deque()
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap.split(","),
                acks="all",
                enable_idempotence=True,
                compression_type=compression,
                linger_ms=2,
                batch_size=256 * 1024,
                max_request_size=RECORD_LIMIT_BYTES + 1024 * 1024,
                max_block_ms=int(connect_timeout_s * 1000),
                delivery_timeout_ms=int(delivery_timeout_s * 1000),
                request_timeout_ms=max(1000, int(delivery_timeout_s * 1000) - 1000),
                bootstrap_timeout_ms=int(connect_timeout_s * 1000),
                reconnect_backoff_max_ms=1000,
                allow_auto_create_topics=False,
                partitioner=_ByKey(),
                metrics_enabled=False,
            )
        except KafkaError as problem:
            raise NotDelivered(f"Kafka at {bootstrap} does not answer: {problem}") from problem

    def _put(self, record: Record, time_ms: int) -> None:
        try:
            future = self._producer.send(record.topic, record.value, record.key, record.headers, timestamp_ms=time_ms)
        except KafkaError as problem:
            raise _failed(problem) from problem
        self._waiting.append(future)
        while self._waiting and self._waiting[0].is_done:
            _confirmed(self._waiting.popleft(), 0)

    def flush(self, timeout_s: float = 60.0) -> None:
        """Wait until everything sent is confirmed."""
        deadline = time.monotonic() + timeout_s
        waiting, self._waiting = self._waiting, deque()
        try:
            self._producer.flush(timeout_s)
        except KafkaError as problem:
            raise NotDelivered(f"Kafka did not confirm within {timeout_s:g} s: {problem}") from problem
        for future in waiting:
            _confirmed(future, max(0.0, deadline - time.monotonic()))

    def abandon(self) -> None:
        """Let go at once; nothing that waits is sent any more."""
        self._waiting.clear()
        # close() of kafka-python 3.0.12 flushes first, and does not close when that takes too long: so its sender
        # is stopped before, which fails what waits.
        sender = self._producer._sender  # noqa: SLF001 -- no public way to stop without sending
        sender.force_close()
        sender.join(_ABANDON_S)
        with suppress(KafkaError):
            self._producer.close(timeout=_ABANDON_S)


def _confirmed(future: FutureRecordMetadata, timeout_s: float) -> None:
    try:
        future.get(timeout=timeout_s)
    except KafkaError as problem:
        raise _failed(problem) from problem


def _failed(problem: KafkaError) -> NotDelivered:
    kind = Refused if isinstance(problem, (MessageSizeTooLargeError, RecordListTooLargeError)) else NotDelivered
    return kind(f"Kafka did not confirm: {problem}")


class BulkProducer(_Recording):
    """On confluent-kafka: batches in C, for whole days; bounded in what it holds."""

    def __init__(
        self,
        bootstrap: str,
        *,
        prefix: str = "",
        clock: Clock = now_us,
        compression: str = "zstd",
        delivery_timeout_s: float = 120.0,
        held_mib: int = 128,
    ) -> None:
        super().__init__(prefix, clock)
        self._failure: confluent_kafka.KafkaError | None = None
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "compression.type": compression,
                "linger.ms": 20,
                "batch.size": 1024 * 1024,
                "message.max.bytes": RECORD_LIMIT_BYTES + 1024 * 1024,
                "queue.buffering.max.kbytes": held_mib * 1024,
                "queue.buffering.max.messages": 200_000,
                "message.timeout.ms": int(delivery_timeout_s * 1000),
                "allow.auto.create.topics": False,
                # A record that arrived costs no callback; one that did not is told.
                "delivery.report.only.error": True,
            },
            logger=_log,
        )

    def _put(self, record: Record, time_ms: int) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    timestamp=time_ms,
                    headers=record.headers,
                    on_delivery=self._told,
                )
            except BufferError:
                # Full: wait for Kafka. What it cannot take within the delivery timeout comes back as failed.
                self._producer.poll(0.1)
                self._raise_failure()
            except confluent_kafka.KafkaException as problem:
                raise NotDelivered(f"{record.topic}: {problem.args[0].str()}") from problem
            else:
                break
        self._producer.poll(0)
        self._raise_failure()

    def flush(self, timeout_s: float = 60.0) -> None:
        """Wait until everything sent is confirmed."""
        left = self._producer.flush(timeout_s)
        self._raise_failure()
        if left:
            raise NotDelivered(f"Kafka did not confirm {left} records within {timeout_s:g} s")

    def abandon(self) -> None:
        """Let go at once; nothing that waits is sent any more."""
        self._producer.purge()

    def _told(self, error: confluent_kafka.KafkaError | None, _message: object) -> None:
        if error is not None:
            self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            kind = Refused if failure.code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE else NotDelivered
            raise kind(f"Kafka did not take a record: {failure.str()}")
