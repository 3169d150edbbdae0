"""The TCP tap between real sockets."""

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from tap_process import NOBODY, Tap

from schemas.wire.iec104 import encode_command, encode_measurement, encode_setup
from schemas.wire.sml import FORMAT as SML
from streams.reader import Conversations
from streams.taps import octets as octet_tap
from streams.taps.octets import OctetTap
from streams.taps.options import Address
from streams.taps.tcp import main, stream_format

START = encode_setup("STARTDT act")
CONFIRM = encode_setup("STARTDT con")
TIME_US = 1_774_746_000_000_000
CALL = encode_command(63, 7, 2001, 5, time_us=TIME_US)
MEASURED = encode_measurement(36, 7, [(1001, 5)], time_us=TIME_US)


@asynccontextmanager
async def between(handler, format_name="iec104", *, is_there=True):
    """A tap before a server; ``address`` is the tap's, ``notes`` what it heard."""
    notes, stopped, listening = [], asyncio.Event(), asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    target = Address(*server.sockets[0].getsockname())
    if not is_there:
        server.close()
    tap = OctetTap(target, format_name, notes.append)
    task = asyncio.create_task(tap.listen(Address("127.0.0.1", 0), stopped, on_listening=listening.set_result))
    address = await listening
    yield SimpleNamespace(address=address, target=target, notes=notes, stopped=stopped, task=task)
    stopped.set()
    await task
    server.close()


def run(test):
    return asyncio.run(asyncio.wait_for(test(), 20))


