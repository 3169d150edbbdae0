"""The middle of the OCPP tap, with real WebSockets on both sides and no recording."""

import asyncio
import ipaddress
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets import ConnectionClosed, InvalidStatus
from websockets.asyncio.client import connect
from websockets.asyncio.server import basic_auth, serve

from streams.taps.options import Address
from streams.taps.stations import StationTap, station_of

HEARTBEAT = '[2,"19","Heartbeat",{}]'
LOOPBACK = Address("127.0.0.1", 0)


async def echo(connection):
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def between(handler=echo, *, tls=None, backend_tls=None, base="/ocpp", **server):
    """A tap before a backend; ``url`` is the tap's, ``notes`` what it heard."""
    notes, stopped, listening = [], asyncio.Event(), asyncio.get_running_loop().create_future()
    async with serve(handler, "127.0.0.1", 0, max_size=None, **server) as backend:
        port = next(iter(backend.sockets)).getsockname()[1]
        scheme = "wss" if server.get("ssl") else "ws"
        tap = StationTap(f"{scheme}://127.0.0.1:{port}{base}", notes.append, backend_tls=backend_tls)
        task = asyncio.create_task(tap.listen(LOOPBACK, stopped, tls=tls, on_listening=listening.set_result))
        at = await listening
        yield SimpleNamespace(
            url=f"{'wss' if tls else 'ws'}://{at}", notes=notes, stopped=stopped, backend=backend, task=task
        )
        stopped.set()
        await task


def run(test):
    """Run a test that is a coroutine."""
    return asyncio.run(asyncio.wait_for(test(), 20))


def test_frames_pass_both_ways_and_each_is_noted_with_station_direction_and_subprotocol():
    async def test():
        async with between(subprotocols=["ocpp2.0.1"]) as tap:
            async with connect(f"{tap.url}/CP%201", subprotocols=["ocpp1.6", "ocpp2.0.1"]) as station:
                await station.send(HEARTBEAT)
                assert await station.recv() == HEARTBEAT
            return tap.notes

    asked, answered = run(test)
    assert (asked.raw, asked.source) == (HEARTBEAT.encode(), "CP 1")
    assert asked.context == {"direction": "to_csms", "subprotocol": "ocpp2.0.1"}
    assert answered.context == {"direction": "to_station", "subprotocol": "ocpp2.0.1"}
    assert asked.time_us <= answered.time_us


@pytest.mark.parametrize("spoken", ["ocpp1.6", "ocpp2.0.1", None])
def test_the_station_gets_the_subprotocol_that_the_backend_chose(spoken):
    async def test():
        async with (
            between(subprotocols=[spoken] if spoken else None) as tap,
            connect(f"{tap.url}/CP-1", subprotocols=["ocpp1.6", "ocpp2.0.1"]) as station,
        ):
            backend = next(iter(tap.backend.connections))
            return station.subprotocol, backend.subprotocol

    assert run(test) == (spoken, spoken)


def test_path_query_password_and_headers_of_a_station_reach_the_backend():
    async def test():
        async with (
            between() as tap,
            connect(
                f"{tap.url.replace('//', '//CP-1:secret@')}/a/CP-1?key=1",
                additional_headers={"X-Serial": "4711"},
                user_agent_header="Wallbox/1.0",
            ),
        ):
            return next(iter(tap.backend.connections)).request

    request = run(test)
    assert request.path == "/ocpp/a/CP-1?key=1"
    assert request.headers["Authorization"] == "Basic Q1AtMTpzZWNyZXQ="
    assert (request.headers["X-Serial"], request.headers["User-Agent"]) == ("4711", "Wallbox/1.0")
    assert len(request.headers.get_all("Sec-WebSocket-Key")) == 1


def test_the_refusal_of_the_backend_is_the_answer_the_station_gets():
    async def test():
        guard = basic_auth(realm="stations", credentials=("CP-1", "secret"))
        async with between(process_request=guard) as tap:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{tap.url}/CP-1")
            return refused.value.response, tap.notes

    response, notes = run(test)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="stations", charset="UTF-8"'
    assert notes == []


def test_a_backend_that_is_away_is_a_bad_gateway():
    async def test():
        async with between() as tap:
            tap.backend.close()
            await tap.backend.wait_closed()
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{tap.url}/CP-1")
            return refused.value.response.status_code

    assert run(test) == 502


