"""A written day: the same arguments give the same bytes, and the truth beside them adds up."""

import csv
import hashlib
from collections import defaultdict
from datetime import date
from itertools import pairwise

import pytest

from replay.scenario import NO_FAULTS, Setting, messages, write_day

SPRING, AUTUMN, SUMMER = date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 7)


def digests(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def autumn(tmp_path_factory):
    out = tmp_path_factory.mktemp("autumn")
    return out, write_day(AUTUMN, out)


def test_the_same_arguments_give_the_same_bytes(autumn, tmp_path):
    out, _ = autumn
    write_day(AUTUMN, tmp_path)
    assert digests(out) == digests(tmp_path)


def test_another_seed_gives_other_bytes_in_every_file(autumn, tmp_path):
    out, _ = autumn
    write_day(AUTUMN, tmp_path, seed=2)
    one, other = digests(out), digests(tmp_path)
    same = {name for name in one.keys() & other.keys() if one[name] == other[name]}
    lists = {name for name in same if name.startswith("points/")}
    places = {"truth/sites.csv", f"33/locations-{AUTUMN}.csv", f"E1/locations-{AUTUMN}-00000.json"}
    assert same - lists <= places, "who lives where is no matter of chance"


def test_every_file_that_is_reported_lies_there_and_no_other(autumn):
    out, written = autumn
    assert {path for path in out.rglob("*") if path.is_file()} == {*written.files, *written.truth, *written.points}
    assert all(count > 0 for count in written.messages.values())


@pytest.mark.parametrize(("day", "count"), [(SPRING, 92), (AUTUMN, 100), (SUMMER, 96)])
def test_the_truth_has_every_quarter_hour_of_every_point_and_the_registers_add_up(day, count, tmp_path):
    write_day(day, tmp_path, sites=3)
    edges, slots = defaultdict(list), defaultdict(list)
    for row in rows(tmp_path / "truth" / "registers.csv"):
        edges[row["point"], row["direction"]].append(int(row["value_mwh"]))
    for row in rows(tmp_path / "truth" / "quarter_hours.csv"):
        slots[row["point"], row["direction"]].append(int(row["value_mwh"]))
    assert edges.keys() == slots.keys()
    for key, values in slots.items():
        assert len(values) == count
        assert values == [after - before for before, after in pairwise(edges[key])]


def test_identifiers_are_unique_among_ten_thousand_sites():
    from replay.scenario.names import names_of
    from replay.scenario.street import Street

    street = Street(1, 10_000)
    seen = [name for site in range(10_000) for name in names_of(street, site).all()]
    assert len(seen) == len(set(seen)) > 50_000


def test_messages_are_those_of_the_files_and_come_in_order(autumn):
    _, written = autumn
    live = list(messages(AUTUMN, Setting(faults=NO_FAULTS)))
    times = [message.time_us for message in live]
    assert times == sorted(times)
    assert sum(message.interface == "4" for message in live) == written.messages["4"]


def test_two_days_with_the_same_first_day_fit_together(tmp_path):
    write_day(SUMMER, tmp_path / "one", sites=4)
    write_day(date(2026, 7, 8), tmp_path / "two", sites=4, first_day=SUMMER)
    ends = {(r["point"], r["direction"]): r for r in rows(tmp_path / "one" / "truth" / "registers.csv")}
    begins = {}
    for row in rows(tmp_path / "two" / "truth" / "registers.csv"):
        begins.setdefault((row["point"], row["direction"]), row)
    assert ends == begins


@pytest.mark.parametrize("interval_s", [0, 7, 1800])
def test_an_interval_that_misses_the_edges_is_refused(interval_s, tmp_path):
    with pytest.raises(ValueError, match="does not divide a quarter hour"):
        write_day(SUMMER, tmp_path, sml_interval_s=interval_s)


def test_progress_counts_every_quarter_hour(tmp_path):
    heard = []
    write_day(SPRING, tmp_path, sites=1, on_progress=lambda done, of: heard.append((done, of)))
    assert heard == [(done, 92) for done in range(1, 93)]
