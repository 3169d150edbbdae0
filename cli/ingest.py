"""``twin ingest``: a field log in its native format goes into Kafka."""

import sys
import time
from contextlib import suppress
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from cli.decode import EXIT_SOME_UNDECODED
from cli.inputs import files_argument, interface_option, sources_of, zone_option
from cli.printing import as_json, console, counted, notes
from schemas.calendar import Zone
from schemas.interfaces import interface as interface_of
from schemas.interfaces import recognise
from schemas.wire.contract import WireError
from streams.ingest import Sent, send_files
from streams.points import adopt, points_of
from streams.settings import Settings, settings
from streams.sources import HEAD_BYTES, Source
from streams.topics import ensure_topics

_TELECONTROL = "iec104"
_PATIENCE_S = 5.0
"""How long Kafka may take to answer a person."""


@click.command()
@files_argument
@interface_option
@click.option("--source", default="", help="Who spoke; by default the file's name. What the log itself says holds.")
@zone_option
@click.option("--json", "json_", is_flag=True, help="Print the counts as JSON.")
def ingest(files: tuple[Path, ...], number: str, source: str, zone: Zone | None, json_: bool) -> None:
    """Send field logs in their native format into Kafka.

    The format is recognised from interface and content. Folders, gzip and zstd work, and - is standard input. A point
    list in points/NUMBER.csv beside the folder is taken over, unless .twin/points/NUMBER.csv is there already. The
    same file again changes no table, so after Ctrl-C or an error simply send it again.

    What cannot be decoded goes to the quarantine with its reason: exit code 3, and 0 when there is none.

    Example: twin ingest street/04/ --interface 4
    """
    config = settings()
    found = sources_of(files)
    ensure_topics(config.kafka, prefix=config.topic_prefix, timeout_s=_PATIENCE_S)
    if taken := adopt((file.path for file in found), number):
        notes.print(f"what addresses mean on interface {number} is now told by {taken}")
    elif points_of(number) is None and _is_telecontrol(found, number):
        where = config.home / "points" / f"{number}.csv"
        notes.print(f"what addresses mean on interface {number} nobody tells: write {where} and send the log again")
    started_s = time.perf_counter()
    messages, rejects, _ = _send(config, found, number, source, zone)
    seconds = time.perf_counter() - started_s
    if json_:
        click.echo(as_json({"messages": messages, "rejects": rejects, "seconds": round(seconds, 3)}))
    else:
        rate = f"{messages / seconds:,.0f}/s"
        console.print(f"{counted(messages, 'message')} in {seconds:.1f} s ({rate}), {rejects:,} rejected")
    if rejects:
        notes.print("`twin quarantine list` says why")
        sys.exit(EXIT_SOME_UNDECODED)


def _is_telecontrol(files: list[Source], number: str) -> bool:
    """Whether a file is of the protocol whose addresses only a point list explains; a pipe is not looked into."""
    if _TELECONTROL not in interface_of(number).formats:
        return False
    for file in files:
        if file.path.is_file():
            with file.open() as stream, suppress(WireError):
                known = recognise(number, stream.peek(HEAD_BYTES)[:HEAD_BYTES], file.name)
                if known is not None and known.name == _TELECONTROL:
                    return True
    return False


def _send(config: Settings, files: list[Source], number: str, source: str, zone: Zone | None) -> Sent:
    """Send the files under a progress bar."""
    columns = [TextColumn("interface {task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn()]
    columns.append(TextColumn("{task.fields[said]}"))
    started_s = time.perf_counter()
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
        # A pipe has no size: then the bar says only that something moves.
        task = progress.add_task(number, total=sum(file.size_bytes for file in files) or None, said="")

        def show(sent: Sent) -> None:
            rate = sent.messages / (time.perf_counter() - started_s)
            said = f"{counted(sent.messages, 'message')}, {rate:,.0f}/s, {sent.rejects:,} rejected"
            progress.update(task, completed=sent.read_bytes, said=said)

        return send_files(config, files, number, source, show, zone=zone)
