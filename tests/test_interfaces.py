"""The catalogue is whole and consistent."""

import re
from pathlib import Path

import pytest

from schemas.interfaces import ACTORS, INTERFACES, by_topic, by_topic_number, format_of, interface
from twin.observe import observer_of

TESTS = Path(__file__).parent

SOURCE = Path(__file__).parents[2] / "shared" / "domain" / "interfaces.md"
needs_source = pytest.mark.skipif(not SOURCE.exists(), reason="../shared is not here")

AS_THE_SOURCE_SAYS = {
    "BEV": "bev",
    "BEV app": "bev-app",
    "CLS management": "cls-management",
    "CPO backend": "cpo",
    "EVSE": "evse",
    "EVSE backend": "evse-backend",
    "HEMS": "hems",
    "HEMS app": "hems-app",
    "HEMS backend": "hems-backend",
    "MSB billing": "msb",
    "MSB metering": "msb",
    "MSP app": "msp-app",
    "MSP backend": "msp",
    "OEM backend": "oem-backend",
    "SMGW": "smgw",
    "VNB": "vnb",
    "VNB backend": "vnb",
    "VNB billing": "vnb-billing",
    "VNB control centre": "vnb-control-centre",
    "VNB grid controller": "grid-controller",
    "aEMT system": "aemt",
    "aggregator app": "aggregator-app",
    "ancillary service markets": "ancillary-market",
    "commercial": "commercial-aggregator",
    "commercial aggregator backend": "commercial-aggregator",
    "control box": "control-box",
    "control box / CLS gateway": "control-box",
    "control relay": "control-relay",
    "customer assets": "asset",
    "energy market": "energy-market",
    "energy supplier": "supplier",
    "energy supplier backend": "supplier",
    "gateway administrator": "gateway-administrator",
    "grid connection point": "grid-connection",
    "high/extra-high-voltage grid": "high-voltage-grid",
    "house connection / grid connection point": "grid-connection",
    "iMSys": "smgw",
    "low-voltage grid": "low-voltage-grid",
    "low/medium-voltage grid": "low-voltage-grid",
    "mME": "meter",
    "metering": "metering",
    "modern meter": "meter",
    "pEMT system": "pemt",
    "pEMT/aEMT system": "pemt",
    "payment app": "payment-app",
    "payment service provider backend": "payment-provider",
    "power plant": "power-plant",
    "power-plant operator": "plant-operator",
    "technical aggregator backend": "technical-aggregator",
    "trading system": "trading-system",
    "ÜNB control centre": "uenb-control-centre",
}
"""The page's names of endpoints and the kinds of actors they are here."""


def test_there_are_58_interfaces_with_topics_of_their_own():
    assert len(INTERFACES) == 58
    assert len({entry.topic for entry in INTERFACES.values()}) == 58
    assert len({entry.topic_number for entry in INTERFACES.values()}) == 58


def test_every_actor_is_reached_and_every_endpoint_is_an_actor():
    assert {end for entry in INTERFACES.values() for end in (entry.left, entry.right)} == set(ACTORS)


def rows_of_the_source():
    """Number, endpoints, protocols, native messages, moves and feeds of every row of the page, as it has them."""
    for number, rest in re.findall(r"^\| (E?\d+)(?: \(r\))? \|(.*)\|$", SOURCE.read_text("utf-8"), re.MULTILINE):
        cells = [cell.replace("*", "").strip().rstrip(";") for cell in rest.split("|")]
        endpoints, *others = cells
        protocols, native, moves, feeds = others if len(others) == 4 else ["", *others]
        yield number, endpoints, (protocols, native, moves, feeds if feeds != "-" else "")


@needs_source
def test_the_numbers_are_those_of_the_source():
    assert sorted(number for number, *_ in rows_of_the_source()) == sorted(INTERFACES)


@needs_source
def test_what_an_interface_carries_is_what_the_source_says():
    for number, _, said in rows_of_the_source():
        entry = INTERFACES[number]
        assert (entry.protocols, entry.native, entry.moves, entry.feeds) == said, number


@needs_source
def test_the_endpoints_are_those_of_the_source():
    for number, endpoints, _ in rows_of_the_source():
        bare = re.sub(r" \(.*?\)|, through .*", "", endpoints.replace("(H)EMS", "HEMS"))
        left, right = (AS_THE_SOURCE_SAYS[end.strip()] for end in bare.split(" - "))
        assert (INTERFACES[number].left, INTERFACES[number].right) == (left, right), number


@pytest.mark.parametrize(
    ("text", "topic"), [("4", "if.04.evse-cpo"), ("04", "if.04.evse-cpo"), ("e1", "if.e1.cpo-msp"), ("54", None)]
)
def test_a_number_is_found_as_people_write_it(text, topic):
    assert topic is None or interface(text).topic == topic
    assert interface(interface(text).topic) == interface(text)


@pytest.mark.parametrize("text", ["0", "55", "E5", "", "four"])
def test_an_unknown_number_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="there is no interface"):
        interface(text)


def test_an_interface_is_found_by_its_topic_and_by_its_topic_number():
    assert all(by_topic(entry.topic) is by_topic_number(entry.topic_number) for entry in INTERFACES.values())


@pytest.mark.parametrize("name", sorted({name for entry in INTERFACES.values() for name in entry.formats}))
def test_a_registered_format_has_a_decoder_an_observer_and_tests_of_both(name):
    assert format_of(name).name == name
    assert format_of(name).title != ""
    assert callable(observer_of(name))
    assert list((TESTS / "wire").glob(f"test_{name}*.py")), "its bytes are tried nowhere"
    said = re.compile(rf"twin\.observe(\.| import ){name}\b|from twin\.observe import observe\b")
    trying = [file for folder in ("observe", "wire") for file in (TESTS / folder).glob(f"test_*{name}*.py")]
    assert any(said.search(file.read_text("utf-8")) for file in trying), "its facts are tried nowhere"
