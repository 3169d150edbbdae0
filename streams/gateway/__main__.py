"""``python -m streams.gateway``: serves until it is told to stop."""

import logging
import sys

import uvicorn

from streams import journal
from streams.addresses import reachable
from streams.gateway.app import Gateway
from streams.gateway.building import road_of
from streams.settings import Settings, SettingsError, settings
from streams.spool import SpoolTaken


def gateway_of(config: Settings) -> Gateway:
    """The gateway these settings describe.

    Raises:
        SpoolTaken: another gateway works in the same folder.
    """
    return Gateway(
        road_of(config, config.home / "spool"),
        lambda: reachable(config.kafka),
        token=config.http_token,
        limit_bytes=config.http_body_limit_bytes,
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
