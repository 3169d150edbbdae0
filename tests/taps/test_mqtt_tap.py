"""The MQTT subscriber against a real Mosquitto."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import Future

import pytest
from click.testing import CliRunner
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tap_process import NOBODY, Tap, free_port

from streams.gateway.road import Answer
from streams.spool import SpoolFull
from streams.taps.mqtt import main
from streams.taps.subscriber import Subscriber
from streams.taps.topic_table import BadTable, read_table

MOSQUITTO = shutil.which("mosquitto", path=f"/usr/sbin:/usr/local/sbin:{os.environ.get('PATH', '')}")

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="needs a Mosquitto: apt-get install mosquitto")

TABLE = """topic,interface,source
app/+/+/command,7,{3}@{2}
tariff/#,13,{topic}
"""


class Broker:
    """A Mosquitto of its own; it keeps its sessions on disk."""

    def __init__(self, folder, port, *rules):
        self.port = port
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {port} 127.0.0.1\nuser root\npersistence true\npersistence_location {folder}/\n"
            + "".join(f"{rule}\n" for rule in rules or ["allow_anonymous true"])
        )
        self.start()

    def start(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", self._config], stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def publish(self, messages, *, retain=False):
        """Publish with quality of service 1; the broker has them when this returns."""
        client = Client(CallbackAPIVersion.VERSION2)
        connected = threading.Event()
        client.on_connect = lambda *_: connected.set()
        client.connect_async("127.0.0.1", self.port)
        client.reconnect_delay_set(1, 1)
        client.loop_start()
        assert connected.wait(15)
        for topic, payload in messages:
            client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(15)
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def broker(request, tmp_path):
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    broker = Broker(folder, free_port(), *getattr(request, "param", []))
    yield broker
    broker.stop()


@pytest.fixture
def subscribed_to(topic_prefix, tmp_path):
    """Function: a subscriber in a process of its own."""
    table = tmp_path / "topics.csv"
    table.write_text(TABLE)

    def start(url, kafka, *more):
        return Tap("mqtt", "--broker", url, "--table", table, *more, kafka=kafka, prefix=topic_prefix, home=tmp_path)

    return start


@pytest.fixture
def subscribed(broker, subscribed_to):
    """Function: a subscriber to the broker."""

    def start(kafka, *more):
        return subscribed_to(f"mqtt://127.0.0.1:{broker.port}", kafka, *more)

    return start


@needs_mosquitto
@pytest.mark.stack
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_what_is_published_is_in_kafka_also_what_came_while_nobody_listened(
    kafka, broker, subscribed, events_on, protocol
):
    with subscribed(kafka, "--protocol", protocol) as tap:
        tap.wait_for("connected to the broker, a new session")
        broker.publish([("app/home/anna/command", b"charge"), ("other/topic", b"unheard"), ("tariff/a/b", b"\xff\x00")])
        tap.wait_until(lambda: len(events_on("7")) == 1 and len(events_on("13")) == 1)
        assert tap.stop() == 0, tap.said
    broker.publish([("app/home/anna/command", b"stop"), ("app/home/bert/command", b"go")])
    with subscribed(kafka, "--protocol", protocol) as tap:
        tap.wait_for("connected to the broker, an earlier session")
        tap.wait_until(lambda: len(events_on("7")) == 3)
    commands = events_on("7")
    assert [event.raw for event in commands] == [b"charge", b"stop", b"go"]
    assert [event.source for event in commands] == ["anna@home", "anna@home", "bert@home"]
    assert [(event.source, event.raw) for event in events_on("13")] == [("tariff/a/b", b"\xff\x00")]


@needs_mosquitto
@pytest.mark.stack
def test_what_kafka_does_not_have_stays_with_the_broker_in_order(kafka, broker, subscribed, events_on):
    commands = [str(number).encode() for number in range(30)]  # more than Mosquitto sends without being answered
    with subscribed(NOBODY) as tap:
        tap.wait_for("connected to the broker")
        broker.publish([("app/home/anna/command", command) for command in commands])
        tap.wait_for("not acknowledged, and wait at the broker")
        assert tap.stop() == 0, tap.said
    assert events_on("7") == []
    with subscribed(kafka) as tap:
        tap.wait_until(lambda: len(events_on("7")) >= len(commands))
    assert [event.raw for event in events_on("7")] == commands


@needs_mosquitto
@pytest.mark.stack
def test_the_disk_may_take_what_kafka_cannot_if_told_so(kafka, broker, subscribed, events_on):
    with subscribed(NOBODY, "--acknowledge", "disk") as tap:
        tap.wait_for("connected to the broker")
        broker.publish([("app/home/anna/command", b"charge")])
        tap.wait_until(lambda: re.search("[1-9][0-9]* messages wait", tap.said))
    broker.stop()
    with subscribed(kafka) as tap:
        tap.wait_until(lambda: events_on("7"))
    assert [event.raw for event in events_on("7")] == [b"charge"]


class _Road:
    """Takes nothing while ``is_closed``; what it took, in order."""

    def __init__(self):
        self.is_closed, self.taken = True, []

    def submit(self, _interface, parts, _size):
        answer = Future()
        if self.is_closed:
            answer.set_exception(SpoolFull())
        else:
            self.taken += [part.raw for part in parts]
            answer.set_result(Answer(["id"], [], spooled=False))
        return answer


@needs_mosquitto
def test_what_waited_goes_before_what_came_later(broker):
    road = _Road()
    subscriber = Subscriber(road, read_table(["topic,interface,source", "a,7,"]), "order")
    subscriber.start("127.0.0.1", broker.port)
    until(subscriber.client.is_connected)
    time.sleep(0.3)
    broker.publish([("a", b"1"), ("a", b"2")])
    road.is_closed = False
    broker.publish([("a", b"3")])
    until(lambda: len(road.taken) == 3)
    subscriber.stop()
    assert road.taken == [b"1", b"2", b"3"]


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@needs_mosquitto
@pytest.mark.stack
def test_a_broker_that_goes_and_comes_again_is_found_again(kafka, broker, subscribed, events_on):
    with subscribed(kafka) as tap:
        tap.wait_for("connected to the broker")
        broker.stop()
        tap.wait_for("broke off")
        broker.start()
        tap.wait_for("an earlier session")
        broker.publish([("app/home/anna/command", b"charge")])
        tap.wait_until(lambda: events_on("7"))


@needs_mosquitto
@pytest.mark.stack
def test_a_message_the_broker_kept_has_no_time_and_is_one_event_however_often_it_comes(
    kafka, broker, subscribed, events_on
):
    broker.publish([("app/home/anna/command", b"kept")], retain=True)
    for _ in range(2):
        before = len(events_on("7"))
        with subscribed(kafka) as tap:
            tap.wait_until(lambda before=before: len(events_on("7")) > before)
    events = events_on("7")
    assert {event.log_time_us for event in events} == {None}
    assert len({event.id for event in events}) == 1


@needs_mosquitto
@pytest.mark.stack
@pytest.mark.parametrize("broker", [["allow_anonymous false"]], indirect=True)
def test_a_broker_that_refuses_is_said(broker, subscribed):
    with subscribed(NOBODY, "--user", "twin") as tap:
        tap.wait_for("the broker refuses: Not authorized")
        assert tap.stop() == 0, tap.said
    assert "Traceback" not in tap.said


def test_a_broker_that_is_not_there_is_said(subscribed_to):
    with subscribed_to(f"mqtt://127.0.0.1:{free_port()}", NOBODY) as tap:
        tap.wait_for("the broker cannot be reached: .*Connection refused; trying again")
        time.sleep(0.2)
        assert tap.stop() == 0, tap.said
    assert "Client is not connected" not in tap.said


def test_why_tls_fails_is_said(subscribed_to):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            with listening.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"no TLS is spoken here")

        threading.Thread(target=answer, daemon=True).start()
        with subscribed_to(f"mqtts://127.0.0.1:{listening.getsockname()[1]}", NOBODY) as tap:
            tap.wait_for(r"the broker cannot be reached: \[SSL.*; trying again")


@needs_mosquitto
def test_a_broker_that_speaks_no_tls_is_said_with_what_to_do(broker, subscribed_to):
    with subscribed_to(f"mqtts://127.0.0.1:{broker.port}", NOBODY) as tap:
        tap.wait_for(
            r"cannot be reached: .*is TLS spoken on this port\? where it is not, write mqtt://\); trying again"
        )


def test_a_port_that_never_agrees_on_tls_is_given_up(subscribed_to):
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, subscribed_to(f"mqtts://127.0.0.1:{silent.getsockname()[1]}", NOBODY) as tap:
        tap.wait_for(r"cannot be reached: .*timed out \(is TLS spoken on this port\?.*; trying again")


def test_the_first_line_that_fits_says_where_a_message_belongs():
    rows = read_table(["topic,interface,source", "a/+/c,6,x-{2}", "a/#,07,", "+/b,E1,{topic}!"])
    assert [row.interface for row in rows] == ["6", "7", "E1"]
    assert rows[0].fits("a/b/c")
    assert not rows[0].fits("a/b/c/d")
    assert rows[1].fits("a/b/c/d")
    assert [row.source_of("a/b/c") for row in rows] == ["x-b", "a/b/c", "a/b/c!"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "the first line has to be topic,interface,source"),
        (["topic,interface"], "the first line has to be"),
        (["topic,interface,source"], "no line behind its first"),
        (["topic,interface,source", "a,99,"], "line 2: there is no interface '99'"),
        (["topic,interface,source", "a,6"], "line 2: a line has a topic"),
        (["topic,interface,source", "a,6,b,c"], "line 2: a line has a topic"),
        (["topic,interface,source", "a/#/b,6,"], "is no filter"),
        (["topic,interface,source", "a/b+,6,"], "is no filter"),
        (["topic,interface,source", "a/b,6,{3}"], "topics like a/b have 2 levels"),
        (["topic,interface,source", "a/b,6,{0}"], "neither {topic} nor the number of a level"),
        (["topic,interface,source", "a/b,6,{name}"], "neither {topic} nor the number of a level"),
        (["topic,interface,source", "$share/g/a,6,"], "a shared subscription has no order"),
    ],
)
def test_a_table_that_is_none_is_refused_by_line(lines, sentence):
    with pytest.raises(BadTable) as refused:
        read_table(lines)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--broker", "http://a"], "is no address of a broker"),
        (["--broker", "mqtt://u:p@a"], "the password in TWIN_MQTT_PASSWORD"),
        (["--broker", "mqtt://a", "--client-id", "../a"], "it may have letters"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments, sentence, tmp_path):
    table = tmp_path / "topics.csv"
    table.write_text(TABLE)
    environment = {"TWIN_KAFKA": NOBODY, "TWIN_HOME": str(tmp_path)}
    result = CliRunner().invoke(main, [*arguments, "--table", str(table)], env=environment)
    assert result.exit_code == 2
    assert sentence in result.output
