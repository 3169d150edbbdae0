"""Where everything is: from the environment, else from the stack that ``twin up`` started here.

| variable | meaning |
|---|---|
| ``TWIN_HOME`` | folder of all state on this machine (``.twin``) |
| ``TWIN_KAFKA`` | bootstrap servers of an existing Kafka |
| ``TWIN_DATABASE_URL`` | URL of an existing PostgreSQL |
| ``TWIN_SCHEMA`` | schema of the live projections (``live``) |
| ``TWIN_TOPIC_PREFIX`` | stands before every topic's name |
| ``TWIN_KAFKA_PORT``, ``TWIN_DATABASE_PORT``, ``TWIN_HTTP_PORT`` | ports of the embedded stack (chosen free) |
| ``TWIN_HTTP_HOST`` | address the gateway listens on (``127.0.0.1``) |
| ``TWIN_HTTP_TOKEN`` | token the gateway asks for (none) |
| ``TWIN_HTTP_BODY_LIMIT_BYTES`` | largest body the gateway takes (16 MiB) |
| ``TWIN_SPOOL_LIMIT_BYTES`` | most the gateway spools while Kafka is away (1 GiB) |
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

STATE_FILE = "stack.json"
_MIB = 1024 * 1024


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
        parts = urlsplit(self.database_url)
        if parts.password is None:
            return str(self.database_url)
        bare = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{bare}"))


def home_of(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of all state."""
    return Path(environment.get("TWIN_HOME") or ".twin").absolute()


def settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that hold now.

    Raises:
        StackNotRunning: no Kafka or database is named, and none was started here.
        SettingsError: a value cannot be.
    """
    home = home_of(environment)
    state = read_state(home)
    kafka = environment.get("TWIN_KAFKA") or state.get("kafka")
    database_url = environment.get("TWIN_DATABASE_URL") or state.get("database_url")
    if not kafka or not database_url:
        missing = "TWIN_DATABASE_URL" if kafka else "TWIN_KAFKA"
        raise StackNotRunning(f"nothing runs in {home}: start it with `twin up`, or set {missing}")
    return Settings(
        home=home,
        kafka=kafka,
        database_url=Secret(database_url),
        schema=environment.get("TWIN_SCHEMA") or "live",
        topic_prefix=environment.get("TWIN_TOPIC_PREFIX", ""),
        http_host=environment.get("TWIN_HTTP_HOST") or "127.0.0.1",
        http_port=number(environment, "TWIN_HTTP_PORT", state.get("http_port") or 8411),
        http_token=Secret(environment.get("TWIN_HTTP_TOKEN", "")),
        http_body_limit_bytes=number(environment, "TWIN_HTTP_BODY_LIMIT_BYTES", 16 * _MIB),
        spool_limit_bytes=number(environment, "TWIN_SPOOL_LIMIT_BYTES", 1024 * _MIB),
    )


def read_state(home: Path) -> dict[str, Any]:
    """What the embedded stack wrote about itself; empty when none was started."""
    try:
        state: dict[str, Any] = json.loads((home / STATE_FILE).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return state


def number(environment: Mapping[str, str], key: str, default: int) -> int:
    """A whole number from the environment.

    Raises:
        SettingsError: it is not one.
    """
    text = environment.get(key)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{key} is {text!r}; it has to be a whole number") from None
