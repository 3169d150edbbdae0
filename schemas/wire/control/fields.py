"""Fields of control messages: taken out, held against the model."""

import re
from typing import Any, Final

from schemas.identifiers import parse_resource
from schemas.wire.contract import BadIdentifier, SchemaViolation
from schemas.wire.instants import instant

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KINDS: Final = {"C": "sr", "E": "nelo"}


def text(value: Any, name: str) -> str:
    """A text that is not empty.

    Raises:
        SchemaViolation: missing, empty or no text.
    """
    if not isinstance(value, str) or not value.strip():
        raise SchemaViolation(f"{name} is missing" if value is None else f"{name} is no text")
    return value.strip()


def moment(value: Any, name: str) -> int:
    """A time in ISO 8601 with a zone, as microseconds.

    Raises:
        SchemaViolation: missing, or no such time.
    """
    try:
        return instant(text(value, name))
    except (ValueError, OverflowError) as problem:
        raise SchemaViolation(f"{name} is {str(value)[:40]!r}, not a time with zone ({problem})") from problem


def optional_moment(value: Any, name: str) -> int | None:
    """As :func:`moment`; None where there is none."""
    return None if value is None else moment(value, name)


def uuid(value: Any, name: str) -> str:
    """An id (RFC 4122) in small letters.

    Raises:
        SchemaViolation: missing, or no such id.
    """
    found = text(value, name).lower()
    if not _UUID.fullmatch(found):
        raise SchemaViolation(f"{name} is {found[:40]!r}, no UUID")
    return found


def location(value: Any, name: str) -> tuple[str, str]:
    """Kind and id of a controllable resource (SR) or grid location (NeLo), its check digit checked.

    Raises:
        BadIdentifier: another kind, form or check digit.
    """
    found = parse_resource(text(value, name))
    if found[0] not in _KINDS:
        raise BadIdentifier(f"{name} is {found}; a command is for a controllable resource (C) or grid location (E)")
    return _KINDS[found[0]], found


def one_of(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """One of some words.

    Raises:
        SchemaViolation: missing, or another word.
    """
    found = text(value, name)
    if found not in allowed:
        raise SchemaViolation(f"{name} is {found[:40]!r}; {', '.join(allowed)} is allowed")
    return found
