"""The Faust worker: the batch service on the hot path, agents and timers for what is rare.

``python -m streams.worker`` runs one; several share the partitions. Faust's exactly-once mode is not used
(the database holds the offsets), and its agents see only control topics.
"""

import asyncio
import gc
import logging
import sys
import time
from typing import Any

import faust
import psycopg
import uvloop
from faust.types import StreamT
from mode import Service
from psycopg import sql

from schemas.interfaces import INTERFACES, QUARANTINE_TOPIC
from streams import journal, memory, quarantine, setup
from streams.addresses import reachable
from streams.batches import BatchLoop
from streams.readiness import is_supervised
from streams.settings import Settings, SettingsError, settings

GROUP = "gegenstrom"
_COLLECT_S = 60.0
log = logging.getLogger("streams")


class BatchService(Service):  # type: ignore[misc]  # mode has no types
    """The hot path as a service of the Faust app; lives and dies with it."""

    def __init__(self, loop: BatchLoop, **arguments: Any) -> None:
        self.batches = loop
        super().__init__(**arguments)

    @Service.task  # type: ignore[untyped-decorator]
    async def _read(self) -> None:
        await self.batches.run()

    async def on_stop(self) -> None:
        """Write what was read, then go."""
        self.batches.stop()


def make_app(config: Settings) -> faust.App:
    """The Faust app of a worker."""
    app = faust.App(
        f"{config.topic_prefix}{GROUP}-control",
        broker=f"kafka://{config.kafka}",
        broker_max_poll_records=500,
        broker_session_timeout=15.0,  # Faust's 60 s are how long the quarantine would wait for a worker that was killed
        topic_allow_declare=True,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=str(config.home / "faust"),
        consumer_auto_offset_reset="earliest",
        logging_config=journal.LOGGING,
    )
    loop = BatchLoop(
        config.kafka,
        config.database_url,
        config.schema,
        topics=[config.topic_prefix + entry.topic for entry in INTERFACES.values()],
        group=config.topic_prefix + GROUP,
        prefix=config.topic_prefix,
    )
    app.service(BatchService(loop))
    rejected = app.topic(
        config.topic_prefix + QUARANTINE_TOPIC, value_type=bytes, value_serializer="raw", internal=False
    )

    @app.agent(rejected, name="quarantine")  # type: ignore[untyped-decorator]
    async def keep_rejected(stream: StreamT[bytes]) -> None:
        """Rejected messages into table quarantine; the table's key makes a redelivery harmless."""
        async for event in stream.events():
            message = event.message
            await _until_stored(
                config, message.value, int(message.timestamp * 1000), (message.partition, message.offset)
            )

    @app.timer(interval=10.0)  # type: ignore[untyped-decorator]
    async def report() -> None:
        """One line every ten seconds in which something happened."""
        measured = loop.measured
        if measured.events:
            log.info("%s events, %s batches, rows %s", measured.events, measured.batches, measured.rows)

    @app.timer(interval=_COLLECT_S)  # type: ignore[untyped-decorator]
    async def collect() -> None:
        """See :func:`main`."""
        gc.collect()
        memory.give_back()

    return app


async def _until_stored(config: Settings, value: bytes, recorded_ms: int, where: tuple[int, int]) -> None:
    """Keep a rejected message, however long the database is away."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(config.database_url, connect_timeout=5) as connection:
                await connection.execute(sql.SQL("set search_path to {}, public").format(sql.Identifier(config.schema)))
                await quarantine.store(connection, value, recorded_ms, where)
        except psycopg.OperationalError as problem:
            log.warning("the quarantine waits for the database: %s", problem)
            await asyncio.sleep(1.0)
        else:
            return


def _wait_for(kafka: str) -> None:
    """Faust gives up when its first contact fails; a broker that is just starting again is worth the wait."""
    if not reachable(kafka):
        log.warning("Kafka at %s does not answer yet", kafka)
    while not reachable(kafka):
        time.sleep(0.5)


def main() -> int:
    """Run a worker until SIGTERM; the exit code says whether it could."""
    journal.begin()
    memory.begin()
    # A batch is a million small values without a cycle among them; looking through them again and again for cycles
    # takes a third of the worker's time. Once a minute is enough.
    gc.disable()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    # In a stack the part `setup` has done this once for all.
    if not is_supervised() and (code := setup.main()):
        return code
    try:
        config = settings()
        config.home.mkdir(parents=True, exist_ok=True)
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 1
    _wait_for(config.kafka)
    worker = faust.Worker(
        make_app(config), loglevel="WARN", quiet=True, redirect_stdouts=False, logging_config=journal.LOGGING
    )
    worker.spinner = None  # it draws into the log, and spins with the debug messages of all libraries, made for it
    worker.execute_from_commandline()  # ends the process
    return 0


if __name__ == "__main__":
    sys.exit(main())
