"""What was known when of a market location: a profile, its correction after settlement, a withdrawn document."""

from decimal import Decimal

import pytest

from replay.history import quarters_in
from schemas.facts import MEASURED, SUBSTITUTE, Facts
from schemas.interfaces import interface
from schemas.time import HOUR_US, SLOT_US
from schemas.wire.mscons import cancellation, encode_interchange, message_of, profile
from streams.archive.layout import Archive
from streams.reader import read
from tests.replay.made_days import DAY, archived
from twin.observe import observe
from twin.slots import best_of

MSB, SUPPLIER, MALO = "9900987654329", "9904628000007", "41373559241"
SENT_US, CORRECTED_US, WITHDRAWN_US = (DAY.end_us + hours * HOUR_US for hours in (6, 72, 96))


def told(document, sent_us, quality, amounts):
    values = [
        [quality, Decimal(amount), DAY.start_us + n * SLOT_US, DAY.start_us + (n + 1) * SLOT_US]
        for n, amount in enumerate(amounts)
    ]
    location = profile(MALO, "malo", [("1-1:1.29.0", values)], (DAY.start_us, DAY.start_us + len(values) * SLOT_US))
    return message_of(13025, document, sent_us, sender=MSB, receiver=SUPPLIER, locations=[location])


PROFILE = told("A", SENT_US, "67", ["1", "1"])
CORRECTION = told("B", CORRECTED_US, "220", ["0.9", "1.2"])
WITHDRAWAL = cancellation("B", "C", WITHDRAWN_US, sender=MSB, receiver=SUPPLIER)
TOPIC = interface("32").topic


@pytest.fixture(params=[[0, 1, 2], [2, 1, 0], [1, 2, 0]], ids=str)
def archive(request, tmp_path):
    """The three documents, each recorded a minute after it was made, archived in some order, the first twice."""
    made = []
    for number, said in enumerate([PROFILE, CORRECTION, WITHDRAWAL, PROFILE]):
        (event,) = read(encode_interchange([said], reference="R"), "32")
        facts = Facts()
        observe(event, facts)
        recorded_us = said["document_time_us"] + 60_000_000
        made.append((event._replace(recorded_us=recorded_us, topic=TOPIC, offset=number), number, facts))
    archive = Archive(tmp_path)
    archived(archive, *([made[number]] for number in [*request.param, 3]))
    return archive


def known(archive, known_us):
    _, values, cancelled = quarters_in(archive, MALO, DAY.start_us, DAY.end_us, known_us)
    quarters = best_of([], values, cancelled=cancelled)
    return [(quarter.value_mwh, quarter.quality, quarter.flags) for quarter in quarters]


def test_the_figures_of_each_day_are_those_known_that_day(archive):
    substitutes = [(1_000_000, SUBSTITUTE, ()), (1_000_000, SUBSTITUTE, ())]
    corrected = [(900_000, MEASURED, ()), (1_200_000, MEASURED, ())]
    assert known(archive, SENT_US) == []
    assert known(archive, SENT_US + HOUR_US) == substitutes
    assert known(archive, CORRECTED_US + HOUR_US) == corrected
    assert known(archive, WITHDRAWN_US + HOUR_US) == substitutes
    assert known(archive, None) == substitutes
