"""A Faust agent as its guide has it, with an upsert an event: ``python -m replay.bench.faust_agent SECONDS REPORT``.

It reads interface 4 of the room it is started in, and writes into REPORT how many events it took in that time.
"""

import sys
import time
from pathlib import Path
from typing import Any

import faust
import orjson
import psycopg
import uvloop
from faust.types import StreamT
from psycopg import sql

from schemas.interfaces import interface
from streams import journal
from streams.settings import settings

CREATE = """create table if not exists plain (
    actor text, type text, at_us bigint, payload jsonb, primary key (actor, type))"""
_UPSERT = """insert into plain as held (actor, type, at_us, payload) values (%s, %s, %s, %s)
    on conflict (actor, type) do update set at_us = excluded.at_us, payload = excluded.payload
    where excluded.at_us >= held.at_us"""


def main() -> None:
    """Run it until it is ended."""
    seconds, report = float(sys.argv[1]), Path(sys.argv[2])
    config = settings()
    uvloop.install()
    app = faust.App(
        f"{config.topic_prefix}plain",
        broker=f"kafka://{config.kafka}",
        topic_allow_declare=True,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=str(config.home / "faust"),
        consumer_auto_offset_reset="earliest",
        logging_config=journal.LOGGING,
    )
    topic = app.topic(
        config.topic_prefix + interface("4").topic, value_type=bytes, value_serializer="raw", internal=False
    )

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def upsert(stream: StreamT[Any]) -> None:
        nonlocal seconds
        connection = await psycopg.AsyncConnection.connect(config.database_url, autocommit=True)
        await connection.execute(sql.SQL("set search_path to {}").format(sql.Identifier(config.schema)))
        await connection.execute(CREATE)
        count, started = 0, 0.0
        async for value in stream:
            event = orjson.loads(value)
            row = (event["actor"], event["type"], event["time_us"], orjson.dumps(event["payload"]).decode())
            await connection.execute(_UPSERT, row)
            count += 1
            started = started or time.monotonic()
            if (took_s := time.monotonic() - started) > seconds:
                _say(report, count, took_s)
                seconds = float("inf")

    worker = faust.Worker(app, loglevel="WARN", quiet=True, redirect_stdouts=False, logging_config=journal.LOGGING)
    worker.spinner = None
    worker.execute_from_commandline()


def _say(report: Path, events: int, seconds: float) -> None:
    fresh = report.with_suffix(".new")
    fresh.write_bytes(orjson.dumps({"events": events, "seconds": seconds}))
    fresh.replace(report)


if __name__ == "__main__":
    main()
