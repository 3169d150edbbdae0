"""The page of all commands, printed from the commands: ``python -m cli.reference`` writes it anew."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from cli.main import main

PAGE = "docs/cli.md"
_WIDTH = 100

Words = tuple[str, ...]


def paths() -> Iterator[Words]:
    """Every command as the words that call it, ``("twin", "quarantine", "list")`` among them."""
    yield from _below(("twin",), main)


def command_of(path: Words) -> click.Command:
    """The command that words call."""
    found: click.Command = main
    for word in path[1:]:
        inner = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        if inner is None:
            raise LookupError(f"there is no command {' '.join(path)}")
        found = inner
    return found


def examples(path: Words) -> list[str]:
    """The examples in a command's help."""
    return re.findall(r"^ *Example: (.+)$", command_of(path).help or "", re.MULTILINE)


def words(line: str) -> list[str]:
    """A line as the shell cuts it, without where its output goes."""
    return shlex.split(line.partition(" > ")[0])


def parse(arguments: list[str]) -> None:
    """Let the commands read arguments without running them; whether files are there is not asked.

    Raises:
        click.UsageError: a command would not take them.
    """
    context = main.make_context("twin", list(arguments), resilient_parsing=False)
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]  # noqa: SLF001 -- click's own way from group to command
        _, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(command.name, _with_files(command, rest), parent=context)


def page() -> str:
    """The whole page."""
    parts = ["# The command `twin`", "Printed from the commands by `python -m cli.reference`; a test holds it current."]
    for path in paths():
        title = " ".join(path)
        parts.append(f"{'#' * min(len(path) + 1, 3)} {title}" if len(path) > 1 else "")
        parts.append(f"```text\n{_help_of(path)}\n```")
    return "\n\n".join(part for part in parts if part) + "\n"


def _help_of(path: Words) -> str:
    context: click.Context | None = None
    for depth in range(1, len(path) + 1):
        command = command_of(path[:depth])
        settings = {**command.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
        context = click.Context(command, parent=context, info_name=path[depth - 1], **settings)
    assert context is not None
    text: str = context.command.get_help(context)
    return text


def _below(path: Words, command: click.Command) -> Iterator[Words]:
    yield path
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from _below((*path, name), inner)


def _with_files(command: click.Command, arguments: list[str]) -> list[str]:
    """Arguments whose files are there: of a command that reads files, each name of one stands for this module."""
    if not any(isinstance(entry.type, click.Path) and entry.type.exists for entry in command.params):
        return arguments
    return [__file__ if "/" in word or "." in word else word for word in arguments]


if __name__ == "__main__":
    file = Path(__file__).parent.parent / PAGE
    file.parent.mkdir(exist_ok=True)
    file.write_text(page(), "utf-8")
