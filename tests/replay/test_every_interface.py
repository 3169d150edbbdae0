"""Messages of every format on every interface that reads it, through the real Kafka, worker and database.

What docs/coverage.md calls "works" is what is poured here.
"""

import psycopg
import pytest

from replay.fuzz.seeds import seeds_of
from replay.scenario.writers.point_lists import point_lists
from schemas.facts import Facts
from schemas.interfaces import INTERFACES
from streams import lag
from streams.ingest import send_files
from streams.reader import Rejected, read
from streams.sources import find
from twin.observe import observe

pytestmark = pytest.mark.whole_day

SPOKEN = [(number, name) for number, entry in INTERFACES.items() for name in entry.formats]
FILES = 4
HEAD = "station,address,actor,attribute,unit,factor,answers\n"
POINT = "7,1001,uenb-control-centre:NORD,frequency,Hz,1,\n"
LISTS = {document.interface: document.raw.decode() for document in point_lists()}
"""The street's own, beside that of who else speaks."""


@pytest.fixture
def folders(config, tmp_path):
    """A folder for each format on each interface, with good messages in it; point lists for telecontrol."""
    (tmp_path / "home" / "points").mkdir(parents=True)
    made = {}
    for number, name in SPOKEN:
        (tmp_path / "home" / "points" / f"{number}.csv").write_text(LISTS.get(number, HEAD) + POINT)
        folder = made[number, name] = tmp_path / "messages" / number / name
        folder.mkdir(parents=True)
        own = [good for good in seeds_of(name) if good.interface == number] or seeds_of(name)
        for place, good in enumerate([*own[:FILES], *own[-FILES:]]):
            (folder / f"{place}.{name}").write_bytes(good.content)
    return made


def test_what_messages_of_every_interface_say_arrives(config, worker, folders):
    said = {}
    for (number, name), folder in folders.items():
        sent = send_files(config, find(folder), number)
        assert (sent.messages > 0, sent.rejects) == (True, 0), (number, name)
        said[number, name] = facts_of(folder, number, name)
    lag.wait_until_written(config, 60)
    told, counted, listed, sampled = stored(config)
    assert {f"interface:{number}" for number, _ in SPOKEN} <= {actor for actor, _ in told}
    for place, facts in said.items():
        assert facts.all(), f"{place}: messages that say nothing prove nothing"
        assert {(seen.actor, seen.attribute) for seen in facts.observations} <= told, place
        assert {(seen.point, seen.obis) for seen in facts.readings} <= counted, place
        assert {(value.series, value.object) for value in facts.slot_values} <= listed, place
        assert {sample.point for sample in facts.samples} <= sampled, place


def facts_of(folder, number, name):
    facts = Facts()
    for path in sorted(folder.iterdir()):
        for outcome in read(path, number):
            assert not isinstance(outcome, Rejected)
            assert outcome.format == name
            observe(outcome, facts)
    return facts


def stored(config):
    """Attributes of actors, registers of points, series of objects, points with power that are in the database."""
    with psycopg.connect(config.database_url, options=f"-c search_path={config.schema}") as connection:
        told = connection.execute("select actor, attribute from twin join signal using (signal_id)").fetchall()
        counted = connection.execute("select point, obis from edge join register using (register_id)").fetchall()
        listed = connection.execute("select series, object from slot_value join series using (series_id)").fetchall()
        sampled = connection.execute("select point from sample").fetchall()
    return set(told), set(counted), set(listed), {point for (point,) in sampled}
