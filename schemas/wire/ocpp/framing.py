"""The arrays of the RPC layer (OCPP-J 1.6, clause 4.2; OCPP 2.1 part 4, clause 4.2).

::

    [2, "<id>", "<action>", {...}]                   CALL
    [3, "<id>", {...}]                               CALLRESULT
    [4, "<id>", "<code>", "<description>", {...}]    CALLERROR
    [5, "<id>", "<code>", "<description>", {...}]    CALLRESULTERROR  (2.1: the result could not be taken)
    [6, "<id>", "<action>", {...}]                   SEND             (2.1: a call that gets no answer)
"""

from typing import Any, Final, NamedTuple

from schemas.wire.contract import BadSyntax, SchemaViolation, Unsupported

CALL: Final = 2
CALLRESULT: Final = 3
CALLERROR: Final = 4
CALLRESULTERROR: Final = 5
SEND: Final = 6

NAMES: Final = {
    CALL: "CALL",
    CALLRESULT: "CALLRESULT",
    CALLERROR: "CALLERROR",
    CALLRESULTERROR: "CALLRESULTERROR",
    SEND: "SEND",
}

_LENGTHS: Final = {CALL: 4, CALLRESULT: 3, CALLERROR: 5, CALLRESULTERROR: 5, SEND: 4}

_ID_LIMIT: Final = 36
"""Characters of a message id (OCPP-J 1.6, clause 4.1.4)."""


class Rpc(NamedTuple):
    """One array of the RPC layer.

    ``action`` is empty where the array does not name it (answers). The ``body`` of an error is
    ``{"code", "description", "details"}``.
    """

    kind: int
    message_id: str
    action: str
    body: dict[str, Any]

    @property
    def is_answer(self) -> bool:
        """Whether it belongs to a call made before."""
        return self.kind in {CALLRESULT, CALLERROR, CALLRESULTERROR}


def unpack(frame: Any) -> Rpc:
    """The RPC message in a parsed frame.

    Raises:
        BadSyntax: not an array of the right length, or an element of the wrong type.
        SchemaViolation: the message id is longer than the standard allows.
        Unsupported: a message type OCPP does not have.
    """
    if not isinstance(frame, list) or not frame:
        raise BadSyntax("a frame of OCPP-J is an array")
    kind = frame[0]
    if type(kind) is not int:
        raise BadSyntax("the first element of a frame is its message type, an integer", 1)
    if kind not in _LENGTHS:
        raise Unsupported(f"OCPP has no message type {kind}", 1)
    if len(frame) != _LENGTHS[kind]:
        raise BadSyntax(f"a {NAMES[kind]} has {_LENGTHS[kind]} elements, this one {len(frame)}")
    *words, body = frame[1:]
    if not all(isinstance(word, str) for word in words):
        raise BadSyntax(f"the elements of a {NAMES[kind]} between type and payload are text")
    if not isinstance(body, dict):
        raise BadSyntax(f"the last element of a {NAMES[kind]} is an object")
    message_id: str = words[0]
    if len(message_id) > _ID_LIMIT:
        raise SchemaViolation(f"a message id has at most {_ID_LIMIT} characters, this one {len(message_id)}")
    if kind in {CALL, SEND}:
        return Rpc(kind, message_id, words[1], body)
    if kind == CALLRESULT:
        return Rpc(kind, message_id, "", body)
    return Rpc(kind, message_id, "", {"code": words[1], "description": words[2], "details": body})
