"""``twin up``, ``twin down``, ``twin status``: the stack on this machine."""

import os
import sys
import time

import click
import psycopg
from kafka.errors import KafkaError

from cli.printing import as_json, console, table
from streams import lag
from streams.embedded import stack
from streams.settings import home_of, settings

EXIT_SOMETHING_DIED = 1


@click.command()
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 32), help="How many share the work.")
def up(workers: int) -> None:
    """Start Kafka, PostgreSQL, the workers, the archiver and the gateway on this machine.

    State lives in one folder (.twin, or TWIN_HOME) and survives a restart. An existing Kafka or database
    is used instead when TWIN_KAFKA or TWIN_DATABASE_URL name one.

    Example: twin up --workers 2
    """
    started = time.perf_counter()
    home = home_of()
    if stack.supervisor_of(home) is not None:
        console.print("already running; `twin status` says what")
    stack.up(
        home,
        workers=workers,
        on_progress=lambda name: console.print(f"{name:<12} ready after {time.perf_counter() - started:4.1f} s"),
    )
    config = settings()
    console.print(f"Kafka        {config.kafka}")
    console.print(f"database     {config.database_address}")
    console.print(f"gateway      http://{config.http_host}:{config.http_port}")
    console.print("stop it with `twin down`")


@click.command()
def down() -> None:
    """Stop what `twin up` started; everything stored stays.

    Example: twin down
    """
    click.echo("stopped" if stack.down(home_of()) else f"nothing runs in {home_of()}")


@click.command()
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def status(json_: bool) -> None:
    """Say of every part since when it runs, where, and what went wrong; and how far the tables are behind the log.

    Exit code 1 when a part died.

    Example: twin status --json
    """
    home = home_of()
    parts = [part._asdict() for part in stack.status(home)]
    for name, variable in (("kafka", "TWIN_KAFKA"), ("postgres", "TWIN_DATABASE_URL")):
        if os.environ.get(variable):
            parts.append({"name": name, "state": "external", "address": variable, "error": ""})
    running = stack.supervisor_of(home) is not None
    if not running and not any(part["state"] == "external" for part in parts):
        if json_:
            click.echo(as_json({"home": str(home), "running": False, "parts": parts, "lag": None, "versions": {}}))
        else:
            click.echo(f"nothing runs in {home}: start it with `twin up`")
        sys.exit(EXIT_SOMETHING_DIED)
    behind, versions, trouble = _behind()
    if json_:
        answer = {"home": str(home), "running": running, "parts": parts, "lag": behind, "versions": versions}
        click.echo(as_json(answer | {"error": trouble}))
    else:
        rows = [
            [part["name"], part["state"], part.get("since"), part.get("memory_mib"), part["address"], part["error"]]
            for part in parts
        ]
        table(str(home), ["part", "state", "since", "MiB", "address", "last error"], rows)
        console.print(f"lag: {'unknown' if behind is None else f'{behind:,} messages'}   {trouble}")
        console.print("   ".join(f"{name} {version}" for name, version in versions.items()))
    if any(part["state"] == "died" for part in parts):
        sys.exit(EXIT_SOMETHING_DIED)


def _behind() -> tuple[int | None, dict[str, str], str]:
    """Records not in the tables yet, versions, and what kept us from knowing."""
    config = settings()
    try:
        versions = lag.versions(config)
        return sum(lag.lag(config).values()), versions, ""
    except (KafkaError, psycopg.Error, OSError) as problem:
        return None, {}, str(problem).strip().partition("\n")[0]
