"""Messages of our own making; both forms read back as the payload they were made of."""

import csv
import io
from typing import Any

import orjson

from schemas.time import SLOT_US, format_time


def encode_json(said: dict[str, Any]) -> bytes:
    """The JSON message of a payload; what lies between the first and the last value of a series is a gap."""
    head = {name: said[name] for name in ("document", "sender", "receiver") if said[name]}
    if said["created_us"] is not None:
        head["created"] = format_time(said["created_us"])
    return orjson.dumps({**head, "series": [_series(series) for series in said["series"]]})


def encode_csv(said: dict[str, Any], delimiter: str = ";") -> bytes:
    """The CSV message of a payload, one value a row; with ``;`` decimals have a comma."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=delimiter)
    writer.writerow(("start", "object", "kind", "unit", "value", "document", "created", "sender", "receiver"))
    created = "" if said["created_us"] is None else format_time(said["created_us"])
    head = (said["document"], created, said["sender"], said["receiver"])
    for series in said["series"]:
        for slot_us, value in series["values"]:
            number = format(value, "f")
            shown = number.replace(".", ",") if delimiter == ";" else number
            writer.writerow((format_time(slot_us), series["object"], series["kind"], series["unit"], shown, *head))
    return sink.getvalue().encode()


def _series(series: dict[str, Any]) -> dict[str, Any]:
    values: list[list[Any]] = series["values"]
    start_us, last_us = values[0][0], values[-1][0]
    told = dict(values)
    row = [
        None if slot_us not in told else orjson.Fragment(format(told[slot_us], "f"))
        for slot_us in range(start_us, last_us + 1, SLOT_US)
    ]
    named = {name: series[name] for name in ("kind", "object", "unit")}
    return {**named, "start": format_time(start_us), "values": row}
