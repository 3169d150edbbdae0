"""The steps of a demonstration, each with how much it did and how long it took."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from replay.compare import Differences, compare
from replay.day import replay_day
from replay.scenario import write_day
from replay.scenario.setting import ISO15118_CARS
from schemas.interfaces import INTERFACES
from streams import lag, sealing
from streams.embedded import stack
from streams.exi import is_available
from streams.ingest import Sent, send_files
from streams.points import adopt
from streams.settings import Settings, settings
from streams.sources import find
from streams.topics import ensure_topics

_PATIENCE_S = 600.0
_SETTING_FILE = "setting.json"


class AnotherStreet(Exception):
    """The stack holds a street of another seed: the same meters would show two histories."""


class Demo(NamedTuple):
    """Which day of which street."""

    day: date
    sites: int
    seed: int


class Step(NamedTuple):
    """A step that is done; ``amount`` is of ``unit``, or None where there is nothing to count."""

    title: str
    amount: int | None
    unit: str
    seconds: float


class Ran(NamedTuple):
    """What happened: where the native messages lie, what was sent, and how the replay in schema ``into`` compares."""

    demo: Demo
    config: Settings
    folder: Path
    steps: list[Step]
    sent: Sent
    into: str
    differences: Differences


class Watcher(NamedTuple):
    """Who is told: ``doing(title, done, of)`` while a step runs (``of`` 0: unknown), ``done(step)`` after it."""

    doing: Callable[[str, int, int], None]
    done: Callable[[Step], None]


def run(home: Path, demo: Demo, watcher: Watcher) -> Ran:
    """Start the stack if it does not run, and take a day along the whole road; the stack runs on.

    The same day again sends the same messages again, which changes no table.

    Raises:
        AnotherStreet: the stack holds a street of another seed.
        StackFailed: a part did not start.
        TimeoutError, NotSealed: a step did not come to its end in time.
        ValueError: no street has so many sites.
    """
    folder = home / "demo" / str(demo.day)
    _claim(home / "demo" / _SETTING_FILE, demo)
    steps = _Steps(watcher)
    with steps.step("start Kafka, PostgreSQL and worker", "") as step:
        stack.up(home, on_progress=lambda _: step.at(0, 0))
    config = settings()
    into = f"{config.schema}_{demo.day:%Y_%m_%d}"
    with steps.step("write the day's native messages", "messages") as step:
        step.count = _write(demo, folder, step.at)
    with steps.step("ingest into Kafka", "messages") as step:
        sent = _ingest(config, folder, step.at)
        step.count = sent.messages
    with steps.step("wait until the tables have it all", "messages") as step:
        lag.wait_until_written(config, _PATIENCE_S, lambda behind: step.at(sent.messages - behind, sent.messages))
    with steps.step("archive as Parquet", "events") as step:
        sealed = sealing.seal(config, demo.day, timeout_s=_PATIENCE_S, on_progress=step.at)
        step.count = sum(manifest.events for manifest in sealed)
    with steps.step("replay the day from the archive", "facts") as step:
        step.count = replay_day(config, demo.day, into, on_progress=step.at).read
    with steps.step("compare live with the replay", "rows") as step:
        differences = compare(config.database_url, config.schema, into, demo.day)
        step.count = sum(differences.compared.values())
    return Ran(demo, config, folder, steps.done, sent, into, differences)


def _claim(file: Path, demo: Demo) -> None:
    """Hold on to the seed of the first day: with another one the same meters would tell another story."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(json.dumps({"seed": demo.seed}))
    held = json.loads(file.read_text())["seed"]
    if held != demo.seed:
        raise AnotherStreet(
            f"the street in {file.parent.parent} has seed {held}, and seed {demo.seed} would give its meters a second "
            f"history: take --seed {held}, or another folder with TWIN_HOME"
        )


def _write(demo: Demo, folder: Path, on_progress: Callable[[int, int], None]) -> int:
    """Write the day; registers run on from the first of its month, so that neighbouring days fit together.

    Where no EXI codec can be had, nobody could read what the cars say over their cables: they say nothing.
    """
    shutil.rmtree(folder, ignore_errors=True)
    written = write_day(
        demo.day,
        folder,
        sites=demo.sites,
        seed=demo.seed,
        first_day=demo.day.replace(day=1),
        iso15118_cars=ISO15118_CARS if is_available() else 0,
        on_progress=on_progress,
    )
    return sum(written.messages.values())


def _ingest(config: Settings, folder: Path, on_progress: Callable[[int, int], None]) -> Sent:
    """Send every interface's folder; they are named by the interface's number."""
    ensure_topics(config.kafka, prefix=config.topic_prefix)
    known = set(INTERFACES)
    folders = {path.name.lstrip("0"): find(path) for path in sorted(folder.iterdir()) if path.name.lstrip("0") in known}
    size_bytes = sum(file.size_bytes for files in folders.values() for file in files)
    parts: list[Sent] = []

    def tell(so_far: Sent) -> None:
        on_progress(sum(part.read_bytes for part in parts) + so_far.read_bytes, size_bytes)

    for interface, files in folders.items():
        adopt((file.path for file in files), interface)
        parts.append(send_files(config, files, interface, on_progress=tell))
    return Sent(*(sum(counts) for counts in zip(*parts, strict=True)))


class _Steps:
    """Takes the time of each step and tells the watcher."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.done: list[Step] = []

    @contextmanager
    def step(self, title: str, unit: str) -> "Iterator[_Step]":
        """A step; it is done when it ends without an error."""
        began_s = time.perf_counter()
        step = _Step(title, self._watcher.doing)
        step.at(0, 0)
        yield step
        self.done.append(Step(title, step.count, unit, time.perf_counter() - began_s))
        self._watcher.done(self.done[-1])


@dataclass
class _Step:
    """A step that is being done, and how much it has done."""

    title: str
    tell: Callable[[str, int, int], None]
    count: int | None = None

    def at(self, done: int, of: int) -> None:
        """So much of so much is done."""
        self.tell(self.title, done, of)
