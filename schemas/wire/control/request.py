"""An HTTP request, written as HTTP/1.1 or as a JSON exchange, to what it asks for."""

from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from schemas.wire.contract import BadSyntax, SchemaViolation, TooLarge, Truncated, WireError
from schemas.wire.strict_json import parse

REQUEST_LIMIT: Final = 64 * 1024
_FIELDS_LIMIT: Final = 100


class Request(NamedTuple):
    """A POST: the last part of its path, its parameters and body fields, its headers with small names.

    ``status`` is what was answered (None: not said).
    """

    operation: str
    parameters: dict[str, Any]
    headers: dict[str, str]
    status: int | None

    def said(self, name: str) -> Any:
        """A parameter; one that is JSON in text is read.

        Raises:
            SchemaViolation: JSON that cannot be read.
        """
        value = self.parameters.get(name)
        if isinstance(value, str) and value.lstrip().startswith("{"):
            try:
                return parse(value.encode())
            except WireError as problem:
                raise SchemaViolation(f"parameter {name} is no JSON: {problem.detail}") from problem
        return value


def is_exchange(said: dict[str, Any]) -> bool:
    """Whether a JSON object is an HTTP exchange."""
    return "path" in said or "url" in said


def from_http(raw: bytes) -> Request:
    """A request in HTTP/1.1 (RFC 9112).

    Raises:
        WireError: no such request, or one beyond the limits.
    """
    if len(raw) > REQUEST_LIMIT:
        raise TooLarge(f"a request has at most {REQUEST_LIMIT} bytes, this one has {len(raw)}")
    head, border, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    if not border and not raw.endswith(b"\n"):
        raise Truncated("the request ends within its headers", len(raw))
    try:
        first, *lines = head.decode("ascii").rstrip("\n").split("\n")
    except UnicodeDecodeError as problem:
        raise BadSyntax("the head of a request is ASCII", problem.start) from problem
    words = first.split(" ")
    if len(words) != 3 or words[0] != "POST" or not words[2].startswith("HTTP/1."):
        raise BadSyntax(f"{first[:60]!r} is no request line of a POST")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise BadSyntax(f"{line[:60]!r} is no header")
        headers[name.strip().lower()] = value.strip()
    return _request(words[1], {}, headers, parse(body) if body.strip() else None)


def from_exchange(said: dict[str, Any]) -> Request:
    """A request in a JSON log: ``method``, ``path`` or ``url``, ``query``, ``headers``, ``body``, ``status``.

    Raises:
        WireError: a field of another type, or another method than POST.
    """
    path, query, headers = said.get("path") or said.get("url"), said.get("query") or {}, said.get("headers") or {}
    if not isinstance(path, str) or not isinstance(query, dict) or not isinstance(headers, dict):
        raise SchemaViolation("an exchange has a path (text), a query and headers (objects)")
    if said.get("method", "POST") != "POST":
        raise SchemaViolation(f"control commands are sent by POST, not by {str(said['method'])[:10]}")
    status, body = said.get("status"), said.get("body")
    if isinstance(body, str) and body.strip():
        body = parse(body.encode())
    small = {str(name).lower(): str(value) for name, value in headers.items()}
    made = _request(path, query, small, body or None)
    return made._replace(status=status if isinstance(status, int) else None)


def _request(target: str, query: dict[str, Any], headers: dict[str, str], body: Any) -> Request:
    try:
        parts = urlsplit(target)
        pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_FIELDS_LIMIT)
    except ValueError as problem:
        raise BadSyntax(f"{target[:60]!r} is no address with parameters: {problem}") from problem
    if body is not None and not isinstance(body, dict):
        raise SchemaViolation("the body of a request is a JSON object")
    operation = unquote(parts.path).rstrip("/").rpartition("/")[2]
    return Request(operation, {**(body or {}), **query, **dict(pairs)}, headers, None)
