"""Point lists: where they lie, and how a log brings its own along."""

from pathlib import Path

import pytest

from schemas.points import Point
from streams.points import adopt, points_of
from streams.settings import SettingsError, home_of

LIST = "station,address,actor,attribute,unit\n7,1001,vnb:NORD,frequency,Hz\n"


@pytest.fixture
def street(tmp_path, monkeypatch):
    """A folder with a log of interface 25 and a list beside it; nothing in the home folder."""
    monkeypatch.setenv("TWIN_HOME", str(tmp_path / "home"))
    for name, content in (("25/rooms.log", "68"), ("points/25.csv", LIST)):
        (tmp_path / "street" / name).parent.mkdir(parents=True)
        (tmp_path / "street" / name).write_text(content)
    return tmp_path / "street"


def test_what_lies_in_the_home_folder_of_whoever_runs_the_tests_reaches_none_of_them():
    assert not home_of().is_relative_to(Path.cwd())
    assert not home_of().exists()


@pytest.mark.parametrize("log", ["25", "25/rooms.log"])
def test_the_list_beside_a_log_is_taken_over(street, tmp_path, log):
    assert points_of("25") is None
    assert adopt([street / log], "25") == tmp_path / "home" / "points" / "25.csv"
    assert points_of("25") == {(7, 1001): Point("vnb:NORD", "frequency", "Hz")}
    assert adopt([street / log], "24") is None


def test_a_list_that_is_there_already_stays(street):
    adopt([street / "25"], "25")
    (street / "points" / "25.csv").write_text(LIST.replace("NORD", "SUED"))
    assert adopt([street / "25"], "25") is None
    assert points_of("25")[7, 1001].actor == "vnb:NORD"


def test_what_is_no_list_is_not_taken_over(street):
    (street / "points" / "25.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SettingsError, match=r"25\.csv: the point list has no column"):
        adopt([street / "25"], "25")
    assert points_of("25") is None
