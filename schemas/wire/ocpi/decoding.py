"""From an object to its payload: held against its model, signed values explained."""

from typing import Any, Final

from pydantic import ValidationError

from schemas.wire.contract import BadSyntax, Conversation, Decoded, Frame, SchemaViolation, Unsupported, WireError
from schemas.wire.ocmf import explain
from schemas.wire.ocpi.models import MODELS, Cdr, Location, Session, kind_of, time_us
from schemas.wire.strict_json import parse

_SHOWN: Final = 3


def decode(frame: Frame, conversation: Conversation) -> Decoded:
    """The payload of one object. Its actor is the session, else the operator's backend.

    Raises:
        BadSyntax, Truncated, TooLarge: see :func:`~schemas.wire.strict_json.parse`.
        Unsupported: no object of OCPI that is known.
        SchemaViolation: a field is missing or cannot be.
    """
    found = parse(frame.raw)
    if not isinstance(found, dict):
        raise BadSyntax("an object of OCPI is expected")
    kind = kind_of(found)
    if not kind:
        raise Unsupported("neither a location, session, charge detail record nor another object of OCPI that is known")
    payload: dict[str, Any] = {"object": found, "kind": kind, "version": _version(found)}
    if kind not in MODELS:
        return Decoded(f"ocpi.{kind}", "cpo:unknown", frame.time_us, payload)
    try:
        judged = MODELS[kind].model_validate(found)
    except ValidationError as problem:
        raise SchemaViolation(f"{kind}: {_sentence(problem)}") from None
    assert isinstance(judged, (Location, Session, Cdr))
    if isinstance(judged, Cdr) and judged.signed_data is not None:
        payload["signed"] = _signed(judged, conversation)
    actor = actor_of(judged.country_code, judged.party_id, _session_id(judged))
    return Decoded(f"ocpi.{kind}", actor, time_us(judged.last_updated), payload)


def actor_of(country: str, party: str, session_id: str | None) -> str:
    """The actor of a session, or of its operator where there is none."""
    operator = f"{country.upper()}*{party.upper()}"
    return f"session:{operator}*{session_id}" if session_id else f"cpo:{operator}"


def _session_id(judged: Location | Session | Cdr) -> str | None:
    if isinstance(judged, Cdr):
        return judged.session_id or judged.id
    return judged.id if isinstance(judged, Session) else None


def _version(found: dict[str, Any]) -> str:
    """The version, where money or parking tells it."""
    cost = found.get("total_cost")
    if isinstance(cost, dict) and cost.keys() & {"before_taxes", "excl_vat"}:
        return "2.3.0" if "before_taxes" in cost else "2.2.1"
    return "2.3.0" if "parking_places" in found else ""


def _signed(cdr: Cdr, conversation: Conversation) -> list[dict[str, Any]]:
    said = []
    assert cdr.signed_data is not None
    for value in cdr.signed_data.signed_values:
        if not value.signed_data.startswith("OCMF|"):
            detail = f"a signed value in {cdr.signed_data.encoding_method}; only OCMF is read"
            said.append({"nature": value.nature, "error": {"reason": "unsupported", "detail": detail}})
            continue
        try:
            found = explain(value.signed_data.encode(), cdr.signed_data.public_key or "", conversation)
            said.append({"nature": value.nature, **found})
        except WireError as error:
            said.append({"nature": value.nature, "error": {"reason": error.reason, "detail": error.detail}})
    return said


def _sentence(problem: ValidationError) -> str:
    parts = [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in problem.errors()[:_SHOWN]]
    more = problem.error_count() - _SHOWN
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
