"""A database that is new gets back what Kafka does not tell it by itself: the quarantine.

The tables of facts come again with the log, for the database holds the offsets and a new one begins at zero. The
quarantine's topic is read by an agent, whose place in it Kafka remembers, whatever database there was.
"""

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import sql

from schemas.interfaces import QUARANTINE_TOPIC
from streams import quarantine
from streams.settings import Settings
from streams.topics import RECORD_LIMIT_BYTES, catalogue

_POLL_MS = 500


async def restore_quarantine(config: Settings) -> int:
    """Read the quarantine's topic from its beginning, if nothing was ever written here; how many records were read.

    Only before the workers of this database begin. Doing it twice changes nothing.

    Raises:
        aiokafka.errors.KafkaError: the broker does not answer.
        psycopg.Error: the database is away or refuses.
    """
    async with await psycopg.AsyncConnection.connect(config.database_url, connect_timeout=5) as connection:
        await connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(config.schema)))
        begun = await (await connection.execute("select exists (select from progress)")).fetchone()
        if begun is None or begun[0]:
            return 0
        await connection.commit()
        return await _restore(config, connection)


async def _restore(config: Settings, connection: psycopg.AsyncConnection) -> int:
    topic = config.topic_prefix + QUARANTINE_TOPIC
    consumer = AIOKafkaConsumer(
        bootstrap_servers=config.kafka, enable_auto_commit=False, max_partition_fetch_bytes=RECORD_LIMIT_BYTES
    )
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(catalogue(config.topic_prefix)[topic].partitions)]
        ends = await consumer.end_offsets(parts)
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        count = 0
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for part, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                for record in records:
                    await quarantine.store(connection, record.value, record.timestamp, (part.partition, record.offset))
                count += len(records)
        return count
    finally:
        await consumer.stop()
