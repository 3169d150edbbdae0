"""A field log into Kafka: every message of its files as an event, what cannot be read into the quarantine."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from schemas.calendar import Zone
from streams.producer import BulkProducer
from streams.reader import Conversations, Rejected, read
from streams.settings import Settings
from streams.sources import Meter, Source

_TOLD_EVERY = 500


class Sent(NamedTuple):
    """What was sent so far: messages, how many of them went to the quarantine, bytes read from disk."""

    messages: int = 0
    rejects: int = 0
    read_bytes: int = 0


def send_files(
    config: Settings,
    files: Iterable[Source],
    interface: str,
    source: str = "",
    on_progress: Callable[[Sent], None] = lambda _: None,
    *,
    zone: Zone | None = None,
) -> Sent:
    """Read files one after the other and send every message; returns when Kafka has confirmed them all.

    Files of one call continue each other's conversations: an answer finds its call in the file before. ``zone`` is
    whose clock their logs show where they give times without one.

    Raises:
        OSError: a file cannot be read.
        NotDelivered: Kafka did not confirm; what was sent may be sent again.
        ValueError: no such interface.
    """
    meter = Meter()
    conversations = Conversations()
    messages = rejects = 0
    with BulkProducer(config.kafka, prefix=config.topic_prefix) as producer:
        for file in files:
            for outcome in read(file, interface, source, conversations=conversations, meter=meter, zone=zone):
                messages += 1
                if isinstance(outcome, Rejected):
                    producer.send_rejected(outcome)
                    rejects += 1
                elif producer.send(outcome) is not None:
                    rejects += 1
                if messages % _TOLD_EVERY == 0:
                    on_progress(Sent(messages, rejects, meter.read_bytes))
        producer.flush()
    sent = Sent(messages, rejects, meter.read_bytes)
    on_progress(sent)
    return sent
