"""Prices of the European market as ENTSO-E publishes them (interface 46): A44 documents, and acknowledgements.

XML of IEC 62325-451-3 (``Publication_MarketDocument``) and 62325-451-1 (``Acknowledgement_MarketDocument``), in any
version of their namespaces: the names of the elements stay the same. A file is one message, or several one behind the
other.

The event is about the bidding zone (``energy-market:<EIC>``), where a document names several or none about its sender.
Event time is ``createdDateTime``. Payloads: :mod:`schemas.wire.entsoe.reading`.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from schemas.wire.contract import Conversation, Decoded, Frame, Malformed, Unsupported, WireFormat
from schemas.wire.entsoe.reading import ELEMENT_LIMIT, acknowledgement, local_name, prices
from schemas.wire.entsoe.writing import encode_prices, prices_of, series_of
from schemas.wire.xml_documents import documents, parse

__all__ = ["FORMAT", "decode", "encode_prices", "prices_of", "recognise", "series_of", "split"]

_BORDER: Final = re.compile(rb"MarketDocument\s*>\s*((?:\xef\xbb\xbf)?<\?xml\s)")
_ROOT: Final = re.compile(r"<(?:\w+:)?\w+_MarketDocument[\s>/]")


def recognise(head: bytes, _name: str) -> bool:
    """Whether a file that starts so is a market document of IEC 62325."""
    for encoding in ("utf-8", "utf-16"):
        text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
        if text.startswith("<") and _ROOT.search(text[:4096]):
            return True
    return False


def split(stream: BinaryIO) -> Iterator[Frame | Malformed]:
    """One frame per document; a document beyond the limit comes out in malformed stretches."""
    return documents(stream, _BORDER)


def decode(frame: Frame, _conversation: Conversation) -> Decoded:
    """What a document says.

    Raises:
        WireError: not well-formed, beyond the limits, against its schema, or of a kind that is not read.
    """
    root = parse(frame.raw, ELEMENT_LIMIT)
    kind = local_name(root)
    if kind == "Publication_MarketDocument":
        payload = prices(root)
        return Decoded("entsoe.prices", _market(payload), payload["created_us"], payload)
    if kind == "Acknowledgement_MarketDocument":
        payload = acknowledgement(root)
        return Decoded("entsoe.acknowledgement", _market(payload), payload["created_us"], payload)
    raise Unsupported(f"documents of kind {kind[:60]} are not read here; price publications and acknowledgements are")


def _market(payload: dict[str, Any]) -> str:
    zones = {series["domain"] for series in payload.get("series", ())}
    return f"energy-market:{zones.pop() if len(zones) == 1 else payload['sender']}"


FORMAT = WireFormat("entsoe", "ENTSO-E market documents (IEC 62325)", recognise, split, decode)
