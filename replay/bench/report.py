"""What the benchmark says: one table for people, one file for scripts."""

import platform
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from replay.bench import decoders

Figures = dict[str, Any]


def figures(found: dict[str, Any]) -> Figures:
    """The figures by their public names, and each one's ratio to a baseline of the same run."""
    live, late, caught, again = found["live"], found["latency"], found["catchup"], found["readings"]
    plain, one_s = found["plain"]["events_per_s"], found["one_upsert_s"]
    return {
        "live_events_per_s": live["events_per_s"],
        "live_archived_events_per_s": live["archived_per_s"],
        "live_p50_s": late["p50_s"],
        "live_p99_s": late["p99_s"],
        "catchup_events_per_s": caught["events_per_s"],
        "replay_readings_per_s": again["readings_per_s"],
        "replay_s": round(again["seconds"], 2),
        "sum_s": again["sum_s"],
        "duckdb_s": again["duckdb_s"],
        "plain_faust_events_per_s": plain,
        "one_upsert_s": round(one_s, 5),
        "ratios": {
            "live_to_plain_faust": round(live["events_per_s"] / plain, 2),
            "catchup_to_plain_faust": round(caught["events_per_s"] / plain, 2),
            "p50_to_one_upsert": round(late["p50_s"] / one_s, 1),
            "p99_to_one_upsert": round(late["p99_s"] / one_s, 1),
            "sum_to_duckdb": round(again["sum_s"] / again["duckdb_s"], 2),
            "replay_to_duckdb": round(again["seconds"] / again["duckdb_s"], 2),
        },
        "peak_mib": live["peak_mib"] | {"replay": round(again["peak_mib"], 1)},
        "peak_mib_by_events": found["flat"],
        "cpu_us_per_event": live["cpu_us_per_event"]
        | {f"worker: {name}": us for name, us in found["stations"].items()},
        "decoders": found["decoders"],
        "details": {name: part for name, part in found.items() if name != "decoders"},
        "machine": {
            "cores": psutil.cpu_count(),
            "memory_mib": psutil.virtual_memory().total >> 20,
            "python": platform.python_version(),
            "load_average": psutil.getloadavg(),
        },
    }


def show(console: Console, said: Figures) -> None:
    """The table."""
    ratios = said["ratios"]
    _table(
        console,
        "what it does",
        ["figure", "", "of a baseline of this run"],
        [
            [
                "live, sustained for a minute",
                f"{said['live_events_per_s']:,} events/s",
                _times(ratios, "live_to_plain_faust"),
            ],
            ["archived meanwhile, at the lowest priority", f"{said['live_archived_events_per_s']:,} events/s", ""],
            [
                "append to visible at 10,000/s, median",
                f"{said['live_p50_s'] * 1000:.0f} ms",
                _times(ratios, "p50_to_one_upsert"),
            ],
            ["the same, 99 of 100", f"{said['live_p99_s'] * 1000:.0f} ms", _times(ratios, "p99_to_one_upsert")],
            ["catching up", f"{said['catchup_events_per_s']:,} events/s", _times(ratios, "catchup_to_plain_faust")],
            ["replay of readings, whole", f"{said['replay_s']:.1f} s", _times(ratios, "replay_to_duckdb")],
            ["the same", f"{said['replay_readings_per_s']:,} readings/s", ""],
            ["sum of the readings", f"{said['sum_s']:.2f} s", _times(ratios, "sum_to_duckdb")],
            ["baseline: DuckDB's sum", f"{said['duckdb_s']:.2f} s", ""],
            ["baseline: Faust agent, an upsert an event", f"{said['plain_faust_events_per_s']:,} events/s", ""],
            ["baseline: one row committed", f"{said['one_upsert_s'] * 1000:.1f} ms", ""],
        ],
    )
    live = said["cpu_us_per_event"]
    _table(console, "CPU an event, live", ["part", "µs"], [[name, str(used)] for name, used in live.items()])
    _table(
        console, "most memory, live", ["part", "MiB"], [[name, str(most)] for name, most in said["peak_mib"].items()]
    )
    days = said["peak_mib_by_events"]
    rows = [[part, *(_spread(runs, part) for runs in days.values())] for part in next(iter(days.values()))[0]]
    _table(console, "most memory by events of a day, MiB", ["part", *map(_thousands, days)], rows)
    console.print(decoders.table(said["decoders"]))


def _thousands(counts: str) -> str:
    return " of ".join(f"{int(count):,}" for count in counts.split(" of "))


def _spread(runs: list[dict[str, float]], part: str) -> str:
    """From the least to the most in these runs; nothing where the part was not looked at."""
    found = sorted({run[part] for run in runs if part in run})
    return " to ".join(map(str, found[:1] + found[1:][-1:]))


def _times(ratios: dict[str, float], name: str) -> str:
    return f"{ratios[name]:g} x {name.partition('_to_')[2].replace('_', ' ')}"


def _table(console: Console, title: str, heads: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()