def test_a_path_cannot_climb_out_of_the_backends():
    async def test():
        async with between() as tap:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{tap.url}/..%2fadmin")
            return refused.value.response.status_code

    assert run(test) == 400


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (1001, ""), (1008, "not you"), (4001, "own")])
def test_a_close_of_the_station_reaches_the_backend_as_it_was(code, reason):
    heard = []

    async def listen(connection):
        await connection.wait_closed()
        heard.append((connection.close_code, connection.close_reason))

    async def test():
        async with between(listen) as tap:
            station = await connect(f"{tap.url}/CP-1")
            await station.close(code, reason)

    run(test)
    assert heard == [(code, reason)]


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1012, "restart"), (3000, "who are you")])
def test_a_close_of_the_backend_reaches_the_station_as_it_was(code, reason):
    async def test():
        async def hang_up(connection):
            await connection.close(code, reason)

        async with between(hang_up) as tap:
            station = await connect(f"{tap.url}/CP-1")
            with pytest.raises(ConnectionClosed):
                await station.recv()
            return station.close_code, station.close_reason

    assert run(test) == (code, reason)


def test_a_station_whose_line_breaks_is_gone_for_the_backend_too():
    async def test():
        told = asyncio.get_running_loop().create_future()

        async def listen(connection):
            await connection.wait_closed()
            told.set_result(connection.close_code)

        async with between(listen) as tap:
            station = await connect(f"{tap.url}/CP-1")
            station.transport.abort()
            return await told

    assert run(test) == 1006


def test_a_tap_that_stops_says_that_it_goes_away():
    async def test():
        async with between() as tap:
            station = await connect(f"{tap.url}/CP-1")
            tap.stopped.set()
            await tap.task
            return station.close_code

    assert run(test) == 1001


def test_large_frames_and_any_text_pass_byte_for_byte():
    texts = ["x" * 3_000_000, '{"name": "Säule \\u00e4 \N{ELECTRIC PLUG}"}', "\x00 \r\n", ""]

    async def test():
        async with between() as tap, connect(f"{tap.url}/CP-1", max_size=None) as station:
            for text in texts:
                await station.send(text)
            return [await station.recv() for _ in texts], tap.notes

    echoed, notes = run(test)
    assert echoed == texts
    assert [note.raw.decode() for note in notes if note.context["direction"] == "to_csms"] == texts


def test_octets_pass_as_octets():
    async def test():
        async with between() as tap, connect(f"{tap.url}/CP-1") as station:
            await station.send(b"\xff\x00")
            return await station.recv()

    assert run(test) == b"\xff\x00"


def test_pings_are_answered():
    async def test():
        async with between() as tap, connect(f"{tap.url}/CP-1") as station:
            await (await station.ping(b"there?"))

    run(test)


def test_a_backend_that_does_not_read_slows_its_station_down():
    """Whoever is slow slows down the sender; nothing piles up in the tap."""

    async def test():
        reading = asyncio.Event()

        async def slow(connection):
            await reading.wait()
            await echo(connection)

        async with (
            between(slow, max_queue=1) as tap,
            connect(f"{tap.url}/CP-1", max_queue=None, compression=None) as station,
        ):
            sending = asyncio.create_task(_flood(station, 40))
            await asyncio.sleep(0.5)
            was_held_up = not sending.done()
            reading.set()
            await sending
            return was_held_up, [len(await station.recv()) for _ in range(40)]

    was_held_up, echoed = run(test)
    assert was_held_up
    assert echoed == [1_000_000] * 40


async def _flood(station, count):
    for _ in range(count):
        await station.send("x" * 1_000_000)


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1, with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tap")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now.replace(year=2099))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "tap.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_tls_on_both_sides(certificate):
    async def test():
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(certificate)
        client = ssl.create_default_context(cafile=certificate)
        async with (
            between(ssl=server, tls=server, backend_tls=client) as tap,
            connect(f"{tap.url}/CP-1", ssl=client) as station,
        ):
            await station.send(HEARTBEAT)
            return tap.url, await station.recv()

    url, echoed = run(test)
    assert url.startswith("wss://")
    assert echoed == HEARTBEAT


def test_a_backend_with_a_certificate_nobody_signed_is_not_trusted(certificate):
    async def test():
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(certificate)
        async with between(ssl=server) as tap:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{tap.url}/CP-1")
            return refused.value.response.status_code

    assert run(test) == 502


def test_the_station_is_the_last_part_of_the_path():
    assert station_of("/steve/websocket/CentralSystemService/CP-1/") == "CP-1"
    assert station_of("/") == "unknown"
