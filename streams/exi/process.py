"""The Java process that knows EXI: started at the first message, kept, started anew when it dies.

It ends with this process, because its input does.
"""

import atexit
import os
import select
import struct
import subprocess
import threading
import time
from typing import IO, Final

from schemas.wire.iso15118.codec import CodecUnavailable, NotExi
from streams.exi.parts import MAIN_CLASS, class_path
from streams.java import find_java

ANSWER_S: Final = 30
"""How long an answer may take. The first takes seconds, while Java loads grammars; later ones a fraction of a
millisecond."""

ANSWER_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""A message as JSON; some octets of EXI can say that a text has a hundred million characters."""

RETRY_S: Final = 60
"""How long after a failed start no other is tried: a log has thousands of messages."""

_HEAP: Final = "-Xmx96m"
_QUICK: Final = "-XX:TieredStopAtLevel=1"
"""Compile once, and soon. Optimising takes a core for the first 40,000 messages and doubles the speed after them; a
street has a few thousand a day, and whoever reads along has another use for the core."""

_OPTIONS: Final = (_HEAP, _QUICK, "-XX:+UseSerialGC", "-XX:-UsePerfData")
_ANSWER_HEAD: Final = 5
_ATTEMPTS: Final = 2


class JavaCodec:
    """A :class:`schemas.wire.iso15118.codec.Codec`; threads take turns."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._failed_s = 0.0
        self._failure = ""
        atexit.register(self.close)

    def decode(self, exi: bytes, namespace: str) -> bytes:
        """The JSON of a message; see :meth:`Codec.decode <schemas.wire.iso15118.codec.Codec.decode>`."""
        return self._ask(b"d", namespace, exi)

    def encode(self, message: bytes, namespace: str) -> bytes:
        """The EXI of a message given as JSON.

        Raises:
            NotExi: it does not fit the schema.
            CodecUnavailable: there is no Java, or the codec cannot be had.
        """
        return self._ask(b"e", namespace, message)

    @property
    def process_id(self) -> int | None:
        """Of the Java process; None while there is none."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the Java process, if there is one of ours."""
        with self._turn:
            self._end()

    def _ask(self, action: bytes, namespace: str, content: bytes) -> bytes:
        name = namespace.encode("ascii")
        request = struct.pack(">cB", action, len(name)) + name + struct.pack(">I", len(content)) + content
        with self._turn:
            for _ in range(_ATTEMPTS):
                process = self._running()
                try:
                    problem, answer = _exchange(process, request)
                except OSError:  # it died, by itself or over this message
                    self._end()
                    continue
                except BaseException:  # the rest of its answer would be taken for the next one
                    self._end()
                    raise
                if problem:
                    raise NotExi(answer.decode("utf-8", "replace"))
                return answer
        raise NotExi("the codec ended or gave no answer over this message, twice")

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._owner == os.getpid():
            return self._process
        if self._failure and time.monotonic() - self._failed_s < RETRY_S:
            raise CodecUnavailable(self._failure)
        try:
            self._process = _start()
        except CodecUnavailable as problem:
            self._failed_s, self._failure = time.monotonic(), problem.detail
            raise
        self._owner, self._failure = os.getpid(), ""
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()


def _start() -> "subprocess.Popen[bytes]":
    java = find_java()
    if java is None:
        raise CodecUnavailable("there is no Java here; install Java 17 or newer")
    command = [java, *_OPTIONS, "-cp", class_path(java), MAIN_CLASS]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
    except OSError as problem:
        raise CodecUnavailable(f"{java} does not start ({problem.strerror})") from problem


def _exchange(process: "subprocess.Popen[bytes]", request: bytes) -> tuple[bool, bytes]:
    """Whether the answer is a reason, and the answer.

    Raises:
        OSError: there is none.
        NotExi: it is larger than any message.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    deadline_s = time.monotonic() + ANSWER_S
    rest = memoryview(request)
    while rest:
        rest = rest[process.stdin.write(rest) :]
    problem, size = struct.unpack(">?I", _read(process.stdout, _ANSWER_HEAD, deadline_s))
    if size > ANSWER_LIMIT_BYTES:
        raise NotExi(f"it unfolds to {size} bytes; a message has at most {ANSWER_LIMIT_BYTES}")
    return problem, _read(process.stdout, size, deadline_s)


def _read(pipe: IO[bytes], size: int, deadline_s: float) -> bytes:
    octets = bytearray()
    while len(octets) < size:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline_s - time.monotonic()))
        if not ready:
            raise TimeoutError("no answer in time")
        more = pipe.read(size - len(octets))
        if not more:
            raise BrokenPipeError("the codec ended")
        octets += more
    return bytes(octets)
