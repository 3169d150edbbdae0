"""A tap's command in a process of its own, as a user starts it."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

NOBODY = "127.0.0.1:9"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


class Tap:
    """A tap as a user starts it."""

    def __init__(self, module, *arguments, kafka, prefix, home, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", f"streams.taps.{module}", *map(str, arguments)],
            cwd=Path(__file__).parents[2],
            env={
                **os.environ,
                "TWIN_KAFKA": kafka,
                "TWIN_TOPIC_PREFIX": prefix,
                "TWIN_HOME": str(home),
                **environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self):
        for line in self.process.stderr:
            self.said += line

    def wait_until(self, condition, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while not (found := condition()):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return found

    def wait_for(self, pattern):
        """Until it says so; what it says."""
        return self.wait_until(lambda: re.search(pattern, self.said))

    @property
    def address(self):
        return self.wait_for(r"listening on (?:\w+://)?(\S+),")[1]

    def stop(self):
        """Tell it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(40)
        self._listening.join(5)
        self.process.stderr.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
