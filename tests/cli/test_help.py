"""Every command explains itself; the command starts fast; its page is current."""

import re
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from cli import reference
from cli.main import COMMANDS, main

NAMES = {
    *("up", "down", "status", "decode", "ingest", "show", "actors", "events", "slots", "archive", "replay"),
    *("compare", "quarantine", "migrate", "sql"),
}


def test_every_command_of_the_road_is_there():
    assert set(main.list_commands(None)) >= NAMES
    assert set(main.get_command(None, "quarantine").commands) == {"list", "show", "resubmit", "dismiss"}


def test_the_list_of_commands_is_the_commands():
    listed = {name for section in COMMANDS.values() for name in section}
    assert {name: main.get_command(None, name).name for name in listed} == {name: name for name in listed}


@pytest.mark.parametrize("path", list(reference.paths()), ids=" ".join)
def test_every_command_has_help_with_an_example(bare, path):
    shown = bare(*path[1:], "--help")
    assert shown.exit_code == 0
    examples = re.findall(r"Example: (twin [^\n]+)", shown.stdout)
    assert examples
    assert any(f"{' '.join(path)} " in f"{example} " for example in examples) or len(path) == 1


@pytest.mark.parametrize("path", list(reference.paths()), ids=" ".join)
def test_every_example_is_a_line_the_command_takes(path):
    for example in reference.examples(path):
        for line in re.split(r" && |\| ", example):
            words = reference.words(line)
            if words[0] == "twin":
                reference.parse(words[1:])


def test_an_example_with_a_wrong_option_would_be_noticed():
    with pytest.raises(click.UsageError):
        reference.parse(["decode", "file", "--interfaze", "4"])


def test_the_page_of_the_commands_is_current():
    page = Path(__file__).parents[2] / reference.PAGE
    assert page.read_text("utf-8") == reference.page(), "python -m cli.reference writes it anew"


def test_help_comes_at_once_because_nothing_is_imported_for_it():
    code = "import sys; from cli.main import main\ntry: main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    started_s = time.perf_counter()
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    elapsed_s = time.perf_counter() - started_s
    assert "'click'" in shown.stdout
    for heavy in ("pyarrow", "numpy", "psycopg", "kafka", "rich", "faust"):
        assert f"'{heavy}'" not in shown.stdout
    assert elapsed_s < 2, "0.1 s on a machine that does nothing else"


def test_no_command_lists_the_commands(bare):
    assert "quarantine" in bare().output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bogus"], "twin: No such command 'bogus'; see `twin --help`\n"),
        (["--bogus"], "twin: No such option: --bogus; see `twin --help`\n"),
        (["show"], "twin: Missing argument 'ACTOR'; see `twin show --help`\n"),
        (["slots", "P", "29.3.2026"], "'29.3.2026' is not a day such as 2026-03-29; see `twin slots --help`\n"),
        (["show", "A", "--at", "noon"], "'noon' is no time such as 2026-03-29T14:15:00Z"),
        (["show", "A", "--at", "2026-03-29T14:15:00"], "no time zone; give one, for example a trailing Z"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_exit_code_2(bare, arguments, sentence):
    refused = bare(*arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert sentence in refused.stderr
    assert refused.stderr.count("\n") == 1
