"""How far the tables are behind the log."""

import time
import urllib.request
from collections.abc import Callable
from importlib.metadata import version

import orjson
import psycopg
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from schemas.interfaces import INTERFACES
from streams import lookups
from streams.archive.layout import Archive
from streams.settings import Settings

Partition = tuple[str, int]

_SEGMENTS = 2_000
"""With more the archive's progress takes longer to read than a person waits."""


def end_offsets(kafka: str, prefix: str = "") -> dict[Partition, int]:
    """The end of every partition of every interface's topic; topics without their prefix.

    Raises:
        kafka.errors.KafkaError: the broker does not answer.
    """
    consumer = KafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, request_timeout_ms=10_000, bootstrap_timeout_ms=5_000
    )
    try:
        parts = [
            TopicPartition(prefix + entry.topic, number)
            for entry in INTERFACES.values()
            for number in sorted(consumer.partitions_for_topic(prefix + entry.topic) or ())
        ]
        ends = consumer.end_offsets(parts)
        return {(part.topic.removeprefix(prefix), part.partition): end for part, end in ends.items()}
    finally:
        consumer.close()


def lag(config: Settings, ends: dict[Partition, int] | None = None) -> dict[Partition, int]:
    """Records of each partition, up to its end or the given one, that are not in the tables yet."""
    ends = end_offsets(config.kafka, config.topic_prefix) if ends is None else ends
    written = lookups.progress(config.database_url, config.schema)
    return {part: end - written.get(part, 0) for part, end in ends.items()}


def of_archive(config: Settings, ends: dict[Partition, int]) -> int | None:
    """Records before the given ends that are not in the archive yet; None: it is too large to say it quickly."""
    archive = Archive(config.home)
    if archive.count() > _SEGMENTS:
        return None
    done = archive.next_offsets()
    return sum(max(0, end - done.get(partition, 0)) for partition, end in ends.items())


def of_gateway(config: Settings) -> int | None:
    """Messages that wait on the gateway's disk for Kafka; None: it does not answer."""
    host = "127.0.0.1" if config.http_host in {"0.0.0.0", "::"} else config.http_host  # noqa: S104 -- compared with
    place = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{place}:{config.http_port}/health", timeout=2) as answer:
            return int(orjson.loads(answer.read())["spooled"])
    except (OSError, ValueError, KeyError):
        return None


def broker_version(kafka: str) -> str:
    """Release of the brokers as far as their protocol tells, such as ``4.1``.

    Raises:
        kafka.errors.KafkaError: no broker answers.
    """
    admin = KafkaAdminClient(bootstrap_servers=kafka, request_timeout_ms=5_000, bootstrap_timeout_ms=3_000)
    try:
        broker = admin.describe_cluster()["brokers"][0]["broker_id"]
        return ".".join(str(number) for number in admin.get_broker_version_data(broker).broker_version)
    finally:
        admin.close()


def wait_until_written(
    config: Settings, patience_s: float, on_progress: Callable[[int], None] = lambda _: None
) -> None:
    """Wait until the tables have everything that is in the log now.

    Raises:
        TimeoutError: they do not, after all this time.
    """
    deadline = time.monotonic() + patience_s
    ends = end_offsets(config.kafka, config.topic_prefix)
    while True:
        written = lookups.progress(config.database_url, config.schema)
        behind = sum(max(0, end - written.get(part, 0)) for part, end in ends.items())
        on_progress(behind)
        if not behind:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{behind} messages are still not in the tables; `twin status` says what hinders")
        time.sleep(0.1)


def versions(database_url: str) -> dict[str, str]:
    """Versions of the database and of what is installed with us.

    Raises:
        psycopg.Error: the database does not answer.
    """
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute(
            "select current_setting('server_version'), "
            "(select extversion from pg_extension where extname = 'timescaledb')"
        ).fetchone()
    found = {"gegenstrom": version("gegenstrom"), "postgresql": row[0] if row else ""}
    if row and row[1]:
        found["timescaledb"] = row[1]
    return found | {"faust": version("faust-streaming")}
