"""What one connection has said so far: open calls, transactions, and which versions it can still be.

Everything is bounded: the oldest is forgotten first.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from schemas.wire.contract import Conversation
from schemas.wire.ocpp.versions import PREFERENCE

TO_CSMS: Final = "to_csms"
TO_STATION: Final = "to_station"
UNKNOWN_DIRECTION: Final = ""

OPEN_CALLS: Final = 10_000
ANSWERED_CALLS: Final = 1_000
TRANSACTIONS: Final = 1_000
STATIONS: Final = 100_000

_T = TypeVar("_T")

_MEMORY: Final = "ocpp"
_OPPOSITE: Final = {TO_CSMS: TO_STATION, TO_STATION: TO_CSMS}


class OpenCall(NamedTuple):
    """A call that waits for its answer.

    ``event`` is the id of the call's event, ``versions`` are those whose schema takes it, ``request`` is its
    body where reading the answer needs it.
    """

    action: str
    event: str
    versions: tuple[str, ...]
    evse: int | None
    request: dict[str, Any] | None


class Transaction(NamedTuple):
    """Where a transaction takes place, and the id of the event that said so."""

    evse: int
    event: str


@dataclass(slots=True)
class Connection:
    """The memory of a station's connection. ``versions`` are those nothing has ruled out yet, preferred ones first."""

    versions: tuple[str, ...] = PREFERENCE
    _open: OrderedDict[Hashable, OpenCall] = field(default_factory=OrderedDict)
    _answered: OrderedDict[Hashable, OpenCall] = field(default_factory=OrderedDict)
    _transactions: OrderedDict[Hashable, Transaction] = field(default_factory=OrderedDict)

    def candidates(self) -> tuple[str, ...]:
        """Every version, in the order in which a frame is tried: what nothing ruled out, then the others."""
        return self.versions + tuple(version for version in PREFERENCE if version not in self.versions)

    def narrow(self, fitting: tuple[str, ...]) -> str:
        """Rule out every version that does not fit; the preferred one of the rest.

        Where nothing would be left (the station was updated and speaks another version now), what fits holds.
        """
        self.versions = tuple(version for version in self.versions if version in fitting) or fitting
        return self.versions[0]

    def called(self, direction: str, message_id: str, call: OpenCall) -> None:
        """Remember a call. An id may be used again once its call is answered."""
        self._answered.pop((direction, message_id), None)
        _keep(self._open, (direction, message_id), call, OPEN_CALLS)

    def answered(self, direction: str, message_id: str) -> OpenCall | None:
        """The call that an answer in this direction belongs to; the same again when the answer comes twice."""
        if direction == UNKNOWN_DIRECTION:
            senders = [UNKNOWN_DIRECTION, TO_CSMS, TO_STATION]
        else:
            senders = [_OPPOSITE[direction], UNKNOWN_DIRECTION]
        for sender in senders:
            call = self._open.pop((sender, message_id), None)
            if call is not None:
                _keep(self._answered, (sender, message_id), call, ANSWERED_CALLS)
                return call
        return self._first_answered(senders, message_id)

    def refused(self, direction: str, message_id: str) -> OpenCall | None:
        """The call whose result its own sender refuses (CALLRESULTERROR)."""
        return self._first_answered([direction, UNKNOWN_DIRECTION, TO_CSMS, TO_STATION], message_id)

    def takes_place(self, transaction_id: Hashable, transaction: Transaction) -> None:
        """Remember where a transaction takes place; the first who says so is kept."""
        if transaction_id not in self._transactions:
            _keep(self._transactions, transaction_id, transaction, TRANSACTIONS)

    def transaction(self, transaction_id: Hashable) -> Transaction | None:
        """Where the transaction takes place, as far as it was said."""
        return self._transactions.get(transaction_id)

    def _first_answered(self, senders: list[str], message_id: str) -> OpenCall | None:
        found = (self._answered.get((sender, message_id)) for sender in senders)
        return next((call for call in found if call is not None), None)


def connection_of(conversation: Conversation, station: str) -> Connection:
    """The connection of a station; a log of a backend holds many."""
    stations: OrderedDict[Hashable, Connection] = conversation.memory.setdefault(_MEMORY, OrderedDict())
    connection = stations.get(station)
    if connection is None:
        connection = Connection()
        _keep(stations, station, connection, STATIONS)
    return connection


def _keep(memory: OrderedDict[Hashable, _T], key: Hashable, value: _T, limit: int) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > limit:
        memory.popitem(last=False)
