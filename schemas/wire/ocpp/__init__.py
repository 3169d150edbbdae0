"""OCPP-J 1.6, 2.0.1 and 2.1: what charging stations and their backends say over a WebSocket, as JSON arrays.

- :mod:`~schemas.wire.ocpp.logs` cuts logs into frames, byte for byte as they crossed;
- :mod:`~schemas.wire.strict_json` reads JSON without losing a digit;
- :mod:`~schemas.wire.ocpp.framing` knows the arrays of the RPC layer (OCPP-J 2.1, part 4, clause 4);
- :mod:`~schemas.wire.ocpp.versions` holds every body against the schema of its message;
- :mod:`~schemas.wire.ocpp.connection` remembers open calls, transactions and the version of a connection;
- :mod:`~schemas.wire.ocpp.decoding` puts them together.
"""

from schemas.wire.contract import WireFormat
from schemas.wire.ocpp.decoding import decode
from schemas.wire.ocpp.logs import LINES, recognise, split

FORMAT = WireFormat("ocpp", "OCPP-J 1.6, 2.0.1, 2.1", recognise, split, decode, log_lines=LINES)
