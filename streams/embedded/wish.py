"""What the user asked for last: written by ``twin up``, read by the supervisor at its start and at SIGHUP."""

import json
from pathlib import Path
from typing import NamedTuple, Self

_FILE = "wanted.json"


class Wish(NamedTuple):
    """How many workers, and which parts (all, if empty)."""

    workers: int = 1
    only: tuple[str, ...] = ()

    @classmethod
    def read(cls, home: Path) -> Self:
        """The wish of a home folder; one worker and all parts where nothing was asked for."""
        try:
            text = (home / _FILE).read_text("utf-8")
            return cls.from_json(json.loads(text))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    @classmethod
    def from_json(cls, data: dict[str, object]) -> Self:
        """Back from :meth:`to_json`."""
        workers, only = data["workers"], data["only"]
        if not isinstance(workers, int) or not isinstance(only, list):
            raise TypeError("not a wish")
        return cls(workers, tuple(only))

    def to_json(self) -> dict[str, object]:
        """As it stands in the file and in ``stack.json``."""
        return {"workers": self.workers, "only": list(self.only)}

    def write(self, home: Path) -> None:
        """Make it the wish of a home folder.

        Raises:
            OSError: the folder cannot be written.
        """
        fresh = home / f"{_FILE}.new"
        fresh.write_text(json.dumps(self.to_json()), "utf-8")
        fresh.replace(home / _FILE)
