"""``twin migrate`` and ``twin sql``."""

import os
import shutil
import sys

import click
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from streams import migrate as migrations
from streams.embedded import postgres
from streams.settings import settings


@click.command()
def migrate() -> None:
    """Bring the database to the newest version; safe to run at any time.

    Example: twin migrate
    """
    config = settings()
    applied = migrations.migrate(config.database_url, config.schema)
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the database is up to date")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sql(arguments: tuple[str, ...]) -> None:
    """Open psql on the right database, or hand it arguments.

    The search path is the schema the workers write to. The exit code is psql's.

    Example: twin sql -c "select count(*) from edge"
    """
    config = settings()
    psql = _psql()
    options = f"{os.environ.get('PGOPTIONS', '')} -c search_path={config.schema},public".strip()
    address = conninfo_to_dict(config.database_url)
    password = address.pop("password", None)
    environment = {**os.environ, "PGOPTIONS": options}
    if password is not None:
        environment["PGPASSWORD"] = str(password)  # not as an argument: the list of processes is for everyone
    sys.stdout.flush()
    os.execve(psql, [psql, make_conninfo("", **address), *arguments], environment)  # noqa: S606 -- psql takes the terminal over


def _psql() -> str:
    """The psql of this machine, or the one that comes with the embedded PostgreSQL."""
    found = shutil.which("psql")
    if found is not None:
        return found
    try:
        return str(postgres.programs() / "psql")
    except postgres.PostgresUnavailable as problem:
        raise click.ClickException("there is no psql on this machine; install the PostgreSQL client") from problem
