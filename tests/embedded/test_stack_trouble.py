"""What `twin up`, `twin down` and `twin status` say when something is in the way; nothing is started here."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from streams.embedded import stack
from streams.embedded.processes import birth


@pytest.fixture
def twin(tmp_path):
    """Function: run ``twin`` on a home folder whose name has spaces; exit code and everything printed."""

    def run(*arguments, **environment):
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={**os.environ, "TWIN_HOME": str(tmp_path / "a home"), **environment},
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "a home"
    folder.mkdir()
    return folder


@pytest.fixture
def left_behind(home):
    """A process that a killed supervisor left behind, and the state that says so."""
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    runs(home, process, "worker-1")
    yield process
    process.kill()
    process.wait()


def runs(home, process, name, error="", **servers):
    """Write that the process is the part of that name, and what went wrong with it last."""
    part = {"pid": process.pid, "born": birth(process.pid), "once": False, "stage": 0, "stop_signal": 15}
    part |= {"state": "running", "ready": True, "since": "2026-11-25T09:00:00Z", "starts": 1, "address": ""}
    part |= {"error": error, "error_at": "2026-11-25T09:00:00Z" if error else ""}
    state = {"supervisor": process.pid, "supervisor_born": "earlier", "kafka": "127.0.0.1:1", "database_url": "x"}
    (home / "stack.json").write_text(json.dumps(state | servers | {"parts": {name: part}}))


def one_sentence(said):
    lines = said.strip().splitlines()
    assert len(lines) == 1, said
    return lines[0]


def test_a_taken_port_is_one_sentence(twin):
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = str(other.getsockname()[1])
        code, said = twin("up", TWIN_HTTP_PORT=number)
    assert code == 1
    assert f"port {number} (TWIN_HTTP_PORT) is taken" in one_sentence(said)


def test_a_home_that_cannot_be_made_is_one_sentence(twin, tmp_path):
    (tmp_path / "file").touch()
    code, said = twin("up", TWIN_HOME=str(tmp_path / "file" / "home"))
    assert code == 1
    assert "set TWIN_HOME to another folder" in one_sentence(said)


def test_a_home_on_a_file_system_that_takes_no_files_is_one_sentence(twin):
    code, said = twin("up", TWIN_HOME="/proc/self/fdinfo")
    assert code == 1
    assert "TWIN_HOME" in one_sentence(said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("file", ["wanted.json.new", "stack.json.new"])
def test_a_full_disk_is_one_sentence(twin, home, file):
    (home / file).symlink_to("/dev/full")
    code, said = twin("up")
    assert code == 1
    assert "cannot be written (No space left on device); free space" in one_sentence(said)


def test_too_little_room_is_said_before_anything_starts(home, monkeypatch):
    monkeypatch.setattr(stack, "_NEEDED_BYTES", 1 << 60)
    with pytest.raises(stack.StackFailed, match=r"MiB are free in .*a home.*free space"):
        stack.up(home)


def test_an_existing_kafka_that_does_not_answer_is_named(twin):
    code, said = twin("up", TWIN_KAFKA="127.0.0.1:1")
    assert code == 1
    assert "Kafka at 127.0.0.1:1 (TWIN_KAFKA) does not answer" in one_sentence(said)


def test_an_existing_database_that_does_not_answer_is_named_without_its_password(twin):
    code, said = twin("up", TWIN_DATABASE_URL="postgresql://twin:secret@127.0.0.1:1/twin")
    assert code == 1
    assert "postgresql://twin:***@127.0.0.1:1/twin (TWIN_DATABASE_URL) does not answer" in one_sentence(said)
    assert "secret" not in said


def test_status_names_existing_servers_that_are_away_without_their_password(twin):
    code, said = twin("status", TWIN_KAFKA="127.0.0.1:1", TWIN_DATABASE_URL="postgresql://twin:secret@127.0.0.1:1/twin")
    assert code == 1
    assert "secret" not in said
    for name in ("kafka", "postgres"):
        assert next(line.split()[1] for line in said.splitlines() if line.startswith(name)) == "away"
        assert f"last error of {name}: " in said


def test_status_asks_the_only_server_that_is_named(twin):
    code, said = twin("status", TWIN_KAFKA="127.0.0.1:1")
    assert code == 1
    assert "last error of kafka: " in said
    assert "set TWIN_DATABASE_URL" in said


def test_down_where_nothing_runs_says_so(twin):
    assert twin("down")[1].startswith("nothing runs in ")


def test_status_where_nothing_runs_says_how_to_start(twin):
    code, said = twin("status")
    assert code == 1
    assert "start it with `twin up`" in one_sentence(said)


def test_the_state_of_a_power_cut_is_not_believed(twin, home, left_behind):
    left_behind.kill()
    left_behind.wait()
    code, said = twin("status")
    assert code == 1
    assert "nothing runs" in said
    assert "the last run was cut off" in said
    assert json.loads(twin("status", "--json")[1])["parts"][0]["state"] == "died"


def test_status_says_when_nobody_watches_the_parts(twin, left_behind):
    _, said = twin("status")
    assert "worker-1   running" in said
    assert "nobody watches these parts" in said


TAIL = "killed by SIGKILL: 2026-11-25 08:59:58,123 INFO streams: the first of its last lines | the second | the third"


def test_the_last_error_of_a_part_that_is_well_again_is_cut_to_the_table(twin, home, left_behind):
    runs(home, left_behind, "worker-1", TAIL)
    said = next(line for line in twin("status")[1].splitlines() if line.startswith("last error of worker-1: "))
    assert said.startswith("last error of worker-1: 2026-11-25 09:00:00Z killed by SIGKILL: ")
    assert (len(said), said[-1]) == (80, "…")
    assert json.loads(twin("status", "--json")[1])["parts"][0]["error"] == TAIL


def test_of_a_part_that_died_the_last_lines_of_its_log_stand_below_each_other(twin, home, left_behind):
    runs(home, left_behind, "worker-1", TAIL)
    left_behind.kill()
    left_behind.wait()
    state = json.loads((home / "stack.json").read_text())
    state |= {"supervisor": os.getpid(), "supervisor_born": birth(os.getpid())}
    (home / "stack.json").write_text(json.dumps(state))
    code, said = twin("status")
    lines = said.splitlines()
    at = lines.index(f"last error of worker-1: 2026-11-25 09:00:00Z {TAIL.partition(' | ')[0]}")
    assert (code, lines[at + 1 : at + 3]) == (1, ["    the second", "    the third"])


def test_status_names_a_database_that_runs_and_does_not_answer(twin, home, left_behind):
    runs(home, left_behind, "postgres", database_url="postgresql://u:secret@127.0.0.1:1/d")
    code, said = twin("status")
    assert code == 1
    assert re.search(r"^postgres +silent ", said, re.MULTILINE)
    assert "last error of postgres: it does not answer: " in said
    assert "secret" not in said


def test_status_names_a_broker_that_hangs(twin, home, left_behind, database_url):
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        runs(home, left_behind, "kafka", kafka=f"127.0.0.1:{hanging.getsockname()[1]}")
        code, said = twin("status", "--json", TWIN_DATABASE_URL=database_url)
    states = {part["name"]: part["state"] for part in json.loads(said)["parts"]}
    assert (code, states) == (1, {"postgres": "external", "kafka": "silent"})


def test_down_ends_what_a_killed_supervisor_left_behind(twin, home, left_behind):
    assert twin("down") == (0, "stopped\n")
    assert left_behind.poll() is not None
    assert [part.state for part in stack.status(home)] == ["stopped"]


def test_a_damaged_state_is_one_sentence(twin, home):
    (home / "stack.json").write_text("{")
    code, said = twin("status")
    assert code == 1
    assert "cannot be read" in one_sentence(said)


def test_no_command_about_the_stack_warns_of_anything(twin):
    for arguments in (("--help",), ("up", "--help"), ("status", "--help"), ("down",)):
        code, said = twin(*arguments, PYTHONWARNINGS="default")
        assert code == 0
        assert "Warning" not in said
