"""From bytes that came in to Kafka, in order; over the disk where Kafka is away.

One thread accepts: it decodes what came (in order, because some messages only mean something after others),
sends it as a group and waits for Kafka once for all of them. Where Kafka does not confirm in time the group goes
to the spool. From then on everything queues there, and a second thread empties it as soon as Kafka is back.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, NamedTuple

from streams.gateway.body import Part
from streams.producer import NotDelivered, Producer, Refused
from streams.reader import Conversations, Rejected
from streams.records import Record, event_record, quarantine_record
from streams.spool import Chunk, Spool, SpoolFull

CONVERSATIONS = 20_000
"""How many sources are remembered; the longest silent are forgotten first."""

_GROUP = 256
_GROUP_BYTES = 8 << 20
_DRAIN_PATIENCE_S = 10.0

_log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What became of a request; ``spooled``: it waits on disk for Kafka."""

    events: list[str]
    rejected: list[dict[str, Any]]
    spooled: bool


class _Request(NamedTuple):
    interface: str
    parts: list[Part]
    size_bytes: int
    answer: "Future[Answer]"


class _Decoded(NamedTuple):
    request: _Request
    records: list[Record]
    answer: Answer


class Road:
    """The way of every posted message.

    Args:
        connect: makes a producer, or raises :class:`~streams.producer.NotDelivered` when Kafka is away.
        spool: takes what Kafka cannot.
        prefix: of topic names.
        patience_s: how long a request waits for Kafka's confirmation before it goes to the spool.
        retry_s: how often Kafka is tried while it is away.
    """

    def __init__(
        self,
        connect: Callable[[], Producer],
        spool: Spool,
        *,
        prefix: str = "",
        patience_s: float = 3.0,
        retry_s: float = 1.0,
    ) -> None:
        self._connect = connect
        self._spool = spool
        self._prefix = prefix
        self._patience_s = patience_s
        self._retry_s = retry_s
        self._conversations = Conversations(CONVERSATIONS)
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._producer: Producer | None = None
        self._stale: Producer | None = None
        self._direct = threading.Lock()  # held while a group goes to Kafka or to the spool
        self._is_direct = False
        self._answers = False
        self._one_by_one = 0
        self._tried = threading.Event()
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._accept, name="gateway-accept", daemon=True),
            threading.Thread(target=self._drain, name="gateway-drain", daemon=True),
        ]

    @property
    def spooled(self) -> int:
        """How many messages wait on disk."""
        return self._spool.waiting

    @property
    def is_direct(self) -> bool:
        """Messages go to Kafka at once; False while they queue on disk."""
        return self._is_direct

    @property
    def kafka_answers(self) -> bool:
        """Kafka confirmed what was sent to it last."""
        return self._answers

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what was accepted, and let go. What is on disk stays there."""
        self._requests.put(None)
        self._threads[0].join()
        self._stopping.set()
        self._work.set()
        self._threads[1].join()
        self._let_go_of_stale()
        if self._producer is not None:
            self._producer.abandon()
        self._spool.close()

    def submit(self, interface: str, parts: Iterable[Part], size_bytes: int) -> "Future[Answer]":
        """Queue a request. Its answer comes when Kafka or the disk has every message of it.

        The future raises :class:`~streams.spool.SpoolFull` when neither can.
        """
        request = _Request(interface, list(parts), size_bytes, Future())
        request.answer.set_running_or_notify_cancel()  # who hangs up now is not waited for, but its message is taken
        self._requests.put(request)
        return request.answer

    def _accept(self) -> None:
        self._tried.wait(self._patience_s)
        while True:
            group, going_on = self._group()
            decoded = [done for request in group if (done := self._decode(request)) is not None]
            try:
                self._deliver(decoded)
            except Exception as problem:  # noqa: BLE001 -- whoever waits must hear of it, and the next are served
                _log.exception("a group of %d requests could not be delivered", len(decoded))
                for waiting in decoded:
                    if not waiting.request.answer.done():
                        waiting.request.answer.set_exception(problem)
            if not going_on:
                return

    def _group(self) -> tuple[list[_Request], bool]:
        """The requests that wait by now, at least one; False when it is time to stop."""
        group: list[_Request] = []
        size = 0
        while len(group) < _GROUP and size < _GROUP_BYTES:
            try:
                request = self._requests.get(block=not group)
            except queue.Empty:
                break
            if request is None:
                return group, False
            group.append(request)
            size += request.size_bytes
        return group, True

    def _decode(self, request: _Request) -> _Decoded | None:
        records: list[Record] = []
        answer = Answer([], [], spooled=False)
        try:
            for part in request.parts:
                self._decode_part(request.interface, part, records, answer)
        except Exception as problem:  # noqa: BLE001 -- one request must not stop the gateway
            _log.exception("a request on interface %s could not be read", request.interface)
            request.answer.set_exception(problem)
            return None
        return _Decoded(request, records, answer)

    def _decode_part(self, interface: str, part: Part, records: list[Record], answer: Answer) -> None:
        for outcome in part.outcomes(interface, self._conversations):
            record = outcome if isinstance(outcome, Rejected) else event_record(outcome, self._prefix)
            if isinstance(record, Rejected):
                records.append(self._reject(record, part.line, answer))
            else:
                records.append(record)
                answer.events.append(outcome.id)

    def _reject(self, rejected: Rejected, line: int, answer: Answer) -> Record:
        said: dict[str, Any] = {"offset": rejected.offset, "reason": rejected.reason, "detail": rejected.detail}
        answer.rejected.append({"line": line, **said} if line else said)
        return quarantine_record(rejected, self._prefix)

    def _deliver(self, group: list[_Decoded]) -> None:
        if not group:
            return
        with self._direct:
            if self._is_direct and self._sent([record for decoded in group for record in decoded.records]):
                for decoded in group:
                    decoded.request.answer.set_result(decoded.answer)
                return
            for decoded in group:
                try:
                    self._spool.append([pack(record) for record in decoded.records])
                except SpoolFull as problem:
                    decoded.request.answer.set_exception(problem)
                else:
                    decoded.request.answer.set_result(decoded.answer._replace(spooled=True))
        self._work.set()

    def _sent(self, records: list[Record]) -> bool:
        producer = self._producer
        assert producer is not None
        try:
            for record in records:
                producer.send_record(record)
            producer.flush(self._patience_s)
        except NotDelivered as problem:
            become = "go to the spool" if self._spool.is_open else "are not taken until it is back"
            _log.warning("Kafka is away, messages %s: %s", become, problem)
            self._is_direct = self._answers = False
            self._stale, self._producer = producer, None
            return False
        return True

    def _drain(self) -> None:
        while not self._stopping.is_set():
            if self._is_direct:
                self._work.wait()
                self._work.clear()
                continue
            try:
                emptied = self._empty_some()
            except Exception:  # noqa: BLE001 -- the spool must be emptied, whatever a client library raises
                _log.exception("the spool could not be emptied, trying again")
                emptied = False
            self._tried.set()
            if not emptied:
                self._stopping.wait(self._retry_s)

    def _empty_some(self) -> bool:
        """Send the oldest messages of the spool; False when Kafka is away."""
        self._let_go_of_stale()
        chunk = self._spool.oldest(1 if self._one_by_one else _GROUP)
        try:
            if self._producer is None:
                self._producer = self._connect()
            for payload in chunk.payloads:
                self._producer.send_record(unpack(payload))
            self._producer.flush(max(self._patience_s, _DRAIN_PATIENCE_S))
        except NotDelivered as problem:
            self._stale, self._producer = self._producer, None
            if isinstance(problem, Refused):
                self._find_refused(chunk, problem)
                return True
            self._answers = False
            _log.info("Kafka is still away, %d messages wait on disk: %s", self.spooled, problem)
            return False
        self._answers = True
        if chunk.payloads:
            self._spool.drop(chunk)
            self._one_by_one = max(0, self._one_by_one - 1)
            return True
        with self._direct:
            # Under the lock nothing can be put behind our back: who finds it empty may let the next group pass.
            self._is_direct = not self._spool.waiting
        return True

    def _find_refused(self, chunk: Chunk, problem: Refused) -> None:
        """One message that Kafka will never take must not hold up the others: it is found and set aside."""
        if len(chunk.payloads) > 1:
            self._one_by_one = len(chunk.payloads)
            return
        path = self._spool.set_aside(chunk)
        _log.error("Kafka refuses a message for %s, kept in %s: %s", unpack(chunk.payloads[0]).topic, path, problem)

    def _let_go_of_stale(self) -> None:
        """A producer that failed still holds what it could not send; it is sent from the spool, in order."""
        stale, self._stale = self._stale, None
        if stale is not None:
            stale.abandon()


def pack(record: Record) -> bytes:
    """A record as the bytes that wait in the spool."""
    fields = [record.topic.encode(), record.key, record.value]
    for name, value in record.headers:
        fields += [name.encode(), value]
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def unpack(payload: bytes) -> Record:
    """The record in a payload of the spool."""
    fields, at = [], 0
    while at < len(payload):
        end = at + 4 + int.from_bytes(payload[at : at + 4], "big")
        fields.append(payload[at + 4 : end])
        at = end
    topic, key, value, *rest = fields
    names, values = rest[::2], rest[1::2]
    return Record(topic.decode(), key, value, [(name.decode(), held) for name, held in zip(names, values, strict=True)])
