"""``python -m replay.torture --duration 1800 --seed 7``: run it, print what was counted, write ``build/torture.json``.

Exit code 1 with a sentence on the first promise that was not kept; its folder then stays.
"""

import argparse
import secrets
import shutil
import signal
import sys
import time
from pathlib import Path

import orjson

from replay.torture.checks import Broken
from replay.torture.run import Load, torture

REPORT = Path("build/torture.json")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m replay.torture", description=__doc__)
    parser.add_argument("--duration", type=float, default=1800.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rate", type=int, default=1_500, help="messages a second")
    parser.add_argument("--keep", action="store_true", help="keep the folder in any case")
    chosen = parser.parse_args()
    load = Load(chosen.duration, chosen.seed, workers=chosen.workers, rate=chosen.rate)
    home = REPORT.parent.absolute() / f"torture-{chosen.seed}-{time.strftime('%H%M%S')}"
    home.mkdir(parents=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the stack is taken down in either case
    print(f"torture for {load.duration_s:g} s with seed {load.seed} in {home}")
    try:
        counted = torture(home, load, lambda line: print(line, flush=True))
    except Broken as problem:
        REPORT.write_bytes(orjson.dumps({"seed": load.seed, "duration_s": load.duration_s, "broken": str(problem)}))
        print(f"BROKEN: {problem}\nthe folder stays for whoever looks into it: {home}")
        return 1
    except KeyboardInterrupt:
        print(f"stopped before the end, so nothing is proven; what was written lies in {home}")
        return 130
    REPORT.write_bytes(orjson.dumps(counted, option=orjson.OPT_INDENT_2))
    for name, value in counted.items():
        print(f"{name:20} {value}")
    if not chosen.keep:
        shutil.rmtree(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
