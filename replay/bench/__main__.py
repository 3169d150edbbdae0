"""``python -m replay.bench``: measure everything in one run, print it, write ``build/bench.json``.

``--scale 0.05`` (or ``BENCH_SCALE``) shortens it for trying; figures of a shortened run say little.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import orjson
from rich.console import Console

from replay.bench import again, baselines, catchup, decoders, live
from replay.bench.ground import Ground, servers
from replay.bench.pool import SITES, templates
from replay.bench.prepared import CODECS, prepare
from replay.bench.report import figures, show
from replay.bench.stations import stations

REPORT = Path("build/bench.json")
_FASTEST = 80_000
"""Events a second for which there is load."""


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m replay.bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=float(os.environ.get("BENCH_SCALE") or 1.0))
    parser.add_argument("--workers", type=int, default=int(os.environ.get("BENCH_WORKERS") or 2))
    parser.add_argument("--compression", choices=sorted(CODECS), default="zstd", help="what producers compress with")
    chosen = parser.parse_args()
    console = Console(highlight=False)
    REPORT.parent.mkdir(exist_ok=True)
    home = Path(mkdtemp(prefix="bench-", dir=REPORT.parent)).absolute()
    with servers(home, chosen.scale) as ground:
        found = _measure(ground, console, chosen.workers, chosen.compression)
    said = figures(found) | {"scale": chosen.scale, "workers": chosen.workers, "compression": chosen.compression}
    said["database"] = "as TWIN_DATABASE_URL names it" if os.environ.get("TWIN_DATABASE_URL") else "embedded"
    REPORT.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    show(console, said)
    shutil.rmtree(home)
    return 0


def _measure(ground: Ground, console: Console, workers: int, compression: str) -> dict[str, Any]:
    """One thing after the other, each alone on the machine."""
    found: dict[str, Any] = {"decoders": decoders.measure_all(ground.scale)}
    console.print(decoders.table(found["decoders"]))
    known = templates(SITES if ground.scale >= 1 else max(200, int(SITES * ground.scale)))
    console.print(f"prepared load: five minutes of the street are {len(known):,} messages")
    found["stations"] = stations(known)
    seconds = ground.seconds(live.WARM_S) + ground.seconds(live.SUSTAINED_S)
    backlog = ground.count(catchup.BACKLOG)
    wanted = max(int(_FASTEST * seconds), backlog, ground.count(max(again.DAYS)))
    load = ground.home / "load"
    prepare(load, known, wanted, compression)
    for name, title, measure in (
        ("live", "live", lambda: live.sustained(ground, load, workers)),
        ("latency", "append to visible", lambda: live.latency(ground, load, workers)),
        ("catchup", "catching up", lambda: catchup.backlog(ground, load, workers, backlog)),
        ("plain", "a plain Faust agent", lambda: baselines.plain_faust(ground, load)),
        ("one_upsert_s", "a single upsert", lambda: baselines.one_upsert(ground)),
        ("readings", "replay of readings", lambda: again.readings(ground)),
        ("flat", "memory of small and large days", lambda: again.flat(ground, load, workers)),
    ):
        found[name] = measure()
        console.print(f"{title}: {found[name]}")
    return found


if __name__ == "__main__":
    sys.exit(main())
