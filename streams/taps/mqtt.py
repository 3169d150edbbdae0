"""``python -m streams.taps.mqtt``: the MQTT subscriber.

| option | variable | meaning |
|---|---|---|
| ``--broker`` | ``TWIN_MQTT_BROKER`` | ``mqtt://HOST:PORT`` or ``mqtts://HOST:PORT`` |
| ``--table`` | ``TWIN_MQTT_TABLE`` | CSV: topic, interface, source (:mod:`streams.taps.topic_table`) |
| ``--client-id`` | ``TWIN_MQTT_CLIENT_ID`` | names the session at the broker |
| ``--user`` | ``TWIN_MQTT_USER`` | name at the broker |
| (none) | ``TWIN_MQTT_PASSWORD`` | password at the broker |
| ``--broker-ca`` | ``TWIN_MQTT_BROKER_CA`` | who signed the broker's certificate |
| ``--protocol`` | ``TWIN_MQTT_PROTOCOL`` | 3.1.1 or 5 |
| ``--acknowledge`` | ``TWIN_MQTT_ACKNOWLEDGE`` | who must have a message: kafka, or disk while Kafka is away |

Where Kafka is, and how much may wait on disk, is said as everywhere (:mod:`streams.settings`).
"""

import asyncio
import logging
import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from streams.gateway.building import road_of
from streams.settings import settings
from streams.taps.options import Address, plain_errors, until_stopped
from streams.taps.subscriber import Subscriber
from streams.taps.topic_table import BadTable, Row, read_table

_log = logging.getLogger("streams.taps.mqtt")  # run as a program, __name__ is another

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@click.command()
@click.option("--broker", required=True, envvar="TWIN_MQTT_BROKER", help="mqtt:// or mqtts://HOST:PORT.")
@click.option("--table", type=_FILE, required=True, envvar="TWIN_MQTT_TABLE", help="CSV: topic,interface,source.")
@click.option("--client-id", default="gegenstrom", show_default=True, envvar="TWIN_MQTT_CLIENT_ID")
@click.option("--user", default="", envvar="TWIN_MQTT_USER", help="Its password is taken from TWIN_MQTT_PASSWORD.")
@click.option("--broker-ca", type=_FILE, envvar="TWIN_MQTT_BROKER_CA", help="PEM: signed the broker's certificate.")
@click.option(
    "--protocol", type=click.Choice(["3.1.1", "5"]), default="3.1.1", show_default=True, envvar="TWIN_MQTT_PROTOCOL"
)
@click.option(
    "--acknowledge",
    type=click.Choice(["kafka", "disk"]),
    default="kafka",
    show_default=True,
    envvar="TWIN_MQTT_ACKNOWLEDGE",
    help="Who must have a message before the broker may forget it.",
)
def main(
    broker: str, table: Path, client_id: str, user: str, broker_ca: Path | None, protocol: str, acknowledge: str
) -> None:
    """Subscribe to an MQTT broker and record what is published on the topics of a table.

    Quality of service 1 in a persistent session: a message is acknowledged to the broker once Kafka has it. What is
    published while Kafka is away, or while this does not run, waits at the broker; for one that keeps few messages
    (Mosquitto: max_queued_messages, 1,000 a client) --acknowledge disk lets them wait on disk while Kafka is away.

    The table is a CSV file. Its first line is topic,interface,source and the others say where the messages of a topic
    belong and who spoke, for example hems/+/energy,6,{2} where {2} stands for the topic's second level.

    Example: python -m streams.taps.mqtt --broker mqtt://localhost:1883 --table topics.csv
    """
    with plain_errors():
        if not _CLIENT_ID.fullmatch(client_id):
            raise click.UsageError(f"--client-id {client_id!r}; it may have letters, digits, . _ and -, at most 64")
        address, is_secure = _broker(broker)
        rows = _rows(table)
        config = settings(with_database=False)
        if acknowledge == "kafka":
            config = replace(config, spool_limit_bytes=0)
        road = road_of(config, config.home / "taps" / f"mqtt-{client_id}" / "spool")
        subscriber = Subscriber(road, rows, client_id, is_5=protocol == "5")
        if user:
            subscriber.client.username_pw_set(user, os.environ.get("TWIN_MQTT_PASSWORD"))
        if is_secure:
            subscriber.speak_tls(broker_ca)

        async def work(stopped: asyncio.Event) -> None:
            road.start()
            subscriber.start(*address)
            _log.info("subscribing to %d topics at %s as %s", len(rows), address, client_id)
            await stopped.wait()
            await asyncio.to_thread(subscriber.stop)
            await asyncio.to_thread(road.stop)

        until_stopped(work)


def _broker(url: str) -> tuple[Address, bool]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise click.UsageError(
            f"--broker {url!r} is no address of a broker; write mqtt://HOST:PORT or mqtts://HOST:PORT"
        )
    if parts.username or parts.password:
        raise click.UsageError("--broker holds a name or password; say --user, and the password in TWIN_MQTT_PASSWORD")
    return Address(parts.hostname, port or _PORTS[parts.scheme]), parts.scheme == "mqtts"


def _rows(table: Path) -> list[Row]:
    try:
        return read_table(table.read_text("utf-8-sig").splitlines())
    except (BadTable, UnicodeDecodeError) as problem:
        raise click.UsageError(f"{table}: {problem}") from problem


if __name__ == "__main__":
    main()
