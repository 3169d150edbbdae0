"""What must hold when everything has settled; the first promise that does not is an exception with a sentence."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import confluent_kafka
import psycopg
import pyarrow.parquet as pq
from psycopg import sql

from replay.day import replay_window
from replay.reading import Window
from replay.torture.ledger import UNTOLD, read_ledger, topic_number
from schemas.interfaces import CONTROL_TOPIC, QUARANTINE_TOPIC, by_topic
from schemas.time import HOUR_US
from streams import sealing, tables
from streams.archive.layout import Archive
from streams.projector import OpenBatch
from streams.settings import Settings
from streams.topics import catalogue
from twin.merge.batch import Names
from twin.merge.projection import Projection

REPLAYED = "torture_replay"
_CHUNK = 5_000
_SILENCE_S = 30.0
_EVER = Window(0, (1 << 52) // HOUR_US * HOUR_US)

Part = tuple[str, int]


class Broken(Exception):
    """A promise that was not kept; the sentence says which."""


@dataclass(slots=True)
class _Read:
    """A record in the form that the projector takes, and the id of its message."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes
    id: bytes


@dataclass(slots=True)
class Log:
    """The whole log, read once from its start: ids by partition and offset, and what its events say together."""

    ids: dict[Part, bytearray] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    projection: Projection = field(default_factory=Projection)

    @property
    def records(self) -> int:
        """How many records are in it."""
        return sum(len(ids) for ids in self.ids.values()) // 16

    def distinct(self) -> int:
        """How many messages are in it, each counted once."""
        return len(set(_cut(b"".join(self.ids.values()))))


def read_log(config: Settings) -> Log:
    """Read every partition from offset 0 and merge what it says in memory, in one thread and one go.

    Raises:
        Broken: an offset is missing, or Kafka falls silent before the end.
    """
    log, names = Log(), Names()
    with _consumer(config) as consumer:
        known = consumer.list_topics(timeout=_SILENCE_S).topics
        for topic in sorted(set(catalogue()) - {CONTROL_TOPIC}):
            for partition in sorted(known[topic].partitions):
                ids = log.ids[topic, partition] = bytearray()
                for records in _records(consumer, (topic, partition)):
                    ids += b"".join(record.id for record in records)
                    if topic == QUARANTINE_TOPIC:
                        log.rejected.update(record.id.hex() for record in records)
                    else:
                        _merge(log, (topic, partition), records, names)
    return log


@contextmanager
def _consumer(config: Settings) -> Iterator[confluent_kafka.Consumer]:
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": config.kafka,
            "group.id": "torture",
            "enable.auto.commit": False,
            # A broker answers a connection's requests one after the other: what waits for more holds up the next.
            "fetch.wait.max.ms": 5,
            "log_level": 2,
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _merge(log: Log, part: Part, records: list[_Read], names: Names) -> None:
    batch = OpenBatch(names, lambda topic: by_topic(topic).topic_number)
    batch.absorb(*part, records, records[0].offset)
    log.projection.apply(batch.merge())
    log.rejected.update(entry.id for entry in batch.quarantine)


def _records(consumer: confluent_kafka.Consumer, part: Part) -> Iterator[list[_Read]]:
    _, end = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(*part), timeout=_SILENCE_S)
    consumer.assign([confluent_kafka.TopicPartition(*part, 0)])
    at = 0
    while at < end:
        polled = [message for message in consumer.consume(min(_CHUNK, end - at), _SILENCE_S) if message.error() is None]
        if not polled:
            raise Broken(f"{part[0]}/{part[1]}: the broker says {end} records and gives nothing behind {at}")
        for message in polled:
            if message.offset() != at:
                raise Broken(f"{part[0]}/{part[1]}: offset {at} is missing, {message.offset()} follows")
            at += 1
        yield [_read(part, message) for message in polled]


def _read(part: Part, message: confluent_kafka.Message) -> _Read:
    identity = bytes.fromhex(dict(message.headers())["ce_id"].decode())
    return _Read(*part, message.offset(), message.timestamp()[1], message.value(), identity)


def acknowledged_is_there(log: Log, ledgers: list[Path]) -> int:
    """Every entry of the ledgers lies in the log, where Kafka said it does.

    Returns:
        How many entries.

    Raises:
        Broken: one does not.
    """
    by_number = {(topic_number(topic), partition): (topic, bytes(ids)) for (topic, partition), ids in log.ids.items()}
    anywhere = set(_cut(b"".join(log.ids.values())))
    count = 0
    for path in ledgers:
        entries = read_ledger(path)
        count += len(entries)
        for identity, number, partition, offset in entries.tolist():
            if offset == UNTOLD:
                if identity not in anywhere:
                    raise Broken(f"event {identity.hex()} of {path.name} was acknowledged and is not in the log")
                continue
            topic, ids = by_number.get((number, partition), ("?", b""))
            if ids[16 * offset : 16 * offset + 16] != identity:
                raise Broken(f"event {identity.hex()} was acknowledged at {topic}/{partition}@{offset}, not there now")
    return count


