"""What the measurements stand on: a broker and a database of their own, and for each part fresh topics and tables."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
import psycopg
from psycopg import sql

from replay.bench.usage import Part, Parts
from streams import migrate
from streams.archive.layout import Archive, next_offsets
from streams.embedded import stack
from streams.settings import Secret, Settings, read_state, settings
from streams.topics import ensure_topics

_READY_S = 180.0
_TICK_S = 0.05
_ARCHIVE_TICK_S = 1.0


@dataclass(slots=True)
class Ground:
    """The servers of one benchmark. ``scale`` shortens everything for trying."""

    home: Path
    scale: float
    kafka: str
    database_url: str
    servers: Parts = field(default_factory=dict)

    def seconds(self, whole: float) -> float:
        """A time, shortened."""
        return max(5.0, whole * self.scale)

    def count(self, whole: int) -> int:
        """A number of things, lessened."""
        return max(20_000, int(whole * self.scale))


@contextmanager
def servers(home: Path, scale: float) -> Iterator[Ground]:
    """Start broker and database; the database is another where ``TWIN_DATABASE_URL`` names one."""
    os.environ["TWIN_HOME"] = str(home)
    for name in ("TWIN_KAFKA", "TWIN_SCHEMA", "TWIN_TOPIC_PREFIX"):
        os.environ.pop(name, None)
    stack.up(home, only=("kafka", "postgres"))
    try:
        config = settings()
        ground = Ground(home, scale, config.kafka, config.database_url)
        ground.servers["broker"] = Part(psutil.Process(read_state(home)["parts"]["kafka"]["pid"]))
        ground.servers["database"] = Part.database(config.database_url)
        yield ground
    finally:
        stack.down(home)


class Room:
    """Topics, tables and archive that only one measurement uses, and the processes at work in them."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.ground = ground
        self.prefix, self.schema = f"bench-{name}.", f"bench_{name}"
        self.home = ground.home / name
        self.home.mkdir()
        self.parts: Parts = {}
        self._archive = Archive(self.home)
        self._stack = ExitStack()
        ensure_topics(ground.kafka, prefix=self.prefix)
        migrate.drop(ground.database_url, self.schema)
        migrate.migrate(ground.database_url, self.schema)

    @property
    def config(self) -> Settings:
        """As a process in it has it."""
        url = Secret(self.ground.database_url)
        return Settings(self.home, self.ground.kafka, url, self.schema, self.prefix, "", 0, Secret(""), 0, 0)

    def start(self, name: str, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a process of this project in this room."""
        environment = {
            **os.environ,
            "TWIN_HOME": str(self.home),
            "TWIN_KAFKA": self.ground.kafka,
            "TWIN_DATABASE_URL": self.ground.database_url,
            "TWIN_SCHEMA": self.schema,
            "TWIN_TOPIC_PREFIX": self.prefix,
            "TWIN_READY_FILE": str(self._ready_file(name)),
        }
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *arguments], stdout=log, stderr=log, env=environment
            )
        self._stack.callback(_end, process)
        self.parts[name] = Part(psutil.Process(process.pid))
        return process

    def run(self, name: str, module: str, *arguments: str) -> None:
        """Run a process to its end.

        Raises:
            RuntimeError: it failed.
        """
        if self.start(name, module, *arguments).wait():
            raise RuntimeError(f"{name} failed: {self.log_of(name)}")
        del self.parts[name]

    def start_workers(self, count: int, reading: Callable[[Iterable[bool]], bool] = any) -> None:
        """Workers that share the partitions, and the archiver beside them; returns when the first one reads, or all."""
        started = [self.start(f"worker-{number}", "streams.worker") for number in range(1, count + 1)]
        self.start("archiver", "streams.archiver")
        deadline = time.monotonic() + _READY_S
        while not reading(self._ready_file(f"worker-{number}").exists() for number in range(1, count + 1)):
            if any(process.poll() is not None for process in started) or time.monotonic() > deadline:
                raise RuntimeError(f"the workers do not come up: {self.log_of('worker-1')}")
            time.sleep(_TICK_S)

    def log_of(self, name: str) -> str:
        """The end of what a process wrote."""
        return (self.home / f"{name}.log").read_text("utf-8", "replace")[-2000:]

    def _ready_file(self, name: str) -> Path:
        return self.home / f"{name}.ready"

    def written(self) -> int:
        """How many records the tables have."""
        query = sql.SQL("select coalesce(sum(next_offset), 0)::bigint from {}.progress").format(
            sql.Identifier(self.schema)
        )
        with psycopg.connect(self.ground.database_url) as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def wait_until_written(self, records: int, patience_s: float) -> None:
        """Wait until the tables have so many.

        Raises:
            TimeoutError: they do not, after all this time.
        """
        _wait(self.written, records, patience_s, _TICK_S, "in the tables")

    def archived(self) -> int:
        """How many records are in sealed segments; the archiver, at the lowest priority, may be behind the tables."""
        return sum(next_offsets(self._archive.manifests()).values())

    def wait_until_archived(self, records: int, patience_s: float) -> None:
        """Wait until so many are archived.

        Raises:
            TimeoutError: they are not, after all this time.
        """
        _wait(self.archived, records, patience_s, _ARCHIVE_TICK_S, "in the archive")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        migrate.drop(self.ground.database_url, self.schema)


def _wait(count: Callable[[], int], records: int, patience_s: float, tick_s: float, place: str) -> None:
    deadline = time.monotonic() + patience_s
    while (there := count()) < records:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{records - there} of {records} records are still not {place}")
        time.sleep(tick_s)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
