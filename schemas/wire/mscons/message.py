"""One MSCONS message, from UNH to UNT, to its payload.

Read are the use cases of the "Prüfidentifikatoren" in :data:`USE_CASES` (EDI@Energy, MSCONS Anwendungshandbuch 3.x and
MIG 2.4c, UN/EDIFACT D.04B)::

    {"check": 13025, "use_case": "profile", "reference": "1", "release": "2.4c", "document_kind": "Z48",
     "document": "DOC-1", "function": "9", "document_time_us": ..., "cancels": None, "answers": None,
     "sender": {"id": "9900987654329", "agency": "293"}, "receiver": {...},
     "locations": [{"id": "41373559241", "kind": "malo", "from_us": ..., "until_us": ..., "device": "",
                    "registers": [{"obis": "1-1:1.29.0", "values": [[quality, amount, from_us, until_us], ...]}]}],
     "interchange": {"reference": ..., "sender": ..., ...},      where the header of the interchange is known
     "not_read": ["FTX"]}                                        where the message has segments that are not read

Where the states are those of a configuration (``LOC+172`` empty, ``RFF+AGK``), the location is of the kind
``configuration``, its id ``<sender>/<number>``, because each sender counts his own.

``amount`` is a Decimal in the register's own unit. A value that says more has a fifth entry: ``unit`` (where named),
``at_us`` (DTM+7: the state counts from then), ``read_us`` or ``read_day`` (DTM+9), ``status`` (STS, as sent), ``times``
(other DTM, as sent).
"""

from collections.abc import Callable
from typing import Any, Final

from schemas.identifiers import parse_bdew_code, parse_eic, parse_gln, parse_malo, parse_melo, parse_resource
from schemas.wire.contract import BadIdentifier, BadSyntax, SchemaViolation, TooLarge, Truncated, Unsupported
from schemas.wire.mscons.syntax import Segment, Separators, instant, number, segments_of

PROFILE: Final = "profile"
STATES: Final = "states"
ENERGY: Final = "energy"
CANCELLATION: Final = "cancellation"

USE_CASES: Final = {
    13006: CANCELLATION,  # Messwert Storno: withdraws a document
    13016: ENERGY,  # Energiemenge und Leistungsmaximum: what is billed of a period, and its highest power
    13017: STATES,  # Zählerstand (Strom): states of registers
    13018: PROFILE,  # Lastgang of a metering location, a grid coupling point or a grid location
    13019: ENERGY,  # Energiemenge (Strom): what is billed of a period
    13025: PROFILE,  # Lastgang of a market location or a tranche of one
    13027: PROFILE,  # Werte nach Typ 2: values somebody ordered beside those for billing
}

SEGMENT_COUNT_LIMIT: Final = 250_000
"""Two registers for a year of quarter hours have 210,240 values and times."""

_ELECTRICITY: Final = "13"
"""Use cases of MSCONS are numbered 13000 to 13999."""
_PASSED_OVER: Final = frozenset({"UNS", "CTA", "COM", "UNT", "LIN"})
_RESOURCES: Final = {"C": "sr", "D": "tr", "E": "nelo", "F": "nebe"}


def read_message(raw: bytes, separators: Separators, charset: str) -> dict[str, Any]:
    """The payload of a message.

    Raises:
        WireError: see :mod:`schemas.wire.contract`; the offset is that of the segment which is wrong.
    """
    if raw.count(separators.terminator.encode()) > SEGMENT_COUNT_LIMIT:
        raise TooLarge(f"a message has at most {SEGMENT_COUNT_LIMIT} segments")
    segments = list(segments_of(raw, separators, charset))
    if not segments or segments[0].tag != "UNH":
        raise BadSyntax("a message begins with UNH")
    head, tail = segments[0], segments[-1]
    if head.at(1) != "MSCONS":
        raise Unsupported(f"messages of type {head.at(1)[:12]!r} are not read here, MSCONS are", head.offset)
    _check_end(head, tail, len(segments))
    reading = _Reading()
    for segment in segments[1:]:
        reading.take(segment)
    return {"reference": head.at(0), "release": head.at(1, 4), **reading.payload()}


