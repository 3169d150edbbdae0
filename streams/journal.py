"""What a process writes to its log: a line each, our own news, and of the libraries only what is wrong."""

import logging.config
from typing import Any

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "streams": {"level": "INFO"},
        "replay": {"level": "INFO"},
        "aiokafka": {"level": "ERROR"},  # it warns of every rebalance
    },
}
"""For :func:`logging.config.dictConfig`, and for Faust, which configures logging itself."""


def begin() -> None:
    """Log to standard error from now on."""
    logging.config.dictConfig(LOGGING)
