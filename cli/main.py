"""The command ``twin``: its groups, and how errors look."""

import sys

import click
import psycopg

from cli import database, decode, ingest, quarantine, stack
from streams.settings import SettingsError, StackNotRunning

EXIT_TROUBLE = 1
EXIT_USAGE = 2


class Sentences(click.Group):
    """Errors are one plain sentence; ``--debug`` shows where they come from."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command and turn trouble into a sentence."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, SystemExit):
            raise
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(130)
        except Exception as problem:
            if ctx.params.get("debug"):
                raise
            click.echo(f"twin: {_sentence(problem)}", err=True)
            ctx.exit(EXIT_TROUBLE)


def _sentence(problem: Exception) -> str:
    if isinstance(problem, (StackNotRunning, SettingsError)):
        return str(problem)
    if isinstance(problem, psycopg.OperationalError):
        return f"the database does not answer ({_first_line(problem)}); `twin status` says what runs"
    if isinstance(problem, FileNotFoundError):
        return f"there is no file {problem.filename}"
    return _first_line(problem) or type(problem).__name__


def _first_line(problem: Exception) -> str:
    return str(problem).strip().partition("\n")[0]


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.version_option(package_name="gegenstrom", prog_name="twin")
def main(debug: bool) -> None:
    """Gegenstrom: the event-sourced digital twin of bidirectional charging.

    Example: twin up && twin ingest street/04 --interface 4 && twin status
    """


for command in (
    stack.up,
    stack.down,
    stack.status,
    decode.decode,
    ingest.ingest,
    quarantine.quarantine,
    database.migrate,
    database.sql,
):
    main.add_command(command)


if __name__ == "__main__":
    sys.exit(main())
