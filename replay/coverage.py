"""The page docs/coverage.md: what is read on each interface, what it moves and feeds, and whether it is proven."""

from collections.abc import Collection
from typing import Final

from replay.fuzz.seeds import formats
from schemas.interfaces import INTERFACES, Interface, format_of
from streams.taps.ocpp import is_spoken
from streams.taps.tcp import stream_formats

WORKS: Final = "works"
BYTES: Final = "accepted as bytes"

HEAD: Final = """\
# What is read on which interface

Written by `make docs`; `tests/replay/test_coverage.py` keeps it current.

**works**: `tests/replay/test_every_interface.py` sends messages of every format named in the row through a real Kafka,
a real worker and a real database, and finds in the tables what they say.
**accepted as bytes**: kept in the log as they came, without meaning until there is a decoder; a replay then decodes.

The street is the scenario of `replay/scenario`: where it speaks, whole days are held against what really happened
(`tests/replay/test_road.py`). Samples are messages that others captured, in `../shared/samples`, read by tests.
Ways in: a file (`twin ingest`), a POST (`/interfaces/{number}/messages`), MQTT (topics by a table), a watched folder;
where stations speak OCPP, the tap between them and their backend; where a format is a stream of octets, the TCP tap.

| | between | formats | state | moves | feeds | ways in | street | samples |
|---|---|---|---|---|---|---|---|---|
"""

EVERYWHERE: Final = ("file", "POST", "MQTT", "folder")
"""Ways that ask of an interface only that it is in the catalogue."""

SAMPLES: Final = {
    "eebus": "eebus",
    "entsoe": "entsoe",
    "han_json": "smgw",
    "iec104": "iec104",
    "iso15118": "iso15118",
    "mbus": "mbus",
    "ocmf": "ocmf",
    "ocpi": "ocpi",
    "ocpp": "ocpp",
    "sml": "sml",
    "taf7": "smgw",
}
"""By format: the folder of samples that its tests read."""


def page(street: Collection[str]) -> str:
    """The page; ``street`` are the interfaces on which the scenario speaks."""
    rows = "".join(_row(entry, number in street) for number, entry in INTERFACES.items())
    proven = sum(bool(entry.formats) for entry in INTERFACES.values())
    tail = f"\n{proven} of {len(INTERFACES)} interfaces are decoded, in {len(formats())} formats.\n"
    return HEAD + rows + tail


def ways_in(number: str) -> tuple[str, ...]:
    """The ways by which messages of an interface come in."""
    octets = stream_formats(number)
    taps = ("OCPP tap",) * is_spoken(number) + (f"TCP tap ({', '.join(octets)})",) * bool(octets)
    return EVERYWHERE + taps


def _row(entry: Interface, is_spoken: bool) -> str:
    read = ", ".join(f"{name} ({format_of(name).title.replace('|', '/')})" for name in entry.formats)
    samples = ", ".join(sorted({SAMPLES[name] for name in entry.formats if name in SAMPLES}))
    cells = (
        entry.number,
        entry.endpoints_en,
        read,
        WORKS if entry.formats else BYTES,
        entry.moves,
        entry.feeds,
        ", ".join(ways_in(entry.number)),
        "yes" if is_spoken else "",
        samples,
    )
    return "| " + " | ".join(cells) + " |\n"
