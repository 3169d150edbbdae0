"""Fields of JSON objects, whose numbers and flags may be written as text."""

import re
from typing import Any, Final

import orjson

from schemas.time import parse_time
from schemas.wire.contract import BadSyntax, SchemaViolation
from schemas.wire.strict_json import holds_nul

Object = dict[str, Any]

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,15}")
_SHOWN: Final = 40


def parse(raw: bytes) -> Object:
    """The JSON object in these bytes.

    Raises:
        BadSyntax: not JSON, or no object.
        SchemaViolation: a text holds the NUL character, which no database takes.
    """
    try:
        root = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as problem:
        offset = len(problem.doc[: problem.pos].encode("utf-8", "replace"))
        raise BadSyntax(f"not JSON: {problem.msg}", offset) from None
    if not isinstance(root, dict):
        raise BadSyntax("the message is a JSON object")
    if b"\\u0000" in raw and holds_nul(root):
        raise SchemaViolation("a text holds the NUL character", raw.index(b"\\u0000"))
    return root


def objects(parent: Object, name: str) -> list[Object]:
    """The objects of a list; none where the field is missing.

    Raises:
        SchemaViolation: not a list of objects.
    """
    found = parent.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(part, dict) for part in found):
        raise SchemaViolation(f"{name} is a list of objects")
    return found


def inner(parent: Object, name: str) -> Object:
    """The object in a field; an empty one where the field is missing.

    Raises:
        SchemaViolation: not an object.
    """
    found = parent.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SchemaViolation(f"{name} is an object")
    return found


def text(parent: Object, name: str) -> str | None:
    """A text, without space around it; None where it is missing or empty.

    Raises:
        SchemaViolation: an object, a list or a flag.
    """
    found = parent.get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if found is not None and not isinstance(found, str):
        raise SchemaViolation(f"{name} is a text")
    return (found or "").strip() or None


def texts(parent: Object, name: str) -> list[str]:
    """A list of texts; empty where it is missing.

    Raises:
        SchemaViolation: not a list of texts.
    """
    found = parent.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        raise SchemaViolation(f"{name} is a list of texts")
    return [part.strip() for part in found]


def integer(parent: Object, name: str) -> int | None:
    """A whole number; None where it is missing.

    Raises:
        SchemaViolation: not a whole number.
    """
    found = text(parent, name)
    if found is None:
        return None
    if not _INTEGER.fullmatch(found):
        raise SchemaViolation(f"{name} is {found[:_SHOWN]!r}, not a whole number")
    return int(found)


def instant(parent: Object, name: str) -> int | None:
    """A time in microseconds; None where it is missing.

    Raises:
        SchemaViolation: not a date and time with zone.
    """
    found = text(parent, name)
    if found is None:
        return None
    try:
        return parse_time(found)
    except (ValueError, OverflowError) as problem:
        raise SchemaViolation(f"{name} is {found[:_SHOWN]!r}, not a time with zone ({problem})") from problem
