"""What a charging station has to say, whichever version of OCPP it speaks."""

from typing import Any, NamedTuple, Protocol

import orjson

from replay.scenario.writers.ocmf import Signed

JsonObject = dict[str, Any]


class Call(NamedTuple):
    """A call and the answer it gets."""

    action: str
    payload: JsonObject
    result: JsonObject


class Meter(NamedTuple):
    """What the station's meter and the car show at a moment; ``time`` in ISO 8601.

    Registers in tenths of a watt-hour, ``None`` where there is none; power in W, charging positive; ``soc`` in percent.
    ``signed`` is the record that the meter signs at this moment.
    """

    time: str
    on_the_clock: bool
    import_tenth_wh: int
    export_tenth_wh: int | None
    power_w: int
    soc: int
    wanted: bool
    signed: Signed | None = None


class Station(NamedTuple):
    """A station and the contract its driver shows."""

    name: str
    site: int
    token: str
    bidirectional: bool


class Transaction(NamedTuple):
    """A charging session: the day it began on as ``20260329``, its number for that day, which of its events this is."""

    name: str
    number: int
    sequence: int


class Profile(NamedTuple):
    """A power limit or set point in W from a moment on; discharging is negative. ``seconds`` None: until replaced."""

    number: int
    start: str
    seconds: int | None
    power_w: int
    whole_station: bool


class Dialect(Protocol):
    """A version of OCPP. Every method gives the calls of an occasion with their answers."""

    subprotocol: str

    def boot(self, station: Station, time: str, *, reason: str = "ApplicationReset") -> Call:
        """The station introduces itself, after a start for this reason."""

    def status(self, time: str, *, occupied: bool) -> Call:
        """A cable was plugged in or out."""

    def heartbeat(self, time: str) -> Call:
        """The station is alive."""

    def idle(self, meter: Meter) -> Call:
        """The meter, with no car there."""

    def started(self, station: Station, transaction: Transaction, meter: Meter) -> Call:
        """A session begins."""

    def updated(self, transaction: Transaction, meter: Meter) -> Call:
        """The meter within a session."""

    def ended(self, station: Station, transaction: Transaction, meter: Meter) -> Call:
        """A session ends."""

    def profile(self, transaction: Transaction, profile: Profile) -> Call:
        """The backend limits or commands power."""


def tenths(value: int) -> str:
    """Tenths as decimal text.

    >>> tenths(1234567)
    '123456.7'
    """
    return f"{value // 10}.{value % 10}"


def number(text: str) -> orjson.Fragment:
    """A JSON number with exactly these digits."""
    return orjson.Fragment(text)
