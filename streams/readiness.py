"""How a process of the embedded stack tells its supervisor that it serves."""

import os
from pathlib import Path


def is_supervised() -> bool:
    """Whether a supervisor waits for this process, and has done before what all of them need."""
    return bool(os.environ.get("TWIN_READY_FILE"))


def announce_ready() -> None:
    """Create the file named by ``TWIN_READY_FILE``; nothing where no supervisor asked for it."""
    name = os.environ.get("TWIN_READY_FILE")
    if name:
        Path(name).touch()