def _check_end(head: Segment, tail: Segment, count: int) -> None:
    if tail.tag != "UNT":
        raise Truncated(f"the message ends with {tail.tag}, not with UNT", tail.offset)
    if tail.at(0) != str(count):
        raise SchemaViolation(f"UNT says {tail.at(0)[:12]!r} segments, the message has {count}", tail.offset)
    if tail.at(1) != head.at(0):
        raise SchemaViolation(f"UNT closes message {tail.at(1)[:20]!r}, UNH opened {head.at(0)[:20]!r}", tail.offset)


class _Reading:
    """A message being read, segment by segment."""

    def __init__(self) -> None:
        self._said: dict[str, Any] = {"cancels": None, "answers": None, "sender": None, "receiver": None}
        self._locations: list[dict[str, Any]] = []
        self._is_nameless = False  # the location says no identifier of its own
        self._values: list[Any] | None = None  # of the register being read
        self._value: list[Any] | None = None  # the value being read
        self._not_read: set[str] = set()
        self._take: dict[str, Callable[[Segment], None]] = {
            "BGM": self._begin,
            "DTM": self._time,
            "RFF": self._refer,
            "NAD": self._name,
            "LOC": self._locate,
            "PIA": self._register,
            "QTY": self._quantity,
            "STS": self._status,
        }

    def take(self, segment: Segment) -> None:
        """The next segment."""
        take = self._take.get(segment.tag)
        if take:
            take(segment)
        elif segment.tag not in _PASSED_OVER:
            self._not_read.add(segment.tag)

    def payload(self) -> dict[str, Any]:
        """What was read.

        Raises:
            SchemaViolation: something that every message says is missing.
            Unsupported: a use case that is not read.
        """
        said = self._said
        for name, segment in (("check", "RFF+Z13"), ("document", "BGM"), ("document_time_us", "DTM+137")):
            if said.get(name) is None:
                raise SchemaViolation(f"the message has no {segment}")
        if said["sender"] is None or said["receiver"] is None:
            raise SchemaViolation("the message does not name sender (NAD+MS) and receiver (NAD+MR)")
        said["use_case"] = USE_CASES[said["check"]]
        if said["use_case"] == CANCELLATION and said["cancels"] is None:
            raise SchemaViolation("a cancellation (13006) names the cancelled document in RFF+ACW")
        if said["use_case"] != CANCELLATION and not self._locations:
            raise SchemaViolation("the message has no location (LOC+172)")
        said["locations"] = self._locations
        return said | ({"not_read": sorted(self._not_read)} if self._not_read else {})

    def _begin(self, segment: Segment) -> None:
        self._said |= {"document_kind": segment.at(0), "document": segment.at(1) or None, "function": segment.at(2)}

    def _refer(self, segment: Segment) -> None:
        kind, text = segment.at(0), segment.at(0, 1)
        if kind == "Z13":
            self._said["check"] = _use_case(text, segment)
        elif kind == "ACW":
            self._said["cancels"] = text or None
        elif kind == "AGI":
            self._said["answers"] = text
        elif kind == "MG" and self._locations:
            self._locations[-1]["device"] = text
        elif kind == "AGK" and self._is_nameless and text and self._said["sender"]:
            self._add_location(f"{self._said['sender']['id']}/{text}", "configuration")
        else:
            self._not_read.add(f"RFF+{kind}")

    def _name(self, segment: Segment) -> None:
        role = {"MS": "sender", "MR": "receiver"}.get(segment.at(0))
        if role:
            self._said[role] = {"id": _party(segment), "agency": segment.at(1, 2)}

    def _locate(self, segment: Segment) -> None:
        self._values = self._value = None
        identity = segment.at(1)
        self._is_nameless = segment.at(0) == "172" and not identity
        if segment.at(0) == "172" and identity:
            self._add_location(identity, _location_kind(identity, segment))
        elif segment.at(0) != "172":
            self._not_read.add(f"LOC+{segment.at(0)}")

    def _add_location(self, identity: str, kind: str) -> None:
        self._is_nameless = False
        span: dict[str, Any] = {"from_us": None, "until_us": None}
        self._locations.append({"id": identity, "kind": kind, **span, "device": "", "registers": []})

    def _register(self, segment: Segment) -> None:
        if not self._locations:
            raise SchemaViolation("a register (PIA) stands before its location (LOC)", segment.offset)
        if self._is_nameless:
            raise SchemaViolation("a register (PIA) is of a location (LOC+172) that nobody names", segment.offset)
        if segment.at(0) == "5":
            self._values, self._value = [], None
            self._locations[-1]["registers"].append({"obis": segment.at(1), "values": self._values})

    def _quantity(self, segment: Segment) -> None:
        if self._values is None:
            raise SchemaViolation("a quantity (QTY) stands before its register (PIA+5)", segment.offset)
        self._value = [segment.at(0), number(segment.at(0, 1), segment), None, None]
        self._values.append(self._value)
        if unit := segment.at(0, 2):
            self._more()["unit"] = unit

    def _status(self, segment: Segment) -> None:
        if self._value is not None:
            self._more().setdefault("status", []).append("+".join(":".join(part) for part in segment.elements))

    def _time(self, segment: Segment) -> None:
        kind = segment.at(0)
        if self._value is not None:
            self._time_of_value(kind, segment)
        elif kind in _BOUNDS and self._locations:
            self._locations[-1][_BOUNDS[kind]] = instant(segment)
        elif kind == "137":
            self._said["document_time_us"] = instant(segment)

    def _time_of_value(self, kind: str, segment: Segment) -> None:
        assert self._value is not None
        if kind in _BOUNDS:
            self._value[2 if kind == "163" else 3] = instant(segment)
        elif kind == "7":
            self._more()["at_us"] = instant(segment)
        elif kind == "9" and segment.at(0, 2) == "303":
            self._more()["read_us"] = instant(segment)
        elif kind == "9":
            self._more()["read_day"] = segment.at(0, 1)
        else:
            self._more().setdefault("times", {})[kind] = segment.at(0, 1)

    def _more(self) -> dict[str, Any]:
        """What else the value says."""
        assert self._value is not None
        if len(self._value) == 4:
            self._value.append({})
        more: dict[str, Any] = self._value[4]
        return more


