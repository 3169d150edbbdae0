import os
import signal
import time

import pytest

from streams.embedded import running as running_module
from streams.embedded.parts import Part
from streams.embedded.running import Running


@pytest.fixture
def part(tmp_path):
    """Function: a part that is a shell script; it is ready when the file ``ready`` in its home is there."""
    made = []

    def make(script, **options):
        settings = {"ready": (tmp_path / "ready").exists} | options
        made.append(Running(Part("small", lambda _: ["sh", "-c", script], **settings), tmp_path))
        return made[-1]

    yield make
    for running in made:
        running.stop()
        tend(running, lambda running=running: running.is_gone)


def tend(running, until, patience_s=5.0):
    deadline = time.monotonic() + patience_s
    while not until():
        assert time.monotonic() < deadline, running.as_json()
        running.tend()
        time.sleep(0.01)
    return running.as_json()


def state_is(running, state):
    return lambda: running.state == state


def test_a_part_starts_and_becomes_ready(part, tmp_path):
    running = part("sleep 60")
    assert tend(running, state_is(running, "starting"))["since"].endswith("Z")
    (tmp_path / "ready").touch()
    assert tend(running, state_is(running, "running"))["ready"] is True


def test_a_part_that_dies_starts_again_by_itself_and_its_death_stays_known(part, tmp_path):
    (tmp_path / "ready").touch()
    running = part("echo I am number $$; sleep 60")
    first = tend(running, state_is(running, "running"))
    os.kill(first["pid"], signal.SIGKILL)
    second = tend(running, lambda: running.starts == 2 and running.state == "running")
    assert second["pid"] != first["pid"]
    assert second["error"].startswith(f"killed by SIGKILL: I am number {first['pid']}")
    assert second["error_at"].endswith("Z")


def test_the_lines_shown_are_those_of_the_run_that_died(part, tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "small.log").write_text("an old trouble\n")
    running = part("printf '\\033[31mthe new trouble\\033[0m\\n'; exit 3")
    state = tend(running, state_is(running, "died"))
    assert state["error"] == "ended with code 3: the new trouble"


def test_what_works_once_is_done_when_it_ended_well(part):
    running = part("exit 0", once=True)
    tend(running, state_is(running, "done"))
    running.tend()
    assert running.starts == 1


def test_what_works_once_is_tried_again_when_it_failed(part, tmp_path):
    running = part(f"test -e {tmp_path}/again || {{ touch {tmp_path}/again; exit 1; }}", once=True)
    assert tend(running, state_is(running, "done"))["starts"] == 2


def test_deaths_in_a_row_are_answered_with_longer_and_longer_pauses(part):
    running = part("exit 1")
    tend(running, lambda: running.starts == 3 and running.state == "died")
    started = time.monotonic()
    tend(running, lambda: running.starts == 4)
    assert time.monotonic() - started > 0.8


def test_what_is_not_ready_in_time_is_started_anew(part):
    running = part("sleep 60", patience_s=0.2)
    state = tend(running, lambda: running.starts == 2)
    assert state["error"] == "not ready after 0.2 s"


def test_stopping_a_part_is_no_death(part):
    running = part("sleep 60")
    tend(running, state_is(running, "starting"))
    running.stop()
    state = tend(running, lambda: running.is_gone)
    assert (state["state"], state["error"], state["pid"]) == ("stopped", "", None)


def test_who_does_not_listen_is_killed_when_its_time_is_over(part, monkeypatch):
    monkeypatch.setattr(running_module, "STOP_S", 0.3)
    running = part("trap '' TERM; while :; do sleep 0.05; done")
    tend(running, state_is(running, "starting"))
    time.sleep(0.2)
    running.stop()
    assert tend(running, lambda: running.is_gone)["state"] == "stopped"


def test_a_long_preparation_holds_nobody_up_and_says_what_it_does(tmp_path):
    def slow(say):
        say("fetching")
        time.sleep(1.0)
        raise ValueError("the jars could not be fetched")

    running = Running(Part("slow", slow, lambda: False), tmp_path)
    started = time.monotonic()
    tend(running, lambda: running.as_json()["doing"] == "fetching")
    running.tend()
    assert time.monotonic() - started < 0.9
    assert tend(running, state_is(running, "died"))["error"] == "the jars could not be fetched"


def test_a_program_that_cannot_be_started_is_a_sentence(tmp_path):
    running = Running(Part("none", lambda _: ["/no/such/program"], lambda: False), tmp_path)
    assert "No such file" in tend(running, state_is(running, "died"))["error"]


def test_a_log_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "small.log").mkdir()
    running = Running(Part("small", lambda _: ["true"], lambda: False), tmp_path)
    assert "Is a directory" in tend(running, state_is(running, "died"))["error"]
