"""``python -m replay.scenario DAY``: write a day of the street, without any server."""

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from replay.scenario.day import write_day
from replay.scenario.faults import FAULTS, USUAL_FAULTS, faults_of
from replay.scenario.setting import ISO15118_CARS
from schemas.calendar import day_slots, parse_day
from schemas.wire.iso15118.codec import CodecUnavailable

_EPILOG = """\
Below --out there is a folder for each interface, with native messages as they cross it, and truth/ with what really
happened: registers.csv, quarter_hours.csv, sites.csv. Lists of
what an address of telecontrol means lie in points/. The same arguments give the same bytes. Send them with
`twin ingest DIR/04 --interface 4`, or look at them with `twin decode`.

faults, each of which can be given by itself (several parted by commas), or all, or none:
"""


def main() -> int:
    """Write a day as the command line says."""
    arguments = _arguments()
    began_s = time.perf_counter()
    try:
        written = write_day(
            arguments.day,
            arguments.out,
            sites=arguments.sites,
            seed=arguments.seed,
            sml_interval_s=arguments.sml_interval,
            ocpp_interval_s=arguments.ocpp_interval,
            faults=faults_of(arguments.faults),
            first_day=arguments.first_day,
            iso15118_cars=arguments.iso15118_cars,
            on_progress=_progress if sys.stderr.isatty() else None,
        )
    except CodecUnavailable as problem:
        print(f"no EXI codec: {problem.detail}; --iso15118-cars 0 writes the day without it", file=sys.stderr)
        return 1
    except (ValueError, OSError) as problem:
        print(f"nothing written: {problem}", file=sys.stderr)
        return 1
    count, seconds = sum(written.messages.values()), time.perf_counter() - began_s
    for interface, messages in sorted(written.messages.items(), key=lambda item: (len(item[0]), item[0])):
        print(f"interface {interface:>2}  {messages:>12,} messages")
    print(f"{count:,} messages of {len(day_slots(arguments.day))} quarter hours in {seconds:.1f} s, in {arguments.out}")
    return 0


def _arguments() -> argparse.Namespace:
    faults = "\n".join(f"  {name:<12} {fault.meaning}" for name, fault in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m replay.scenario",
        description="Write the native messages of a street with bidirectional cars for a legal German day.",
        epilog=_EPILOG + faults + "\n\nexample: python -m replay.scenario 2026-10-25 --out street --faults gaps,late",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("day", type=_day, help="a day such as 2026-03-29")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--sites", type=int, default=12, help="houses in the street, up to 10000 (12)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another street (1)")
    parser.add_argument("--sml-interval", type=int, default=60, help="seconds between telegrams of a meter (60)")
    parser.add_argument("--ocpp-interval", type=int, default=60, help="seconds between meter values of a session (60)")
    cars = "most cars that speak ISO 15118 (%(default)s)"
    parser.add_argument("--iso15118-cars", type=int, default=ISO15118_CARS, help=cars)
    parser.add_argument("--faults", default=USUAL_FAULTS, help="what goes wrong (%(default)s)")
    parser.add_argument("--first-day", type=_day, help="registers run on from this day, so that days fit together")
    return parser.parse_args()


def _day(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


def _progress(done: int, of: int) -> None:
    print(f"\r{done} of {of} quarter hours", end="\r" if done < of else "\r\x1b[K", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
