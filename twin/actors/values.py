"""What a value of an attribute may be: each kind says what is wrong with a value, and how it reads in a table."""

from dataclasses import dataclass
from typing import Protocol

from schemas.facts import Scalar
from schemas.time import parse_time
from twin.amounts import Number, number


class Allowed(Protocol):
    """The values an attribute may have."""

    def problem(self, value: Scalar) -> str:
        """What is wrong with a value, as a phrase; "" where nothing is."""

    @property
    def shown(self) -> str:
        """The values as a table shows them."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers from ``low`` to ``high``, both included; None: no bound."""

    low: Number | None = None
    high: Number | None = None

    def problem(self, value: Scalar) -> str:
        """See :class:`Allowed`.

        >>> Numbers(0, 100).problem(101), Numbers(0).problem("0.5"), Numbers().problem("x")
        ('more than 100', '', 'no number')
        """
        found = None if isinstance(value, bool) else number(value)
        if found is None:
            return "no number"
        if self.low is not None and found < self.low:
            return f"less than {self.low}"
        return f"more than {self.high}" if self.high is not None and found > self.high else ""

    @property
    def shown(self) -> str:
        """See :class:`Allowed`."""
        if self.low is None:
            return "number" if self.high is None else f"up to {self.high}"
        return f"{self.low} or more" if self.high is None else f"{self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Words:
    """One of some words."""

    words: tuple[str, ...]

    def problem(self, value: Scalar) -> str:
        """See :class:`Allowed`.

        >>> Words(("on", "off")).problem("of")
        'none of on, off'
        """
        return "" if value in self.words else f"none of {self.shown}"

    @property
    def shown(self) -> str:
        """See :class:`Allowed`."""
        return ", ".join(self.words)


@dataclass(frozen=True, slots=True)
class Text:
    """Any text; ``hint`` says what it is."""

    hint: str = "text"

    def problem(self, value: Scalar) -> str:
        """See :class:`Allowed`.

        >>> Text().problem(True), Text().problem("DEGGSC00000000")
        ('no text', '')
        """
        return "" if isinstance(value, str) else "no text"

    @property
    def shown(self) -> str:
        """See :class:`Allowed`."""
        return self.hint


@dataclass(frozen=True, slots=True)
class Anything:
    """A value of any kind: what it is, the message says; ``hint`` says whose word that is."""

    hint: str

    def problem(self, value: Scalar) -> str:  # noqa: ARG002 -- the protocol's signature
        """Nothing is wrong with any value."""
        return ""

    @property
    def shown(self) -> str:
        """See :class:`Allowed`."""
        return self.hint


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def problem(self, value: Scalar) -> str:
        """See :class:`Allowed`.

        >>> Flag().problem("true")
        'neither true nor false'
        """
        return "" if isinstance(value, bool) else "neither true nor false"

    @property
    def shown(self) -> str:
        """See :class:`Allowed`."""
        return "true, false"


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant as ISO 8601 text in UTC."""

    def problem(self, value: Scalar) -> str:
        """See :class:`Allowed`.

        >>> Instant().problem("2026-03-29T14:15:00Z"), Instant().problem("noon")
        ('', 'no instant in UTC')
        """
        try:
            is_utc = isinstance(value, str) and value.endswith("Z") and parse_time(value) >= 0
        except ValueError:
            return "no instant in UTC"
        return "" if is_utc else "no instant in UTC"

    @property
    def shown(self) -> str:
        """See :class:`Allowed`."""
        return "ISO 8601, UTC"


def at_most(limit: Number) -> Numbers:
    """Numbers whose magnitude is bounded.

    >>> at_most(5).shown
    '-5 to 5'
    """
    return Numbers(-limit, limit)
