"""The command ``twin``: its commands, each imported when it is called, and how errors look."""

import logging
import sys
from importlib import import_module
from typing import Any, NamedTuple

import click

EXIT_TROUBLE = 1
EXIT_STOPPED = 130
"""As a shell says of a program that Ctrl-C ended."""


class Entry(NamedTuple):
    """A command before it is imported: ``module:attribute``, and its line in the list."""

    where: str
    summary: str


COMMANDS: dict[str, dict[str, Entry]] = {
    "To begin with": {
        "demo": Entry("cli.demo:demo", "A day of a street along the whole road, and what came of it."),
    },
    "The stack on this machine": {
        "up": Entry("cli.stack:up", "Start Kafka, PostgreSQL, the workers, the archiver and the gateway."),
        "down": Entry("cli.stack:down", "Stop what `twin up` started; everything stored stays."),
        "status": Entry("cli.stack:status", "Say what runs, what died and how far the tables are behind."),
        "migrate": Entry("cli.database:migrate", "Bring the database to the newest version."),
        "sql": Entry("cli.database:sql", "Open psql on the right database."),
    },
    "Messages": {
        "decode": Entry("cli.decode:decode", "Say what messages or logs mean, without any server."),
        "ingest": Entry("cli.ingest:ingest", "Send field logs in their native format into Kafka."),
        "events": Entry("cli.twins:events", "List the events about an actor."),
        "quarantine": Entry("cli.quarantine:quarantine", "What could not be decoded or believed, and again."),
    },
    "Twins and quarter hours": {
        "actors": Entry("cli.twins:actors", "List the actors."),
        "show": Entry("cli.twins:show", "Show the twin of an actor, now or then."),
        "graph": Entry("cli.graph:graph", "Who belongs to a site, since when."),
        "story": Entry("cli.story:story", "All messages of a session or site in one time line."),
        "limits": Entry("cli.limits:limits", "Events under section 14a at a site, and whether limits were kept."),
        "slots": Entry("cli.slots:slots", "The quarter hours of a day at a point."),
    },
    "The past": {
        "archive": Entry("cli.archive:archive", "Seal what is in Kafka into Parquet."),
        "replay": Entry("cli.replay:replay", "Run a day again, or send it into Kafka again."),
        "compare": Entry("cli.replay:compare", "List what differs between two runs of a day."),
    },
}
"""Every command by section; a test holds the list against the commands."""

_ENTRIES = {name: entry for section in COMMANDS.values() for name, entry in section.items()}


class Twin(click.Group):
    """Commands that are imported when they are called; errors that are one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """The names, section by section."""
        return list(_ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- likewise
        """Import a command."""
        entry = _ENTRIES.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.where.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- likewise
        """The list of commands, without importing any."""
        for section, entries in COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([(name, entry.summary) for name, entry in entries.items()], col_max=12)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it raises becomes a sentence, unless ``--debug`` wants to see it."""
        debug = bool(ctx.params.get("debug"))
        _log_to_stderr(debug=debug)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            sys.exit(EXIT_STOPPED)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as problem:
            if debug:
                raise
            sentence = import_module("cli.trouble").sentence_of(problem)
            raise click.ClickException(sentence) from problem

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run ``twin``; every error is one sentence on standard error."""
        try:
            code = super().main(*args, **(extra | {"prog_name": "twin", "standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as problem:
            click.echo(problem.format_message())
            sys.exit(problem.exit_code)
        except click.UsageError as problem:
            command = "twin" if problem.ctx is None else problem.ctx.command_path
            click.echo(f"twin: {problem.format_message().rstrip('.')}; see `{command} --help`", err=True)
            sys.exit(problem.exit_code)
        except click.ClickException as problem:
            click.echo(f"twin: {problem.format_message()}", err=True)
            sys.exit(problem.exit_code)
        except click.Abort:
            click.echo("stopped", err=True)
            sys.exit(EXIT_STOPPED)
        sys.exit(code if isinstance(code, int) else 0)


def _log_to_stderr(*, debug: bool) -> None:
    """Warnings of our own as sentences; with ``--debug`` everybody's, with where they come from."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s") if debug else _Sentence("twin: %(message)s"))
    logging.basicConfig(level=logging.INFO if debug else logging.CRITICAL, handlers=[handler], force=True)
    for room in ("streams", "replay"):
        logging.getLogger(room).setLevel(logging.INFO if debug else logging.WARNING)


class _Sentence(logging.Formatter):
    """A log line without its stack trace."""

    def formatException(self, ei: Any) -> str:  # noqa: ARG002, N802 -- logging's name and signature
        """Nothing: where it comes from is shown with ``--debug``."""
        return ""


@click.group(cls=Twin, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.version_option(package_name="gegenstrom", prog_name="twin")
def main(debug: bool) -> None:
    """Gegenstrom: the event-sourced digital twin of bidirectional charging.

    Exit codes of all commands: 0 done, 1 could not be done, 2 not so called, 130 stopped with Ctrl-C; where a command
    has others, its own help says so.

    Example: twin up && twin ingest street/04 --interface 4 && twin status
    """


if __name__ == "__main__":
    main()
