"""``python -m replay.bench.decoders``: messages a second and core of each decoder, and of a bare library beside it.

Every format of the catalogue reads its good messages (:mod:`replay.fuzz.seeds`) again and again: cut, decoded, made
into events, as a gateway does, each file as a conversation of its own. Beside it stands the parse of the same messages
by the library made for them, which says nothing of what they mean.

What counts is processor time, that of the Java process with the EXI codec included: the figures are those of one core.
"""

import argparse
import csv
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson
import psutil
from defusedxml import ElementTree
from ocpp import messages as ocpp_messages
from pydifact.parser import Parser
from pydifact.tokenizer import Tokenizer
from rich.console import Console
from rich.table import Table

from replay.fuzz.seeds import Seed, formats, seeds_of
from schemas.event import Event
from schemas.interfaces import format_of
from schemas.wire.contract import Frame
from schemas.wire.iso15118.framing import HEAD_BYTES
from streams.exi import codec
from streams.reader import Conversations, decode

DECODER_S: Final = 1.0
LIBRARY_S: Final = 0.5
WARM_UP_S: Final = 0.2
JAVA_WARM_UP_S: Final = 5.0
"""Java compiles what it runs often, and is warm once it has."""

OURS_ALONE: Final = "none beside ours"
NOT_HERE: Final = "none that runs here"


class Library(NamedTuple):
    """A library that reads a message of a format by itself; ``reads`` tells the files whose messages it can read."""

    name: str
    parse: Callable[[Event], object]
    reads: Callable[[bytes], bool] = lambda _: True


def measure(name: str, scale: float = 1.0) -> dict[str, Any]:
    """The figures of one format.

    ``messages`` and ``message_bytes`` tell how many messages are read, and how long they are on average;
    ``messages_per_s`` how fast. ``of_library`` is that over ``library_messages_per_s``; both are None, and
    ``library`` says why, where no library reads them.
    """
    library, reason = LIBRARIES.get(name), WITHOUT.get(name, OURS_ALONE)
    files = [seed for seed in seeds_of(name) if library is None or library.reads(seed.content)]
    if not files:  # without Java there is no EXI
        library, reason, files = None, NOT_HERE, list(seeds_of(name))
    events = list(_events(name, files))
    warm_up_s = scale * (WARM_UP_S if codec().process_id is None else JAVA_WARM_UP_S)
    ours = _rate(lambda: sum(1 for _ in _events(name, files)), scale * DECODER_S, warm_up_s)
    theirs = library and _rate(lambda: _parsed(library, events), scale * LIBRARY_S, scale * WARM_UP_S)
    codec().close()
    return {
        "messages": len(events),
        "message_bytes": sum(len(event.raw) for event in events) // len(events),
        "messages_per_s": round(ours),
        "library": library.name if library else reason,
        "library_messages_per_s": theirs and round(theirs),
        "of_library": theirs and round(ours / theirs, 3),
    }


def _events(name: str, files: Sequence[Seed]) -> Iterator[Event]:
    wire_format = format_of(name)
    for interface, content in files:
        conversation = Conversations().of(interface, "bench")
        for frame in wire_format.split(io.BytesIO(content)):
            assert isinstance(frame, Frame)
            event = decode(frame, wire_format, interface, "bench", conversation)
            assert isinstance(event, Event)
            yield event


def _parsed(library: Library, events: Sequence[Event]) -> int:
    for event in events:
        library.parse(event)
    return len(events)


def _rate(work: Callable[[], int], seconds: float, warm_up_s: float) -> float:
    """Messages a second of processor time; ``work`` does some and says how many."""
    _repeated(work, warm_up_s)
    messages, spent_s = _repeated(work, seconds)
    return messages / spent_s


def _repeated(work: Callable[[], int], seconds: float) -> tuple[int, float]:
    """Messages, and the processor time they took: at least so long, at least once."""
    messages, began_s = 0, _processor_s()
    while True:
        messages += work()
        spent_s = _processor_s() - began_s
        if spent_s >= seconds:
            return messages, spent_s


def _processor_s() -> float:
    """Processor time of this process and of the one with the EXI codec."""
    java = codec().process_id
    return time.process_time() + (sum(psutil.Process(java).cpu_times()[:2]) if java else 0.0)


def _with_ocpp(event: Event) -> object:
    """As its ``validate_payload`` does, in this thread; a result whose call was not heard is of no known schema."""
    message, said = ocpp_messages.unpack(event.raw), event.payload
    if "context_missing" not in said:
        ocpp_messages.get_validator(said["rpc"], said["action"], said["version"]).validate(message.payload)
    return message


def _with_pydifact(event: Event) -> object:
    return list(Parser().convert_tokens_to_raw_segments(Tokenizer().get_tokens(event.raw.decode("iso8859-1"))))


def _with_codec(event: Event) -> object:
    """Discovery (SDP) stands behind the same head, and is no EXI."""
    schema = event.payload.get("schema")
    return schema and codec().decode(event.raw[HEAD_BYTES:], schema)


def _with_csv(event: Event) -> object:
    return next(csv.reader([event.raw.decode()]))


def _is_json(content: bytes) -> bool:
    return content[:1] in {b"{", b"["}


_ORJSON: Final = Library("orjson", lambda event: orjson.loads(event.raw))
_XML: Final = Library("defusedxml", lambda event: ElementTree.fromstring(event.raw))

LIBRARIES: Final[dict[str, Library]] = {
    "aggregator": _ORJSON._replace(reads=_is_json),
    "eebus": _ORJSON,
    "entsoe": _XML,
    "han_json": _ORJSON,
    "iec61851": Library("csv", _with_csv, lambda content: not _is_json(content)),
    "iso15118": Library("EXI codec", _with_codec, lambda content: not _is_json(content)),
    "master_data": Library("csv", _with_csv),
    "mscons": Library("pydifact", _with_pydifact),
    "ocpi": _ORJSON,
    "ocpp": Library("ocpp", _with_ocpp),
    "taf7": _XML,
    "tariff": _ORJSON,
}
"""By format."""

WITHOUT: Final = {
    "control": "none: a request of HTTP, mostly its path",
    "iec104": "none: c104 is GPL",
    "mbus": "none that is kept up",
    "modbus": "none: pysunspec2 reads from a device",
    "ocmf": "none: a text around JSON",
    "sml": "none: smllib is GPL",
}
"""By format: why there is none."""


def measure_all(scale: float = 1.0, only: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """The figures by format."""
    return {name: measure(name, scale) for name in only or formats()}


def table(measured: dict[str, dict[str, Any]]) -> Table:
    """The figures as people read them."""
    made = Table(title="decoders, messages a second and core", title_justify="left", box=None, padding=(0, 2, 0, 0))
    made.add_column("format")
    for head in ("bytes", "decoded", "parsed by the library", "ratio"):
        made.add_column(head, justify="right")
    made.add_column("library")
    for name, found in measured.items():
        theirs, ratio = found["library_messages_per_s"], found["of_library"]
        parsed = ("", "") if theirs is None else (f"{theirs:,}", f"{ratio:.2f}")
        made.add_row(name, f"{found['message_bytes']:,}", f"{found['messages_per_s']:,}", *parsed, found["library"])
    return made


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m replay.bench.decoders", description=__doc__)
    parser.add_argument("--scale", type=float, default=float(os.environ.get("BENCH_SCALE") or 1.0))
    parser.add_argument("--only", action="append", choices=formats(), help="this format; may be given several times")
    chosen = parser.parse_args()
    Console(highlight=False).print(table(measure_all(chosen.scale, chosen.only or ())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