def tables_equal_log(config: Settings, log: Log) -> str:
    """The digest of the tables is that of the log merged in memory.

    Raises:
        Broken: it is not; names the first row that differs.
    """
    held, told = tables.digest(config.database_url, config.schema), log.projection.digest()
    if held != told:
        where = _first_difference(config, config.schema, log)
        raise Broken(f"the tables are not what the log says: {where}")
    return held


def _first_difference(config: Settings, schema: str, log: Log) -> str:
    rows = tables.lines(config.database_url, schema)
    for count, (mine, other) in enumerate(zip(rows, log.projection.lines(), strict=False)):
        if mine != other:
            return f"row {count}: {schema} has {mine}, the log says {other}"
    return "one has more rows than the other"


def quarantine_equals_log(config: Settings, log: Log) -> int:
    """Table ``quarantine`` holds what was rejected, nothing else.

    Raises:
        Broken: it does not.
    """
    held = _quarantined(config)
    if missing := sorted(log.rejected - held):
        raise Broken(f"{len(missing)} rejected messages are not in table quarantine, the first is {missing[0]}")
    if strange := sorted(held - log.rejected):
        raise Broken(f"{len(strange)} rows of table quarantine come from nowhere, the first is {strange[0]}")
    return len(held)


def quarantine_behind(config: Settings) -> int:
    """How many records of the quarantine's topic are not in its table yet; a message that lies twice counts once."""
    log = Log()
    with _consumer(config) as consumer:
        for records in _records(consumer, (QUARANTINE_TOPIC, 0)):
            log.rejected.update(record.id.hex() for record in records)
    return len(log.rejected - _quarantined(config))


def archive_is_whole(config: Settings, log: Log) -> dict[str, int]:
    """Every record of the log is archived once, under its id, and ranges touch without gap.

    Raises:
        Broken: a record is missing, twice, or another.
    """
    manifests = sealing.seal(config, timeout_s=300)
    archive = Archive(config.home)
    reached: Counter[Part] = Counter()
    for manifest in manifests:
        if manifest.gaps:
            raise Broken(f"segment {manifest.number} says that Kafka had lost {manifest.gaps[0]}")
        for topic, partition, start, end in manifest.offsets:
            if reached[topic, partition] != start:
                raise Broken(f"segment {manifest.number} begins {topic}/{partition} at {start}, not where one ended")
            reached[topic, partition] = end
        _compare_ids(archive, manifest.number, log)
    expected = {part: len(ids) // 16 for part, ids in log.ids.items() if part[0] != QUARANTINE_TOPIC}
    for part, end in expected.items():
        if reached[part] != end:
            raise Broken(f"{part[0]}/{part[1]} is archived up to {reached[part]}, the log ends at {end}")
    events = sum(manifest.events for manifest in manifests)
    if events != sum(expected.values()):
        raise Broken(f"the archive holds {events} messages of {sum(expected.values())}")
    size = sum(part.bytes for manifest in manifests for part in manifest.files.values())
    return {"segments": len(manifests), "messages": events, "bytes": size}


def _compare_ids(archive: Archive, number: int, log: Log) -> None:
    table = pq.read_table(archive.file(number, "messages"), columns=["topic", "partition", "offset", "event_id"])
    names = ("topic", "partition", "offset", "event_id")
    seen: set[tuple[str, int, int]] = set()
    for topic, partition, offset, identity in zip(*(table[name].to_pylist() for name in names), strict=True):
        if log.ids[topic, partition][16 * offset : 16 * offset + 16] != identity:
            raise Broken(f"segment {number} has another message at {topic}/{partition}@{offset} than the log")
        seen.add((topic, partition, offset))
    if len(seen) != table.num_rows:
        raise Broken(f"segment {number} holds {table.num_rows - len(seen)} messages twice")


def replay_equals_log(config: Settings, digest: str, log: Log) -> float:
    """A replay of the whole archive into a schema of its own has the same digest.

    Returns:
        Seconds it took.

    Raises:
        Broken: it has another.
    """
    result = replay_window(Archive(config.home), config.database_url, _EVER, REPLAYED)
    if tables.digest(config.database_url, REPLAYED) != digest:
        raise Broken(f"the replay is not what the log says: {_first_difference(config, REPLAYED, log)}")
    return result.seconds


def _quarantined(config: Settings) -> set[str]:
    with psycopg.connect(config.database_url) as connection:
        query = sql.SQL("select id from {}.quarantine").format(sql.Identifier(config.schema))
        return {identity for (identity,) in connection.execute(query)}


def rows_of(config: Settings) -> dict[str, int]:
    """Rows by table."""
    with psycopg.connect(config.database_url) as connection:
        connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(config.schema)))
        found: dict[str, Any] = {}
        for name in ("register", "edge", "signal", "twin", "trend", "sample", "series", "slot_value", "quarantine"):
            query = sql.SQL("select count(*) from {}").format(sql.Identifier(name))
            found[name] = (connection.execute(query).fetchone() or [0])[0]
        return found


def _cut(ids: bytes) -> Iterator[bytes]:
    for start in range(0, len(ids), 16):
        yield ids[start : start + 16]
