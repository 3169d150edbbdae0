"""OCPI 2.2.1 and 2.3.0: what a charge point operator tells mobility service providers (interface E1).

Locations, sessions and charge detail records are read; other objects are kept whole under their name and say nothing.
A message is an object as it was sent, a response that holds one or a list of them, or a line of a log::

    {"time": "2026-03-29T19:00:00Z", "source": "DE*GGS", "object": {...}}

Payload of an event::

    {"object": {...}, "kind": "session", "version": "2.3.0" | "2.2.1" | "",
     "signed": [{...}]}        signed values of a charge detail record, as :mod:`schemas.wire.ocmf` explains them
"""

from schemas.wire.contract import WireFormat
from schemas.wire.ocpi.decoding import decode
from schemas.wire.ocpi.logs import recognise, split

FORMAT = WireFormat("ocpi", "OCPI 2.2.1 and 2.3.0 objects (JSON)", recognise, split, decode)

__all__ = ["FORMAT"]
