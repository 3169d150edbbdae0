"""``python -m replay.scenario`` as a user calls it."""

import subprocess
import sys

import pytest

from replay.scenario.__main__ import main
from replay.scenario.faults import FAULTS
from streams.exi.process import JavaCodec


def call(*arguments):
    command = [sys.executable, "-m", "replay.scenario", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_a_day_is_written_and_counted_by_interface(tmp_path):
    called = call("2026-10-25", "--out", str(tmp_path), "--sites", "1", "--ocpp-interval", "900")
    assert called.returncode == 0
    written = {path.name for path in tmp_path.iterdir()}
    assert {"04", "05", "14", "15", "16", "18", "truth"} <= written
    counted = [line.split()[1] for line in called.stdout.splitlines() if line.startswith("interface")]
    assert {number.zfill(2) for number in counted} == written - {"truth", "points"}
    assert "100 quarter hours" in called.stdout


def test_help_names_every_fault_and_an_example():
    called = call("--help")
    assert all(f"  {name} " in called.stdout for name in FAULTS)
    assert "example: python -m replay.scenario" in called.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["2026-10-25", "--faults", "moon"], "there is no fault 'moon'"),
        (["2026-10-25", "--sites", "0"], "a street has 1 to 10000 sites"),
        (["2026-10-25", "--sml-interval", "7"], "does not divide a quarter hour"),
        (["2026-10-25", "--iso15118-cars", "-1"], "no -1 cars can speak ISO 15118"),
        (["2026-02-30"], "day is out of range"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(tmp_path, arguments, sentence):
    called = call(*arguments, "--out", str(tmp_path / "day"))
    assert called.returncode != 0
    assert sentence in called.stderr.splitlines()[-1]
    assert not (tmp_path / "day").exists()


def test_without_an_exi_codec_the_sentence_says_how_to_do_without(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("streams.exi.process.find_java", lambda: None)
    idle = JavaCodec()
    monkeypatch.setattr("replay.scenario.writers.exi_frames.codec", lambda: idle)
    arguments = ["scenario", "2026-10-25", "--out", str(tmp_path / "day"), "--sites", "1", "--ocpp-interval", "900"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 1
    assert "there is no Java here" in (sentence := capsys.readouterr().err)
    assert "--iso15118-cars 0 writes the day without it" in sentence
    assert not (tmp_path / "day").exists()
    monkeypatch.setattr(sys, "argv", [*arguments, "--iso15118-cars", "0"])
    assert main() == 0
