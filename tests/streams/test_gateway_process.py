import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from schemas.event import from_record
from schemas.interfaces import interface as interface_of

pytestmark = pytest.mark.stack

NOBODY = "127.0.0.1:9"
INTERFACE = "13"  # one without a decoder: what is posted there is an event whatever it says


class Served:
    """A gateway in a process of its own."""

    def __init__(self, bootstrap, prefix, home, **environment):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "streams.gateway"],
            cwd=Path(__file__).parents[2],
            env={
                **os.environ,
                "TWIN_KAFKA": bootstrap,
                "TWIN_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
                "TWIN_TOPIC_PREFIX": prefix,
                "TWIN_HOME": str(home),
                "TWIN_HTTP_PORT": str(port),
                **environment,
            },
            stderr=subprocess.PIPE,
        )
        self.wait_for(lambda: self.health() is not None)

    def health(self):
        try:
            return httpx.get(f"{self.url}/health").json()
        except httpx.TransportError:
            return None

    def post(self, text, **headers):
        return httpx.post(f"{self.url}/interfaces/{INTERFACE}/messages", content=text, headers=headers, timeout=20)

    def wait_for(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            assert self.process.poll() is None, self.process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=20)


def events_of(records_of, prefix):
    return [from_record(record.value) for record in records_of(prefix + interface_of(INTERFACE).topic)]


def test_an_acknowledged_message_is_in_kafka(kafka, topic_prefix, records_of, tmp_path):
    with Served(kafka, topic_prefix, tmp_path, TWIN_HTTP_TOKEN="secret") as gateway:
        gateway.wait_for(lambda: gateway.health()["direct"])
        assert gateway.post("unheard").status_code == 401
        answer = gateway.post("heard", Authorization="Bearer secret")
        assert answer.status_code == 200
        assert [event.id for event in events_of(records_of, topic_prefix)] == answer.json()["events"]


def test_what_waits_for_kafka_survives_kill_nine_and_arrives_in_order(kafka, topic_prefix, records_of, tmp_path):
    with Served(NOBODY, topic_prefix, tmp_path) as gateway:
        answers = [gateway.post(f"message {number}") for number in range(20)]
        assert {answer.status_code for answer in answers} == {202}
        gateway.process.send_signal(signal.SIGKILL)
    with Served(kafka, topic_prefix, tmp_path) as gateway:
        gateway.wait_for(lambda: gateway.health() == {"kafka": True, "direct": True, "spooled": 0})
    told = [identity for answer in answers for identity in answer.json()["events"]]
    assert [event.id for event in events_of(records_of, topic_prefix)] == told


def test_a_second_gateway_in_the_same_folder_says_why_it_cannot(kafka, topic_prefix, tmp_path):
    with Served(kafka, topic_prefix, tmp_path), pytest.raises(AssertionError, match="another gateway"):
        Served(kafka, topic_prefix, tmp_path)
