"""Memory of processes that run for months: what a piece of work needed goes back when it is done.

The GNU C library otherwise keeps what was freed, and keeps it for each thread apart, so that a process grows with the
number of its pieces of work although each needs the same. Where the C library is another one, nothing happens here.
"""

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h


def begin(large_bytes: int | None = None) -> None:
    """Keep all memory in one place; at the start of a process.

    Pieces of ``large_bytes`` and more each get a place of their own, which goes back as soon as they are freed: for
    columns that live long beside others. It costs the system's work for each, which short work would feel.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        if large_bytes is not None:
            mallopt(_M_MMAP_THRESHOLD, large_bytes)


def give_back() -> None:
    """Return to the system what is free."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
