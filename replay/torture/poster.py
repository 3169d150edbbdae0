"""A client of the gateway: ``python -m replay.torture.poster URL FOLDER SEED RATE``, until SIGTERM.

It posts small logs of charging stations and enters into its ledger the events of every answer 200 or 202. Where no
answer came it posts again: the same message is the same event.
"""

import json
import signal
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import FrameType

import httpx

from replay.scenario.writers.ocpp import INTERFACE
from replay.scenario.writers.ocpp_frames import line_of
from replay.torture.disorder import days
from replay.torture.ledger import Ledger

LEDGER = "poster.ledger"
REPORT = "poster.json"

_SITES = 12
_LINES = 8
_ACCEPTED = {200, 202}
_TAKEN = _ACCEPTED | {422}
"""422: all of it is in the quarantine, as safe as the rest; its ids are not told."""


class Poster:
    """Posts one log after the other until told to finish."""

    def __init__(self, url: str, folder: Path, seed: int, rate: int) -> None:
        self._url = f"{url}/interfaces/{INTERFACE}/messages"
        self._folder, self._seed, self._rate = folder, seed, rate
        self._finishing = False
        self.posted = self.unanswered = self.spooled = self.rejected = 0

    def finish(self, _number: int, _frame: FrameType | None) -> None:
        """End after the log that is being posted."""
        self._finishing = True

    def run(self) -> None:
        """Until told to finish."""
        started = time.monotonic()
        with Ledger(self._folder / LEDGER) as ledger, httpx.Client(timeout=10.0) as client:
            for body in self._logs():
                if self._finishing:
                    break
                for identity in self._post(client, body):
                    ledger.enter(identity)
                time.sleep(max(0.0, started + self.posted / self._rate - time.monotonic()))
            report = {
                "logs": self.posted,
                "acknowledged": ledger.entries,
                "rejected": self.rejected,
                "spooled_logs": self.spooled,
                "posted_again": self.unanswered,
            }
        (self._folder / REPORT).write_text(json.dumps(report))

    def _logs(self) -> Iterator[bytes]:
        told = (message for message in days(self._seed + 1, _SITES) if message.interface == INTERFACE)
        while lines := [line_of(message) for message in islice(told, _LINES)]:
            yield b"".join(lines)

    def _post(self, client: httpx.Client, body: bytes) -> list[str]:
        """The ids of the events in it, as soon as the gateway has taken them."""
        while True:
            try:
                answer = client.post(self._url, content=body, headers={"X-Source": "poster"})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code in _TAKEN:
                break
            self.unanswered += 1
            time.sleep(0.2)
        said = answer.json()
        self.posted += 1
        self.spooled += answer.status_code == 202
        self.rejected += len(said["rejected"])
        events: list[str] = said["events"]
        return events


def main() -> None:
    """Run it."""
    url, folder, seed, rate = sys.argv[1:]
    poster = Poster(url, Path(folder), int(seed), int(rate))
    signal.signal(signal.SIGTERM, poster.finish)
    poster.run()


if __name__ == "__main__":
    main()
