"""What all taps have in common as commands."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tap_process import NOBODY, Tap

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TAPS = ["folder", "mqtt", "ocpp", "tcp"]


@pytest.mark.parametrize("name", [*TAPS, "bench"])
def test_help_ends_with_an_example(name):
    result = CliRunner().invoke(import_module(f"streams.taps.{name}").main, ["--help"])
    said = " ".join(result.output.partition("Options:")[0].split())
    assert f"Example: python -m streams.taps.{name} " in said


@pytest.mark.parametrize("name", TAPS)
def test_the_readme_starts_each_tap_as_its_help_does(name):
    readme = README.read_text("utf-8").partition("## Ways in")[2]
    result = CliRunner().invoke(import_module(f"streams.taps.{name}").main, ["--help"])
    example = re.search(r"Example: (python -m .*?)\s+Options:", result.output, re.DOTALL)
    assert f"`{' '.join(example[1].split())}`" in readme


@pytest.mark.parametrize(
    ("name", "text", "here", "says"),
    [
        ("ocpp", "0.0.0.0:9000", "127.0.0.1:0", "passing on to wss://csms.example/ocpp, interface 4"),
        ("tcp", "0.0.0.0:2404", "127.0.0.1:0", "passing on to 10.0.0.5:2404, interface 43, iec104"),
        ("mqtt", "topics.csv", "{folder}/topics.csv", "subscribing to 1 topics at localhost:1883"),
        ("folder", "/srv/market", "{folder}/market", "interfaces 32"),
    ],
    ids=["ocpp", "tcp", "mqtt", "folder"],
)
def test_the_commands_of_the_readme_start_and_end(name, text, here, says, tmp_path):
    """With ports and folders of the test instead of those in the text, and Kafka away."""
    (tmp_path / "market" / "32").mkdir(parents=True)
    (tmp_path / "topics.csv").write_text("topic,interface,source\nhems/+/energy,6,{2}\n")
    command = re.search(rf"`python -m streams\.taps\.{name} (.*?)`", README.read_text("utf-8"))[1]
    assert text in command
    arguments = command.replace(text, here.format(folder=tmp_path)).split()
    with Tap(name, *arguments, kafka=NOBODY, prefix="", home=tmp_path / "home") as tap:
        tap.wait_for(says)
        assert tap.stop() == 0


@pytest.mark.parametrize("name", TAPS)
def test_every_option_can_be_set_by_a_variable_and_both_stand_in_the_table(name):
    module = import_module(f"streams.taps.{name}")
    listed = dict(re.findall(r"``(--[\w-]+|DIR)``[^|\n]*\| ``(TWIN_\w+)``", module.__doc__))
    listed |= {"--key": "TWIN_OCPP_KEY"} if name == "ocpp" else {}
    parameters = [each for each in module.main.params if not (isinstance(each, click.Option) and each.hidden)]
    assert {each.metavar or each.opts[0]: each.envvar for each in parameters} == listed


def test_the_measurement_of_the_ocpp_tap_prints_what_the_tap_adds(tmp_path):
    """How much it is, depends on the machine; that it can be measured does not."""
    command = [sys.executable, "-W", "ignore", "-m", "streams.taps.bench"]
    done = subprocess.run(
        [*command, "--stations", "10", "--calls-per-s", "250", "--seconds", "1"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "TWIN_KAFKA"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "10 stations, 25 calls each way" in done.stdout
    assert re.search(r"added by the tap( +-?\d+\.\d\d){3}", done.stdout)


def test_the_unit_in_the_readme_starts_a_tap_with_options_that_it_knows():
    (unit,) = re.findall(r"```ini\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (module,) = re.findall(r"^ExecStart=\S+/python -P -m (\S+)$", unit, re.MULTILINE)
    lines = re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)
    told = dict(word.split("=", 1) for line in lines for word in line.split())
    tap = import_module(module)
    known = {option.envvar: option for option in tap.main.params}
    assert told.keys() - {"TWIN_HOME"} <= known.keys()
    context = click.Context(tap.main)
    for name in told.keys() - {"TWIN_HOME"}:
        assert known[name].type_cast_value(context, told[name])
    assert {option.envvar for option in tap.main.params if option.required} <= told.keys()
