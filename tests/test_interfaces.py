"""The catalogue is whole and consistent."""

import re
from pathlib import Path

import pytest

from schemas.interfaces import ACTORS, INTERFACES, by_topic, by_topic_number, interface

SOURCE = Path(__file__).parents[2] / "shared" / "domain" / "interfaces.md"


def test_there_are_58_interfaces_with_topics_of_their_own():
    assert len(INTERFACES) == 58
    assert len({entry.topic for entry in INTERFACES.values()}) == 58
    assert len({entry.topic_number for entry in INTERFACES.values()}) == 58


def test_every_actor_is_reached_and_every_endpoint_is_an_actor():
    assert {end for entry in INTERFACES.values() for end in (entry.left, entry.right)} == set(ACTORS)


@pytest.mark.skipif(not SOURCE.exists(), reason="../shared is not here")
def test_the_numbers_are_those_of_the_source():
    rows = re.findall(r"^\| (E?\d+)(?: \(r\))? \|", SOURCE.read_text("utf-8"), re.MULTILINE)
    assert set(rows) == set(INTERFACES)


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
