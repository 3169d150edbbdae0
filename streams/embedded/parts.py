"""What the embedded stack consists of: for each part how it is started and when it is ready."""

import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streams.embedded import kafka, postgres
from streams.settings import masked, port, read_state

SERVERS = ("kafka", "postgres")

# Below the range from which systems take the ports of outgoing connections: so a port that was ours is still free
# at the next start.
_PORTS = range(20_000, 30_000)


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
    """It is started anew when it is not ready by then."""
    once: bool = False
    """It does its work and ends; it is ready when it has ended well."""
    stop_signal: signal.Signals = signal.SIGTERM
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
    home: Path,
    *,
    workers: int = 1,
    only: tuple[str, ...] = (),
    ports: Mapping[str, int] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """The stack for a home folder.

    Kafka and PostgreSQL are left out where ``TWIN_KAFKA`` or ``TWIN_DATABASE_URL`` name existing ones; ``only`` names
    the parts wanted (all, if empty). ``ports`` are those of a stack that runs already.

    Raises:
        streams.settings.SettingsError: a port cannot be.
    """
    ports = ports or choose_ports(home, environment)
    bootstrap = environment.get("TWIN_KAFKA") or f"127.0.0.1:{ports['kafka']}"
    database_url = environment.get("TWIN_DATABASE_URL") or postgres.url(home, ports["postgres"])
    parts = []
    if not environment.get("TWIN_KAFKA"):
        parts.append(_kafka(home, ports))
    if not environment.get("TWIN_DATABASE_URL"):
        parts.append(_postgres(home, ports["postgres"], database_url))
    ours = {
        "TWIN_HOME": str(home),
        "TWIN_KAFKA": bootstrap,
        "TWIN_DATABASE_URL": database_url,
        "TWIN_HTTP_PORT": str(ports["http"]),
    }
    parts.append(Part("setup", _module("streams.setup"), lambda: False, stage=1, once=True, environment=ours))
    parts.extend(_ours(home, f"worker-{count}", "streams.worker", ours) for count in range(1, workers + 1))
    parts.append(_ours(home, "archiver", "streams.archiver", ours))
    host = environment.get("TWIN_HTTP_HOST") or "127.0.0.1"
    parts.append(
        Part(
            "gateway",
            _module("streams.gateway"),
            lambda: _listens(host, ports["http"]),
            f"http://{host}:{ports['http']}",
            stage=2,
            environment=ours,
        )
    )
    if only:
        names = {*only, *(("setup",) if set(only) - set(SERVERS) else ())}
        parts = [part for part in parts if part.name.partition("-")[0] in names]
    return Plan(tuple(parts), bootstrap, database_url, ports["http"], ports)


def choose_ports(home: Path, environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """The ports named in the environment, else those of the last start, else free ones.

    Raises:
        streams.settings.SettingsError: a port cannot be.
    """
    known = read_state(home).get("ports", {})
    chosen: dict[str, int] = {}
    for name, key in (
        ("kafka", "TWIN_KAFKA_PORT"),
        ("controller", "TWIN_KAFKA_CONTROLLER_PORT"),
        ("postgres", "TWIN_DATABASE_PORT"),
        ("http", "TWIN_HTTP_PORT"),
    ):
        if environment.get(key):
            chosen[name] = port(environment, key, 0)
        elif name in known and _free(known[name]):
            chosen[name] = known[name]
        else:
            chosen[name] = _another(chosen.values())
    return chosen


def _kafka(home: Path, ports: Mapping[str, int]) -> Part:
    bootstrap = f"127.0.0.1:{ports['kafka']}"
    return Part(
        "kafka",
        lambda: kafka.prepare(home, ports["kafka"], ports["controller"]),
        lambda: kafka.ready(bootstrap),
        bootstrap,
        patience_s=120.0,
    )


def _postgres(home: Path, number: int, url: str) -> Part:
    return Part(
        "postgres",
        lambda: postgres.prepare(home, number),
        lambda: postgres.ready(url),
        masked(url),
        patience_s=300.0,  # recovery after a crash reads up to max_wal_size
        stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait until every client has gone
    )


def _ours(home: Path, name: str, module: str, environment: dict[str, str]) -> Part:
    """A process of this project that says by a file that it serves."""
    ready_file = home / "run" / f"{name}.ready"
    return Part(
        name,
        _module(module),
        ready_file.exists,
        stage=2,
        environment=environment | {"TWIN_READY_FILE": str(ready_file)},
    )


def _module(name: str) -> Callable[[], list[str]]:
    # -P: a folder that happens to be called like one of ours, where the user stands, is not imported
    return lambda: [sys.executable, "-P", "-m", name]


def _another(taken: Collection[int]) -> int:
    while True:
        number = random.choice(_PORTS)  # noqa: S311 -- no secret
        if number not in taken and _free(number):
            return number


def _free(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


def _listens(host: str, number: int) -> bool:
    try:
        with socket.create_connection((host if host != "0.0.0.0" else "127.0.0.1", number), timeout=0.5):  # noqa: S104
            return True
    except OSError:
        return False
