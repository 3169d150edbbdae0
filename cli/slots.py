"""``twin slots``: the quarter hours of a day."""

import csv
import sys
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import pyarrow as pa
import pyarrow.parquet as pq

from cli.printing import as_json, console, counted, notes, place, table
from cli.times import DAY, TIME
from replay import history
from schemas.calendar import day_slots, local_time
from schemas.facts import MISSING, Direction
from schemas.time import SLOT_US, format_time, from_us
from streams import lookups
from streams.archive.layout import write_whole
from streams.settings import Settings, settings
from twin.actors.relations import SAME_AS
from twin.slots import QuarterHour, best_of, quarter_hours, total
from twin.slots.quarter_hour import is_cancelled

DIRECTIONS: Final[tuple[Direction, ...]] = ("import", "export")

_READING = pa.struct(
    [
        ("device", pa.string()),
        ("obis", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
        ("value_mwh", pa.int64()),
        ("position", pa.string()),
        ("event", pa.string()),
    ]
)
_EVENT = pa.struct([("position", pa.string()), ("id", pa.string())])
PARQUET = pa.schema(
    [
        ("slot", pa.timestamp("us", "UTC")),
        ("local", pa.string()),
        ("direction", pa.string()),
        ("value_mwh", pa.int64()),
        ("quality", pa.string()),
        ("flags", pa.list_(pa.string())),
        ("document", pa.string()),
        ("readings", pa.list_(_READING)),
        ("events", pa.list_(_EVENT)),
    ]
)
"""Columns of ``--parquet``: those of ``--json``, with times as times."""


class Day(NamedTuple):
    """The quarter hours of a point on a legal day, import before export, and what is known of their events.

    ``market`` are positions of the market messages by direction and slot, ``ids`` event ids by position.
    """

    point: str
    day: date
    quarters: list[QuarterHour]
    market: dict[tuple[str, int], set[int]]
    ids: dict[int, str]

    def positions(self, quarter: QuarterHour) -> list[int]:
        """Positions of the events a quarter hour rests on."""
        if quarter.version:
            return sorted(self.market.get((quarter.direction, quarter.slot_us), ()))
        return sorted(quarter.positions)


@click.command()
@click.argument("point")
@click.argument("day", type=DAY)
@click.option("--known-at", "known_us", type=TIME, help="As far as it was recorded by then.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
@click.option("--csv", "csv_", is_flag=True, help="Print as CSV.")
@click.option("--parquet", type=click.Path(path_type=Path, dir_okay=False), help="Write a Parquet file.")
def slots(point: str, day: date, known_us: int | None, json_: bool, csv_: bool, parquet: Path | None) -> None:
    """The 92, 96 or 100 quarter hours of a legal German DAY at a POINT, import and export.

    POINT is a meter id, MeLo, MaLo or STATION/EVSE. Each quarter hour has its quality, the register readings behind it
    and their events as topic/partition@offset (JSON, CSV and Parquet with their ids). One that is not known is
    missing, and never 0.

    Exit code 1 when nothing is known of that day.

    Example: twin slots GS-00000/1 2026-03-29 --csv
    """
    if json_ and csv_:
        raise click.UsageError("--json and --csv are two answers: ask for one of them")
    if parquet is not None:
        _check_target(parquet)
    config = settings()
    found = day_of_point(config, point, day, known_us)
    if not any(quarter.value_mwh is not None or quarter.flags for quarter in found.quarters):
        raise click.ClickException(_nothing_known(config, point, day, known_us))
    if parquet is not None:
        _write_parquet(parquet, found)
    if json_:
        sums = {direction: sum_json(found, direction) for direction in DIRECTIONS}
        rows = [as_row(found, quarter) for quarter in found.quarters]
        click.echo(as_json({"point": point, "day": str(day), "total": sums, "quarter_hours": rows}))
    elif csv_:
        _print_csv(found)
    elif parquet is None:
        _print(found)


def _nothing_known(config: Settings, point: str, day: date, known_us: int | None) -> str:
    """The sentence for a day without a quarter hour, and where to look instead."""
    near = lookups.points_like(config.database_url, config.schema, point.partition("/")[0])
    if point in near and known_us is not None:
        return f"nothing was known of {point} on {day} at {format_time(known_us)}; ask for a later --known-at"
    if point in near:
        return _nothing_counts(config, point, day)
    others = lookups.other_series(config.database_url, config.schema, point)
    start, end = day_slots(day)[0], day_slots(day)[-1] + SLOT_US
    sampled = lookups.sampled_slots(config.database_url, config.schema, point, start, end)
    hints = [f"points of that name: {', '.join(near)}"] if near else []
    hints += [f"the same wallbox is {' and '.join(names)}"] if (names := _other_names(config, point)) else []
    if sampled:
        hints.append(
            f"its power was measured in {sampled} quarter hours (table trend, `twin sql`), "
            "but under this name nobody reads a register that counts energy"
        )
    hints += [f"its {', '.join(others)} is in the view slot_value_v1 (`twin sql`), but no energy"] if others else []
    return f"nothing is known of {point} on {day}; {'; '.join(hints) or '`twin actors` lists who there is'}"


def _other_names(config: Settings, point: str) -> list[str]:
    """Under which other names master data know a wallbox."""
    attributes = lookups.twin(config.database_url, config.schema, f"evse:{point}")
    return [name for seen in attributes if seen.attribute == SAME_AS for name in str(seen.value).split()]


def _nothing_counts(config: Settings, point: str, day: date) -> str:
    """The sentence for a day of which what was said makes no quarter hour."""
    start, end = day_slots(day)[0], day_slots(day)[-1] + SLOT_US
    cancelled = lookups.cancelled_documents(config.database_url, config.schema)
    edges = lookups.edges(config.database_url, config.schema, point, start, end)
    documents = {edge.register.document for edge in edges if start <= edge.slot_us < end}
    documents |= {value.version for value in lookups.slot_values(config.database_url, config.schema, point, start, end)}
    if any(is_cancelled(document, cancelled) for document in documents):
        return f"what documents said of {point} on {day} is cancelled; --known-at shows what was known before"
    if documents:
        return f"what is known of {point} on {day} makes no quarter hour, such as a single reading"
    return f"nothing is known of {point} on {day}, only on other days"


def day_of_point(config: Settings, point: str, day: date, known_us: int | None = None) -> Day:
    """The quarter hours of a point on a day, from registers and market values; what is best known of each."""
    wanted = day_slots(day)
    start, end = wanted[0], wanted[-1] + SLOT_US
    if known_us is None:
        edges = lookups.edges(config.database_url, config.schema, point, start, end)
        values = lookups.slot_values(config.database_url, config.schema, point, start, end)
        cancelled = lookups.cancelled_documents(config.database_url, config.schema)
    else:
        edges, values, cancelled = history.slots_known(config, point, start, end, known_us)
    registers = quarter_hours(edges, wanted, cancelled=cancelled)
    best = best_of(registers, values, slots=wanted, cancelled=cancelled)
    by_key = {(quarter.direction, quarter.slot_us): quarter for quarter in best}
    unknown = QuarterHour(point, "import", start, None, MISSING)
    quarters = [
        by_key.get((direction, slot_us), unknown._replace(direction=direction, slot_us=slot_us))
        for direction in DIRECTIONS
        for slot_us in wanted
    ]
    market = _market_positions(config, point, start, end, quarters)
    bare = Day(point, day, quarters, market, {})
    positions = {position for quarter in quarters for position in bare.positions(quarter)}
    return bare._replace(ids=history.event_ids(config, positions))


def _market_positions(
    config: Settings, point: str, start_us: int, end_us: int, quarters: list[QuarterHour]
) -> dict[tuple[str, int], set[int]]:
    versions: dict[tuple[str, int], str] = {
        (quarter.direction, quarter.slot_us): quarter.version for quarter in quarters if quarter.version
    }
    found: dict[tuple[str, int], set[int]] = defaultdict(set)
    if versions:
        for source in lookups.value_positions(config.database_url, config.schema, point, start_us, end_us):
            key = (source.series.removeprefix("energy."), source.slot_us)
            if versions.get(key) == source.version:
                found[key].add(source.position)
    return found


def as_row(day: Day, quarter: QuarterHour) -> dict[str, Any]:
    """A quarter hour as JSON shows it."""
    return {
        "slot": format_time(quarter.slot_us),
        "local": local_time(quarter.slot_us).isoformat(),
        "direction": quarter.direction,
        "value_mwh": quarter.value_mwh,
        "quality": quarter.quality,
        "flags": list(quarter.flags),
        "document": quarter.version,
        "readings": [
            {
                "device": reading.device,
                "obis": reading.obis,
                "time": format_time(reading.time_us),
                "value_mwh": reading.value_mwh,
                "position": place(reading.position),
                "event": day.ids.get(reading.position),
            }
            for reading in quarter.readings
        ],
        "events": [{"position": place(position), "id": day.ids.get(position)} for position in day.positions(quarter)],
    }


def sum_json(day: Day, direction: str) -> dict[str, int]:
    """Sum of one direction, of how many quarter hours it is made, and how many are missing."""
    sum_mwh, present, of = total([quarter for quarter in day.quarters if quarter.direction == direction])
    return {"sum_mwh": sum_mwh, "present": present, "of": of, "missing": of - present}


def _check_target(file: Path) -> None:
    """Whoever is root can replace a device by a file, and nobody wants that; a folder made here hides a slip."""
    if file.exists() and not file.is_file():
        raise click.UsageError(f"--parquet: {file} is no ordinary file, and a Parquet file has to be one")
    if not file.absolute().parent.is_dir():
        raise click.UsageError(f"--parquet: there is no folder {file.parent}")


def _write_parquet(file: Path, day: Day) -> None:
    rows = [as_row(day, quarter) for quarter in day.quarters]
    for row, quarter in zip(rows, day.quarters, strict=True):
        row["slot"] = from_us(quarter.slot_us)
        for shown, reading in zip(row["readings"], quarter.readings, strict=True):
            shown["time"] = from_us(reading.time_us)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, PARQUET), sink, compression="zstd")
    write_whole(file, sink.getvalue().to_pybytes())
    notes.print(f"{counted(len(rows), 'row')} written to {file}")


