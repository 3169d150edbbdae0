"""What tests of taps share: what a tap brought into Kafka."""

import pytest

from schemas.event import from_record
from schemas.interfaces import interface as interface_of


@pytest.fixture
def events_on(records_of, topic_prefix):
    """Function: the events on an interface, in the order in which they were heard."""

    def read(number):
        events = [from_record(record.value) for record in records_of(topic_prefix + interface_of(number).topic)]
        return sorted(events, key=lambda event: event.log_time_us or 0)

    return read
