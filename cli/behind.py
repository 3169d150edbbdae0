"""How far every part is behind, and in which version it runs: what ``twin status`` asks of servers."""

import os
from typing import Any

import psycopg
from kafka.errors import KafkaError

from cli.trouble import first_line
from streams import lag
from streams.settings import SettingsError, settings


def measure(parts: list[dict[str, Any]], existing: list[dict[str, Any]]) -> tuple[int | None, dict[str, str], str]:
    """Write lags and missing versions into the parts.

    Args:
        parts: as ``twin status`` shows them.
        existing: servers that are not ours, likewise.

    Returns:
        Records that are not in the tables yet, versions by name, and what kept us from knowing.
    """
    found = _existing_versions(existing)
    try:
        config = settings()
        if "postgresql" not in found:
            found |= lag.versions(config.database_url)
        ends = lag.end_offsets(config.kafka, config.topic_prefix)
        behind = max(0, sum(lag.lag(config, ends).values()))
    except psycopg.errors.UndefinedTable:
        return None, found, "the database has no tables yet; `twin migrate` makes them"
    except (KafkaError, psycopg.Error, OSError, SettingsError) as problem:
        said = first_line(problem) or type(problem).__name__
        _name_the_silent(parts, problem, said)
        return None, found, said
    for part in parts:
        if part["name"].startswith("worker-"):
            part["lag"] = behind
        elif part["name"] == "archiver":
            part["lag"] = lag.of_archive(config, ends)
        elif part["name"] == "gateway":
            part["lag"] = lag.of_gateway(config)
    return behind, found, ""


def _name_the_silent(parts: list[dict[str, Any]], problem: Exception, said: str) -> None:
    """A server of ours whose process runs and that does not answer is silent, and not well."""
    silent_because = {"kafka": KafkaError, "postgres": psycopg.OperationalError}
    for part in parts:
        kind = silent_because.get(part["name"])
        if kind is not None and isinstance(problem, kind) and part["state"] == "running":
            part["state"], part["error"], part["error_at"] = "silent", f"it does not answer: {said}", ""


def _existing_versions(existing: list[dict[str, Any]]) -> dict[str, str]:
    """Versions of the existing servers that answer; one that does not is said to be away."""
    found: dict[str, str] = {}
    for part in existing:
        try:
            if part["name"] == "kafka":
                part["version"] = found["kafka"] = lag.broker_version(os.environ["TWIN_KAFKA"])
            else:
                found |= lag.versions(os.environ["TWIN_DATABASE_URL"])
                part["version"] = found["postgresql"].partition(" ")[0]
        except (KafkaError, psycopg.Error, OSError) as problem:
            part["state"], part["error"] = "away", first_line(problem) or type(problem).__name__
    return found
