"""Where everything is: from the environment, else from the stack that ``twin up`` started here.

| variable | meaning |
|---|---|
| ``TWIN_HOME`` | folder of all state on this machine (``.twin``) |
| ``TWIN_KAFKA`` | bootstrap servers of an existing Kafka |
| ``TWIN_DATABASE_URL`` | URL of an existing PostgreSQL |
| ``TWIN_SCHEMA`` | schema of the live projections (``live``) |
| ``TWIN_TOPIC_PREFIX`` | stands before every topic's name |
| ``TWIN_KAFKA_PORT``, ``TWIN_KAFKA_CONTROLLER_PORT``, ``TWIN_DATABASE_PORT``, ``TWIN_HTTP_PORT`` | ports of the
  embedded stack (chosen free) |
| ``TWIN_CACHE`` | where Kafka's jars are kept (``~/.cache/gegenstrom``) |
| ``TWIN_HTTP_HOST`` | address the gateway listens on (``127.0.0.1``) |
| ``TWIN_HTTP_TOKEN`` | token the gateway asks for (none) |
| ``TWIN_HTTP_BODY_LIMIT_BYTES`` | largest body the gateway takes (16 MiB) |
| ``TWIN_READY_FILE`` | a file by which a process says that it serves (none; set by whoever starts it) |
| ``TWIN_SPOOL_LIMIT_BYTES`` | most that a gateway or tap spools while Kafka is away (1 GiB) |

The taps have their own beside their options, see :mod:`streams.taps.ocpp`, :mod:`~streams.taps.tcp`,
:mod:`~streams.taps.mqtt` and :mod:`~streams.taps.folder`.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from streams.embedded.processes import lives

STATE_FILE = "stack.json"
_MIB = 1024 * 1024
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,100}")  # what Kafka takes in a topic's name, with room for the name
_SERVER = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:,]+):[0-9]{1,5}")


class SettingsError(Exception):
    """A setting is missing or cannot be; the sentence names it."""


class StackNotRunning(SettingsError):
    """Nothing runs here and no address was given."""


class Secret(str):
    """A text that prints stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'" if self else "''"


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses and limits; see the module's docstring."""

    home: Path
    kafka: str
    database_url: Secret
    schema: str
    topic_prefix: str
    http_host: str
    http_port: int
    http_token: Secret
    http_body_limit_bytes: int
    spool_limit_bytes: int

    @property
    def archive(self) -> Path:
        """Folder of the Parquet archive."""
        return self.home / "archive"

    @property
    def database_address(self) -> str:
        """The database's URL without its password, for people."""
        return masked(self.database_url)


def home_of(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of all state."""
    return Path(environment.get("TWIN_HOME") or ".twin").absolute()


def settings(environment: Mapping[str, str] = os.environ, *, with_database: bool = True) -> Settings:
    """The settings that hold now; who only sends needs no database.

    Raises:
        StackNotRunning: no Kafka or database is named, and none runs here.
        SettingsError: a value cannot be.
    """
    home = home_of(environment)
    state = read_state(home)
    if not runs(state):
        state = {}
    kafka = environment.get("TWIN_KAFKA") or state.get("kafka")
    database_url = environment.get("TWIN_DATABASE_URL") or state.get("database_url")
    needed = {"TWIN_KAFKA": kafka} | ({"TWIN_DATABASE_URL": database_url} if with_database else {})
    if not all(needed.values()):
        missing = " and ".join(key for key, value in needed.items() if not value)
        raise StackNotRunning(f"nothing runs in {home}: start it with `twin up`, or set {missing}")
    return Settings(
        home=home,
        kafka=_bootstrap(kafka or ""),
        database_url=_database_url(database_url) if database_url else Secret(),
        schema=_matching(environment, "TWIN_SCHEMA", "live", _SCHEMA, "small letters, digits and _, at most 63"),
        topic_prefix=_matching(environment, "TWIN_TOPIC_PREFIX", "", _PREFIX, "letters, digits, . _ and -"),
        http_host=environment.get("TWIN_HTTP_HOST") or "127.0.0.1",
        http_port=port(environment, "TWIN_HTTP_PORT", state.get("http_port") or 8411),
        http_token=Secret(environment.get("TWIN_HTTP_TOKEN", "")),
        http_body_limit_bytes=number(environment, "TWIN_HTTP_BODY_LIMIT_BYTES", 16 * _MIB, least=1),
        spool_limit_bytes=number(environment, "TWIN_SPOOL_LIMIT_BYTES", 1024 * _MIB, least=1),
    )


def read_state(home: Path) -> dict[str, Any]:
    """What the embedded stack wrote about itself; empty when none was started.

    Raises:
        SettingsError: the file is damaged.
    """
    file = home / STATE_FILE
    try:
        state = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, PermissionError) as problem:
        raise SettingsError(f"{file} cannot be read ({problem}); is TWIN_HOME the right folder?") from problem
    if not isinstance(state, dict):
        raise SettingsError(f"{file} is not the state of a stack; is TWIN_HOME the right folder?")
    return state


def runs(state: Mapping[str, Any]) -> bool:
    """Whether any process of the stack lives; after a power cut the file still names them."""
    parts = [*state.get("parts", {}).values(), *state.get("leaving", {}).values()]
    return lives(state.get("supervisor"), state.get("supervisor_born")) or any(
        lives(part["pid"], part["born"]) for part in parts
    )


def masked(url: str) -> str:
    """A URL without its password, for people."""
    parts = urlsplit(url)
    if parts.password is None:
        return str(url)
    bare = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{bare}"))


def port(environment: Mapping[str, str], key: str, default: int) -> int:
    """The number of a TCP port from the environment.

    Raises:
        SettingsError: it is not one.
    """
    return number(environment, key, default, least=1, most=65_535)


def number(
    environment: Mapping[str, str], key: str, default: int, *, least: int | None = None, most: int | None = None
) -> int:
    """A whole number from the environment, within bounds.

    Raises:
        SettingsError: it is not one.
    """
    text = environment.get(key)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise SettingsError(f"{key} is {text!r}; it has to be a whole number") from None
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"between {least} and {most}"
        raise SettingsError(f"{key} is {value}; it has to be {bounds}")
    return value


def _matching(environment: Mapping[str, str], key: str, default: str, pattern: re.Pattern[str], allowed: str) -> str:
    text = environment.get(key) or default
    if not pattern.fullmatch(text):
        raise SettingsError(f"{key} is {text!r}; it may have {allowed}")
    return text


def _bootstrap(text: str) -> str:
    servers = [server.strip() for server in text.split(",")]
    if not all(_SERVER.fullmatch(server) for server in servers):
        raise SettingsError(f"TWIN_KAFKA is {text!r}; it has to be host:port, several parted by commas")
    return ",".join(servers)


def _database_url(text: str) -> Secret:
    # the value may hold a password, so it is not repeated
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = ""
    if scheme not in {"postgresql", "postgres"}:
        raise SettingsError("TWIN_DATABASE_URL has to be like postgresql://user:password@host:5432/database")
    return Secret(text)
