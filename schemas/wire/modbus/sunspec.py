"""The chain of SunSpec models in the registers of a unit: ``SunS``, then number and length of each model.

Registers may be known in part, from several reads. A read says the points that lie in it wholly; the scale factors may
come from an earlier one. A model of another length than its definition says what both have. A model that SunSpec does
not define is passed over by its length. Behind whose registers no model can stand, of that model no value is believed:
some of its registers were lost, and with them which of the others are the scale factors.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from schemas.wire.modbus.models import FROM_LENGTH, HEAD, Group, Point, model
from schemas.wire.modbus.values import SCALES, scaled, value_of

MARK: Final = (0x5375, 0x6E53)
"""``SunS``."""

BASES: Final = (40000, 50000, 0)
"""Where a chain may begin (Device Information Model, clause 6.2), counted from 0."""

COMMON: Final = 1
END: Final = 0xFFFF
LONGEST: Final = 1000
"""[M] Registers of the longest model of a maker; those of SunSpec are known by their numbers."""

MODELS_LIMIT: Final = 200
"""[M] More models than any device has; what follows is not looked at."""

_SERIAL: Final = "SN"
_PLUMBING: Final = frozenset({"pad", "sunssf"})

Registers = Mapping[int, int]


class Place(NamedTuple):
    """Where a model stands.

    The address of its head, its number, its length without the head, and the address of the common model it belongs to
    (None before the first).
    """

    at: int
    number: int
    length: int
    common: int | None


def is_base(registers: Registers, at: int) -> bool:
    """Whether a chain begins there."""
    return registers.get(at) == MARK[0] and registers.get(at + 1) == MARK[1]


def chain(registers: Registers, base: int) -> list[Place]:
    """The models from a base on, as far as their heads are known."""
    found: list[Place] = []
    at, common = base + len(MARK), None
    while len(found) < MODELS_LIMIT:
        number, length = registers.get(at), registers.get(at + 1)
        if number is None or length is None or number == END:
            break
        if number == COMMON:
            common = at
        found.append(Place(at, number, length, common))
        at += HEAD + length
    return found


def models_in(registers: Registers, base: int, fresh: Collection[int]) -> list[dict[str, Any]]:
    """What a read says of each model that it touches; ``fresh`` are the addresses that were read."""
    places = chain(registers, base)
    found = []
    for place in places:
        definition = model(place.number)
        if definition is None:
            continue
        said = _Reading(registers, fresh, place).model(definition)
        if not said:
            continue
        lost = _what_follows(registers, place)
        if lost:
            said = {"doubtful": {"the length": lost}}
        segment = [other.number for other in places if other.common == place.common]
        head = {"id": place.number, "name": definition.name, "at": place.at}
        found.append(head | {"device": serial(registers, place.common), "beside": sorted(set(segment))} | said)
    return found


def _what_follows(registers: Registers, place: Place) -> str:
    """Why nothing can stand behind a model; "" where something can, or where that is not known."""
    at = place.at + HEAD + place.length
    number, length = registers.get(at), registers.get(at + 1)
    if number is None or length is None or number == END or length <= LONGEST or model(number) is not None:
        return ""
    return (
        f"behind its {place.length} registers stands no model but {number} with {length} registers; are some missing?"
    )


def serial(registers: Registers, common: int | None) -> str:
    """The serial number in a common model; "" where it is not known."""
    definition = model(COMMON)
    point = definition.point(_SERIAL) if definition else None
    if common is None or point is None:
        return ""
    octets = _octets(registers, common + point.offset, point.size)
    return (value_of(point, octets) or "") if octets else ""


def _octets(registers: Registers, at: int, size: int) -> bytes | None:
    """The octets of some registers; None where one of them is not known."""
    found = bytearray()
    for address in range(at, at + size):
        value = registers.get(address)
        if value is None:
            return None
        found += value.to_bytes(2)
    return bytes(found)


class _Reading:
    """One model, read as far as it is known."""

    def __init__(self, registers: Registers, fresh: Collection[int], place: Place) -> None:
        self._registers, self._fresh, self._place = registers, fresh, place
        self._last = max(fresh)
        self._end = place.at + HEAD + place.length
        self._unscaled: dict[str, Any] = {}
        self._doubtful: dict[str, str] = {}

    def model(self, definition: Group) -> dict[str, Any]:
        """``points``, ``groups``, and what could not be scaled; empty where nothing was read."""
        said, _ = self._group(definition, self._place.at, ())
        if said and self._unscaled:
            said["unscaled"] = self._unscaled
        if said and self._doubtful:
            said["doubtful"] = self._doubtful
        return said

    def _group(self, group: Group, at: int, outer: tuple[tuple[Group, int], ...]) -> tuple[dict[str, Any], int]:
        """What a group says, and where it ends."""
        scopes = ((group, at), *outer)
        points = {}
        for point in group.points:
            if point.type in _PLUMBING or (not outer and point.offset < HEAD):
                continue
            value = self._value(point, at, scopes)
            if value is not None:
                points[point.name] = value
        said: dict[str, Any] = {"points": points} if points else {}
        inner, end = {}, at + group.size
        for repeated in group.groups:
            entries = []
            for _ in range(self._count(repeated, end, scopes)):
                if end > self._last:
                    break
                entry, end = self._group(repeated, end, scopes)
                entries.append(entry)
            if any(entries):
                inner[repeated.name] = entries
        return said | {"groups": inner} if inner else said, end

    def _value(self, point: Point, at: int, scopes: tuple[tuple[Group, int], ...]) -> Any:
        start = at + point.offset
        end = start + point.size
        if end > self._end or any(address not in self._fresh for address in range(start, end)):
            return None
        octets = _octets(self._registers, start, point.size)
        value = value_of(point, octets) if octets else None
        if value is None or point.scale is None:
            return value
        exponent = self._exponent(point.scale, scopes)
        if exponent is None:
            self._unscaled[point.name] = value
            return None
        if exponent not in SCALES:
            self._doubtful[point.name] = f"its scale factor {exponent} is not between -10 and 10"
            return None
        return scaled(value, exponent)

    def _exponent(self, scale: str | int, scopes: tuple[tuple[Group, int], ...]) -> int | None:
        """The scale factor, 0 where it is not implemented; None where it is not known."""
        if isinstance(scale, int):
            return scale
        for group, at in scopes:
            point = group.point(scale)
            if point is not None:
                start = at + point.offset
                if start + point.size > self._end:
                    return 0
                octets = _octets(self._registers, start, point.size)
                return None if octets is None else value_of(point, octets) or 0
        return 0

    def _count(self, group: Group, at: int, scopes: tuple[tuple[Group, int], ...]) -> int:
        """How often a group is repeated from there on; never more often than the model's length has room for."""
        room = max(0, (self._end - at) // max(1, group.size))
        if group.repeats == FROM_LENGTH:
            return room
        if isinstance(group.repeats, int):
            return min(group.repeats, room)
        for scope, start in scopes:
            point = scope.point(group.repeats)
            if point is not None:
                octets = _octets(self._registers, start + point.offset, point.size)
                wanted = value_of(point, octets) if octets else None
                return min(wanted or 0, room)
        return 0
