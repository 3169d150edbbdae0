"""The typed model of an actor: its attributes with unit, allowed values and the interfaces that set them.

A kind of actor is a frozen dataclass; each of its fields declares one attribute, or a family of them
(``register/*``), which is then a mapping by name. What is declared is data: the page of twins is printed from it, `twin
show` flags what does not fit, and a test holds it to what the observers say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple, Self

from schemas.facts import Scalar
from schemas.interfaces import INTERFACES
from schemas.time import MINUTE_US
from twin.actors.values import Allowed, Anything, Flag, Instant, Numbers, Text, Words
from twin.amounts import Number

_DECLARED: Final = "declared"
_TABLED: Final = "tabled"
ANY_UNIT: Final = "*"
"""The unit is the one that the message names."""


class Tolerance(NamedTuple):
    """What two interfaces may say of one attribute without contradicting each other.

    Numbers may differ by ``distance`` or by ``share_percent`` of the larger, whichever is more. What was said more than
    ``window_us`` apart is no contradiction: in between things change. None: what is said holds until something else is.
    """

    distance: Number = 0
    share_percent: int = 0
    window_us: int | None = None


STATED: Final = Tolerance()
"""Of names and states: they have to be equal, whenever they were said."""

MEASURED: Final = Tolerance(share_percent=2, window_us=MINUTE_US)
"""Of measured values: 2 % is the accuracy class of the meters in charging stations, rounded up [M]."""


class Refers(NamedTuple):
    """That a value is the name of another actor, of this kind.

    ``several``: names of several, parted by spaces. ``complete``: there is no other beside those named. Of a family
    (``melo/*``) the name is what stands for the ``*``, and there may be others.
    """

    kind: str
    several: bool = False
    complete: bool = True


class Attribute(NamedTuple):
    """A declared attribute, or a family where the name holds ``*`` (any text) or ``?`` (one sign).

    ``units``: those it may have; ``("",)`` for text and flags. ``interfaces`` set it. ``optional``: it may be told that
    there is no value (any more). ``refers`` says whose name the value is, None where it is none.
    """

    name: str
    units: tuple[str, ...]
    allowed: Allowed
    interfaces: tuple[str, ...]
    meaning: str
    optional: bool = False
    refers: Refers | None = None
    tolerance: Tolerance = STATED

    @property
    def is_family(self) -> bool:
        """Whether it stands for several attributes."""
        return "*" in self.name or "?" in self.name

    def doubt(self, value: Scalar, unit: str) -> str:
        """Why a value does not fit, as a phrase; "" where it does."""
        if value is None:
            return "" if self.optional else "no value"
        if unit not in self.units and ANY_UNIT not in self.units:
            return f"in {unit or 'no unit'} where {' or '.join(self.units) or 'none'} is usual"
        return self.allowed.problem(value)


def carrying(*formats: str) -> str:
    """The interfaces on which one of some wire formats is decoded.

    >>> carrying("sml"), carrying("ocpp", "ocpi")
    ('15 47', '4 5 14 E1')
    """
    return " ".join(number for number, entry in INTERFACES.items() if set(entry.formats) & set(formats))


def _declare(
    allowed: Allowed,
    units: str | tuple[str, ...],
    interfaces: str,
    meaning: str,
    *,
    name: str = "",
    optional: bool = False,
    refers: Refers | None = None,
    tolerance: Tolerance = STATED,
) -> Any:
    units = (units,) if isinstance(units, str) else units
    said = Attribute(name, units, allowed, tuple(interfaces.split()), meaning, optional, refers, tolerance)
    if said.is_family:
        return field(default_factory=dict, metadata={_DECLARED: said})
    return field(default=None, metadata={_DECLARED: said})


def quantity(
    unit: str | tuple[str, ...],
    interfaces: str,
    meaning: str,
    allowed: Allowed = Numbers(),  # noqa: B008 -- immutable
    *,
    name: str = "",
    optional: bool = False,
    tolerance: Tolerance = MEASURED,
) -> Any:
    """A number with a unit."""
    return _declare(allowed, unit, interfaces, meaning, name=name, optional=optional, tolerance=tolerance)


def word(words: str, interfaces: str, meaning: str, *, name: str = "", optional: bool = False) -> Any:
    """One of the words that stand here, parted by spaces."""
    return _declare(Words(tuple(words.split())), "", interfaces, meaning, name=name, optional=optional)


def text(
    interfaces: str,
    meaning: str,
    *,
    hint: str = "text",
    name: str = "",
    optional: bool = False,
    refers: Refers | None = None,
    window_us: int | None = None,
) -> Any:
    """Any text; with ``refers`` it is the name of another actor. ``window_us`` as in :class:`Tolerance`."""
    tolerance = Tolerance(window_us=window_us)
    return _declare(
        Text(hint), "", interfaces, meaning, name=name, optional=optional, refers=refers, tolerance=tolerance
    )


def flag(interfaces: str, meaning: str, *, name: str = "") -> Any:
    """True or false."""
    return _declare(Flag(), "", interfaces, meaning, name=name)


def instant(
    interfaces: str, meaning: str, *, name: str = "", optional: bool = False, window_us: int | None = None
) -> Any:
    """A point in time."""
    tolerance = Tolerance(window_us=window_us)
    return _declare(Instant(), "", interfaces, meaning, name=name, optional=optional, tolerance=tolerance)


def anything(
    interfaces: str, meaning: str, *, name: str, hint: str = "as sent", units: str | tuple[str, ...] = ANY_UNIT
) -> Any:
    """Whatever the message says: value and unit are its own."""
    return _declare(Anything(hint), units, interfaces, meaning, name=name, optional=True)


@dataclass(frozen=True, kw_only=True)
class Twin:
    """What every twin has: its actor; by name what its table declares, and what no model declares."""

    KIND: ClassVar[str] = ""
    TABLE: ClassVar[tuple[Attribute, ...]] = ()
    """Attributes that are declared together, from a table by which messages are read."""

    actor: str
    tabled: Mapping[str, Scalar] = field(default_factory=dict)
    undeclared: Mapping[str, Scalar] = field(default_factory=dict)

    @classmethod
    def of(cls, actor: str, seen: Iterable[tuple[str, Scalar]]) -> Self:
        """The twin of an actor from the values of its attributes."""
        values: dict[str, Any] = {}
        undeclared: dict[str, Scalar] = {}
        for name, value in seen:
            found = cls._field_of(name)
            if found is None:
                undeclared[name] = value
            elif found[0].startswith(_TABLED):
                values.setdefault(_TABLED, {})[name] = value
            elif found[1].is_family:
                values.setdefault(found[0], {})[name] = value
            else:
                values[found[0]] = value
        return cls(actor=actor, undeclared=undeclared, **values)

    @classmethod
    @cache
    def attributes(cls) -> Mapping[str, Attribute]:
        """The declared attributes by the names of their fields; those of the table as ``tabled/<name>``."""
        found = {}
        for entry in fields(cls):
            said = entry.metadata.get(_DECLARED)
            if said is not None:
                found[entry.name] = said._replace(name=said.name or entry.name)
        return found | {f"{_TABLED}/{entry.name}": entry for entry in cls.TABLE}

    @classmethod
    def attribute(cls, name: str, interface: str = "") -> Attribute | None:
        """What is declared of an attribute (as set by an interface); None where nothing is."""
        found = cls._field_of(name, interface)
        return None if found is None else found[1]

    @classmethod
    @cache
    def _field_of(cls, name: str, interface: str = "") -> tuple[str, Attribute] | None:
        for key, entry in cls._in_order():
            is_meant = fnmatchcase(name, entry.name) if entry.is_family else name == entry.name
            if is_meant and (not interface or interface in entry.interfaces):
                return key, entry
        return None

    @classmethod
    @cache
    def _in_order(cls) -> list[tuple[str, Attribute]]:
        """Single attributes first, then families: those named by their ending, those that say most, all others."""

        def rank(item: tuple[str, Attribute]) -> tuple[bool, bool, bool, int]:
            name = item[1].name
            literal = len(name) - name.count("*") - name.count("?")
            return item[1].is_family, literal == 0, not name.startswith("*"), -literal

        return sorted(cls.attributes().items(), key=rank)
