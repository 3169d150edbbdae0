"""A replay from the messages of the archive: decoded again from their bytes, observed and merged as the worker does.

For when a decoder or an observer has changed. Decoders remember conversations, so messages of one source on one
interface are read in the order of their log's time stamps; :mod:`replay.shares` lays them out so.
"""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain

from replay import from_facts
from replay.filtered import event_of
from replay.load import TableWriter
from replay.reading import Window
from replay.shares import shares
from schemas.event import Event
from schemas.facts import Facts, Observation
from schemas.interfaces import by_topic
from schemas.rows import position_of
from schemas.time import format_time
from streams import memory, sink
from streams.archive.layout import Archive
from streams.archive.observing import observe_whole
from streams.reader import Conversations, Rejected, read_again
from twin.merge.batch import Batch, Names

_BATCH_FACTS = 160_000
"""Facts that are merged in one go; fewer where a part of a share has fewer."""

_READ_ROWS = 1_000
"""Messages that are objects of Python at a time."""


def run(
    archive: Archive, url: str, window: Window, into: str, on_progress: Callable[[int, int], None]
) -> tuple[int, dict[str, int]]:
    """Write the rows of a stretch of time into a fresh schema; see :func:`replay.from_facts.run`.

    Twins start as the archived facts leave them at the window's start.
    """
    from_facts.run(archive, url, window, into, _quiet, ("observations",), observed_before_us=window.start_us)
    with ExitStack() as stack:
        all_shares = stack.enter_context(shares(archive, window))
        done, total = 0, all_shares.messages
        on_progress(done, total)
        writers = {name: stack.enter_context(TableWriter(url, into, name)) for name in from_facts.TABLES}
        work = _Work(window, writers)
        for share in all_shares:
            work.begin(goes_on=share.goes_on)
            for part in share.parts:
                for row in chain.from_iterable(rows.to_pylist() for rows in part.to_batches(_READ_ROWS)):
                    work.take(event_of(row))
                    if work.facts >= _BATCH_FACTS:
                        work.write()
                work.write()
                done += part.num_rows
                on_progress(done, total)
    return total, {name: writer.rows for name, writer in writers.items()}


class _Work:
    """Messages on their way to rows."""

    def __init__(self, window: Window, writers: dict[str, TableWriter]) -> None:
        self._window, self._writers = window, writers
        self._latest: dict[str, tuple[int, str, int]] = {}
        self.begin(goes_on=False)

    @property
    def facts(self) -> int:
        """How many are gathered and not yet written."""
        return sum(self._batch.closed())

    def begin(self, *, goes_on: bool) -> None:
        """A share begins: who speaks in it is hardly met in another one."""
        if not goes_on:
            self._conversations = Conversations()
        self._names = Names()
        self._batch = Batch(self._names)

    def take(self, kept: Event) -> None:
        """Decode a message again; what it says of the day goes into the batch."""
        position = position_of(by_topic(kept.topic).topic_number, kept.partition, kept.offset)
        for outcome in read_again(kept, self._conversations):
            if isinstance(outcome, Rejected):
                continue
            said = Facts()
            observe_whole(outcome, said)
            self._keep(said)
            self._batch.close_event(outcome.id, position)
            time_us = outcome.time_us
            if time_us is not None and self._window.start_us <= time_us < self._window.end_us:
                latest = (time_us, outcome.id, position)
                self._latest[outcome.interface] = max(latest, self._latest.get(outcome.interface, latest))

    def _keep(self, said: Facts) -> None:
        facts, window = self._batch.facts, self._window
        first_us, last_us = window.of("readings")
        start_us, end_us = window
        facts.readings += [fact for fact in said.readings if first_us <= fact.time_us < last_us]
        facts.observations += [fact for fact in said.observations if start_us <= fact.time_us < end_us]
        facts.samples += [fact for fact in said.samples if start_us <= fact.time_us < end_us]
        facts.slot_values += [fact for fact in said.slot_values if start_us <= fact.slot_us < end_us]

    def write(self) -> None:
        """Hand the batch's rows to the writers."""
        for interface, (time_us, event_id, position) in self._latest.items():
            self._batch.facts.observations.append(
                Observation(f"interface:{interface}", "last_message", format_time(time_us), "", time_us)
            )
            self._batch.close_event(event_id, position)
        self._latest.clear()
        merged = self._batch.merge()
        for table, data in sink.staged(merged, []):
            if data:
                self._writers[table.name].put(data, new=False)
        self._names.written.add(merged)
        self._batch = Batch(self._names)
        del merged
        memory.give_back()


def _quiet(_done: int, _of: int) -> None:
    return
