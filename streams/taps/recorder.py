"""``python -m streams.taps.recorder FOLDER INTERFACE``: brings what a tap wrote down along the road.

A tap starts it and ends it by closing its standard input; what is on pages then is still brought. Signals are left to
the tap, so that both may be told to stop at once and nothing that was heard stays behind.
"""

import logging
import os
import signal
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from streams import journal
from streams.gateway.building import road_of
from streams.gateway.road import Answer, Road
from streams.settings import SettingsError, settings
from streams.spool import SpoolFull, SpoolTaken
from streams.taps.pages import pages_in, read_page

PAGES = "pages"
SPOOL = "spool"

_AHEAD = 4
_TURN_S = 0.05
_RETRY_S = 1.0
_NICE = 5

_log = logging.getLogger("streams.taps.recorder")  # run as a program, __name__ is another


def bring(folder: Path, interface: str, road: Road, ended: threading.Event) -> None:
    """Bring pages until it is time to end and none is left, or none can be brought."""
    while True:
        is_last = ended.is_set()
        pages = pages_in(folder)[:_AHEAD]
        underway = [(page, road.submit(interface, read_page(page), page.stat().st_size)) for page in pages]
        are_gone = [_brought(page, answer) for page, answer in underway]
        if is_last and (not pages or not all(are_gone)):
            return
        if not pages:
            ended.wait(_TURN_S)
        elif not all(are_gone):
            ended.wait(_RETRY_S)


def _brought(page: Path, answer: Future[Answer]) -> bool:
    """Whether the page is done with; it stays where neither Kafka nor the disk can take it."""
    try:
        answer.result()
    except SpoolFull as problem:
        _log.warning("%s; what is heard waits in %s", problem, page.parent)
        return False
    except Exception:  # noqa: BLE001 -- one page must not hold up all that follow
        page = page.rename(page.with_suffix(".failed"))
        _log.exception("a page could not be read, kept as %s", page)
        return True
    page.unlink()
    return True


def main(folder: Path, interface: str) -> int:
    """Bring pages until standard input ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)  # passing on goes first
    journal.begin()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # the road says itself what fails
    try:
        road = road_of(settings(with_database=False), folder / SPOOL)
    except (SettingsError, SpoolTaken, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    road.start()
    bring(folder / PAGES, interface, road, ended)
    road.stop()
    return 0


def _wait_for_end(ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    ended.set()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
