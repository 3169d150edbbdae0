"""The story of a market location: what a document changes, and what its withdrawal takes back."""

from decimal import Decimal

import pytest

from replay.history import EVER_US, Said, quarters_in
from replay.story import site_story
from schemas.facts import MEASURED, MISSING, SUBSTITUTE, Facts
from schemas.interfaces import interface
from schemas.rows import position_of
from schemas.time import HOUR_US, SLOT_US
from schemas.wire.mscons import cancellation, encode_interchange, message_of, profile, states
from streams.archive.layout import Archive, Range
from streams.archive.segment import write_segment
from streams.reader import read
from tests.replay.made_days import DAY
from twin.observe import observe
from twin.slots import best_of, quarter_hours
from twin.story import Change

MSB, OTHER, SUPPLIER, MALO = "9900987654329", "9900123456000", "9904628000007", "41373559241"
SITE = [f"malo:{MALO}"]
AT = {name: DAY.end_us + hours * HOUR_US for name, hours in {"A": 6, "B": 72, "C": 96, "D": 100, "E": 120}.items()}
TOPIC = interface("32").topic


def told(document, quality, amounts, sender=MSB):
    values = [
        [quality, Decimal(amount), DAY.start_us + n * SLOT_US, DAY.start_us + (n + 1) * SLOT_US]
        for n, amount in enumerate(amounts)
    ]
    location = profile(MALO, "malo", [("1-1:1.29.0", values)], (DAY.start_us, DAY.start_us + len(values) * SLOT_US))
    return message_of(13025, document, AT[document], sender=sender, receiver=SUPPLIER, locations=[location])


def withdrawn(document, by, sender=MSB):
    return cancellation(document, by, AT[by], sender=sender, receiver=SUPPLIER)


def said_of(*messages):
    """Messages as the log has them, in order."""
    found = []
    for number, message in enumerate(messages):
        (event,) = read(encode_interchange([message], reference="R"), "32")
        facts = Facts()
        observe(event, facts)
        recorded_us = message["document_time_us"] + 60_000_000
        event = event._replace(recorded_us=recorded_us, topic=TOPIC, offset=number)
        found.append(Said(event, position_of(32, 0, number), facts))
    return found


@pytest.fixture(params=["archived", "in Kafka"])
def story(request, tmp_path):
    """Function: what documents change of quarter hours in the story of the location."""

    def tell(said, from_us=0, to_us=EVER_US):
        archive = Archive(tmp_path)
        if request.param == "archived":
            for number, one in enumerate(said):
                write_segment(archive, [one], [Range(TOPIC, 0, number, number + 1)])
        recent = [] if request.param == "archived" else said
        lines = site_story(archive, SITE, from_us, to_us, recent)
        return {line.event.payload["document"]: list(line.slots) for line in lines}

    return tell


def values(changes):
    return [(change.before, change.after, change.quality) for change in changes]


PROFILE, CORRECTION = told("A", "67", ["1", "1"]), told("B", "220", ["0.9", "1.2"])


def test_a_cancellation_takes_back_what_the_document_said(story):
    lines = story(said_of(PROFILE, CORRECTION, withdrawn("B", "C"), withdrawn("A", "D")))
    assert values(lines["A"]) == [(None, 1_000_000, SUBSTITUTE)] * 2
    assert values(lines["B"]) == [(1_000_000, 900_000, MEASURED), (1_000_000, 1_200_000, MEASURED)]
    assert values(lines["C"]) == [(900_000, 1_000_000, SUBSTITUTE), (1_200_000, 1_000_000, SUBSTITUTE)]
    assert values(lines["D"]) == [(1_000_000, None, MISSING)] * 2


def test_a_cancellation_says_which_document_it_is_of_and_about_whom(tmp_path):
    (line,) = site_story(Archive(tmp_path), SITE, AT["C"], EVER_US, said_of(PROFILE, CORRECTION, withdrawn("B", "C")))
    assert line.ties == tuple(SITE)
    assert line.changes == (Change(f"msb:{MSB}", "document/B", None, "cancelled by C", ""),)


def test_a_document_from_before_the_story_is_taken_back_in_it(story):
    lines = story(said_of(PROFILE, CORRECTION, withdrawn("B", "C")), AT["C"])
    assert list(lines) == ["C"]
    assert values(lines["C"]) == [(900_000, 1_000_000, SUBSTITUTE), (1_200_000, 1_000_000, SUBSTITUTE)]


def test_what_was_withdrawn_before_the_story_is_not_what_was_known_before_it(story):
    later = told("D", "220", ["0.8", "1"])
    lines = story(said_of(PROFILE, CORRECTION, withdrawn("B", "C"), later), AT["D"])
    assert values(lines["D"]) == [(1_000_000, 800_000, MEASURED), (1_000_000, 1_000_000, MEASURED)]


def test_a_document_that_was_withdrawn_before_it_came_changes_nothing(story):
    early = cancellation("B", "C", AT["A"] + HOUR_US, sender=MSB, receiver=SUPPLIER)
    lines = story(said_of(PROFILE, early, CORRECTION))
    assert (lines["C"], lines["B"]) == ([], [])


def test_what_comes_after_the_story_is_not_known_before_it(story):
    lines = story(said_of(PROFILE, CORRECTION, withdrawn("B", "C")), AT["A"], AT["A"] + HOUR_US)
    assert values(lines["A"]) == [(None, 1_000_000, SUBSTITUTE)] * 2


def test_the_document_of_that_number_of_another_sender_stays(story):
    lines = story(said_of(PROFILE, CORRECTION, withdrawn("B", "C", sender=OTHER)))
    assert "C" not in lines, "it speaks of nobody here"
    assert values(lines["B"]) == [(1_000_000, 900_000, MEASURED), (1_000_000, 1_200_000, MEASURED)]


def test_a_withdrawn_reading_takes_back_the_quarter_hours_that_rest_on_it(story):
    def state(document, hours, amount):
        value = ("220", Decimal(amount), DAY.start_us + hours * HOUR_US)
        location = states(MALO, "malo", "1EMH0012345678", [("1-1:1.8.0", [value])])
        return message_of(13017, document, AT[document], sender=MSB, receiver=SUPPLIER, locations=[location])

    said = said_of(state("A", 0, "100"), state("B", 1, "104"), withdrawn("B", "C"))
    lines = story(said, AT["C"])
    assert values(lines["C"]) == [(1_000_000, None, MISSING)] * 4


def test_what_the_story_tells_in_the_end_is_what_the_tables_hold(story, tmp_path):
    said = said_of(PROFILE, CORRECTION, withdrawn("A", "C"), told("D", "Z18", ["3", "4", "5"]), withdrawn("D", "E"))
    known = {}
    for changes in story(said).values():
        known |= {change.slot_us: change.after for change in changes}
    edges, market, cancelled = quarters_in(Archive(tmp_path), MALO, *DAY, None, lambda: said)
    slots = range(DAY.start_us, DAY.start_us + 4 * SLOT_US, SLOT_US)
    held = best_of(quarter_hours(edges, slots, cancelled=cancelled), market, slots=slots, cancelled=cancelled)
    expected = {quarter.slot_us: quarter.value_mwh for quarter in held if quarter.direction == "import"}
    assert {slot: known.get(slot) for slot in expected} == expected
    assert [known.get(slot) for slot in slots] == [900_000, 1_200_000, None, None]
