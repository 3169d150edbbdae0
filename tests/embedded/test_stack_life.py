"""Whole lives of a stack, with real servers and the command a user types."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid

import psutil
import psycopg
import pytest
from kafka import KafkaAdminClient

from streams import migrate
from streams.embedded import ports, stack
from streams.settings import read_state
from streams.topics import catalogue

pytestmark = pytest.mark.stack


class Twin:
    """The command ``twin`` on one home folder."""

    def __init__(self, home, environment):
        self.home = home
        self._environment = {**os.environ, "TWIN_HOME": str(home), **environment}

    def start(self, *arguments, module="cli.main"):
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments, module="cli.main"):
        process = self.start(*arguments, module=module)
        said, _ = process.communicate(timeout=200)
        assert process.returncode == 0, said
        return said

    def parts(self):
        return {part["name"]: part for part in json.loads(self.run("status", "--json"))["parts"]}

    def kill(self, name):
        """``kill -9``; the number of the process that was."""
        pid = read_state(self.home)["parts"][name]["pid"]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_second_lives(self, names):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            parts = {part.name: part for part in stack.status(self.home)}
            if all(parts[name].state == "running" and parts[name].starts > 1 for name in names):
                return
            time.sleep(0.1)
        raise AssertionError(stack.status(self.home))


@pytest.fixture
def twin(tmp_path):
    """Function: ``twin`` on an empty home folder with an awkward name, and further variables."""
    made = []

    def make(**environment):
        made.append(Twin(tmp_path / "Straße 12 #5%", environment))
        return made[-1]

    yield make
    for each in made:
        stack.down(each.home)


def test_a_stack_starts_heals_grows_stops_and_keeps_everything(twin):
    """Two starts at once make one stack as large as either wants it; what is killed comes back; after a stop nothing is
    left and nothing lost.
    """
    twin = twin()
    starts = [twin.start("up", "--workers", "2"), twin.start("up")]
    for start in starts:
        said, _ = start.communicate(timeout=200)
        assert start.returncode == 0, said
    parts = twin.parts()
    assert set(parts) == {"kafka", "postgres", "setup", "worker-1", "worker-2", "archiver", "gateway"}
    assert {part["state"] for part in parts.values()} == {"running", "done"}
    assert parts["kafka"]["version"].startswith("4.1")
    assert parts["worker-1"]["lag"] == parts["archiver"]["lag"] == parts["gateway"]["lag"] == 0

    state = read_state(twin.home)
    assert (twin.home / "stack.json").stat().st_mode & 0o077 == 0  # the database's password is in it
    with psycopg.connect(state["database_url"]) as connection:
        connection.execute("create table kept (word text)")
        connection.execute("insert into kept values ('here')")
    for name in ("worker-1", "kafka", "postgres"):
        twin.kill(name)
    twin.wait_for_second_lives(["worker-1", "kafka", "postgres"])
    parts = twin.parts()
    assert parts["kafka"]["error"].startswith("killed by SIGKILL")
    assert parts["worker-1"]["lag"] == 0

    said = twin.run("up", "--workers", "3")
    assert "already running with 2 workers" in said
    assert "now with 3" in said
    assert all(len(line) <= 80 for line in twin.run("status").partition("last error")[0].splitlines())

    assert twin.run("down") == "stopped\n"
    assert {part.state for part in stack.status(twin.home)} <= {"stopped", "done"}
    assert all(ports.is_free(number) for number in state["ports"].values())
    assert not [process for process in psutil.process_iter(["cmdline"]) if str(twin.home) in str(process.info)]

    said = twin.run("up", module="streams.embedded")
    assert f"KAFKA={state['kafka']}" in said
    with psycopg.connect(read_state(twin.home)["database_url"]) as connection:
        assert connection.execute("select word from kept").fetchall() == [("here",)]
    admin = KafkaAdminClient(bootstrap_servers=state["kafka"])
    assert set(catalogue()) <= set(admin.list_topics())
    admin.close()


def test_existing_servers_are_used_and_a_killed_supervisor_is_replaced(twin, kafka, database_url):
    """Only our own processes start; whatever a killed supervisor left is ended before the next takes over."""
    prefix, schema = f"test-{uuid.uuid4().hex[:10]}.", f"test_{uuid.uuid4().hex[:12]}"
    twin = twin(TWIN_KAFKA=kafka, TWIN_DATABASE_URL=database_url, TWIN_TOPIC_PREFIX=prefix, TWIN_SCHEMA=schema)
    try:
        twin.run("up")
        parts = twin.parts()
        assert parts["kafka"]["state"] == parts["postgres"]["state"] == "external"
        assert parts["worker-1"]["state"] == "running"
        before = {name: part["pid"] for name, part in parts.items() if part["pid"]}
        assert before.keys() == {"worker-1", "archiver", "gateway"}

        os.kill(read_state(twin.home)["supervisor"], signal.SIGKILL)
        assert "nobody watches these parts" in twin.run("status")
        twin.run("up")
        assert not any(psutil.pid_exists(pid) for pid in before.values())

        after = {name: part["pid"] for name, part in twin.parts().items() if part["pid"]}
        assert after.keys() == before.keys()
        twin.run("down")
        assert not any(psutil.pid_exists(pid) for pid in after.values())
    finally:
        stack.down(twin.home)
        migrate.drop(database_url, schema)
        admin = KafkaAdminClient(bootstrap_servers=kafka)
        admin.delete_topics(sorted(set(catalogue(prefix)) & set(admin.list_topics())))
        admin.close()
