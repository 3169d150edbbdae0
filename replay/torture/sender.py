"""A producer outside of the stack: ``python -m replay.torture.sender KAFKA FOLDER SEED SITES RATE``, until SIGTERM.

It decodes the scenario's messages as a gateway does, sends them in disorder, and enters into its ledger what
Kafka confirmed and where. What Kafka did not confirm it sends again. SIGTERM: it sends the rest, waits until all is
confirmed, writes ``sender.json`` and ends.
"""

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import FrameType

import confluent_kafka

from replay.torture.disorder import days, disordered
from replay.torture.ledger import Ledger
from schemas.interfaces import format_of, interface, recognise
from schemas.wire.contract import Frame, WireFormat
from streams.reader import Conversations, Rejected, decode
from streams.records import Record, event_record, quarantine_record
from streams.topics import RECORD_LIMIT_BYTES

LEDGER = "sender.ledger"
REPORT = "sender.json"

_TURN_S = 0.02
_UNCONFIRMED = 20_000
"""No more than this is under way."""


class Sender:
    """Sends at a steady rate until told to finish."""

    def __init__(self, kafka: str, folder: Path, seed: int, sites: int, rate: int) -> None:
        self._folder, self._rate = folder, rate
        self._finishing = False
        self._under_way = 0
        self._again: list[tuple[str, Record]] = []
        self._random = Random(f"order {seed}")  # noqa: S311 -- chance, no secret
        self._records = disordered(self._read(seed, sites), self._random)
        self.sent = self.sent_again = 0
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": kafka,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 20,
                "message.max.bytes": RECORD_LIMIT_BYTES,
                "message.timeout.ms": 120_000,
                "reconnect.backoff.max.ms": 1_000,
                "retry.backoff.max.ms": 500,
                "log_level": 2,
            }
        )

    def finish(self, _number: int, _frame: FrameType | None) -> None:
        """Send what is held back, then end."""
        self._finishing = True

    def run(self) -> None:
        """Until all is sent and confirmed."""
        with Ledger(self._folder / LEDGER) as ledger:
            self._ledger = ledger
            started = time.monotonic()
            for identity, record in self._records:
                self._send(identity, record)
                while self._under_way >= _UNCONFIRMED:
                    self._producer.poll(_TURN_S)
                if not self._finishing and self.sent > (time.monotonic() - started) * self._rate:
                    self._producer.poll(_TURN_S)
                self._send_again()
            while self._under_way or self._again:
                self._producer.poll(0.5)
                self._send_again()
            report = {"sent": self.sent, "acknowledged": ledger.entries, "sent_again": self.sent_again}
        (self._folder / REPORT).write_text(json.dumps(report))

    def _read(self, seed: int, sites: int) -> Iterator[tuple[str, Record]]:
        """The scenario's messages as records with their ids, decoded in order, as a gateway hears them."""
        conversations, formats = Conversations(), dict[str, WireFormat]()
        for message in days(seed, sites):
            if self._finishing:
                return
            if message.interface not in formats:
                known = recognise(message.interface, message.raw, "")
                formats[message.interface] = known or format_of(interface(message.interface).formats[0])
            frame = Frame(message.raw, 0, message.time_us, message.source, message.context)
            outcome = decode(
                frame,
                formats[message.interface],
                message.interface,
                message.source,
                conversations.of(message.interface, message.source),
            )
            record = outcome if isinstance(outcome, Rejected) else event_record(outcome)
            yield outcome.id, quarantine_record(record) if isinstance(record, Rejected) else record

    def _send(self, identity: str, record: Record) -> None:
        def told(error: confluent_kafka.KafkaError | None, message: confluent_kafka.Message) -> None:
            self._under_way -= 1
            if error is not None:
                self._again.append((identity, record))
            else:
                self._ledger.enter(identity, message.topic(), message.partition(), message.offset())

        while True:
            try:
                self._producer.produce(record.topic, record.value, record.key, headers=record.headers, on_delivery=told)
            except BufferError:
                self._producer.poll(_TURN_S)
            else:
                break
        self._under_way += 1
        self.sent += 1
        self._producer.poll(0)

    def _send_again(self) -> None:
        again, self._again = self._again, []
        for identity, record in again:
            self._send(identity, record)
        self.sent_again += len(again)


def main() -> None:
    """Run it."""
    kafka, folder, seed, sites, rate = sys.argv[1:]
    sender = Sender(kafka, Path(folder), int(seed), int(sites), int(rate))
    signal.signal(signal.SIGTERM, sender.finish)
    sender.run()


if __name__ == "__main__":
    main()
