"""The database: numbered SQL files, applied in order by :mod:`streams.migrate`.

Files named ``*.timescale.sql`` are applied where the extension TimescaleDB is present, and only there; files named
``*.live.*`` only in the schema into which workers write, not in those of replays.
"""

from importlib.resources import files


def migrations() -> list[tuple[str, str]]:
    """Name and text of every SQL file, in the order in which they are applied."""
    folder = files("schemas.sql")
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return [(entry.name, entry.read_text("utf-8")) for entry in sorted(found, key=lambda entry: entry.name)]
