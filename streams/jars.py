"""Jars by their Maven names, through jgo, and the folder where what was made of them is kept."""

import os
from pathlib import Path

from streams.alone import alone


def cache_folder() -> Path:
    """What is kept for all stacks of a user: ``TWIN_CACHE``, else ``~/.cache/gegenstrom``."""
    return Path(os.environ.get("TWIN_CACHE") or Path.home() / ".cache" / "gegenstrom")


def built(endpoint: str) -> Path:
    """The folder in which jgo has put the jars of an endpoint (``group:artifact:version``, joined by ``+``).

    Raises:
        Exception: whatever jgo's parts raise when Maven Central does not answer or nothing can be kept.
    """
    import jgo  # noqa: PLC0415 -- slow to import, and needed once per machine
    from jgo.constants import default_jgo_cache  # noqa: PLC0415

    with alone(default_jgo_cache()):  # jgo itself takes what another process has half written for whole
        return Path(jgo.build(endpoint).path)
