"""The interface catalogue: which actors speak where, in which formats, on which topic.

Its rows are data, in ``schemas/interfaces.csv``. Source: "Systemarchitektur des interoperablen bidirektionalen Ladens
V3.0" for 1 to 54; E1 to E4 are interfaces of actors that its component list names and none of its rows reaches.

A wire format is registered here, at its interfaces, and nowhere else: its name is the name of the modules
``schemas/wire/<name>`` and ``twin/observe/<name>``.
"""

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType
from typing import Final, NamedTuple, cast

from schemas.wire.contract import LogLines, WireFormat

QUARANTINE_TOPIC: Final = "gegenstrom.quarantine"
QUARANTINE_NUMBER: Final = 500
"""Stands for the quarantine's topic in positions; beyond the numbers of all interfaces."""
CONTROL_TOPIC: Final = "gegenstrom.control"

_BEYOND_SOURCE: Final = 100
"""Topic numbers of E1 to E4 start behind this."""

_HEAVY: Final = frozenset({"1", "3", "4", "15", "16", "47"})
_HEAVY_PARTITIONS: Final = 8
_PARTITIONS: Final = 2
_RETENTION_DAYS: Final = 30


class Actor(NamedTuple):
    """A kind of actor: its name in actor keys (``meter:1EMH...``), in German and in English."""

    kind: str
    name_de: str
    name_en: str


class Interface(NamedTuple):
    """One interface.

    ``topic_number`` stands for the topic in positions of events; ``formats`` are the names of wire formats that are
    decoded here; what comes in another form is kept as an undecoded event. ``moves`` names the twins whose state a
    message changes, ``feeds`` the quarter-hour series it adds to.
    """

    number: str
    topic_number: int
    left: str
    right: str
    protocols: str
    native: str
    moves: str
    feeds: str
    formats: tuple[str, ...]
    topic: str
    partitions: int
    retention_days: int

    @property
    def endpoints_de(self) -> str:
        """Both ends in German."""
        return f"{ACTORS[self.left].name_de} - {ACTORS[self.right].name_de}"

    @property
    def endpoints_en(self) -> str:
        """Both ends in English."""
        return f"{ACTORS[self.left].name_en} - {ACTORS[self.right].name_en}"


_ACTORS = (
    Actor("aemt", "aEMT-System", "aEMT system (active external market participant)"),
    Actor("aggregator-app", "Aggregator App", "aggregator app"),
    Actor("ancillary-market", "Markt für Systemdienstleistungen", "ancillary service market"),
    Actor("asset", "Kundenanlage (PV, Wärmepumpe, Speicher)", "customer asset (PV, heat pump, battery)"),
    Actor("bev", "BEV", "battery electric vehicle"),
    Actor("bev-app", "BEV-App", "vehicle app"),
    Actor("cls-management", "CLS-Management", "CLS management"),
    Actor("commercial-aggregator", "Kommerzieller Aggregator Backend", "commercial aggregator backend"),
    Actor("control-box", "Steuerbox / CLS-Gateway", "control box"),
    Actor("control-relay", "Steuerrelais", "control relay"),
    Actor("cpo", "CPO Backend", "charge point operator backend"),
    Actor("energy-market", "Energiemarkt", "energy market"),
    Actor("evse", "EVSE (Ladeeinrichtung)", "wallbox"),
    Actor("evse-backend", "EVSE Backend", "wallbox maker's backend"),
    Actor("gateway-administrator", "Gateway-Administrator", "gateway administrator"),
    Actor("grid-connection", "Hausanschluss / Netzanschlusspunkt", "grid connection point"),
    Actor("grid-controller", "Netzregler des VNB", "VNB grid controller"),
    Actor("hems", "HEMS", "home energy manager"),
    Actor("hems-app", "HEMS App", "energy manager's app"),
    Actor("hems-backend", "HEMS Backend", "energy manager's backend"),
    Actor("high-voltage-grid", "Hoch-/Höchstspannungsnetz", "high/extra-high-voltage grid"),
    Actor("low-voltage-grid", "Nieder-/Mittelspannungsnetz", "low/medium-voltage grid"),
    Actor("meter", "mME (moderne Messeinrichtung)", "modern meter"),
    Actor("metering", "Zählerwesen", "metering department"),
    Actor("msb", "MSB (Messstellenbetreiber)", "metering point operator"),
    Actor("msp", "MSP Backend", "mobility service provider backend"),
    Actor("msp-app", "MSP App", "mobility service provider's app"),
    Actor("oem-backend", "OEM Backend", "vehicle maker's backend"),
    Actor("payment-app", "Payment App", "payment app"),
    Actor("payment-provider", "Payment Service Provider Backend", "payment service provider backend"),
    Actor("pemt", "pEMT-System", "pEMT system (passive external market participant)"),
    Actor("plant-operator", "Kraftwerksbetreiber", "power-plant operator"),
    Actor("power-plant", "Kraftwerk", "power plant"),
    Actor("smgw", "SMGW / iMSys", "smart meter gateway"),
    Actor("supplier", "Energielieferant Backend", "energy supplier backend"),
    Actor("technical-aggregator", "Technischer Aggregator Backend", "technical aggregator backend"),
    Actor("trading-system", "Handelssystem", "trading system"),
    Actor("uenb-control-centre", "ÜNB Leitwarte", "transmission system operator's control centre"),
    Actor("vnb", "VNB Backend", "distribution system operator's backend"),
    Actor("vnb-billing", "VNB Abrechnung", "distribution system operator's billing"),
    Actor("vnb-control-centre", "VNB Leitwarte", "distribution system operator's control centre"),
)

