"""Master data of metering locations: what stands behind a connection and who supplies it, from when until when.

What metering departments and grid operators exchange on interface 33 has no standard; this is the operator's own table,
as the point list of telecontrol is. CSV in UTF-8 with a head, a row for each metering location and period; each row is
a message.

=====================  ========================================================================================
column                 what
=====================  ========================================================================================
``valid_from``         ISO 8601 with zone; needed
``valid_until``        likewise, not included; empty: open
``melo``               the metering location; needed
``malo``               market location of what is drawn
``feed_in_malo``       market location of what is fed in
``meters``             its meters by their nameplates
``smgw``               its smart meter gateway
``nelo``               grid location: the connection behind which is limited
``resources``          controllable resources (SR-ID)
``evses``              wallboxes: ``<station>/<EVSE>``
``hems``               energy manager
``control_box``        control box
``submeters``          meters behind its own: of a wallbox, of a heat pump
``assets``             PV, batteries, heat pumps, as the energy manager reads them
``supplier``           code of the supplier of ``malo``
``balance_group``      EIC of the balance group of ``malo``
``aggregator``         who markets its flexibility
``msb``                code of the metering point operator
``loads``              controllable loads under section 14a EnWG: ``<kind>=<rating in W>``, as ``wallbox=11000``; kinds
                       are heat-pump, cooling, wallbox, battery
=====================  ========================================================================================

Columns in the plural hold several names, parted by spaces. A device that is known under several names (in OCPP and in
EEBUS) has them parted by ``=``. A column that is there and empty says that there is none; a column that is missing says
nothing.

The payload has the row's columns as lists of lists of names (the names of one device together), ``melo``,
``valid_from_us`` and ``valid_until_us``::

    {"melo": "DE00056212043...", "valid_from_us": ..., "valid_until_us": None,
     "columns": {"evses": [["GS-00000/1", "d:_n:Gegenstrom_GS-00000"]], "supplier": [["9900987654329"]], "hems": []}}
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, Final

from schemas.identifiers import parse_eic, parse_malo, parse_melo, parse_resource
from schemas.time import format_time, parse_time
from schemas.wire.contract import (
    BadSyntax,
    Conversation,
    Decoded,
    Frame,
    Malformed,
    SchemaViolation,
    TooLarge,
    WireError,
    WireFormat,
)

NEEDED: Final = ("valid_from", "melo")
LOADS: Final = "loads"
LOAD_KINDS: Final = ("heat-pump", "cooling", "wallbox", "battery")
RATING_LIMIT_W: Final = 10**6
"""No load behind a house's connection is built for a megawatt."""

SEVERAL: Final = ("meters", "resources", "evses", "submeters", "assets", LOADS)
SINGLE: Final = (
    "malo",
    "feed_in_malo",
    "smgw",
    "nelo",
    "hems",
    "control_box",
    "supplier",
    "balance_group",
    "aggregator",
    "msb",
)
COLUMNS: Final = (*NEEDED, "valid_until", *SINGLE, *SEVERAL)
LINE_LIMIT: Final = 64 * 1024
NAMES_LIMIT: Final = 1000
"""Devices in a column; no house has as many."""

_CHECKS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "malo": parse_malo,
        "feed_in_malo": parse_malo,
        "nelo": parse_resource,
        "resources": parse_resource,
        "balance_group": parse_eic,
    }
)