_BOUNDS: Final = {"163": "from_us", "164": "until_us"}


def _use_case(text: str, segment: Segment) -> int:
    if not (len(text) == 5 and text.startswith(_ELECTRICITY) and text.isascii() and text.isdigit()):
        raise SchemaViolation(f"RFF+Z13 says {text[:20]!r}, no use case of MSCONS", segment.offset)
    if int(text) not in USE_CASES:
        known = ", ".join(map(str, USE_CASES))
        raise Unsupported(f"use case {text} of MSCONS is not read here; {known} are", segment.offset)
    return int(text)


def _party(segment: Segment) -> str:
    """A market partner: a code of the BDEW (agency 293), of GS1 (9), or of the DVGW (332, whose rule is its own)."""
    identity, agency = segment.at(1), segment.at(1, 2)
    check = {"293": parse_bdew_code, "9": parse_gln}.get(agency)
    if check:
        return _located(check, identity, segment)
    if not (len(identity) == 13 and identity.isascii() and identity.isdigit()):
        raise BadIdentifier(f"NAD+{segment.at(0)} names {identity[:20]!r}, no code of 13 digits", segment.offset)
    return identity


def _location_kind(identity: str, segment: Segment) -> str:
    """What kind of location an identifier names; it is checked by the rule of that kind."""
    if identity.startswith("DE"):
        _located(parse_melo, identity, segment)
        return "melo"
    if identity[0] in _RESOURCES:
        _located(parse_resource, identity, segment)
        return _RESOURCES[identity[0]]
    if len(identity) == 16:
        _located(parse_eic, identity, segment)
        return "eic"
    _located(parse_malo, identity, segment)
    return "malo"


def _located(parse: Callable[[str], str], identity: str, segment: Segment) -> str:
    """The identifier, or its error at the segment's place."""
    try:
        return parse(identity)
    except BadIdentifier as problem:
        raise BadIdentifier(problem.detail, segment.offset) from None
