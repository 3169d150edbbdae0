"""Files and interfaces as arguments of the commands that read messages."""

from pathlib import Path
from typing import Any

import click

from schemas.calendar import Zone, zone_named
from schemas.interfaces import interface as interface_of
from streams.sources import Source, find

STDIN = Path("/dev/stdin")


class _Input(click.Path):
    name = "file"

    def __init__(self) -> None:
        super().__init__(exists=True, readable=True, path_type=Path, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """A file, a folder or a pipe that is there; ``-`` is standard input."""
        return STDIN if str(value) == "-" else Path(str(super().convert(value, param, ctx)))


class NumberType(click.ParamType):
    """The number of an interface, as people write it."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The canonical number; empty where none was asked for."""
        if not value:
            return ""
        try:
            return interface_of(str(value)).number
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


class ZoneType(click.ParamType):
    """A time zone by its name."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Zone:
        """The zone."""
        try:
            return zone_named(str(value))
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


files_argument = click.argument("files", nargs=-1, required=True, type=_Input())
interface_option = click.option(
    "--interface", "number", required=True, type=NumberType(), help="Number of the interface, for example 15 or E1."
)
zone_option = click.option(
    "--zone",
    type=ZoneType(),
    help="Whose clock a log shows that gives times without a zone, such as Europe/Berlin or UTC.",
)


def sources_of(files: tuple[Path, ...]) -> list[Source]:
    """Every file to read; those of a folder in order of their names, hidden ones left out.

    Raises:
        click.ClickException: there is none.
    """
    found = [entry for file in files for entry in find(file)]
    if not found:
        raise click.ClickException(f"there is no file in {' or '.join(map(str, files))}; hidden ones are passed over")
    return found
