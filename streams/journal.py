"""What a process writes to its log: a line each, our own news, and of the libraries only what is wrong."""

import logging
import logging.config
from typing import Any

_AGAIN_S = 60.0


class NowAndThen(logging.Filter):
    """Lets the same complaint of a library through once a minute: during an outage there are forty a second."""

    def __init__(self, own: tuple[str, ...] = ("streams", "replay")) -> None:
        super().__init__()
        self._own = own
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; our own always are."""
        if record.name.partition(".")[0] in self._own:
            return True
        # the template, not the text: the same complaint about another attempt is the same
        key = (record.name, str(record.msg)[:200])
        if record.created - self._said.get(key, 0.0) < _AGAIN_S:
            return False
        self._said[key] = record.created
        return True


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"now and then": {"()": NowAndThen}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["now and then"]}},
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
