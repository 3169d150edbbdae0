"""Memory of processes that run for months: what a piece of work needed goes back when it is done.

The GNU C library otherwise keeps what was freed, and keeps it for each thread apart, so that a process grows with the
number of its pieces of work although each needs the same. Large pieces it puts between small ones once it has seen them
freed, and then they cannot go back before those do.
"""

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h
_LARGE_BYTES = 256 << 10


def begin() -> None:
    """Keep all memory in one place, large pieces each in its own, which goes back at once; at the start of a process.

    Where the C library is another one, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Return to the system what is free."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
