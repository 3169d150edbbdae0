"""``twin ingest``: a field log in its native format goes into Kafka."""

import sys
import time
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from cli.decode import EXIT_SOME_UNDECODED, interface_number
from cli.printing import as_json, console
from streams.ingest import Sent, send_files
from streams.settings import Settings, settings
from streams.sources import Source, find
from streams.topics import ensure_topics


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--interface", "number", required=True, help="Number of the interface, for example 15 or E1.")
@click.option("--source", default="", help="Who spoke; by default the file's name, or what the log says.")
@click.option("--json", "json_", is_flag=True, help="Print the counts as JSON.")
def ingest(files: tuple[Path, ...], number: str, source: str, json_: bool) -> None:
    """Send field logs in their native format into Kafka; folders, gzip and zstd work.

    What cannot be decoded goes to the quarantine with its reason (exit code 3). The same file twice changes no table.

    Example: twin ingest logs/2026-03-29/ --interface 4
    """
    known = interface_number(number)
    config = settings()
    ensure_topics(config.kafka, prefix=config.topic_prefix, timeout_s=10)
    started = time.perf_counter()
    messages, rejects, _ = _send(config, [entry for file in files for entry in find(file)], known, source)
    seconds = time.perf_counter() - started
    if json_:
        click.echo(as_json({"messages": messages, "rejects": rejects, "seconds": f"{seconds:.3f}"}))
    else:
        rate = messages / seconds if seconds else 0
        console.print(f"{messages:,} messages in {seconds:.1f} s ({rate:,.0f}/s), {rejects:,} rejected")
    if rejects:
        click.echo("see `twin quarantine list` for the reasons", err=True)
        sys.exit(EXIT_SOME_UNDECODED)


def _send(config: Settings, files: list[Source], number: str, source: str) -> Sent:
    """Send the files under a progress bar."""
    total = sum(file.size_bytes for file in files)
    columns = [TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn()]
    columns.append(TextColumn("{task.fields[messages]:,} messages, {task.fields[rejects]:,} rejects"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"interface {number}", total=total, messages=0, rejects=0)

        def show(sent: Sent) -> None:
            progress.update(task, completed=sent.read_bytes, messages=sent.messages, rejects=sent.rejects)

        return send_files(config, files, number, source, show)
