"""One replay in a process of its own.

``python -m replay.bench.replay_once HOME URL SCHEMA START_US END_US REPORT facts|messages``
"""

import os
import resource
import sys
from pathlib import Path

import orjson

from replay.bench.usage import peak_bytes
from replay.day import begin_process, replay_window
from replay.reading import Window
from streams.archive.layout import Archive


def main() -> None:
    """Run it and write what it took."""
    begin_process()
    home, url, schema, start_us, end_us, report, source = sys.argv[1:]
    window = Window(int(start_us), int(end_us))
    result = replay_window(Archive(Path(home)), url, window, schema, "messages" if source == "messages" else "facts")
    used = resource.getrusage(resource.RUSAGE_SELF)
    said = {
        "seconds": result.seconds,
        "read": result.read,
        "rows": result.counts,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mib": round(peak_bytes(os.getpid()) / 2**20, 1),
    }
    Path(report).write_bytes(orjson.dumps(said))


if __name__ == "__main__":
    main()
