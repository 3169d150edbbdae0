"""A worker as it runs in the stack, with topics and a schema of its own."""

import os
import subprocess
import sys
import time

import pytest

from streams import migrate
from streams.settings import settings


@pytest.fixture
def config(tmp_path, kafka, database_url, topic_prefix, schema, monkeypatch):
    monkeypatch.setenv("TWIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWIN_KAFKA", kafka)
    monkeypatch.setenv("TWIN_DATABASE_URL", database_url)
    monkeypatch.setenv("TWIN_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("TWIN_SCHEMA", schema)
    yield settings()
    for name in (f"{schema}_facts", f"{schema}_messages"):
        migrate.drop(database_url, name)


@pytest.fixture
def worker(config, tmp_path):
    """The worker as it runs in the stack."""
    ready = tmp_path / "worker.ready"
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams.worker"],
            env={**os.environ, "TWIN_READY_FILE": str(ready)},
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 60
    while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ready.exists(), (tmp_path / "worker.log").read_text()[-2000:]
    yield process
    process.terminate()
    process.wait(20)
