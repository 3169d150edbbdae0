"""How far the tables are behind, and which Kafka that is measured on."""

import re

from streams import lag


def test_a_broker_tells_its_release(kafka):
    assert re.fullmatch(r"4\.\d+", lag.broker_version(kafka))