ACTORS: Mapping[str, Actor] = MappingProxyType({actor.kind: actor for actor in _ACTORS})
"""Every kind of actor that an interface reaches."""


def _interface(row: dict[str, str]) -> Interface:
    number, left, right = row["number"], row["left"], row["right"]
    beyond = number.startswith("E")
    digits = int(number.removeprefix("E"))
    slug = number.lower() if beyond else f"{digits:02d}"
    return Interface(
        number,
        _BEYOND_SOURCE + digits if beyond else digits,
        left,
        right,
        row["protocols"],
        row["native"],
        row["moves"],
        row["feeds"],
        tuple(row["formats"].split()),
        f"if.{slug}.{left}-{right}",
        _HEAVY_PARTITIONS if number in _HEAVY else _PARTITIONS,
        _RETENTION_DAYS,
    )


def _rows() -> Iterator[dict[str, str]]:
    yield from csv.DictReader(files("schemas").joinpath("interfaces.csv").read_text("utf-8").splitlines())


INTERFACES: Mapping[str, Interface] = MappingProxyType({row["number"]: _interface(row) for row in _rows()})
"""All interfaces by number: "1" to "54", "E1" to "E4"."""

_BY_TOPIC = {entry.topic: entry for entry in INTERFACES.values()}
_BY_TOPIC_NUMBER = {entry.topic_number: entry for entry in INTERFACES.values()}


def interface(number: str) -> Interface:
    """The interface of a number, as people write it.

    Raises:
        ValueError: there is none.

    >>> interface("04").topic, interface("e1").topic
    ('if.04.evse-cpo', 'if.e1.cpo-msp')
    """
    text = number.strip().upper().removeprefix("IF.").partition(".")[0]
    found = INTERFACES.get(text.lstrip("0") or text)
    if found is None:
        raise ValueError(f"there is no interface {number!r}; they are 1 to 54 and E1 to E4")
    return found


def by_topic(topic: str) -> Interface:
    """The interface whose messages a topic carries; KeyError when it carries none."""
    return _BY_TOPIC[topic]


def by_topic_number(topic_number: int) -> Interface:
    """The interface of a topic number, as positions hold it; KeyError when there is none."""
    return _BY_TOPIC_NUMBER[topic_number]


@cache
def format_of(name: str) -> WireFormat:
    """The wire format of a name."""
    return cast("WireFormat", import_module(f"schemas.wire.{name}").FORMAT)


def recognise(number: str, head: bytes, filename: str) -> WireFormat | None:
    """The first format of an interface that knows these first bytes of a file; None when none does."""
    for name in interface(number).formats:
        candidate = format_of(name)
        if candidate.recognise(head, filename):
            return candidate
    return None


@cache
def all_log_lines() -> Mapping[str, LogLines]:
    """How formats stand in logs that several may share, by name, of every interface's formats."""
    names = dict.fromkeys(name for entry in INTERFACES.values() for name in entry.formats)
    return {name: lines for name in names if (lines := format_of(name).log_lines) is not None}


def spoken_at(name: str) -> list[str]:
    """The numbers of the interfaces at which a format is read.

    >>> spoken_at("iec61851")
    ['1']
    """
    return [entry.number for entry in INTERFACES.values() if name in entry.formats]
