"""The page of what is read where is what the catalogue, the street and the tests say."""

import os
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from replay.coverage import BYTES, SAMPLES, WORKS, page, ways_in
from replay.scenario import write_day
from schemas.interfaces import INTERFACES
from streams.taps import ocpp as ocpp_tap
from streams.taps import tcp as tcp_tap
from streams.taps.topic_table import read_table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "coverage.md"


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """The interfaces of the street of the whole road's test: as many sites, fewer messages."""
    written = write_day(
        date(2026, 3, 29), tmp_path_factory.mktemp("day"), sites=4, sml_interval_s=900, ocpp_interval_s=900
    )
    return set(written.messages)


def test_the_page_is_current(street):
    if os.environ.get("WRITE_DOCS"):
        PAGE.write_text(page(street), "utf-8")
    assert PAGE.read_text("utf-8") == page(street), "docs/coverage.md is out of date: make docs"


def test_a_row_works_only_where_messages_of_its_formats_are_poured_through_the_stack(street):
    from test_every_interface import SPOKEN

    rows = [line.split(" | ") for line in page(street).splitlines() if line.startswith("| ") and " | " in line]
    states = {row[0].removeprefix("| "): row[3] for row in rows[1:]}
    assert states == {number: WORKS if {spoken for spoken, _ in SPOKEN} & {number} else BYTES for number in INTERFACES}


@pytest.mark.parametrize("number", INTERFACES)
def test_the_taps_take_the_interfaces_that_the_page_gives_them(number, tmp_path):
    ways = " ".join(ways_in(number))
    ocpp = refusal(ocpp_tap.main, tmp_path, "--backend", "ws://localhost/", "--interface", number)
    assert ("OCPP tap" in ways) == ("nobody speaks OCPP" not in ocpp)
    tcp = refusal(tcp_tap.main, tmp_path, "--target", "localhost:9", "--interface", number)
    assert ("TCP tap" in ways) == ("as a stream of octets" not in tcp)
    assert read_table(["topic,interface,source", f"any/#,{number},"])[0].interface == number


def refusal(command, home, *arguments):
    """What a tap says that is told of no Kafka, so that none begins to listen."""
    done = CliRunner().invoke(
        command, ["--listen", "127.0.0.1:0", *arguments], env={"TWIN_HOME": str(home), "TWIN_KAFKA": ""}
    )
    assert done.exit_code
    return done.output


def test_samples_are_named_where_a_test_reads_them():
    for name, folder in SAMPLES.items():
        tests = [path.read_text("utf-8") for path in (ROOT / "tests").rglob(f"test*_{name}*.py")]
        assert any(f'"{folder}"' in text for text in tests), name
