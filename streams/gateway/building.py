"""The road into the Kafka that the settings name."""

from pathlib import Path

from streams.gateway.road import Road
from streams.producer import EventProducer, NotDelivered, Producer
from streams.settings import Settings
from streams.spool import Spool
from streams.topics import TopicsMissing, ensure_topics

CONNECT_S = 3.0
"""How long one try to reach Kafka may take."""


def road_of(config: Settings, folder: Path) -> Road:
    """A road that spools into a folder while Kafka is away.

    Raises:
        SpoolTaken: another process works in the same folder.
        OSError: the folder cannot be written.
    """

    def connect() -> Producer:
        try:
            ensure_topics(config.kafka, prefix=config.topic_prefix, timeout_s=CONNECT_S)
        except TopicsMissing as problem:
            raise NotDelivered(str(problem)) from problem
        return EventProducer(config.kafka, prefix=config.topic_prefix, connect_timeout_s=CONNECT_S)

    return Road(connect, Spool(folder, limit_bytes=config.spool_limit_bytes), prefix=config.topic_prefix)
