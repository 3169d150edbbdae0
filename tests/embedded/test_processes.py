import os
import signal
import subprocess
import time

import pytest

from streams.embedded.processes import birth, end, lives


@pytest.fixture
def started():
    """Function: start a shell command in a session of its own; all are ended after the test."""
    found = []

    def start(script):
        process = subprocess.Popen(["sh", "-c", script], start_new_session=True)
        found.append(process)
        return process

    yield start
    for process in found:
        process.kill()
        process.wait()


def test_a_process_is_known_by_number_and_birth(started):
    process = started("sleep 60")
    assert lives(process.pid, birth(process.pid))
    assert not lives(process.pid, "another birth")


def test_a_process_that_ended_or_waits_to_be_reaped_does_not_live(started):
    process = started("exit 0")
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT) is None:
        pass
    assert birth(process.pid) is None


def test_ending_leaves_a_stranger_with_the_same_number_alone(started):
    process = started("sleep 60")
    end([(process.pid, "born at another time", signal.SIGKILL)], 1.0)
    assert process.poll() is None


def test_who_does_not_listen_is_killed_with_its_children(started):
    process = started("trap '' TERM; sleep 60 & wait")
    time.sleep(0.2)
    end([(process.pid, birth(process.pid), signal.SIGTERM)], 0.3)
    assert process.wait(5) == -signal.SIGKILL
