"""Made-up days: events with their facts, as an archiver sees them and as live writes them."""

import asyncio
from decimal import Decimal

import psycopg

from replay.reading import Window
from schemas.event import Event, event_id
from schemas.facts import INDICATIVE, MEASURED, Facts, Observation, Reading, Sample, SlotValue
from schemas.interfaces import interface as interface_of
from schemas.rows import position_of
from schemas.time import HOUR_US, MINUTE_US, SLOT_US, format_time
from streams import sink
from streams.archive.layout import Range
from streams.archive.segment import write_segment
from twin.merge.batch import Batch, Names

TOPIC = interface_of("15").topic
DAY = Window(1_774_738_800_000_000, 1_774_738_800_000_000 + 23 * HOUR_US)
"""2026-03-29, a day of 23 hours."""


def event(number, time_us, *, interface="15", recorded_us=None, raw=None):
    """An event whose raw bytes are its number."""
    raw = str(number).encode() if raw is None else raw
    return Event(
        event_id(interface, "made", raw, time_us),
        interface,
        "made",
        "sml.list",
        f"meter:{number % 3}",
        time_us,
        time_us,
        {"number": number},
        raw,
        {"direction": "up"},
        time_us + MINUTE_US if recorded_us is None else recorded_us,
        TOPIC,
        0,
        number,
    )


def said(number, time_us, **rest):
    """An event with its position and what it says: a bit of everything."""
    point = f"1EMH{number % 3:010}"
    facts = Facts(
        [
            Observation(f"meter:{number % 3}", "power", Decimal(number % 7) / 4, "W", time_us),
            Observation(f"meter:{number % 3}", "status", "idle" if number % 2 else None, "", time_us),
            Observation(f"meter:{number % 3}", "count", number % 5 - 2, "", time_us),
        ],
        [
            Reading(point, "device", "1-0:1.8.0", "import", time_us, number * 10, MEASURED, "", 6),
            Reading(point, "device", "1-0:2.8.0", "export", time_us, number * 3, INDICATIVE, ""),
        ],
        [Sample(f"CS{number % 2}/1", 1000 - 300 * (number % 9), time_us, INDICATIVE)],
        [
            SlotValue(
                "price", "DE-LU", time_us - time_us % SLOT_US, Decimal(number % 4) / 8, "EUR/MWh", MEASURED, "v1"
            ),
            SlotValue("energy.import", point, time_us - time_us % SLOT_US, number, "mWh", MEASURED, f"v{number % 2}"),
        ],
    )
    made = event(number, time_us, **rest)
    return made, position_of(15, 0, number), facts


def day(count=400, start_us=DAY.start_us, end_us=DAY.end_us):
    """Events spread over a stretch of time."""
    step = (end_us - start_us) // count
    return [said(number, start_us + number * step + number % 13) for number in range(count)]


def archived(archive, *segments):
    """Write segments; offsets as if each followed the one before."""
    start = archive.next_offsets().get((TOPIC, 0), 0)
    for events in segments:
        write_segment(archive, events, [Range(TOPIC, 0, start, start + len(events))])
        start += len(events)
    return archive


def live(url, schema, events):
    """Write facts as the worker does."""
    batch = Batch(Names())
    latest = {}
    for made, position, facts in events:
        for kind in ("observations", "readings", "samples", "slot_values"):
            getattr(batch.facts, kind).extend(getattr(facts, kind))
        batch.close_event(made.id, position)
        if made.time_us is not None:
            latest[made.interface] = max(latest.get(made.interface, (0,)), (made.time_us, made.id, position))
    for interface, (time_us, identity, position) in latest.items():
        seen = Observation(f"interface:{interface}", "last_message", format_time(time_us), "", time_us)
        batch.facts.observations.append(seen)
        batch.close_event(identity, position)
    merged = batch.merge()

    async def write():
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await sink.prepare(connection, schema)
            await sink.write(connection, merged, {})

    asyncio.run(write())
