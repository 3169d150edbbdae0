"""``twin up``, ``twin down``, ``twin status``: the stack on this machine."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from streams.embedded import stack
from streams.embedded.logs import LINE_BREAK
from streams.settings import home_of, masked, settings

EXIT_SOMETHING_DIED = 1
_WELL = {"running", "done", "external"}
_WIDTH = 80


@click.command()
@click.option("--workers", type=click.IntRange(1, 32), help="How many share the work (1, or as many as run).")
def up(workers: int | None) -> None:
    """Start Kafka, PostgreSQL, the workers, the archiver and the gateway on this machine.

    State lives in one folder (.twin, or TWIN_HOME) and survives a restart. An existing Kafka or database
    is used instead when TWIN_KAFKA or TWIN_DATABASE_URL name one. Where the stack runs already, what died is
    started again, and workers are added or ended until there are as many as asked for.

    Example: twin up --workers 2
    """
    started = time.perf_counter()
    home = home_of()
    before = _workers(home)
    if before:
        click.echo(f"already running with {before} {'worker' if before == 1 else 'workers'}")
    try:
        stack.up(
            home,
            workers=workers,
            on_progress=lambda line: click.echo(f"{time.perf_counter() - started:5.1f} s  {line}"),
        )
    except KeyboardInterrupt:
        click.echo("the stack goes on starting by itself; `twin down` stops it", err=True)
        sys.exit(130)
    if before and before != _workers(home):
        click.echo(f"now with {_workers(home)}")
    config = settings()
    click.echo(f"Kafka     {config.kafka}")
    click.echo(f"database  {config.database_address}")
    click.echo(f"gateway   http://{config.http_host}:{config.http_port}")
    click.echo("`twin status` says how it goes, `twin down` stops it")


@click.command()
def down() -> None:
    """Stop what `twin up` started; everything stored stays.

    Example: twin down
    """
    home = home_of()
    click.echo("stopped" if stack.down(home) else f"nothing runs in {home}")


@click.command()
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
def status(json_: bool) -> None:
    """Say of every part since when it runs, its version, how far it is behind, and what went wrong last.

    The lag of the workers is theirs together: messages in Kafka that are not in the tables yet; that of the archiver
    likewise for the archive; that of the gateway is what waits on its disk for Kafka. A server whose
    process runs and that does not answer is silent. The last error of a part that is well again is cut to a line;
    --json has all of it. Exit code 1 when a part died or is silent, or nothing runs.

    Example: twin status --json
    """
    home = home_of()
    parts = [part._asdict() | {"lag": None} for part in stack.status(home)]
    supervised = stack.supervisor_of(home) is not None
    alive = any(part["memory_mib"] for part in parts)
    existing = _existing()
    lag: int | None = None
    versions: dict[str, str] = {}
    trouble = ""
    if supervised or alive or existing:
        from cli.behind import measure  # noqa: PLC0415 -- loads the client libraries

        lag, versions, trouble = measure(parts, existing)
    parts = existing + parts
    if json_:
        from cli.printing import as_json  # noqa: PLC0415 -- loads what the tables need

        answer = {"home": str(home), "running": supervised, "parts": parts, "lag": lag, "versions": versions}
        click.echo(as_json(answer | {"error": trouble}))
    else:
        _show(home, parts, supervised=supervised, alive=alive, trouble=trouble)
        if lag is not None and not any(part["name"].startswith("worker-") for part in parts):
            click.echo(f"the tables are {lag:,} messages behind Kafka")  # the workers run elsewhere
    nothing = not (supervised or alive or existing)
    if nothing or any(part["state"] not in _WELL and part["error"] for part in parts):
        sys.exit(EXIT_SOMETHING_DIED)


_EXISTING = {"kafka": "TWIN_KAFKA", "postgres": "TWIN_DATABASE_URL"}
_NOT_OURS = {"external", "away"}
"""States of existing servers."""


def _existing() -> list[dict[str, Any]]:
    """Servers that are not ours, as parts."""
    bare = {"since": "", "pid": None, "memory_mib": 0, "version": "", "starts": 0, "error": "", "error_at": ""}
    return [
        {"name": name, "state": "external", "address": masked(os.environ[variable]), "lag": None} | bare
        for name, variable in _EXISTING.items()
        if os.environ.get(variable)
    ]


def _workers(home: Path) -> int:
    """Workers of the stack that runs now; 0 when none does."""
    if stack.supervisor_of(home) is None:
        return 0
    return sum(part.name.startswith("worker-") for part in stack.status(home))


def _show(home: Path, parts: list[dict[str, Any]], *, supervised: bool, alive: bool, trouble: str) -> None:
    """For people; no line is wider than 80 characters unless it is a sentence."""
    if not supervised and not alive and not any(part["state"] in _NOT_OURS for part in parts):
        click.echo(f"nothing runs in {home}: start it with `twin up`")
        if any(part["state"] == "died" for part in parts):
            click.echo("the last run was cut off: the machine or the supervisor ended without `twin down`")
        return
    click.echo(f"{'part':<11}{'state':<11}{'since':<22}{'version':<9}{'MiB':>6}{'lag':>12}")
    for part in parts:
        since = part["since"].replace("T", " ")
        memory = part["memory_mib"] or ""
        lag = "" if part["lag"] is None else f"{part['lag']:,}"
        row = f"{part['name']:<11}{part['state']:<11}{since:<22}{part['version']:<9}{memory:>6}{lag:>12}"
        click.echo(row.rstrip())
    for part in parts:
        if part["address"]:
            click.echo(f"{part['name']:<11}{part['address']}")
    for part in parts:
        for line in _last_error(part):
            click.echo(line)
    if trouble:
        click.echo(f"the lag is not known: {trouble}")
    if not supervised and alive:
        click.echo("nobody watches these parts: their supervisor was killed; `twin up` starts them anew")


def _last_error(part: dict[str, Any]) -> list[str]:
    """A line that fits the table while a part is well; all there is, the lines of its log each on its own, if not."""
    if not part["error"]:
        return []
    again = f" (started {part['starts']} times)" if part["starts"] > 1 else ""
    when = f"{part['error_at'].replace('T', ' ')} " if part["error_at"] else ""
    said = f"last error of {part['name']}{again}: {when}{part['error']}"
    if part["state"] in _WELL:
        return [said if len(said) <= _WIDTH else f"{said[: _WIDTH - 1]}…"]
    first, *more = said.split(LINE_BREAK)
    return [first, *(f"    {line}" for line in more)]
