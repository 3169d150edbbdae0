"""In the middle of TCP connections: octets pass both ways at once, and a copy is cut into messages.

Messages are noted as captures hold them: the source is the connection, the context says ``from``, ``to`` and whether
the sender opened the connection (:mod:`schemas.wire.capture`).
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from schemas.interfaces import format_of
from schemas.wire.octets import Cut, Cutter
from streams.producer import now_us
from streams.taps.options import Address
from streams.taps.pages import Note

CONNECT_S: Final = 10.0
"""How long the target may take to answer."""

_KEEP_ALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 20),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
"""Two minutes after an end fell silent for good, say because its power failed, the other end is told too."""

_CHUNK_BYTES: Final = 64 * 1024

_log = logging.getLogger(__name__)


class OctetTap:
    """Passes on between whoever connects and one target.

    Args:
        target: where connections go on to.
        format_name: the wire format spoken.
        note: takes a copy of every message.
    """

    def __init__(self, target: Address, format_name: str, note: Callable[[Note], None]) -> None:
        self._target = target
        self._format = format_name
        self._note = note
        self._connections: set[asyncio.Task[Any]] = set()

    async def listen(
        self, address: Address, stopped: asyncio.Event, *, on_listening: Callable[[Address], None] = lambda _: None
    ) -> None:
        """Serve until stopped; then every connection is closed.

        Raises:
            OSError: the address cannot be had.
        """
        server = await asyncio.start_server(self._serve, address.host, address.port, backlog=1024)
        on_listening(Address(*server.sockets[0].getsockname()[:2]))
        await stopped.wait()
        server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._pass_on(reader, writer)
        except OSError as problem:
            _log.warning("%s cannot be reached: %s", self._target, str(problem) or "it does not answer")
        finally:
            self._connections.discard(task)
            writer.transport.abort()  # closed already, unless one end broke off

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_S):
            target_reader, target_writer = await asyncio.open_connection(*self._target)
        for each in (writer, target_writer):
            for option in _KEEP_ALIVE:
                each.get_extra_info("socket").setsockopt(*option)
        opener = _end(writer.get_extra_info("peername"))
        other = _end(target_writer.get_extra_info("peername"))
        there = Copy(self._format, self._note, opener, other, from_opener=True)
        back = Copy(self._format, self._note, opener, other, from_opener=False)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_pump(reader, target_writer, there))
                ways.create_task(_pump(target_reader, writer, back))
        except* OSError as broken:
            _log.info("%s broke off: %s", there.connection, broken.exceptions[0])
        finally:
            target_writer.transport.abort()
            there.finish()
            back.finish()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, copy: "Copy") -> None:
    """Pass on one way until its end, which is passed on too; the other way may go on."""
    while octets := await reader.read(_CHUNK_BYTES):
        writer.write(octets)
        copy.take(octets)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


class Copy:
    """One way of a connection, cut into messages. Whatever goes wrong here, nothing is raised."""

    def __init__(
        self, format_name: str, note: Callable[[Note], None], opener: str, other: str, *, from_opener: bool
    ) -> None:
        self._format = format_name
        self._note = note
        self.connection = f"{opener}-{other}"
        sender, receiver = (opener, other) if from_opener else (other, opener)
        self._context = {"from": sender, "to": receiver, "opener": from_opener}
        self._restart()
        self._time_us = 0

    def _restart(self) -> None:
        next_piece = format_of(self._format).next_piece
        assert next_piece is not None
        self._cutter = Cutter(next_piece)

    def take(self, octets: bytes) -> None:
        """Note what is whole now."""
        self._time_us = now_us()
        self._keep(lambda: self._cutter.feed(octets), octets)

    def finish(self) -> None:
        """Note what was begun; nothing comes after."""
        self._keep(self._cutter.finish, b"")

    def _keep(self, pieces: Callable[[], Iterable[Cut]], octets: bytes) -> None:
        try:
            for cut in pieces():
                # What is no message is noted too: it fails to decode, and so is kept with its reason.
                self._add(cut.raw)
        except Exception:  # noqa: BLE001 -- a broken cutter must not break the connection
            _log.exception("octets of %s could not be cut", self.connection)
            self._restart()
            self._add(octets)

    def _add(self, raw: bytes) -> None:
        self._note(Note(self._format, self.connection, self._time_us, raw, self._context))


def _end(peer: tuple[Any, ...]) -> str:
    return str(Address(*peer[:2]))
