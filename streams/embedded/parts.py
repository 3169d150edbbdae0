"""What the embedded stack consists of: for each part how it is started and when it is ready."""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.embedded import kafka, postgres
from streams.settings import SettingsError, number, read_state


@dataclass(frozen=True, slots=True)
class Part:
    """A process: its command is asked for right before each start; ``ready`` says whether it serves."""

    name: str
    command: Callable[[], list[str]]
    ready: Callable[[], bool]
    address: str = ""
    stage: int = 0
    """Parts of one stage start side by side; a stage starts when the one before is ready."""
    patience_s: float = 60.0
    identity: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a stack and where its users find Kafka, database and gateway."""

    parts: tuple[Part, ...]
    kafka: str
    database_url: str
    http_port: int
    ports: Mapping[str, int]


def plan(
    home: Path, *, workers: int = 1, only: tuple[str, ...] = (), environment: Mapping[str, str] = os.environ
) -> Plan:
    """The stack for a home folder.

    Kafka and PostgreSQL are left out where ``TWIN_KAFKA`` or ``TWIN_DATABASE_URL`` name existing ones; ``only`` names
    the parts wanted (all, if empty). Ports stay what they were at the last start, as long as they are free.
    """
    known = read_state(home).get("ports", {})
    ports = {
        name: _port(environment, key, known.get(name))
        for name, key in (
            ("kafka", "TWIN_KAFKA_PORT"),
            ("controller", "TWIN_KAFKA_CONTROLLER_PORT"),
            ("postgres", "TWIN_DATABASE_PORT"),
            ("http", "TWIN_HTTP_PORT"),
        )
    }
    bootstrap = environment.get("TWIN_KAFKA") or f"127.0.0.1:{ports['kafka']}"
    database_url = environment.get("TWIN_DATABASE_URL") or postgres.url(ports["postgres"])
    parts = []
    if not environment.get("TWIN_KAFKA"):
        parts.append(
            Part(
                "kafka",
                lambda: kafka.prepare(home, ports["kafka"], ports["controller"]),
                lambda: kafka.ready(bootstrap),
                bootstrap,
                patience_s=120.0,
            )
        )
    if not environment.get("TWIN_DATABASE_URL"):
        parts.append(
            Part(
                "postgres",
                lambda: postgres.prepare(home, ports["postgres"]),
                lambda: postgres.ready(database_url),
                database_url,
                patience_s=120.0,
                identity=postgres.identity(),
            )
        )
    ours = {
        "TWIN_HOME": str(home),
        "TWIN_KAFKA": bootstrap,
        "TWIN_DATABASE_URL": database_url,
        "TWIN_HTTP_PORT": str(ports["http"]),
    }
    for name, module, address in (
        *((f"worker-{count}", "streams.worker", "") for count in range(1, workers + 1)),
        ("archiver", "streams.archiver", ""),
        ("gateway", "streams.gateway", f"http://127.0.0.1:{ports['http']}"),
    ):
        ready_file = home / "run" / f"{name}.ready"
        parts.append(
            Part(
                name,
                _module(module),
                ready_file.exists if name != "gateway" else lambda: _listens(ports["http"]),
                address,
                stage=1,
                environment=ours | {"TWIN_READY_FILE": str(ready_file)},
            )
        )
    wanted = tuple(part for part in parts if not only or part.name.partition("-")[0] in only)
    return Plan(wanted, bootstrap, database_url, ports["http"], ports)


def _module(name: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-m", name]


def _port(environment: Mapping[str, str], key: str, known: int | None) -> int:
    if environment.get(key):
        port = number(environment, key, 0)
        if not 0 < port < 1 << 16:
            raise SettingsError(f"{key} is {port}; a port is between 1 and 65535")
        return port
    if known and not _listens(known):
        return known
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
