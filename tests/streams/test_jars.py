"""What a machine fetches once is fetched whole, however many processes want it at the same moment."""

import os
import subprocess
import sys

import pytest

from streams.exi import is_available

MAKE = "from streams.exi.parts import class_path; from streams.java import find_java; print(class_path(find_java()))"
TOGETHER = 3


@pytest.fixture(scope="module", autouse=True)
def _with_a_codec():
    if not is_available():
        pytest.skip("the codec cannot be had here")


@pytest.fixture
def fresh_machine(tmp_path):
    """Variables of a user who has nothing yet."""
    folders = {"TWIN_CACHE": "cache", "JGO_CACHE_DIR": "jgo", "M2_REPO": "maven"}
    return {**os.environ, **{name: str(tmp_path / folder) for name, folder in folders.items()}}


def test_processes_that_meet_their_first_exi_at_once_all_get_the_codec(fresh_machine):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE],
            env=fresh_machine,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(TOGETHER)
    ]

    said = [process.communicate(timeout=120) for process in started]

    assert [(process.returncode, error) for process, (_, error) in zip(started, said, strict=True)] == [
        (0, "")
    ] * TOGETHER
    assert len({path for path, _ in said}) == 1
