"""TCP ports of the embedded stack: named in the environment, those of the last start, or free ones."""

import os
import random
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

import psutil

from streams.settings import SettingsError, port, read_state

VARIABLES = {
    "kafka": "TWIN_KAFKA_PORT",
    "controller": "TWIN_KAFKA_CONTROLLER_PORT",
    "postgres": "TWIN_DATABASE_PORT",
    "http": "TWIN_HTTP_PORT",
}

# Below the range from which systems take the ports of outgoing connections: so a port that was ours is still free
# at the next start.
_RANGE = range(20_000, 30_000)
_ANYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- compared with, not bound to


def choose(home: Path, environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """A port for each name of ``VARIABLES``.

    Raises:
        streams.settings.SettingsError: a port that was asked for is no number, asked for twice, or taken.
    """
    known = read_state(home).get("ports", {})
    external = {
        *(("kafka", "controller") if environment.get("TWIN_KAFKA") else ()),
        *(("postgres",) if environment.get("TWIN_DATABASE_URL") else ()),
    }
    chosen = {name: port(environment, key, 0) for name, key in VARIABLES.items() if environment.get(key)}
    for name, number in chosen.items():
        if name in external:
            continue
        twice = [VARIABLES[other] for other, taken in chosen.items() if taken == number and other != name]
        if twice:
            raise SettingsError(f"{VARIABLES[name]} and {twice[0]} are both {number}; each needs a port of its own")
        if not is_free(number, _host(name, environment)):
            raise SettingsError(
                f"port {number} ({VARIABLES[name]}) is taken{_by_whom(number)}; "
                f"end that program, or set {VARIABLES[name]} to another port"
            )
    for name in VARIABLES:
        if name not in chosen:
            last = known.get(name)
            usable = last not in chosen.values() and isinstance(last, int) and is_free(last, _host(name, environment))
            chosen[name] = last if usable else _another(chosen.values())
    return chosen


def is_free(number: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError:
            return False
    return True


def listens(host: str, number: int, timeout_s: float = 0.5) -> bool:
    """Whether somebody takes connections there."""
    try:
        with socket.create_connection((reached_at(host), number), timeout=timeout_s):
            return True
    except OSError:
        return False


def reached_at(host: str) -> str:
    """Where a server that listens on ``host`` is reached from this machine."""
    return "127.0.0.1" if host in _ANYWHERE else host


def _host(name: str, environment: Mapping[str, str]) -> str:
    return (environment.get("TWIN_HTTP_HOST") or "127.0.0.1") if name == "http" else "127.0.0.1"


def _another(taken: Collection[int]) -> int:
    while True:
        number = random.choice(_RANGE)  # noqa: S311 -- no secret
        if number not in taken and is_free(number):
            return number


def _by_whom(number: int) -> str:
    """The program that listens on a port, as far as this account may see it."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens_there = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (number,)
            if listens_there and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return ""
