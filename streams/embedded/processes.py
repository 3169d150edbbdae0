"""Telling a process from another that later got its number, and ending processes."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STEP_S = 0.05


def birth(pid: int) -> str | None:
    """When a process was born, as a text that no other process with its number has; None: it does not live.

    Where the kernel counts ticks since boot, these are taken with the boot's id: unlike the wall clock's time they stay
    when the clock is set or the machine was asleep.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if _BOOT_ID.exists():
            # proc(5): field 22, counted behind the command's closing bracket, which may itself hold spaces
            ticks = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
            return f"{_BOOT_ID.read_text('ascii').strip()[:8]}-{ticks}"
        return f"{process.create_time():.2f}"
    except (psutil.Error, OSError):
        return None


def lives(pid: int | None, born: str | None) -> bool:
    """Whether the process noted with this number and birth still runs."""
    return bool(pid) and born is not None and birth(pid or 0) == born


def end(victims: Iterable[tuple[int, str, signal.Signals]], patience_s: float) -> None:
    """Send each process (number, birth, signal) its signal; kill the groups of those that stay."""
    left = [(pid, born, number) for pid, born, number in victims if lives(pid, born)]
    for pid, _, number in left:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    deadline = time.monotonic() + patience_s
    while left and time.monotonic() < deadline:
        time.sleep(_STEP_S)
        left = [victim for victim in left if lives(victim[0], victim[1])]
    for pid, _, _ in left:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
