"""Which order an answer belongs to, as far as the conversation heard it."""

from typing import Any, Final

from schemas.wire.contract import Conversation, Frame

REMEMBERED: Final = 10_000
"""Orders of one conversation; the oldest are forgotten first."""


class Orders:
    """The orders of a conversation, by their ids; a retry has the id of the first try."""

    def __init__(self, conversation: Conversation, frame: Frame) -> None:
        self._known: dict[str, dict[str, Any]] = conversation.memory.setdefault("orders", {})
        self._event = frame.event_id

    def take(self, identity: str, order: dict[str, Any]) -> None:
        """Remember an order; of a retry the first."""
        if identity not in self._known:
            self._known[identity] = {**order, "event": self._event}
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]

    def answered(self, identity: str) -> dict[str, Any]:
        """What the payload of an answer says of its order."""
        order = self._known.get(identity)
        return {"context_missing": "order"} if order is None else {"order": order}
