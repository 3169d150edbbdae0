"""The README is run as a stranger would: its commands in order, in a fresh folder, on a stack of its own.

The output that it shows is what the commands say; figures differ from machine to machine and are not compared.
``make docs`` writes the output anew.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"(?<=```console\n)(.*?)(?=```\n)", re.DOTALL)
TOO_LONG = ("make test", "make torture", "make bench")
"""Shown to make only, which says what it would do: the tests cannot run themselves."""

WIDTH = 160


def commands_of(text):
    """Every command with the output shown below it."""
    for block in BLOCK.findall(text):
        command, shown = "", []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line[2:], []
            else:
                shown.append(line)
        yield command, shown


class Shell:
    """One bash in which commands run one after the other; what they set stays set."""

    END = "-- end of command"

    def __init__(self, folder):
        # The suite may run under make, whose own variables would make the inner one say where it is.
        ours = ("TWIN_", "MAKE", "MFLAGS")
        bare = {name: value for name, value in os.environ.items() if not name.startswith(ours) or name == "TWIN_CACHE"}
        self.bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env={**bare, "COLUMNS": str(WIDTH)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command):
        """Exit code and lines of output."""
        self.bash.stdin.write(f"{{ {command}\n}} </dev/null; code=$?; echo; echo '{self.END}' $code\n")
        self.bash.stdin.flush()
        lines = []
        for line in self.bash.stdout:
            if line.startswith(self.END):
                break
            lines.append(line.rstrip())
        while lines and not lines[-1]:
            lines.pop()
        return int(line.split()[-1]), lines

    def close(self):
        self.bash.stdin.close()
        self.bash.wait(60)
        self.bash.stdout.close()


@pytest.fixture
def folder(tmp_path):
    """The repository as if it were cloned here, with what `make setup` made there."""
    current = subprocess.run(["make", "-q", ".venv/.ready"], cwd=ROOT, check=False).returncode == 0
    assert current, "requirements or project file have changed: make setup"
    for entry in ROOT.iterdir():
        if entry.name not in {".git", ".twin", "build"}:
            (tmp_path / entry.name).symlink_to(entry)
    yield tmp_path
    subprocess.run([Path(sys.executable).with_name("twin"), "down"], cwd=tmp_path, check=False, capture_output=True)
    shutil.rmtree(tmp_path / ".twin", ignore_errors=True)


def likeness(lines):
    """Lines without figures, ids and the room between words; one segment is like many."""
    ids = (re.sub(r"\b[0-9a-f]{12,32}\b", "ID", line) for line in lines)
    figures = (re.sub(r"\d[\d.,:]*", "N", line) for line in ids)
    return [re.sub(r"[\s─━]+", " ", re.sub(r"\bN ([a-z]+)s\b", r"N \1", line)).strip() for line in figures]


def test_every_command_runs_and_says_what_is_shown(folder):
    text = README.read_text("utf-8")
    shell, outputs = Shell(folder), []
    try:
        for command, shown in commands_of(text):
            if command.startswith(TOO_LONG):
                assert shell.run(f"{command} -n")[0] == 0, command
                outputs.append(shown)
                continue
            code, lines = shell.run(command)
            assert code == 0, f"{command}\n" + "\n".join(lines)
            lines = [line.replace(str(folder), "~/gegenstrom").replace(f"{ROOT}/.venv", ".venv") for line in lines]
            outputs.append(lines)
            if not os.environ.get("WRITE_DOCS"):
                assert likeness(lines) == likeness(shown), f"{command}: make docs"
    finally:
        shell.close()
    if os.environ.get("WRITE_DOCS"):
        README.write_text(with_outputs(text, outputs), "utf-8")


def with_outputs(text, outputs):
    left = iter(outputs)

    def anew(block):
        commands = [line for line in block[0].splitlines() if line.startswith("$ ")]
        return "".join("\n".join([command, *next(left)]) + "\n" for command in commands)

    return BLOCK.sub(anew, text)


def test_every_target_of_make_says_what_it_does():
    targets = re.findall(r"^([a-z]+):(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {name for name, _ in targets} >= {"help", "setup", "demo", "test", "check", "docs", "torture", "lock"}
    assert [name for name, rest in targets if "## " not in rest] == []
