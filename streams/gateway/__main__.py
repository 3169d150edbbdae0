"""``python -m streams.gateway``: serves until it is told to stop."""

import logging
import socket
import sys

import uvicorn

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


def reachable(bootstrap: str, timeout_s: float = 1.0) -> bool:
    """Whether one of the brokers takes a connection."""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout_s):
                return True
        except OSError:
            continue
    return False


def main() -> int:
    """Serve; the exit code says whether it could."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
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
