"""One torture from start to end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import psycopg
from kafka.errors import KafkaError

from replay.torture import checks, poster, sender
from replay.torture.chaos import Chaos
from replay.torture.checks import Broken
from streams import lag
from streams.embedded import stack
from streams.settings import Settings, settings

_TICK_S = 0.1
_TOLD_EVERY_S = 30.0
_OWN = ("TWIN_KAFKA", "TWIN_DATABASE_URL", "TWIN_SCHEMA", "TWIN_TOPIC_PREFIX", "TWIN_HTTP_TOKEN", "TWIN_HTTP_HOST")
"""What a stack of its own must not take from the environment."""

REBALANCE = "partitions to read"
START_OVER = "starting over from the stored offsets"
"""What a worker's log says then."""


@dataclass(frozen=True, slots=True)
class Load:
    """How long and how hard; rates are messages (logs, for posts) a second."""

    duration_s: float
    seed: int
    workers: int = 3
    sites: int = 100
    rate: int = 1_500
    posts: int = 5
    settle_s: float = 300.0
    """How long the stack may take to settle by itself."""


def torture(home: Path, load: Load, say: Callable[[str], None]) -> dict[str, Any]:
    """Start a stack in an empty folder, torture it, and see whether all promises hold.

    Returns:
        What was counted.

    Raises:
        Broken: the first promise that was not kept. The stack has been stopped, its folder stays.
    """
    for name in _OWN:
        os.environ.pop(name, None)
    os.environ["TWIN_HOME"] = str(home)
    stack.up(home, workers=load.workers)
    try:
        config = settings()
        outside = [
            _outside(home, sender.__name__, config.kafka, load.seed, load.sites, load.rate),
            _outside(home, poster.__name__, f"http://127.0.0.1:{config.http_port}", load.seed, load.posts),
        ]
        chaos = Chaos(home, Random(f"chaos {load.seed}"), load.workers)  # noqa: S311 -- chance, no secret
        try:
            _load(chaos, load, outside, say)
            settled_s = _settle(config, load, outside)
        finally:
            for process in outside:
                process.kill()
        say(f"settled after {settled_s:.1f} s")
        return _counts(home, load, chaos) | {"settled_s": round(settled_s, 1)} | _hold(config, home, say)
    finally:
        stack.down(home)


def _outside(home: Path, module: str, address: str, *numbers: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", module, address, str(home), *map(str, numbers)]
    with (home / "log" / f"{module.rpartition('.')[2]}.log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _name(process: subprocess.Popen[bytes]) -> str:
    return str(list(process.args)[2]) if isinstance(process.args, list) else str(process.pid)


def _load(chaos: Chaos, load: Load, outside: list[subprocess.Popen[bytes]], say: Callable[[str], None]) -> None:
    started = time.monotonic()
    told_s = 0.0
    while (now_s := time.monotonic() - started) < load.duration_s:
        chaos.act(now_s)
        if now_s - told_s > _TOLD_EVERY_S:
            told_s = now_s
            say(f"{now_s:6.0f} s  " + ", ".join(f"{name} {count}" for name, count in sorted(chaos.done.items())))
        for process in outside:
            if process.poll() is not None:
                raise Broken(f"{_name(process)} ended by itself with code {process.returncode}; its log says why")
        time.sleep(_TICK_S)
    chaos.end()


def _settle(config: Settings, load: Load, outside: list[subprocess.Popen[bytes]]) -> float:
    """Let everything be sent, confirmed, spooled out, written; seconds it took."""
    started = time.monotonic()
    deadline = started + load.settle_s
    for process in reversed(outside):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Broken(f"{_name(process)} is still not rid of its messages after {load.settle_s:g} s") from None
        if process.returncode:
            raise Broken(f"{_name(process)} ended with code {process.returncode}; its log says why")
    problem = "nothing was asked"
    while time.monotonic() < deadline:
        try:
            if not (problem := _waits_for(config)):
                return time.monotonic() - started
        except (KafkaError, psycopg.Error, httpx.HTTPError, OSError) as trouble:
            problem = f"{type(trouble).__name__}: {trouble}"
        time.sleep(0.5)
    raise Broken(f"not settled after {load.settle_s:g} s: {problem}")


def _waits_for(config: Settings) -> str:
    """What keeps the stack from being settled; empty when nothing does."""
    dead = [part.name for part in stack.status(config.home) if part.state not in {"running", "done"}]
    if dead:
        return f"{', '.join(dead)} does not run"
    health = httpx.get(f"http://127.0.0.1:{config.http_port}/health", timeout=10.0).json()
    if health["spooled"] or not health["direct"]:
        return f"{health['spooled']} messages are in the gateway's spool"
    behind = sum(lag.lag(config).values())
    if behind:
        return f"{behind} messages of the log are not in the tables"
    waiting = checks.quarantine_behind(config)
    return f"{waiting} rejected messages are not in the quarantine" if waiting else ""


def _hold(config: Settings, home: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Hold log, tables and archive against each other."""
    log = checks.read_log(config)
    say(f"the log has {log.records} records of {log.distinct()} messages")
    acknowledged = checks.acknowledged_is_there(log, [home / sender.LEDGER, home / poster.LEDGER])
    say(f"all {acknowledged} acknowledged messages are in it")
    digest = checks.tables_equal_log(config, log)
    say(f"the tables are what the log says: {digest}")
    quarantined = checks.quarantine_equals_log(config, log)
    archived = checks.archive_is_whole(config, log)
    say(f"the archive holds all of it, in {archived['segments']} segments")
    replay_s = checks.replay_equals_log(config, digest, log)
    say(f"a replay of the archive has the same digest, after {replay_s:.1f} s")
    return {
        "log": {"records": log.records, "messages": log.distinct()},
        "acknowledged_found": acknowledged,
        "quarantined": quarantined,
        "archive": archived,
        "replay_s": round(replay_s, 1),
        "rows": checks.rows_of(config),
        "digest": digest,
    }


def _counts(home: Path, load: Load, chaos: Chaos) -> dict[str, Any]:
    workers = [
        (home / "log" / f"worker-{number}.log").read_text("utf-8", "replace") for number in range(1, load.workers + 1)
    ]
    return {
        "duration_s": load.duration_s,
        "seed": load.seed,
        "workers": load.workers,
        "sender": orjson.loads((home / sender.REPORT).read_bytes()),
        "poster": orjson.loads((home / poster.REPORT).read_bytes()),
        "deeds": dict(sorted(chaos.done.items())),
        "starts": {part.name: part.starts for part in stack.status(home)},
        "rebalances": sum(text.count(REBALANCE) for text in workers),
        "started_over": sum(text.count(START_OVER) for text in workers),
    }