async def is_over(reader):
    """Whether the connection ends without another word, closed or broken off."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def control_station(reader, writer):
    """Confirms the start, then answers a set point with a measurement and hangs up."""
    await reader.readexactly(len(START))
    writer.write(CONFIRM)
    await reader.readexactly(len(CALL))
    writer.write(MEASURED)
    await writer.drain()
    writer.close()


async def call(address, source=None):
    """What a control centre hears that starts, and then sends its set point in three parts."""
    reader, writer = await asyncio.open_connection(*address)
    opener = writer.get_extra_info("sockname")
    writer.write(START)
    heard = await reader.readexactly(len(CONFIRM))
    for part in (CALL[:1], CALL[1:9], CALL[9:]):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.02)
    heard += await reader.read()
    writer.close()
    return f"{opener[0]}:{opener[1]}", heard


def test_messages_pass_and_are_noted_as_a_capture_would_hold_them():
    async def test():
        async with between(control_station) as tap:
            return await call(tap.address), str(tap.target), tap.notes

    (opener, heard), target, notes = run(test)
    assert heard == CONFIRM + MEASURED
    assert [(note.raw, note.context["opener"]) for note in notes] == [
        (START, True),
        (CONFIRM, False),
        (CALL, True),
        (MEASURED, False),
    ]
    assert {note.source for note in notes} == {f"{opener}-{target}"}
    assert notes[0].context == {"from": opener, "to": target, "opener": True}
    assert notes[3].context == {"from": target, "to": opener, "opener": False}
    events = [event for note in notes for event in note.outcomes("43", Conversations())]
    assert [event.payload["frame"] for event in events] == ["u", "u", "i", "i"]


def test_octets_pass_unchanged_both_ways_at_once():
    there, back = os.urandom(3_000_000), os.urandom(3_000_000)

    async def test():
        async def talk(reader, writer):
            writer.write(back)
            heard.set_result(await reader.readexactly(len(there)))
            await writer.drain()
            writer.close()

        heard = asyncio.get_running_loop().create_future()
        async with between(talk) as tap:
            reader, writer = await asyncio.open_connection(*tap.address)
            writer.write(there)
            answered = await reader.readexactly(len(back))
            writer.close()
            return await heard, answered

    assert run(test) == (there, back)


def test_an_end_that_has_said_everything_still_hears_the_answer():
    async def answer(reader, writer):
        asked = await reader.read()
        writer.write(asked[::-1])
        await writer.drain()
        writer.close()

    async def test():
        async with between(answer) as tap:
            reader, writer = await asyncio.open_connection(*tap.address)
            writer.write(b"question")
            writer.write_eof()
            heard = await reader.read()
            writer.close()
            return heard

    assert run(test) == b"noitseuq"


def test_what_is_no_message_is_noted_and_messages_behind_it_too():
    async def listen(reader, writer):
        await reader.read()
        writer.close()

    async def test():
        async with between(listen) as tap:
            reader, writer = await asyncio.open_connection(*tap.address)
            writer.write(b"noise" + START + CALL[:7])
            writer.write_eof()
            await reader.read()
            writer.close()
            return tap

    notes = run(test).notes
    assert [note.raw for note in notes] == [b"noise", START, CALL[:7]]
    noise, _, broken = [outcome for note in notes for outcome in note.outcomes("43", Conversations())]
    assert (noise.reason, broken.reason) == ("truncated", "truncated")
    assert noise.context["opener"] is True


def test_where_the_target_is_away_the_connection_is_closed():
    async def test():
        async with between(control_station, is_there=False) as tap:
            reader, writer = await asyncio.open_connection(*tap.address)
            assert await is_over(reader)
            writer.close()

    run(test)


def test_an_end_that_breaks_off_breaks_the_other_off():
    async def test():
        async def break_off(reader, writer):
            await reader.readexactly(1)
            writer.transport.abort()

        async with between(break_off) as tap:
            reader, writer = await asyncio.open_connection(*tap.address)
            writer.write(b"x")
            assert await is_over(reader)
            writer.close()

    run(test)


def test_a_tap_that_stops_closes_its_connections():
    async def test():
        async def wait(reader, writer):
            await reader.read()
            writer.close()

        async with between(wait) as tap:
            _, writer = await asyncio.open_connection(*tap.address)
            writer.write(START)
            await writer.drain()
            while not tap.notes:  # noqa: ASYNC110 -- notes are a plain list here
                await asyncio.sleep(0.01)
            tap.stopped.set()
            await tap.task
            writer.close()

    run(test)


def test_a_cutter_that_fails_does_not_break_the_connection(monkeypatch):
    def broken(_held, _at, _is_end):
        raise ZeroDivisionError

    monkeypatch.setattr(octet_tap, "format_of", lambda _name: SML._replace(next_piece=broken))

    async def test():
        async with between(control_station) as tap:
            return await call(tap.address), tap.notes

    (_, heard), notes = run(test)
    assert heard == CONFIRM + MEASURED
    assert b"".join(note.raw for note in notes if note.context["opener"]) == START + CALL


@pytest.mark.stack
def test_what_both_ends_say_is_in_kafka(kafka, topic_prefix, events_on, tmp_path):
    async def day():
        server = await asyncio.start_server(control_station, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with Tap(
            "tcp", "--listen", "127.0.0.1:0", "--target", f"127.0.0.1:{port}", "--interface", 43,
            kafka=kafka, prefix=topic_prefix, home=tmp_path,
        ) as tap:  # fmt: skip
            host, _, at = (await asyncio.to_thread(lambda: tap.address)).rpartition(":")
            _, heard = await call((host, int(at)))
            await asyncio.to_thread(tap.wait_until, lambda: len(events_on("43")) == 4)
            assert await asyncio.to_thread(tap.stop) == 0, tap.said
        server.close()
        return heard

    assert asyncio.run(day()) == CONFIRM + MEASURED
    events = events_on("43")
    assert [event.raw for event in events] == [START, CONFIRM, CALL, MEASURED]
    assert events[3].payload["objects"][0]["value"] == "5"


def test_the_interface_says_how_a_stream_is_cut():
    assert (stream_format("43"), stream_format("8"), stream_format("47")) == ("iec104", "modbus", "sml")
    assert stream_format("15", "mbus") == "mbus"


@pytest.mark.parametrize(
    ("interface", "sentence"),
    [("32", "nothing that interface 32 reads comes as a stream"), ("15", "reads sml and mbus over TCP; say --format")],
)
def test_an_interface_without_one_way_to_cut_is_refused(interface, sentence, tmp_path):
    arguments = ["--listen", ":0", "--target", "127.0.0.1:1", "--interface", interface]
    result = CliRunner().invoke(main, arguments, env={"TWIN_KAFKA": NOBODY, "TWIN_HOME": str(tmp_path)})
    assert result.exit_code == 2
    assert sentence in result.output


def timers_of(*ports):
    """Timers of the connections that are open at or to these ports, as Linux tells them; 02 is the keepalive's."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = tuple(f":{port:04X}" for port in ports)
    return {row[1]: row[5][:2] for row in rows if row[3] == "01" and (row[1].endswith(ends) or row[2].endswith(ends))}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells the timers of sockets")
def test_an_end_that_fell_silent_for_good_is_found_out():
    async def test():
        async def echo(reader, writer):
            writer.write(await reader.read(100))
            await reader.read()

        async with between(echo) as tap:
            reader, writer = await asyncio.open_connection(*tap.address)
            writer.write(START)
            await reader.readexactly(len(START))
            # four sockets: the two of the tap ask, those of the client and of the server here do not
            assert sorted(timers_of(tap.address.port, tap.target.port).values()) == ["00", "00", "02", "02"]
            writer.close()

    run(test)
