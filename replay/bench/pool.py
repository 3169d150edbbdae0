"""Records of the street to send again and again: each round five minutes later, under new ids.

Five minutes of 10,000 sites are decoded once, as a gateway does. What a round changes lies at known places of a value:
its id, the times in microseconds and in ISO 8601. The raw bytes and their checksum stay those of the first round.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from replay.scenario import NO_FAULTS, Setting, messages
from schemas.interfaces import QUARANTINE_TOPIC, format_of, interface, recognise
from schemas.time import MINUTE_US, format_time, parse_time
from schemas.wire.contract import Frame, WireFormat
from streams.reader import Conversations, Rejected, decode
from streams.records import event_record

DAY: Final = date(2026, 3, 29)
SITES: Final = 10_000
ROUND_US: Final = 5 * MINUTE_US

_ID_DIGITS: Final = 6
_ID_AT: Final = len('{"id":"')
_TIMES: Final = re.compile(rb'"[\w:.]*_us":(\d{16})|"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"')


class Template(NamedTuple):
    """A record with the places that a round changes.

    ``parts`` are what stands between the times of ``value``, ``times`` the times and whether each is ISO 8601.
    """

    topic: str
    key: bytes
    identity: bytes
    parts: tuple[bytes, ...]
    times: tuple[tuple[int, bool], ...]
    headers: tuple[tuple[str, bytes], ...]
    time_us: int | None


class Made(NamedTuple):
    """A record of a round."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def templates(sites: int = SITES) -> list[Template]:
    """The records of the second five minutes of a day: after everybody has introduced himself."""
    formats: dict[str, WireFormat] = {}
    conversations = Conversations(1_000_000)
    found: list[Template] = []
    start_us: int | None = None
    for message in messages(DAY, Setting(sites, faults=NO_FAULTS)):
        start_us = message.time_us if start_us is None else start_us
        if message.time_us >= start_us + 2 * ROUND_US:
            break
        if message.interface not in formats:
            known = recognise(message.interface, message.raw, "")
            formats[message.interface] = known or format_of(interface(message.interface).formats[0])
        frame = Frame(message.raw, 0, message.time_us, message.source, message.context)
        conversation = conversations.of(message.interface, message.source)
        outcome = decode(frame, formats[message.interface], message.interface, message.source, conversation)
        if message.time_us < start_us + ROUND_US:
            continue
        record = outcome if isinstance(outcome, Rejected) else event_record(outcome)
        if not isinstance(record, Rejected) and record.topic != QUARANTINE_TOPIC:
            found.append(_template(record.topic, record.key, record.value, record.headers))
    return found


def _template(topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> Template:
    parts, times, at = [], [], _ID_AT + _ID_DIGITS
    for match in _TIMES.finditer(value):
        number = 1 if match[1] else 2
        times.append((int(match[1]), False) if match[1] else (parse_time(match[2].decode()), True))
        parts.append(value[at : match.start(number)])
        at = match.end(number)
    parts.append(value[at:])
    fixed = tuple((name, data) for name, data in headers if name not in {"ce_id", "ce_time"})
    said = dict(headers).get("ce_time")
    identity = value[_ID_AT : _ID_AT + 32]
    return Template(
        topic, key, identity, tuple(parts), tuple(times), fixed, parse_time(said.decode()) if said else None
    )


def round_of(known: list[Template], number: int) -> Iterator[Made]:
    """The records of a round; no two rounds share an id."""
    shift_us = number * ROUND_US
    mark = b"%06x" % number
    stamps: dict[int, bytes] = {}

    def iso(time_us: int) -> bytes:
        if time_us not in stamps:
            stamps[time_us] = format_time(time_us + shift_us).encode()
        return stamps[time_us]

    for topic, key, identity, parts, times, headers, time_us in known:
        pieces = [b'{"id":"', mark, parts[0]]
        for (moment_us, is_iso), part in zip(times, parts[1:], strict=True):
            pieces += (iso(moment_us) if is_iso else b"%d" % (moment_us + shift_us), part)
        said = [*headers, ("ce_id", mark + identity[_ID_DIGITS:])]
        if time_us is not None:
            said.append(("ce_time", iso(time_us)))
        yield Made(topic, key, b"".join(pieces), said)
