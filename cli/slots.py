"""``twin slots``: the quarter hours of a day."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from cli.printing import as_json, console, table
from cli.times import DAY, TIME
from replay import history
from schemas.calendar import day_slots
from schemas.rows import split_position
from schemas.time import SLOT_US, format_time
from streams import lookups
from streams.settings import Settings, settings
from twin.slots import QuarterHour, best_of, quarter_hours, total


@click.command()
@click.argument("point")
@click.argument("day", type=DAY)
@click.option("--known-at", "known_us", type=TIME, help="As far as it was recorded by then.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON.")
@click.option("--csv", "csv_", is_flag=True, help="Print as CSV.")
@click.option("--parquet", type=click.Path(path_type=Path, dir_okay=False), help="Write a Parquet file.")
def slots(point: str, day: date, known_us: int | None, json_: bool, csv_: bool, parquet: Path | None) -> None:
    """The 92, 96 or 100 quarter hours of a legal German DAY at a POINT, import and export.

    POINT is a meter id, MeLo, MaLo or STATION/EVSE. Each quarter hour has its quality, the register
    readings behind it and their events; a missing one is missing and never 0.

    Example: twin slots 1EMH0012345678 2026-03-29
    """
    config = settings()
    found = quarter_hours_of(config, point, day, known_us)
    if not any(quarter.value_mwh is not None or quarter.flags for quarter in found):
        near = ", ".join(lookups.points_like(config.database_url, config.schema, point)) or "none has a similar name"
        raise click.ClickException(f"nothing is known of {point} on {day}; points: {near}")
    rows = [as_row(quarter) for quarter in found]
    if parquet is not None:
        pa.parquet.write_table(pa.Table.from_pylist(rows), parquet)
    if json_:
        sums = {direction: sum_json(found, direction) for direction in ("import", "export")}
        click.echo(as_json({"point": point, "day": str(day), "total": sums, "quarter_hours": rows}))
    elif csv_:
        sink = pa.BufferOutputStream()
        flat = [{name: ";".join(map(str, v)) if isinstance(v, list) else v for name, v in row.items()} for row in rows]
        pa.csv.write_csv(pa.Table.from_pylist(flat), sink)
        click.echo(sink.getvalue().to_pybytes().decode(), nl=False)
    elif parquet is None:
        _print(point, day, found)


def quarter_hours_of(config: Settings, point: str, day: date, known_us: int | None = None) -> list[QuarterHour]:
    """The quarter hours of a point on a day, from registers and market values; what is best known of each."""
    wanted = day_slots(day)
    start, end = wanted[0], wanted[-1] + SLOT_US
    if known_us is None:
        edges = lookups.edges(config.database_url, config.schema, point, start, end)
        values = lookups.slot_values(config.database_url, config.schema, point, start, end)
        cancelled = lookups.cancelled_documents(config.database_url, config.schema)
    else:
        edges, values, cancelled = history.slots_known(config, point, start, end, known_us)
    return best_of(quarter_hours(edges, wanted, cancelled=cancelled), values)


def as_row(quarter: QuarterHour) -> dict[str, Any]:
    """A quarter hour as JSON, CSV and Parquet show it."""
    return {
        "slot": format_time(quarter.slot_us),
        "direction": quarter.direction,
        "value_mwh": quarter.value_mwh,
        "quality": quarter.quality,
        "flags": list(quarter.flags),
        "events": sorted({_where(position) for position in quarter.positions}),
        "readings": [f"{format_time(reading.time_us)}={reading.value_mwh}" for reading in quarter.readings],
    }


def sum_json(found: list[QuarterHour], direction: str) -> dict[str, int]:
    """Sum of one direction, and of how many quarter hours it is made."""
    sum_mwh, present, of = total([quarter for quarter in found if quarter.direction == direction])
    return {"sum_mwh": sum_mwh, "present": present, "of": of}


def _where(position: int) -> str:
    number, partition, offset = split_position(position)
    return f"{number}/{partition}@{offset}"


def _print(point: str, day: date, found: list[QuarterHour]) -> None:
    rows = [
        [
            format_time(quarter.slot_us),
            quarter.direction,
            None if quarter.value_mwh is None else f"{Decimal(quarter.value_mwh).scaleb(-6):.6f}",
            quarter.quality,
            " ".join(quarter.flags),
            " ".join(sorted({_where(position) for position in quarter.positions})),
        ]
        for quarter in found
    ]
    table(f"{point} on {day}", ["slot", "direction", "kWh", "quality", "flags", "events"], rows)
    for direction in ("import", "export"):
        sums = sum_json(found, direction)
        energy = Decimal(sums["sum_mwh"]).scaleb(-6)
        console.print(f"{direction}: {energy:.6f} kWh in {sums['present']} of {sums['of']} quarter hours")
