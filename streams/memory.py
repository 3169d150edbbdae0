"""Memory of processes that run for months: what a piece of work needed goes back when it is done.

The GNU C library otherwise keeps what was freed, and keeps it for each thread apart, so that a process grows with the
number of its pieces of work although each needs the same.
"""

import ctypes

_M_ARENA_MAX = -8  # malloc.h


def begin() -> None:
    """Keep all memory in one place; at the start of a process. Where the C library is another one, nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Return to the system what is free."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
