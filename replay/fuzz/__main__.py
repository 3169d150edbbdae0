"""``python -m replay.fuzz``: mutated messages against every decoder, as a table; exit code 1 where one fails."""

import argparse
import sys
from pathlib import Path

from replay.fuzz.runs import Result, run, save
from replay.fuzz.seeds import formats

OUT = Path("build/fuzz")
HEAD = "decoder       mutants    events   rejects   slowest     grown  a second  wrong"
PRINTED = 5
"""Problems of a decoder that are printed; the others are in files too."""


def main() -> int:
    """Run what the command line says."""
    arguments = _arguments()
    print(HEAD)
    failed = 0
    for name in arguments.only or formats():
        result = run(name, arguments.count, arguments.seed)
        print(_row(result), flush=True)
        for path, problem in list(zip(save(result, OUT), result.problems, strict=True))[:PRINTED]:
            print(f"  mutant {problem.number} on interface {problem.interface}: {problem.detail.splitlines()[0]}")
            print(f"  its bytes are in {path}")
        failed += bool(result.problems)
    return 1 if failed else 0


def _row(result: Result) -> str:
    rate = result.mutants / result.seconds if result.seconds else 0
    counts = f"{result.name:<12} {result.mutants:>8,} {result.events:>9,} {result.rejects:>9,}"
    limits = f"{result.slowest_s * 1000:>6.0f} ms {result.grown_bytes / 2**20:>5.0f} MiB"
    return f"{counts} {limits} {rate:>9,.0f}  {len(result.problems)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m replay.fuzz",
        description="Mutated messages against every decoder. The bytes that one fails on are kept in build/fuzz/.",
        epilog="example: python -m replay.fuzz --only sml --count 1000 --seed 7",
    )
    parser.add_argument("--count", type=int, default=10_000, help="mutants of each decoder (10000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other mutants (1)")
    parser.add_argument("--only", action="append", choices=formats(), help="this decoder; may be given several times")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
