"""A day of the street as events and as Kafka records, for laws and for workers: every format the scenario writes."""

import tempfile
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

from replay.scenario import write_day
from schemas.event import to_record
from schemas.interfaces import by_topic
from schemas.interfaces import interface as interface_of
from streams.projector import OpenBatch
from streams.reader import read
from twin.merge.batch import Names
from twin.merge.projection import Projection

PARTITIONS = 3


class StoredRecord(NamedTuple):
    """A record as it lies in the log."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes


@cache
def events_of_day(day, sites=2, interval_s=900):
    """Every event of a day; of the heartbeats, which are many and say the same, one in twenty."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_day(day, Path(folder), sites=sites, sml_interval_s=interval_s, ocpp_interval_s=interval_s).files
        events = [event for file in files for event in read(file, file.parent.name.lstrip("0"))]
    return [event for number, event in enumerate(events) if "Heartbeat" not in event.type or number % 20 == 0]


def stored(events):
    """The events as records, each in the partition of its actor, offsets counted from 0."""
    ends = defaultdict(int)
    records = []
    for event in events:
        topic = interface_of(event.interface).topic
        partition = sum(event.actor.encode()) % PARTITIONS
        recorded_ms = (event.log_time_us or event.time_us or 0) // 1000
        records.append(StoredRecord(topic, partition, ends[topic, partition], recorded_ms, to_record(event)[1]))
        ends[topic, partition] += 1
    return records


def batch_of(records, names):
    """A batch as a worker makes it."""
    batch = OpenBatch(names, lambda topic: by_topic(topic).topic_number)
    for record in records:
        batch.absorb(record.topic, record.partition, [record], record.offset)
    return batch


def projection_of(*batches):
    """All tables, from batches of records in this order, by one worker."""
    projection, names = Projection(), Names()
    for records in batches:
        projection.apply(batch_of(records, names).merge())
    return projection