def recognise(head: bytes, _name: str) -> bool:
    """Whether the first line names the columns that are needed."""
    columns = head.partition(b"\n")[0].removeprefix(b"\xef\xbb\xbf").strip().split(b",")
    return set(NEEDED) <= {column.strip(b'"').decode("ascii", "replace") for column in columns}


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """A frame for each row, with the head in its context."""
    offset, head = 0, ""
    while line := stream.readline(LINE_LIMIT + 1):
        start, offset = offset, offset + len(line)
        if len(line) > LINE_LIMIT:
            yield Malformed(line, start, TooLarge(f"a row has at most {LINE_LIMIT} bytes"))
        elif not start:
            head = line.decode("utf-8-sig", "replace").strip()
        elif line.strip():
            yield Frame(line.rstrip(b"\r\n"), start, context={"head": head})


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """The payload of one row.

    Raises:
        WireError: no row of that head, or a time or identifier that is none.
    """
    try:
        text = frame.raw.decode()
    except UnicodeDecodeError as problem:
        raise BadSyntax("the row is not UTF-8", problem.start) from problem
    if "\0" in text:
        raise BadSyntax("the row holds a NUL character", frame.raw.index(b"\0"))
    columns, cells = _cells(str(frame.context.get("head", ""))), _cells(text)
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown or len(set(columns)) < len(columns):
        named = f"column {unknown[0][:40]!r} is not known" if unknown else "a column stands there twice"
        raise SchemaViolation(f"{named}; there are {', '.join(COLUMNS)}")
    if len(cells) != len(columns):
        raise BadSyntax(f"the row has {len(cells)} cells, the head {len(columns)}")
    row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
    missing = [column for column in NEEDED if not row.get(column)]
    if missing:
        raise SchemaViolation(f"the row has no {missing[0]}")
    from_us = _time(row["valid_from"], "valid_from")
    until_us = _time(row["valid_until"], "valid_until") if row.get("valid_until") else None
    if until_us is not None and until_us <= from_us:
        raise SchemaViolation("valid_until is not later than valid_from")
    melo = parse_melo(row["melo"])
    told = {column: _names(column, row[column]) for column in (*SINGLE, *SEVERAL) if column in row}
    payload = {"melo": melo, "valid_from_us": from_us, "valid_until_us": until_us, "columns": told}
    return Decoded("master_data.location", f"melo:{melo}", from_us, payload)


def encode(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A table of payloads as :func:`decode` gives them, with every column that one of them has."""
    rows = list(rows)
    there = {column for row in rows for column in row["columns"]}
    columns = [column for column in COLUMNS if column in there or column in {*NEEDED, "valid_until"}]
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        until_us = row["valid_until_us"]
        cells = {"valid_from": format_time(row["valid_from_us"]), "melo": row["melo"]}
        cells["valid_until"] = "" if until_us is None else format_time(until_us)
        cells |= {column: " ".join("=".join(names) for names in told) for column, told in row["columns"].items()}
        writer.writerow([cells.get(column, "") for column in columns])
    return sink.getvalue().encode()


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as problem:
        raise BadSyntax(f"the row is no CSV: {problem}") from problem


def _time(text: str, column: str) -> int:
    try:
        time_us = parse_time(text)
    except (ValueError, OverflowError):
        time_us = -1
    if time_us <= 0:
        raise SchemaViolation(f"{column} is {text[:40]!r}, no time such as 2026-01-01T00:00:00+01:00")
    return time_us


def _names(column: str, cell: str) -> list[list[str]]:
    """The names in a cell; those of one device together."""
    words = cell.split() if column in SEVERAL else [cell] * bool(cell)
    if len(words) > NAMES_LIMIT:
        raise TooLarge(f"{column} names more than {NAMES_LIMIT} devices")
    check = _CHECKS.get(column)
    told = [[name for name in word.split("=") if name] for word in words]
    if any(not names for names in told):
        raise SchemaViolation(f"{column} has a device without a name")
    if column == LOADS:
        return [_load(names) for names in told]
    return told if check is None else [[check(names[0])] for names in told]


def _load(names: list[str]) -> list[str]:
    kind, rating = names[0], names[1] if len(names) == 2 else ""
    is_rated = rating.isascii() and rating.isdecimal() and len(rating) <= 7 and 0 < int(rating) <= RATING_LIMIT_W
    if kind not in LOAD_KINDS or not is_rated:
        raise SchemaViolation(
            f"load {'='.join(names)[:40]!r} is not {', '.join(LOAD_KINDS)} with its rating in W, such as wallbox=11000"
        )
    return [kind, str(int(rating))]


FORMAT: Final = WireFormat("master_data", "Master data of metering locations (CSV)", recognise, split, decode)

__all__ = ["COLUMNS", "FORMAT", "WireError", "decode", "encode", "recognise", "split"]
