"""What the embedded stack consists of: for each part how it is started and when it is ready."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from streams.embedded import kafka, ports, postgres
from streams.settings import masked

SERVERS = ("kafka", "postgres")

Say = Callable[[str], None]
Command = Callable[[Say], list[str]]
"""Gives a command line; may take long, and then says what it is doing."""


@dataclass(frozen=True, slots=True)
class Part:
    """A process: its command is asked for right before each start; ``ready`` says whether it serves."""

    name: str
    command: Command
    ready: Callable[[], bool]
    address: str = ""
    version: str = ""
    stage: int = 0
    """Parts of one stage start side by side; a stage starts when the one before is ready."""
    patience_s: float = 60.0
    """It is started anew when it is not ready by then."""
    once: bool = False
    """It does its work and ends; it is ready when it has ended well."""
    stop_signal: signal.Signals = signal.SIGTERM
    environment: dict[str, str] = field(default_factory=dict)
    afterwards: Callable[[], None] | None = None
    """Done beside everything once the whole stack is ready, for the next start's sake."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a stack and where its users find Kafka, database and gateway."""

    parts: tuple[Part, ...]
    kafka: str
    database_url: str
    http_port: int
    ports: Mapping[str, int]


def plan(
    home: Path,
    *,
    workers: int = 1,
    only: tuple[str, ...] = (),
    chosen: Mapping[str, int] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """The stack for a home folder.

    Kafka and PostgreSQL are left out where ``TWIN_KAFKA`` or ``TWIN_DATABASE_URL`` name existing ones; ``only`` names
    the parts wanted (all, if empty). ``chosen`` are the ports of a stack that runs already.

    Raises:
        streams.settings.SettingsError: a port cannot be.
        streams.embedded.postgres.PostgresUnavailable: there is no PostgreSQL for this machine.
    """
    chosen = chosen or ports.choose(home, environment)
    bootstrap = environment.get("TWIN_KAFKA") or f"127.0.0.1:{chosen['kafka']}"
    database_url = environment.get("TWIN_DATABASE_URL") or postgres.url(home, chosen["postgres"])
    parts = []
    if not environment.get("TWIN_KAFKA"):
        parts.append(_kafka(home, chosen))
    if not environment.get("TWIN_DATABASE_URL"):
        parts.append(_postgres(home, chosen["postgres"], database_url))
    ours = {
        "TWIN_HOME": str(home),
        "TWIN_KAFKA": bootstrap,
        "TWIN_DATABASE_URL": database_url,
        "TWIN_HTTP_PORT": str(chosen["http"]),
    }
    parts.append(_ours(home, "setup", "streams.setup", ours, once=True, stage=1))
    parts.extend(_ours(home, f"worker-{count}", "streams.worker", ours) for count in range(1, workers + 1))
    parts.append(_ours(home, "archiver", "streams.archiver", ours))
    parts.append(_gateway(home, environment.get("TWIN_HTTP_HOST") or "127.0.0.1", chosen["http"], ours))
    if only:
        names = {*only, *(("setup",) if set(only) - set(SERVERS) else ())}
        parts = [part for part in parts if part.name.partition("-")[0] in names]
    return Plan(tuple(parts), bootstrap, database_url, chosen["http"], chosen)


def _kafka(home: Path, chosen: Mapping[str, int]) -> Part:
    bootstrap = f"127.0.0.1:{chosen['kafka']}"
    return Part(
        "kafka",
        lambda say: kafka.prepare(home, chosen["kafka"], chosen["controller"], say),
        lambda: kafka.ready(bootstrap),
        bootstrap,
        kafka.KAFKA_VERSION,
        patience_s=120.0,
        afterwards=lambda: kafka.share_classes(home),
    )


def _postgres(home: Path, number: int, url: str) -> Part:
    postgres.programs()  # a machine without them is told so before anything starts
    return Part(
        "postgres",
        lambda say: postgres.prepare(home, number, say),
        lambda: ports.listens("127.0.0.1", number) and postgres.ready(url),
        masked(url),
        postgres.version(),
        patience_s=300.0,  # recovery after a crash reads up to max_wal_size
        stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait until every client has gone
    )


def _gateway(home: Path, host: str, number: int, environment: dict[str, str]) -> Part:
    return _ours(
        home,
        "gateway",
        "streams.gateway",
        environment,
        address=f"http://{ports.reached_at(host)}:{number}",
        ready=lambda: ports.listens(host, number),
    )


def _ours(
    home: Path,
    name: str,
    module: str,
    environment: dict[str, str],
    *,
    stage: int = 2,
    once: bool = False,
    address: str = "",
    ready: Callable[[], bool] | None = None,
) -> Part:
    """A process of this project; it says by a file that it serves, unless there is a better way to know."""
    ready_file = home / "run" / f"{name}.ready"
    # -P: a folder that happens to be called like one of ours, where the user stands, is not imported
    command = [sys.executable, "-P", "-m", module]
    return Part(
        name,
        lambda _: command,
        ready or ready_file.exists,
        address,
        version("gegenstrom"),
        stage=stage,
        once=once,
        environment=environment | {"TWIN_READY_FILE": str(ready_file)},
    )
