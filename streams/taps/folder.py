"""``python -m streams.taps.folder DIR``: the watched folder, for market files and whatever else comes as files.

| option | variable | meaning |
|---|---|---|
| ``DIR`` | ``TWIN_FOLDER`` | the folder; its subfolders are named by the number of an interface |
| ``--settle-s`` | ``TWIN_FOLDER_SETTLE_S`` | for how many seconds a file must not have changed |

Where Kafka is, and how much may wait on disk, is said as everywhere (:mod:`streams.settings`).
"""

import hashlib
import logging
import signal
import threading
from pathlib import Path

import click

from streams.gateway.building import road_of
from streams.settings import settings
from streams.taps.inbox import Inbox
from streams.taps.options import plain_errors

_log = logging.getLogger("streams.taps.folder")  # run as a program, __name__ is another


@click.command()
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path), envvar="TWIN_FOLDER"
)
@click.option("--settle-s", type=click.FloatRange(0.1), default=2.0, show_default=True, envvar="TWIN_FOLDER_SETTLE_S")
def main(folder: Path, settle_s: float) -> None:
    """Take files out of a folder, as soon as they are whole, and bring their messages into Kafka.

    A subfolder's name begins with the number of its interface: DIR/32, "DIR/32 MSB to supplier", DIR/E1. A file ends in
    done/ beside it, or in rejected/ with its reason in NAME.reason.txt; what could be read of it is taken all the same.
    gzip and zstd work. The same file again changes nothing.

    Example: python -m streams.taps.folder /srv/market
    """
    with plain_errors():
        config = settings(with_database=False)
        folder = folder.absolute()
        # Two folders may have the same name; each has its own spool.
        name = f"folder-{folder.name}-{hashlib.sha256(bytes(folder)).hexdigest()[:8]}"
        road = road_of(config, config.home / "taps" / name / "spool")
        inbox = Inbox(folder, road, settle_s=settle_s)
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        interfaces = ", ".join(number for number, _ in inbox.subfolders())
        _log.info("watching %s, interfaces %s", folder, interfaces or "none yet: make a subfolder, for example 32")
        road.start()
        try:
            inbox.watch(stopped)
        finally:
            road.stop()


if __name__ == "__main__":
    main()
