"""``twin archive``: seal what the archiver has written."""

from datetime import date

import click

from cli.printing import console, counted, progress_bar, table
from cli.times import DAY
from schemas.time import format_time
from streams import sealing
from streams.settings import settings


@click.command()
@click.argument("day", type=DAY, required=False)
@click.option("--json", "json_", is_flag=True, help="Print the manifests as JSON.")
def archive(day: date | None, json_: bool) -> None:
    """Write everything that is in Kafka now into Parquet, and the manifest of a DAY.

    Example: twin archive 2026-03-29
    """
    config = settings()
    with progress_bar("archiving") as advance:
        sealed = sealing.seal(config, day, on_progress=advance)
    if json_:
        click.echo(b"[" + b",".join(manifest.to_json() for manifest in sealed) + b"]")
        return
    rows = []
    for manifest in sealed:
        span = manifest.time_us
        first, last = ("", "") if span is None else (format_time(span.first_us), format_time(span.last_us))
        size_kib = sum(part.bytes for part in manifest.files.values()) // 1024
        rows.append([manifest.number, manifest.events, first, last, size_kib])
    table(f"archive {config.archive}", ["segment", "events", "first event", "last event", "KiB"], rows)
    events = sum(manifest.events for manifest in sealed)
    console.print(f"{counted(events, 'event')} in {counted(len(sealed), 'segment')}")
