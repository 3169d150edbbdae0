"""CPU time an event at each station within a worker, measured alone on the same records."""

import gc
import time
from collections.abc import Callable
from itertools import islice
from typing import Any, Final, NamedTuple

from replay.bench.pool import Template, round_of
from schemas.event import from_record
from schemas.facts import Facts
from schemas.interfaces import by_topic
from streams import sink
from streams.projector import OpenBatch
from twin.merge.batch import Names
from twin.observe import observe

_RECORDS: Final = 50_000


class _Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes


def stations(known: list[Template]) -> dict[str, float]:
    """Microseconds an event at each station, with all names known, as in a worker that has run for a while.

    ``decode`` the record and ``observe`` the event; ``take`` it, which is both and what goes with them; ``merge``;
    ``lay_out`` the rows for the database.
    """
    records: dict[str, list[Any]] = {}
    for made in islice(round_of(known, 0), _RECORDS):
        mine = records.setdefault(made.topic, [])
        mine.append(_Record(made.topic, 0, len(mine), 0, made.value))
    names = Names()
    _merged(records, names)
    count = sum(map(len, records.values()))
    gc.disable()  # as in a worker
    try:
        events, decode_s = _timed(lambda: [_event(record) for mine in records.values() for record in mine])
        _, observe_s = _timed(lambda: _observed(events))
        batch, take_s = _timed(lambda: _taken(records, names))
        merged, merge_s = _timed(batch.merge)
        _, layout_s = _timed(lambda: list(sink.staged(merged, [])))
    finally:
        gc.enable()
    taken = {"decode": decode_s, "observe": observe_s, "take": take_s, "merge": merge_s, "lay_out": layout_s}
    return {name: round(spent / count * 1e6, 2) for name, spent in taken.items()}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def _event(record: _Record) -> Any:
    return from_record(record.value, topic=record.topic, offset=record.offset, with_raw=False)


def _observed(events: list[Any]) -> Facts:
    facts = Facts()
    for event in events:
        observe(event, facts)
    return facts


def _taken(records: dict[str, list[Any]], names: Names) -> OpenBatch:
    batch = OpenBatch(names, lambda topic: by_topic(topic).topic_number)
    for topic, mine in records.items():
        batch.absorb(topic, 0, mine, 0)
    return batch


def _merged(records: dict[str, list[Any]], names: Names) -> None:
    names.written.add(_taken(records, names).merge())
