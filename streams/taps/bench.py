"""``python -m streams.taps.bench``: what the OCPP tap adds to a call, with real connections on this machine.

Three processes: a backend that answers calls, a tap before it, and this one with the stations. Calls go through the tap
and directly to the backend by turns, so both see the same machine at the same time; the difference is the tap's, on the
way there and on the way back together.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple

import click
import psutil
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from streams.taps.options import raise_file_limit

_NOBODY = "127.0.0.1:9"
_SUBPROTOCOL: Any = "ocpp1.6"
_DIRECT = 200
_WARM_UP = 100
_AT_ONCE = 50
_PORT = re.compile(r"listening on (?:ws://)?[^ ]*:(\d+)")


@click.command()
@click.option("--stations", default=1000, show_default=True, help="Connections through the tap.")
@click.option("--calls-per-s", default=200, show_default=True, help="Calls of all stations, half of them direct.")
@click.option("--seconds", default=20, show_default=True)
@click.option("--kafka", default=_NOBODY, envvar="TWIN_KAFKA", help="Where frames are recorded; by default on disk.")
@click.option("--backend", "is_backend", is_flag=True, hidden=True)
def main(stations: int, calls_per_s: int, seconds: int, kafka: str, is_backend: bool) -> None:
    """Measure what the OCPP tap adds to a call, with many real connections on the loopback of this machine.

    Example: python -m streams.taps.bench --stations 1000 --calls-per-s 200 --seconds 20
    """
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if is_backend:
            runner.run(_answer())
            return
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            with (
                _started(home / "backend.log", "bench", "--backend") as backend,
                _tap(home, backend.port, kafka) as tap,
            ):
                ways = runner.run(_measure(stations, calls_per_s, seconds, backend.port, tap.port))
                cpu_s = sum(psutil.Process(tap.pid).cpu_times()[:2])
            waiting = sum(file.stat().st_size for kind in ("*.page", "*.spool") for file in home.rglob(kind))
        _report(ways, stations, cpu_s, waiting)


class _Part(NamedTuple):
    """A process, and the port on which it listens."""

    port: int
    pid: int


@contextmanager
def _started(log: Path, module: str, *arguments: str, **environment: str) -> Iterator[_Part]:
    command = [sys.executable, "-m", f"streams.taps.{module}", *arguments]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stderr=stderr, env={**os.environ, **environment}) as process,
    ):
        try:
            while (found := _PORT.search(log.read_text())) is None:
                if process.poll() is not None:
                    raise click.ClickException(f"a part did not start: {log.read_text()}")
                time.sleep(0.1)
            yield _Part(int(found[1]), process.pid)
        finally:
            process.terminate()


def _tap(home: Path, backend_port: int, kafka: str) -> AbstractContextManager[_Part]:
    arguments = ["--listen", "127.0.0.1:0", "--backend", f"ws://127.0.0.1:{backend_port}"]
    settings = {"TWIN_KAFKA": kafka, "TWIN_HOME": str(home), "TWIN_TOPIC_PREFIX": "bench."}
    return _started(home / "tap.log", "ocpp", *arguments, **settings)


async def _answer() -> None:
    async def station(connection: ServerConnection) -> None:
        async for message in connection:
            identity = str(message).split('"', 2)[1]
            await connection.send(f'[3,"{identity}",{{}}]')

    async with serve(station, "127.0.0.1", 0, subprotocols=[_SUBPROTOCOL], backlog=4096) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"listening on 127.0.0.1:{port}", file=sys.stderr, flush=True)
        await server.serve_forever()


async def _measure(
    stations: int, calls_per_s: int, seconds: int, backend_port: int, tap_port: int
) -> dict[str, list[float]]:
    through = await _connected(tap_port, stations)
    direct = await _connected(backend_port, _DIRECT)
    ways: dict[str, list[float]] = {"direct": [], "through the tap": []}
    turns = cycle(zip(ways.values(), (cycle(direct), cycle(through)), strict=True))
    calls: set[asyncio.Task[None]] = set()
    start_s = time.perf_counter()
    for number in range(calls_per_s * seconds):
        # one at a time: of two at once each would wait for what this process does for the other
        await asyncio.sleep(start_s + number / calls_per_s - time.perf_counter())
        times_s, connections = next(turns)
        call = asyncio.create_task(_call(next(connections), number, times_s))
        calls.add(call)
        call.add_done_callback(calls.discard)
    await asyncio.gather(*calls)
    for connection in (*through, *direct):
        connection.transport.abort()
    return {way: times[_WARM_UP:] for way, times in ways.items()}


async def _connected(port: int, count: int) -> list[ClientConnection]:
    found: list[ClientConnection] = []
    for start in range(0, count, _AT_ONCE):
        names = range(start, min(start + _AT_ONCE, count))
        found += await asyncio.gather(
            *(
                connect(f"ws://127.0.0.1:{port}/CP-{name}", subprotocols=[_SUBPROTOCOL], open_timeout=60, proxy=None)
                for name in names
            )
        )
    return found


async def _call(connection: ClientConnection, number: int, times_s: list[float]) -> None:
    sampled = '{"value":"10614.5","unit":"kWh","context":"Sample.Clock"}'
    value = f'{{"timestamp":"2026-03-29T01:00:00Z","sampledValue":[{sampled}]}}'
    call = f'[2,"{number}","MeterValues",{{"connectorId":1,"transactionId":4711,"meterValue":[{value}]}}]'
    sent_s = time.perf_counter()
    await connection.send(call)
    await connection.recv()
    times_s.append(time.perf_counter() - sent_s)


def _report(ways: dict[str, list[float]], stations: int, cpu_s: float, waiting: int) -> None:
    cuts = {way: quantiles(times, n=100) for way, times in ways.items()}
    print(f"{stations} stations, {len(ways['through the tap'])} calls each way, load {os.getloadavg()[0]:.1f}")
    print(f"{'round trip, ms':20}{'p50':>8}{'p90':>8}{'p99':>8}{'worst':>8}")
    for way, times in ways.items():
        figures = [cuts[way][49], cuts[way][89], cuts[way][98], max(times)]
        print(f"{way:20}" + "".join(f"{figure * 1000:8.2f}" for figure in figures))
    added = [cuts["through the tap"][cut] - cuts["direct"][cut] for cut in (49, 89, 98)]
    print(f"{'added by the tap':20}" + "".join(f"{figure * 1000:8.2f}" for figure in added))
    print(f"the tap used {cpu_s:.1f} s of processor time; {waiting} bytes wait on disk for Kafka")


if __name__ == "__main__":
    main()
