"""Memory of processes that run for months: what a piece of work needed goes back when it is done.

The GNU C library otherwise keeps what was freed, and keeps it for each thread apart, so that a process grows with the
number of its pieces of work although each needs the same. Where the C library is another one, nothing happens here.
"""

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h


def begin() -> None:
    """Keep all memory in one place; at the start of a process."""
    _set(_M_ARENA_MAX, 1)


def begin_with_columns(large_bytes: int) -> None:
    """As :func:`begin`, for a process that holds long columns, Arrow's among them, beside many small things.

    Pieces of ``large_bytes`` and more each get a place of their own, which goes back as soon as they are freed. It
    costs the system's work for each, which short work would feel.
    """
    import pyarrow as pa  # noqa: PLC0415 -- a worker, which has no columns of Arrow, is spared its 40 MiB

    begin()
    _set(_M_MMAP_THRESHOLD, large_bytes)
    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Return to the system what is free."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def in_use_bytes() -> int:
    """What this process has of the machine's memory now."""
    import psutil  # noqa: PLC0415 -- as above, of a worker

    return int(psutil.Process().memory_info().rss)


def _set(parameter: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(parameter, value)
