"""``twin demo`` as a stranger sees it: real servers, real processes, and commands that work."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from streams import migrate, tables

TWIN = Path(sys.executable).with_name("twin")


@pytest.fixture
def twin(tmp_path, kafka, database_url, topic_prefix, schema):
    """Call ``twin`` on servers that run already, with everything of its own."""
    environment = {
        **os.environ,
        "TWIN_HOME": str(tmp_path / "home"),
        "TWIN_KAFKA": kafka,
        "TWIN_DATABASE_URL": database_url,
        "TWIN_TOPIC_PREFIX": topic_prefix,
        "TWIN_SCHEMA": schema,
    }

    def call(*arguments):
        return subprocess.run(
            [TWIN, *arguments], check=False, env=environment, capture_output=True, text=True, timeout=280
        )

    yield call
    call("down")
    migrate.drop(database_url, f"{schema}_2026_10_25")


def test_the_demo_runs_twice_changes_nothing_and_names_commands_that_work(twin, database_url, schema):
    first = twin("demo", "--day", "2026-10-25", "--sites", "2")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "100 quarter hours in a street of 2 houses" in first.stdout
    assert "live and replay are equal" in first.stdout
    assert "wrong" not in first.stdout
    assert re.search(r"cars gave back +\d+\.\d +\d+\.\d +200 of 200 +2\n", first.stdout)
    digest = tables.digest(database_url, schema)

    for command in re.findall(r"^  \S*twin (\S.*?)  ", first.stdout, re.MULTILINE):
        if command != "down":
            called = twin(*shlex.split(command))
            assert called.returncode == 0, called.stderr
            assert called.stdout + called.stderr

    again = twin("demo", "--day", "2026-10-25", "--sites", "2")
    assert again.returncode == 0
    assert tables.digest(database_url, schema) == digest
    assert figures(again.stdout) == figures(first.stdout)

    other = twin("demo", "--day", "2026-10-26", "--sites", "2", "--seed", "2")
    assert other.returncode == 1
    sentence = other.stderr.splitlines()[-1]
    assert sentence.startswith("twin: the street in")
    assert "take --seed 1" in sentence


def figures(printed):
    """The table, without how fast it went."""
    return [line for line in printed.splitlines() if "/s" not in line and " s" not in line]
