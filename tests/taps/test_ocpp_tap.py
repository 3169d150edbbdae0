"""The OCPP tap with real stations and a real backend of the package ocpp, recording into a real Kafka."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import ocpp.v16
import ocpp.v201
import psutil
import pytest
from ocpp.routing import after, on
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from tap_process import NOBODY, Tap, free_port
from websockets import ConnectionClosedOK
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from streams.taps.octets import OctetTap
from streams.taps.options import Address

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC).isoformat()


class Wire:
    """A connection that remembers the frames that crossed it, for the package ocpp."""

    def __init__(self, connection):
        self.connection = connection
        self.frames = []

    async def recv(self):
        frame = await self.connection.recv()
        self.frames.append(("to_station", frame))
        return frame

    async def send(self, frame):
        self.frames.append(("to_csms", frame))
        await self.connection.send(frame)


class Backend16(ocpp.v16.ChargePoint):
    @on("BootNotification")
    def boot(self, **_):
        return result16.BootNotification(current_time=NOW, interval=300, status="Accepted")

    @on("MeterValues")
    def meter(self, **_):
        return result16.MeterValues()


class Backend201(ocpp.v201.ChargePoint):
    @on("BootNotification")
    def boot(self, **_):
        return result201.BootNotification(current_time=NOW, interval=300, status="Accepted")

    @on("TransactionEvent")
    def transaction(self, **_):
        return result201.TransactionEvent()


class Station16(ocpp.v16.ChargePoint):
    async def speak(self):
        await self.call(call16.BootNotification(charge_point_model="Wall", charge_point_vendor="Box"))
        for number in range(3):
            value = {"timestamp": NOW, "sampled_value": [{"value": str(1000 + number), "unit": "Wh"}]}
            await self.call(call16.MeterValues(connector_id=1, meter_value=[value]))


class Station201(ocpp.v201.ChargePoint):
    def __init__(self, name, wire):
        super().__init__(name, wire)
        self.was_set = asyncio.Event()

    @after("SetVariables")
    def remember(self, **_):
        self.was_set.set()

    @on("SetVariables")
    def set_variables(self, set_variable_data):
        answers = [
            {"attribute_status": "Accepted", "component": each["component"], "variable": each["variable"]}
            for each in set_variable_data
        ]
        return result201.SetVariables(set_variable_result=answers)

    async def speak(self):
        station = {"model": "Wall", "vendor_name": "Box"}
        await self.call(call201.BootNotification(charging_station=station, reason="PowerUp"))
        for number, kind in enumerate(("Started", "Updated", "Ended")):
            await self.call(
                call201.TransactionEvent(
                    event_type=kind,
                    timestamp=NOW,
                    trigger_reason="MeterValuePeriodic",
                    seq_no=number,
                    transaction_info={"transaction_id": "T-1"},
                    evse={"id": 1},
                )
            )
        await self.was_set.wait()


@asynccontextmanager
async def central_system():
    """A backend of 1.6 and 2.0.1; its port."""

    async def serve_station(connection):
        kind = Backend201 if connection.subprotocol == "ocpp2.0.1" else Backend16
        backend = kind(connection.request.path.rpartition("/")[2], connection)
        asking = asyncio.create_task(ask(backend)) if kind is Backend201 else None
        with suppress(ConnectionClosedOK):
            await backend.start()
        if asking is not None:
            await asking

    async with serve(serve_station, "127.0.0.1", 0, subprotocols=["ocpp2.0.1", "ocpp1.6"]) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def ask(backend):
    wanted = {
        "attribute_value": "60",
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "HeartbeatInterval"},
    }
    await backend.call(call201.SetVariables(set_variable_data=[wanted]))


async def converse(address, kind, subprotocol, name):
    """What a station and its backend said to each other."""
    async with connect(f"ws://{address}/{name}", subprotocols=[subprotocol]) as connection:
        wire = Wire(connection)
        station = kind(name, wire)
        running = asyncio.create_task(station.start())
        await station.speak()
        running.cancel()
    return wire.frames


async def two_stations(address):
    return await asyncio.gather(
        converse(address, Station16, "ocpp1.6", "CP-16"), converse(address, Station201, "ocpp2.0.1", "CP-201")
    )


def tapped(port, kafka, prefix, home):
    return Tap(
        "ocpp", "--listen", "127.0.0.1:0", "--backend", f"ws://127.0.0.1:{port}/ocpp", "--interface", 4,
        kafka=kafka, prefix=prefix, home=home,
    )  # fmt: skip


def said_by(station, events):
    return [(event.context["direction"], event.raw.decode()) for event in events if event.source == station]


def by_direction(frames):
    """Frames that cross each other pass the tap in an order of their own; each direction keeps its order."""
    return sorted(frames, key=lambda frame: frame[0])


def test_what_stations_and_backend_say_is_in_kafka_frame_by_frame_in_order(kafka, topic_prefix, events_on, tmp_path):
    async def day():
        async with central_system() as port:
            with tapped(port, kafka, topic_prefix, tmp_path) as tap:
                address = await asyncio.to_thread(lambda: tap.address)
                frames = await two_stations(address)
                assert await asyncio.to_thread(tap.stop) == 0, tap.said
            return frames

    old, new = asyncio.run(day())
    start_again_until_nothing_waits(kafka, topic_prefix, tmp_path)
    events = events_on("4")
    assert by_direction(said_by("CP-16", events)) == by_direction(old)
    assert by_direction(said_by("CP-201", events)) == by_direction(new)
    assert {event.payload["version"] for event in events} == {"1.6", "2.0.1"}
    answers = [event for event in events if event.payload["rpc"] == 3]
    assert all(event.payload["call"]["event"] in {each.id for each in events} for event in answers)
    directions = {(event.source, event.payload["action"], event.payload["rpc"]): event.context for event in events}
    assert directions["CP-16", "MeterValues", 2] == {"direction": "to_csms", "subprotocol": "ocpp1.6"}
    assert directions["CP-201", "SetVariables", 2] == {"direction": "to_station", "subprotocol": "ocpp2.0.1"}


def test_while_kafka_is_away_frames_pass_and_wait_on_disk_and_later_arrive(kafka, topic_prefix, events_on, tmp_path):
    door = free_port()

    async def day():
        async with central_system() as port:
            with tapped(port, f"127.0.0.1:{door}", topic_prefix, tmp_path) as tap:
                address = await asyncio.to_thread(lambda: tap.address)
                old, new = await two_stations(address)
                size = sum(len(frame) for _, frame in old + new)
                await asyncio.to_thread(tap.wait_until, lambda: waiting_bytes(tmp_path, "*.spool") > size)
                assert await asyncio.to_thread(events_on, "4") == []
                async with forwarded(door, kafka):
                    await asyncio.to_thread(tap.wait_until, lambda: waiting_bytes(tmp_path) == 0)
                assert await asyncio.to_thread(tap.stop) == 0, tap.said
            return old, new

    old, new = asyncio.run(day())
    events = events_on("4")
    assert by_direction(said_by("CP-16", events)) == by_direction(old)
    assert by_direction(said_by("CP-201", events)) == by_direction(new)


def start_again_until_nothing_waits(kafka, prefix, home):
    with tapped(9, kafka, prefix, home) as tap:
        tap.wait_until(lambda: waiting_bytes(home) == 0)


@asynccontextmanager
async def forwarded(port, kafka):
    """Lets Kafka be found at a port where nobody was before."""
    host, _, number = kafka.rpartition(":")
    opened = asyncio.Event()
    way = OctetTap(Address(host, int(number)), "sml", lambda _note: None)
    closed = asyncio.Event()
    passing = asyncio.create_task(way.listen(Address("127.0.0.1", port), closed, on_listening=lambda _: opened.set()))
    await opened.wait()
    yield
    closed.set()
    await passing


def waiting_bytes(home, *kinds):
    files = (file for kind in kinds or ("*.page", "*.spool") for file in home.rglob(kind))
    return sum(size_of(file) for file in files)


def size_of(file):
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def test_a_recorder_that_dies_is_started_again_and_nothing_is_lost(kafka, topic_prefix, events_on, tmp_path):
    async def day():
        async with central_system() as port:
            with tapped(port, kafka, topic_prefix, tmp_path) as tap:
                address = await asyncio.to_thread(lambda: tap.address)
                said = []
                for number in range(3):
                    said += await converse(address, Station16, "ocpp1.6", f"CP-{number}")
                    found = await asyncio.to_thread(tap.wait_until, psutil.Process(tap.process.pid).children)
                    os.kill(found[0].pid, signal.SIGKILL)
                assert await asyncio.to_thread(tap.stop) == 0, tap.said
                return said, tap.said

    said, told = asyncio.run(day())
    start_again_until_nothing_waits(kafka, topic_prefix, tmp_path)
    seen = {event.id: (event.context["direction"], event.raw.decode()) for event in events_on("4")}
    assert "it is started again" in told
    assert sorted(seen.values()) == sorted(said)


def test_a_second_tap_in_the_same_folder_says_why_it_cannot(kafka, topic_prefix, tmp_path):
    with tapped(9, kafka, topic_prefix, tmp_path) as first:
        assert first.address
        second = tapped(9, kafka, topic_prefix, tmp_path)
        assert second.process.wait(20) == 1
        second.stop()
    assert "another gateway or tap uses the folder" in second.said
    assert "Traceback" not in second.said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--listen", "nowhere", "--backend", "ws://a"], "write HOST:PORT"),
        (["--listen", ":0", "--backend", "http://a"], "is no address of a backend"),
        (["--listen", ":0", "--backend", "ws://u:p@a"], "the stations bring their own"),
        (["--listen", ":0", "--backend", "ws://a", "--interface", "32"], "nobody speaks OCPP on interface 32"),
        (["--listen", ":0", "--backend", "ws://a", "--interface", "99"], "there is no interface"),
        (["--listen", ":0", "--backend", "ws://a", "--key", __file__], "need --certificate"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments, sentence, tmp_path):
    from click.testing import CliRunner

    from streams.taps.ocpp import main

    result = CliRunner().invoke(main, arguments, env={"TWIN_KAFKA": NOBODY, "TWIN_HOME": str(tmp_path)})
    assert result.exit_code in {1, 2}
    assert sentence in result.output


def test_without_a_kafka_it_says_what_to_set(tmp_path):
    from click.testing import CliRunner

    from streams.taps.ocpp import main

    result = CliRunner().invoke(
        main, ["--listen", ":0", "--backend", "ws://a"], env={"TWIN_KAFKA": "", "TWIN_HOME": str(tmp_path)}
    )
    assert "start it with `twin up`, or set TWIN_KAFKA\n" in result.output
    assert list(tmp_path.iterdir()) == []
