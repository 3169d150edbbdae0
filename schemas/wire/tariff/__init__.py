"""Dynamic tariffs: a series of prices as REST JSON (interface 45).

No standard says how suppliers write them, so what they have in common is read: a list of objects with a start and a
price, however deep it lies in the answer, or two lists of equal length (``unix_seconds``, ``price``). That fits among
others the answers of aWATTar, Corrently, EWS, Rabot Charge, smartENERGY and Energy-Charts, and of Tibber and evcc where
their currency stands beside; names: :mod:`schemas.wire.tariff.reading`.

The event is about the supplier (``supplier:...``, the source where the answer names none); event time is when the
prices were issued, where that is said. The payload::

    {"supplier": "...", "tariff": "...", "malo": "...", "issued_us": ..., "unit": "EUR/kWh",
     "prices": [[from_us, until_us, price], ...]}
"""

from collections.abc import Iterator
from typing import BinaryIO

from schemas.wire.contract import Conversation, Decoded, Frame, Malformed, WireFormat
from schemas.wire.json_messages import looks_like_json, messages
from schemas.wire.strict_json import parse
from schemas.wire.tariff.reading import tariff
from schemas.wire.tariff.writing import encode_tariff, tariff_of

__all__ = ["FORMAT", "decode", "encode_tariff", "recognise", "split", "tariff_of"]


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so is JSON."""
    return looks_like_json(head)


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """One frame for a document, else one for each line."""
    return messages(stream)


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """The prices of an answer.

    Raises:
        WireError: not JSON, without prices, or with one that has no time, no unit or is no number.
    """
    payload = tariff(parse(frame.raw))
    actor = f"supplier:{payload['supplier'] or frame.source or 'unknown'}"
    time_us = frame.time_us if payload["issued_us"] is None else payload["issued_us"]
    return Decoded("tariff.prices", actor, time_us, payload)


FORMAT = WireFormat("tariff", "dynamic tariff (REST JSON)", recognise, split, decode)
