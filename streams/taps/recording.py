"""The recording side of a tap: its pages, and the recorder that is kept alive beside it."""

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from streams.settings import Settings
from streams.taps.pages import Note, Pages
from streams.taps.recorder import PAGES

_AGAIN_S = 1.0
_END_S = 30.0

_log = logging.getLogger(__name__)


class Recording:
    """Keeps what a tap hears; to be used in a ``with``.

    Args:
        config: Kafka, home and limits.
        name: of the tap, for its folder ``taps/<name>`` in the home folder.
        interface: on which the messages cross.

    Raises:
        SpoolTaken: another tap of that name runs.
        OSError: its folder cannot be written.
    """

    def __init__(self, config: Settings, name: str, interface: str) -> None:
        folder = config.home / "taps" / name
        self._pages = Pages(folder / PAGES, limit_bytes=config.spool_limit_bytes)
        self._command = [sys.executable, "-m", "streams.taps.recorder", str(folder), interface]
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._recorder: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep_alive, args=(folder,), name="recorder-watch", daemon=True)

    def note(self, note: Note) -> None:
        """Keep a message. Never waits, never raises."""
        self._pages.note(note)

    def __enter__(self) -> Self:
        self._pages.start()
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._pages.stop()
        with self._lock:
            self._stopping.set()
            recorder = self._recorder
            if recorder is None or recorder.poll() is not None:
                recorder = self._start()  # once more, for what was heard last
        assert recorder.stdin is not None
        recorder.stdin.close()
        try:
            recorder.wait(_END_S)
        except subprocess.TimeoutExpired:
            _log.warning("the recorder did not end within %g s; what it did not bring is brought next time", _END_S)
            recorder.kill()
        self._watch.join()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: a Ctrl-C in the terminal is the tap's alone.
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)

    def _keep_alive(self, folder: Path) -> None:
        while True:
            try:
                with self._lock:
                    if self._stopping.is_set():
                        return
                    recorder = self._recorder = self._start()
                end = f"ended with {recorder.wait()}"
            except OSError as problem:
                end = f"cannot be started: {problem}"
            if not self._stopping.is_set():
                _log.error("the recorder %s; it is started again, what is heard waits in %s", end, folder)
                self._stopping.wait(_AGAIN_S)
