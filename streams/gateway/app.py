"""The routes of the gateway."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from schemas.interfaces import interface as interface_of
from schemas.time import parse_time
from streams.gateway.body import NDJSON, SOURCE_LIMIT, Part, Posted, json_lines
from streams.gateway.road import Answer, Road
from streams.producer import Clock, now_us
from streams.spool import SpoolFull

HELP = """Gegenstrom, HTTP gateway

POST /interfaces/{n}/messages   one message or a log of them, in its native format, as the body
                                many: Content-Type: application/x-ndjson, each line {"raw": "text"} or
                                {"base64": "..."}, with "time" and "source" where they differ
    X-Source: NAME              who speaks (default: the address the request comes from)
    X-Time: 2026-03-29T01:00Z   when it was heard (default: now)
    Authorization: Bearer ...   where a token is configured
  200 Kafka has it   202 it waits on disk for Kafka   422 nothing could be decoded, all is in the quarantine
  401 token missing or wrong   404 no such interface   413 too large   503 try again after Retry-After seconds
GET /health                     is Kafka there, how many messages wait on disk
"""

RETRY_AFTER_S = 10


class Gateway:
    """The HTTP side: checks a request, hands it to the road, words the answer.

    Args:
        road: takes the messages.
        kafka_there: whether Kafka can be reached now, for the health page.
        token: who posts must know it; empty: anyone may post.
        limit_bytes: the largest body.
        held_bytes: how many bytes of bodies may be under way at once.
        clock: the time of arrival.
    """

    def __init__(
        self,
        road: Road,
        kafka_there: Callable[[], bool],
        *,
        token: str = "",
        limit_bytes: int = 16 << 20,
        held_bytes: int = 256 << 20,
        clock: Clock = now_us,
    ) -> None:
        self._road = road
        self._kafka_there = kafka_there
        self._token = token.encode()
        self._limit_bytes = limit_bytes
        self._held_limit_bytes = held_bytes
        self._held_bytes = 0
        self._clock = clock

    def app(self) -> Starlette:
        """The ASGI application; it starts the road and stops it."""

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            self._road.start()
            yield
            await asyncio.to_thread(self._road.stop)

        return Starlette(
            routes=[
                Route("/", self.help),
                Route("/health", self.health),
                Route("/interfaces/{number}/messages", self.post, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _nothing_there},
            lifespan=lifespan,
        )

    async def help(self, _request: Request) -> Response:
        """What this is."""
        return PlainTextResponse(HELP)

    async def health(self, _request: Request) -> Response:
        """Is Kafka there, and how many messages wait."""
        there = self._road.kafka_answers and await asyncio.to_thread(self._kafka_there)
        return JSONResponse({"kafka": there, "direct": self._road.is_direct, "spooled": self._road.spooled})

    async def post(self, request: Request) -> Response:
        """Take messages."""
        if not self._may(request):
            return _error(401, "a valid token is needed: Authorization: Bearer ...", {"WWW-Authenticate": "Bearer"})
        try:
            number = interface_of(request.path_params["number"]).number
        except ValueError as problem:
            return _error(404, str(problem))
        host = request.client.host if request.client else "unknown"
        source = request.headers.get("x-source", "") or f"http:{host}"
        if len(source) > SOURCE_LIMIT:
            return _error(400, f"X-Source is longer than {SOURCE_LIMIT} characters")
        try:
            time_us = parse_time(request.headers["x-time"]) if "x-time" in request.headers else self._clock()
        except ValueError:
            return _error(400, "X-Time is no time with a zone, such as 2026-03-29T01:00:00Z")
        return await self._take(request, number, source, time_us)

    async def _take(self, request: Request, interface: str, source: str, time_us: int) -> Response:
        body = bytearray()
        held = 0
        try:
            async for chunk in request.stream():
                if len(body) + len(chunk) > self._limit_bytes:
                    return _error(413, f"the body is larger than {self._limit_bytes} bytes", {"Connection": "close"})
                if self._held_bytes + len(chunk) > self._held_limit_bytes:
                    return _busy("too many messages are under way")
                body += chunk
                self._held_bytes += len(chunk)
                held += len(chunk)
            if not body.strip():
                return _error(400, "the body is empty; it has to be a message in its native format")
            parts: list[Part] = [Posted(bytes(body), source, time_us)]
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() == NDJSON:
                parts = list(json_lines(bytes(body), interface, source, time_us))
            answer = await asyncio.wrap_future(self._road.submit(interface, parts, len(body)))
        except SpoolFull as problem:
            return _busy(str(problem))
        except ClientDisconnect:
            return _error(400, "the body ended too early")
        finally:
            self._held_bytes -= held
        return _worded(answer)

    def _may(self, request: Request) -> bool:
        if not self._token:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), self._token)


async def _nothing_there(request: Request, problem: Exception) -> Response:
    """A path or method that is none of ours, in words; the header of 405 that names the methods stays."""
    assert isinstance(problem, HTTPException)
    sentence = f"{request.method} {request.url.path} is not served here; GET / says what is"
    return _error(problem.status_code, sentence, dict(problem.headers or {}))


def _worded(answer: Answer) -> Response:
    body = {"accepted": len(answer.events), "events": answer.events, "rejected": answer.rejected}
    if answer.rejected and not answer.events:
        return JSONResponse(body, 422)
    return JSONResponse(body, 202 if answer.spooled else 200)


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status, headers)


def _busy(sentence: str) -> Response:
    return _error(503, f"{sentence}; try again later", {"Retry-After": str(RETRY_AFTER_S)})
