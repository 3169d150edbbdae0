"""``python -m streams.gateway``: serves until it is told to stop."""

import logging
import sys

import uvicorn

from streams import journal
from streams.addresses import reachable
from streams.gateway.app import Gateway
from streams.gateway.road import Road
from streams.producer import EventProducer, NotDelivered, Producer
from streams.settings import Settings, SettingsError, settings
from streams.spool import Spool, SpoolTaken
from streams.topics import TopicsMissing, ensure_topics

CONNECT_S = 3.0
"""How long one try to reach Kafka may take."""


def gateway_of(config: Settings) -> Gateway:
    """The gateway these settings describe.

    Raises:
        SpoolTaken: another gateway works in the same folder.
    """

    def connect() -> Producer:
        try:
            ensure_topics(config.kafka, prefix=config.topic_prefix, timeout_s=CONNECT_S)
        except TopicsMissing as problem:
            raise NotDelivered(str(problem)) from problem
        return EventProducer(config.kafka, prefix=config.topic_prefix, connect_timeout_s=CONNECT_S)

    spool = Spool(config.home / "spool", limit_bytes=config.spool_limit_bytes)
    road = Road(connect, spool, prefix=config.topic_prefix)
    return Gateway(
        road, lambda: reachable(config.kafka), token=config.http_token, limit_bytes=config.http_body_limit_bytes
    )


def main() -> int:
    """Serve; the exit code says whether it could."""
    journal.begin()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # the road says itself what fails
    try:
        config = settings()
        gateway = gateway_of(config)
    except (SettingsError, SpoolTaken) as problem:
        print(problem, file=sys.stderr)
        return 1
    uvicorn.run(gateway.app(), host=config.http_host, port=config.http_port, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
