"""Between charging stations and their backend: every frame passes unchanged, and a copy is noted.

The tap answers a station only once the backend has answered the tap, so the backend decides whom it lets in and which
subprotocol is spoken. Both sides then are two connections that end together: who closes one closes the other with the
same code and reason, and a side that is found dead is cut off on the other side too.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from websockets import ConnectionClosed, Headers, InvalidHandshake, InvalidStatus, InvalidURI, Request, Response
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from schemas.wire.ocpp.connection import TO_CSMS, TO_STATION
from streams.producer import now_us
from streams.taps.options import Address
from streams.taps.pages import Note

MESSAGE_LIMIT_BYTES: Final = 16 << 20
"""The largest message that passes."""

OPEN_S: Final = 20.0
"""How long the backend may take to answer a station's wish to connect."""

_NOT_PASSED_ON: Final = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of one connection only (RFC 9110, 7.6.1; RFC 6455, 4.1)."""

_ANSWERED: Final = ("Content-Type", "Location", "Retry-After", "WWW-Authenticate")
_UNSENDABLE: Final = {CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE}

_log = logging.getLogger(__name__)


class StationTap:
    """Passes on between stations and one backend.

    Args:
        backend: URL of the backend, ``ws://`` or ``wss://``; a station's path is appended.
        note: takes a copy of every frame.
        backend_tls: how to talk to a ``wss://`` backend; None: as browsers do.
        ping_s: how often each side is asked whether it lives; None: never.
    """

    def __init__(
        self,
        backend: str,
        note: Callable[[Note], None],
        *,
        backend_tls: ssl.SSLContext | None = None,
        ping_s: float | None = 30.0,
    ) -> None:
        self._base = backend.rstrip("/")
        self._note = note
        self._options: dict[str, Any] = {
            "max_size": MESSAGE_LIMIT_BYTES,
            "max_queue": 4,
            "ping_interval": ping_s,
            "ping_timeout": ping_s,
        }
        # One context for all: making one reads all certificates of the machine.
        is_secure = urlsplit(backend).scheme == "wss"
        self._backend_tls = (backend_tls or ssl.create_default_context()) if is_secure else None
        self._backends: dict[ServerConnection, ClientConnection] = {}

    async def listen(
        self,
        address: Address,
        stopped: asyncio.Event,
        *,
        tls: ssl.SSLContext | None = None,
        on_listening: Callable[[Address], None] = lambda _: None,
    ) -> None:
        """Serve stations until stopped; then both ends of every connection are told that the tap goes away (1001).

        Raises:
            OSError: the address cannot be had.
        """
        async with serve(
            self._pass_on,
            address.host,
            address.port,
            process_request=self._ask_backend,
            select_subprotocol=self._chosen,
            server_header=None,
            open_timeout=OPEN_S + 10,
            ssl=tls,
            backlog=4096,
            **self._options,
        ) as server:
            on_listening(Address(*next(iter(server.sockets)).getsockname()[:2]))
            await stopped.wait()

    async def _ask_backend(self, station: ServerConnection, request: Request) -> Response | None:
        """Connect to the backend as the station does; None where it agrees, else its refusal."""
        if not request.path.startswith("/") or ".." in unquote(urlsplit(request.path).path).split("/"):
            return station.respond(400, "a station's path is /.../IDENTITY\n")
        try:
            backend = await connect(
                self._base + request.path,
                subprotocols=_offered(request.headers),
                additional_headers=[
                    (name, value) for name, value in request.headers.raw_items() if name.lower() not in _NOT_PASSED_ON
                ],
                user_agent_header=None,
                compression="deflate" if "Sec-WebSocket-Extensions" in request.headers else None,
                proxy=None,
                ssl=self._backend_tls,
                open_timeout=OPEN_S,
                **self._options,
            )
        except InvalidStatus as refused:
            return _passed_on(refused.response)
        except InvalidURI:
            return station.respond(400, "this path makes no URL\n")
        except (OSError, InvalidHandshake) as problem:
            _log.warning("the backend cannot be reached for %s: %s", station_of(request.path), problem)
            return station.respond(502, "the backend cannot be reached\n")
        self._backends[station] = backend
        # A station that hangs up before it was answered is never passed on; its backend must not wait for it.
        gone = asyncio.ensure_future(station.wait_closed())
        gone.add_done_callback(lambda _: self._let_go(station))
        return None

    def _let_go(self, station: ServerConnection) -> None:
        backend = self._backends.pop(station, None)
        if backend is not None:
            backend.transport.abort()

    def _chosen(self, station: ServerConnection, _offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return self._backends[station].subprotocol

    async def _pass_on(self, station: ServerConnection) -> None:
        backend = self._backends.pop(station, None)
        if backend is None:
            return  # it hung up the moment it was answered
        assert station.request is not None
        source = station_of(station.request.path)
        subprotocol = {"subprotocol": station.subprotocol} if station.subprotocol else {}
        _log.info("%s is connected (%s)", source, station.subprotocol or "no subprotocol")
        try:
            await asyncio.gather(
                self._pump(station, backend, source, {"direction": TO_CSMS, **subprotocol}),
                self._pump(backend, station, source, {"direction": TO_STATION, **subprotocol}),
            )
        finally:
            for side in (station, backend):
                side.transport.abort()  # closed already, unless something went wrong here
        _log.info("%s is gone (%s)", source, station.close_code)

    async def _pump(self, origin: Connection, target: Connection, source: str, context: dict[str, str]) -> None:
        """Pass on one way until either end is closed."""
        with suppress(ConnectionClosed):
            while True:
                message = await origin.recv()
                raw = message.encode() if isinstance(message, str) else message
                self._note(Note("ocpp", source, now_us(), raw, context))
                await target.send(message)
        await origin.wait_closed()
        await _close_like(origin, target)


async def _close_like(origin: Connection, target: Connection) -> None:
    """Close with the code and reason that were heard; what ended without a word ends so on the other side too."""
    code = origin.close_code
    if code is None or code in _UNSENDABLE:
        target.transport.abort()
        return
    with suppress(ConnectionClosed):
        if code == CloseCode.NO_STATUS_RCVD:
            await target.close(None)  # type: ignore[arg-type]  # sent without a code, as it came
        else:
            await target.close(code, origin.close_reason or "")


def station_of(path: str) -> str:
    """The identity of a station: the last part of its path, percent-decoded (OCPP-J 2.0.1, part 4, clause 3.1.1).

    >>> station_of("/ocpp/CP%20001?token=1")
    'CP 001'
    """
    return unquote(urlsplit(path).path.rstrip("/").rpartition("/")[2]) or "unknown"


def _offered(headers: Headers) -> list[Subprotocol] | None:
    names = [name.strip() for value in headers.get_all("Sec-WebSocket-Protocol") for name in value.split(",")]
    return [Subprotocol(name) for name in names if name] or None


def _passed_on(refusal: Response) -> Response:
    """The backend's refusal, as the station gets it."""
    body = bytes(refusal.body or b"")
    headers = Headers(Connection="close")
    headers["Content-Length"] = str(len(body))
    for name in _ANSWERED:
        for value in refusal.headers.get_all(name):
            headers[name] = value
    return Response(refusal.status_code, refusal.reason_phrase, headers, body)
