"""How a process tells its supervisor, or the engine of its container, that it serves and goes on serving.

``TWIN_READY_FILE`` names a file that the process creates when it serves and touches as long as it works.
``python -m streams.readiness [URL]`` says by its exit code whether that file is fresh, or whether the URL answers.
"""

import os
import sys
import time
import urllib.request
from pathlib import Path

FRESH_S = 60.0
_TOUCH_S = 5.0

_touched_s = 0.0


def is_supervised() -> bool:
    """Whether a supervisor waits for this process, and has done before what all of them need."""
    return bool(os.environ.get("TWIN_READY_FILE"))


def announce_ready() -> None:
    """Create the file named by ``TWIN_READY_FILE``; nothing where no supervisor asked for it."""
    name = os.environ.get("TWIN_READY_FILE")
    if name:
        Path(name).touch()


def still_at_work() -> None:
    """Touch that file, if it is there; cheap enough to be called in every turn of a loop."""
    global _touched_s  # noqa: PLW0603 -- one file per process
    name = os.environ.get("TWIN_READY_FILE")
    if name and time.monotonic() - _touched_s > _TOUCH_S:
        _touched_s = time.monotonic()
        if Path(name).exists():
            os.utime(name)


def is_well(url: str = "") -> bool:
    """Whether the process serves: its URL answers, or its file is fresh, or it names none and so only has to run."""
    if url:
        try:
            with urllib.request.urlopen(url, timeout=4) as answer:  # noqa: S310 -- written into the compose file
                return bool(answer.status == 200)
        except OSError:
            return False
    name = os.environ.get("TWIN_READY_FILE")
    try:
        return not name or time.time() - Path(name).stat().st_mtime < FRESH_S
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(0 if is_well(*sys.argv[1:2]) else 1)