def _print_csv(day: Day) -> None:
    """One row a quarter hour and direction; lists as words parted by spaces."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = ["slot", "local", "direction", "value_mwh", "quality", "flags", "document", "readings", "events", "ids"]
    writer.writerow(names)
    for quarter in day.quarters:
        row = as_row(day, quarter)
        row["flags"] = " ".join(row["flags"])
        row["readings"] = " ".join(f"{reading['time']}={reading['value_mwh']}" for reading in row["readings"])
        row["ids"] = " ".join(event["id"] or "-" for event in row["events"])
        row["events"] = " ".join(event["position"] for event in row["events"])
        writer.writerow([row[name] for name in names])


def _print(day: Day) -> None:
    rows = [
        [
            local_time(quarter.slot_us).isoformat(),
            quarter.direction,
            "-" if quarter.value_mwh is None else _kwh(quarter.value_mwh),
            quarter.quality,
            " ".join(quarter.flags),
            " ".join(_kwh(reading.value_mwh) for reading in quarter.readings),
            " ".join(map(place, day.positions(quarter))),
        ]
        for quarter in day.quarters
    ]
    columns = ["slot (legal time)", "direction", "kWh", "quality", "flags", "registers, kWh", "events"]
    table(f"{day.point} on {day.day}", columns, rows)
    for direction in DIRECTIONS:
        sums = sum_json(day, direction)
        known = f"{_kwh(sums['sum_mwh'])} kWh in {sums['present']} of {sums['of']} quarter hours"
        console.print(f"{direction}: {known}, {sums['missing']} missing")


def _kwh(energy_mwh: int) -> str:
    return f"{Decimal(energy_mwh).scaleb(-6):.6f}"
