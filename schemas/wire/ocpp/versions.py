"""Versions of OCPP and the schema of each of their messages, as the package ``ocpp`` brings them."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Final, NamedTuple

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from schemas.wire.contract import SchemaViolation, Unsupported

PREFERENCE: Final = ("2.0.1", "2.1", "1.6")
"""Which version is taken where the bytes fit several and nothing says which.

Nearly every message of 2.0.1 is also one of 2.1, so the older name is right until something only 2.1 has
is seen; 1.6 shares nothing with them but empty bodies.
"""

SUBPROTOCOLS: Final = {f"ocpp{version}": version for version in PREFERENCE}
"""Names in ``Sec-WebSocket-Protocol`` (IANA WebSocket subprotocol registry)."""

_FOLDERS: Final = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
_DETAIL_LIMIT: Final = 300
_ERRORS_COUNTED: Final = 50


@cache
def actions(version: str) -> frozenset[str]:
    """Every action of a version, those of a SEND among them."""
    stems = [path.name.removesuffix(".json") for path in _folder(version).iterdir() if path.name.endswith(".json")]
    return frozenset(stem.removesuffix("Request") for stem in stems if not stem.endswith("Response"))


def stated_version(subprotocol: object) -> str | None:
    """The version that a WebSocket subprotocol names; None where none is stated.

    Raises:
        Unsupported: a subprotocol that is not read here.

    >>> stated_version("ocpp2.0.1"), stated_version("")
    ('2.0.1', None)
    """
    if not subprotocol:
        return None
    version = SUBPROTOCOLS.get(subprotocol.lower()) if isinstance(subprotocol, str) else None
    if version is None:
        raise Unsupported(f"subprotocol {str(subprotocol)[:40]!r}; known are {', '.join(sorted(SUBPROTOCOLS))}")
    return version


class Fit(NamedTuple):
    """The versions whose schema takes a body; ``unknown`` names the fields of it that the schema does not have."""

    versions: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def fitting_request(action: str, body: dict[str, Any], candidates: Iterable[str], *, send: bool) -> Fit:
    """The versions among the candidates that take the body as a call (or SEND).

    There are stations that add fields of their own to a body, and backends that pass over them. So do we, where nothing
    else is wrong and the field stands in the body itself: deeper, one could change what a value means.

    Raises:
        Unsupported: no candidate has the action.
        SchemaViolation: none takes the body; the detail is of the version that comes nearest.
    """
    knowing = [version for version in candidates if action in actions(version)]
    if not knowing:
        raise Unsupported(f"there is no action {action[:60]!r} in OCPP {', '.join(candidates)}")
    named = [(version, _request_file(version, action, send=send)) for version in knowing]
    return _fitting([(version, name) for version, name in named if name], action, body)


def fitting_result(action: str, body: dict[str, Any], candidates: Iterable[str]) -> Fit:
    """The versions among the candidates that take the body as a result; see :func:`fitting_request`.

    Raises:
        SchemaViolation: none takes it.
    """
    return _fitting([(version, f"{action}Response.json") for version in candidates], f"{action} result", body)


def violations_of_type(version: str, action: str, definition: str, body: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a datatype that stands alone, apart from fields that are missing."""
    for error in _datatype(version, action, definition).iter_errors(body):
        yield _sentence(error)


def _fitting(named: list[tuple[str, str]], what: str, body: dict[str, Any]) -> Fit:
    schemas = [(version, _schema(version, name)) for version, name in named if _has(version, name)]
    fitting = tuple(version for version, schema in schemas if schema.is_valid(body))
    if fitting:
        return Fit(fitting)
    wrong = {version: list(islice(schema.iter_errors(body), _ERRORS_COUNTED)) for version, schema in schemas}
    if not wrong:
        raise SchemaViolation(f"{what} is not sent as this type of message")
    unknown = {version: found for version in wrong if (found := _unknown_fields(wrong[version]))}
    if unknown:
        fewest = min(unknown.values(), key=len)
        return Fit(tuple(version for version, found in unknown.items() if found == fewest), fewest)
    nearest = min(wrong, key=lambda version: len(wrong[version]))
    raise SchemaViolation(f"{what} of OCPP {nearest}: {_sentence(wrong[nearest][0])}")


def _unknown_fields(errors: list[jsonschema_rs.ValidationError]) -> tuple[str, ...]:
    """Fields of the body itself that its schema does not have; none where anything else is wrong with it."""
    names: list[str] = []
    for error in errors:
        if error.instance_path or not isinstance(error.kind, ValidationErrorKind.AdditionalProperties):
            return ()
        names += error.kind.unexpected
    return tuple(sorted(names))


def _sentence(error: jsonschema_rs.ValidationError) -> str:
    where = "/".join(str(step) for step in error.instance_path)
    sentence = f"{where or 'body'}: {error.message}"
    return sentence if len(sentence) <= _DETAIL_LIMIT else sentence[: _DETAIL_LIMIT - 3] + "..."


def _request_file(version: str, action: str, *, send: bool) -> str:
    """The schema's name; "" where the action is not sent that way.

    An action of a SEND has no answer and its file no suffix; every file of 1.6 is without one.
    """
    plain, suffixed = f"{action}.json", f"{action}Request.json"
    if version == "1.6":
        return "" if send else plain
    return plain if send else suffixed


@cache
def _names(version: str) -> frozenset[str]:
    return frozenset(path.name for path in _folder(version).iterdir())


def _has(version: str, name: str) -> bool:
    return name in _names(version)


def _folder(version: str) -> Any:
    return files("ocpp").joinpath(_FOLDERS[version], "schemas")


def _load(version: str, name: str) -> dict[str, Any]:
    text: str = _folder(version).joinpath(name).read_text(encoding="utf-8-sig")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _schema(version: str, name: str) -> Any:
    return jsonschema_rs.validator_for(_load(version, name), validate_formats=True)


@cache
def _datatype(version: str, action: str, definition: str) -> Any:
    schema = _load(version, f"{action}Request.json")
    definitions = {
        name: {key: value for key, value in kind.items() if key != "required"}
        for name, kind in schema["definitions"].items()
    }
    lone = {"$schema": schema["$schema"], "definitions": definitions, "$ref": f"#/definitions/{definition}"}
    return jsonschema_rs.validator_for(lone, validate_formats=True)
